#include "core/survey.h"

#include <algorithm>
#include <bit>

#include "core/history.h"
#include "core/order.h"

namespace ampacity::core {
namespace {

constexpr std::int64_t at_median = 500;

// By the median of what was learnt.
Instant expected_end(const World& w, const Job& job, Instant now) {
  if (job.state == JobState::stopping) return std::max(now, notice_ends(w.state().policy, job));
  const std::int64_t attained = attained_s(job, now);
  return now + Duration::seconds(expected_s(w, job, attained, at_median) - attained);
}

// Counts the nodes of one SKU and finds whose end makes the last missing one free.
class Survey {
 public:
  Survey(const World& w, const Seeker& s, const Tier& tier, SkuIx sku, std::size_t& followed)
      : w_(w), s_(s), tier_(tier), sku_(sku), followed_(followed) {}

  Room room() {
    for (NodeIx n = 0; n < w_.state().nodes.size(); ++n) look_at(n);
    Room best{sku_, tier_.cpu_milli, tier_.memory_mib, 0, 0, 0, 0, 0, gpus_free_, {}};
    if (domains_.empty()) return best;
    const auto nodes = s_.job.demand.nodes;
    std::uint32_t everywhere = 0;
    Domain* first = nullptr;
    Instant ready_first = forever;
    for (auto& [label, d] : domains_) {
      everywhere += d.now;
      std::sort(d.ends.begin(), d.ends.end());
      const std::size_t missing = nodes > d.now ? nodes - d.now : 0;
      d.missing = missing;
      const Instant ready = missing == 0              ? s_.now
                            : missing > d.ends.size() ? forever
                                                      : d.ends[missing - 1].at;
      const auto key = [](Instant at, const Domain& x) {
        return std::tuple(at, -std::int64_t{x.now}, -std::int64_t{x.held});
      };
      if (first && key(ready_first, *first) <= key(ready, d)) continue;
      first = &d;
      ready_first = ready;
    }
    best.nodes_now = first->now;
    best.nodes_held = first->held;
    best.nodes_short = first->without_cpu;
    best.nodes_promised = first->promised;
    best.nodes_elsewhere = everywhere - first->now;
    if (first->missing && first->missing <= first->ends.size()) {
      const End& end = first->ends[first->missing - 1];
      const Job& job = w_.state().jobs[end.slot];
      best.ending = Ending{job.id, job.project, end.at, end.node};
    }
    return best;
  }

 private:
  struct End {
    Instant at;
    NodeIx node = 0;
    Slot slot = 0;
    bool operator<(const End& o) const {
      return std::tie(at, node, slot) < std::tie(o.at, o.node, o.slot);
    }
  };
  struct Domain {
    std::uint32_t now = 0, held = 0, without_cpu = 0, promised = 0;
    std::size_t missing = 0;
    std::vector<End> ends;
  };

  void look_at(NodeIx n) {
    const Node& node = w_.state().nodes[n];
    const Demand& d = s_.job.demand;
    if (!w_.takes_work(n) || !tier_.at(node.site) || !serves(node, d, std::span(&sku_, 1)) ||
        !admits(w_, s_.job, n))
      return;
    gpus_free_ += w_.free_gpus(n);
    if (node.gpus.size() < d.gpus_per_node || node.cpu_milli < tier_.cpu_milli ||
        node.memory_mib < tier_.memory_mib)
      return;
    const std::uint32_t site = d.nodes > 1 ? node.site : 0;  // a gang stands at one
    Domain& in = domains_[d.together == Together::any ? site : w_.domain(n, d.together)];
    NodeNeed need = need_of(d, tier_.cpu_milli, tier_.memory_mib, s_.job.project);
    const bool fits = w_.packer.fit(n, need).has_value();
    if (fits && !kept(n)) {
      ++in.now;
      return;
    }
    need.cpu_milli = need.memory_mib = 0;
    in.held += fits;
    in.without_cpu += !fits && d.gpus_per_node && w_.packer.fit(n, need);
    const std::uint64_t allowed = w_.holds.contains(n) ? allowed_cards(w_, n, s_) : ~0ULL;
    if (const auto end = first_end(n, allowed))
      in.ends.push_back(*end);
    else
      in.promised += !fits && ~allowed && first_end(n, ~0ULL);
  }

  // Do others have a right to what it would need there?
  bool kept(NodeIx n) const {
    if (!w_.holds.contains(n)) return false;
    const Leftover left = left_for(w_, n, s_);
    const NodeNeed need = need_of(s_.job.demand, tier_.cpu_milli, tier_.memory_mib, s_.job.project);
    return !left.holds(tier_) || !w_.packer.fit(n, need, left.gpu_mask);
  }

  // Work of a lower class goes when it is told to.
  Instant end_of(const Job& job) const {
    const bool tellable = yields(job.job_class) && job.job_class > s_.job.job_class;
    const Instant told = s_.now + Duration::seconds(w_.state().policy.spot_grace_s);
    const Instant by_itself = expected_end(w_, job, s_.now);
    return tellable ? std::min(told, by_itself) : by_itself;
  }

  // Its leases end one after the other: the one with which there is room.
  std::optional<End> first_end(NodeIx n, std::uint64_t allowed) {
    const Node& node = w_.state().nodes[n];
    const Demand& d = s_.job.demand;
    const auto& leases = w_.use[n].leases;
    if ((followed_ += leases.size()) > most_followed) return std::nullopt;
    const std::uint64_t all = all_cards(node);
    std::vector<End> ends;
    for (const Slot slot : leases) ends.push_back({end_of(w_.state().jobs[slot]), n, slot});
    std::sort(ends.begin(), ends.end());
    std::int64_t cpu = w_.packer.free_cpu(n), memory = w_.packer.free_memory(n);
    for (std::size_t i = 0; i < ends.size(); ++i) {
      const Lease& lease = *w_.state().jobs[ends[i].slot].lease;
      cpu += lease.cpu_milli;
      memory += lease.memory_mib;
      std::uint64_t busy = 0;
      for (std::size_t k = i + 1; k < ends.size(); ++k)
        for (const Place& p : w_.state().jobs[ends[k].slot].lease->places)
          if (p.node == n) busy |= p.gpu_mask;
      const auto cards = std::popcount(all & allowed & ~busy);
      if (cpu < tier_.cpu_milli || memory < tier_.memory_mib) continue;
      if (is_share(d) ? allowed != 0 : cards >= static_cast<int>(d.gpus_per_node)) return ends[i];
    }
    return std::nullopt;
  }

  const World& w_;
  const Seeker& s_;
  const Tier& tier_;
  const SkuIx sku_;
  std::size_t& followed_;
  std::uint32_t gpus_free_ = 0;
  std::map<std::uint32_t, Domain> domains_;
};

}  // namespace

Room survey(const World& world, const Seeker& seeker, const Tier& tier, SkuIx sku,
            std::size_t& followed) {
  return Survey(world, seeker, tier, sku, followed).room();
}

}  // namespace ampacity::core
