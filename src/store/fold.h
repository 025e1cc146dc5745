// Reading the journal back: snapshot, chain, facts, and folding them into a world.
// Threads: the caller's, on its own Database. 1. Rows are read in short statements, never one long
// read transaction: a fold of hours does not keep the write-ahead log from starting anew. 2. Every
// row's chain is verified before its facts are used.
#pragma once

#include <functional>
#include <string_view>

#include "base/crypto.h"
#include "base/result.h"
#include "core/world.h"
#include "store/database.h"
#include "store/journal.h"

namespace ampacity::store {

// Where the journal ends now.
base::Try<ChainEnd> journal_end(Database& db);

// Parses one journal row's JSON array.
base::Try<std::vector<core::Fact>> parse_facts(std::string_view text);

// Calls `use` with each batch after `from`, in order, and moves `from` to the end of it. A second
// thread parses ahead; `use` and the database stay on the caller's.
base::Try<void> each_batch(Database& db, ChainEnd& from, const UseBatch& use);

// The same for the next few, on this thread alone; false: there was none.
base::Try<bool> next_batches(Database& db, ChainEnd& from, const UseBatch& use);

struct Folded {
  core::World world;
  ChainEnd end;
};
// The newest snapshot that reads back whole (none: an empty world), and the facts after it.
base::Try<Folded> fold(Database& db);

}  // namespace ampacity::store
