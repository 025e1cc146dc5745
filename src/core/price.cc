#include "core/price.h"

#include <algorithm>
#include <limits>

namespace ampacity::core {
namespace {

using base::Ticks;
using base::Wide;

constexpr Wide most = std::numeric_limits<Ticks>::max();

bool well_formed(const PriceFunction& p) {
  return p.per > 0 && !p.tiers.empty() && (p.kind != PriceKind::package || p.package > 0);
}

// The tier that a quantity q > 0 ends in: its upper bound still belongs to it.
std::size_t tier_of(const PriceFunction& p, std::int64_t q) {
  std::size_t i = 0;
  while (i + 1 < p.tiers.size() && q > p.tiers[i].up_to) ++i;
  return i;
}

// Both parts of C(q): what is divided by `per`, and whole ticks beside it.
struct Exact {
  Wide over_per = 0;
  Wide whole = 0;
};

Exact graduated(const PriceFunction& p, std::int64_t q) {
  Exact c;
  std::int64_t from = 0;
  const std::size_t last = tier_of(p, q);
  for (std::size_t i = 0; i <= last; ++i) {
    const std::int64_t until = i == last ? q : p.tiers[i].up_to;
    c.over_per += static_cast<Wide>(p.tiers[i].price) * (until - from);
    c.whole += p.tiers[i].flat;
    from = until;
  }
  return c;
}

Exact exact_cost(const PriceFunction& p, std::int64_t q) {
  const PriceTier& first = p.tiers.front();
  switch (p.kind) {
    case PriceKind::per_unit:
      return {static_cast<Wide>(first.price) * q, first.flat};
    case PriceKind::graduated:
      return graduated(p, q);
    case PriceKind::volume: {
      const PriceTier& tier = p.tiers[tier_of(p, q)];
      return {static_cast<Wide>(tier.price) * q, tier.flat};
    }
    case PriceKind::package: {
      const Wide beyond = std::max<Wide>(0, static_cast<Wide>(q) - p.free);
      return {0, first.flat + first.price * ((beyond + p.package - 1) / p.package)};
    }
  }
  return {};
}

Wide rounded_up(Wide numerator, Wide denominator) {
  return (numerator + denominator - 1) / denominator;
}

Ticks bounded(Wide ticks) { return static_cast<Ticks>(std::min(ticks, most)); }

}  // namespace

std::optional<Ticks> cost_of(const PriceFunction& p, std::int64_t quantity) {
  if (!well_formed(p)) return std::nullopt;
  if (quantity <= 0) return 0;
  const Exact c = exact_cost(p, quantity);
  Wide ticks = (2 * c.over_per + p.per) / (2 * static_cast<Wide>(p.per)) + c.whole;
  if (p.maximum > 0) ticks = std::min<Wide>(ticks, p.maximum);
  if (ticks > most) return std::nullopt;
  return static_cast<Ticks>(ticks);
}

Ticks true_up(const PriceFunction& p, Ticks cost, std::int64_t days_us, std::int64_t month_us) {
  if (p.minimum <= 0 || days_us <= 0 || month_us <= 0) return 0;
  const std::int64_t part_us = std::min(days_us, month_us);
  const Ticks least = base::divide_half_up(static_cast<Wide>(p.minimum) * part_us, month_us);
  return std::max<Ticks>(0, least - cost);
}

Ceiling ceiling_of(const PriceFunction& p) {
  if (!well_formed(p)) return {};
  const PriceTier& first = p.tiers.front();
  if (p.kind == PriceKind::per_unit) return {first.price, first.flat};
  if (p.kind == PriceKind::package)  // a package that was begun by others may be full
    return {bounded(rounded_up(static_cast<Wide>(first.price) * p.per, p.package)),
            bounded(static_cast<Wide>(first.price) + first.flat)};
  Wide price = 0, flats = 0, dearest_flat = 0, jumps = 0;
  for (std::size_t i = 0; i < p.tiers.size(); ++i) {
    const PriceTier& t = p.tiers[i];
    price = std::max<Wide>(price, t.price);
    flats += t.flat;
    dearest_flat = std::max<Wide>(dearest_flat, t.flat);
    // A dearer tier of a volume price makes all that came before it dearer, too.
    if (i > 0 && t.price > p.tiers[i - 1].price)
      jumps += rounded_up(static_cast<Wide>(t.price - p.tiers[i - 1].price) * p.tiers[i - 1].up_to,
                          p.per);
  }
  const Wide flat = p.kind == PriceKind::graduated ? flats : dearest_flat + jumps;
  return {bounded(price), bounded(flat)};
}

}  // namespace ampacity::core
