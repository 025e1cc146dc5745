// Structured log lines on stderr: `time level room message key=value…`. Never secrets.
#pragma once

#include <fmt/core.h>

#include <string_view>

namespace ampacity::base {

enum class Level { debug, info, warn, error };
void log_line(Level level, std::string_view message);
void set_log_level(Level least);

template <typename... A>
void log_info(fmt::format_string<A...> f, A&&... a) {
  log_line(Level::info, fmt::format(f, std::forward<A>(a)...));
}
template <typename... A>
void log_warn(fmt::format_string<A...> f, A&&... a) {
  log_line(Level::warn, fmt::format(f, std::forward<A>(a)...));
}
template <typename... A>
void log_error(fmt::format_string<A...> f, A&&... a) {
  log_line(Level::error, fmt::format(f, std::forward<A>(a)...));
}

}  // namespace ampacity::base
