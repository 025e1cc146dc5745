#include "base/onward_clock.h"

#include "base/threads.h"

namespace ampacity::base {
namespace {
constexpr std::int64_t slower = 2'000;
}  // namespace

Instant OnwardClock::at(Instant wall) {
  const Duration now = elapsed();
  const std::int64_t passed_us = now.us - since_.us;
  const Instant ours{anchor_.us + passed_us - passed_us / slower};
  if (wall < ours) return ours;
  anchor_ = wall;
  since_ = now;
  return wall;
}

void OnwardClock::not_before(Instant t) {
  const std::lock_guard lock(mutex_);
  if (at(wall_.now()) >= t) return;
  anchor_ = t;
  since_ = elapsed();
}

Instant OnwardClock::now() {
  const std::lock_guard lock(mutex_);
  return at(wall_.now());
}

Duration OnwardClock::ahead() {
  const std::lock_guard lock(mutex_);
  const Instant wall = wall_.now();
  return at(wall) - wall;
}

Duration ahead_of_wall(Clock& clock) {
  auto* onward = dynamic_cast<OnwardClock*>(&clock);
  return onward ? onward->ahead() : Duration{0};
}

}  // namespace ampacity::base
