#include "core/promise.h"

#include <algorithm>
#include <bit>

#include "core/history.h"
#include "core/meter.h"
#include "core/order.h"
#include "core/settle.h"

namespace ampacity::core {
namespace {

// All that a promise waits for ends in time in nine of ten cases: so each of n of them must in
// 0.9^(1/n), here in permille by powers of two of n.
constexpr std::int64_t permille_of_each[] = {900, 949, 974, 987, 993, 997, 998};
constexpr Duration furthest = Duration::seconds(90LL * 86'400);

struct End {
  Instant surely;
  Instant likely;
};

// When cards of one node are free for the seeker.
struct NodeTime {
  Instant at;
  NodeIx node = 0;
  std::uint64_t mask = 0;
  bool certain = true;
  bool operator<(const NodeTime& o) const { return std::tie(at, node) < std::tie(o.at, o.node); }
};

class Timeline {
 public:
  Timeline(const World& w, const Seeker& s, const Tier& tier)
      : w_(w), s_(s), tier_(tier), ends_(w.state().jobs.size()) {
    const std::size_t ranks =
        std::bit_width(std::size_t{s.job.demand.nodes} * std::max(1U, s.job.demand.gpus_per_node)) -
        1;
    permille_ = permille_of_each[std::min(ranks, std::size(permille_of_each) - 1)];
  }

  std::optional<NodeTime> node(NodeIx n) {
    const Demand& d = s_.job.demand;
    const Node& node = w_.state().nodes[n];
    if (node.state != NodeState::active || !admits(w_, s_.job, n)) return std::nullopt;
    if (node.cpu_milli < tier_.cpu_milli || node.memory_mib < tier_.memory_mib) return std::nullopt;
    // Each card is free at the latest end on it; a card that others hold is not considered.
    const auto cards = static_cast<std::uint32_t>(node.gpus.size());
    const std::uint64_t allowed = all_cards(node) & allowed_cards(w_, n, s_);
    if (std::popcount(allowed) < static_cast<int>(d.gpus_per_node)) return std::nullopt;
    std::vector<NodeTime>& free = free_;
    free.clear();
    for (std::uint32_t g = 0; g < cards; ++g)
      if (allowed >> g & 1) free.push_back({s_.now, g, 1ULL << g, true});
    for (const Slot slot : w_.use[n].leases) {
      const Job& job = w_.state().jobs[slot];
      const std::uint64_t on = cards_of(job, n) & allowed;
      if (on == 0) continue;
      const End end = end_of(slot, job);
      const bool certain = end.surely != forever;
      for (NodeTime& card : free)
        if (card.mask & on) {
          card.at = std::max(card.at, certain ? end.surely : end.likely);
          card.certain &= certain;
        }
    }
    if (free.size() > d.gpus_per_node) std::sort(free.begin(), free.end());
    NodeTime time{s_.now, n, 0, true};
    for (std::uint32_t g = 0; g < d.gpus_per_node; ++g) {
      time.at = std::max(time.at, free[g].at);
      time.mask |= free[g].mask;
      time.certain &= free[g].certain;
    }
    if (!room_beside(n, allowed, time)) return std::nullopt;
    if (time.at > s_.now + furthest) return std::nullopt;
    return time;
  }

 private:
  static std::uint64_t cards_of(const Job& job, NodeIx n) {
    for (const Place& p : job.lease->places)
      if (p.node == n) return p.gpu_mask;
    return 0;
  }
  // CPU and memory beside the cards: until enough of what runs has ended. What runs on cards that
  // others hold gives its CPU back to them.
  bool room_beside(NodeIx n, std::uint64_t allowed, NodeTime& time) {
    const Leftover left = left_for(w_, n, s_);
    std::int64_t cpu = left.cpu_milli, memory = left.memory_mib;
    if (cpu >= tier_.cpu_milli && memory >= tier_.memory_mib) return true;
    std::vector<std::pair<Instant, Slot>> ends;
    for (const Slot slot : w_.use[n].leases) {
      const Job& job = w_.state().jobs[slot];
      bool beside = true;
      for (const Place& p : job.lease->places) beside &= p.node != n || !(p.gpu_mask & ~allowed);
      const End end = end_of(slot, job);
      if (beside) ends.emplace_back(end.surely != forever ? end.surely : end.likely, slot);
    }
    std::sort(ends.begin(), ends.end());
    for (auto e = ends.begin(); cpu < tier_.cpu_milli || memory < tier_.memory_mib; ++e) {
      if (e == ends.end()) return false;
      const Job& job = w_.state().jobs[e->second];
      cpu += job.lease->cpu_milli;
      memory += job.lease->memory_mib;
      time.at = std::max(time.at, e->first);
      time.certain &= end_of(e->second, job).surely != forever;
    }
    return true;
  }

  End end_of(Slot slot, const Job& job) {
    if (ends_[slot].surely.us) return ends_[slot];
    const Lease& lease = *job.lease;
    const Duration confirm = Duration::seconds(confirm_s);
    End end{forever, forever};
    if (job.state == JobState::stopping) {
      end.surely = std::max(s_.now, notice_ends(w_.state().policy, job) + confirm);
    } else if (job.job_class > s_.job.job_class && yields(job.job_class)) {
      end.surely = s_.now + Duration::seconds(w_.state().policy.spot_grace_s) + confirm;
    } else if (job.time_limit_s) {
      const Instant start = lease.started_at.us ? lease.started_at : s_.now + start_timeout;
      end.surely = start + Duration::seconds(job.time_limit_s + job.grace_s) + confirm;
    } else {
      const std::int64_t attained = attained_s(job, s_.now);
      end.likely = s_.now + Duration::seconds(expected_s(w_, job, attained, permille_) - attained);
    }
    return ends_[slot] = end;
  }

  const World& w_;
  const Seeker& s_;
  const Tier& tier_;
  std::int64_t permille_ = 900;
  std::vector<End> ends_;       // by slot; zero: not asked yet
  std::vector<NodeTime> free_;  // of the node that is looked at
};

std::vector<NodeIx> nodes_of(const Window& window) {
  std::vector<NodeIx> nodes;
  for (const Place& p : window.places) nodes.push_back(p.node);
  std::sort(nodes.begin(), nodes.end());
  nodes.erase(std::unique(nodes.begin(), nodes.end()), nodes.end());
  return nodes;
}

// The first domain, in order of time, that has as many nodes as the gang.
std::vector<NodeIx> soonest_domain(const World& w, const std::vector<NodeIx>& order,
                                   const Demand& d) {
  std::map<std::uint32_t, std::vector<NodeIx>> members;
  for (const NodeIx n : order) {
    auto& of = members[w.domain(n, d.together)];
    of.push_back(n);
    if (of.size() == d.nodes) return of;
  }
  return {};
}

}  // namespace

std::optional<Promise> promise_for(const World& world, const Seeker& seeker,
                                   const std::vector<Tier>& tiers) {
  const Demand& d = seeker.job.demand;
  if (d.gpu_milli != 1000 || d.mig != 0 || d.gpus_per_node == 0 || !d.apart.empty())
    return std::nullopt;
  std::optional<Promise> best;
  for (const Tier& tier : tiers) {
    for (const SkuIx sku : tier.skus) {
      Timeline timeline(world, seeker, tier);
      std::vector<NodeTime> times;
      const auto consider = [&](NodeIx n) {
        if (world.state().nodes[n].sku == sku)
          if (const auto t = timeline.node(n)) times.push_back(*t);
      };
      if (const Window* own = world.window(d.reservation))  // its cards are there alone
        for (const NodeIx n : nodes_of(*own)) consider(n);
      else
        for (NodeIx n = 0; n < world.state().nodes.size(); ++n) consider(n);
      if (times.size() < d.nodes) continue;
      std::sort(times.begin(), times.end());
      std::vector<NodeIx> order;
      for (const NodeTime& t : times) order.push_back(t.node);
      std::vector<NodeIx> chosen(order.begin(), order.begin() + d.nodes);
      if (d.together != Together::any) chosen = soonest_domain(world, order, d);
      if (chosen.empty()) continue;
      Promise p{seeker.now, seeker.now, true, sku, {}, tier.cpu_milli, tier.memory_mib};
      for (const NodeTime& t : times)
        if (std::find(chosen.begin(), chosen.end(), t.node) != chosen.end()) {
          p.start_by = std::max(p.start_by, t.at);
          p.certain &= t.certain;
          p.places.push_back({t.node, t.mask, 0});
        }
      if (!best || p.start_by < best->start_by) best = std::move(p);
    }
  }
  return best;
}

}  // namespace ampacity::core
