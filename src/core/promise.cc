#include "core/promise.h"

#include <algorithm>
#include <bit>

#include "core/history.h"
#include "core/meter.h"
#include "core/order.h"
#include "core/packer_mig.h"
#include "core/settle.h"

namespace ampacity::core {
namespace {

// All that a promise waits for ends in time in nine of ten cases: so each of n of them must in
// 0.9^(1/n), here in permille by powers of two of n.
constexpr std::int64_t permille_of_each[] = {900, 949, 974, 987, 993, 997, 998};
constexpr Duration furthest_promise = Duration::seconds(90LL * 86'400);

struct LeaseEnd {
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
    if (!w_.takes_work(n) || !tier_.at(node.site) || !admits_site(w_, s_.job, node.site))
      return std::nullopt;
    if (node.cpu_milli < tier_.cpu_milli || node.memory_mib < tier_.memory_mib) return std::nullopt;
    // A card that others hold is not considered.
    const std::uint64_t allowed = all_cards(node) & allowed_cards(w_, n, s_);
    if (std::popcount(allowed) < static_cast<int>(d.gpus_per_node)) return std::nullopt;
    free_cards(n, allowed);
    if (free_.size() < d.gpus_per_node) return std::nullopt;
    if (free_.size() > d.gpus_per_node) std::sort(free_.begin(), free_.end());
    NodeTime time{s_.now, n, 0, true};
    for (std::uint32_t g = 0; g < d.gpus_per_node; ++g) {
      time.at = std::max(time.at, free_[g].at);
      time.mask |= free_[g].mask;
      time.certain &= free_[g].certain;
    }
    if (!room_beside(n, time) || !mates_gone(n, time)) return std::nullopt;
    if (time.at > s_.now + furthest_promise) return std::nullopt;
    return time;
  }

 private:
  static Instant at_of(const LeaseEnd& end) {
    return end.surely != forever ? end.surely : end.likely;
  }
  static const Place* place_on(const Job& job, NodeIx n) {
    for (const Place& p : job.lease->places)
      if (p.node == n) return &p;
    return nullptr;
  }
  static void wait_for(NodeTime& time, const LeaseEnd& end) {
    time.at = std::max(time.at, at_of(end));
    time.certain &= end.surely != forever;
  }

  // Into free_: when each card is free for it, as a whole or, for a part, as far as it needs.
  void free_cards(NodeIx n, std::uint64_t allowed) {
    free_.clear();
    const bool part = is_share(s_.job.demand);
    for (; allowed; allowed &= allowed - 1) {
      const auto g = static_cast<std::uint32_t>(std::countr_zero(allowed));
      free_.push_back({s_.now, g, 1ULL << g, true});
      if (part && !part_is_free(n, free_.back())) free_.pop_back();
    }
    if (part || free_.empty()) return;
    for (const Slot slot : w_.use[n].leases) {
      const Job& job = w_.state().jobs[slot];
      const std::uint64_t on = place_on(job, n)->gpu_mask;
      if (on == 0) continue;
      const LeaseEnd end = end_of(slot, job);
      for (NodeTime& card : free_)
        if (card.mask & on) wait_for(card, end);
    }
  }

  // One card's parts end one after the other, until there is room beside those that stay: shares of
  // its own project, or slices. False: never.
  bool part_is_free(NodeIx n, NodeTime& card) {
    const Demand& d = s_.job.demand;
    std::vector<std::pair<Instant, Slot>> ends;
    std::uint32_t milli = 0, slices = 0, others = 0;  // others: it can share with none of these
    const auto is_like = [&](const Job& job) {
      return d.mig ? job.demand.mig != 0
                   : job.demand.mig == 0 && job.demand.gpu_milli != 1000 &&
                         job.project == s_.job.project;
    };
    for (const Slot slot : w_.use[n].leases) {
      const Job& job = w_.state().jobs[slot];
      const Place* p = place_on(job, n);
      if (!(p->gpu_mask & card.mask)) continue;
      ends.emplace_back(at_of(end_of(slot, job)), slot);
      others += !is_like(job);
      milli += job.demand.gpu_milli;
      slices |= p->mig_slices;
    }
    std::sort(ends.begin(), ends.end());
    const auto fits = [&] {
      return others == 0 && (d.mig ? place_slice(slices, d.mig) != 0 : milli + d.gpu_milli <= 1000);
    };
    for (auto e = ends.begin(); !fits(); ++e) {
      if (e == ends.end()) return false;
      const Job& job = w_.state().jobs[e->second];
      wait_for(card, end_of(e->second, job));
      others -= !is_like(job);
      milli -= job.demand.gpu_milli;
      slices &= ~place_on(job, n)->mig_slices;
    }
    return true;
  }

  // CPU and memory beside the cards: until enough of what runs has ended.
  bool room_beside(NodeIx n, NodeTime& time) {
    if (left_for(w_, n, s_).holds(tier_)) return true;
    std::vector<std::pair<Instant, Slot>> ends;
    for (const Slot slot : w_.use[n].leases)
      ends.emplace_back(at_of(end_of(slot, w_.state().jobs[slot])), slot);
    std::sort(ends.begin(), ends.end());
    std::vector<Slot> gone;
    for (const auto& [at, slot] : ends) {
      gone.push_back(slot);
      wait_for(time, end_of(slot, w_.state().jobs[slot]));
      if (left_for(w_, n, s_, gone).holds(tier_)) return true;
    }
    return false;
  }

  // Those it must be apart from have left, and none of them has a right to come.
  bool mates_gone(NodeIx n, NodeTime& time) {
    if (s_.job.demand.apart.empty()) return true;
    if (mate_will_come(w_, s_.job, n)) return false;
    for (const Slot slot : w_.use[n].leases)
      if (const Job& job = w_.state().jobs[slot]; are_apart(s_.job, job))
        wait_for(time, end_of(slot, job));
    return true;
  }

  const LeaseEnd& end_of(Slot slot, const Job& job) {
    LeaseEnd& end = ends_[slot];
    if (end.surely.us) return end;
    end = {surely_ends(w_, job, s_.now), forever};
    if (job.state != JobState::stopping && job.job_class > s_.job.job_class &&
        yields(job.job_class)) {
      end.surely = s_.now + Duration::seconds(w_.state().policy.spot_grace_s + confirm_s);
    } else if (end.surely == forever) {
      const std::int64_t attained = attained_s(job, s_.now);
      end.likely = s_.now + Duration::seconds(expected_s(w_, job, attained, permille_) - attained);
    }
    return end;
  }

  const World& w_;
  const Seeker& s_;
  const Tier& tier_;
  std::int64_t permille_ = 900;
  std::vector<LeaseEnd> ends_;  // by slot; zero: not asked yet
  std::vector<NodeTime> free_;  // of the node that is looked at
};

std::vector<NodeIx> nodes_of(const Window& window) {
  std::vector<NodeIx> nodes;
  for (const Place& p : window.places) nodes.push_back(p.node);
  std::sort(nodes.begin(), nodes.end());
  nodes.erase(std::unique(nodes.begin(), nodes.end()), nodes.end());
  return nodes;
}

// The first domain, in order of time, that has as many nodes as the gang; the widest is a site.
std::vector<NodeIx> soonest_domain(const World& w, const std::vector<NodeIx>& order,
                                   const Demand& d) {
  std::map<std::uint32_t, std::vector<NodeIx>> members;
  for (const NodeIx n : order) {
    auto& of =
        members[d.together == Together::any ? w.state().nodes[n].site : w.domain(n, d.together)];
    of.push_back(n);
    if (of.size() == d.nodes) return of;
  }
  return {};
}

}  // namespace

std::optional<Promise> promise_for(const World& world, const Seeker& seeker,
                                   const std::vector<Tier>& tiers) {
  const Demand& d = seeker.job.demand;
  std::optional<Promise> best;
  for (const Tier& tier : tiers) {
    for (const SkuIx sku : tier.skus) {
      Timeline timeline(world, seeker, tier);
      std::vector<NodeTime> times;
      const auto consider = [&](NodeIx n) {
        const Node& node = world.state().nodes[n];
        if (d.gpus_per_node ? node.sku == sku : node.rents_cpu)
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
      const std::vector<NodeIx> chosen = soonest_domain(world, order, d);
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
