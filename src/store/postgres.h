// The driver for PostgreSQL: libpq in pipeline mode, values in binary.
//
//   begin() ─▶ run() … run() ─▶ query(): waits for all before it ─▶ commit(): waits, one fsync
//
// 1. What is sent is answered in its order; nothing waits for an answer but a query's first row,
// changes() and commit(). Rows are streamed; those of a query that another overtakes are kept, to
// 64 MiB: a longer one fails, and must be read in pages.
// 2. A writer holds the advisory lock `writer_lock` as long as its session lives, and each of its
// transactions counts up the row of the table `writer` that bears its epoch: a writer that was
// succeeded cannot commit. 3. A connection lost at COMMIT: another is made, the lock is waited for
// (the old session is over then, whatever it did), and the row says whether the commit took place.
// Threads: those of a Connection; the pool is of all.
#pragma once

#include <memory>

#include "store/database.h"

namespace ampacity::store {

enum class PostgresUse {
  plain,
  read,   // cannot write
  write,  // the one writer: holds the lock
};
Sql<std::unique_ptr<Connection>> connect_postgres(const StoreAt& at, PostgresUse use);

// One to read with; the connection goes back to a pool with the Database.
Sql<Database> take_from_pool(const StoreAt& at);

}  // namespace ampacity::store
