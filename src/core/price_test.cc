// Price functions against the goldens of reference/billing.md §5, from both sides of every
// boundary, and by property against a naive rater.
#include "core/price.h"

#include <doctest/doctest.h>

#include "base/prng.h"

namespace ampacity::core {
namespace {

using base::Ticks;
using base::Wide;

constexpr Ticks usd = base::ticks_per_usd;
constexpr Ticks cent = base::ticks_per_cent;

// Prices in USD for one unit of 1000.
PriceFunction tiered(PriceKind kind) {
  return {kind, 1000, {{100'000, 2 * usd, 0}, {500'000, 180 * cent, 0}, {0, 150 * cent, 0}}};
}

TEST_CASE("the goldens of the price functions") {
  struct Row {
    const char* name;
    PriceFunction price;
    std::int64_t units;
    Ticks cents;
  };
  const PriceFunction graduated = tiered(PriceKind::graduated);
  const PriceFunction volume = tiered(PriceKind::volume);
  const PriceFunction package{PriceKind::package, 1000, {{0, 5 * usd, 0}}, 100'000, 20'000};
  PriceFunction flats = graduated;
  flats.tiers[0].flat = 7 * usd;
  flats.tiers[1].flat = 3 * usd;
  PriceFunction capped = graduated;
  capped.maximum = 1000 * usd;
  const PriceFunction overage{PriceKind::graduated, 1000, {{500'000, 0, 0}, {0, 3 * usd, 0}}};
  PriceFunction volume_flat = volume;
  volume_flat.tiers[1].flat = usd;
  const Row rows[] = {
      {"graduated", graduated, 0, 0},
      {"graduated, last of the first tier", graduated, 100, 200'00},
      {"graduated, first of the second", graduated, 101, 201'80},
      {"graduated, last of the second", graduated, 500, 920'00},
      {"graduated, first of the third", graduated, 501, 921'50},
      {"graduated, third", graduated, 620, 1'100'00},
      {"volume, last of the first tier", volume, 100, 200'00},
      {"volume, first of the second", volume, 101, 181'80},
      {"volume, last of the second", volume, 500, 900'00},
      {"volume, first of the third", volume, 501, 751'50},
      {"volume, third", volume, 620, 930'00},
      {"volume, its flat only inside the tier", volume_flat, 100, 200'00},
      {"volume, its flat only inside the tier", volume_flat, 500, 901'00},
      {"volume, its flat only inside the tier", volume_flat, 501, 751'50},
      {"package", package, 250, 15'00},
      {"package, all free", package, 20, 0},
      {"package, one begun", package, 21, 5'00},
      {"package, one full", package, 120, 5'00},
      {"package, two begun", package, 121, 10'00},
      {"flats once entered", flats, 0, 0},
      {"flats once entered", flats, 1, 9'00},
      {"flats once entered", flats, 100, 207'00},
      {"flats once entered", flats, 101, 211'80},
      {"below the maximum", capped, 500, 920'00},
      {"at the maximum", capped, 620, 1'000'00},
      {"overage, none", overage, 500, 0},
      {"overage", overage, 620, 360'00},
      {"per unit", {PriceKind::per_unit, 1000, {{0, 478 * cent, 0}}}, 3, 14'34},
  };
  for (const Row& row : rows) {
    CAPTURE(row.name);
    CAPTURE(row.units);
    CHECK(cost_of(row.price, row.units * 1000) == row.cents * cent);
  }
}

TEST_CASE("rounded half up to the tick, once") {
  const PriceFunction p{PriceKind::per_unit, 1000, {{0, 1, 0}}};
  CHECK(cost_of(p, 499) == 0);
  CHECK(cost_of(p, 500) == 1);
  CHECK(cost_of(p, 1499) == 1);
  CHECK(cost_of(p, 1500) == 2);
  // Two tiers of half a tick each are one tick, not two.
  const PriceFunction halves{PriceKind::graduated, 1000, {{500, 1, 0}, {0, 1, 0}}};
  CHECK(cost_of(halves, 1000) == 1);
  // 4 USD for a month of 730 h, as for a public address.
  const PriceFunction month{PriceKind::per_unit, 1000LL * 2'628'000, {{0, 4 * usd, 0}}};
  CHECK(cost_of(month, 1000LL * 2'628'000) == 4 * usd);
  CHECK(cost_of(month, 1000LL * 3600) == 197'260);  // 54.79… a second
}

TEST_CASE("a minimum is trued up by the part of the month") {
  PriceFunction p{PriceKind::per_unit, 1000, {{0, 0, 0}}};
  p.minimum = 1000 * usd;
  constexpr std::int64_t day_us = 86'400'000'000;
  CHECK(true_up(p, 310 * usd, 12 * day_us, 30 * day_us) == 90 * usd);
  CHECK(true_up(p, 400 * usd, 12 * day_us, 30 * day_us) == 0);
  CHECK(true_up(p, 401 * usd, 12 * day_us, 30 * day_us) == 0);
  CHECK(true_up(p, 0, 30 * day_us, 30 * day_us) == 1000 * usd);
  CHECK(true_up(p, 0, 31 * day_us, 30 * day_us) == 1000 * usd);
  p.minimum = 0;
  CHECK(true_up(p, 0, 30 * day_us, 30 * day_us) == 0);
}

TEST_CASE("256 billion fit, what does not is refused") {
  const PriceFunction p{PriceKind::per_unit, 1, {{0, usd, 0}}};
  CHECK(cost_of(p, 256'000'000'000) == 256'000'000'000 * usd);
  CHECK(cost_of(p, 256'204'778'801) == 256'204'778'801 * usd);
  CHECK_FALSE(cost_of(p, 256'204'778'802));
  CHECK_FALSE(cost_of({PriceKind::per_unit, 1, {{0, INT64_MAX, 0}}}, INT64_MAX));
  CHECK_FALSE(cost_of({PriceKind::package, 1, {{0, INT64_MAX, 0}}, 1}, INT64_MAX));
  CHECK(cost_of({PriceKind::per_unit, INT64_MAX, {{0, INT64_MAX, 0}}}, INT64_MAX) == INT64_MAX);
  PriceFunction flat{PriceKind::per_unit, 1, {{0, 0, INT64_MAX}}};
  CHECK(cost_of(flat, 1) == INT64_MAX);
  flat.tiers[0].price = 1;
  CHECK_FALSE(cost_of(flat, 1));
  flat.maximum = usd;
  CHECK(cost_of(flat, 1) == usd);
  CHECK_FALSE(cost_of(PriceFunction{}, 1));  // no tier
}

// ---- by property --------------------------------------------------------------------------------

std::int64_t below(base::Prng& prng, std::int64_t n) {
  return static_cast<std::int64_t>(prng.next() % static_cast<std::uint64_t>(n));
}

PriceFunction some_price(base::Prng& prng) {
  PriceFunction p;
  p.kind = static_cast<PriceKind>(below(prng, 4));
  p.per = std::int64_t{1} << below(prng, 12);
  const bool tiers = p.kind == PriceKind::graduated || p.kind == PriceKind::volume;
  const std::int64_t n = tiers ? 1 + below(prng, 4) : 1;
  std::int64_t bound = 0;
  for (std::int64_t i = 0; i < n; ++i) {
    bound += 1 + below(prng, 3000);
    const Ticks price = below(prng, 5000);
    const Ticks flat = below(prng, 3) ? 0 : below(prng, 500);
    p.tiers.push_back({i + 1 < n ? bound : 0, price, flat});
  }
  if (p.kind == PriceKind::package) {
    p.package = 1 + below(prng, 700);
    p.free = below(prng, 900);
  }
  if (below(prng, 4) == 0) p.maximum = 1 + below(prng, 100'000);
  return p;
}

// The definition, unit by unit.
Ticks naive(const PriceFunction& p, std::int64_t q) {
  Wide over_per = 0, whole = 0;
  std::int64_t packages = 0;
  for (std::int64_t unit = 1; unit <= q; ++unit) {
    std::int64_t lower = 0;
    for (const PriceTier& t : p.tiers) {
      const bool inside = unit > lower && (t.up_to == 0 || unit <= t.up_to);
      if (p.kind == PriceKind::graduated && inside) over_per += t.price;
      if (p.kind == PriceKind::graduated && unit == lower + 1) whole += t.flat;
      if (p.kind == PriceKind::volume && inside && unit == q) {
        over_per = static_cast<Wide>(t.price) * q;
        whole = t.flat;
      }
      lower = t.up_to;
    }
    if (p.kind == PriceKind::per_unit) over_per += p.tiers[0].price;
    if (unit > p.free && p.package && (unit - p.free - 1) % p.package == 0) ++packages;
  }
  if (p.kind == PriceKind::per_unit || p.kind == PriceKind::package)
    whole = q > 0 ? p.tiers[0].flat : 0;
  if (p.kind == PriceKind::package) whole += static_cast<Wide>(packages) * p.tiers[0].price;
  const Wide twice = 2 * over_per;
  Wide ticks = twice / p.per / 2;  // rounded down
  if (twice - 2 * ticks * p.per >= p.per) ++ticks;
  ticks += whole;
  return static_cast<Ticks>(p.maximum && ticks > p.maximum ? p.maximum : ticks);
}

TEST_CASE("functions agree with their definition, unit by unit") {
  base::SeededPrng prng(41);
  for (int i = 0; i < 4000; ++i) {
    const PriceFunction p = some_price(prng);
    std::int64_t q = below(prng, 8000);
    if (below(prng, 3) == 0) {  // at a boundary and on both of its sides
      const PriceTier& t =
          p.tiers[static_cast<std::size_t>(below(prng, static_cast<std::int64_t>(p.tiers.size())))];
      q = std::max<std::int64_t>(0, t.up_to - 1 + below(prng, 3));
    }
    CAPTURE(base::to_json(p));
    CAPTURE(q);
    REQUIRE(cost_of(p, q) == naive(p, q));
  }
}

TEST_CASE("all but volume prices grow with the quantity") {
  base::SeededPrng prng(42);
  for (int i = 0; i < 20'000; ++i) {
    const PriceFunction p = some_price(prng);
    if (p.kind == PriceKind::volume) continue;
    const std::int64_t q = below(prng, 12'000);
    const std::int64_t more = q + below(prng, 400);
    CAPTURE(base::to_json(p));
    REQUIRE(*cost_of(p, q) <= *cost_of(p, more));
  }
}

TEST_CASE("no more costs more than the ceiling, wherever the month stands") {
  base::SeededPrng prng(43);
  for (int i = 0; i < 50'000; ++i) {
    const PriceFunction p = some_price(prng);
    const Ceiling most = ceiling_of(p);
    const std::int64_t q = below(prng, 12'000);
    const std::int64_t more = 1 + below(prng, 4000);
    const Wide bound = static_cast<Wide>(most.flat) * p.per + static_cast<Wide>(most.price) * more;
    CAPTURE(base::to_json(p));
    CAPTURE(q);
    CAPTURE(more);
    // C is rounded at both ends: at most half a tick each.
    REQUIRE(static_cast<Wide>(*cost_of(p, q + more) - *cost_of(p, q)) * p.per <= bound + p.per);
    if (q == 0) REQUIRE(static_cast<Wide>(*cost_of(p, more)) * 2 * p.per <= 2 * bound + p.per);
  }
}

}  // namespace
}  // namespace ampacity::core
