// Preemption: whom to tell to stop so that a waiting job gets its place, losing least.
// 1. Only those order.h's may_preempt allows. 2. Those who stop already, or are gone within the
// notice, cost nothing and are taken first: if they suffice, nobody is told. 3. The GPUs are
// claimed, so nobody else gets them meanwhile, and a victim's own return takes nothing from
// another.
#pragma once

#include "core/order.h"
#include "core/place.h"

namespace ampacity::core {

// Who runs and might go, by node: taken once for a sweep over the queue.
class Evictable {
 public:
  Evictable(const World& world, Instant now);

  struct One {
    Slot slot = 0;
    Standing standing;
    std::int64_t loss_gpu_s = 0;
    bool gone_anyway = false;  // stops already, or its time is up within the notice
  };
  struct OnNode {
    std::uint32_t ix = 0;  // of ones
    std::uint64_t gpu_mask = 0;
  };
  std::vector<One> ones;
  std::map<NodeIx, std::vector<OnNode>> by_node;  // least loss first, then the youngest
  std::int64_t highest_rank[4] = {};              // by class
  bool some_gone = false;
  // Could anybody at all be told to go, or is going, for this one?
  bool any_for(const World& world, const Seeker& seeker) const;
};

struct Eviction {
  Claim claim;
  std::vector<Id> victims;  // to be told now; may be empty
};

// nullopt: even so there is no place.
std::optional<Eviction> evict_for(const World& world, const Evictable& evictable,
                                  const Seeker& seeker, const std::vector<Tier>& tiers);

// Are the claimed cards free of others' leases by now?
bool claim_is_free(const World& world, const Job& job);

}  // namespace ampacity::core
