// Verbs that are other programs, which lie beside this one: `ampacity sim`, `ampacity backup`…
// Threads: the main one, before there is another.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cli/terminal.h"

namespace ampacity::cli {

struct Beside {
  std::string_view verb;
  std::string_view program;
  bool keeps_verb;  // the program has that verb too, and is told it
  std::string_view what;
};

// Null: a verb of this program.
const Beside* beside(std::string_view verb);
const std::vector<Beside>& all_beside();

// The path it should be at.
std::string path_beside(std::string_view program);

// Does not come back if the program is there; else says what is missing. `args`: after the verb.
int become(const std::string& path, const Beside& other, const std::vector<std::string>& args,
           Terminal& terminal);

}  // namespace ampacity::cli
