// Opening a store: its lock, its settings, its migrations.
// Threads: the opener's. 1. At most one process at a time holds a store open for writing; the lock
// goes with the process, however it ends. 2. What COMMIT acknowledged survives a crash: SQLite's
// WAL with synchronous=FULL, PostgreSQL's synchronous_commit.
#pragma once

#include <filesystem>

#include "base/result.h"
#include "store/database.h"

namespace ampacity::store {

class Lock {
 public:
  static base::Try<Lock> take(const std::filesystem::path& file);
  Lock() : descriptor_(-1) {}  // of nothing: a simulated disk has no other process
  Lock(Lock&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  Lock(const Lock&) = delete;
  Lock& operator=(const Lock&) = delete;
  Lock& operator=(Lock&&) = delete;
  ~Lock();

 private:
  explicit Lock(int descriptor) : descriptor_(descriptor) {}
  int descriptor_;
};

struct WritableStore {
  Lock lock;
  Database db;
};
base::Try<WritableStore> open_to_write(const StoreAt& options);

// Refuses a store that is not there or that another release made.
base::Try<Database> open_to_read(const StoreAt& options);

}  // namespace ampacity::store
