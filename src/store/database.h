// One connection to a store, whatever keeps it (sqlite.h, postgres.h): statements prepared once,
// values in and out, faults as values. One set of SQL for both; docs/postgres.md says which.
// Threads: a Database and its cursors belong to one thread at a time.
// 1. A Cursor ends its statement when it goes, so no read transaction outlives it. 2. Text and
// blobs a Cursor shows are valid until its next(). 3. One query at one place in the code is open at
// most once at a time: its statement is shared. 4. In a Transaction a fault of run() may show only
// at the next query, or at commit(): writes are sent without waiting for their answers.
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <unordered_map>
#include <utility>

#include "base/crypto.h"
#include "base/id.h"
#include "base/result.h"
#include "base/time.h"
#include "store/store_at.h"

namespace ampacity::store {

struct SqlFault {
  enum class Kind {
    other,
    full,         // no room: nothing was changed, a later try may succeed
    sync_failed,  // it is unknown what the disk holds
    again,        // nothing was changed, by no fault of ours (a deadlock): try again
    lost,         // the connection is gone, and what was not committed with it
    fenced,       // another process has become the store's writer
    unknown,      // it could not be learnt whether the commit took place
  } kind = Kind::other;
  std::string code;  // "sqlite 13": SQLite's extended result code; "postgres 53100": a SQLSTATE
  std::string message;

  bool disk_full() const { return kind == Kind::full; }
};
template <typename T>
using Sql = std::expected<T, SqlFault>;

base::Fault to_fault(const SqlFault& f);

// Bytes bound as a BLOB.
struct Blob {
  std::string_view bytes;
};

// SQL known at compile time: its address is its name in the statement cache.
struct Literal {
  template <std::size_t N>
  consteval Literal(const char (&text)[N]) : sql(text), size(N - 1) {}
  const char* sql;
  std::size_t size;
};

// Whether bound text must be copied: it must if it may die before the statement has run.
enum class Lifetime { outlives_statement, copy };

// A prepared statement: what a driver implements.
class Statement {
 public:
  // SQLite's numbers, which digests of rows are made of.
  enum class Type { integer = 1, real = 2, text = 3, blob = 4, null = 5 };

  virtual ~Statement() = default;
  virtual void bind(int i, std::int64_t v) = 0;
  virtual void bind(int i, std::string_view text, Lifetime life) = 0;
  virtual void bind(int i, Blob bytes, Lifetime life) = 0;
  virtual void bind(int i, const base::Id& id) = 0;  // nil: NULL

  virtual Sql<void> run() = 0;  // wants no rows
  // Rows: start() for each query that is asked at once, then next() until false for each of them.
  virtual bool starts_many() const = 0;  // else one at a time
  virtual Sql<void> start() = 0;
  virtual Sql<bool> next() = 0;
  virtual void reset() = 0;  // gives up every row that was not shown

  virtual int columns() const = 0;
  virtual Type type(int column) const = 0;
  virtual std::int64_t integer(int column) const = 0;
  virtual std::string_view bytes(int column) const = 0;
};

template <typename T>
void bind_one(Statement& s, int i, const T& v, Lifetime life) {
  if constexpr (std::is_integral_v<T>)
    s.bind(i, static_cast<std::int64_t>(v));
  else if constexpr (std::is_same_v<T, base::Instant>)
    s.bind(i, v.us);
  else if constexpr (std::is_same_v<T, base::Id>)
    s.bind(i, v);
  else if constexpr (std::is_same_v<T, Blob>)
    s.bind(i, v, life);
  else if constexpr (std::is_same_v<T, base::Digest>)
    s.bind(i, Blob{{reinterpret_cast<const char*>(v.data()), v.size()}}, life);
  else
    s.bind(i, std::string_view(v), life);
}

// The other thing a driver implements. What has a body here is for drivers that need it.
class Connection {
 public:
  virtual ~Connection() = default;
  virtual Sql<std::unique_ptr<Statement>> prepare(std::string_view sql) = 0;
  virtual Sql<void> exec(const std::string& sql) = 0;  // may be several statements
  virtual std::int64_t changes() = 0;
  virtual Sql<void> begin() = 0;
  virtual Sql<void> commit() = 0;
  virtual void roll_back() = 0;
  virtual Sql<void> begin_read() = 0;  // every query until end_read() sees one instant
  virtual void end_read() = 0;

  // Whether this is a table's column that a row brings (not a generated one); in order.
  virtual Literal columns_of_table() const = 0;
  // All `rows` into the table. The caller's transaction.
  virtual Sql<void> insert_all(const std::string& table, std::span<const std::string> columns,
                               class Cursor& rows) = 0;

  virtual bool is_postgres() const { return false; }
  // Nothing is open on it, and it lives: another may have it.
  virtual bool make_idle() { return false; }
  // From here on each transaction proves that this is the store's only writer (after migrate()).
  virtual Sql<void> claim() { return {}; }
  virtual Sql<void> reconnect() { return {}; }

  virtual Sql<void> checkpoint() { return {}; }
  virtual int log_pages() const { return 0; }
  virtual void count_log_pages() {}
};

class Cursor {
 public:
  Cursor(Statement* statement, std::optional<SqlFault> fault)
      : statement_(statement), fault_(std::move(fault)) {}
  Cursor(Cursor&& other) noexcept
      : statement_(std::exchange(other.statement_, nullptr)), fault_(std::move(other.fault_)) {}
  Cursor(const Cursor&) = delete;
  Cursor& operator=(const Cursor&) = delete;
  Cursor& operator=(Cursor&&) = delete;
  ~Cursor() {
    if (statement_) statement_->reset();
  }

