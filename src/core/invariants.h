// What must always hold, as functions that name what does not: reference I1–I14, I20, I22, of a
// world at rest (`violations`) and of its facts as they come (`FactAuditor`). The simulator runs
// them after its steps, `ampacity doctor` on a living cloud.
// Thread rule: reads the world, so on the thread that owns it. Pure; changes nothing.
// 1. They derive everything again from the state or the facts: who stands where, what it costs, the
//    books; what the world derived is only compared. 2. A broken world is named, it does not stop
//    them. 3. At most `most_violations` are named at once.
#pragma once

#include <deque>
#include <map>
#include <string>
#include <vector>

#include "core/invariants_floor.h"
#include "core/world.h"

namespace ampacity::core {

// The whole world: costs as much as there are jobs, nodes and accounts. `now`: prices of the future
// are of nobody yet.
std::vector<Violation> violations(const World& world, Instant now);

// I8: timers that are due for longer than `slack`. Not of a world at rest: the loop fires them.
std::vector<Violation> overdue(const World& world, Instant now, Duration slack);

// The history: what can only be seen in how it came about, and, in proportion to what the facts
// touched, whether the world agrees.
//
//   step(world, command, …, [&](const World& before, const Fact& f, …) { auditor.see(before, f); })
//   auditor.after(world);
class FactAuditor {
 public:
  FactAuditor() = default;                   // before the first fact
  explicit FactAuditor(const World& world);  // in the middle: what it finds is taken for right

  void see(const World& before, const Fact& fact);  // before it is folded
  void after(const World& world);                   // after any number of facts
  std::vector<Violation> take();                    // found since the last time

 private:
  friend struct FactWitness;
  struct Counters {
    std::uint32_t ledger = 0;
    std::int64_t debits_pending = 0, debits_posted = 0, credits_pending = 0, credits_posted = 0;
  };
  struct Trail {  // of a live job
    std::uint32_t generation = 0;
    bool leased = false;
    Stand stand;
    Instant granted_at;
    Instant last_ended;           // of the generation before
    std::vector<RateStep> steps;  // every price it was told, in order
    Rates rates;                  // … and the present one
    Ticks posted = 0;             // by this generation's transfers
  };
  void follow(const Job& job);
  void check_touched(const World& world);

  Findings found_;
  Floor floor_;
  std::map<Id, Trail> live_;
  std::map<Id, std::uint32_t> ended_;  // the latest `most_ended`, with their generation
  std::deque<Id> ended_order_;
  std::vector<Counters> accounts_;
  std::map<Id, Transfer> open_;  // reserves
  std::uint64_t next_transfer_ = 1;
  std::uint64_t next_queue_order_ = 1;
  std::uint64_t sequence_ = 0;
  Instant at_;
  std::vector<Id> jobs_;  // touched since `after`
  std::vector<NodeIx> nodes_;
  std::vector<std::uint32_t> books_;
};

inline constexpr std::size_t most_ended = 1'000'000;

}  // namespace ampacity::core
