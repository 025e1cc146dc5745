#include <sqlite3.h>
#include <strings.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <memory>
#include <string>

#include "base/check.h"
#include "sim/disk.h"
#include "sim/disk_node.h"

namespace ampacity::sim {

// ---- locks --------------------------------------------------------------------------------------

// SHARED by many, RESERVED by one beside them, PENDING lets no more in, EXCLUSIVE is alone.
bool Disk::Node::raise(DiskHolder& who, int lock) {
  if (who.lock >= lock) return true;
  const auto another_has = [&](int least) {
    return std::any_of(holders.begin(), holders.end(),
                       [&](const DiskHolder* h) { return h != &who && h->lock >= least; });
  };
  if (lock == SQLITE_LOCK_SHARED) {
    if (another_has(SQLITE_LOCK_PENDING)) return false;
  } else {
    if (another_has(SQLITE_LOCK_RESERVED)) return false;
    if (lock == SQLITE_LOCK_EXCLUSIVE && another_has(SQLITE_LOCK_SHARED)) {
      who.lock = SQLITE_LOCK_PENDING;
      return false;
    }
  }
  who.lock = lock;
  return true;
}

bool Disk::Node::take_slots(DiskHolder& who, std::uint32_t slots, bool exclusive) {
  for (const DiskHolder* h : mapped) {
    if (h == &who) continue;
    if ((h->exclusive & slots) != 0 || (exclusive && (h->shared & slots) != 0)) return false;
  }
  (exclusive ? who.exclusive : who.shared) |= slots;
  return true;
}

namespace {

struct Handle {
  sqlite3_file base{};  // first: SQLite knows only this
  Disk* disk = nullptr;
  Disk::NodeRef node;
  std::uint64_t epoch = 0;
  std::string remove_at_close;  // its name
  bool folder_to_sync = false;  // a log or journal that was just made
  DiskHolder holder;

