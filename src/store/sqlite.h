// The driver for SQLite.
#pragma once

#include <memory>

#include "store/database.h"

namespace ampacity::store {

Sql<std::unique_ptr<Connection>> connect_sqlite(const StoreAt& at, bool writes);

// Before the store is opened to write: its log is written again as it is, and synced. If a sync
// failed before the process ended, what the system still shows of the log may not be on the disk,
// nor ever come there; what is committed after it would be lost with it.
Sql<void> make_log_durable(const StoreAt& at);

}  // namespace ampacity::store
