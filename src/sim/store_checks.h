// What must hold of a store that was opened again, whatever befell its disk: for the crash tests
// and the simulator. Answers are lists of what is wrong, in words; empty: nothing.
// Threads: one. The store must not be open for writing elsewhere.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "sim/store_workload.h"

namespace ampacity::sim {

// A digest, to compare in this process, over the schema and every row of every table, read models
// or not.
base::Try<std::string> contents_digest(const store::StoreAt& store);

// SQLite finds it sound, every ledger's accounts sum to zero.
std::vector<std::string> check_sound(const store::StoreAt& store);
// And: the audit's checks, the chain of metered events, the read models equal a rebuild.
std::vector<std::string> check_whole(const store::StoreAt& store);

// The store is as after `acknowledged` steps or, if `in_flight`, as after one more; every answer to
// an Idempotency-Key is there; and it goes on: the next commits are taken.
struct Recovered {
  std::size_t steps = 0;  // that it held
  std::vector<std::string> wrong;
  bool lost = false;  // it holds less than was acknowledged, but is sound
};
Recovered check_recovered(const store::StoreAt& store, const StoreRun& run,
                          std::size_t acknowledged, bool in_flight, std::size_t commits_after);

}  // namespace ampacity::sim
