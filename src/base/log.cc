#include "base/log.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include "base/chaos.h"

namespace ampacity::base {
namespace {

spdlog::logger& logger() {
  static const auto instance = [] {
    auto l = spdlog::stderr_logger_mt("ampacity");
    l->set_pattern("%Y-%m-%dT%H:%M:%S.%fZ %l %v", spdlog::pattern_time_type::utc);
    return l;
  }();
  return *instance;
}

spdlog::level::level_enum level_of(Level level) {
  switch (level) {
    case Level::debug:
      return spdlog::level::debug;
    case Level::info:
      return spdlog::level::info;
    case Level::warn:
      return spdlog::level::warn;
    case Level::error:
      return spdlog::level::err;
  }
  return spdlog::level::err;
}

}  // namespace

void log_line(Level level, std::string_view message) {
  if (chaos) return chaos->log(level, message);
  logger().log(level_of(level), spdlog::string_view_t(message.data(), message.size()));
}

void set_log_level(Level least) { logger().set_level(level_of(least)); }

}  // namespace ampacity::base
