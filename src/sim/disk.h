// A disk in memory that fails as disks do: a file system for SQLite (a sqlite3_vfs of its own name)
// that crashes, loses and tears what was not synced, fails calls, and fills up, all from a seed.
// Threads: one for a Disk and every connection on it. Several disks may live at once.
//
// 1. What is written is seen at once, and durable from the file's next sync on; a file made or
// removed is so durably when its folder was synced, as SQLite does it. 2. After a crash every call
// fails until restart(); connections of before the crash fail for ever. 3. Same seed, same calls:
// same failures, same bytes (make_sqlite_repeatable). 4. A Disk outlives its connections.
//
//   running ──crash(), faults.crash_before──▶ crashed ──restart()──▶ running
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "base/prng.h"
#include "sim/disk_file.h"
#include "store/database.h"

namespace ampacity::sim {

// Calls that change something: the points at which a disk may crash.
enum class DiskChange { create, write, sync, sync_folder, truncate, remove };
inline constexpr std::size_t disk_changes = 6;

// Those with a number: the n-th such call from now on, once; 0: none. Those in ppm: of the calls.
struct DiskFaults {
  std::uint64_t crash_before = 0;   // a change
  std::uint64_t fail_write = 0;     // EIO, some of it written
  std::uint64_t fail_read = 0;      // EIO
  std::uint64_t fail_sync = 0;      // EIO; what was not durable is lost, see DiskFile::fail_sync
  std::uint64_t fill_at_write = 0;  // ENOSPC there and wherever a file grows, until make_room()
  std::uint32_t write_ppm = 0, read_ppm = 0, sync_ppm = 0;
  std::uint32_t slow_ppm = 0;  // counted, nothing waits
};

struct DiskCounts {
  std::array<std::uint64_t, disk_changes> changes{};
  std::uint64_t reads = 0;
  std::uint64_t bytes_written = 0;
  std::uint64_t failed = 0;  // answered with an error, by a fault or after a crash
  std::uint64_t slow = 0;

  std::uint64_t of(DiskChange c) const { return changes[static_cast<std::size_t>(c)]; }
  std::uint64_t all_changes() const;
};

struct DiskOptions {
  std::uint64_t seed = 1;
  // Without it, a crash may spoil what was durable in a sector that was being written. SQLite takes
  // it for granted of the operating system's files.
  bool power_safe_overwrite = false;
  // A planted bug: PRAGMA synchronous = FULL is taken for NORMAL.
  bool weaken_synchronous = false;
};

class Disk {
 public:
  explicit Disk(const DiskOptions& options = {});
  Disk(const Disk&) = delete;
  Disk& operator=(const Disk&) = delete;
  ~Disk();

  const std::string& vfs() const;
  store::StoreAt at(const std::string& name = "ampacity.db") const { return {name, vfs()}; }

  DiskFaults faults;
  // Called before each change, with what is about to happen; must not touch this disk but for
  // after_crash().
  std::function<void(DiskChange)> before_change;

  const DiskCounts& counts() const { return counts_; }
  bool crashed() const { return crashed_; }
  void crash();
  void restart(Loss loss = Loss::some);

  // ENOSPC once the files hold more than this; make_room: no more.
  void fill(std::uint64_t bytes) { room_ = bytes; }
  void make_room() { room_.reset(); }
  std::uint64_t bytes() const;

  // What is seen on the other is on this one, all of it durable: best with the store closed.
  void take_files_of(const Disk& other);
  std::unique_ptr<Disk> clone(std::uint64_t seed) const;
  // A disk of its own with what would be found if this one crashed now.
  std::unique_ptr<Disk> after_crash(std::uint64_t seed, Loss loss = Loss::some) const;

  // ---- for the VFS ------------------------------------------------------------------------------

  enum class Answer { done, failed, full };
  struct Node;  // a file, its locks, its shared memory
  using NodeRef = std::shared_ptr<Node>;

  std::uint64_t epoch() const { return epoch_; }  // grows with each crash
  const DiskOptions& options() const { return options_; }
  base::Prng& prng() { return prng_; }
  NodeRef find(const std::string& name) const;  // null: none
  NodeRef create(const std::string& name);      // null: the disk fails
  Answer remove(const std::string& name, bool sync_folder);
  Answer sync_folder();
  Answer read(const Node& node, std::uint64_t offset, char* to, std::size_t size);
  Answer write(Node& node, std::uint64_t offset, std::string_view bytes);
  Answer truncate(Node& node, std::uint64_t size);
  Answer sync(Node& node);

 private:
  struct Vfs;
  using Names = std::map<std::string, NodeRef>;

  bool begins(DiskChange change);  // false: the disk fails
  bool chance(std::uint32_t ppm);
  Answer failing();
  Names found(std::uint64_t seed, Loss loss, Names& durable) const;

  DiskOptions options_;
  base::SeededPrng prng_;
  DiskCounts counts_;
  Names names_, durable_names_;
  std::optional<std::uint64_t> room_;
  bool crashed_ = false;
  std::uint64_t epoch_ = 0;
  std::unique_ptr<Vfs> vfs_;
};

// SQLite salts its logs from a generator of the process: seeded, whole runs repeat to the byte.
void make_sqlite_repeatable(std::uint32_t seed);

}  // namespace ampacity::sim
