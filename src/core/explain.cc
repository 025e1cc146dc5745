#include "core/explain.h"

#include <algorithm>
#include <bit>
#include <set>

#include "core/grant.h"
#include "core/meter.h"
#include "core/order.h"
#include "core/price_book.h"

namespace ampacity::core {
namespace {

constexpr std::size_t most_glanced = 256;  // nodes, in brief

// ---- what if ------------------------------------------------------------------------------------

struct Question {
  const World& w;
  const Job& job;
  Instant now;
  std::vector<Tier> tiers;     // that have a price it allows
  std::vector<Tier> can_have;  // of them: with credit and inside quotas

  std::optional<Placement> if_it_were(const Job& other) const {
    return place(w, seeker_of(w, other, now), affordable(w, other, tiers_of(w, other, now), now));
  }
  template <typename Change>
  std::optional<Placement> if_demand(Change change) const {
    Job other = job;
    change(other.demand);
    return if_it_were(other);
  }
  std::optional<Placement> with(const std::vector<Tier>& some) const {
    return place(w, seeker_of(w, job, now), some);
  }
};

Ticks credit_of(const World& w, const Job& job) {
  return available(w.state().accounts[w.state().projects[job.project].wallet]);
}

// No tier is left of those that have a price.
void lacks_credit_or_quota(const Question& q, const std::vector<Tier>& lost, Explanation& e) {
  const Ticks credit = credit_of(q.w, q.job);
  const Ticks hold = cheapest_hold(q.w, q.job, lost, q.now).value_or(0);
  if (hold > credit) {
    e.constraint = Constraint::credit;
    e.wanted = hold;
    e.available = credit;
    return;
  }
  if (over_budget(q.w, q.job, lost, q.now)) {
    e.constraint = Constraint::budget;
    return;
  }
  e.constraint = Constraint::quota;
  e.sku = lost.front().skus.front();
  e.wanted = gpu_milli_of(q.job.demand);
  const Project& project = q.w.state().projects[q.job.project];
  const std::pair<const Quota&, const Alive&> sides[] = {
      {project.quota, q.w.alive_of_project[q.job.project]},
      {q.w.state().orgs[project.org].quota, q.w.alive_of_org[project.org]}};
  e.available = e.wanted;
  for (const auto& [quota, alive] : sides)
    for (const GpuLimit& limit : quota.gpus) {
      if (limit.sku != e.sku) continue;
      const std::int64_t have = e.sku < alive.gpu_milli.size() ? alive.gpu_milli[e.sku] : 0;
      e.available = std::min(e.available, std::max<std::int64_t>(0, limit.gpu_milli - have));
    }
}

bool in_reservation(const Question& q, Explanation& e) {
  const Id id = q.job.demand.reservation;
  if (id.is_nil()) return false;
  e.constraint = Constraint::reservation;
  const Window* window = q.w.window(id);
  e.wanted = gpu_milli_of(q.job.demand) / 1000;
  if (!window) return true;
  if (q.now < window->from) e.until = window->from;
  for (const Place& p : window->places)
    e.available += std::popcount(p.gpu_mask & q.w.packer.whole_free_mask(p.node));
  return true;
}

void count_claim(const World& w, const Job& job, Explanation& e) {
  e.constraint = Constraint::claimed;
  std::set<Slot> there;
  for (const Place& p : job.claim->places)
    for (const Slot slot : w.use[p.node].leases)
      for (const Place& theirs : w.state().jobs[slot].lease->places)
        if (theirs.node == p.node && (theirs.gpu_mask & p.gpu_mask)) there.insert(slot);
  for (const Slot slot : there)
    if (const Job& other = w.state().jobs[slot]; other.state == JobState::stopping)
      e.until = std::max(e.until, notice_ends(w.state().policy, other));
  e.stopping = static_cast<std::uint32_t>(there.size());
}

// Who keeps most of the nodes that are free but not for it, and of those the first to act.
std::optional<Keeper> keeper_of(const Question& q) {
  std::map<std::pair<Hold::Why, std::uint64_t>, std::uint32_t> nodes;
  const Seeker seeker = seeker_of(q.w, q.job, q.now);
  for (const auto& [n, holds] : q.w.holds) {
    const std::uint64_t kept = q.w.packer.whole_free_mask(n) & ~allowed_cards(q.w, n, seeker);
    const auto& skus = q.job.demand.skus;
    if (std::find(skus.begin(), skus.end(), q.w.state().nodes[n].sku) == skus.end()) continue;
    for (const Hold& hold : holds)
      if (hold.gpu_mask & kept) ++nodes[{hold.why, hold.owner}];
  }
  std::optional<Keeper> most;
  std::uint32_t count = 0;
  for (const auto& [owner, held] : nodes) {
    if (held <= count) continue;
    count = held;
    if (owner.first == Hold::Why::window) {
      const Window& window = q.w.state().windows[owner.second];
      most = Keeper{owner.first, window.kind == WindowKind::maintenance, window.project,
                    window.from, window.until};
    } else {
      const Job& job = q.w.queued(owner.second);
      most = Keeper{owner.first, false, job.project,
                    job.promise ? job.promise->start_by : job.claim->made_at, forever};
    }
  }
  return most;
}

void count_rooms(const Question& q, Explanation& e) {
  const Seeker seeker = seeker_of(q.w, q.job, q.now);
  std::size_t followed = 0;
  for (const Tier& tier : q.can_have.empty() ? q.tiers : q.can_have)
    for (const SkuIx sku : tier.skus) e.rooms.push_back(survey(q.w, seeker, tier, sku, followed));
}

// A site that cannot be reached, where it would have room.
std::optional<SiteIx> room_out_of_reach(const Question& q) {
  const State& s = q.w.state();
  if (std::none_of(s.sites.begin(), s.sites.end(),
                   [](const Site& x) { return x.unknown_since.us || x.clearing; }))
    return std::nullopt;
  std::vector<std::uint32_t> nodes(s.sites.size());
  for (const Tier& tier : q.can_have) {
    const NodeNeed need = need_of(q.job.demand, tier.cpu_milli, tier.memory_mib, q.job.project);
    for (NodeIx n = 0; n < s.nodes.size(); ++n) {
      const Node& node = s.nodes[n];
      const Site& site = s.sites[node.site];
      if (!site.unknown_since.us && !site.clearing) continue;
      if (node.state != NodeState::active || !tier.at(node.site) || !admits(q.w, q.job, n) ||
          !serves(node, q.job.demand, tier.skus) || !q.w.packer.fit(n, need))
        continue;
      if (++nodes[node.site] >= q.job.demand.nodes) return node.site;
    }
  }
  return std::nullopt;
}

// The constraint of a job that has a price, credit and quota, but no room.
void find_constraint(const Question& q, Explanation& e) {
  const Demand& d = q.job.demand;
  const auto found = [&](Constraint c) { e.constraint = c; };
  const auto at = [&](const std::optional<Placement>& p) { e.sku = p ? p->sku : nobody; };
  if (q.with(q.can_have)) return found(Constraint::next_in_line);
  if (const auto site = room_out_of_reach(q)) {
    e.site = *site;
    return found(Constraint::unreachable);
  }
  if (d.most_price) {
    const auto dearer = q.if_demand([](Demand& x) { x.most_price = 0; });
    if (at(dearer); dearer) {
      const auto rates = rates_for(q.w.state(), q.job, dearer->sku, nobody, dearer->cpu_milli,
                                   dearer->memory_mib, q.now);
      e.wanted = rates ? rates->gpu_price : 0;
      e.available = d.most_price;
      return found(Constraint::price);
    }
  }
  std::vector<Tier> lost = q.tiers;
  for (Tier& t : lost)
    for (const Tier& had : q.can_have)
      if (had.sites == t.sites)
        std::erase_if(t.skus, [&](SkuIx s) {
          return std::find(had.skus.begin(), had.skus.end(), s) != had.skus.end();
        });
  std::erase_if(lost, [](const Tier& t) { return t.skus.empty(); });
  if (!lost.empty() && q.with(lost)) return lacks_credit_or_quota(q, lost, e);
  if (!d.sites.empty())
    if (const auto there = q.if_demand([](Demand& x) { x.sites.clear(); })) {
      e.site = q.w.state().nodes[there->places[0].node].site;
      return found(Constraint::site);
    }
  if (!d.apart.empty() && q.if_demand([](Demand& x) { x.apart.clear(); }))
    return found(Constraint::apart);
  if (d.together != Together::any && q.if_demand([](Demand& x) { x.together = Together::any; }))
    return found(Constraint::topology);
  if (d.gpus_per_node == 0) return found(Constraint::cpu_or_memory);
  for (const Room& r : e.rooms)
    if (r.nodes_now + r.nodes_short >= d.nodes) return found(Constraint::cpu_or_memory);
  if (std::any_of(e.rooms.begin(), e.rooms.end(), [](const Room& r) { return r.nodes_held; }))
    e.keeper = keeper_of(q);
  for (const Room& r : e.rooms)
    if (r.nodes_now + r.nodes_held >= d.nodes) return found(Constraint::held_for_others);
  found(Constraint::no_room);
}

// ---- the queue ----------------------------------------------------------------------------------

bool share_a_sku(const Demand& a, const Demand& b) {
  return std::any_of(a.skus.begin(), a.skus.end(), [&](SkuIx s) {
    return std::find(b.skus.begin(), b.skus.end(), s) != b.skus.end();
  });
}

// By the order in which a pass tries them.
void count_place(const World& w, const Job& job, Instant now, Explanation& e) {
  const bool fair = w.state().policy.order == Order::fair;
  const auto shares = shares_at(w, now);
  const auto key = [&](const Job& j) {
    return std::tuple(!j.claim, j.job_class, fair ? shares[j.project] : 0, rank_of(w, j, now),
                      j.queue_order);
  };
  const auto own = key(job);
  std::size_t compared = 0;
  e.place = 1;
  for (const auto& [order, slot] : w.queue) {
    const Job& other = w.state().jobs[slot];
    if (order == job.queue_order || other.job_class > job.job_class) continue;
    if (++compared > most_compared) {
      e.ahead_or_more = true;
      break;
    }
    if (own < key(other)) continue;
    e.place += other.job_class == job.job_class;
    e.ahead += share_a_sku(other.demand, job.demand);
  }
}

// What both ask first; true: that is the answer.
bool ask_first(Question& q, Explanation& e) {
  if (q.job.state != JobState::queued || !q.w.prices_at(q.now)) return true;
  q.tiers = tiers_of(q.w, q.job, q.now);
  if (!q.tiers.empty()) {
    const Tier& t = q.tiers.front();
    e.rates = rates_for(q.w.state(), q.job, t.skus[0], t.sites.empty() ? nobody : t.sites[0],
                        t.cpu_milli, t.memory_mib, q.now);
    q.can_have = affordable(q.w, q.job, q.tiers, q.now);
  }
  if (q.job.claim) {
    count_claim(q.w, q.job, e);
    return true;
  }
  if (q.tiers.empty()) {
    e.constraint = Constraint::price;
    e.available = q.job.demand.most_price;
    return true;
  }
  if (q.can_have.empty()) {
    lacks_credit_or_quota(q, q.tiers, e);
    return true;
  }
  return false;
}

}  // namespace

Explanation explain(const World& world, const Job& job, Instant now) {
  Explanation e;
  Question q{world, job, now, {}, {}};
  const bool answered = ask_first(q, e);
  if (job.state != JobState::queued) return e;
  count_place(world, job, now, e);
  if (answered) return e;
  if (!q.with(q.can_have) && in_reservation(q, e)) return e;
  count_rooms(q, e);
  find_constraint(q, e);
  return e;
}

Explanation brief(const World& world, const Job& job, Instant now) {
  Explanation e;
  Question q{world, job, now, {}, {}};
  if (ask_first(q, e) || in_reservation(q, e)) return e;
  e.constraint = job.demand.gpus_per_node ? Constraint::no_room : Constraint::cpu_or_memory;
  const Tier& tier = q.can_have.front();
  Room room{tier.skus.front(), tier.cpu_milli, tier.memory_mib, 0, 0, 0, 0, 0, 0, {}};
  const NodeNeed need = need_of(job.demand, tier.cpu_milli, tier.memory_mib, job.project);
  std::size_t looked = 0;
  if (!is_share(job.demand))
    world.packer.each(room.sku, need, [&](NodeIx n) {
      room.nodes_now += admits(world, job, n);
      return room.nodes_now < job.demand.nodes && ++looked < most_glanced;
    });
  e.rooms.push_back(room);
  if (room.nodes_now == job.demand.nodes)
    e.constraint =
        job.demand.together == Together::any ? Constraint::next_in_line : Constraint::topology;
  return e;
}

}  // namespace ampacity::core
