// Placement: which nodes and GPUs a demand gets now. The seam that a better packer replaces:
// nothing outside these functions knows how nodes are chosen. Here: best fit over whole GPUs,
// lowest node first among equals; gangs all or nothing.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/world.h"

namespace ampacity::core {

struct Placement {
  SkuIx sku = 0;
  std::vector<Place> places;   // one per node of the demand
  std::int64_t cpu_milli = 0;  // per node, defaults filled in
  std::int64_t memory_mib = 0;
};

// The demand's cpu and memory on a SKU, with defaults filled in.
void fill_defaults(const Sku& sku, const Demand& demand, std::int64_t& cpu_milli,
                   std::int64_t& memory_mib);

// Cheapest SKU of the demand on which it fits now; nullopt: not now.
std::optional<Placement> place(const World& world, const Demand& demand, const PriceBook& book,
                               JobClass job_class);

// Could it fit if every active node were empty? If not: what is too much, for the refusal.
std::vector<base::Missing> never_fits(const World& world, const Demand& demand);

}  // namespace ampacity::core
