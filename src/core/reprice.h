// Spot is a floating price, piecewise constant: when newer prices take effect, running spot leases
// have them from then on; who allows less, or cannot hold more, is told to go.
// 1. Nothing that was used is priced anew: a rise counts from the second at which it is noticed, a
// fall from the one at which it took effect, neither from before what is posted. 2. What is used
// at the old price is posted and the rest of the hold released, in the fact that pins the new one:
// the wallet never owes. 3. All other classes keep the prices of their grant.
#pragma once

#include <optional>
#include <vector>

#include "core/facts.h"
#include "core/world.h"

namespace ampacity::core {

// nullopt: no book has taken effect since it was last asked, or no spot lease runs.
std::optional<std::vector<FactBody>> reprice_spot(const World& world, Instant now);

}  // namespace ampacity::core
