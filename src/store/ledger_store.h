// Double entry in SQLite: transfers as rows that are never changed, the counters of the accounts
// they touched, burnt ids, and the hash chain with its head of each day. The journal writes with
// the functions; a ledger of its own (imports, benches, tests) is a LedgerStore.
// Threads: those of the Database. 1. Rows are in the order of their timestamps, and so is the
// chain. 2. An id is unique for ever, by an index. 3. Accounts are kept by position:
// account_at(ix).
#pragma once

#include <span>
#include <vector>

#include "base/result.h"
#include "ledger/chain.h"
#include "ledger/memory.h"
#include "store/rows.h"
#include "store/store_file.h"

namespace ampacity::store {

// In the caller's transaction. The chain goes on from the latest head in the store; asked for
// before anything is written, it waits for nothing.
Sql<ledger::Chain> latest_chain(Database& db);
Sql<void> write_transfers(Database& db, std::span<const TransferRow> rows, ledger::Chain chain);
Sql<void> write_account(Database& db, std::uint32_t ix, const ledger::Account& a);
Sql<void> write_burnt(Database& db, const BurntRow& row);

// A transfer as the row of a query that selected exactly `transfer_columns`.
inline constexpr int transfer_columns = 11;
#define AMPACITY_TRANSFER_COLUMNS                                                            \
  "id, debit_ix, credit_ix, amount, pending_id, user_data, timeout_s, ledger, code, flags, " \
  "timestamp"
ledger::Transfer read_transfer(const Cursor& row);
// The same, then reason, sequence, at, job, generation.
TransferRow read_transfer_row(const Cursor& row);
// Those of `batch` that are there already, what they resolve, and what became of it.
Sql<void> find_past(Database& db, std::span<const ledger::Transfer> batch, core::Past& past);

Sql<std::vector<ledger::Head>> read_heads(Database& db);  // by day, ascending

class LedgerStore {
 public:
  static base::Try<LedgerStore> open(const StoreAt& options);

  // One transaction, durable when it returns: what `books` made of a batch.
  base::Try<void> append(std::span<const ledger::Transfer> made, ledger::MemoryBooks& books);
  base::Try<void> append_accounts(const ledger::MemoryBooks& books);  // all of them
  // Everything, posted again: a ledger whose counters are not those of its transfers is refused.
  base::Try<ledger::MemoryBooks> load();
  base::Try<std::vector<ledger::Head>> heads();
  // Moves the write-ahead log into the database when it is long enough; between batches.
  void settle();

 private:
  explicit LedgerStore(WritableStore store) : store_(std::move(store)) {}
  WritableStore store_;
};

}  // namespace ampacity::store
