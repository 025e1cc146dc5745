#include "server/usage_sums.h"

#include <algorithm>

#include "api/views.h"
#include "core/meter.h"

namespace ampacity::server {

UsageSums::UsageSums(const core::World& w, core::ProjectIx project, UsageBy by, base::Instant from,
                     base::Instant to, base::Instant now)
    : by_(by), from_(from), to_(to) {
  const core::State& s = w.state();
  for (core::ProjectIx p = 0; p < s.projects.size(); ++p) {
    projects_.push_back(s.projects[p].name);
    currencies_.push_back(api::currency_code(w, p));
  }
  for (const core::User& u : s.users) users_.push_back(u.name);
  for (const core::Sku& k : s.skus) skus_.push_back(k.name);
  for (const auto& [order, slot] : w.leased) {
    const core::Job& job = s.jobs[slot];
    if (project != core::nobody && job.project != project) continue;
    if (job.lease->started_at.us == 0) continue;
    store::add_usage(live_[{job.id, job.generation}], s, job, api::interval_so_far(job, now), 0);
  }
}

UsageSums::Part UsageSums::part_of(const store::UsageRow& u, base::Instant from,
                                   base::Instant to) const {
  const auto seconds_at = [&](base::Instant t) {
    if (t <= u.started_at) return std::int64_t{0};
    return std::min((t - u.started_at).seconds_rounded_up(), u.billed_s);
  };
  const std::int64_t a = seconds_at(from), b = seconds_at(to);
  return {b - a, core::cost_between(u.rates, a, b)};
}

std::string UsageSums::name_of(const store::UsageRow& u) const {
  if (by_ == UsageBy::project) return projects_.at(u.project);
  if (by_ == UsageBy::user) return u.user == core::nobody ? "owner" : users_.at(u.user);
  return skus_.at(u.sku);
}

void UsageSums::add_to(std::map<Key, api::UsageRow>& sums, const std::string& of,
                       const store::UsageRow& u, const Part& part) const {
  api::UsageRow& row = sums[{of, currencies_.at(u.project)}];
  row.jobs += u.step == 0;
  row.gpu_milli_seconds += u.rates.gpus * u.rates.gpu_milli * part.seconds;
  row.vcpu_milliseconds_k += u.rates.cpu_milli * part.seconds;
  row.memory_mib_seconds += u.rates.memory_mib * part.seconds;
  row.amount_ticks += part.amount;
}

// One row per day of UTC that the interval touches.
void UsageSums::add_days(const store::UsageRow& u) {
  constexpr std::int64_t day_us = 86'400'000'000;
  const base::Instant end{std::min(to_.us, u.started_at.us + (u.billed_s + 1) * 1'000'000)};
  base::Instant t = std::max(from_, u.started_at);
  do {
    const base::Instant next{(t.us / day_us + 1) * day_us};
    const Part part = part_of(u, t, std::min(next, to_));
    if (part.seconds > 0 || u.billed_s == 0) add_to(sums_, base::format_day(t), u, part);
    t = next;
  } while (t < end);
}

void UsageSums::add(const store::UsageRow& u) {
  if (u.started_at >= to_) return;
  const Part part = part_of(u, from_, to_);
  add_to(totals_, "total", u, part);
  by_ == UsageBy::day ? add_days(u) : add_to(sums_, name_of(u), u, part);
}

void UsageSums::add_closed(const store::UsageRow& row) {
  live_.erase({row.job, row.generation});
  add(row);
}

api::Usage UsageSums::result() && {
  for (const auto& [lease, rows] : live_)
    for (const store::UsageRow& row : rows) add(row);
  api::Usage usage;
  usage.by = std::string(base::enum_name(by_));
  const auto show = [](std::map<Key, api::UsageRow>& sums, std::vector<api::UsageRow>& rows) {
    for (auto& [key, row] : sums) {
      row.key = key.first;
      if (key.second != "USD") row.currency = key.second;
      row.gpu_seconds = (row.gpu_milli_seconds + 500) / 1000;
      row.amount_usd = base::format_usd(row.amount_ticks, 6);
      rows.push_back(std::move(row));
    }
  };
  show(sums_, usage.rows);
  show(totals_, usage.totals);
  return usage;
}

}  // namespace ampacity::server
