#include "core/preempt.h"

#include <algorithm>
#include <bit>
#include <set>

namespace ampacity::core {
namespace {

constexpr std::size_t most_evictable = 20'000;

struct NodePlan {
  std::int64_t loss = 0;
  Instant oldest{INT64_MAX};  // of those told: when it began
  NodeIx node = 0;
  Place place;
  std::vector<Slot> told;
  bool operator<(const NodePlan& o) const {
    return std::tie(loss, o.oldest, node) < std::tie(o.loss, oldest, o.node);
  }
};

class Search {
 public:
  Search(const World& w, const Evictable& evictable, const Seeker& s, const Tier& tier)
      : w_(w),
        evictable_(evictable),
        s_(s),
        tier_(tier),
        seeker_{s.job.job_class, s.rank, service_gpu_s(s.job, s.job.attained_s), false} {}

  std::vector<NodePlan> nodes() const {
    std::vector<NodePlan> plans;
    for (const auto& [n, on_node] : evictable_.by_node)
      if (auto plan = plan_for(n, going(on_node))) plans.push_back(std::move(*plan));
    if (s_.job.demand.nodes > 1) add_free(plans);
    std::sort(plans.begin(), plans.end());
    return plans;
  }

 private:
  using OnNode = Evictable::OnNode;
  const Evictable::One& one(const OnNode& v) const { return evictable_.ones[v.ix]; }
  const Lease& lease(const OnNode& v) const { return *w_.state().jobs[one(v).slot].lease; }
  bool anyway(const OnNode& v) const {
    return one(v).gone_anyway || w_.state().jobs[one(v).slot].state == JobState::stopping;
  }

  std::vector<OnNode> going(const std::vector<OnNode>& on_node) const {
    std::vector<OnNode> may;
    for (const OnNode& v : on_node)
      if (anyway(v)) may.push_back(v);
    for (const OnNode& v : on_node)
      if (!anyway(v) && may_preempt(w_.state().policy, seeker_, one(v).standing)) may.push_back(v);
    return may;
  }

  // A gang may also use what is free.
  void add_free(std::vector<NodePlan>& plans) const {
    std::set<NodeIx> free;
    const NodeNeed need = need_of(s_.job.demand, tier_.cpu_milli, tier_.memory_mib, s_.job.project);
    for (const SkuIx sku : tier_.skus)
      w_.packer.each(sku, need, [&](NodeIx n) {
        free.insert(n);
        return true;
      });
    for (const auto& [n, holds] : w_.holds) free.insert(n);
    for (const NodeIx n : free)
      if (!evictable_.by_node.contains(n))
        if (auto plan = plan_for(n, {})) plans.push_back(std::move(*plan));
  }

  // The cards that are free when those have gone: a card with several leases when the last has.
  std::uint64_t freed(NodeIx n, const std::vector<OnNode>& gone) const {
    std::uint64_t busy = 0;
    for (const Slot slot : w_.use[n].leases) {
      if (std::any_of(gone.begin(), gone.end(),
                      [&](const OnNode& v) { return one(v).slot == slot; }))
        continue;
      for (const Place& p : w_.state().jobs[slot].lease->places)
        if (p.node == n) busy |= p.gpu_mask;
    }
    const auto cards = w_.state().nodes[n].gpus.size();
    const std::uint64_t all = cards == 64 ? ~0ULL : (1ULL << cards) - 1;
    return all & ~busy & allowed_cards(w_, n, s_);
  }

  std::optional<NodePlan> plan_for(NodeIx n, const std::vector<OnNode>& may) const {
    const Demand& d = s_.job.demand;
    const Node& node = w_.state().nodes[n];
    if (node.state != NodeState::active || !admits(w_, s_.job, n)) return std::nullopt;
    if (d.gpus_per_node
            ? std::find(tier_.skus.begin(), tier_.skus.end(), node.sku) == tier_.skus.end()
            : !node.rents_cpu)
      return std::nullopt;
    if (std::popcount(freed(n, may)) < static_cast<int>(d.gpus_per_node)) return std::nullopt;
    const Leftover left = left_for(w_, n, s_);
    std::vector<OnNode> gone;
    const auto enough = [&] {
      std::int64_t cpu = left.cpu_milli, memory = left.memory_mib;
      for (const OnNode& v : gone) {
        cpu += lease(v).cpu_milli;
        memory += lease(v).memory_mib;
      }
      return cpu >= tier_.cpu_milli && memory >= tier_.memory_mib &&
             std::popcount(freed(n, gone)) >= static_cast<int>(d.gpus_per_node);
    };
    for (auto v = may.begin(); !enough(); ++v) {
      if (v == may.end()) return std::nullopt;
      gone.push_back(*v);
    }
    // The dearest that turned out not to be needed stay.
    for (std::size_t i = gone.size(); i-- > 0;) {
      const OnNode v = gone[i];
      gone.erase(gone.begin() + static_cast<std::ptrdiff_t>(i));
      if (!enough()) gone.insert(gone.begin() + static_cast<std::ptrdiff_t>(i), v);
    }
    NodePlan plan{0, Instant{INT64_MAX}, n, {n, 0, 0}, {}};
    std::uint64_t cards = freed(n, gone);
    for (std::uint32_t g = 0; g < d.gpus_per_node; ++g, cards &= cards - 1)
      plan.place.gpu_mask |= cards & -cards;
    for (const OnNode& v : gone) {
      if (anyway(v)) continue;
      plan.loss += one(v).loss_gpu_s + 1;
      plan.oldest = std::min(plan.oldest, lease(v).granted_at);
      plan.told.push_back(one(v).slot);
    }
    // The references fill the node that is fullest with what comes before.
    const Order order = w_.state().policy.order;
    if (order == Order::srtf || order == Order::srsf) {
      plan.loss = std::popcount(freed(n, may));
      plan.oldest = forever;
    }
    return plan;
  }

