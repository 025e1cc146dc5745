// What the engine of a site should have running, derived from the world: never stored, never
// queued.
#pragma once

#include <vector>

#include "core/effects.h"
#include "core/world.h"

namespace ampacity::core {

// The ranks of one live lease that have not ended. User environment values are added by the server,
// which keeps them sealed.
std::vector<RankWork> desired_ranks(const World& world, const Job& job);
// Everything on every site.
std::vector<RankWork> desired_whole(const World& world);

std::string job_name(Id id);  // "job-06bx…"

}  // namespace ampacity::core
