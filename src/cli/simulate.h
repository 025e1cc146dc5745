// `ampacity sim`: becomes the program `ampacity-sim` that lies beside this one.
// Threads: the main one, before there is another.
#pragma once

#include <string>
#include <vector>

#include "cli/terminal.h"

namespace ampacity::cli {

// The path it should be at.
std::string simulator_path();

// Does not come back if the program is there; else says what is missing. `args`: after `sim`.
int simulate(const std::string& program, const std::vector<std::string>& args, Terminal& terminal);

}  // namespace ampacity::cli
