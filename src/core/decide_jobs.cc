#include <algorithm>
#include <bit>
#include <set>

#include "base/chaos.h"
#include "core/decide.h"
#include "core/grant.h"
#include "core/meter.h"
#include "core/order.h"
#include "core/reprice.h"
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

std::unexpected<Refusal> too_little_credit(const World& world, const Job& job, Ticks hold,
                                           Ticks have) {
  Refusal r{Code::insufficient_credit, {}, {}, {}, {}};
  r.message = "project " + world.state().projects[job.project].name + " has " +
              money_text(world.state(), job.project, have) + " of credit and this needs " +
              money_text(world.state(), job.project, hold) +
              " held at the start; ask the operator for `ampacity credit add`";
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

base::Result<void> check_class(const World& world, const SubmitJob& c) {
  if (c.reservation.is_nil()) {
    if (c.job.job_class == JobClass::reserved)
      return base::refuse_field("job_class",
                                "reserved needs a reservation; `ampacity reserve` makes one");
  } else {
    const Window* w = world.window(c.reservation);
    if (!w || w->kind != WindowKind::reservation || w->project != c.job.project)
      return base::refuse_field("reservation", "the project has no such reservation now");
    if (c.job.job_class != JobClass::reserved)
      return base::refuse_field("job_class", "work inside a reservation is of class reserved");
    std::int64_t cards = 0;
    for (const Place& p : w->places) cards += std::popcount(p.gpu_mask);
    if (const std::int64_t want = c.gpus ? std::int64_t{c.gpus->nodes} * c.gpus->gpus_per_node : 0;
        want > cards) {
      Refusal r{Code::never_fits, "the reservation is smaller than that", {}, {}, {}};
      r.missing.push_back({"gpus", want, cards});
      return std::unexpected(std::move(r));
    }
  }
  if (c.job.job_class == JobClass::house && !c.by_owner)
    return base::refuse(Code::forbidden, "class house is the operator's own");
  const bool one_card = c.gpus && c.gpus->gpus_per_node == 1 && c.gpus->nodes == 1;
  if ((c.gpu_milli != 1000 || c.mig) && !one_card)
    return base::refuse_field("resources.gpus", "a share or a slice is of one GPU on one node");
  return {};
}

// No price, or none low enough.
std::unexpected<Refusal> no_tier(const World& world, const Job& job, Instant now) {
  Job any = job;
  any.demand.most_price = 0;
  if (job.demand.most_price && !tiers_of(world, any, now).empty())
    return base::refuse_field("max_price",
                              "no GPU of those costs so little now; see `ampacity "
                              "offers`");
  return base::refuse_field("resources.gpus", "the price book has no price for this GPU");
}

base::Result<void> check_bounds(const World& world, const Job& job) {
  if (world.live_jobs >= most_live_jobs || world.queue.size() >= most_queued_jobs)
    return base::refuse(Code::queue_full, "the queue is full; try again later");
  if (world.queued_of_project[job.project] >= most_queued_jobs_of_project)
    return base::refuse(Code::queue_full, "the project has " +
                                              std::to_string(most_queued_jobs_of_project) +
                                              " jobs waiting, the most it may; try again later");
  return {};
}

// Several things may be due for one job at once: the first of them says what becomes of it.
void keep_first_stops(std::vector<FactBody>& facts) {
  std::set<Id> told;
  std::erase_if(facts, [&](const FactBody& f) {
    const auto* stop = std::get_if<StopOrdered>(&f);
    return stop && !told.insert(stop->job).second;
  });
}

}  // namespace

base::Result<std::vector<SiteIx>> sites_of(const World& world,
                                           const std::vector<std::string>& named,
                                           const char* field) {
  std::vector<SiteIx> sites;
  std::string known;
  for (const Site& site : world.state().sites)
    if (!site.removed) known += (known.empty() ? "" : ", ") + site.name;
  for (const std::string& name : named) {
    const std::size_t before = sites.size();
    for (SiteIx s = 0; s < world.state().sites.size(); ++s)
      if (const Site& site = world.state().sites[s];
          !site.removed && (site.name == name || site.region == name))
        sites.push_back(s);
    if (sites.size() == before)
      return base::refuse_field(
          field, "there is no site or region '" + name + "' here; there is " + known);
  }
  std::sort(sites.begin(), sites.end());
  sites.erase(std::unique(sites.begin(), sites.end()), sites.end());
  return sites;
}

