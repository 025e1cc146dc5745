// Promises: when a waiting job starts at the latest, and on which cards. A promise is held in the
// fleet's timeline (World::holds), so whoever would still be there then is not placed there.
// 1. It is certain if all that must end before it has a time limit, or yields when told; else it is
//    likely: nine of ten times, by what was learnt of run times. 2. It never moves to a later time;
//    the job may start earlier, anywhere.
#pragma once

#include "core/place.h"

namespace ampacity::core {

// nullopt: nothing can be promised, however late.
std::optional<Promise> promise_for(const World& world, const Seeker& seeker,
                                   const std::vector<Tier>& tiers);

}  // namespace ampacity::core
