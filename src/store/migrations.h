// The numbered migrations that make a store's tables, and how they are applied. What both SQLite
// and PostgreSQL understand is written once (postgres_values.h says how it is read there).
// Threads: the opener's. 1. Each is one transaction: a crash leaves it whole or absent. 2. An
// applied one is never edited: its SHA-256 is recorded and compared at every opening. 3. A store
// newer than the program is refused.
#pragma once

#include <span>
#include <string_view>

#include "base/result.h"
#include "store/database.h"

namespace ampacity::store {

struct Migration {
  int version = 0;
  std::string_view name;
  std::string_view sql;  // plain SQL and INTEGER, BIGINT, TEXT, BLOB, but in those named …_sqlite
  std::string_view postgres = {};  // what stands there in place of one named …_sqlite
};

std::span<const Migration> migrations();

// Brings the store up to the last of `known`, or says why not.
base::Try<void> migrate(Database& db, std::span<const Migration> known);

// The guards that keep transfers, usage and journal unaltered; `ampacityd rebuild` lifts them for
// the length of its own transaction.
base::Try<void> lift_guards(Database& db);
base::Try<void> restore_guards(Database& db);

}  // namespace ampacity::store
