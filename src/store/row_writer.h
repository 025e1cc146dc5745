// Writes projected rows into the read models, inside the caller's transaction: for the journal as
// facts happen, for a rebuild as they are read again.
#pragma once

#include <string>

#include "core/state.h"
#include "store/database.h"
#include "store/rows.h"

namespace ampacity::store {

// `after` supplies the counters of the accounts touched.
Sql<void> write_rows(Database& db, const Rows& rows, const core::State& after);

// A chained SHA-256 over every row of every read model, in the order of their keys.
Sql<std::string> digest_read_models(Database& db);
Sql<void> clear_read_models(Database& db);  // the guards must be lifted

}  // namespace ampacity::store
