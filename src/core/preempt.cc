#include "core/preempt.h"

#include <algorithm>
#include <bit>
#include <map>
#include <set>

#include "core/packer_mig.h"

namespace ampacity::core {
namespace {

constexpr std::size_t most_evictable = 20'000;

struct NodePlan {
  std::int64_t loss = 0;
  Instant oldest = forever;  // of those told: when it began
  NodeIx node = 0;
  Place place;
  std::vector<Slot> told;
  bool operator<(const NodePlan& o) const {
    return std::tie(loss, o.oldest, node) < std::tie(o.loss, oldest, o.node);
  }
};

// Is there anybody at all whom it may tell to go?
bool some_may_be_told(const World& w, const Standing& seeker, const Evictable::Most& most) {
  for (const JobClass c : {JobClass::house, JobClass::spot}) {
    const std::int64_t rank = most.rank[static_cast<std::size_t>(c)];
    if (rank >= 0 && may_preempt(w.state().policy, seeker, {c, rank, INT64_MAX})) return true;
  }
  return false;
}

class Search {
 public:
  Search(const World& w, const Evictable& evictable, const Seeker& s, const Tier& tier)
      : w_(w),
        evictable_(evictable),
        s_(s),
        tier_(tier),
        seeker_(standing_of_waiting(s.job, s.rank, s.now)) {
    if (const Window* own = only_window(w, s.job)) {
      only_inside_ = true;
      for (const Place& p : own->places) inside_.push_back(p.node);
      std::sort(inside_.begin(), inside_.end());
    }
  }

  // Each node alone, cheapest first; empty: they are too few.
  std::vector<NodePlan> nodes() const {
    std::vector<NodePlan> plans;
    const Demand& d = s_.job.demand;
    for (SkuIx sku = 0; sku < evictable_.kinds.size(); ++sku) {
      const Evictable::OfKind& kind = evictable_.kinds[sku];
      const bool serves_it = !d.gpus_per_node || std::find(tier_.skus.begin(), tier_.skus.end(),
                                                           sku) != tier_.skus.end();
      if (!serves_it || !kind.taken || !some_may_go(kind.most)) continue;
      for (const Evictable::OfNode& of : kind.nodes)
        if (may_stand(of.node) && may_suffice(of))
          if (auto plan = plan_for(of.node, going(of.list))) plans.push_back(std::move(*plan));
    }
    if (d.nodes > 1) add_free(plans);
    if (plans.size() < d.nodes) return {};
    std::sort(plans.begin(), plans.end());
    return plans;
  }

 private:
  using OnNode = Evictable::OnNode;
  const Evictable::One& one(const OnNode& v) const { return evictable_.ones[v.ix]; }
  const Lease& lease(const OnNode& v) const { return *w_.state().jobs[one(v).slot].lease; }
  bool anyway(const OnNode& v) const { return one(v).gone_anyway; }

  // Nothing is lost by asking a gang's: it may use what others leave free.
  bool some_may_go(const Evictable::Most& most) const {
    return most.some_gone || s_.job.demand.nodes > 1 || some_may_be_told(w_, seeker_, most);
  }
  // Cards inside a reservation are on its own nodes alone.
  bool may_stand(NodeIx n) const {
    return !only_inside_ || std::binary_search(inside_.begin(), inside_.end(), n);
  }
  // False: there would be too few cards even if all went who may.
  bool may_suffice(const Evictable::OfNode& of) const {
    if (some_may_be_told(w_, seeker_, of.most)) return true;
    const std::uint64_t free = w_.packer.whole_free_mask(of.node) | of.most.going;
    return std::popcount(free) >= static_cast<int>(s_.job.demand.gpus_per_node);
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
    std::vector<NodeIx> free;
    const NodeNeed need = need_of(s_.job.demand, tier_.cpu_milli, tier_.memory_mib, s_.job.project);
    for (const SkuIx sku : tier_.skus)
      if (!only_inside_)
        w_.packer.each(sku, need, [&](NodeIx n) {
          free.push_back(n);
          return true;
        });
    for (const auto& [n, holds] : w_.holds)
      if (may_stand(n)) free.push_back(n);
    for (const NodeIx n : free)
      if (!evictable_.at(w_, n))
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
    return all_cards(w_.state().nodes[n]) & ~busy & allowed_cards(w_, n, s_);
  }