  const World& w_;
  const Evictable& evictable_;
  const Seeker& s_;
  const Tier& tier_;
  const Standing seeker_;
};

// The plans for one gang, cheapest first, inside the domain it requires.
std::vector<NodePlan> choose(const World& w, const Demand& d, std::vector<NodePlan> plans) {
  if (plans.size() < d.nodes) return {};
  if (d.together != Together::any) {
    std::map<std::uint32_t, std::vector<NodePlan>> by_domain;
    for (NodePlan& p : plans) by_domain[w.domain(p.node, d.together)].push_back(std::move(p));
    std::optional<std::int64_t> least;
    plans.clear();
    for (auto& [domain, members] : by_domain) {
      if (members.size() < d.nodes) continue;
      std::int64_t loss = 0;
      for (std::uint32_t i = 0; i < d.nodes; ++i) loss += members[i].loss;
      if (least && *least <= loss) continue;
      least = loss;
      plans = std::move(members);
    }
    if (plans.empty()) return {};
  }
  plans.resize(d.nodes);
  return plans;
}

std::vector<Tier> one_kind_for_gangs(const std::vector<Tier>& tiers, const Demand& d) {
  if (d.nodes == 1) return tiers;
  std::vector<Tier> split;
  for (const Tier& t : tiers)
    for (const SkuIx s : t.skus) split.push_back({t.burn, {s}, t.cpu_milli, t.memory_mib});
  return split;
}

}  // namespace

Evictable::Evictable(const World& world, Instant now) {
  const Duration notice = Duration::seconds(world.state().policy.spot_grace_s);
  for (const JobClass c :
       {JobClass::house, JobClass::spot, JobClass::on_demand, JobClass::reserved}) {
    const auto class_ix = static_cast<std::size_t>(c);
    for (const std::uint64_t order : world.running[class_ix]) {
      if (ones.size() == most_evictable) break;
      const Slot slot = world.leased.at(order);
      const Job& job = world.state().jobs[slot];
      const Lease& lease = *job.lease;
      const bool gone = job.state == JobState::stopping ||
                        (job.time_limit_s && lease.started_at.us &&
                         lease.started_at + Duration::seconds(job.time_limit_s) <= now + notice);
      if (!gone && c < JobClass::spot) continue;
      some_gone |= gone;
      ones.push_back({slot, standing_of(world, job, now), loss_gpu_s(world, job, now), gone});
      highest_rank[class_ix] = std::max(highest_rank[class_ix], ones.back().standing.rank);
      for (const Place& p : lease.places)
        by_node[p.node].push_back({static_cast<std::uint32_t>(ones.size() - 1), p.gpu_mask});
    }
  }
  for (auto& [n, list] : by_node)
    std::sort(list.begin(), list.end(), [&](const OnNode& a, const OnNode& b) {
      const auto key = [&](const OnNode& v) {
        return std::tuple(ones[v.ix].loss_gpu_s,
                          -world.state().jobs[ones[v.ix].slot].lease->granted_at.us, v.ix);
      };
      return key(a) < key(b);
    });
}

bool Evictable::any_for(const World& world, const Seeker& seeker) const {
  if (some_gone || world.stopping > 0) return true;
  for (const JobClass c : {JobClass::house, JobClass::spot}) {
    const Standing lowest{c, highest_rank[static_cast<std::size_t>(c)], INT64_MAX, false};
    const Standing asks{seeker.job.job_class, seeker.rank,
                        service_gpu_s(seeker.job, seeker.job.attained_s), false};
    if (!world.running[static_cast<std::size_t>(c)].empty() &&
        may_preempt(world.state().policy, asks, lowest))
      return true;
  }
  return false;
}

std::optional<Eviction> evict_for(const World& world, const Evictable& evictable,
                                  const Seeker& seeker, const std::vector<Tier>& tiers) {
  const Demand& d = seeker.job.demand;
  if (d.gpu_milli != 1000 || d.mig != 0 || evictable.ones.empty()) return std::nullopt;
  if (!evictable.any_for(world, seeker)) return std::nullopt;
  for (const Tier& tier : one_kind_for_gangs(tiers, d)) {
    const auto plans = choose(world, d, Search(world, evictable, seeker, tier).nodes());
    if (plans.empty()) continue;
    Eviction e;
    e.claim = {seeker.now, tier.skus[0], {}, tier.cpu_milli, tier.memory_mib};
    if (d.gpus_per_node) e.claim.sku = world.state().nodes[plans[0].node].sku;
    std::set<Slot> told;
    for (const NodePlan& p : plans) {
      e.claim.places.push_back(p.place);
      told.insert(p.told.begin(), p.told.end());
    }
    for (const Slot slot : told) e.victims.push_back(world.state().jobs[slot].id);
    return e;
  }
  return std::nullopt;
}

bool claim_is_free(const World& world, const Job& job) {
  for (const Place& p : job.claim->places) {
    const Node& node = world.state().nodes[p.node];
    if (p.gpu_mask & ~world.packer.whole_free_mask(p.node)) return false;
    if (node.cpu_milli - world.use[p.node].cpu_milli < job.claim->cpu_milli) return false;
    if (node.memory_mib - world.use[p.node].memory_mib < job.claim->memory_mib) return false;
  }
  return true;
}

}  // namespace ampacity::core
