#include "base/json.h"
#include "core/evolve.h"
#include "store/fold.h"
#include "store/journal.h"
#include "store/migrations.h"
#include "store/row_writer.h"
#include "store/store_file.h"

namespace ampacity::store {

base::Try<Snapshot> fold_snapshot(const StoreAt& options) {
  auto db = open_to_read(options);
  if (!db) return std::unexpected(std::move(db.error()));
  auto folded = fold(*db);
  if (!folded) return std::unexpected(std::move(folded.error()));
  const core::State& state = folded->world.state();
  return Snapshot{state.sequence, core::state_digest(state), base::to_sparse_json(state)};
}

base::Try<Rebuilt> rebuild_read_models(const StoreAt& options) {
  auto store = open_to_write(options);
  if (!store) return std::unexpected(std::move(store.error()));
  Database& db = store->db;
  Rebuilt out;
  auto transaction = Transaction::begin(db);
  if (!transaction) return std::unexpected(to_fault(transaction.error()));
  auto before = digest_read_models(db);
  if (!before) return std::unexpected(to_fault(before.error()));
  out.before = std::move(*before);
  if (auto r = lift_guards(db); !r) return std::unexpected(std::move(r.error()));
  if (auto r = clear_read_models(db); !r) return std::unexpected(to_fault(r.error()));

  core::World world;
  ChainEnd from;
  const auto use = [&](std::uint64_t sequence, std::vector<core::Fact> facts) -> base::Try<void> {
    Rows rows;
    for (const core::Fact& fact : facts) {
      project(world, fact, sequence++, rows);
      evolve(world, fact);
    }
    out.facts += facts.size();
    if (auto r = write_rows(db, rows, world.state()); !r)
      return std::unexpected(to_fault(r.error()));
    return {};
  };
  if (auto r = each_batch(db, from, use); !r) return std::unexpected(std::move(r.error()));
  auto after = digest_read_models(db);
  if (!after) return std::unexpected(to_fault(after.error()));
  out.after = std::move(*after);
  if (auto r = restore_guards(db); !r) return std::unexpected(std::move(r.error()));
  if (auto r = transaction->commit(); !r) return std::unexpected(to_fault(r.error()));
  return out;
}

}  // namespace ampacity::store
