// Verbs that are other programs: `ampacity sim` becomes the program `ampacity-sim` that lies beside
// this one, `ampacity store …` becomes `ampacityd store …`.
// Threads: the main one, before there is another.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/terminal.h"

namespace ampacity::cli {

struct OtherProgram {
  std::string path;  // that it should be at
  std::vector<std::string> args;
};
// Which the arguments of `ampacity` are for; none: this one.
std::optional<OtherProgram> other_program(const std::vector<std::string>& args);

// Does not come back if the program is there; else says what is missing.
int become(const OtherProgram& other, Terminal& terminal);

}  // namespace ampacity::cli
