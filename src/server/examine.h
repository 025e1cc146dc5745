// `ampacityd --check`: everything a start would read, read now; nothing made, moved or changed.
// Threads: the main one.
#pragma once

#include <string>
#include <vector>

#include "base/time.h"
#include "server/config.h"

namespace ampacity::server {

struct Examined {
  std::vector<std::string> wrong;  // a start would fail, or not do what was meant
  std::vector<std::string> notes;
};
Examined examine_all(const Config& c, base::Clock& clock);

// Prints both and returns the exit code: 0, or 2.
int report_check(const Examined& examined);

}  // namespace ampacity::server
