// A thin RAII wrapper over SQLite: statements prepared once, values in and out, faults as values.
// Threads: a Database and its cursors belong to one thread at a time.
// 1. A Cursor resets its statement when it goes, so no read transaction outlives it. 2. Text and
// blobs a Cursor shows are valid until its next(). 3. One query at one place in the code is open at
// most once at a time: its statement is shared.
#pragma once

#include <cstdint>
#include <expected>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <unordered_map>
#include <utility>

#include "base/crypto.h"
#include "base/id.h"
#include "base/result.h"
#include "base/time.h"

struct sqlite3;
struct sqlite3_stmt;

namespace ampacity::store {

// Where a store is, and on what. A path alone is a file of the operating system's.
struct SqliteOptions {
  SqliteOptions() = default;
  SqliteOptions(std::filesystem::path path, std::string on = {})
      : file(std::move(path)), vfs(std::move(on)) {}

  std::filesystem::path file;           // state/ampacity.db
  std::string vfs;                      // a registered sqlite3_vfs; empty: the system's
  int pages_before_checkpoint = 1'000;  // 8 MiB of log
};

struct SqlFault {
  int code = 0;  // SQLite's extended result code
  std::string message;

  bool disk_full() const;    // no room: nothing was changed, a later try may succeed
  bool sync_failed() const;  // it is unknown what the disk holds
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

void bind_value(sqlite3_stmt* s, int i, std::int64_t v);
void bind_value(sqlite3_stmt* s, int i, std::string_view v, Lifetime life);
void bind_value(sqlite3_stmt* s, int i, Blob v, Lifetime life);
void bind_value(sqlite3_stmt* s, int i, const base::Id& v);  // nil: NULL

template <typename T>
void bind_one(sqlite3_stmt* s, int i, const T& v, Lifetime life) {
  if constexpr (std::is_integral_v<T>)
    bind_value(s, i, static_cast<std::int64_t>(v));
  else if constexpr (std::is_same_v<T, base::Instant>)
    bind_value(s, i, v.us);
  else if constexpr (std::is_same_v<T, base::Id>)
    bind_value(s, i, v);
  else if constexpr (std::is_same_v<T, Blob>)
    bind_value(s, i, v, life);
  else if constexpr (std::is_same_v<T, base::Digest>)
    bind_value(s, i, Blob{{reinterpret_cast<const char*>(v.data()), v.size()}}, life);
  else
    bind_value(s, i, std::string_view(v), life);
}

class Cursor {
 public:
  Cursor(sqlite3* db, sqlite3_stmt* statement, std::optional<SqlFault> fault);
  Cursor(Cursor&& other) noexcept;
  Cursor(const Cursor&) = delete;
  Cursor& operator=(const Cursor&) = delete;
  Cursor& operator=(Cursor&&) = delete;
  ~Cursor();

  bool next();  // true: a row is there; false: the end, or a fault
  const std::optional<SqlFault>& fault() const { return fault_; }

  int columns() const;
  bool is_null(int column) const;
  std::int64_t integer(int column) const;
  std::uint32_t index(int column) const { return static_cast<std::uint32_t>(integer(column)); }
  std::uint64_t number(int column) const { return static_cast<std::uint64_t>(integer(column)); }
  base::Instant instant(int column) const { return {integer(column)}; }
  std::string_view bytes(int column) const;  // text or blob
  std::string text(int column) const { return std::string(bytes(column)); }
  base::Id id(int column) const;  // NULL: nil
  std::optional<base::Digest> digest(int column) const;
  // The column's type and value, unambiguous: what row digests are made of.
  void append_to(std::string& out, int column) const;

 private:
  sqlite3* db_;
  sqlite3_stmt* statement_;
  std::optional<SqlFault> fault_;
};

class Database {
 public:
  enum class Mode { create, read };
  static Sql<Database> open(const SqliteOptions& options, Mode mode);

  // Before the store is opened to write: its log is written again as it is, and synced. If a sync
  // failed before the process ended, what the system still shows of the log may not be on the disk,
  // nor ever come there; what is committed after it would be lost with it.
  static Sql<void> make_log_durable(const SqliteOptions& options);

  Sql<void> exec(const std::string& sql);

  // Runs a statement that returns no rows.
  template <typename... A>
  Sql<void> run(Literal sql, const A&... args) {
    auto s = prepared(sql);
    if (!s) return std::unexpected(std::move(s.error()));
    int i = 0;
    (bind_one(*s, ++i, args, Lifetime::outlives_statement), ...);
    return finish(*s);
  }

  template <typename... A>
  Cursor query(Literal sql, const A&... args) {
    auto s = prepared(sql);
    if (!s) return {db_.get(), nullptr, std::move(s.error())};
    int i = 0;
    (bind_one(*s, ++i, args, Lifetime::copy), ...);
    return {db_.get(), *s, std::nullopt};
  }

  std::int64_t changes() const;  // rows the latest run() of an INSERT, UPDATE or DELETE touched

  // Copies the write-ahead log into the database and starts it anew where no reader hinders it.
  Sql<void> checkpoint();
  // Pages in the write-ahead log after the latest commit of this connection.
  int log_pages() const { return *log_pages_; }
  void count_log_pages();  // takes the place of SQLite's own automatic checkpoints

 private:
  struct Close {
    void operator()(sqlite3* db) const;
  };
  struct Finalize {
    void operator()(sqlite3_stmt* s) const;
  };
  Sql<sqlite3_stmt*> prepared(Literal sql);
  Sql<void> finish(sqlite3_stmt* s);

  // Statements after the connection: they go first.
  std::unique_ptr<sqlite3, Close> db_;
  std::unordered_map<const char*, std::unique_ptr<sqlite3_stmt, Finalize>> statements_;
  std::unique_ptr<int> log_pages_ = std::make_unique<int>(0);
};

// BEGIN IMMEDIATE … COMMIT; rolled back unless committed.
class Transaction {
 public:
  static Sql<Transaction> begin(Database& db);
  Transaction(Transaction&& other) noexcept : db_(std::exchange(other.db_, nullptr)) {}
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  Transaction& operator=(Transaction&&) = delete;
  ~Transaction();
  Sql<void> commit();

 private:
  explicit Transaction(Database& db) : db_(&db) {}
  Database* db_;
};

}  // namespace ampacity::store
