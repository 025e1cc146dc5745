// The world in a seed: a cloud of production code among faults, then healed; auditors after every
// commit and at the end.
//
//   plan ─▶ safety: tenants ask, faults strike ─▶ heal ─▶ liveness: everything must settle ─▶ audit
//
// Threads: one run at a time on a thread. 1. Same options, same result and digest, on any compiler.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "sim/chaos_plan.h"

namespace ampacity::sim {

struct ChaosResult {
  std::vector<std::string> wrong;  // empty: nothing was
  std::uint64_t digest = 0;        // of every fact and answer
  std::uint64_t facts = 0, commits = 0, turns = 0, engine_requests = 0, answers = 0;
  std::uint64_t leases_closed = 0, faults = 0, told = 0;  // … by webhooks
  int lives = 0;                                          // of the server
  base::Duration simulated;
  std::map<std::string, std::uint64_t> probes;  // rare branches reached
  std::map<std::string, std::uint64_t> misbehaved;
};

ChaosResult run_chaos(const ChaosOptions& options);
// I23: once more, and it must be the same run.
ChaosResult run_chaos_twice(const ChaosOptions& options);

// "ampacity-sim --chaos --seed 7 --without kill,clock --minutes 12"
std::string repro(const ChaosOptions& options);
// Fewer faults, less time, as long as it still fails. Bounded: at most `runs` runs.
ChaosOptions shrink(ChaosOptions options, int runs = 60);

}  // namespace ampacity::sim
