#include "billing/contract.h"

#include <algorithm>
#include <limits>

#include "base/money.h"

namespace ampacity::billing {
namespace {

using base::Wide;

constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max();
constexpr Instant far_away{253'402'300'799'000'000};  // the end of the year 9999

std::int64_t bounded(Wide v) { return v > most ? most : static_cast<std::int64_t>(v); }

std::int64_t ppm(std::int64_t part, std::int64_t whole) {
  return whole <= 0 ? 0 : bounded(static_cast<Wide>(part) * 1'000'000 / whole);
}

}  // namespace

Span overlap(Span a, Span b) { return {std::max(a.from, b.from), std::min(a.until, b.until)}; }

Span month_of(Instant t) {
  const Instant from = base::month_begin(t);
  return {from, base::month_plus(from, 1)};
}

int months_between(Instant from, Instant to) {
  constexpr std::int64_t longest_us = 31 * 86'400'000'000LL;
  if (to <= from) return 0;
  int n = static_cast<int>((to.us - from.us) / longest_us);
  while (base::month_plus(from, n + 1) <= to) ++n;
  return n;
}

Span lifetime(const core::Contract& c) {
  Instant until = c.renews ? far_away : base::month_plus(c.from, static_cast<int>(c.months));
  if (c.ends.us != 0) until = c.renews ? c.ends : std::min(until, c.ends);
  return {c.from, until};
}

std::int64_t committed_in(const core::Contract& c, Instant month) {
  if (c.commitment == core::CommitmentKind::none) return 0;
  const Span whole = month_of(month);
  const Span covered = overlap(whole, lifetime(c));
  if (covered.empty()) return 0;
  const auto index = static_cast<std::uint32_t>(months_between(base::month_begin(c.from), month));
  std::int64_t amount = 0;
  for (const core::RampStep& step : c.ramp)
    if (step.month <= index) amount = step.amount;
  if (covered.us() == whole.us()) return amount;
  return base::divide_half_up(static_cast<Wide>(amount) * covered.us(), whole.us());
}

std::int64_t committed_between(const core::Contract& c, Span period) {
  Wide sum = 0;
  for (Instant m = base::month_begin(period.from); m < period.until; m = base::month_plus(m, 1))
    sum += committed_in(c, m);
  return bounded(sum);
}

Span term_at(const core::Contract& c, Instant t) {
  const Span life = lifetime(c);
  const int months = static_cast<int>(std::max(1u, c.months));
  const int k = t <= c.from ? 0 : months_between(c.from, base::month_begin(t)) / months;
  const Instant begin = k == 0 ? c.from : base::month_plus(c.from, k * months);
  return overlap({begin, base::month_plus(c.from, (k + 1) * months)}, life);
}

std::optional<Span> term_ending_in(const core::Contract& c, Instant month) {
  const Span whole = month_of(month);
  if (overlap(whole, lifetime(c)).empty()) return std::nullopt;
  const Span term = term_at(c, std::max(whole.from, c.from));
  if (term.until <= whole.until) return term;
  return std::nullopt;
}

std::vector<core::SlaStep> default_sla() {
  return {{900'000, 5'000}, {950'000, 2'500}, {990'000, 1'000}};
}

std::vector<core::SlaStep> multi_region_sla() {
  return {{950'000, 5'000}, {990'000, 2'500}, {999'000, 1'000}};
}

std::int64_t sla_credit_bp(const std::vector<core::SlaStep>& schedule, std::int64_t down_s,
                           Instant month) {
  const std::int64_t month_s = month_of(month).us() / 1'000'000;
  const std::int64_t up_s = std::clamp<std::int64_t>(month_s - down_s, 0, month_s);
  for (const core::SlaStep& step : schedule)
    if (static_cast<Wide>(up_s) * 1'000'000 < static_cast<Wide>(step.below_ppm) * month_s)
      return std::clamp<std::int64_t>(step.credit_bp, 0, most_sla_credit_bp);
  return 0;
}

Span burn_down_period(const core::Contract& c, Instant now) {
  if (c.take_or_pay) return overlap(month_of(now), lifetime(c));
  return term_at(c, now);
}

BurnDown burn_down(const core::Contract& c, std::int64_t used, Instant now) {
  BurnDown b;
  b.period = burn_down_period(c, now);
  if (b.period.empty()) return b;
  b.committed = committed_between(c, b.period);
  b.used = used;
  b.left = std::max<std::int64_t>(0, b.committed - used);
  const std::int64_t elapsed_us =
      std::clamp(now, b.period.from, b.period.until).us - b.period.from.us;
  b.used_ppm = ppm(used, b.committed);
  b.elapsed_ppm = ppm(elapsed_us, b.period.us());
  b.forecast =
      elapsed_us == 0 ? used : bounded(static_cast<Wide>(used) * b.period.us() / elapsed_us);
  b.forecast_shortfall = std::max<std::int64_t>(0, b.committed - b.forecast);
  b.forecast_overage = std::max<std::int64_t>(0, b.forecast - b.committed);
  return b;
}

}  // namespace ampacity::billing