  std::optional<NodePlan> plan_for(NodeIx n, const std::vector<OnNode>& may) const {
    const Demand& d = s_.job.demand;
    const Node& node = w_.state().nodes[n];
    if (!w_.takes_work(n) || !tier_.at(node.site) || !serves(node, d, tier_.skus) ||
        !admits(w_, s_.job, n))
      return std::nullopt;
    if (std::popcount(freed(n, may)) < static_cast<int>(d.gpus_per_node)) return std::nullopt;
    std::vector<OnNode> gone;
    std::vector<Slot> slots;  // of these
    const auto enough = [&] {
      if (std::popcount(freed(n, gone)) < static_cast<int>(d.gpus_per_node)) return false;
      slots.clear();
      for (const OnNode& v : gone) slots.push_back(one(v).slot);
      return left_for(w_, n, s_, slots).holds(tier_);
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
    NodePlan plan{0, forever, n, {n, 0, 0}, {}};
    std::uint64_t cards = freed(n, gone);
    for (std::uint32_t g = 0; g < d.gpus_per_node; ++g, cards &= cards - 1)
      plan.place.gpu_mask |= cards & -cards;
    if (d.mig) plan.place.mig_slices = place_slice(0, d.mig);  // of a card of its own
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
  std::vector<NodeIx> inside_;  // of its reservation, ascending
  bool only_inside_ = false;
};

// The plans for one gang, cheapest first, inside the domain it requires.
std::vector<NodePlan> choose(const World& w, const Demand& d, std::vector<NodePlan> plans) {
  if (plans.size() < d.nodes) return {};
  const bool any = d.together == Together::any;
  if (!any || (d.nodes > 1 && w.state().sites.size() > 1)) {  // the widest domain is a site
    std::map<std::uint32_t, std::vector<NodePlan>> by_domain;
    for (NodePlan& p : plans)
      by_domain[any ? w.state().nodes[p.node].site : w.domain(p.node, d.together)].push_back(
          std::move(p));
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
    for (const SkuIx s : t.skus) split.push_back({t.burn, {s}, t.cpu_milli, t.memory_mib, t.sites});
  return split;
}

}  // namespace

void Evictable::Most::count(const One& one, std::uint64_t gpu_mask) {
  some_gone |= one.gone_anyway;
  if (one.gone_anyway) {
    going |= gpu_mask;
    return;
  }
  std::int64_t& highest = rank[static_cast<std::size_t>(one.standing.job_class)];
  highest = std::max(highest, one.standing.rank);
}

namespace {

using Candidate = std::pair<std::uint64_t, Slot>;  // queue_order

// f(slot), by queue_order, of those of a class that run and might go. Of those who do not yield
// only who stops, or whose time is up within the notice; that is looked for where it is due.
template <typename F>
void each_that_might_go(const World& world, JobClass c, Instant notice_ends_at, F&& f) {
  const auto& of_class = world.running[static_cast<std::size_t>(c)];
  if (yields(c)) {
    for (const auto& [order, slot] : of_class) f(slot);
    return;
  }
  std::set<Candidate> found;
  const auto add = [&](std::uint64_t order) {
    if (const auto at = of_class.find(order); at != of_class.end()) found.insert(*at);
  };
  for (const std::uint64_t order : world.stopping) add(order);
  for (const auto& [due, order] : world.deadlines) {
    if (due > notice_ends_at) break;
    add(order);
  }
  for (const auto& [order, slot] : found) f(slot);
}

template <typename F>
void each_inside(const World& world, JobClass c, const Window& window, F&& f) {
  std::set<Candidate> found;
  for (const Place& p : window.places)
    for (const Slot slot : world.use[p.node].leases)
      if (const Job& job = world.state().jobs[slot]; job.job_class == c)
        found.emplace(job.queue_order, slot);
  for (const auto& [order, slot] : found) f(slot);
}

// Is its time up by then?
bool ends_by(const Job& job, Instant t) {
  return job.time_limit_s && job.lease->started_at.us &&
         job.lease->started_at + Duration::seconds(job.time_limit_s) <= t;
}

bool ranks_are_the_order(const World& world) {
  const Order order = world.state().policy.order;
  return order == Order::srtf || order == Order::srsf;
}

}  // namespace

const Window* only_window(const World& world, const Job& job) {
  return job.demand.gpus_per_node ? world.window(job.demand.reservation) : nullptr;
}

Evictable::Evictable(const World& world, Instant now, const Window* only)
    : kinds(world.state().skus.size()), now_(now), only_(only) {}

void Evictable::look_for(const World& world, const Job& job) {
  const Demand& d = job.demand;
  const bool ranked = job.job_class == JobClass::spot || ranks_are_the_order(world);
  for (SkuIx sku = 0; sku < kinds.size(); ++sku) {
    OfKind& kind = kinds[sku];
    if (d.gpus_per_node && std::find(d.skus.begin(), d.skus.end(), sku) == d.skus.end()) continue;
    if (!kind.taken) take(world, sku);
    if (ranked && !kind.ranked) rank(world, kind);
  }
}

void Evictable::take(const World& world, SkuIx sku) {
  OfKind& kind = kinds[sku];
  kind.taken = true;
  const State& s = world.state();
  const Instant soon = now_ + Duration::seconds(s.policy.spot_grace_s);
  const std::size_t most = ones.size() + most_evictable;
  std::vector<std::pair<NodeIx, OnNode>> places;
  const auto consider = [&](Slot slot) {
    const Job& job = s.jobs[slot];
    const Lease& lease = *job.lease;
    // Work without cards may stand on a node of any kind.
    if (ones.size() == most || (lease.sku != sku && job.demand.gpus_per_node)) return;
    const bool gone = job.state == JobState::stopping || ends_by(job, soon);
    if (!gone && !yields(job.job_class)) return;
    const auto ix = static_cast<std::uint32_t>(ones.size());
    const std::size_t before = places.size();
    for (const Place& p : lease.places)
      if (s.nodes[p.node].sku == sku) places.push_back({p.node, {ix, p.gpu_mask}});
    if (places.size() == before) return;
    Standing standing;
    standing.job_class = job.job_class;
    ones.push_back({slot, lease.granted_at.us, standing, loss_gpu_s(world, job, now_), gone});
  };
  for (const JobClass c :
       {JobClass::house, JobClass::spot, JobClass::on_demand, JobClass::reserved}) {
    if (only_)
      each_inside(world, c, *only_, consider);
    else
      each_that_might_go(world, c, soon, consider);
  }
  const auto key = [&](const std::pair<NodeIx, OnNode>& v) {
    const One& one = ones[v.second.ix];
    return std::tuple(v.first, one.loss_gpu_s, -one.granted_us, v.second.ix);
  };
  std::sort(places.begin(), places.end(),
            [&](const auto& a, const auto& b) { return key(a) < key(b); });
  for (const auto& [n, on_node] : places) {
    if (kind.nodes.empty() || kind.nodes.back().node != n) kind.nodes.push_back({n, {}, {}});
    kind.nodes.back().list.push_back(on_node);
  }
  count(kind);
}

void Evictable::rank(const World& world, OfKind& kind) {
  kind.ranked = true;
  for (const OfNode& of : kind.nodes)
    for (const OnNode& v : of.list)
      if (One& one = ones[v.ix]; !one.gone_anyway && one.standing.rank == 0)
        one.standing = standing_of(world, world.state().jobs[one.slot], now_);
  count(kind);
}

void Evictable::count(OfKind& kind) {
  kind.most = {};
  for (OfNode& of : kind.nodes) {
    of.most = {};
    for (const OnNode& v : of.list)
      for (Most* m : {&of.most, &kind.most}) m->count(ones[v.ix], v.gpu_mask);
  }
}

bool somebody_inside(const World& world, const Job& seeker, Instant now) {
  const Window* own = only_window(world, seeker);
  if (!own) return true;
  const Instant soon = now + Duration::seconds(world.state().policy.spot_grace_s);
  for (const Place& p : own->places)
    for (const Slot slot : world.use[p.node].leases) {
      const Job& job = world.state().jobs[slot];
      if (yields(job.job_class) || job.state == JobState::stopping || ends_by(job, soon))
        return true;
    }
  return false;
}

const Evictable::OfNode* Evictable::at(const World& world, NodeIx n) const {
  const auto& nodes = kinds[world.state().nodes[n].sku].nodes;
  const auto found = std::lower_bound(nodes.begin(), nodes.end(), n,
                                      [](const OfNode& of, NodeIx x) { return of.node < x; });
  return found == nodes.end() || found->node != n ? nullptr : &*found;
}

void Evictable::told(const World& world, const std::vector<Id>& victims) {
  for (const Id id : victims) {
    const Job* job = world.job(id);
    for (const Place& p : job->lease->places) {
      auto& kind = kinds[world.state().nodes[p.node].sku];
      const OfNode* found = at(world, p.node);
      if (!found) continue;  // nobody asked for that kind yet
      OfNode& of = kind.nodes[static_cast<std::size_t>(found - kind.nodes.data())];
      for (const OnNode& v : of.list) {
        One& one = ones[v.ix];
        if (&world.state().jobs[one.slot] != job) continue;
        one.gone_anyway = true;
        for (Most* m : {&of.most, &kind.most}) m->count(one, v.gpu_mask);
      }
    }
  }
}

std::optional<Eviction> evict_for(const World& world, Evictable& evictable, const Seeker& asks,
                                  const std::vector<Tier>& tiers) {
  const Demand& d = asks.job.demand;
  const Standing standing = standing_of_waiting(asks.job, asks.rank, asks.now);
  Seeker seeker = asks;
  seeker.for_good |= standing.is_owed;  // what is lent to it, nobody is told to leave for it
  evictable.look_for(world, asks.job);
  if (std::none_of(evictable.kinds.begin(), evictable.kinds.end(), [&](const auto& kind) {
        return kind.most.some_gone || some_may_be_told(world, standing, kind.most);
      }))
    return std::nullopt;
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
