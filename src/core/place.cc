#include "core/place.h"

#include <algorithm>
#include <bit>

#include "core/meter.h"

namespace ampacity::core {
namespace {

struct Need {
  std::uint32_t gpus;
  std::int64_t cpu_milli;
  std::int64_t memory_mib;
};

bool has_room(const Node& node, const NodeUse& use, const Need& need) {
  return node.cpu_milli - use.cpu_milli >= need.cpu_milli &&
         node.memory_mib - use.memory_mib >= need.memory_mib;
}

std::uint64_t lowest_free_gpus(const Node& node, const NodeUse& use, std::uint32_t count) {
  std::uint64_t mask = 0;
  for (std::uint32_t g = 0; g < node.gpus.size() && count > 0; ++g) {
    const std::uint64_t bit = 1ULL << g;
    if (use.gpus_busy & bit) continue;
    mask |= bit;
    --count;
  }
  return mask;
}

// Fullest first: nodes with just enough free GPUs, then with more. A rank of a gang takes a node
// once.
std::vector<Place> fit_gpus(const World& w, SkuIx sku, const Need& need, std::uint32_t nodes) {
  std::vector<Place> places;
  const auto& buckets = w.by_free_gpus[sku];
  for (std::size_t free = need.gpus; free < buckets.size() && places.size() < nodes; ++free) {
    for (const NodeIx n : buckets[free]) {
      const Node& node = w.state().nodes[n];
      if (!has_room(node, w.use[n], need)) continue;
      places.push_back({n, lowest_free_gpus(node, w.use[n], need.gpus)});
      if (places.size() == nodes) break;
    }
  }
  if (places.size() < nodes) places.clear();
  return places;
}

// Work without GPUs: the node with least CPU left that fits, lowest index among equals.
std::vector<Place> fit_cpu(const World& w, const Need& need, std::uint32_t nodes) {
  std::vector<std::pair<std::int64_t, NodeIx>> fitting;
  for (NodeIx n = 0; n < w.state().nodes.size(); ++n) {
    const Node& node = w.state().nodes[n];
    if (!node.rents_cpu || node.state != NodeState::active || !has_room(node, w.use[n], need))
      continue;
    fitting.emplace_back(node.cpu_milli - w.use[n].cpu_milli, n);
  }
  if (fitting.size() < nodes) return {};
  std::partial_sort(fitting.begin(), fitting.begin() + nodes, fitting.end());
  std::vector<Place> places;
  for (std::uint32_t i = 0; i < nodes; ++i) places.push_back({fitting[i].second, 0});
  return places;
}

}  // namespace

void fill_defaults(const Sku& sku, const Demand& d, std::int64_t& cpu_milli,
                   std::int64_t& memory_mib) {
  const std::int64_t gpus = std::max<std::int64_t>(1, d.gpus_per_node);
  cpu_milli = d.cpu_milli ? d.cpu_milli : sku.cpu_milli_per_gpu * gpus;
  memory_mib = d.memory_mib ? d.memory_mib : sku.memory_mib_per_gpu * gpus;
}

std::optional<Placement> place(const World& world, const Demand& demand, const PriceBook& book,
                               JobClass job_class) {
  std::optional<Placement> best;
  Ticks best_price = 0;
  for (const SkuIx s : demand.skus) {
    const Sku& sku = world.state().skus[s];
    Placement p{s, {}, 0, 0};
    fill_defaults(sku, demand, p.cpu_milli, p.memory_mib);
    const auto rates = rates_for(book, sku, job_class, demand.nodes, demand.gpus_per_node,
                                 p.cpu_milli, p.memory_mib);
    if (!rates || (best && burn_rate(*rates) >= best_price)) continue;
    const Need need{demand.gpus_per_node, p.cpu_milli, p.memory_mib};
    p.places =
        need.gpus ? fit_gpus(world, s, need, demand.nodes) : fit_cpu(world, need, demand.nodes);
    if (p.places.empty()) continue;
    best_price = burn_rate(*rates);
    best = std::move(p);
  }
  return best;
}

std::vector<base::Missing> never_fits(const World& world, const Demand& demand) {
  std::uint32_t suitable = 0;
  std::int64_t most_gpus = 0, most_cpu = 0, most_memory = 0, want_cpu = 0, want_memory = 0;
  for (const SkuIx s : demand.skus) {
    Need need{demand.gpus_per_node, 0, 0};
    fill_defaults(world.state().skus[s], demand, need.cpu_milli, need.memory_mib);
    want_cpu = need.cpu_milli;
    want_memory = need.memory_mib;
    std::uint32_t fitting = 0;
    for (const Node& node : world.state().nodes) {
      if (need.gpus ? node.sku != s : !node.rents_cpu) continue;
      if (node.state == NodeState::absent) continue;
      most_gpus = std::max<std::int64_t>(most_gpus, static_cast<std::int64_t>(node.gpus.size()));
      most_cpu = std::max(most_cpu, node.cpu_milli);
      most_memory = std::max(most_memory, node.memory_mib);
      fitting += node.gpus.size() >= need.gpus && has_room(node, {}, need);
    }
    suitable = std::max(suitable, fitting);
  }
  if (suitable >= demand.nodes) return {};
  std::vector<base::Missing> missing;
  if (most_gpus < demand.gpus_per_node)
    missing.push_back({"gpus_per_node", demand.gpus_per_node, most_gpus});
  if (most_cpu < want_cpu) missing.push_back({"cpu_milli_per_node", want_cpu, most_cpu});
  if (most_memory < want_memory)
    missing.push_back({"memory_mib_per_node", want_memory, most_memory});
  if (missing.empty()) missing.push_back({"nodes", demand.nodes, suitable});
  return missing;
}

}  // namespace ampacity::core
