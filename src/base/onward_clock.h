// The server's clock: the wall clock's time, but for its steps back. Then it goes on by what has
// truly passed, a two-thousandth slower (as adjtime would), until the wall clock has caught up:
// time neither goes back nor stands still, and what runs is billed for as long as it runs. Threads:
// any. 1. now() is never before what it said, nor before `not_before`. 2. A step forward is
// followed: it may be the right time at last.
#pragma once

#include <mutex>

#include "base/time.h"

namespace ampacity::base {

class OnwardClock final : public Clock {
 public:
  explicit OnwardClock(Clock& wall) : wall_(wall) {}
  void not_before(Instant t);  // that much is past already: what a store knows
  Instant now() override;
  Duration ahead();  // of the wall clock

 private:
  Instant at(Instant wall);  // lock held

  Clock& wall_;
  std::mutex mutex_;  // held for a few instructions: no turn of the simulator's
  Instant anchor_;    // what it said, at the latest instant at which the wall clock was not behind
  Duration since_;    // … by elapsed()
};

// Of the wall clock, where it follows one.
Duration ahead_of_wall(Clock& clock);

}  // namespace ampacity::base
