// The part of a month's proof that needs the rating itself: each invoice is made again from what it
// knew. What was rated by an independent rater, and the books, are audit/'s.
// Threads: a worker's.
//
//   B4  its inputs have the hash that it says, and its lines come out again
//   B6  Σ BilledCost of its FOCUS rows = its total
//   B7  per commitment Σ EffectiveCost of what is used and unused = what it was bought for
#pragma once

#include <vector>

#include "audit/audit.h"
#include "server/invoicing.h"

namespace ampacity::server {

std::vector<audit::Finding> prove_invoices(Loop& loop, const store::StoreAt& store,
                                           base::Clock& clock, Period month);

}  // namespace ampacity::server
