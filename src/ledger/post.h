// Posting: a batch of transfers is tried on the books, each made whole or not at all, with one
// outcome each. Pure: `now` comes with the call, time only passes when somebody says so.
// 1. Per ledger Σ debits = Σ credits, pending and posted apart. 2. A reserve is resolved at most
// once: posted, voided or expired. 3. A flagged account never exceeds its bound after any transfer.
// 4. A chain (each but its last flagged `linked`) is made as one or undone as one. 5. Timestamps
// strictly increase. 6. An id means one transfer for ever: an equal repeat `exists`, another is
// refused.
//
//   pending ──post_pending──▶ posted        (amount ≤ reserved; the rest is released)
//      ├──────void_pending──▶ voided
//      └──────expiries()────▶ expired      (voids the ledger makes itself; applied like any other)
#pragma once

#include <span>
#include <vector>

#include "ledger/books.h"

namespace ampacity::ledger {

inline constexpr std::size_t most_in_batch = 8'190;

// What came of one transfer. Of those that stand: as made, with its final amount and timestamp.
struct Posted {
  Outcome outcome = Outcome::created;
  Instant timestamp;
  std::int64_t amount = 0;
};

// Tries a batch. `made`, if given, gets every transfer that was created, complete, in order.
std::vector<Posted> post(Books& books, std::span<const Transfer> batch, Instant now,
                         std::vector<Transfer>* made = nullptr);

// One transfer outside any chain; `t` becomes what was made. Who may set `expiry`: the ledger's own
// voids, and what is replayed.
enum class Maker { caller, ledger };
Outcome apply(Books& books, Transfer& t, Instant now, Maker maker);

// The void that ends a reserve whose time has run out.
Transfer expiry_of(const Transfer& pending, Id id);

}  // namespace ampacity::ledger
