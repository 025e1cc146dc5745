#include "store/sqlite.h"

#include <sqlite3.h>

#include <algorithm>
#include <cstddef>
#include <vector>

namespace ampacity::store {
namespace {

constexpr int busy_timeout_ms = 5'000;

SqlFault fault_of(sqlite3* db, int code) {
  if (!db) return {code, sqlite3_errstr(code)};
  return {sqlite3_extended_errcode(db), sqlite3_errmsg(db)};
}

std::uint64_t big_endian_at(const unsigned char* p) {
  std::uint64_t n = 0;
  for (int i = 0; i < 8; ++i) n = (n << 8) | p[i];
  return n;
}

sqlite3_destructor_type destructor_of(Lifetime life) {
  return life == Lifetime::copy ? SQLITE_TRANSIENT : SQLITE_STATIC;
}

}  // namespace

// SQLite says FULL for ENOSPC; a quota or a file size limit comes as a plain write error. Either
// way the commit record was not written. (Its errno is not to be trusted: the rollback may change
// it.)
bool SqlFault::disk_full() const {
  return (code & 0xff) == SQLITE_FULL || code == SQLITE_IOERR_WRITE ||
         code == SQLITE_IOERR_SHMSIZE || code == SQLITE_IOERR_TRUNCATE;
}

bool SqlFault::sync_failed() const {
  return code == SQLITE_IOERR_FSYNC || code == SQLITE_IOERR_DIR_FSYNC;
}

base::Fault to_fault(const SqlFault& f) {
  return {"sqlite: " + f.message + " (" + std::to_string(f.code) + ")", f.disk_full(), 0};
}

void bind_value(sqlite3_stmt* s, int i, std::int64_t v) { sqlite3_bind_int64(s, i, v); }

void bind_value(sqlite3_stmt* s, int i, std::string_view v, Lifetime life) {
  sqlite3_bind_text64(s, i, v.data() ? v.data() : "", v.size(), destructor_of(life), SQLITE_UTF8);
}

void bind_value(sqlite3_stmt* s, int i, Blob v, Lifetime life) {
  const char* data = v.bytes.data() ? v.bytes.data() : "";
  sqlite3_bind_blob64(s, i, data, v.bytes.size(), destructor_of(life));
}

void bind_value(sqlite3_stmt* s, int i, const base::Id& v) {
  if (v.is_nil()) {
    sqlite3_bind_null(s, i);
    return;
  }
  unsigned char bytes[16];
  for (int k = 0; k < 8; ++k) {
    bytes[k] = static_cast<unsigned char>(v.high >> (56 - 8 * k));
    bytes[8 + k] = static_cast<unsigned char>(v.low >> (56 - 8 * k));
  }
  sqlite3_bind_blob(s, i, bytes, sizeof bytes, SQLITE_TRANSIENT);
}

// ---- Cursor -------------------------------------------------------------------------------------

Cursor::Cursor(sqlite3* db, sqlite3_stmt* statement, std::optional<SqlFault> fault)
    : db_(db), statement_(statement), fault_(std::move(fault)) {}

Cursor::Cursor(Cursor&& other) noexcept
    : db_(other.db_),
      statement_(std::exchange(other.statement_, nullptr)),
      fault_(std::move(other.fault_)) {}

Cursor::~Cursor() {
  if (!statement_) return;
  sqlite3_reset(statement_);
  sqlite3_clear_bindings(statement_);
}

bool Cursor::next() {
  if (!statement_ || fault_) return false;
  const int code = sqlite3_step(statement_);
  if (code == SQLITE_ROW) return true;
  if (code != SQLITE_DONE) fault_ = fault_of(db_, code);
  sqlite3_reset(statement_);  // the end: stepping again would run it again
  sqlite3_clear_bindings(statement_);
  statement_ = nullptr;
  return false;
}

int Cursor::columns() const { return statement_ ? sqlite3_column_count(statement_) : 0; }

bool Cursor::is_null(int column) const {
  return sqlite3_column_type(statement_, column) == SQLITE_NULL;
}

std::int64_t Cursor::integer(int column) const { return sqlite3_column_int64(statement_, column); }

std::string_view Cursor::bytes(int column) const {
  const void* data = sqlite3_column_blob(statement_, column);
  const int size = sqlite3_column_bytes(statement_, column);
  return data ? std::string_view(static_cast<const char*>(data), static_cast<std::size_t>(size))
              : std::string_view();
}

base::Id Cursor::id(int column) const {
  const std::string_view b = bytes(column);
  if (b.size() != 16) return {};
  const auto* p = reinterpret_cast<const unsigned char*>(b.data());
  return {big_endian_at(p), big_endian_at(p + 8)};
}

std::optional<base::Digest> Cursor::digest(int column) const {
  const std::string_view b = bytes(column);
  base::Digest d;
  if (b.size() != d.size()) return std::nullopt;
  std::copy(b.begin(), b.end(), d.begin());
  return d;
}

void Cursor::append_to(std::string& out, int column) const {
  const int type = sqlite3_column_type(statement_, column);
  out += static_cast<char>('0' + type);
  if (type == SQLITE_NULL) return;
  const std::string number = type == SQLITE_INTEGER ? std::to_string(integer(column)) : "";
  const std::string_view value = type == SQLITE_INTEGER ? std::string_view(number) : bytes(column);
  out += std::to_string(value.size());
  out += ':';
  out += value;
}

// ---- Database -----------------------------------------------------------------------------------

void Database::Close::operator()(sqlite3* db) const { sqlite3_close_v2(db); }
void Database::Finalize::operator()(sqlite3_stmt* s) const { sqlite3_finalize(s); }

Sql<Database> Database::open(const SqliteOptions& options, Mode mode) {
  const int flags =
      mode == Mode::create ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE : SQLITE_OPEN_READONLY;
  sqlite3* raw = nullptr;
  const int code = sqlite3_open_v2(options.file.c_str(), &raw, flags | SQLITE_OPEN_NOMUTEX,
                                   options.vfs.empty() ? nullptr : options.vfs.c_str());
  Database db;
  db.db_.reset(raw);
  if (code != SQLITE_OK) {
    SqlFault f = fault_of(raw, code);
    f.message = options.file.string() + ": " + f.message;
    return std::unexpected(std::move(f));
  }
  sqlite3_extended_result_codes(raw, 1);
  sqlite3_busy_timeout(raw, busy_timeout_ms);
  return db;
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

Sql<void> Database::make_log_durable(const SqliteOptions& options) {
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
  return std::unexpected(SqlFault{code, log + ": " + sqlite3_errstr(code)});
}

Sql<void> Database::exec(const std::string& sql) {
  const int code = sqlite3_exec(db_.get(), sql.c_str(), nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) return std::unexpected(fault_of(db_.get(), code));
  return {};
}

Sql<sqlite3_stmt*> Database::prepared(Literal sql) {
  auto& s = statements_[sql.sql];
  if (s) return s.get();
  sqlite3_stmt* raw = nullptr;
  const int code = sqlite3_prepare_v3(db_.get(), sql.sql, static_cast<int>(sql.size),
                                      SQLITE_PREPARE_PERSISTENT, &raw, nullptr);
  if (code != SQLITE_OK) return std::unexpected(fault_of(db_.get(), code));
  s.reset(raw);
  return raw;
}

Sql<void> Database::finish(sqlite3_stmt* s) {
  int code = sqlite3_step(s);
  while (code == SQLITE_ROW) code = sqlite3_step(s);
  if (code != SQLITE_DONE) {
    auto f = fault_of(db_.get(), code);
    sqlite3_reset(s);
    return std::unexpected(std::move(f));
  }
  sqlite3_reset(s);
  return {};
}

std::int64_t Database::changes() const { return sqlite3_changes64(db_.get()); }

Sql<void> Database::checkpoint() {
  int in_log = 0, done = 0;
  const int code =
      sqlite3_wal_checkpoint_v2(db_.get(), nullptr, SQLITE_CHECKPOINT_PASSIVE, &in_log, &done);
  // BUSY: a reader still needs the log; the rest is copied next time.
  if (code != SQLITE_OK && (code & 0xff) != SQLITE_BUSY)
    return std::unexpected(fault_of(db_.get(), code));
  return {};
}

void Database::count_log_pages() {
  sqlite3_wal_hook(
      db_.get(),
      [](void* count, sqlite3*, const char*, int pages) {
        *static_cast<int*>(count) = pages;
        return SQLITE_OK;
      },
      log_pages_.get());
}

// ---- Transaction --------------------------------------------------------------------------------

Sql<Transaction> Transaction::begin(Database& db) {
  if (auto r = db.run("BEGIN IMMEDIATE"); !r) return std::unexpected(std::move(r.error()));
  return Transaction(db);
}

Sql<void> Transaction::commit() {
  auto r = db_->run("COMMIT");
  if (r) db_ = nullptr;
  return r;
}

// Some faults have rolled back already: then this one is refused, and that is fine.
Transaction::~Transaction() {
  if (db_) (void)db_->run("ROLLBACK");
}

}  // namespace ampacity::store
