#include "core/grant.h"

#include <algorithm>

#include "base/chaos.h"
#include "core/meter.h"
#include "core/price_book.h"
#include "core/settle.h"

namespace ampacity::core {
namespace {

using base::Code;

Rates rates_of(const World& world, const Job& job, const Placement& p, Instant now) {
  // Where it stands; before it does, by the dearest site that can serve it.
  const SiteIx site = p.places.empty() ? nobody : world.state().nodes[p.places[0].node].site;
  return *rates_for(world.state(), job, p.sku, site, p.cpu_milli, p.memory_mib, now);
}

Rates rates_of_tier(const World& world, const Job& job, const Tier& t, Instant now) {
  const SiteIx site = t.sites.empty() ? nobody : t.sites[0];
  return *rates_for(world.state(), job, t.skus[0], site, t.cpu_milli, t.memory_mib, now);
}

std::int64_t limit_of(const Quota& quota, SkuIx sku) {
  for (const GpuLimit& l : quota.gpus)
    if (l.sku == sku) return l.gpu_milli;
  return -1;
}

std::int64_t alive_on(const Alive& alive, SkuIx sku) {
  if (sku < alive.gpu_milli.size()) return alive.gpu_milli[sku];
  std::int64_t sum = 0;
  for (const std::int64_t milli : alive.gpu_milli) sum += sku == nobody ? milli : 0;
  return sum;
}

// A project's or an org's side of a quota.
struct Account_ {
  const Quota& quota;
  const Used& used;
  const Alive& alive;
  std::string who;
  std::string what;
};

std::vector<Account_> accounts_of(const World& w, ProjectIx project) {
  const Project& p = w.state().projects[project];
  const Org& o = w.state().orgs[p.org];
  return {{p.quota, p.used, w.alive_of_project[project], "project " + p.name, "project"},
          {o.quota, o.used, w.alive_of_org[p.org], "org " + o.name, "org"}};
}

// When so many more thousandths of GPUs will have been given back, by time limits alone.
std::optional<Instant> room_at(const World& w, ProjectIx project, bool whole_org, SkuIx sku,
                               std::int64_t lacking) {
  std::vector<std::pair<Instant, std::int64_t>> ends;
  const OrgIx org = w.state().projects[project].org;
  for (const auto& [order, slot] : w.leased) {
    const Job& job = w.state().jobs[slot];
    if (whole_org ? w.state().projects[job.project].org != org : job.project != project) continue;
    if ((sku != nobody && job.lease->sku != sku) || job.time_limit_s == 0) continue;
    const Instant start = job.lease->started_at.us ? job.lease->started_at : job.lease->granted_at;
    ends.emplace_back(start + Duration::seconds(job.time_limit_s + job.grace_s),
                      gpu_milli_of(job.demand));
  }
  std::sort(ends.begin(), ends.end());
  for (const auto& [at, milli] : ends)
    if ((lacking -= milli) <= 0) return at;
  return std::nullopt;
}

struct Lack {
  std::vector<base::Missing> missing;
  std::optional<Instant> earliest;
  bool never = false;  // more than the quota by itself
  void add(base::Missing m, std::int64_t limit, std::int64_t wanted, std::optional<Instant> at) {
    if (missing.empty())
      earliest = at;
    else
      earliest = earliest && at ? std::optional(std::max(*earliest, *at)) : std::nullopt;
    never |= wanted > limit;
    missing.push_back(std::move(m));
  }
};

// A planted bug: what was admitted in the same batch is not counted yet.
std::int64_t unseen(const World& w, const Job& job) {
  std::int64_t milli = 0;
  for (const Job& other : w.state().jobs)
    if (!other.id.is_nil() && other.project == job.project &&
        other.submitted_at == job.submitted_at)
      milli += gpu_milli_of(other.demand);
  return milli;
}

void check_gpus(const World& w, const Job& job, const Account_& a, Lack& lack) {
  const std::int64_t want = gpu_milli_of(job.demand);
  if (want == 0) return;
  const bool org = a.what == "org";
  const auto check = [&](SkuIx sku, const std::string& name) {
    const std::int64_t limit = limit_of(a.quota, sku);
    std::int64_t have = alive_on(a.alive, sku);
    if (base::planted("quota-race")) have -= unseen(w, job);
    if (limit < 0 || have + want <= limit) return;
    lack.add({a.what + "_" + name + "_milli", want, std::max<std::int64_t>(0, limit - have)}, limit,
             want, room_at(w, job.project, org, sku, have + want - limit));
  };
  check(nobody, "gpu");
  // Of the alternatives one with room is enough.
  const auto& skus = job.demand.skus;
  const bool some_room = std::any_of(skus.begin(), skus.end(), [&](SkuIx s) {
    const std::int64_t limit = limit_of(a.quota, s);
    return limit < 0 || alive_on(a.alive, s) + want <= limit;
  });
  if (!some_room) check(skus[0], w.state().skus[skus[0]].name);
}

void check_window(const Job& job, const Account_& a, Instant now, Lack& lack) {
  if (a.quota.window_s == 0) return;
  const Instant start = window_start(a.quota, now);
  const Instant next = start + Duration::seconds(a.quota.window_s);
  const bool current = a.used.window == start;
  const auto check = [&](const char* name, std::int64_t limit, std::int64_t used,
                         std::int64_t alive, std::int64_t want) {
    const std::int64_t have = (current ? used : 0) + alive;
    if (limit < 0 || have + want <= limit) return;
    lack.add({a.what + name, want, std::max<std::int64_t>(0, limit - have)}, limit, want, next);
  };
  check("_gpu_milli_s", a.quota.gpu_milli_s, a.used.gpu_milli_s, a.alive.gpu_milli_s,
        job.committed_gpu_milli_s);
  check("_spend_ticks", a.quota.spend, a.used.spend, a.alive.spend, job.committed_spend);
}

std::string in_words(const State& s, const Job& job, const base::Missing& m) {
  const auto gpus = [](std::int64_t milli, std::int64_t unit) {
    const std::int64_t tenths = milli * 10 / unit;
    return std::to_string(tenths / 10) + (tenths % 10 ? "." + std::to_string(tenths % 10) : "");
  };
  if (m.what.ends_with("_spend_ticks"))
    return "it may cost " + money_text(s, job.project, m.wanted, 2) + " and " +
           money_text(s, job.project, m.available, 2) + " are left in this window";
  if (m.what.ends_with("_gpu_milli_s"))
    return "it may use " + gpus(m.wanted, 3'600'000) + " GPU-hours and " +
           gpus(m.available, 3'600'000) + " are left in this window";
  return "it wants " + gpus(m.wanted, 1000) + " GPUs and " + gpus(m.available, 1000) +
         " are left of the GPUs at once";
}

}  // namespace

bool grant(const World& world, const Job& job, const Placement& placement, Instant now,
           std::vector<FactBody>& facts) {
  const Project& project = world.state().projects[job.project];
  const bool again = base::planted("generation-reused") && job.generation > 0;
  LeaseGranted g{job.id, job.generation + (again ? 0 : 1), {}, {}};
  Lease& lease = g.lease;
  lease.granted_at = now;
  lease.sku = placement.sku;
  lease.cpu_milli = placement.cpu_milli;
  lease.memory_mib = placement.memory_mib;
  lease.gpu_milli = job.demand.gpu_milli;
  lease.mig = job.demand.mig;
  lease.rates = rates_of(world, job, placement, now);
  lease.places = placement.places;
  lease.ranks.resize(lease.places.size());
  lease.paid_s = first_hold_s(world.state().policy, job.time_limit_s, job.grace_s);
  const Ticks hold = cost_between(lease.rates, 0, lease.paid_s);
  const Ticks credit = available(world.state().accounts[project.wallet]);
  if ((hold > credit && !base::planted("wallet-overdrawn")) ||
      !within_budgets(world, job, lease.rates, lease.paid_s, now))
    return false;
  if (hold > 0) {
    Drafter drafter(world);
    g.transfers.push_back(drafter.make(TransferKind::pending, TransferReason::hold, project.wallet,
                                       revenue_of(world.state(), job.project, placement.sku),
                                       hold));
    lease.pending_id = g.transfers.back().id.low;
  }
  const Ticks burn = world.burn[job.project] + burn_rate(lease.rates);
  facts.push_back(std::move(g));
  if (auto low = credit_warning(world, job.project, credit - hold, burn, now))
    facts.push_back(std::move(*low));
  return true;
}

std::optional<Ticks> cheapest_hold(const World& world, const Job& job,
                                   const std::vector<Tier>& tiers, Instant now) {
  if (tiers.empty()) return std::nullopt;
  const Rates rates = rates_of_tier(world, job, tiers.front(), now);
  return cost_between(rates, 0, first_hold_s(world.state().policy, job.time_limit_s, job.grace_s));
}

std::vector<Tier> affordable(const World& world, const Job& job, std::vector<Tier> tiers,
                             Instant now) {
  const AccountIx wallet = world.state().projects[job.project].wallet;
  const Ticks credit = available(world.state().accounts[wallet]);
  const std::int64_t want = gpu_milli_of(job.demand);
  const bool alternatives = job.demand.skus.size() > 1;
  for (const Account_& a : accounts_of(world, job.project)) {
    if (!alternatives || a.quota.gpus.empty()) continue;
    for (Tier& t : tiers)
      std::erase_if(t.skus, [&](SkuIx s) {
        const std::int64_t limit = limit_of(a.quota, s);
        // One that waits is counted for its first already.
        const bool counted = s == job.demand.skus[0] && world.queue.contains(job.queue_order);
        return limit >= 0 && alive_on(a.alive, s) + (counted ? 0 : want) > limit;
      });
  }
  const std::int64_t hold_s = first_hold_s(world.state().policy, job.time_limit_s, job.grace_s);
  const bool lends = base::planted("wallet-overdrawn");
  std::erase_if(tiers, [&](const Tier& t) {
    return t.skus.empty() || (cheapest_hold(world, job, {t}, now).value_or(0) > credit && !lends) ||
           (!world.budgets.empty() &&
            !within_budgets(world, job, rates_of_tier(world, job, t, now), hold_s, now));
  });
  return tiers;
}

std::optional<base::Refusal> over_budget(const World& world, const Job& job,
                                         const std::vector<Tier>& tiers, Instant now) {
  if (world.budgets.empty() || tiers.empty()) return std::nullopt;
  return over_budget(world, job, rates_of_tier(world, job, tiers.front(), now),
                     first_hold_s(world.state().policy, job.time_limit_s, job.grace_s), now);
}

// ---- quotas -------------------------------------------------------------------------------------

Instant window_start(const Quota& quota, Instant now) {
  const std::int64_t window_us = quota.window_s * 1'000'000;
  return window_us ? Instant{now.us - now.us % window_us} : Instant{};
}

void commit_most(const World& world, Job& job, const std::vector<Tier>& tiers, Instant now) {
  if (job.time_limit_s == 0 || tiers.empty()) return;
  const std::int64_t most_s = (job.time_limit_s + job.grace_s + confirm_s) * (1 + job.retries_left);
  job.committed_gpu_milli_s = gpu_milli_of(job.demand) * most_s;
  const Tier& dearest = tiers.back();
  job.committed_spend = cost_between(rates_of_tier(world, job, dearest, now), 0, most_s);
}

std::optional<base::Refusal> over_quota(const World& world, const Job& job, Instant now) {
  Lack lack;
  std::string who;
  for (const Account_& a : accounts_of(world, job.project)) {
    if (a.quota.window_s && job.time_limit_s == 0) {
      auto r = base::refuse_field("time", a.who +
                                              " has a quota by the window, so its jobs need "
                                              "a time limit, like 2h");
      return std::move(r.error());
    }
    const std::size_t before = lack.missing.size();
    check_gpus(world, job, a, lack);
    check_window(job, a, now, lack);
    if (lack.missing.size() > before) who += (who.empty() ? "" : " and ") + a.who;
  }
  if (lack.missing.empty()) return std::nullopt;
  base::Refusal r{Code::over_quota, "over the quota of " + who + ": ", {}, {}, {}};
  for (const base::Missing& m : lack.missing)
    r.message += (&m == &lack.missing[0] ? "" : "; ") + in_words(world.state(), job, m);
  if (lack.never)
    r.message += "; it is more than the quota: ask for less";
  else if (lack.earliest)
    r.message += "; there is room again at " + base::format_instant(*lack.earliest);
  else
    r.message += "; there is room when others of it end";
  r.missing = std::move(lack.missing);
  if (!lack.never) r.earliest = lack.earliest;
  return r;
}

}  // namespace ampacity::core
