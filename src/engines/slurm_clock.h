// How far a cluster's clock is from ours, by what it says the time is; its instants in ours.
// Threads: any. 1. Clocks that may be the same are taken for the same: what is exact stays so.
#pragma once

#include <cstdint>

#include "base/threads.h"
#include "base/time.h"

namespace ampacity::engines {

class SlurmClock {
 public:
  // It said that it was this second; it was asked, and had told, at these instants of ours.
  void heard(base::Instant second, base::Instant asked, base::Instant told);
  base::Duration ahead() const;
  base::Instant ours(base::Instant its) const { return its.us ? its - ahead() : its; }

 private:
  static constexpr std::int64_t anything = INT64_MAX / 4;
  mutable base::Mutex mutex_;
  // It is ahead by something between these: each hearing makes it narrower, or anew if one of the
  // clocks was set.
  std::int64_t least_us_ = -anything, most_us_ = anything;
};

}  // namespace ampacity::engines
