// Rating: seconds × quantity × price, exact, rounded once and cumulatively to the tick.
// amounts_at(r, s) is the cumulative C(s); an interval's amount is C(s1) − C(s0), so intervals
// always add up to the whole (reference/billing.md §4).
#pragma once

#include "core/model.h"

namespace ampacity::core {

// What `seconds` of a lease cost, per component. seconds ≥ 0.
Amounts amounts_at(const Rates& rates, std::int64_t seconds);
inline Ticks cost_between(const Rates& rates, std::int64_t from_s, std::int64_t to_s) {
  return amounts_at(rates, to_s).total() - amounts_at(rates, from_s).total();
}
// Ticks per second, rounded up: for warnings and admission, never for billing.
Ticks burn_rate(const Rates& rates);

// The most whole seconds after `from_s` (at most `most_s`) that `credit` pays for.
std::int64_t affordable_seconds(const Rates& rates, std::int64_t from_s, std::int64_t most_s,
                                Ticks credit);

// The rates of a request on a SKU at a price book. nullopt: the book has no price for it.
std::optional<Rates> rates_for(const PriceBook& book, const Sku& sku, JobClass job_class,
                               const Demand& demand, std::int64_t cpu_milli,
                               std::int64_t memory_mib);
// Of its GPUs, ticks a second, whatever else it uses: what fair share weighs.
Ticks share_of(const Rates& rates);

}  // namespace ampacity::core
