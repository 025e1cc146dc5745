// The independent audit of a store: every figure is derived again from its SQL columns.
// It shares no rating or ledger code with the core: two derivations, or it proves nothing.
// Threads: any one; a connection of its own, one read transaction, rows streamed. Changes nothing.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/time.h"
#include "store/database.h"

namespace ampacity::audit {

struct Finding {
  std::string check;  // "debits_equal_credits", …
  bool holds = false;
  std::int64_t examined = 0;  // transfers, rows, leases…
  std::string detail;         // figures; of a failing one the first offenders
};

// Every check, in a fixed order. A store that cannot be read is one finding, "store_readable".
std::vector<Finding> check_ledger(const store::StoreAt& db);

// The same, and every invoice that bills the month or was issued in it, worked out again from the
// facts by a rater of our own.
std::vector<Finding> check_month(const store::StoreAt& db, base::Instant month);

}  // namespace ampacity::audit
