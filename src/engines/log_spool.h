// A rank's log as lines with the byte offset of the next one as its event id. Written by the engine
// (conmon writes it directly, so it outlives ampacityd and the container), bounded in size.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "base/id.h"
#include "base/result.h"

namespace ampacity::engines {

struct LogLine {
  std::int64_t next_offset = 0;  // resume after this line from here
  std::string at;                // RFC 3339, as the engine wrote it
  bool is_stderr = false;
  bool partial = false;  // no newline yet
  std::string text;
};

class LogSpool {
 public:
  explicit LogSpool(std::filesystem::path directory, std::int64_t max_bytes_per_rank = 64 << 20);
  std::filesystem::path path(const std::string& container_name) const;
  // Up to max_lines lines from `offset`; an offset past a truncated file starts again at 0.
  base::Try<std::vector<LogLine>> read(const std::string& container_name, std::int64_t offset,
                                       std::size_t max_lines = 1000) const;
  // Deletes logs last written before this age. Returns how many.
  int expire(std::int64_t age_s) const;

 private:
  std::filesystem::path directory_;
  std::int64_t max_bytes_;
};

}  // namespace ampacity::engines