  bool gone() const { return disk->crashed() || epoch != disk->epoch(); }
};

Handle& handle_of(sqlite3_file* f) { return *reinterpret_cast<Handle*>(f); }

void unmap(Handle& h) {
  std::erase(h.node->mapped, &h.holder);
  h.holder.shared = h.holder.exclusive = 0;
  if (h.node->mapped.empty()) h.node->shared_memory.clear();
}

int close(sqlite3_file* f) {
  Handle& h = handle_of(f);
  unmap(h);
  std::erase(h.node->holders, &h.holder);
  if (!h.remove_at_close.empty() && !h.gone()) (void)h.disk->remove(h.remove_at_close, false);
  std::destroy_at(&h);
  return SQLITE_OK;
}

int read(sqlite3_file* f, void* to, int size, sqlite3_int64 offset) {
  Handle& h = handle_of(f);
  if (h.gone()) return SQLITE_IOERR_READ;
  switch (h.disk->read(*h.node, static_cast<std::uint64_t>(offset), static_cast<char*>(to),
                       static_cast<std::size_t>(size))) {
    case Disk::Answer::done:
      return SQLITE_OK;
    case Disk::Answer::full:
      return SQLITE_IOERR_SHORT_READ;
    case Disk::Answer::failed:
      break;
  }
  return SQLITE_IOERR_READ;
}

int write(sqlite3_file* f, const void* from, int size, sqlite3_int64 offset) {
  Handle& h = handle_of(f);
  if (h.gone()) return SQLITE_IOERR_WRITE;
  switch (h.disk->write(*h.node, static_cast<std::uint64_t>(offset),
                        {static_cast<const char*>(from), static_cast<std::size_t>(size)})) {
    case Disk::Answer::done:
      return SQLITE_OK;
    case Disk::Answer::full:
      return SQLITE_FULL;
    case Disk::Answer::failed:
      break;
  }
  return SQLITE_IOERR_WRITE;
}

int truncate(sqlite3_file* f, sqlite3_int64 size) {
  Handle& h = handle_of(f);
  const bool done = !h.gone() && h.disk->truncate(*h.node, static_cast<std::uint64_t>(size)) ==
                                     Disk::Answer::done;
  return done ? SQLITE_OK : SQLITE_IOERR_TRUNCATE;
}

// As SQLite's own: the folder of a new log or journal is synced with its first sync.
int sync(sqlite3_file* f, int) {
  Handle& h = handle_of(f);
  if (h.gone() || h.disk->sync(*h.node) != Disk::Answer::done) return SQLITE_IOERR_FSYNC;
  if (!h.folder_to_sync) return SQLITE_OK;
  h.folder_to_sync = false;
  return h.disk->sync_folder() == Disk::Answer::done ? SQLITE_OK : SQLITE_IOERR_DIR_FSYNC;
}

int file_size(sqlite3_file* f, sqlite3_int64* size) {
  Handle& h = handle_of(f);
  if (h.gone()) return SQLITE_IOERR_FSTAT;
  *size = static_cast<sqlite3_int64>(h.node->file.seen().size());
  return SQLITE_OK;
}

int lock(sqlite3_file* f, int level) {
  Handle& h = handle_of(f);
  if (h.gone()) return SQLITE_IOERR_LOCK;
  return h.node->raise(h.holder, level) ? SQLITE_OK : SQLITE_BUSY;
}

int unlock(sqlite3_file* f, int level) {
  DiskHolder& holder = handle_of(f).holder;
  holder.lock = std::min(holder.lock, level);
  return SQLITE_OK;
}

int check_reserved_lock(sqlite3_file* f, int* is) {
  const Handle& h = handle_of(f);
  if (h.gone()) return SQLITE_IOERR_CHECKRESERVEDLOCK;
  const auto& holders = h.node->holders;
  *is = std::any_of(holders.begin(), holders.end(),
                    [](const DiskHolder* o) { return o->lock >= SQLITE_LOCK_RESERVED; });
  return SQLITE_OK;
}

// PRAGMA goes by here before SQLite reads it: { answer, name, value }.
int file_control(sqlite3_file* f, int what, void* with) {
  if (what != SQLITE_FCNTL_PRAGMA || !handle_of(f).disk->options().weaken_synchronous)
    return SQLITE_NOTFOUND;
  char** pragma = static_cast<char**>(with);
  if (strcasecmp(pragma[1], "synchronous") == 0 && pragma[2]) std::strcpy(pragma[2], "1");
  return SQLITE_NOTFOUND;
}

int sector_size(sqlite3_file*) { return static_cast<int>(sector_bytes); }

int characteristics(sqlite3_file* f) {
  return handle_of(f).disk->options().power_safe_overwrite ? SQLITE_IOCAP_POWERSAFE_OVERWRITE : 0;
}

int shm_map(sqlite3_file* f, int region, int size, int extend, void volatile** at) {
  Handle& h = handle_of(f);
  *at = nullptr;
  if (h.gone()) return SQLITE_IOERR_SHMMAP;
  auto& mapped = h.node->mapped;
  if (std::find(mapped.begin(), mapped.end(), &h.holder) == mapped.end())
    mapped.push_back(&h.holder);
  auto& regions = h.node->shared_memory;
  const auto n = static_cast<std::size_t>(region);
  while (extend && regions.size() <= n)
    regions.push_back(std::make_unique<char[]>(static_cast<std::size_t>(size)));
  if (n < regions.size()) *at = regions[n].get();
  return SQLITE_OK;
}

int shm_lock(sqlite3_file* f, int first, int count, int flags) {
  Handle& h = handle_of(f);
  const std::uint32_t slots = ((1U << count) - 1) << first;
  if (flags & SQLITE_SHM_UNLOCK) {
    h.holder.shared &= ~slots;
    h.holder.exclusive &= ~slots;
    return SQLITE_OK;
  }
  if (h.gone()) return SQLITE_IOERR_SHMLOCK;
  return h.node->take_slots(h.holder, slots, flags & SQLITE_SHM_EXCLUSIVE) ? SQLITE_OK
                                                                           : SQLITE_BUSY;
}

void shm_barrier(sqlite3_file*) {}

int shm_unmap(sqlite3_file* f, int) {
  unmap(handle_of(f));
  return SQLITE_OK;
}

const sqlite3_io_methods methods = {2,
                                    close,
                                    read,
                                    write,
                                    truncate,
                                    sync,
                                    file_size,
                                    lock,
                                    unlock,
                                    check_reserved_lock,
                                    file_control,
                                    sector_size,
                                    characteristics,
                                    shm_map,
                                    shm_lock,
                                    shm_barrier,
                                    shm_unmap,
                                    nullptr,
                                    nullptr};

// ---- the file system ----------------------------------------------------------------------------

Disk& disk_of(sqlite3_vfs* v) { return *static_cast<Disk*>(v->pAppData); }

int open_file(sqlite3_vfs* v, const char* name, sqlite3_file* f, int flags, int* out_flags) {
  Disk& disk = disk_of(v);
  f->pMethods = nullptr;
  if (disk.crashed()) return SQLITE_IOERR;
  // A file without a name is the connection's alone: it cannot be found after a crash.
  Disk::NodeRef node = name ? disk.find(name) : std::make_shared<Disk::Node>();
  const bool made = !node;
  if (made) {
    if (!(flags & SQLITE_OPEN_CREATE)) return SQLITE_CANTOPEN;
    node = disk.create(name);
    if (!node) return SQLITE_IOERR;
  }
  Handle& h = *std::construct_at(reinterpret_cast<Handle*>(f));
  h.disk = &disk;
  h.node = std::move(node);
  h.epoch = disk.epoch();
  h.folder_to_sync = made && (flags & (SQLITE_OPEN_WAL | SQLITE_OPEN_MAIN_JOURNAL));
  if (name && (flags & SQLITE_OPEN_DELETEONCLOSE)) h.remove_at_close = name;
  h.node->holders.push_back(&h.holder);
  h.base.pMethods = &methods;
  if (out_flags) *out_flags = flags;
  return SQLITE_OK;
}

int remove_file(sqlite3_vfs* v, const char* name, int sync_folder) {
  Disk& disk = disk_of(v);
  if (disk.crashed()) return SQLITE_IOERR_DELETE;
  if (!disk.find(name)) return SQLITE_IOERR_DELETE_NOENT;
  const bool done = disk.remove(name, sync_folder != 0) == Disk::Answer::done;
  return done ? SQLITE_OK : SQLITE_IOERR_DELETE;
}

// As SQLite's own: an empty file does not count.
int access(sqlite3_vfs* v, const char* name, int, int* is) {
  Disk& disk = disk_of(v);
  if (disk.crashed()) return SQLITE_IOERR_ACCESS;
  const auto node = disk.find(name);
  *is = node && !node->file.seen().empty();
  return SQLITE_OK;
}

int full_path(sqlite3_vfs*, const char* name, int size, char* out) {
  sqlite3_snprintf(size, out, "%s", name);
  return SQLITE_OK;
}

int randomness(sqlite3_vfs* v, int size, char* out) {
  for (int i = 0; i < size; ++i) out[i] = static_cast<char>(disk_of(v).prng().next());
  return size;
}

int sleep(sqlite3_vfs*, int us) { return us; }

int current_time(sqlite3_vfs*, sqlite3_int64* ms) {
  *ms = 212'576'400'000'000;  // an instant of 2024: nothing of ours asks SQLite for the time
  return SQLITE_OK;
}

int last_error(sqlite3_vfs*, int, char*) { return 0; }

// SQLite keeps its list of file systems for the process: names are never used twice.
std::atomic<std::uint64_t> disks_made{0};

}  // namespace

struct Disk::Vfs {
  explicit Vfs(Disk& disk) : name("disk-" + std::to_string(++disks_made)) {
    vfs.iVersion = 2;
    vfs.szOsFile = sizeof(Handle);
    vfs.mxPathname = 512;
    vfs.zName = name.c_str();
    vfs.pAppData = &disk;
    vfs.xOpen = open_file;
    vfs.xDelete = remove_file;
    vfs.xAccess = access;
    vfs.xFullPathname = full_path;
    vfs.xRandomness = randomness;
    vfs.xSleep = sleep;
    vfs.xGetLastError = last_error;
    vfs.xCurrentTimeInt64 = current_time;
    CHECK_THAT(sqlite3_vfs_register(&vfs, 0) == SQLITE_OK, "SQLite takes no file system");
  }
  ~Vfs() { sqlite3_vfs_unregister(&vfs); }

  std::string name;
  sqlite3_vfs vfs{};
};

Disk::Disk(const DiskOptions& options)
    : options_(options), prng_(options.seed), vfs_(std::make_unique<Vfs>(*this)) {}

Disk::~Disk() {
  for (const auto& [name, node] : names_)
    CHECK_THAT(node->holders.empty(), "a disk outlives its connections");
}

const std::string& Disk::vfs() const { return vfs_->name; }

void make_sqlite_repeatable(std::uint32_t seed) {
  sqlite3_test_control(SQLITE_TESTCTRL_PRNG_SEED, static_cast<int>(seed | 1), nullptr);
  sqlite3_randomness(0, nullptr);
}

}  // namespace ampacity::sim
