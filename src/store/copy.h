// A whole store into an empty one, of the same kind or the other; and the proof that both are
// equal. Threads: the caller's. 1. Both are held as their one writer meanwhile. 2. Rows go through
// in a stream; the target has all of them or none. 3. Equal means: the same rows in every table,
// the same chain of the journal, and the same world folded from each. 4. The source is marked as
// moved then (store/moved.h).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "store/database.h"

namespace ampacity::store {

struct CopiedTable {
  std::string name;
  std::uint64_t rows = 0;
  std::string digest;  // of both
};
struct CopiedStore {
  std::vector<CopiedTable> tables;
  std::uint64_t facts = 0;
  std::string chain, world;
};
base::Try<CopiedStore> copy_store(const StoreAt& from, const StoreAt& to);

// The rows alone, of every table, in a transaction of the caller's.
base::Try<void> copy_rows(Database& from, Database& to);

// Likewise, and every table is read again on both sides: they must be equal.
base::Try<void> copy_equal_rows(Database& from, Database& to);

}  // namespace ampacity::store
