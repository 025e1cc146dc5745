#include "store/store_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/threads.h"
#include "store/migrations.h"
#include "store/moved.h"
#include "store/postgres.h"
#include "store/sqlite.h"

namespace ampacity::store {
namespace {

// page_size must come before anything is written. Automatic checkpoints are off: the journal makes
// them itself, after it has answered. secure_delete=fast overwrites deleted secrets in place.
constexpr const char* store_settings = R"sql(
PRAGMA page_size = 8192;
PRAGMA journal_mode = WAL;
PRAGMA synchronous = FULL;
PRAGMA foreign_keys = ON;
PRAGMA recursive_triggers = ON;
PRAGMA secure_delete = FAST;
PRAGMA cache_size = -65536;
PRAGMA temp_store = MEMORY;
PRAGMA wal_autocheckpoint = 0;
PRAGMA journal_size_limit = 67108864;
)sql";

constexpr int most_lock_tries = 20;
constexpr base::Duration between_lock_tries = base::Duration::millis(50);

// Private to its owner: it holds hashed keys and sealed values. The log takes the same mode.
base::Try<void> create_private(const std::filesystem::path& file) {
  const int fd = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) return base::fault(file.string() + ": " + std::strerror(errno), false);
  ::close(fd);
  return {};
}

base::Try<Lock> claim(const std::filesystem::path& file) {
  std::error_code ignored;  // a folder that could not be made shows in the next line
  if (file.has_parent_path()) std::filesystem::create_directories(file.parent_path(), ignored);
  auto lock = Lock::take(file);
  if (!lock) return lock;
  if (auto made = create_private(file); !made) return std::unexpected(std::move(made.error()));
  return lock;
}

}  // namespace

base::Try<Lock> Lock::take(const std::filesystem::path& file) {
  const std::string path = file.string() + ".lock";
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) return base::fault(path + ": " + std::strerror(errno), false);
  Lock lock(fd);
  // Who was killed holds it until a child it was starting has become another program.
  int tries = 0;
  while (::flock(fd, LOCK_EX | LOCK_NB) != 0 && ++tries < most_lock_tries)
    base::sleep_for(between_lock_tries);
  if (tries == most_lock_tries) {
    char holder[32] = {};
    if (::read(fd, holder, sizeof holder - 1) <= 0) holder[0] = '?';
    return base::fault(
        file.string() + " is in use by another ampacityd (process " + holder + "): stop it first",
        false);
  }
  const std::string pid = std::to_string(::getpid());
  if (::ftruncate(fd, 0) != 0 || ::pwrite(fd, pid.data(), pid.size(), 0) < 0) {
    // Only the message for a second opener would lack the number.
  }
  return lock;
}

Lock::~Lock() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

namespace {

base::Try<WritableStore> open_on_postgres(const StoreAt& options) {
  auto connection = connect_postgres(options, PostgresUse::write);
  if (!connection) return std::unexpected(to_fault(connection.error()));
  Database db(std::move(*connection));
  if (auto r = migrate(db, migrations()); !r) return std::unexpected(std::move(r.error()));
  if (auto r = db.connection().claim(); !r) return std::unexpected(to_fault(r.error()));
  if (auto r = check_not_moved(db, options); !r) return std::unexpected(std::move(r.error()));
  return WritableStore{Lock(), std::move(db)};
}

base::Try<Database> connect_to_read(const StoreAt& options) {
  auto db = options.on_postgres() ? take_from_pool(options)
                                  : Database::open(options, Database::Mode::read);
  if (!db) return std::unexpected(to_fault(db.error()));
  if (!options.on_postgres())
    if (auto r = db->exec("PRAGMA cache_size = -16384; PRAGMA query_only = ON"); !r)
      return std::unexpected(to_fault(r.error()));
  return std::move(*db);
}

}  // namespace

base::Try<WritableStore> open_to_write(const StoreAt& options) {
  if (options.on_postgres()) return open_on_postgres(options);
  auto lock = options.vfs.empty() ? claim(options.file) : base::Try<Lock>(Lock());
  if (!lock) return std::unexpected(std::move(lock.error()));
  if (auto r = make_log_durable(options); !r) return std::unexpected(to_fault(r.error()));
  auto db = Database::open(options, Database::Mode::create);
  if (!db) return std::unexpected(to_fault(db.error()));
  if (auto r = db->exec(store_settings); !r) return std::unexpected(to_fault(r.error()));
  if (auto r = migrate(*db, migrations()); !r) return std::unexpected(std::move(r.error()));
  if (auto r = check_not_moved(*db, options); !r) return std::unexpected(std::move(r.error()));
  db->connection().count_log_pages();
  return WritableStore{std::move(*lock), std::move(*db)};
}

base::Try<Database> open_to_read(const StoreAt& options) {
  const std::string name = options.name();
  auto db = connect_to_read(options);
  if (!db) return db;
  auto version = db->query("SELECT max(version) FROM migrations");
  if (!version.next())
    return base::fault(name + " is not an Ampacity store: " +
                           (version.fault() ? version.fault()->message : "no migrations"),
                       false);
  if (version.integer(0) != migrations().back().version)
    return base::fault(name + " is at migration " + version.text(0) + ", this program at " +
                           std::to_string(migrations().back().version),
                       false);
  (void)version.next();  // the end: nothing stays open
  return std::move(*db);
}

}  // namespace ampacity::store
