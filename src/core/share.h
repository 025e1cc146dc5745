// Fair share without floats: what a project used, in ticks at list price, forgotten by half each
// half-life. One who used less, by weight, goes first.
#pragma once

#include "core/model.h"

namespace ampacity::core {

// value · 2^(−elapsed / half-life), by table and parabola between its entries.
std::int64_t decayed(std::int64_t value, Duration elapsed, std::int64_t half_life_s);

// What `share` has become at `now` while `rate` ticks a second were used all the time since.
std::int64_t used_at(const Share& share, Ticks rate, Instant now, std::int64_t half_life_s);

// Orders projects: the lower goes first.
inline std::int64_t claim_on_queue(std::int64_t used, std::int64_t weight) {
  return static_cast<std::int64_t>(static_cast<base::Wide>(used) * 100 / weight);
}

}  // namespace ampacity::core