base::Result<Job> drafted(const World& world, const SubmitJob& c, Instant now) {
  if (auto ok = check_class(world, c); !ok) return std::unexpected(std::move(ok.error()));
  auto skus = resolve(world, c.gpus);
  if (!skus) return std::unexpected(std::move(skus.error()));
  auto sites = sites_of(world, c.places, "placement.sites");
  if (!sites) return std::unexpected(std::move(sites.error()));
  Job job = c.job;
  Demand& d = job.demand;
  d = {};
  d.skus = std::move(*skus);
  d.nodes = c.gpus ? c.gpus->nodes : 1;
  d.gpus_per_node = c.gpus ? c.gpus->gpus_per_node : 0;
  d.cpu_milli = c.cpu_milli;
  d.memory_mib = c.memory_mib;
  d.gpu_milli = c.gpu_milli;
  d.mig = c.mig;
  d.sites = std::move(*sites);
  d.together = c.together;
  d.apart = c.apart;
  d.most_price = c.most_price;
  d.reservation = c.reservation;
  job.submitted_at = now;
  job.queue_order = world.state().next_queue_order;
  if (auto ok = check_sites(world, job); !ok) return std::unexpected(std::move(ok.error()));
  return job;
}

Decision decide_submit(const World& world, const SubmitJob& c, Instant now) {
  auto draft = drafted(world, c, now);
  if (!draft) return std::unexpected(std::move(draft.error()));
  JobSubmitted submitted{std::move(*draft)};
  Job& job = submitted.job;
  if (!world.prices_at(now)) return base::refuse(Code::unavailable, "there is no price book yet");
  const auto tiers = tiers_of(world, job, now);
  if (tiers.empty()) return no_tier(world, job, now);
  if (auto ok = check_bounds(world, job); !ok) return std::unexpected(std::move(ok.error()));
  commit_most(world, job, tiers, now);
  if (auto over = over_quota(world, job, now)) return std::unexpected(std::move(*over));
  if (job.start_by.us && job.start_by <= now)
    return base::refuse_field("start_by", "has passed already");

  std::vector<FactBody> facts;
  facts.reserve(3);
  facts.emplace_back();
  // Those who wait found no room, and room has not grown since: whoever finds some may have it.
  const Policy& policy = world.state().policy;
  const bool in_turn = (policy.order != Order::fifo || world.queue.empty()) &&
                       (job.job_class != JobClass::house || house_pays(policy));
  std::optional<Placement> placement;
  const auto can_pay = affordable(world, job, tiers, now);
  if (in_turn && !can_pay.empty()) placement = place(world, seeker_of(world, job, now), can_pay);
  if (!placement || !grant(world, job, *placement, now, facts)) {
    if (auto missing = never_fits(world, job); !missing.empty()) return never(std::move(missing));
    const Ticks hold = *cheapest_hold(world, job, tiers, now);
    const Ticks have =
        available(world.state().accounts[world.state().projects[job.project].wallet]);
    if (hold > have) return too_little_credit(world, job, hold, have);
    if (auto over = over_budget(world, job, tiers, now)) return std::unexpected(std::move(*over));
  }
  facts.front() = std::move(submitted);
  return facts;
}

Decision decide_stop(const World& world, const StopJob& c) {
  const Job* job = world.job(c.job);
  if (!job) return base::refuse(Code::conflict, "the job has ended already");
  if (job->state == JobState::stopping) return std::vector<FactBody>{};
  if (job->state == JobState::queued)
    return std::vector<FactBody>{JobEnded{c.job, Outcome::cancelled, c.why}};
  if (base::planted("freed-before-stopped"))  // the cards are given away while it still runs
    return std::vector<FactBody>{close_of(world, *job, job->lease->ranks, c.why, false)};
  return std::vector<FactBody>{StopOrdered{c.job, c.reason, c.why}};
}

