// Rating: seconds × quantity × price, exact, cumulative, rounded up to the tick: what credit is
// held and posted by is never less than what it costs. amounts_at(r, s) is the cumulative A(s); a
// stretch is A(s1) − A(s0), so stretches always add up to the whole (reference/billing.md §4).
// Where a price has tiers or packages the ceiling is more than the price: the month's invoice gives
// the difference back.
// 1. For any leases of one rule in one month, Σ A ≥ C(Σ quantity) (core/price.h).
#pragma once

#include "core/model.h"
#include "core/state.h"

namespace ampacity::core {

// So many seconds touch at most 1 + ⌈s / this⌉ calendar months: each has its flats and packages
// anew.
inline constexpr std::int64_t shortest_month_s = 28 * 86'400;

// What `seconds` at these rates cost, per component. seconds ≥ 0.
Amounts amounts_at(const Rates& rates, std::int64_t seconds);
inline Ticks cost_between(const Rates& rates, std::int64_t from_s, std::int64_t to_s) {
  return amounts_at(rates, to_s).total() - amounts_at(rates, from_s).total();
}
// The same for a lease whose rates changed on the way: each step is counted from its own begin.
Amounts amounts_at(const std::vector<RateStep>& steps, const Rates& rates, std::int64_t seconds);
Ticks cost_between(const Lease& lease, std::int64_t from_s, std::int64_t to_s);

// Ticks per second, rounded up: for warnings and admission, never for billing.
Ticks burn_rate(const Rates& rates);

// The most whole seconds after `from_s` (at most `most_s`) that `credit` pays for.
std::int64_t affordable_seconds(const Rates& rates, std::int64_t from_s, std::int64_t most_s,
                                Ticks credit);
std::int64_t affordable_seconds(const Lease& lease, std::int64_t from_s, std::int64_t most_s,
                                Ticks credit);

// One interval for each of its rates, in order; their amounts, seconds and times add up to it.
std::vector<Interval> by_rates(const Interval& interval);
// Sets steps that begin at or after what is billed aside, as undone: `rates` are those of the last
// billed second. An interim invoice may have seen them.
void trim_steps(Interval& interval);

// "6.37 JPY": an amount in what the project's org is billed in.
std::string money_text(const State& state, ProjectIx payer, Ticks amount, int places = 4);

// Of its GPUs, ticks a second, whatever else it uses: what fair share weighs.
Ticks share_of(const Rates& rates);

}  // namespace ampacity::core
