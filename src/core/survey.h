// The nodes of one SKU as a waiting job sees them, and whose end gives it the last one it lacks.
// Thread rule: reads the world, so on the thread that owns it.
#pragma once

#include "core/place.h"

namespace ampacity::core {

inline constexpr std::size_t most_followed = 20'000;  // leases whose ends are looked at

// The lease whose end gives the last node that is missing, if nobody else took it.
struct Ending {
  Id job;
  ProjectIx project = nobody;
  Instant at;  // as if it ran its median time
  NodeIx node = 0;
  bool operator==(const Ending&) const = default;
};

// One SKU it would take: nodes, counted inside the domain that is ready first if one is required.
struct Room {
  SkuIx sku = 0;
  std::int64_t cpu_milli = 0;  // wanted per node
  std::int64_t memory_mib = 0;
  std::uint32_t nodes_now = 0;        // could take a rank
  std::uint32_t nodes_held = 0;       // could, if others had no right to the cards
  std::uint32_t nodes_short = 0;      // have the cards free, but not the CPU or memory
  std::uint32_t nodes_elsewhere = 0;  // could, but stand in other domains
  std::uint32_t nodes_promised = 0;   // busy, and others have a right to them when they are free
  std::uint32_t gpus_free = 0;        // whole ones, on all its nodes
  std::optional<Ending> ending;
  bool operator==(const Room&) const = default;
};

// `followed` counts over several calls.
Room survey(const World& world, const Seeker& seeker, const Tier& tier, SkuIx sku,
            std::size_t& followed);

}  // namespace ampacity::core
