#include "base/log.h"

#include <spdlog/sinks/dist_sink.h>
#include <spdlog/sinks/rotating_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <memory>

#include "base/chaos.h"
#include "base/log_file.h"

namespace ampacity::base {
namespace {

constexpr const char* pattern = "%Y-%m-%dT%H:%M:%S.%fZ %l %v";

// Always the one sink the logger knows; what it passes lines on to may change while it is used.
spdlog::sinks::dist_sink_mt& outlet() {
  static const auto instance = [] {
    auto s = std::make_shared<spdlog::sinks::dist_sink_mt>();
    s->add_sink(std::make_shared<spdlog::sinks::stderr_sink_mt>());
    return s;
  }();
  return *instance;
}

spdlog::logger& logger() {
  static const auto instance = [] {
    const std::shared_ptr<spdlog::sinks::sink> sink(&outlet(), [](auto*) {});
    auto l = std::make_shared<spdlog::logger>("ampacity", sink);
    l->set_pattern(pattern, spdlog::pattern_time_type::utc);
    l->flush_on(spdlog::level::info);
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

Try<void> log_to_file(const LogFile& file) try {
  logger();  // its pattern goes to what is there; a new sink needs its own
  spdlog::sink_ptr sink;
  if (file.path.empty())
    sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
  else
    sink = std::make_shared<spdlog::sinks::rotating_file_sink_mt>(file.path.string(),
                                                                  file.most_bytes, file.kept);
  sink->set_formatter(
      std::make_unique<spdlog::pattern_formatter>(pattern, spdlog::pattern_time_type::utc));
  outlet().set_sinks({std::move(sink)});
  return {};
} catch (const spdlog::spdlog_ex& e) {
  return fault(e.what(), false);
}

void set_log_level(Level least) { logger().set_level(level_of(least)); }

}  // namespace ampacity::base
