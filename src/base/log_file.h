// Where log lines go: standard error, unless a file is named. Threads: any.
// 1. A file is bounded: at `most_bytes` it is put aside and a new one is begun; of those put aside
// the `kept` newest stay.
#pragma once

#include <cstddef>
#include <filesystem>

#include "base/result.h"

namespace ampacity::base {

struct LogFile {
  std::filesystem::path path;
  std::size_t most_bytes = 64 << 20;
  std::size_t kept = 4;
};

// Also opens it again, for who moved the old one away. Without a path: to standard error.
Try<void> log_to_file(const LogFile& file);

}  // namespace ampacity::base
