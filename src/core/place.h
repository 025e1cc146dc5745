// Placement: which nodes and cards a waiting job gets now. One rank's node comes from the packer;
// here is what the packer does not know: prices, sites, who holds what, gangs and their topology.
// 1. A gang is placed whole or not at all, one rank a node, all of it at one site. 2. Of the SKUs
// and sites a job would take, those where it can start now; of these the cheapest; then where most
// of its project's volumes are, then where power costs least, then the lowest id. 3. On a node with
// holds it only gets what it leaves in time for their owners, or gives back when told to.
#pragma once

#include <algorithm>
#include <functional>
#include <optional>
#include <span>
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

// Who asks, and how long it would stay if it started now.
struct Seeker {
  const Job& job;
  Instant now;
  Instant surely_gone;    // by its time limit; forever: none
  Instant likely_gone;    // by what was learnt
  std::int64_t rank;      // core/order.h
  bool for_good = false;  // it is to be promised: then what is lent, or left in time, is not its
};
Seeker seeker_of(const World& world, const Job& job, Instant now, std::int64_t rank = 0);

// The demand's cpu and memory on a SKU, with defaults filled in.
void fill_defaults(const Sku& sku, const Demand& demand, std::int64_t& cpu_milli,
                   std::int64_t& memory_mib);
NodeNeed need_of(const Demand& demand, std::int64_t cpu_milli, std::int64_t memory_mib,
                 ProjectIx tenant);
NodeRoom room_of(const Node& node);
inline std::uint64_t all_cards(const Node& node) {
  return node.gpus.empty() ? 0 : ~0ULL >> (64 - node.gpus.size());
}
// Is the node of a kind that would do? Work without cards stands wherever CPU is rented.
bool serves(const Node& node, const Demand& demand, std::span<const SkuIx> skus);
NodeNeed typical_need(const World& world, const Job& job);  // on its first SKU
std::int64_t gpu_milli_of(const Demand& demand);            // over all nodes

// The demand's SKUs that may be had, in groups that are equally good (invariant 2), the best first.
struct Tier {
  Ticks burn = 0;
  std::vector<SkuIx> skus;
  std::int64_t cpu_milli = 0;
  std::int64_t memory_mib = 0;
  std::vector<SiteIx> sites{};  // at these; empty: wherever it may stand
  bool at(SiteIx site) const {
    return sites.empty() || std::find(sites.begin(), sites.end(), site) != sites.end();
  }
};
std::vector<Tier> tiers_of(const World& world, const Job& job, Instant now);

// nullopt: not now.
std::optional<Placement> place(const World& world, const Seeker& seeker,
                               const std::vector<Tier>& tiers);

// Among open nodes alone, by any state of the packer: for planning ahead. Empty: there is no place.
std::vector<Place> place_open(const World& world, const Packer& packer, const Job& job,
                              const Tier& tier);

// A part of one card is asked for.
inline bool is_share(const Demand& d) { return d.gpu_milli != 1000 || d.mig != 0; }

// The latest instant at which a leased job can still be there; forever: nobody knows.
Instant surely_ends(const World& world, const Job& leased, Instant now);

// What a node leaves for this seeker beside what others hold there, if those `gone` had ended.
// 1. What is held must be there when it is due: by what is free, and by leases that will be over
//    then. Each of them counts for one hold only.
struct Leftover {
  std::uint64_t gpu_mask = 0;  // cards it may have, free or not
  std::int64_t cpu_milli = 0;
  std::int64_t memory_mib = 0;
  bool holds(const Tier& tier) const {
    return cpu_milli >= tier.cpu_milli && memory_mib >= tier.memory_mib;
  }
};
Leftover left_for(const World& world, NodeIx node, const Seeker& seeker,
                  std::span<const Slot> gone = {});
// The cards it may have there once they are free: not what others hold, and inside its own
// reservation if it has one.
std::uint64_t allowed_cards(const World& world, NodeIx node, const Seeker& seeker);
// Does it name the site, if any, and do its volumes live there, if they live anywhere?
bool admits_site(const World& world, const Job& job, SiteIx site);
// May its ranks stand there at all: site, and what must stay apart from it.
bool admits(const World& world, const Job& job, NodeIx node);
bool are_apart(const Job& a, const Job& b);                            // they may share no node
bool mate_will_come(const World& world, const Job& job, NodeIx node);  // one to be apart from

// Chooses `count` of the nodes for one gang: inside one domain of the level it requires, else as
// close as possible; among domains the fullest. Empty: there is no such choice.
std::vector<NodeIx> closest(const World& world, const std::vector<NodeIx>& tightest_first,
                            std::size_t count, Together together);

// Could it fit if every node that is not absent were empty? If not: what is too much.
std::vector<base::Missing> never_fits(const World& world, const Job& job);

}  // namespace ampacity::core
