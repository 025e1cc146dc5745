#include "engines/slurm_clock.h"

#include <algorithm>

#include "base/chaos.h"

namespace ampacity::engines {

void SlurmClock::heard(base::Instant second, base::Instant asked, base::Instant told) {
  const std::int64_t least = (second - told).us;
  const std::int64_t most = (second + base::Duration::seconds(1) - asked).us;
  if (second.us == 0 || most < least) return;  // our own clock was set back meanwhile
  const base::Guard lock(mutex_);
  least_us_ = std::max(least_us_, least);
  most_us_ = std::min(most_us_, most);
  if (least_us_ <= most_us_) return;
  PROBE("slurm: its clock was set, or ours");
  least_us_ = least;
  most_us_ = most;
}

base::Duration SlurmClock::ahead() const {
  const base::Guard lock(mutex_);
  if (least_us_ <= 0 && most_us_ >= 0) return base::Duration{0};
  if (base::planted("slurm-clock-ignored")) return base::Duration{0};
  PROBE("slurm: its clock is not ours");
  return base::Duration{least_us_ + (most_us_ - least_us_) / 2};
}

}  // namespace ampacity::engines
