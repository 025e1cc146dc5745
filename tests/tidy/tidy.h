// Walks a source tree of rooms and says where it breaks the rules in rules.h.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace ampacity::tidy {

struct Complaint {
  std::string file;  // relative to the tree: "core/world.h"
  int line = 0;
  std::string what;
};

// Every .h and .cc under `src`, in the order of their names. Complaints about a whole file stand
// at its first line over the budget, or at line 1.
std::vector<Complaint> inspect(const std::filesystem::path& src);

std::string format(const Complaint& complaint);  // "core/world.h:12: …"

}  // namespace ampacity::tidy
