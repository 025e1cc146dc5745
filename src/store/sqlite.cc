#include "store/sqlite.h"

#include <sqlite3.h>

#include <algorithm>
#include <cstddef>
#include <vector>

namespace ampacity::store {
namespace {

constexpr int busy_timeout_ms = 5'000;

// SQLite says FULL for ENOSPC; a quota or a file size limit comes as a plain write error. Either
// way the commit record was not written. (Its errno is not to be trusted: the rollback may change
// it.)
SqlFault::Kind kind_of(int code) {
  if ((code & 0xff) == SQLITE_FULL || code == SQLITE_IOERR_WRITE || code == SQLITE_IOERR_SHMSIZE ||
      code == SQLITE_IOERR_TRUNCATE)
    return SqlFault::Kind::full;
  if (code == SQLITE_IOERR_FSYNC || code == SQLITE_IOERR_DIR_FSYNC)
    return SqlFault::Kind::sync_failed;
  return SqlFault::Kind::other;
}

SqlFault fault_with(int code, std::string message) {
  return {kind_of(code), "sqlite " + std::to_string(code), std::move(message)};
}

SqlFault fault_of(sqlite3* db, int code) {
  if (!db) return fault_with(code, sqlite3_errstr(code));
  return fault_with(sqlite3_extended_errcode(db), sqlite3_errmsg(db));
}

sqlite3_destructor_type destructor_of(Lifetime life) {
  return life == Lifetime::copy ? SQLITE_TRANSIENT : SQLITE_STATIC;
}

class SqliteStatement final : public Statement {
 public:
  SqliteStatement(sqlite3* db, sqlite3_stmt* s) : db_(db), s_(s) {}
  SqliteStatement(const SqliteStatement&) = delete;
  SqliteStatement& operator=(const SqliteStatement&) = delete;
  ~SqliteStatement() override { sqlite3_finalize(s_); }

  void bind(int i, std::int64_t v) override { sqlite3_bind_int64(s_, i, v); }
  void bind(int i, std::string_view v, Lifetime life) override {
    sqlite3_bind_text64(s_, i, v.data() ? v.data() : "", v.size(), destructor_of(life),
                        SQLITE_UTF8);
  }
  void bind(int i, Blob v, Lifetime life) override {
    const char* data = v.bytes.data() ? v.bytes.data() : "";
    sqlite3_bind_blob64(s_, i, data, v.bytes.size(), destructor_of(life));
  }
  void bind(int i, const base::Id& v) override {
    if (v.is_nil()) {
      sqlite3_bind_null(s_, i);
      return;
    }
    unsigned char bytes[16];
    for (int k = 0; k < 8; ++k) {
      bytes[k] = static_cast<unsigned char>(v.high >> (56 - 8 * k));
      bytes[8 + k] = static_cast<unsigned char>(v.low >> (56 - 8 * k));
    }
    sqlite3_bind_blob(s_, i, bytes, sizeof bytes, SQLITE_TRANSIENT);
  }

  Sql<void> run() override {
    int code = sqlite3_step(s_);
    while (code == SQLITE_ROW) code = sqlite3_step(s_);
    Sql<void> r;
    if (code != SQLITE_DONE) r = std::unexpected(fault_of(db_, code));
    sqlite3_reset(s_);
    return r;
  }

  bool starts_many() const override { return false; }
  Sql<void> start() override { return {}; }
  Sql<bool> next() override {
    const int code = sqlite3_step(s_);
    if (code == SQLITE_ROW) return true;
    Sql<bool> r = false;
    if (code != SQLITE_DONE) r = std::unexpected(fault_of(db_, code));
    reset();
    return r;
  }
  void reset() override {
    sqlite3_reset(s_);
    sqlite3_clear_bindings(s_);
  }

