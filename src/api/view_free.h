// What could be reserved over time, as the contract shows it: first copied from the world, then cut
// into pieces by whoever has the time.
// Thread rule: copy_rights() reads the world, so on the thread that owns it; view_free() is pure.
#pragma once

#include <string>
#include <vector>

#include "api/bind_capacity.h"
#include "core/reservable.h"

namespace ampacity::api {

struct CopiedRights {
  struct Kind {
    std::string sku;
    bool emulated = false;
    std::uint32_t gpus = 0;  // all there are
    core::Calendar calendar;
  };
  std::vector<std::string> sites;  // names, by position
  std::vector<Kind> kinds;
};
base::Result<CopiedRights> copy_rights(const core::World& world, const FreeAsked& asked,
                                       Instant now);
FreeList view_free(const CopiedRights& rights, const FreeAsked& asked);

}  // namespace ampacity::api
