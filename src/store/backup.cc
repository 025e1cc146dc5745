#include "store/backup.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sqlite3.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>

#include "core/evolve.h"
#include "store/copy.h"
#include "store/fold.h"
#include "store/journal.h"
#include "store/migrations.h"
#include "store/moved.h"
#include "store/row_writer.h"
#include "store/store_file.h"

namespace ampacity::store {
namespace {

struct File {
  int fd = -1;
  ~File() {
    if (fd >= 0) ::close(fd);
  }
};

base::Fault os_fault(const std::filesystem::path& file) {
  return {file.string() + ": " + std::strerror(errno), false};
}

// Mapped, not read: a store may be larger than memory.
base::Try<std::string> sha256_of(const std::filesystem::path& path, std::uint64_t& bytes) {
  const File file{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  struct stat st {};
  if (file.fd < 0 || fstat(file.fd, &st) != 0) return std::unexpected(os_fault(path));
  bytes = static_cast<std::uint64_t>(st.st_size);
  if (bytes == 0) return base::fault(path.string() + " is empty", false);
  void* at = mmap(nullptr, bytes, PROT_READ, MAP_PRIVATE, file.fd, 0);
  if (at == MAP_FAILED) return std::unexpected(os_fault(path));
  const base::Digest d = base::sha256({static_cast<const char*>(at), bytes});
  munmap(at, bytes);
  return base::to_hex(d);
}

base::Try<void> sync(const std::filesystem::path& path) {
  const File file{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  if (file.fd < 0 || ::fsync(file.fd) != 0) return std::unexpected(os_fault(path));
  return {};
}

struct CloseRawHandle {
  void operator()(sqlite3* db) const { sqlite3_close(db); }
};
using RawHandle = std::unique_ptr<sqlite3, CloseRawHandle>;

base::Fault sqlite_fault(sqlite3* db, const std::filesystem::path& file) {
  return {fmt::format("{}: {}", file.string(), db ? sqlite3_errmsg(db) : "out of memory"), false};
}

base::Try<RawHandle> connect(const std::filesystem::path& file, int flags, const char* vfs) {
  sqlite3* db = nullptr;
  const int code = sqlite3_open_v2(file.c_str(), &db, flags, vfs);
  RawHandle connection(db);
  if (code != SQLITE_OK) return std::unexpected(sqlite_fault(db, file));
  sqlite3_busy_timeout(db, 10'000);
  return connection;
}

// Page by page, in one read transaction: with a write-ahead log, readers and the writer do not wait
// for each other. (VACUUM INTO does not know what to do with our generated columns.)
base::Try<void> copy_pages(const StoreAt& from, const std::filesystem::path& to) {
  auto source =
      connect(from.file, SQLITE_OPEN_READONLY, from.vfs.empty() ? nullptr : from.vfs.c_str());
  if (!source) return std::unexpected(std::move(source.error()));
  auto copy = connect(to, SQLITE_OPEN_READWRITE, nullptr);
  if (!copy) return std::unexpected(std::move(copy.error()));
  sqlite3_backup* backup = sqlite3_backup_init(copy->get(), "main", source->get(), "main");
  if (backup == nullptr) return std::unexpected(sqlite_fault(copy->get(), to));
  sqlite3_backup_step(backup, -1);
  if (sqlite3_backup_finish(backup) != SQLITE_OK)
    return std::unexpected(sqlite_fault(copy->get(), to));
  // One file from here on, that can be read without making others beside it.
  if (sqlite3_exec(copy->get(), "PRAGMA journal_mode = DELETE", nullptr, nullptr, nullptr) !=
      SQLITE_OK)
    return std::unexpected(sqlite_fault(copy->get(), to));
  return {};
}

// Of PostgreSQL: in one read transaction, and proved equal to what it sees.
base::Try<void> copy_database(const StoreAt& from, const std::filesystem::path& to) {
  auto source = open_to_read(from);
  if (!source) return std::unexpected(std::move(source.error()));
  {
    auto copy = open_to_write(to);
    if (!copy) return std::unexpected(std::move(copy.error()));
    if (auto r = source->connection().begin_read(); !r) return std::unexpected(to_fault(r.error()));
    if (auto r = check_not_moved(*source, from); !r) return r;
    auto transaction = Transaction::begin(copy->db);
    if (!transaction) return std::unexpected(to_fault(transaction.error()));
    if (auto r = copy_equal_rows(*source, copy->db); !r) return r;
    if (auto r = transaction->commit(); !r) return std::unexpected(to_fault(r.error()));
    source->connection().end_read();
    if (auto r = copy->db.exec("PRAGMA journal_mode = DELETE"); !r)
      return std::unexpected(to_fault(r.error()));
  }
  std::error_code ignored;
  std::filesystem::remove(to.string() + ".lock", ignored);
  return {};
}

base::Try<void> copy_file(const StoreAt& from, const std::filesystem::path& to) {
  if (auto r = copy_pages(from, to); !r) return r;
  auto copy = Database::open(to, Database::Mode::read);
  if (!copy) return std::unexpected(to_fault(copy.error()));
  return check_not_moved(*copy, from);
}

base::Try<int> schema_in(Database& db) {
  auto table =
      db.connection().is_postgres()
          ? db.query("SELECT CASE WHEN to_regclass('migrations') IS NULL THEN 0 ELSE 1 END")
          : db.query(
                "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND "
                "name = 'migrations'");
  if (!table.next()) return std::unexpected(to_fault(table.fault().value_or(SqlFault{})));
  if (table.integer(0) == 0) return 0;
  auto version = db.query("SELECT coalesce(max(version), 0) FROM migrations");
  if (!version.next()) return std::unexpected(to_fault(version.fault().value_or(SqlFault{})));
  return static_cast<int>(version.integer(0));
}

// The note, but for the file's bytes.
base::Try<CopyNote> describe(Database& db) {
  CopyNote note;
  auto schema = schema_in(db);
  if (!schema) return std::unexpected(std::move(schema.error()));
  note.schema = *schema;
  auto folded = fold(db);
  if (!folded) return std::unexpected(std::move(folded.error()));
  note.sequence = folded->end.sequence;
  note.chain = base::to_hex(folded->end.chain);
  note.world = core::state_digest(folded->world.state());
  auto rows = digest_read_models(db);
  if (!rows) return std::unexpected(to_fault(rows.error()));
  note.read_models = std::move(*rows);
  return note;
}

base::Try<void> differ(const char* what, const std::string& noted, const std::string& found) {
  return base::fault(fmt::format("the backup is damaged: its {} is {}, noted was {}", what,
                                 found.substr(0, 16), noted.substr(0, 16)),
                     false);
}

// From the first fact, whatever snapshots there are.
base::Try<Folded> fold_all(Database& db, std::uint64_t& facts) {
  Folded out;
  const auto use = [&](std::uint64_t, std::vector<core::Fact> batch) -> base::Try<void> {
    for (const core::Fact& f : batch) evolve(out.world, f);
    facts += batch.size();
    return {};
  };
  if (auto r = each_batch(db, out.end, use); !r) return std::unexpected(std::move(r.error()));
  return out;
}

}  // namespace

base::Try<CopyNote> back_up_store(const StoreAt& from, const std::filesystem::path& to,
                                  base::Instant now) {
  {
    const File made{::open(to.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600)};
    if (made.fd < 0) return std::unexpected(os_fault(to));
  }
  if (auto r = from.on_postgres() ? copy_database(from, to) : copy_file(from, to); !r)
    return std::unexpected(std::move(r.error()));
  if (auto r = sync(to); !r) return std::unexpected(std::move(r.error()));
  auto copy = Database::open(to, Database::Mode::read);
  if (!copy) return std::unexpected(to_fault(copy.error()));
  auto note = describe(*copy);
  if (!note) return note;
  auto digest = sha256_of(to, note->bytes);
  if (!digest) return std::unexpected(std::move(digest.error()));
  note->sha256 = std::move(*digest);
  note->made_at = now;
  return note;
}

base::Try<void> check_bytes(const std::filesystem::path& copy, const CopyNote& note) {
  if (note.format != 1)
    return base::fault(fmt::format("the backup has format {}; this program knows 1", note.format),
                       false);
  if (note.schema > migrations().back().version)
    return base::fault(fmt::format("the backup is of a newer release: its store has migration {}, "
                                   "this program's last is {}",
                                   note.schema, migrations().back().version),
                       false);
  std::uint64_t bytes = 0;
  auto digest = sha256_of(copy, bytes);
  if (!digest) return std::unexpected(std::move(digest.error()));
  if (bytes != note.bytes)
    return base::fault(fmt::format("the backup is damaged: {} has {} bytes, noted were {}",
                                   copy.string(), bytes, note.bytes),
                       false);
  if (*digest != note.sha256) return differ("SHA-256", note.sha256, *digest);
  return {};
}

base::Try<Proof> prove_copy(const std::filesystem::path& copy, const CopyNote& note) {
  Proof proof;
  proof.same_release = note.schema == migrations().back().version;
  {
    auto db = Database::open(copy, Database::Mode::read);
    if (!db) return std::unexpected(to_fault(db.error()));
    auto folded = fold_all(*db, proof.facts);
    if (!folded) return std::unexpected(std::move(folded.error()));
    if (const auto chain = base::to_hex(folded->end.chain);
        folded->end.sequence != note.sequence || chain != note.chain)
      return std::unexpected(differ("journal's chain", note.chain, chain).error());
    proof.world = core::state_digest(folded->world.state());
    if (proof.same_release && proof.world != note.world)
      return std::unexpected(differ("world", note.world, proof.world).error());
  }
  const auto rebuilt = rebuild_read_models(copy);
  if (!rebuilt) return std::unexpected(rebuilt.error());
  proof.read_models = rebuilt->after;
  if (rebuilt->before != rebuilt->after ||
      (proof.same_release && rebuilt->after != note.read_models))
    return std::unexpected(differ("read models", note.read_models, rebuilt->after).error());
  return proof;
}

base::Try<int> schema_of(const StoreAt& options) {
  auto db = Database::open(options, Database::Mode::read);
  if (!db) return std::unexpected(to_fault(db.error()));
  return schema_in(*db);
}

}  // namespace ampacity::store
