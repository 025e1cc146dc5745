// CHECK: a bug stops the process, always. What fails here is ours, never the caller's.
#pragma once

#include <string_view>

namespace ampacity::base {
[[noreturn]] void check_failed(const char* file, int line, std::string_view condition,
                               std::string_view why);
// Called once by check_failed before it aborts (the server dumps its last facts here).
void on_check_failed(void (*dump)());
}  // namespace ampacity::base

#define CHECK_THAT(condition, why)                                           \
  do {                                                                       \
    if (!(condition)) [[unlikely]]                                           \
      ::ampacity::base::check_failed(__FILE__, __LINE__, #condition, (why)); \
  } while (false)
