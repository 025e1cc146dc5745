#include <fmt/core.h>

#include <algorithm>

#include "api/views.h"
#include "api/when.h"
#include "core/desire.h"
#include "core/meter.h"
#include "core/place.h"
#include "core/price_book.h"
#include "core/settle.h"

namespace ampacity::api {
namespace {

std::string demand_text(const core::World& w, const core::Job& job) {
  std::string names;
  for (const core::SkuIx s : job.demand.skus)
    names += (names.empty() ? "" : "|") + w.state().skus[s].name;
  return names;
}

void add_ranks(const core::World& w, const std::vector<core::Place>& places,
               const std::vector<core::Rank>& ranks, JobView& v) {
  for (std::uint32_t i = 0; i < places.size(); ++i) {
    const core::Node& node = w.state().nodes[places[i].node];
    RankView r{i, node.name, {}, ranks[i].state, {}};
    for (std::size_t g = 0; g < node.gpus.size(); ++g)
      if (places[i].gpu_mask >> g & 1) r.gpus.push_back(node.gpus[g]);
    if (r.state == core::RankState::ended) r.exit_code = ranks[i].exit_code;
    v.ranks.push_back(std::move(r));
  }
}

// ticks per hour of rates, exact or rounded half-up to the tick
std::string hourly(const core::Rates& rates) {
  std::string usd = base::format_usd(core::amounts_at(rates, 3600).total(), 6);
  while (usd.ends_with('0') && usd[usd.size() - 3] != '.') usd.pop_back();
  return usd;
}

void add_money(const core::World& w, const core::Job& job, Instant now, JobView& v) {
  for (const core::Interval& i : job.intervals) {
    v.billed_s += i.billed_s;
    v.cost_ticks += i.amounts.total();
  }
  if (job.lease) {
    const core::Interval i =
        core::JobState::ended == job.state ? core::Interval{} : interval_so_far(job, now);
    v.billed_s += i.billed_s;
    v.cost_ticks += i.amounts.total();
    v.price_usd_per_hour = hourly(job.lease->rates);
    if (job.lease->started_at.us && job.lease->pending_id)
      v.paid_until = job.lease->started_at + base::Duration::seconds(job.lease->paid_s);
  } else if (!job.intervals.empty()) {
    v.price_usd_per_hour = hourly(job.intervals.back().rates);
  } else if (const auto rates = core::rates_for(w.state(), job, job.demand.skus[0], core::nobody,
                                                v.cpu_milli, v.memory_mib, now)) {
    v.price_usd_per_hour = hourly(*rates);
  }
  v.cost_usd = base::format_usd(v.cost_ticks, 6);
  v.currency = currency_of(w, job.project);
}

std::string reservation_name(const core::World& w, core::Id id) {
  const core::Window* window = w.window(id);
  return window ? window->name : base::format_id("rsv", id);
}

// What it asked for beside its hardware, and what it was told about its start.
void add_wishes(const core::World& w, const core::Job& job, JobView& v) {
  const core::Demand& d = job.demand;
  if (d.mig)
    v.mig = std::to_string(d.mig) + "/8";
  else if (d.gpus_per_node && d.gpu_milli != 1000)
    v.gpu_share = format_decimal(d.gpu_milli, 1000);
  if (!d.sites.empty() || d.together != core::Together::any || !d.apart.empty()) {
    Placement& p = v.placement.emplace();
    for (const core::SiteIx s : d.sites) p.sites.push_back(w.state().sites[s].name);
    if (d.together != core::Together::any) p.together = d.together;
    if (!d.apart.empty()) p.apart = d.apart;
  }
  if (d.most_price) v.max_price_usd = base::format_hourly_price(d.most_price);
  if (job.start_by.us) v.start_by = job.start_by;
  if (job.expected_run_s) v.expected_run_s = job.expected_run_s;
  if (!d.reservation.is_nil()) v.reservation = reservation_name(w, d.reservation);
  if (const auto& p = job.promise) v.promise = PromiseView{p->made_at, p->start_by, p->certain};
  if (job.claim) v.claimed_at = job.claim->made_at;
  if (job.lease && job.lease->checkpoint_at.us) v.checkpoint_at = job.lease->checkpoint_at;
  v.preemptions = job.preemptions;
}

}  // namespace

core::Interval interval_so_far(const core::Job& job, Instant now) {
  core::Interval i;
  const core::Lease& lease = *job.lease;
  i.generation = job.generation;
  i.sku = lease.sku;
  i.rates = lease.rates;
  i.steps = lease.steps;
  if (lease.started_at.us == 0) return i;
  i.started_at = lease.started_at;
  i.ended_at = std::max(now, lease.started_at);
  const std::int64_t observed = (i.ended_at - i.started_at).seconds_rounded_up();
  i.billed_s = lease.pending_id ? std::min(observed, lease.paid_s) : observed;
  i.waived_s = observed - i.billed_s;
  i.amounts = core::amounts_at(i.steps, i.rates, i.billed_s);
  i.places = lease.places;
  i.started_sequence = lease.started_sequence;
  core::trim_steps(i);
  return i;
}

JobView view_job(const core::World& w, const core::Job& job, Instant now) {
  JobView v;
  v.id = core::job_name(job.id);
  v.name = job.name;
  v.project = w.state().projects[job.project].name;
  v.user = job.user == core::nobody ? "owner" : w.state().users[job.user].name;
  v.state = job.state;
  if (job.state == core::JobState::ended) {
    v.outcome = job.outcome;
    v.exit_code = job.exit_code;
    v.ended_at = job.ended_at;
  }
  if (!job.why.empty()) v.why = job.why;
  if (job.state == core::JobState::queued)
    v.why = (v.why ? *v.why + "; " : "") + why_waiting(w, job, now);
  v.generation = job.generation;
  v.job_class = job.job_class;
  v.image = job.spec.image;
  v.command = job.spec.command;
  for (const auto& m : job.spec.volumes) v.volumes.push_back(m.volume + ":" + m.path);
  v.nodes = job.demand.nodes;
  v.gpus_per_node = job.demand.gpus_per_node;
  v.submitted_at = job.submitted_at;
  if (job.time_limit_s) v.time_limit_s = job.time_limit_s;
  v.retries_left = job.retries_left;

  core::SkuIx sku = job.demand.skus[0];
  v.sku = demand_text(w, job);
  if (job.lease || !job.intervals.empty()) {
    sku = job.lease ? job.lease->sku : job.intervals.back().sku;
    v.sku = w.state().skus[sku].name;
  }
  v.emulated = w.state().skus[sku].emulated;
  if (job.lease) {
    v.cpu_milli = job.lease->cpu_milli;
    v.memory_mib = job.lease->memory_mib;
    if (job.lease->started_at.us) v.started_at = job.lease->started_at;
    add_ranks(w, job.lease->places, job.lease->ranks, v);
  } else if (!job.intervals.empty()) {
    const core::Interval& i = job.intervals.back();
    v.cpu_milli = i.rates.cpu_milli / job.demand.nodes;
    v.memory_mib = i.rates.memory_mib / job.demand.nodes;
    if (i.ended_at > i.started_at) v.started_at = i.started_at;  // else it never ran
    if (job.state == core::JobState::ended) add_ranks(w, i.places, i.ranks, v);
  } else {
    core::fill_defaults(w.state().skus[sku], job.demand, v.cpu_milli, v.memory_mib);
  }
  if (job.lease) v.site = w.state().sites[w.site_of(*job.lease)].name;
  if (job.if_site_lost != core::IfSiteLost::wait) v.if_site_lost = job.if_site_lost;
  if (const std::string lost = lost_site(w, job, now); !lost.empty())
    v.why = (v.why ? *v.why + "; " : "") + lost;
  add_wishes(w, job, v);
  add_money(w, job, now, v);
  return v;
}

}  // namespace ampacity::api
