#include "core/place.h"

#include <algorithm>
#include <bit>

#include "core/history.h"
#include "core/meter.h"
#include "core/order.h"
#include "core/price_book.h"
#include "core/settle.h"

namespace ampacity::core {
namespace {

constexpr std::int64_t start_slack_s = 60;  // between the grant and the first rank's start
constexpr std::int64_t likely_permille = 900;

bool stays_out_of(const World& w, const Hold& hold, const Seeker& s) {
  const Job& job = s.job;
  const bool told = yields(job.job_class);  // to go, when the place is wanted
  switch (hold.why) {
    case Hold::Why::claim:
      return hold.owner != job.queue_order;
    case Hold::Why::promise: {
      const Job& owner = w.queued(hold.owner);
      if (hold.owner == job.queue_order || job.job_class < owner.job_class)
        return false;  // it outranks it
      if (s.for_good) return true;
      if (s.surely_gone <= hold.from) return false;
      if (!owner.promise->certain && s.likely_gone <= hold.from) return false;
      return !(job.job_class > owner.job_class && told);  // lent
    }
    case Hold::Why::window: {
      const Window& window = w.state().windows[hold.owner];
      if (s.surely_gone <= hold.from && !s.for_good) return false;
      if (window.kind == WindowKind::maintenance)
        return !told || hold.from <= s.now + Duration::seconds(1200);
      if (window.id == job.demand.reservation) return s.now < hold.from;
      return !told || s.for_good;  // idle reserved capacity is lent to spot
    }
  }
  return true;
}

struct Filter {
  const World& world;
  const Job& job;
  const Tier& tier;
  bool needed() const {
    const bool volumes = !job.spec.volumes.empty() && world.state().sites.size() > 1;
    return volumes || !tier.sites.empty() || !job.demand.sites.empty() || !job.demand.apart.empty();
  }
  bool operator()(NodeIx n) const {
    return tier.at(world.state().nodes[n].site) && admits(world, job, n);
  }
};

// The most nodes that could serve the demand inside one domain of the level it requires.
std::int64_t widest_domain(const World& w, const Job& job) {
  const Demand& d = job.demand;
  std::map<std::uint32_t, std::int64_t> count;
  std::int64_t widest = 0;
  for (NodeIx n = 0; n < w.state().nodes.size(); ++n) {
    const Node& node = w.state().nodes[n];
    if (node.state == NodeState::absent || node.gpus.size() < d.gpus_per_node) continue;
    if (!serves(node, d, d.skus)) continue;
    if (!admits_site(w, job, node.site)) continue;
    widest = std::max(widest, ++count[w.domain(n, d.together)]);
  }
  return widest;
}

// For one rank on a node with holds.
std::optional<Place> fit_held(const World& w, const Seeker& s, const Tier& tier, NodeIx n) {
  const Demand& d = s.job.demand;
  const Node& node = w.state().nodes[n];
  if (!w.takes_work(n) || !tier.at(node.site) || !serves(node, d, tier.skus)) return std::nullopt;
  if (!is_share(d) && w.free_gpus(n) < d.gpus_per_node) return std::nullopt;
  if (!admits(w, s.job, n)) return std::nullopt;
  const NodeNeed need = need_of(d, tier.cpu_milli, tier.memory_mib, s.job.project);
  const auto grip = w.packer.fit(n, need, allowed_cards(w, n, s));
  if (!grip || !left_for(w, n, s).holds(tier)) return std::nullopt;
  return Place{n, grip->gpu_mask, grip->mig_slices};
}

const std::vector<SkuIx>& kinds_for(const World& w, const Demand& d, const Tier& tier) {
  return d.gpus_per_node ? tier.skus : w.all_skus;
}

std::optional<Place> best_open(const World& w, const Packer& packer, const Job& job,
                               const Tier& tier) {
  const NodeNeed need = need_of(job.demand, tier.cpu_milli, tier.memory_mib, job.project);
  const Filter filter{w, job, tier};
  const auto& skus = kinds_for(w, job.demand, tier);
  const auto grip = filter.needed() ? packer.best(skus, need, filter) : packer.best(skus, need);
  if (!grip) return std::nullopt;
  return Place{grip->node, grip->gpu_mask, grip->mig_slices};
}

// f(node) for each node with holds that the seeker might use, ascending. Cards inside a reservation
// are on its own nodes alone.
template <typename F>
void each_held(const World& w, const Demand& d, F&& f) {
  const Window* own = d.gpus_per_node ? w.window(d.reservation) : nullptr;
  if (!own) {
    for (const auto& [n, holds] : w.holds) f(n);
    return;
  }
  std::vector<NodeIx> nodes;
  for (const Place& p : own->places) nodes.push_back(p.node);
  std::sort(nodes.begin(), nodes.end());
  nodes.erase(std::unique(nodes.begin(), nodes.end()), nodes.end());
  for (const NodeIx n : nodes) f(n);
}

// Whole cards that are held and would be idle are used first: the open nodes stay open. A part of
// one goes where it suits the packer best.
std::optional<Place> place_one(const World& w, const Seeker& s, const Tier& tier) {
  const Demand& d = s.job.demand;
  if (is_share(d) && d.reservation.is_nil())
    if (const auto open = best_open(w, w.packer, s.job, tier)) return open;
  std::optional<Place> best;
  std::uint32_t best_free = UINT32_MAX;
  each_held(w, d, [&](NodeIx n) {
    const std::uint32_t free = w.free_gpus(n);
    if (free >= best_free || (!is_share(d) && free < d.gpus_per_node)) return;
    if (const auto p = fit_held(w, s, tier, n)) {
      best = p;
      best_free = free;
    }
  });
  if (best || is_share(d) || !d.reservation.is_nil()) return best;
  return best_open(w, w.packer, s.job, tier);
}

// Of the first site that has room for all.
std::vector<NodeIx> closest_at_one_site(const World& w, const std::vector<NodeIx>& nodes,
                                        std::size_t count, Together together) {
  if (w.state().sites.size() == 1) return closest(w, nodes, count, together);
  std::map<SiteIx, std::vector<NodeIx>> of_site;
  for (const NodeIx n : nodes) of_site[w.state().nodes[n].site].push_back(n);
  for (const auto& [site, there] : of_site)
    if (auto chosen = closest(w, there, count, together); !chosen.empty()) return chosen;
  return {};
}

// Nodes for a gang, held ones first among those that are as tight; all ranks on one kind.
std::vector<Place> place_gang(const World& w, const Packer& packer, const Seeker* seeker,
                              const Job& job, const Tier& tier) {
  const Demand& d = job.demand;
  const NodeNeed need = need_of(d, tier.cpu_milli, tier.memory_mib, job.project);
  const Filter filter{w, job, tier};
  for (const SkuIx sku : kinds_for(w, d, tier)) {
    const Tier one{tier.burn, {sku}, tier.cpu_milli, tier.memory_mib, tier.sites};
    std::vector<NodeIx> nodes;
    std::map<NodeIx, Place> held;
    if (seeker)
      each_held(w, d, [&](NodeIx n) {
        if (const auto p = fit_held(w, *seeker, one, n)) {
          held.emplace_hint(held.end(), n, *p);
          nodes.push_back(n);
        }
      });
    if (d.reservation.is_nil())
      packer.each(sku, need, [&](NodeIx n) {
        if (!filter.needed() || filter(n)) nodes.push_back(n);
        return true;
      });
    if (nodes.size() < d.nodes) continue;
    std::vector<Place> places;
    for (const NodeIx n : closest_at_one_site(w, nodes, d.nodes, d.together)) {
      if (const auto at = held.find(n); at != held.end()) {
        places.push_back(at->second);
      } else {
        const auto grip = packer.fit(n, need);
        places.push_back({n, grip->gpu_mask, grip->mig_slices});
      }
    }
    if (!places.empty()) return places;
  }
  return {};
}

}  // namespace

Seeker seeker_of(const World& world, const Job& job, Instant now, std::int64_t rank) {
  Seeker s{job, now, forever, forever, rank};
  if (job.time_limit_s)
    s.surely_gone = now + Duration::seconds(job.time_limit_s + job.grace_s + start_slack_s);
  if (!world.promised.empty()) {  // only then does anybody ask
    const std::int64_t run = expected_s(world, job, job.attained_s, likely_permille);
    s.likely_gone = now + Duration::seconds(run - job.attained_s + start_slack_s);
  }
  return s;
}

void fill_defaults(const Sku& sku, const Demand& d, std::int64_t& cpu_milli,
                   std::int64_t& memory_mib) {
  // A share of a card has that share of its CPU and memory.
  const std::int64_t gpus = std::max<std::int64_t>(1, d.gpus_per_node);
  const std::int64_t milli = d.gpus_per_node ? d.gpu_milli : 1000;
  cpu_milli = d.cpu_milli ? d.cpu_milli : sku.cpu_milli_per_gpu * gpus * milli / 1000;
  memory_mib = d.memory_mib ? d.memory_mib : sku.memory_mib_per_gpu * gpus * milli / 1000;
}

NodeNeed need_of(const Demand& d, std::int64_t cpu_milli, std::int64_t memory_mib,
                 ProjectIx tenant) {
  NodeNeed need;
  need.gpus = d.gpus_per_node;
  need.gpu_milli = d.gpu_milli;
  need.mig = d.mig;
  need.cpu_milli = cpu_milli;
  need.memory_mib = memory_mib;
  need.tenant = tenant;
  return need;
}

NodeNeed typical_need(const World& world, const Job& job) {
  std::int64_t cpu_milli = 0, memory_mib = 0;
  fill_defaults(world.state().skus[job.demand.skus[0]], job.demand, cpu_milli, memory_mib);
  return need_of(job.demand, cpu_milli, memory_mib, job.project);
}

NodeRoom room_of(const Node& node) {
  return {node.sku, static_cast<std::uint32_t>(node.gpus.size()), node.cpu_milli, node.memory_mib,
          node.rents_cpu};
}

bool serves(const Node& node, const Demand& d, std::span<const SkuIx> skus) {
  if (d.gpus_per_node == 0) return node.rents_cpu;
  return std::find(skus.begin(), skus.end(), node.sku) != skus.end();
}

std::int64_t gpu_milli_of(const Demand& d) {
  return static_cast<std::int64_t>(d.nodes) * d.gpus_per_node * d.gpu_milli;
}

namespace {

// At one site, or (nobody) wherever it may stand, by the dearest.
std::vector<Tier> tiers_at(const World& world, const Job& job, SiteIx site, Instant now) {
  std::vector<Tier> tiers;
  for (const SkuIx s : job.demand.skus) {
    Tier t{0, {s}, 0, 0};
    const Sku& sku = world.state().skus[s];
    fill_defaults(sku, job.demand, t.cpu_milli, t.memory_mib);
    const auto rates = rates_for(world.state(), job, s, site, t.cpu_milli, t.memory_mib, now);
    if (!rates) continue;
    if (job.demand.most_price && rates->gpu_price > job.demand.most_price) continue;
    t.burn = burn_rate(*rates);
    const auto same = std::find_if(tiers.begin(), tiers.end(), [&](const Tier& other) {
      return other.burn == t.burn && other.cpu_milli == t.cpu_milli &&
             other.memory_mib == t.memory_mib;
    });
    if (same == tiers.end())
      tiers.push_back(std::move(t));
    else
      same->skus.push_back(s);
  }
  std::stable_sort(tiers.begin(), tiers.end(),
                   [](const Tier& a, const Tier& b) { return a.burn < b.burn; });
  return tiers;
}

// A tier of one site, and what decides between those of equal price.
struct Ranked {
  Tier tier;
  std::int64_t volumes = 0;  // of its project that live there; of who mounts none: 0
  Ticks power = 0;
  bool better(const Ranked& o) const {
    return std::tuple(tier.burn, -volumes, power) < std::tuple(o.tier.burn, -o.volumes, o.power);
  }
  bool as_good(const Ranked& o) const {
    return !better(o) && !o.better(*this) && tier.skus == o.tier.skus &&
           tier.cpu_milli == o.tier.cpu_milli && tier.memory_mib == o.tier.memory_mib;
  }
};

bool has_any(const World& w, const Job& job, SiteIx site) {
  return std::any_of(w.hardware.begin(), w.hardware.end(), [&](const auto& kind) {
    const auto& skus = job.demand.skus;
    return kind.first.site == site &&
           (job.demand.gpus_per_node
                ? std::find(skus.begin(), skus.end(), kind.first.sku) != skus.end()
                : kind.first.rents_cpu);
  });
}

}  // namespace

std::vector<Tier> tiers_of(const World& world, const Job& job, Instant now) {
  const State& s = world.state();
  if (s.sites.size() == 1) return tiers_at(world, job, nobody, now);
  std::vector<Ranked> ranked;
  std::size_t there = 0;
  for (SiteIx site = 0; site < s.sites.size(); ++site) {
    if (s.sites[site].removed || !admits_site(world, job, site) || !has_any(world, job, site))
      continue;
    ++there;
    std::int64_t volumes = 0;
    if (!job.spec.volumes.empty())
      for (const VolumeHome& v : s.volumes) volumes += v.project == job.project && v.site == site;
    for (Tier& t : tiers_at(world, job, site, now)) {
      t.sites = {site};
      Ranked one{std::move(t), volumes, s.sites[site].power_cost()};
      const auto same = std::find_if(ranked.begin(), ranked.end(),
                                     [&](const Ranked& o) { return o.as_good(one); });
      if (same == ranked.end())
        ranked.push_back(std::move(one));
      else
        same->tier.sites.push_back(site);
    }
  }
  if (ranked.empty()) return tiers_at(world, job, nobody, now);  // it may stand nowhere: its price
  std::stable_sort(ranked.begin(), ranked.end(),
                   [](const Ranked& a, const Ranked& b) { return a.better(b); });
  std::vector<Tier> tiers;
  for (Ranked& r : ranked) tiers.push_back(std::move(r.tier));
  for (Tier& t : tiers)  // all there are: nothing to choose between
    if (t.sites.size() == there && job.demand.sites.empty()) t.sites.clear();
  return tiers;
}

std::optional<Placement> place(const World& world, const Seeker& seeker,
                               const std::vector<Tier>& tiers) {
  for (const Tier& tier : tiers) {
    Placement p{tier.skus[0], {}, tier.cpu_milli, tier.memory_mib};
    if (seeker.job.demand.nodes == 1) {
      if (const auto one = place_one(world, seeker, tier)) p.places.push_back(*one);
    } else {
      p.places = place_gang(world, world.packer, &seeker, seeker.job, tier);
    }
    if (p.places.empty()) continue;
    if (seeker.job.demand.gpus_per_node) p.sku = world.state().nodes[p.places[0].node].sku;
    return p;
  }
  return std::nullopt;
}

std::uint64_t allowed_cards(const World& w, NodeIx n, const Seeker& s) {
  const Id reservation = s.job.demand.reservation;
  std::uint64_t own = reservation.is_nil() ? ~0ULL : 0, others = 0;
  if (const auto at = w.holds.find(n); at != w.holds.end())
    for (const Hold& hold : at->second) {
      if (stays_out_of(w, hold, s))
        others |= hold.gpu_mask;
      else if (hold.why == Hold::Why::window && w.state().windows[hold.owner].id == reservation)
        own |= hold.gpu_mask;
    }
  return own & ~others;
}

std::vector<Place> place_open(const World& w, const Packer& packer, const Job& job,
                              const Tier& tier) {
  if (job.demand.nodes > 1) return place_gang(w, packer, nullptr, job, tier);
  if (const auto one = best_open(w, packer, job, tier)) return {*one};
  return {};
}

Instant surely_ends(const World& w, const Job& job, Instant now) {
  if (job.state == JobState::stopping)
    return std::max(now, notice_ends(w.state().policy, job) + Duration::seconds(confirm_s));
  if (job.time_limit_s == 0) return forever;
  const Instant start = job.lease->started_at.us ? job.lease->started_at : now + start_timeout;
  return start + Duration::seconds(job.time_limit_s + job.grace_s + confirm_s);
}

namespace {

// A lease of a node, and what of it is not yet counted for a hold.
struct Cover {
  std::uint64_t cards = 0;
  Instant over;
  std::int64_t cpu_milli = 0;
  std::int64_t memory_mib = 0;
};

void count_for(std::int64_t& held, std::int64_t& cover) {
  const std::int64_t both = std::max<std::int64_t>(0, std::min(held, cover));
  held -= both;
  cover -= both;
}

}  // namespace

Leftover left_for(const World& w, NodeIx n, const Seeker& s, std::span<const Slot> gone) {
  const Node& node = w.state().nodes[n];
  Leftover left{~0ULL, node.cpu_milli - w.use[n].cpu_milli, node.memory_mib - w.use[n].memory_mib};
  for (const Slot slot : gone) {
    left.cpu_milli += w.state().jobs[slot].lease->cpu_milli;
    left.memory_mib += w.state().jobs[slot].lease->memory_mib;
  }
  const auto at = w.holds.find(n);
  if (at == w.holds.end() && s.job.demand.reservation.is_nil()) return left;
  left.gpu_mask = allowed_cards(w, n, s);
  if (at == w.holds.end()) return left;
  std::vector<Hold> holds;
  for (const Hold& hold : at->second)
    if (stays_out_of(w, hold, s)) holds.push_back(hold);
  if (holds.empty()) return left;
  std::vector<Cover> covers;
  for (const Slot slot : w.use[n].leases) {
    if (std::find(gone.begin(), gone.end(), slot) != gone.end()) continue;
    const Job& job = w.state().jobs[slot];
    Cover cover{0, surely_ends(w, job, s.now), job.lease->cpu_milli, job.lease->memory_mib};
    for (const Place& p : job.lease->places)
      if (p.node == n) cover.cards |= p.gpu_mask;
    covers.push_back(cover);
  }
  // First what stands on the held cards themselves.
  for (const bool by_cards : {true, false})
    for (Hold& hold : holds)
      for (Cover& cover : covers)
        if (by_cards ? (cover.cards & hold.gpu_mask) != 0 : cover.over <= hold.from) {
          count_for(hold.cpu_milli, cover.cpu_milli);
          count_for(hold.memory_mib, cover.memory_mib);
        }
  for (const Hold& hold : holds) {
    left.cpu_milli -= hold.cpu_milli;
    left.memory_mib -= hold.memory_mib;
  }
  return left;
}

bool admits_site(const World& w, const Job& job, SiteIx site) {
  const auto& named = job.demand.sites;
  if (!named.empty() && std::find(named.begin(), named.end(), site) == named.end()) return false;
  if (w.state().sites.size() == 1) return true;
  return std::all_of(job.spec.volumes.begin(), job.spec.volumes.end(), [&](const auto& m) {
    return w.volume_home(job.project, m.volume).value_or(site) == site;
  });
}

bool are_apart(const Job& a, const Job& b) {
  return !a.demand.apart.empty() && a.project == b.project && a.demand.apart == b.demand.apart;
}

bool mate_will_come(const World& w, const Job& job, NodeIx n) {
  const auto at = job.demand.apart.empty() ? w.holds.end() : w.holds.find(n);
  return at != w.holds.end() &&
         std::any_of(at->second.begin(), at->second.end(), [&](const Hold& hold) {
           if (hold.why == Hold::Why::window || hold.owner == job.queue_order) return false;
           const Job& owner = w.queued(hold.owner);
           const bool outranked = hold.why == Hold::Why::promise && job.job_class < owner.job_class;
           return !outranked && are_apart(job, owner);
         });
}

bool admits(const World& w, const Job& job, NodeIx n) {
  if (!admits_site(w, job, w.state().nodes[n].site) || mate_will_come(w, job, n)) return false;
  return job.demand.apart.empty() ||
         std::none_of(w.use[n].leases.begin(), w.use[n].leases.end(),
                      [&](Slot slot) { return are_apart(job, w.state().jobs[slot]); });
}

std::vector<NodeIx> closest(const World& w, const std::vector<NodeIx>& nodes, std::size_t count,
                            Together together) {
  std::vector<Together> levels = {Together::nvlink, Together::rack, Together::leaf};
  if (together != Together::any) levels = {together};
  if (nodes.size() < count) return {};
  for (const Together level : levels) {
    std::map<std::uint32_t, std::size_t> of_domain;
    for (const NodeIx n : nodes) ++of_domain[w.domain(n, level)];
    std::optional<std::uint32_t> best;
    for (const auto& [domain, size] : of_domain)
      if (size >= count && (!best || size < of_domain[*best])) best = domain;
    if (!best) continue;
    std::vector<NodeIx> inside;
    for (const NodeIx n : nodes)
      if (w.domain(n, level) == *best) inside.push_back(n);
    if (level == Together::nvlink || inside.size() == count) {
      inside.resize(count);
      return inside;
    }
    // Closer still, inside the one that was chosen.
    for (const Together finer : {Together::nvlink, Together::rack}) {
      if (finer >= level) break;
      if (auto near = closest(w, inside, count, finer); !near.empty()) return near;
    }
    inside.resize(count);
    return inside;
  }
  if (together != Together::any) return {};
  // No leaf has room for all: few leaves, those with most room first.
  std::map<std::uint32_t, std::vector<NodeIx>> by_leaf;
  for (const NodeIx n : nodes) by_leaf[w.domain(n, Together::leaf)].push_back(n);
  std::vector<const std::vector<NodeIx>*> leaves;
  for (const auto& [leaf, members] : by_leaf) leaves.push_back(&members);
  std::stable_sort(leaves.begin(), leaves.end(),
                   [](const auto* a, const auto* b) { return a->size() > b->size(); });
  std::vector<NodeIx> chosen;
  if (leaves.size() == nodes.size()) {  // no labels: tightest first
    chosen.assign(nodes.begin(), nodes.begin() + static_cast<std::ptrdiff_t>(count));
    return chosen;
  }
  for (const auto* members : leaves)
    for (const NodeIx n : *members)
      if (chosen.size() < count) chosen.push_back(n);
  return chosen;
}

std::vector<base::Missing> never_fits(const World& world, const Job& job) {
  const Demand& d = job.demand;
  std::int64_t suitable = 0, most_gpus = 0, most_cpu = 0, most_memory = 0;
  std::int64_t want_cpu = 0, want_memory = 0;
  for (const SkuIx s : d.skus) {
    fill_defaults(world.state().skus[s], d, want_cpu, want_memory);
    std::map<SiteIx, std::int64_t> fitting;  // a gang stands at one site
    for (const auto& [kind, count] : world.hardware) {
      if (d.gpus_per_node ? kind.sku != s : !kind.rents_cpu) continue;
      if (!admits_site(world, job, kind.site)) continue;
      most_gpus = std::max<std::int64_t>(most_gpus, kind.gpus);
      most_cpu = std::max(most_cpu, kind.cpu_milli);
      most_memory = std::max(most_memory, kind.memory_mib);
      if (kind.gpus >= d.gpus_per_node && kind.cpu_milli >= want_cpu &&
          kind.memory_mib >= want_memory)
        fitting[kind.site] += count;
    }
    for (const auto& [site, nodes] : fitting) suitable = std::max(suitable, nodes);
  }
  if (suitable >= d.nodes && d.together == Together::any) return {};
  std::vector<base::Missing> missing;
  if (suitable >= d.nodes) {
    const std::int64_t widest = widest_domain(world, job);
    if (widest < d.nodes)
      missing.push_back(
          {"nodes_in_one_" + std::string(base::enum_name(d.together)), d.nodes, widest});
    return missing;
  }
  if (most_gpus < d.gpus_per_node) missing.push_back({"gpus_per_node", d.gpus_per_node, most_gpus});
  if (most_cpu < want_cpu) missing.push_back({"cpu_milli_per_node", want_cpu, most_cpu});
  if (most_memory < want_memory)
    missing.push_back({"memory_mib_per_node", want_memory, most_memory});
  if (missing.empty()) missing.push_back({"nodes", d.nodes, suitable});
  return missing;
}

}  // namespace ampacity::core