Decision decide_tick(const World& world, Instant now) {
  if (auto repriced = reprice_spot(world, now)) return std::move(*repriced);  // the rest: next time
  if (auto lost = give_up_lost(world, now); !lost.empty()) return lost;       // likewise
  std::vector<FactBody> facts;
  LeasesSettled settled;
  Drafter drafter(world);
  std::map<ProjectIx, Ticks> credit;  // left after what this tick has held
  BudgetRoom budgets(world, now);
  if (world.budgets.next_until.us && now >= world.budgets.next_until)
    facts.push_back(BudgetsTurned{});
  for (const auto& [due, order] : world.deadlines) {
    if (due > now || base::planted("deadlines-missed")) break;
    if (const auto waiting = world.queue.find(order); waiting != world.queue.end()) {
      facts.push_back(JobEnded{world.state().jobs[waiting->second].id, Outcome::expired,
                               "it could not start before its start-by"});
      continue;
    }
    const Job& job = world.state().jobs[world.leased.at(order)];
    const Lease& lease = *job.lease;
    if (lease.started_at.us == 0) {
      facts.push_back(
          StopOrdered{job.id, StopReason::start_timeout, "it did not start within 30 minutes"});
      continue;
    }
    if (now >= lease.granted_at + start_timeout && !all_were_seen(lease)) {
      facts.push_back(StopOrdered{job.id, StopReason::start_timeout,
                                  "not all of it started within 30 minutes"});
      continue;
    }
    if (job.time_limit_s && now >= lease.started_at + Duration::seconds(job.time_limit_s)) {
      facts.push_back(StopOrdered{job.id, StopReason::time_limit, "its time limit was reached"});
      continue;
    }
    if (const Window* w = world.window(job.demand.reservation);
        w && now >= w->until - Duration::seconds(job.grace_s)) {
      facts.push_back(StopOrdered{job.id, StopReason::time_limit, "its reservation ends"});
      continue;
    }
    const AccountIx wallet = world.state().projects[job.project].wallet;
    const auto left =
        credit.try_emplace(job.project, available(world.state().accounts[wallet])).first;
    Settlement s;
    const std::int64_t quantum_s = first_hold_s(world.state().policy, 0, job.grace_s);
    const std::int64_t most_s = budgets.seconds(job, lease, used_seconds(lease, now), quantum_s);
    if (!settle(drafter, world, job, now, left->second, most_s, s)) {
      const bool by_budget = used_seconds(lease, now) + most_s <= lease.paid_s;
      facts.push_back(
          by_budget ? StopOrdered{job.id, StopReason::over_budget, "its budget is used up"}
                    : StopOrdered{job.id, StopReason::credit, "the project's credit ran out"});
      continue;
    }
    budgets.held(job, lease, s.paid_s);
    left->second +=
        cost_between(lease, s.posted_s, lease.paid_s) - cost_between(lease, s.posted_s, s.paid_s);
    settled.entries.push_back(std::move(s));
  }
  if (!settled.entries.empty()) facts.insert(facts.begin(), std::move(settled));
  if (auto expired = expired_reserves(world, drafter, now)) facts.push_back(std::move(*expired));
  for (const auto& [project, left] : credit)
    if (auto low = credit_warning(world, project, left, world.burn[project], now))
      facts.push_back(std::move(*low));
  if (!house_pays(world.state().policy))
    for (const auto& [order, slot] : world.running[static_cast<std::size_t>(JobClass::house)])
      if (const Job& job = world.state().jobs[slot];
          job.state != JobState::stopping && job.lease->started_at.us)
        facts.push_back(StopOrdered{job.id, StopReason::uneconomic, "it does not pay now"});
  tick_windows(world, now, facts);
  keep_first_stops(facts);
  return facts;
}

}  // namespace ampacity::core
