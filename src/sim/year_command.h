// `ampacity-sim --year …`: its flags, its table, its report. Exit codes as in main.cc.
#pragma once

namespace ampacity::sim {

int year_program(int argc, char** argv);

}  // namespace ampacity::sim