  int columns() const override { return sqlite3_column_count(s_); }
  Type type(int column) const override {
    return static_cast<Type>(sqlite3_column_type(s_, column));
  }
  std::int64_t integer(int column) const override { return sqlite3_column_int64(s_, column); }
  std::string_view bytes(int column) const override {
    const void* data = sqlite3_column_blob(s_, column);
    const int size = sqlite3_column_bytes(s_, column);
    return data ? std::string_view(static_cast<const char*>(data), static_cast<std::size_t>(size))
                : std::string_view();
  }

 private:
  sqlite3* db_;
  sqlite3_stmt* s_;
};

struct Close {
  void operator()(sqlite3* db) const { sqlite3_close_v2(db); }
};

class SqliteConnection final : public Connection {
 public:
  explicit SqliteConnection(sqlite3* db) : db_(db) {}

  Sql<std::unique_ptr<Statement>> prepare(std::string_view sql) override {
    sqlite3_stmt* raw = nullptr;
    const int code = sqlite3_prepare_v3(db_.get(), sql.data(), static_cast<int>(sql.size()),
                                        SQLITE_PREPARE_PERSISTENT, &raw, nullptr);
    if (code != SQLITE_OK) return std::unexpected(fault_of(db_.get(), code));
    return std::make_unique<SqliteStatement>(db_.get(), raw);
  }
  Sql<void> exec(const std::string& sql) override {
    const int code = sqlite3_exec(db_.get(), sql.c_str(), nullptr, nullptr, nullptr);
    if (code != SQLITE_OK) return std::unexpected(fault_of(db_.get(), code));
    return {};
  }
  std::int64_t changes() override { return sqlite3_changes64(db_.get()); }
  Sql<void> begin() override { return once(begin_, "BEGIN IMMEDIATE"); }
  Sql<void> commit() override { return once(commit_, "COMMIT"); }
  // Some faults have rolled back already: then this one is refused, and that is fine.
  void roll_back() override { (void)once(roll_back_, "ROLLBACK"); }
  Sql<void> begin_read() override { return exec("BEGIN"); }
  void end_read() override { (void)exec("COMMIT"); }

  Literal columns_of_table() const override {
    return "SELECT name FROM pragma_table_xinfo(?) WHERE hidden = 0 ORDER BY cid";
  }
  Sql<void> insert_all(const std::string& table, std::span<const std::string> columns,
                       Cursor& rows) override;

  Sql<void> checkpoint() override {
    int in_log = 0, done = 0;
    const int code =
        sqlite3_wal_checkpoint_v2(db_.get(), nullptr, SQLITE_CHECKPOINT_PASSIVE, &in_log, &done);
    // BUSY: a reader still needs the log; the rest is copied next time.
    if (code != SQLITE_OK && (code & 0xff) != SQLITE_BUSY)
      return std::unexpected(fault_of(db_.get(), code));
    return {};
  }
  int log_pages() const override { return log_pages_; }
  // Takes the place of SQLite's own automatic checkpoints.
  void count_log_pages() override {
    sqlite3_wal_hook(
        db_.get(),
        [](void* count, sqlite3*, const char*, int pages) {
          *static_cast<int*>(count) = pages;
          return SQLITE_OK;
        },
        &log_pages_);
  }

 private:
  Sql<void> once(std::unique_ptr<Statement>& statement, std::string_view sql) {
    if (!statement) {
      auto made = prepare(sql);
      if (!made) return std::unexpected(std::move(made.error()));
      statement = std::move(*made);
    }
    return statement->run();
  }

