// How far an engine's clock is from ours, by the dates that its answers bear (RFC 9110: whole
// seconds). Each answer tells two bounds; many of them come close.
// Threads: any. 1. Zero as long as the two may agree. 2. An answer that contradicts those before:
// a clock was set, and the measuring begins anew.
#pragma once

#include <limits>
#include <mutex>
#include <string_view>

#include "base/time.h"

namespace ampacity::engines {

class PeerClock {
 public:
  // An answer of this Date ("Sun, 22 Nov 2026 00:00:01 GMT"), asked for and there at these instants
  // of our clock. True: a clock was set since the last one. What is no date says nothing.
  bool heard(std::string_view date, base::Instant asked, base::Instant answered);
  base::Duration ahead() const;  // theirs, of ours
  base::Instant ours(base::Instant theirs) const { return theirs - ahead(); }
  base::Instant theirs(base::Instant ours) const { return ours + ahead(); }

 private:
  static constexpr std::int64_t anything = std::numeric_limits<std::int64_t>::max() / 4;
  mutable std::mutex mutex_;  // held for a few instructions: no turn of the simulator's
  std::int64_t least_us_ = -anything, most_us_ = anything;
  base::Instant last_;
};

}  // namespace ampacity::engines
