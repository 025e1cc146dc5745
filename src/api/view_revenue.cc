#include <map>

#include "api/view_operate.h"
#include "api/views.h"
#include "api/when.h"
#include "core/meter.h"

namespace ampacity::api {
namespace {

struct Earned {
  std::uint32_t jobs = 0;
  std::int64_t gpu_milli = 0;
  core::Ticks per_hour = 0;
};

std::optional<std::string> unless_usd(const std::string& currency) {
  return currency == "USD" ? std::nullopt : std::optional(currency);
}

std::vector<Utilisation> utilisation(const core::World& w) {
  const core::State& s = w.state();
  std::vector<Utilisation> all(s.skus.size());
  for (core::NodeIx n = 0; n < s.nodes.size(); ++n) {
    const core::Node& node = s.nodes[n];
    const auto gpus = static_cast<std::uint32_t>(node.gpus.size());
    if (gpus == 0 || (!w.takes_work(n) && w.use[n].leases.empty())) continue;
    all[node.sku].gpus += gpus;
    all[node.sku].leased += gpus - w.free_gpus(n);
  }
  std::vector<Utilisation> with_gpus;
  for (core::SkuIx k = 0; k < s.skus.size(); ++k) {
    if (all[k].gpus == 0) continue;
    all[k].sku = s.skus[k].name;
    all[k].emulated = s.skus[k].emulated;
    with_gpus.push_back(std::move(all[k]));
  }
  return with_gpus;
}

}  // namespace

RevenueView view_revenue(const core::World& w, Instant now) {
  RevenueView v;
  v.at = now;
  const core::State& s = w.state();
  std::map<std::tuple<core::SkuIx, core::JobClass, std::string>, Earned> earned;
  std::map<std::string, core::Ticks> totals;
  for (const auto& [order, slot] : w.leased) {
    const core::Job& job = s.jobs[slot];
    if (job.lease->started_at.us == 0) continue;  // not billed yet
    const std::string currency = currency_code(w, job.project);
    const core::Ticks per_hour = core::amounts_at(job.lease->rates, 3600).total();
    Earned& e = earned[{job.lease->sku, job.job_class, currency}];
    ++e.jobs;
    e.per_hour += per_hour;
    e.gpu_milli += static_cast<std::int64_t>(job.demand.gpus_per_node) * job.demand.nodes *
                   job.lease->gpu_milli;
    totals[currency] += per_hour;
  }
  for (const auto& [of, e] : earned) {
    const auto& [sku, job_class, currency] = of;
    v.rows.push_back({s.skus[sku].name, job_class, e.jobs, format_decimal(e.gpu_milli, 1000),
                      base::format_usd(e.per_hour, 2), unless_usd(currency), s.skus[sku].emulated});
  }
  for (const auto& [currency, per_hour] : totals)
    v.totals.push_back({base::format_usd(per_hour, 2), unless_usd(currency)});
  v.skus = utilisation(w);
  return v;
}

}  // namespace ampacity::api
