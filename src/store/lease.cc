#include "store/lease.h"

#include "store/journal.h"
#include "store/postgres.h"

namespace ampacity::store {
namespace {

std::unexpected<base::Fault> failed(const std::optional<SqlFault>& fault) {
  return std::unexpected(fault ? to_fault(*fault) : base::Fault{"the table writer has no row"});
}

// The row of the table `writer`, which the writer's own transactions renew too (store/postgres.h).
class PostgresLease final : public LeaseTable {
 public:
  explicit PostgresLease(Database db) : db_(std::move(db)) {}

  // Without a lease it is held as long as its session lives: by a verb that runs without a server.
  base::Try<Lease> look() override {
    auto row = db_.query(
        "SELECT epoch, holder, url, CASE WHEN lease > 0 THEN expires - now_us() "
        "WHEN EXISTS (SELECT 1 FROM sessions_of_writer) THEN 1000000 ELSE 0 END "
        "FROM writer WHERE one = 1");
    if (!row.next()) return failed(row.fault());
    Lease seen{row.number(0), row.text(1), row.text(2), {row.integer(3)}};
    (void)row.next();
    return seen;
  }

  // The holder's session may be in the middle of a transaction that holds the row: it is over.
  base::Try<bool> take(const Lease& seen, const std::string& holder, const std::string& url,
                       base::Duration lease) override {
    {
      auto ended = db_.query(
          "SELECT pg_terminate_backend(pid) FROM sessions_of_writer, writer "
          "WHERE one = 1 AND epoch = ? AND expires <= now_us()",
          seen.epoch);
      while (ended.next()) {
      }
      if (ended.fault()) return failed(ended.fault());
    }
    const auto done = db_.run(
        "UPDATE writer SET epoch = epoch + 1, holder = ?, url = ?, lease = ?, "
        "expires = now_us() + ? WHERE one = 1 AND epoch = ? AND expires <= now_us()",
        holder, url, lease.us, lease.us, seen.epoch);
    if (!done) return failed(done.error());
    return db_.changes() == 1;
  }

  base::Try<bool> renew(std::uint64_t epoch, base::Duration lease) override {
    const auto done = db_.run(
        "UPDATE writer SET expires = now_us() + ? WHERE one = 1 AND epoch = ?", lease.us, epoch);
    if (!done) return failed(done.error());
    return db_.changes() == 1;
  }

  base::Try<void> give_back(std::uint64_t epoch) override {
    const auto done = db_.run("UPDATE writer SET expires = 0 WHERE one = 1 AND epoch = ?", epoch);
    if (!done) return failed(done.error());
    (void)db_.changes();  // waits until it is done
    return {};
  }

 private:
  Database db_;
};

}  // namespace

base::Try<std::unique_ptr<LeaseTable>> open_lease(const StoreAt& at) {
  auto connection = connect_postgres(at, PostgresUse::plain);
  if (!connection) return std::unexpected(to_fault(connection.error()));
  Database db(std::move(*connection));
  // Somebody else's transaction on the row is short, or its session is ended.
  if (auto r = db.exec("SET lock_timeout = '1s'; SET synchronous_commit = 'on'"); !r)
    return failed(r.error());
  bool empty = false;
  {
    auto there = db.query("SELECT to_regclass('writer') IS NULL");
    if (!there.next()) return failed(there.fault());
    empty = there.integer(0) != 0;
    (void)there.next();
  }
  if (empty)  // a new cloud's: made once, by whoever is first
    if (auto made = open_journal(at); !made) return std::unexpected(std::move(made.error()));
  return std::make_unique<PostgresLease>(std::move(db));
}

}  // namespace ampacity::store
