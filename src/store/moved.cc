#include "store/moved.h"

#include "store/postgres.h"
#include "store/sqlite.h"
#include "store/store_file.h"

namespace ampacity::store {
namespace {

constexpr std::string_view mark = "moved_to";

// Empty: nowhere.
base::Try<std::string> went_to(Database& db) {
  auto row = db.query("SELECT value FROM meta WHERE name = ?", mark);
  std::string to;
  if (row.next()) to = row.text(0);
  while (row.next()) {
  }
  if (row.fault()) return std::unexpected(to_fault(*row.fault()));
  return to;
}

}  // namespace

base::Try<void> check_not_moved(Database& db, const StoreAt& at) {
  const auto to = went_to(db);
  if (!to) return std::unexpected(to.error());
  if (to->empty()) return {};
  return base::fault(at.name() + " was moved: its cloud lives in " + *to +
                         " since. Start with --store " + *to +
                         "; or, to give up what happened there and go on from here, "
                         "`ampacity store reopen " +
                         at.name() + "`",
                     false);
}

Sql<void> mark_moved(Database& db, const StoreAt& to) {
  auto transaction = Transaction::begin(db);
  if (!transaction) return std::unexpected(std::move(transaction.error()));
  if (auto r = db.run("INSERT INTO meta (name, value) VALUES (?, ?)", mark, to.name()); !r)
    return r;
  return transaction->commit();
}

base::Try<std::string> reopen_store(const StoreAt& at) {
  if (!at.on_postgres() && !std::filesystem::exists(at.file))
    return base::fault(at.name() + " is not there", false);
  auto lock = at.on_postgres() ? base::Try<Lock>(Lock()) : Lock::take(at.file);
  if (!lock) return std::unexpected(std::move(lock.error()));
  auto connection =
      at.on_postgres() ? connect_postgres(at, PostgresUse::write) : connect_sqlite(at, true);
  if (!connection) return std::unexpected(to_fault(connection.error()));
  Database db(std::move(*connection));
  auto to = went_to(db);
  if (!to) return to;
  if (to->empty()) return base::fault(at.name() + " was not moved: nothing to reopen", false);
  if (auto r = db.run("DELETE FROM meta WHERE name = ?", mark); !r)
    return std::unexpected(to_fault(r.error()));
  return to;
}

}  // namespace ampacity::store
