#include <algorithm>

#include "core/decide.h"
#include "core/meter.h"
#include "core/place.h"
#include "core/settle.h"

namespace ampacity::core {
namespace {

using base::Code;
using base::Refusal;

std::string known_skus(const World& world, bool gpus) {
  std::string names;
  for (const Sku& s : world.state().skus)
    if ((s.name != "cpu") == gpus) names += (names.empty() ? "" : ", ") + s.name;
  return names.empty() ? "none" : names;
}

// Names to SKUs; refuses names nobody has.
base::Result<std::vector<SkuIx>> resolve(const World& world,
                                         const std::optional<GpuRequest>& gpus) {
  std::vector<SkuIx> skus;
  if (!gpus) {
    const auto cpu = world.sku("cpu");
    if (!cpu) return base::refuse(Code::never_fits, "no machine here rents CPUs without GPUs");
    return std::vector<SkuIx>{*cpu};
  }
  for (const std::string& name : gpus->skus) {
    const auto sku = world.sku(name);
    if (!sku || name == "cpu")
      return base::refuse_field("resources.gpus", "there is no GPU '" + name + "' here; there is " +
                                                      known_skus(world, true));
    skus.push_back(*sku);
  }
  for (SkuIx s = 0; gpus->skus.empty() && s < world.state().skus.size(); ++s)
    if (const Sku& k = world.state().skus[s];
        k.name != "cpu" && k.gpu_memory_mib >= gpus->least_memory_mib)
      skus.push_back(s);
  if (skus.empty())
    return base::refuse(Code::never_fits,
                        "no GPU here has that much memory; there is " + known_skus(world, true));
  return skus;
}

// What the cheapest of the demand's SKUs would hold at the start.
std::optional<Ticks> cheapest_hold(const World& world, const Job& job, const PriceBook& book) {
  std::optional<Ticks> least;
  for (const SkuIx s : job.demand.skus) {
    std::int64_t cpu = 0, memory = 0;
    fill_defaults(world.state().skus[s], job.demand, cpu, memory);
    const auto rates = rates_for(book, world.state().skus[s], job.job_class, job.demand.nodes,
                                 job.demand.gpus_per_node, cpu, memory);
    if (!rates) continue;
    const Ticks hold = cost_between(*rates, 0, first_hold_s(job.time_limit_s, job.grace_s));
    if (!least || hold < *least) least = hold;
  }
  return least;
}

std::unexpected<Refusal> too_little_credit(const World& world, const Job& job, Ticks hold,
                                           Ticks have) {
  Refusal r{Code::insufficient_credit, {}, {}, {}, {}};
  r.message = "project " + world.state().projects[job.project].name + " has " +
              base::format_usd(have) + " USD of credit and this needs " + base::format_usd(hold) +
              " USD held at the start; ask the operator for `ampacity credit add`";
  r.missing.push_back({"credit_ticks", hold, have});
  return std::unexpected(std::move(r));
}

std::unexpected<Refusal> never(std::vector<base::Missing> missing) {
  Refusal r{Code::never_fits,
            "no node here could ever run this: ask for less, or for another GPU",
            {},
            std::move(missing),
            {}};
  return std::unexpected(std::move(r));
}

// Facts that give a waiting job its lease, or none: no room, or not enough credit.
enum class GrantAnswer { granted, no_room, no_credit };
GrantAnswer grant(const World& world, const Job& job, Instant now, std::vector<FactBody>& facts) {
  const PriceBook* book = world.prices_at(now);
  auto placement = place(world, job.demand, *book, job.job_class);
  if (!placement) return GrantAnswer::no_room;
  const Sku& sku = world.state().skus[placement->sku];
  const Project& project = world.state().projects[job.project];
  LeaseGranted g{job.id, job.generation + 1, {}, {}};
  Lease& lease = g.lease;
  lease.granted_at = now;
  lease.sku = placement->sku;
  lease.cpu_milli = placement->cpu_milli;
  lease.memory_mib = placement->memory_mib;
  lease.rates = *rates_for(*book, sku, job.job_class, job.demand.nodes, job.demand.gpus_per_node,
                           lease.cpu_milli, lease.memory_mib);
  lease.places = std::move(placement->places);
  lease.ranks.resize(lease.places.size());
  lease.paid_s = first_hold_s(job.time_limit_s, job.grace_s);
  const Ticks hold = cost_between(lease.rates, 0, lease.paid_s);
  const Ticks credit = available(world.state().accounts[project.wallet]);
  if (hold > credit) return GrantAnswer::no_credit;
  if (hold > 0) {
    Drafter drafter(world);
    g.transfers.push_back(drafter.make(TransferKind::pending, TransferReason::hold, project.wallet,
                                       sku.revenue, hold));
    lease.pending_id = g.transfers.back().id;
  }
  const Ticks burn = world.burn[job.project] + burn_rate(lease.rates);
  facts.push_back(std::move(g));
  if (auto low = credit_warning(world, job.project, credit - hold, burn, now))
    facts.push_back(std::move(*low));
  return GrantAnswer::granted;
}

}  // namespace

Decision decide_submit(const World& world, const SubmitJob& c, Instant now) {
  if (c.job.job_class == JobClass::reserved)
    return base::refuse_field("job_class",
                              "reserved needs a reservation; there are none yet: use "
                              "on_demand or spot");
  if (c.job.job_class == JobClass::house && !c.by_owner)
    return base::refuse(Code::forbidden, "class house is the operator's own");
  auto skus = resolve(world, c.gpus);
  if (!skus) return std::unexpected(std::move(skus.error()));

  JobSubmitted submitted{c.job};
  Job& job = submitted.job;
  job.demand = {std::move(*skus), c.gpus ? c.gpus->nodes : 1, c.gpus ? c.gpus->gpus_per_node : 0,
                c.cpu_milli, c.memory_mib};
  const PriceBook* book = world.prices_at(now);
  const auto hold = book ? cheapest_hold(world, job, *book) : std::nullopt;
  if (!hold)
    return base::refuse_field("resources.gpus", "the price book has no price for this GPU");
  if (world.live_jobs >= most_live_jobs || world.queue.size() >= most_queued_jobs)
    return base::refuse(Code::queue_full, "the queue is full; try again later");
  if (world.queued_of_project[job.project] >= most_queued_jobs_of_project)
    return base::refuse(Code::queue_full, "the project has " +
                                              std::to_string(most_queued_jobs_of_project) +
                                              " jobs waiting, the most it may; try again later");

  job.submitted_at = now;
  job.queue_order = world.state().next_queue_order;
  std::vector<FactBody> facts;
  facts.reserve(3);
  facts.emplace_back();
  // Nobody may pass those who wait for the same SKUs.
  const bool first = std::all_of(job.demand.skus.begin(), job.demand.skus.end(),
                                 [&](SkuIx s) { return world.waiting_for_sku[s] == 0; });
  if (!first || grant(world, job, now, facts) != GrantAnswer::granted) {
    if (auto missing = never_fits(world, job.demand); !missing.empty())
      return never(std::move(missing));
    const Ticks have =
        available(world.state().accounts[world.state().projects[job.project].wallet]);
    if (*hold > have) return too_little_credit(world, job, *hold, have);
  }
  facts.front() = std::move(submitted);
  return facts;
}

// First come, first served per SKU: a job that finds no room holds back those behind it that want
// the same; one that only lacks credit does not.
Decision decide_advance(const World& world, Instant now) {
  std::vector<FactBody> facts;
  std::vector<bool> held_back(world.state().skus.size(), false);
  auto open = std::count_if(world.waiting_for_sku.begin(), world.waiting_for_sku.end(),
                            [](std::uint32_t waiting) { return waiting > 0; });
  for (const auto& [order, slot] : world.queue) {
    if (open == 0) break;
    const Job& job = world.state().jobs[slot];
    const auto& skus = job.demand.skus;
    if (std::any_of(skus.begin(), skus.end(), [&](SkuIx s) { return held_back[s]; })) continue;
    const auto hold = cheapest_hold(world, job, *world.prices_at(now));
    const AccountIx wallet = world.state().projects[job.project].wallet;
    if (!hold || *hold > available(world.state().accounts[wallet])) continue;  // before placing it
    const GrantAnswer answer = grant(world, job, now, facts);
    if (answer == GrantAnswer::granted) break;
    if (answer == GrantAnswer::no_credit) continue;
    for (const SkuIx s : skus) {
      open -= !held_back[s] && world.waiting_for_sku[s] > 0;
      held_back[s] = true;
    }
  }
  return facts;
}

Decision decide_stop(const World& world, const StopJob& c) {
  const Job* job = world.job(c.job);
  if (!job) return base::refuse(Code::conflict, "the job has ended already");
  if (job->state == JobState::stopping) return std::vector<FactBody>{};
  if (job->state == JobState::queued)
    return std::vector<FactBody>{JobEnded{c.job, Outcome::cancelled, c.why}};
  return std::vector<FactBody>{StopOrdered{c.job, c.reason, c.why}};
}

Decision decide_tick(const World& world, Instant now) {
  std::vector<FactBody> facts;
  LeasesSettled settled;
  Drafter drafter(world);
  std::map<ProjectIx, Ticks> credit;  // left after what this tick has held
  for (const auto& [due, order] : world.deadlines) {
    if (due > now) break;
    const Job& job = world.state().jobs[world.leased.at(order)];
    const Lease& lease = *job.lease;
    if (lease.started_at.us == 0) {
      facts.push_back(
          StopOrdered{job.id, StopReason::start_timeout, "it did not start within 30 minutes"});
      continue;
    }
    if (job.time_limit_s && now >= lease.started_at + Duration::seconds(job.time_limit_s)) {
      facts.push_back(StopOrdered{job.id, StopReason::time_limit, "its time limit was reached"});
      continue;
    }
    const AccountIx wallet = world.state().projects[job.project].wallet;
    const auto left =
        credit.try_emplace(job.project, available(world.state().accounts[wallet])).first;
    Settlement s;
    if (!settle(drafter, world, job, now, left->second, s)) {
      facts.push_back(StopOrdered{job.id, StopReason::credit, "the project's credit ran out"});
      continue;
    }
    left->second += cost_between(lease.rates, s.posted_s, lease.paid_s) -
                    cost_between(lease.rates, s.posted_s, s.paid_s);
    settled.entries.push_back(std::move(s));
  }
  if (!settled.entries.empty()) facts.insert(facts.begin(), std::move(settled));
  for (const auto& [project, left] : credit)
    if (auto low = credit_warning(world, project, left, world.burn[project], now))
      facts.push_back(std::move(*low));
  return facts;
}

}  // namespace ampacity::core
