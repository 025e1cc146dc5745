#include <algorithm>
#include <bit>

#include "api/views.h"
#include "api/when.h"
#include "base/currency.h"
#include "core/grant.h"

namespace ampacity::api {
namespace {

WindowState state_of(const core::Window& w, Instant now) {
  return w.from <= now ? WindowState::now : WindowState::upcoming;
}

template <typename Text>
QuotaLine line(std::string what, std::int64_t limit, std::int64_t used, std::int64_t committed,
               const Text& text) {
  QuotaLine l{std::move(what), {}, text(used), text(committed), {}};
  if (limit < 0) return l;
  l.limit = text(limit);
  l.left = text(std::max<std::int64_t>(0, limit - used - committed));
  return l;
}

std::string gpus_text(std::int64_t milli) { return format_decimal(milli, 1000); }
std::string hours_text(std::int64_t milli_s) {
  return format_decimal(milli_s, milli_s_per_gpu_hour);
}

// Of what is had at once: each limited kind, and each that is used.
void add_gpus(const core::World& w, const core::Quota& quota, const core::Alive& alive,
              QuotaView& v) {
  const auto limit_of = [&](core::SkuIx sku) -> std::int64_t {
    for (const core::GpuLimit& l : quota.gpus)
      if (l.sku == sku) return l.gpu_milli;
    return -1;
  };
  std::int64_t all = 0;
  for (const std::int64_t milli : alive.gpu_milli) all += milli;
  v.lines.push_back(line("gpus", limit_of(core::nobody), all, 0, gpus_text));
  for (core::SkuIx s = 0; s < w.state().skus.size(); ++s) {
    const std::int64_t milli = s < alive.gpu_milli.size() ? alive.gpu_milli[s] : 0;
    const std::int64_t limit = limit_of(s);
    if (limit >= 0 || milli > 0)
      v.lines.push_back(line(w.state().skus[s].name + " gpus", limit, milli, 0, gpus_text));
  }
}

QuotaView quota_of(const core::World& w, core::OrgIx org, const core::Quota& quota,
                   const core::Used& used, const core::Alive& alive, Instant now) {
  QuotaView v;
  add_gpus(w, quota, alive, v);
  if (quota.window_s == 0) return v;
  v.window_s = quota.window_s;
  v.window_from = core::window_start(quota, now);
  v.window_until = *v.window_from + base::Duration::seconds(quota.window_s);
  const bool current = used.window == *v.window_from;
  v.lines.push_back(line("gpu_hours", quota.gpu_milli_s, current ? used.gpu_milli_s : 0,
                         alive.gpu_milli_s, hours_text));
  const base::Currency& currency = *base::find_currency(w.state().orgs[org].billing.currency);
  const auto money_text = [&](std::int64_t ticks) {  // to the cent
    return base::format_minor(base::divide_half_up(ticks, base::ticks_per_minor(currency)),
                              currency);
  };
  std::string spend = "spend_";
  for (const char c : currency.code) spend += static_cast<char>(c - 'A' + 'a');
  v.lines.push_back(line(spend, quota.spend, current ? used.spend : 0, alive.spend, money_text));
  return v;
}

}  // namespace

ReservationView view_reservation(const core::World& w, const core::Window& window, Instant now) {
  ReservationView v;
  v.id = base::format_id("rsv", window.id);
  v.name = window.name;
  v.project = w.state().projects[window.project].name;
  v.sku = w.state().skus[window.sku].name;
  v.gpus = window.gpus;
  v.state = state_of(window, now);
  v.from = window.from;
  v.until = window.until;
  v.release_unused = window.release_unused;
  for (const core::Place& p : window.places) {
    v.gpus_kept += static_cast<std::uint32_t>(std::popcount(p.gpu_mask));
    v.nodes.push_back(w.state().nodes[p.node].name);
    for (const core::Slot slot : w.use[p.node].leases) {
      const core::Job& job = w.state().jobs[slot];
      if (job.demand.reservation != window.id) continue;
      for (const core::Place& q : job.lease->places)
        if (q.node == p.node) v.gpus_used += static_cast<std::uint32_t>(std::popcount(q.gpu_mask));
    }
  }
  return v;
}

MaintenanceView view_maintenance(const core::World& w, const core::Window& window, Instant now) {
  MaintenanceView v;
  v.id = base::format_id("win", window.id);
  v.name = window.name;
  v.state = state_of(window, now);
  v.from = window.from;
  if (!is_drain(window)) v.until = window.until;
  std::vector<core::Slot> jobs;
  for (const core::Place& p : window.places) {
    v.nodes.push_back(w.state().nodes[p.node].name);
    jobs.insert(jobs.end(), w.use[p.node].leases.begin(), w.use[p.node].leases.end());
  }
  std::sort(jobs.begin(), jobs.end());
  v.jobs = static_cast<std::uint32_t>(std::unique(jobs.begin(), jobs.end()) - jobs.begin());
  return v;
}

QuotaView view_project_quota(const core::World& w, core::ProjectIx ix, Instant now) {
  const core::Project& p = w.state().projects[ix];
  QuotaView v = quota_of(w, p.org, p.quota, p.used, w.alive_of_project[ix], now);
  v.project = p.name;
  return v;
}

QuotaView view_org_quota(const core::World& w, core::OrgIx ix, Instant now) {
  const core::Org& o = w.state().orgs[ix];
  QuotaView v = quota_of(w, ix, o.quota, o.used, w.alive_of_org[ix], now);
  v.org = o.name;
  return v;
}

PolicyView view_policy(const core::Policy& p) {
  return {p.order,          p.promises_per_class, p.spot_promises, p.half_life_s,
          p.quantum_s,      p.spot_grace_s,       p.house_grace_s, p.restart_cost_s,
          p.site_unknown_s, p.site_lease_s,       p.site_grace_s};
}

}  // namespace ampacity::api
