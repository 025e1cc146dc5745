// The mark of a store whose cloud lives in another since: `store copy` leaves it there, and nobody
// opens such a store to write, so that one cloud never runs twice.
// Threads: the caller's. The mark is a row of `meta`; a store that bears it is never copied.
#pragma once

#include <string>

#include "base/result.h"
#include "store/database.h"

namespace ampacity::store {

// Refuses a store that bears the mark: says where its cloud went, and the way back.
base::Try<void> check_not_moved(Database& db, const StoreAt& at);

Sql<void> mark_moved(Database& db, const StoreAt& to);

// Takes the mark off, while nobody writes there: the cloud goes on from what it was when it was
// copied. Returns where it went.
base::Try<std::string> reopen_store(const StoreAt& at);

}  // namespace ampacity::store
