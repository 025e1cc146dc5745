// Copies what a container wrote to its spool, for engines that do not write the spool themselves.
// Threads: stateless; one caller at a time per spool file.
// 1. The spool, from any instant on, is a prefix of the engine's log from that instant on, unless
// the engine has shortened its log since.
#pragma once

#include <cstdint>
#include <filesystem>
#include <istream>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"

namespace ampacity::engines {

// Where a spool ends: what to ask the engine for, and what of the answer is already there.
struct SpoolEnd {
  std::int64_t since_s = 0;  // ask from here; 0: everything
  std::string window;        // the spool's lines from there on
};

// A new file, made here if need be, ends at 0.
base::Try<SpoolEnd> spool_end(const std::filesystem::path& path);
base::Try<SpoolEnd> spool_end(std::istream& spool, const std::string& name);
// All of it: for a log whose stamps went back, where they do not tell what is new.
base::Try<SpoolEnd> spool_whole(const std::filesystem::path& path);
// No line is older than those before it (but for what two streams may differ by), nor will one be
// that is written from `now` on.
bool in_order(std::string_view lines, base::Instant now);

// What of `answered` (in the spool's own form) is not in the spool yet.
std::string spool_news(const SpoolEnd& end, std::string_view answered);

}  // namespace ampacity::engines
