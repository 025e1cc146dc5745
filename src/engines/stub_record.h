// What the stub engine has ever started, in a file: the outside world of servers that take turns,
// so that a test can read in it what was started twice.
// Threads: one at a time. 1. A name is in it once: starting is idempotent, as with real engines.
// 2. Under the file's lock, between begin() and end(). A line: name, microseconds, process.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <unordered_map>

#include "base/time.h"

namespace ampacity::engines {

class StubRecord {
 public:
  StubRecord(const std::filesystem::path& file, std::function<bool()> may_act);
  ~StubRecord();
  StubRecord(const StubRecord&) = delete;
  StubRecord& operator=(const StubRecord&) = delete;

  void begin();  // takes the lock, reads what others wrote
  // When it was started: long ago, or now. Nothing: this server may not start it.
  std::optional<base::Instant> start(const std::string& name, base::Instant now);
  void end();

 private:
  void read_on();

  const int file_;
  const std::function<bool()> may_act_;
  std::int64_t read_to_ = 0;
  std::string rest_;  // of a line
  std::string fresh_;
  std::unordered_map<std::string, base::Instant> started_;
};

}  // namespace ampacity::engines
