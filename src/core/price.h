// What a quantity costs: price functions, cumulative over an org's calendar month (UTC), exact.
// Quantities are integers in the meter's smallest unit: gpu: milli-GPU-seconds; vcpu:
// milli-vCPU-seconds; memory: MiB-seconds; a metered event: millionths of its unit. A tier's price
// is ticks for `per` such units (1000 for a GPU-second, 1024 for a GiB-second, 1000 × 2,628,000
// for a month of 730 h). C(q) is a rational, rounded half up to the tick once, cumulatively:
// amounts are differences of it (reference/billing.md §§4, 5).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/money.h"
#include "core/words.h"

namespace ampacity::core {

enum class PriceKind { per_unit, graduated, volume, package };
BOOST_DESCRIBE_ENUM(PriceKind, per_unit, graduated, volume, package)

struct PriceTier {
  std::int64_t up_to = 0;  // smallest units; 0: no end (the last)
  base::Ticks price = 0;   // for `per` units
  base::Ticks flat = 0;    // once the tier is entered
  bool operator==(const PriceTier&) const = default;
};
BOOST_DESCRIBE_STRUCT(PriceTier, (), (up_to, price, flat))

struct PriceFunction {
  PriceKind kind = PriceKind::per_unit;
  std::int64_t per = 1000;
  std::vector<PriceTier> tiers;  // at least one, ascending; per_unit and package: exactly one
  std::int64_t package = 0;      // package: units in one; tiers[0].price is for one package
  std::int64_t free = 0;         // package: units before the first
  base::Ticks minimum = 0;       // a month, trued up at its end
  base::Ticks maximum = 0;       // a month; 0: none
  bool operator==(const PriceFunction&) const = default;
};
BOOST_DESCRIBE_STRUCT(PriceFunction, (), (kind, per, tiers, package, free, minimum, maximum))

// Empty or absent fields match anything; of the rules that match, the one that says most wins:
// meter is always said; then term, site, sku, class count 8, 4, 2, 1.
struct PriceRule {
  std::string meter;  // "gpu", "vcpu", "memory" (beside GPUs), "cpu_vcpu", "cpu_memory", an event's
  std::string sku;
  std::string site;
  std::optional<JobClass> job_class;
  std::uint32_t term_months = 0;  // for usage under a contract of at least so many months
  PriceFunction price;
  bool operator==(const PriceRule&) const = default;
};
BOOST_DESCRIBE_STRUCT(PriceRule, (), (meter, sku, site, job_class, term_months, price))

// C(q), without the minimum (a period's end adds it). nullopt: more than 64 bits of ticks hold.
std::optional<base::Ticks> cost_of(const PriceFunction& price, std::int64_t quantity);
// What a month's minimum adds to fees of `cost`, for `days_us` of a month of `month_us`.
base::Ticks true_up(const PriceFunction& price, base::Ticks cost, std::int64_t days_us,
                    std::int64_t month_us);

// No quantity more costs more than flat + price × quantity / per, wherever the month stands: what
// credit is held by.
struct Ceiling {
  base::Ticks price = 0;
  base::Ticks flat = 0;
};
Ceiling ceiling_of(const PriceFunction& price);

}  // namespace ampacity::core
