// A file of a simulated disk with what its connections share: locks and the log's shared memory.
// Threads: one. Gone with a crash: a restarted disk has new nodes.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "sim/disk.h"

namespace ampacity::sim {

// One connection's claims on a node.
struct DiskHolder {
  int lock = 0;                             // SQLITE_LOCK_NONE … SQLITE_LOCK_EXCLUSIVE
  std::uint32_t shared = 0, exclusive = 0;  // slots of the shared memory, as bits
};

struct Disk::Node {
  DiskFile file;
  std::vector<DiskHolder*> holders;  // who has it open
  std::vector<DiskHolder*> mapped;   // who has its shared memory
  std::vector<std::unique_ptr<char[]>> shared_memory;

  // Whether `who` may raise its lock, and did.
  bool raise(DiskHolder& who, int lock);
  bool take_slots(DiskHolder& who, std::uint32_t slots, bool exclusive);
};

}  // namespace ampacity::sim
