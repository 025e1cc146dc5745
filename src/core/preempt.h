// Preemption: whom to tell to stop so that a waiting job gets its place, losing least.
// 1. Only those order.h's may_preempt allows. 2. Those who stop already, or are gone within the
// notice, cost nothing and are taken first: if they suffice, nobody is told. 3. The GPUs are
// claimed, so nobody else gets them meanwhile, and a victim's own return takes nothing from
// another.
#pragma once

#include <array>

#include "core/order.h"
#include "core/place.h"

namespace ampacity::core {

// Who runs and might go, by kind and node: taken once for a sweep over the queue, a kind when the
// first asks for it.
class Evictable {
 public:
  // `only`: those on the nodes of one window.
  explicit Evictable(const World& world, Instant now, const Window* only = nullptr);
  // Takes the kinds that would serve this job. Where one of a class asks another of it, ranks
  // decide; only then are they found.
  void look_for(const World& world, const Job& job);

  struct One {
    Slot slot = 0;
    std::int64_t granted_us = 0;
    Standing standing;
    std::int64_t loss_gpu_s = 0;
    bool gone_anyway = false;  // stops already, or its time is up within the notice
  };
  struct OnNode {
    std::uint32_t ix = 0;  // of ones
    std::uint64_t gpu_mask = 0;
  };
  // Of many: which cards are given up anyway, and by class the highest rank; −1: nobody.
  struct Most {
    std::uint64_t going = 0;
    bool some_gone = false;
    std::array<std::int64_t, 4> rank = {-1, -1, -1, -1};
    void count(const One& one, std::uint64_t gpu_mask);
  };
  struct OfNode {
    NodeIx node = 0;
    Most most;
    std::vector<OnNode> list;  // least loss first, then the youngest
  };
  struct OfKind {
    Most most;
    std::vector<OfNode> nodes;  // ascending
    bool taken = false, ranked = false;
  };
  std::vector<One> ones;
  std::vector<OfKind> kinds;  // by the nodes' SKU

  const OfNode* at(const World& world, NodeIx node) const;
  // These go now: from then on they cost nobody anything.
  void told(const World& world, const std::vector<Id>& victims);

 private:
  void take(const World& world, SkuIx kind);
  void rank(const World& world, OfKind& kind);
  void count(OfKind& kind);
  Instant now_;
  const Window* only_;
};

// The window whose nodes alone this job may use; nullptr: it may use others.
const Window* only_window(const World& world, const Job& job);
// Is there anybody at all on the seeker's own reservation who may go? True where it has none.
bool somebody_inside(const World& world, const Job& seeker, Instant now);

struct Eviction {
  Claim claim;
  std::vector<Id> victims;  // to be told now; may be empty
};

// nullopt: even so there is no place.
std::optional<Eviction> evict_for(const World& world, Evictable& evictable, const Seeker& seeker,
                                  const std::vector<Tier>& tiers);

// Are the claimed cards free of others' leases by now?
bool claim_is_free(const World& world, const Job& job);

}  // namespace ampacity::core
