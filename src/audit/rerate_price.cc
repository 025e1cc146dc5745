// What a quantity costs, and what a contract commits to in a month.
#include <algorithm>

#include "audit/rerate.h"

namespace ampacity::audit {
namespace {

constexpr Instant never{253'402'300'799'000'000};  // the end of the year 9999

}  // namespace

Wide half_up(Wide numerator, Wide denominator) {
  if (numerator < 0) return -half_up(-numerator, denominator);
  return (2 * numerator + denominator) / (2 * denominator);
}

// Sums are kept as over/per + whole until the end.
Wide cost_of(const Tariff& t, Wide q) {
  if (q <= 0 || t.tiers.empty() || t.per <= 0) return 0;
  Wide over = 0, whole = 0;
  if (t.kind == "package") {
    const Wide beyond = q > t.free ? q - t.free : 0;
    const Wide packages = t.package > 0 ? (beyond + t.package - 1) / t.package : 0;
    whole = t.tiers[0].flat + packages * t.tiers[0].price;
  } else {
    Wide below = 0;  // where this tier begins
    for (std::size_t i = 0; i < t.tiers.size(); ++i) {
      const Tier& tier = t.tiers[i];
      if (i > 0 && q <= below) break;  // not entered
      const bool last = i + 1 == t.tiers.size();
      const Wide above = last ? q : std::min<Wide>(q, tier.up_to);
      if (t.kind == "volume") {  // the tier that q ends in is that of all of it
        over = q * tier.price;
        whole = tier.flat;
      } else {
        over += (above - below) * tier.price;
        whole += tier.flat;
      }
      below = tier.up_to;
    }
  }
  const Wide ticks = half_up(over, t.per) + whole;
  return t.maximum > 0 ? std::min<Wide>(ticks, t.maximum) : ticks;
}

Instant begins(const Contract& c) { return c.from; }

Instant lasts_until(const Contract& c) {
  const Instant term = base::month_plus(c.from, static_cast<int>(c.months));
  if (c.renews) return c.ends.us != 0 ? c.ends : never;
  return c.ends.us != 0 ? std::min(term, c.ends) : term;
}

std::int64_t given_back(const Contract& c, Instant month, Wide down_s) {
  if (down_s <= 0) return 0;
  // Less than 90 % of the month: a half; less than 95 %: a quarter; less than 99 %: a tenth.
  static const std::vector<Sla> usual = {{900'000, 5'000}, {950'000, 2'500}, {990'000, 1'000}};
  const Wide month_s = (base::month_plus(month, 1).us - month.us) / 1'000'000;
  const Wide down = std::min(down_s, month_s);
  for (const Sla& step : c.sla.empty() ? usual : c.sla) {
    // Uptime below x  <=>  more than 1 − x was lost.
    if (down * 1'000'000 <= (1'000'000 - Wide{step.below_ppm}) * month_s) continue;
    return std::clamp<std::int64_t>(step.credit_bp, 0, 5'000);  // never more than half
  }
  return 0;
}

Wide committed_in(const Contract& c, Instant month) {
  const Instant next = base::month_plus(month, 1);
  const Instant from = std::max(month, begins(c)), until = std::min(next, lasts_until(c));
  if (until <= from || c.commitment == "none") return 0;
  std::int64_t n = 0;  // the contract's month
  for (Instant m = base::month_begin(c.from); m < month; m = base::month_plus(m, 1)) ++n;
  Wide amount = 0;
  for (const Ramp& step : c.ramp)
    if (step.month <= n) amount = step.amount;
  return half_up(amount * (until.us - from.us), next.us - month.us);
}

}  // namespace ampacity::audit
