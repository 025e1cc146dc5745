// evolve: a fact changes the state. Total: it cannot refuse, choose or look at a clock.
#pragma once

#include "core/facts.h"
#include "core/world.h"

namespace ampacity::core {

void evolve(World& world, const Fact& fact);

// What a closed lease, or an end without one, does to its job: shared with the read models.
void close_lease(Job& job, const LeaseClosed& fact, Instant at);
void end_job(Job& job, const JobEnded& fact, Instant at);

}  // namespace ampacity::core
