// `ampacity-sim --chaos …`: one seed, many seeds, a smaller failing one.
#pragma once

namespace ampacity::sim {

// 0: nothing was wrong; 1: something was, and how to see it again was printed; 2: bad flags.
int chaos_program(int argc, char** argv);

}  // namespace ampacity::sim
