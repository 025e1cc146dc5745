// What a contract commits to, month by month; how much of it is used up; what lost uptime gives
// back. Threads: pure functions.
//
// 1. A contract runs from `from` for its term; one that renews runs on, its last ramp step with
//    it, until `ends`. 2. A month that it covers in part counts in part, by time.
#pragma once

#include <optional>

#include "core/bill.h"

namespace ampacity::billing {

using base::Instant;

struct Span {
  Instant from;
  Instant until;
  bool empty() const { return until <= from; }
  bool holds(Instant t) const { return from <= t && t < until; }
  std::int64_t us() const { return empty() ? 0 : until.us - from.us; }
};
Span overlap(Span a, Span b);
Span month_of(Instant t);
int months_between(Instant from, Instant to);  // whole ones, both firsts of months

// From the first instant of the contract to its last; far away if it renews without an end.
Span lifetime(const core::Contract& contract);
// Committed in the month that begins at `month`: ticks or milli-GPU-seconds.
std::int64_t committed_in(const core::Contract& contract, Instant month);
std::int64_t committed_between(const core::Contract& contract, Span period);  // whole months
// The term whose last month this is.
std::optional<Span> term_ending_in(const core::Contract& contract, Instant month);
Span term_at(const core::Contract& contract, Instant t);

// Months up to 99 % give 10 %, up to 95 % 25 %, up to 90 % 50 %; nobody gets more than half.
inline constexpr std::int64_t most_sla_credit_bp = 5'000;
std::vector<core::SlaStep> default_sla();       // one region: 99 %
std::vector<core::SlaStep> multi_region_sla();  // 99.9 %
// Of the month's bill, in hundredths of a percent.
std::int64_t sla_credit_bp(const std::vector<core::SlaStep>& schedule, std::int64_t down_s,
                           Instant month);

// How far a commitment is used up at `now`: in the current month if shortfalls are billed monthly,
// else in the current term. `forecast`: used by the end if it goes on as it went.
struct BurnDown {
  Span period;
  std::int64_t committed = 0;  // ticks or milli-GPU-seconds
  std::int64_t used = 0;
  std::int64_t left = 0;
  std::int64_t used_ppm = 0;
  std::int64_t elapsed_ppm = 0;
  std::int64_t forecast = 0;
  std::int64_t forecast_shortfall = 0;
  std::int64_t forecast_overage = 0;
};
Span burn_down_period(const core::Contract& contract, Instant now);
// `used` is of burn_down_period(contract, now).
BurnDown burn_down(const core::Contract& contract, std::int64_t used, Instant now);

}  // namespace ampacity::billing