  bool next();  // true: a row is there; false: the end, or a fault
  const std::optional<SqlFault>& fault() const { return fault_; }

  int columns() const { return statement_ ? statement_->columns() : 0; }
  Statement::Type type(int column) const { return statement_->type(column); }
  bool is_null(int column) const { return type(column) == Statement::Type::null; }
  std::int64_t integer(int column) const { return statement_->integer(column); }
  std::uint32_t index(int column) const { return static_cast<std::uint32_t>(integer(column)); }
  std::uint64_t number(int column) const { return static_cast<std::uint64_t>(integer(column)); }
  base::Instant instant(int column) const { return {integer(column)}; }
  std::string_view bytes(int column) const { return statement_->bytes(column); }  // text or blob
  std::string text(int column) const { return std::string(bytes(column)); }
  base::Id id(int column) const;  // NULL: nil
  std::optional<base::Digest> digest(int column) const;
  // The column's type and value, unambiguous: what row digests are made of. The same for the same
  // row in every store.
  void append_to(std::string& out, int column) const;

 private:
  Statement* statement_;
  std::optional<SqlFault> fault_;
};

class Database {
 public:
  enum class Mode { create, read };
  // Without a lock, without migrations: what store_file.h does not want.
  static Sql<Database> open(const StoreAt& at, Mode mode);

  struct Parts {
    std::unique_ptr<Connection> connection;
    // After the connection: they go first.
    std::unordered_map<const char*, std::unique_ptr<Statement>> statements;
  };
  // Shared only with the pool that it goes back to.
  explicit Database(std::shared_ptr<Parts> parts) : parts_(std::move(parts)) {}
  explicit Database(std::unique_ptr<Connection> connection)
      : parts_(std::make_shared<Parts>(std::move(connection))) {}

  Connection& connection() { return *parts_->connection; }
  Sql<void> exec(const std::string& sql) { return connection().exec(sql); }

  // Runs a statement that returns no rows.
  template <typename... A>
  Sql<void> run(Literal sql, const A&... args) {
    auto s = prepared(sql);
    if (!s) return std::unexpected(std::move(s.error()));
    bind_all(**s, Lifetime::outlives_statement, args...);
    return (*s)->run();
  }

  template <typename... A>
  Cursor query(Literal sql, const A&... args) {
    auto s = prepared(sql);
    if (!s) return {nullptr, std::move(s.error())};
    bind_all(**s, Lifetime::copy, args...);
    if (auto started = (*s)->start(); !started) return {nullptr, std::move(started.error())};
    return {*s, std::nullopt};
  }

  // The same query for each key, with the arguments args_of(key) (a tuple); use(key, row) is called
  // with each row. Where a query is a journey they travel together.
  template <typename Keys, typename ArgsOf, typename Use>
  Sql<void> query_each(Literal sql, const Keys& keys, const ArgsOf& args_of, const Use& use) {
    auto s = prepared(sql);
    if (!s) return std::unexpected(std::move(s.error()));
    const std::size_t at_once = (*s)->starts_many() ? most_travellers : 1;
    for (auto from = keys.begin(); from != keys.end();) {
      auto to = from;
      for (std::size_t n = 0; n < at_once && to != keys.end(); ++n, ++to) {
        std::apply([&](const auto&... a) { bind_all(**s, Lifetime::copy, a...); }, args_of(*to));
        if (auto started = (*s)->start(); !started) return started;
      }
      for (; from != to; ++from) {
        auto row = (*s)->next();
        if (row && *row) {
          Cursor cursor(*s, std::nullopt);
          do {
            use(*from, std::as_const(cursor));
          } while (cursor.next());
          if (cursor.fault()) row = std::unexpected(*cursor.fault());
        }
        if (row) continue;
        (*s)->reset();
        return std::unexpected(std::move(row.error()));
      }
    }
    return {};
  }

  std::int64_t changes() { return connection().changes(); }  // rows the latest run() touched

  // Copies SQLite's write-ahead log into the database; starts it anew where no reader hinders it.
  Sql<void> checkpoint() { return connection().checkpoint(); }
  // Pages in that log after the latest commit of this connection.
  int log_pages() const { return parts_->connection->log_pages(); }

 private:
  static constexpr std::size_t most_travellers = 256;

  template <typename... A>
  static void bind_all(Statement& s, [[maybe_unused]] Lifetime life, const A&... args) {
    int i = 0;
    (bind_one(s, ++i, args, life), ...);
  }
  Sql<Statement*> prepared(Literal sql);

  std::shared_ptr<Parts> parts_;
};

// BEGIN … COMMIT of one who writes; rolled back unless committed.
class Transaction {
 public:
  static Sql<Transaction> begin(Database& db);
  Transaction(Transaction&& other) noexcept : db_(std::exchange(other.db_, nullptr)) {}
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  Transaction& operator=(Transaction&&) = delete;
  ~Transaction() {
    if (db_) db_->roll_back();
  }
  Sql<void> commit();

 private:
  explicit Transaction(Connection& db) : db_(&db) {}
  Connection* db_;
};

}  // namespace ampacity::store
