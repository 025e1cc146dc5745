#include <fmt/core.h>

#include <algorithm>

#include "api/views.h"
#include "core/desire.h"
#include "core/meter.h"
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
  } else if (const auto* book = w.prices_at(now)) {
    const core::Sku& sku = w.state().skus[job.demand.skus[0]];
    if (const auto rates = core::rates_for(*book, sku, job.job_class, job.demand.nodes,
                                           job.demand.gpus_per_node, v.cpu_milli, v.memory_mib))
      v.price_usd_per_hour = hourly(*rates);
  }
  v.cost_usd = base::format_usd(v.cost_ticks, 6);
}

}  // namespace

core::Interval interval_so_far(const core::Job& job, Instant now) {
  core::Interval i;
  const core::Lease& lease = *job.lease;
  i.generation = job.generation;
  i.sku = lease.sku;
  i.rates = lease.rates;
  if (lease.started_at.us == 0) return i;
  i.started_at = lease.started_at;
  i.ended_at = std::max(now, lease.started_at);
  const std::int64_t observed = (i.ended_at - i.started_at).seconds_rounded_up();
  i.billed_s = lease.pending_id ? std::min(observed, lease.paid_s) : observed;
  i.waived_s = observed - i.billed_s;
  i.amounts = core::amounts_at(i.rates, i.billed_s);
  return i;
}

constexpr std::uint64_t most_counted = 1000;  // of those ahead in the queue

std::string why_waiting(const core::World& w, const core::Job& job, Instant now) {
  const core::PriceBook* book = w.prices_at(now);
  std::uint64_t ahead = 0;
  for (const auto& [order, slot] : w.queue) {
    if (order >= job.queue_order || ahead == most_counted) break;
    const auto& theirs = w.state().jobs[slot].demand.skus;
    ahead += std::any_of(theirs.begin(), theirs.end(), [&](core::SkuIx s) {
      return std::find(job.demand.skus.begin(), job.demand.skus.end(), s) != job.demand.skus.end();
    });
  }
  const std::string sku = demand_text(w, job);
  if (ahead > 0)
    return fmt::format("{}{} job(s) that want {} came first", ahead,
                       ahead == most_counted ? " or more" : "", sku);
  std::uint32_t free = 0;
  for (core::NodeIx n = 0; n < w.state().nodes.size(); ++n) {
    const core::Node& node = w.state().nodes[n];
    const bool wanted = std::find(job.demand.skus.begin(), job.demand.skus.end(), node.sku) !=
                        job.demand.skus.end();
    if (node.state == core::NodeState::active && wanted) free += w.free_gpus(n);
  }
  const core::Ticks have =
      core::available(w.state().accounts[w.state().projects[job.project].wallet]);
  if (book && job.demand.gpus_per_node == 0)
    return "no machine has that much CPU and memory free now; it is next";
  const std::uint32_t wanted = job.demand.nodes * job.demand.gpus_per_node;
  if (free >= wanted && have < base::ticks_per_usd)
    return "the project has too little credit to start it";
  return fmt::format("{} GPU(s) on {} node(s) of {} are wanted together, {} are free; it is next",
                     wanted, job.demand.nodes, sku, free);
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
  if (!job.why.empty())
    v.why = job.why;
  else if (job.state == core::JobState::queued)
    v.why = why_waiting(w, job, now);
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
    const core::Sku& s = w.state().skus[sku];
    const std::int64_t gpus = std::max<std::int64_t>(1, job.demand.gpus_per_node);
    v.cpu_milli = job.demand.cpu_milli ? job.demand.cpu_milli : s.cpu_milli_per_gpu * gpus;
    v.memory_mib = job.demand.memory_mib ? job.demand.memory_mib : s.memory_mib_per_gpu * gpus;
  }
  add_money(w, job, now, v);
  return v;
}

}  // namespace ampacity::api
