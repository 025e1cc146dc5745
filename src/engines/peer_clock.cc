#include "engines/peer_clock.h"

#include <time.h>

#include <algorithm>
#include <cstdlib>
#include <string>

namespace ampacity::engines {
namespace {
constexpr std::int64_t drift = 1'000;  // one clock may go that part faster than the other
}  // namespace

bool PeerClock::heard(std::string_view date, base::Instant asked, base::Instant answered) {
  tm t{};
  const char* rest = strptime(std::string(date).c_str(), "%a, %d %b %Y %H:%M:%S GMT", &t);
  if (date.empty() || rest == nullptr) return false;
  const std::int64_t theirs_us = timegm(&t) * 1'000'000;
  const std::int64_t least = theirs_us - answered.us, most = theirs_us + 1'000'000 - asked.us;
  const std::lock_guard lock(mutex_);
  const std::int64_t apart = std::abs(answered.us - last_.us) / drift;
  const bool first = last_.us == 0;
  last_ = answered;
  least_us_ = std::max(least, first ? least : least_us_ - apart);
  most_us_ = std::min(most, first ? most : most_us_ + apart);
  if (least_us_ <= most_us_) return false;
  least_us_ = least;
  most_us_ = most;
  return true;
}

base::Duration PeerClock::ahead() const {
  const std::lock_guard lock(mutex_);
  if (least_us_ <= 0 && most_us_ >= 0) return {0};
  return {least_us_ + (most_us_ - least_us_) / 2};
}

}  // namespace ampacity::engines