  std::unique_ptr<sqlite3, Close> db_;
  std::unique_ptr<Statement> begin_, commit_, roll_back_;
  int log_pages_ = 0;
};

Sql<void> SqliteConnection::insert_all(const std::string& table,
                                       std::span<const std::string> columns, Cursor& rows) {
  std::string sql = "INSERT INTO " + table + " (", marks;
  for (const std::string& c : columns) {
    sql += (marks.empty() ? "" : ", ") + c;
    marks += marks.empty() ? "?" : ", ?";
  }
  auto s = prepare(sql + ") VALUES (" + marks + ")");
  if (!s) return std::unexpected(std::move(s.error()));
  while (rows.next()) {
    for (int i = 0; i < rows.columns(); ++i) {
      const Statement::Type type = rows.type(i);
      if (type == Statement::Type::integer)
        (*s)->bind(i + 1, rows.integer(i));
      else if (type == Statement::Type::text)
        (*s)->bind(i + 1, rows.bytes(i), Lifetime::outlives_statement);
      else if (type == Statement::Type::blob)
        (*s)->bind(i + 1, Blob{rows.bytes(i)}, Lifetime::outlives_statement);
      else
        (*s)->bind(i + 1, base::Id{});
    }
    if (auto r = (*s)->run(); !r) return r;
  }
  if (rows.fault()) return std::unexpected(*rows.fault());
  return {};
}

}  // namespace

Sql<std::unique_ptr<Connection>> connect_sqlite(const StoreAt& at, bool writes) {
  const int flags = writes ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE : SQLITE_OPEN_READONLY;
  sqlite3* raw = nullptr;
  const int code = sqlite3_open_v2(at.file.c_str(), &raw, flags | SQLITE_OPEN_NOMUTEX,
                                   at.vfs.empty() ? nullptr : at.vfs.c_str());
  auto connection = std::make_unique<SqliteConnection>(raw);
  if (code != SQLITE_OK) {
    SqlFault f = fault_of(raw, code);
    f.message = at.file.string() + ": " + f.message;
    return std::unexpected(std::move(f));
  }
  sqlite3_extended_result_codes(raw, 1);
  sqlite3_busy_timeout(raw, busy_timeout_ms);
  return connection;
}

namespace {

struct CloseFile {
  void operator()(sqlite3_file* f) const {
    if (f->pMethods) f->pMethods->xClose(f);
  }
};

// Byte for byte what is there already: torn sectors do no harm. Not where a sector may be spoiled
// by its neighbour's write (the system's files are not such).
int write_again(sqlite3_file* f) {
  constexpr sqlite3_int64 at_once = 1 << 16;  // SQLite's own takes less than 1 << 17
  if (!(f->pMethods->xDeviceCharacteristics(f) & SQLITE_IOCAP_POWERSAFE_OVERWRITE))
    return SQLITE_OK;
  sqlite3_int64 size = 0;
  int code = f->pMethods->xFileSize(f, &size);
  std::string bytes;
  for (sqlite3_int64 at = 0; code == SQLITE_OK && at < size; at += at_once) {
    const int n = static_cast<int>(std::min(at_once, size - at));
    bytes.resize(static_cast<std::size_t>(n));
    code = f->pMethods->xRead(f, bytes.data(), n, at);
    if (code == SQLITE_OK) code = f->pMethods->xWrite(f, bytes.data(), n, at);
  }
  return code == SQLITE_OK ? f->pMethods->xSync(f, SQLITE_SYNC_NORMAL) : code;
}

}  // namespace

Sql<void> make_log_durable(const StoreAt& options) {
  sqlite3_initialize();
  sqlite3_vfs* vfs = sqlite3_vfs_find(options.vfs.empty() ? nullptr : options.vfs.c_str());
  if (!vfs) return {};  // the opening will say so
  const std::string log = options.file.string() + "-wal";
  int there = 0;
  int code = vfs->xAccess(vfs, log.c_str(), SQLITE_ACCESS_EXISTS, &there);
  if (code == SQLITE_OK && there) {
    const std::size_t words =
        static_cast<std::size_t>(vfs->szOsFile) / sizeof(std::max_align_t) + 1;
    std::vector<std::max_align_t> memory(words);
    auto* f = reinterpret_cast<sqlite3_file*>(memory.data());
    const std::unique_ptr<sqlite3_file, CloseFile> closing(f);
    code = vfs->xOpen(vfs, log.c_str(), f, SQLITE_OPEN_READWRITE | SQLITE_OPEN_WAL, nullptr);
    if (code == SQLITE_OK) code = write_again(f);
  }
  if (code == SQLITE_OK) return {};
  return std::unexpected(fault_with(code, log + ": " + sqlite3_errstr(code)));
}

}  // namespace ampacity::store
