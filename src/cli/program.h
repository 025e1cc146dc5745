// The command line of `ampacity`: words to verbs. The only room file that sees CLI11.
// Threads: the main one.
#pragma once

#include <string>
#include <vector>

#include "cli/terminal.h"

namespace ampacity::cli {

// `args` without the program's name. The exit code.
int run_program(std::vector<std::string> args, Terminal& terminal);

}  // namespace ampacity::cli
