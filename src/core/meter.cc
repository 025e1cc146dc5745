#include "core/meter.h"

#include <algorithm>

namespace ampacity::core {
namespace {

Ticks rate(Ticks price, std::int64_t quantity, std::int64_t per_unit, std::int64_t seconds) {
  return static_cast<Ticks>((static_cast<base::Wide>(price) * quantity * seconds + per_unit - 1) /
                            per_unit);
}

Amounts operator+(const Amounts& a, const Amounts& b) {
  return {a.gpu + b.gpu, a.vcpu + b.vcpu, a.memory + b.memory};
}

template <typename Priced>
std::int64_t bisect(const Priced& priced, std::int64_t from_s, std::int64_t most_s, Ticks credit) {
  std::int64_t low = 0, high = most_s;  // cost_between grows with seconds
  while (low < high) {
    const std::int64_t middle = low + (high - low + 1) / 2;
    if (cost_between(priced, from_s, from_s + middle) <= credit)
      low = middle;
    else
      high = middle - 1;
  }
  return low;
}

}  // namespace

Amounts amounts_at(const Rates& r, std::int64_t seconds) {
  if (seconds <= 0) return {};
  const std::int64_t months = 1 + (seconds + shortest_month_s - 1) / shortest_month_s;
  return {rate(r.gpu_price, r.gpus * r.gpu_milli, 1000, seconds) + r.gpu_flat * months,
          rate(r.vcpu_price, r.cpu_milli, 1000, seconds) + r.vcpu_flat * months,
          rate(r.gib_price, r.memory_mib, 1024, seconds) + r.gib_flat * months};
}

Amounts amounts_at(const std::vector<RateStep>& steps, const Rates& rates, std::int64_t seconds) {
  Amounts sum;
  std::int64_t from_s = 0;
  for (const RateStep& step : steps) {
    if (seconds <= step.until_s) return sum + amounts_at(step.rates, seconds - from_s);
    sum = sum + amounts_at(step.rates, step.until_s - from_s);
    from_s = step.until_s;
  }
  return sum + amounts_at(rates, seconds - from_s);
}

Ticks cost_between(const Lease& lease, std::int64_t from_s, std::int64_t to_s) {
  return amounts_at(lease.steps, lease.rates, to_s).total() -
         amounts_at(lease.steps, lease.rates, from_s).total();
}

Ticks burn_rate(const Rates& r) {
  return (r.gpu_price * r.gpus * r.gpu_milli + 999) / 1000 +
         (r.vcpu_price * r.cpu_milli + 999) / 1000 + (r.gib_price * r.memory_mib + 1023) / 1024;
}

Ticks share_of(const Rates& r) {
  return static_cast<Ticks>(static_cast<base::Wide>(r.gpu_price) * r.gpus * r.gpu_milli / 1000);
}

std::int64_t affordable_seconds(const Rates& rates, std::int64_t from_s, std::int64_t most_s,
                                Ticks credit) {
  return bisect(rates, from_s, most_s, credit);
}
std::int64_t affordable_seconds(const Lease& lease, std::int64_t from_s, std::int64_t most_s,
                                Ticks credit) {
  return bisect(lease, from_s, most_s, credit);
}

std::vector<Interval> by_rates(const Interval& interval) {
  if (interval.steps.empty()) return {interval};
  std::vector<Interval> parts;
  std::int64_t from_s = 0;
  std::uint64_t sequence = interval.started_sequence;
  const auto part = [&](std::int64_t until_s, const Rates& rates) {
    Interval& p = parts.emplace_back(interval);
    p.steps.clear();
    p.rates = rates;
    p.started_sequence = sequence;
    p.started_at = interval.started_at + Duration::seconds(from_s);
    p.ended_at = interval.started_at + Duration::seconds(until_s);
    p.billed_s = until_s - from_s;
    p.waived_s = 0;
    p.amounts = amounts_at(rates, p.billed_s);
    from_s = until_s;
  };
  for (const RateStep& step : interval.steps) {
    part(step.until_s, step.rates);
    sequence = step.until_sequence;
  }
  part(interval.billed_s, interval.rates);
  parts.back().ended_at = interval.ended_at;
  parts.back().waived_s = interval.waived_s;
  return parts;
}

void trim_steps(Interval& i) {
  while (!i.steps.empty()) {
    const std::int64_t from_s = i.steps.back().until_s;
    if (i.billed_s > from_s) return;
    i.undone.insert(i.undone.begin(), {from_s, i.steps.back().until_sequence, i.rates});
    i.rates = i.steps.back().rates;
    i.steps.pop_back();
  }
}

std::string money_text(const State& state, ProjectIx payer, Ticks amount, int places) {
  return base::format_usd(amount, places) + " " +
         state.orgs[state.projects[payer].org].billing.currency;
}

}  // namespace ampacity::core
