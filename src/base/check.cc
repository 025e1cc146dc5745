#include "base/check.h"

#include <cstdio>
#include <cstdlib>
#include <string>

#include "base/chaos.h"

namespace ampacity::base {
namespace {
void (*dump_before_abort)() = nullptr;
}

void on_check_failed(void (*dump)()) { dump_before_abort = dump; }

void check_failed(const char* file, int line, std::string_view condition, std::string_view why) {
  if (chaos)
    chaos->check_failed(std::string(condition) + " (" + std::string(why) + ") in " + file);
  std::fprintf(stderr, "BUG %s:%d: %.*s (%.*s)\n", file, line, static_cast<int>(condition.size()),
               condition.data(), static_cast<int>(why.size()), why.data());
  if (auto* dump = dump_before_abort) {
    dump_before_abort = nullptr;
    dump();
  }
  std::abort();
}
}  // namespace ampacity::base
