// The inside of the PostgreSQL driver: a session in pipeline mode, and its statements. Invariants:
// postgres.h. Threads: one at a time.
//
//   pending_: what was sent and not yet answered, in order: prepare · run · rows · sync
//   an error: everything up to the next sync is answered with "aborted"; fault_ keeps the first
#pragma once

#include <libpq-fe.h>

#include <array>
#include <deque>
#include <vector>

#include "store/postgres.h"
#include "store/postgres_values.h"

namespace ampacity::store {

class PostgresStatement;

struct ClearResult {
  void operator()(PGresult* r) const { PQclear(r); }
};
using PostgresResult = std::unique_ptr<PGresult, ClearResult>;

class PostgresConnection final : public Connection {
 public:
  PostgresConnection(const StoreAt& at, PostgresUse use) : at_(at), use_(use) {}
  PostgresConnection(const PostgresConnection&) = delete;
  PostgresConnection& operator=(const PostgresConnection&) = delete;
  ~PostgresConnection() override;

  // Tries as long as it may help; not again where the server has said no.
  Sql<void> open();

  Sql<std::unique_ptr<Statement>> prepare(std::string_view sql) override;
  Sql<void> exec(const std::string& sql) override;
  std::int64_t changes() override;
  Sql<void> begin() override;
  Sql<void> commit() override;
  void roll_back() override;
  Sql<void> begin_read() override {
    return exec("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY");
  }
  void end_read() override { (void)exec("COMMIT"); }
  Literal columns_of_table() const override {
    return "SELECT attname::text FROM pg_attribute WHERE attrelid = to_regclass(?) AND attnum > 0 "
           "AND NOT attisdropped AND attgenerated = '' ORDER BY attnum";
  }
  Sql<void> insert_all(const std::string& table, std::span<const std::string> columns,
                       Cursor& rows) override;
  bool is_postgres() const override { return true; }
  bool make_idle() override;
  Sql<void> claim() override;
  Sql<void> reconnect() override;

 private:
  friend class PostgresStatement;
  struct Pending {
    enum class What { prepare, run, rows, sync } what;
    PostgresStatement* statement = nullptr;
  };

  // Of statements.
  Sql<void> send(PostgresStatement& s, Pending::What what);
  Sql<void> run(PostgresStatement& s);
  Sql<bool> next(PostgresStatement& s);
  void give_up_rows(PostgresStatement& s);
  void forget(PostgresStatement& s);

  // Of the pipeline.
  bool sync();          // false: lost
  void settle_front();  // reads what the first of pending_ is answered with
  void settle_all();
  bool is_first(const PostgresStatement& s) const {
    return pending_.front().what == Pending::What::rows && pending_.front().statement == &s;
  }
  Sql<bool> read_row(PostgresStatement& s);
  void absorb(PostgresStatement& s);
  PostgresResult next_result();
  SqlFault fault_of(const PGresult* r);
  void note(SqlFault fault);
  void mark_lost(std::string why);
  SqlFault lost_fault() const;
  Sql<void> once(std::unique_ptr<Statement>& s, std::string_view sql);  // prepared, and sent

  // Of the session.
  Sql<void> connect();
  Sql<void> take_lock();
  std::string holder_of_lock();
  bool is_readable() const;
  base::Duration patience() const;  // with a server that does not answer
  Sql<void> resolve_commit();
  // Outside of the pipeline: a row's first columns as text; empty: there was none.
  Sql<std::vector<std::string>> ask(const std::string& sql);

  const StoreAt at_;
  const PostgresUse use_;
  PGconn* pg_ = nullptr;
  std::string session_name_;       // of all of this object's sessions, and of no other's
  std::uint64_t generation_ = 0;   // of the session: statements of an earlier one are prepared anew
  std::uint64_t names_given_ = 0;  // to statements
  bool lost_ = true;
  std::string why_lost_;
  std::deque<Pending> pending_;
  std::size_t unsynced_ = 0;  // of pending_, after the latest sync
  bool rows_begun_ = false;   // of the first of pending_
  bool in_transaction_ = false;
  std::optional<SqlFault> fault_;  // the first since begin()
  std::int64_t touched_ = 0;
  std::unique_ptr<Statement> begin_, commit_, roll_back_, prove_;
  // The office of writer: which holder this is (0: none), and how many commits are known.
  std::int64_t epoch_ = 0, commits_ = 0;
  bool in_doubt_ = false;   // about the commit after commits_
  std::int64_t found_ = 0;  // commits, by the row, at the latest reconnect
};

class PostgresStatement final : public Statement {
 public:
  PostgresStatement(PostgresConnection& c, std::string_view sql);
  PostgresStatement(const PostgresStatement&) = delete;
  PostgresStatement& operator=(const PostgresStatement&) = delete;
  ~PostgresStatement() override { c_.forget(*this); }

  void bind(int i, std::int64_t v) override;
  void bind(int i, std::string_view v, Lifetime) override;
  void bind(int i, Blob v, Lifetime) override { set(i, postgres::bytea, v.bytes); }
  void bind(int i, const base::Id& v) override;

  Sql<void> run() override { return c_.run(*this); }
  bool starts_many() const override { return true; }
  Sql<void> start() override;
  Sql<bool> next() override;
  void reset() override { c_.give_up_rows(*this); }

  int columns() const override { return row_ ? PQnfields(row_.get()) : 0; }
  Type type(int column) const override {
    if (PQgetisnull(row_.get(), 0, column)) return Type::null;
    return postgres::type_of(PQftype(row_.get(), column));
  }
  std::int64_t integer(int column) const override;
  std::string_view bytes(int column) const override;

 private:
  friend class PostgresConnection;
  // Text and bytes are sent within the call that binds them: no copy.
  void set(int i, unsigned type, std::string_view v);
  std::string_view raw(int column) const {
    return {PQgetvalue(row_.get(), 0, column),
            static_cast<std::size_t>(PQgetlength(row_.get(), 0, column))};
  }

  PostgresConnection& c_;
  int parameters_ = 0;  // found as sql_ is made
  const std::string sql_;
  std::string name_;
  std::uint64_t generation_ = 0;  // prepared in that session; 0: in none
  std::vector<Oid> types_, prepared_types_;
  std::vector<const char*> values_;
  std::vector<int> lengths_, formats_;
  std::vector<std::array<char, 16>> small_;  // numbers and ids
  std::vector<std::string> mended_;          // texts that were not quite UTF-8
  // Queries started whose end was not yet shown, and what was read of them ahead of time.
  struct Ahead {
    std::deque<PostgresResult> rows;
    std::size_t bytes = 0;
    std::optional<SqlFault> fault;
  };
  std::size_t open_ = 0;
  std::deque<Ahead> ahead_;
  PostgresResult row_;
  mutable std::vector<std::string> as_text_;  // numbers, shown as text
};

}  // namespace ampacity::store
