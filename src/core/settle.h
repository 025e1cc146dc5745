// The prepaid quantum: credit is held for a while ahead, settled before it runs out, and where the
// next stretch cannot be held the stop begins early enough to end inside what is paid
// (reference/billing.md §7, DESIGN §5). Times are seconds since the lease's observed start.
//
//      0        posted_s           now                 paid_s
//      ├── posted ──┼──── held by one pending transfer ──┤
//                                          ◀─ settle_lead ─▶  settle here: post what is used, hold
//                                          the
//                                                             next quantum, or order the stop
#pragma once

#include <vector>

#include "core/facts.h"
#include "core/world.h"

namespace ampacity::core {

inline constexpr std::int64_t confirm_s = 20;  // for the engine to report an end
inline constexpr Duration start_timeout = Duration::seconds(1800);
// Every rank has run, or has ended.
bool all_were_seen(const Lease& lease);

// How long before the paid stretch ends a lease is settled: its grace, and the time to confirm.
inline Duration settle_lead(const Job& job) { return Duration::seconds(job.grace_s + confirm_s); }
// What is held at the start: a quantum, or less for a job whose time limit ends sooner.
std::int64_t first_hold_s(const Policy& policy, std::int64_t time_limit_s, std::int64_t grace_s);

// Makes transfers with successive ids, without touching the world they will be applied to.
class Drafter {
 public:
  explicit Drafter(const World& world)
      : accounts_(world.state().accounts), next_(world.state().next_transfer) {}
  // `ledger` is only needed for accounts that are opened by the same decision.
  Transfer make(TransferKind kind, TransferReason reason, AccountIx debit, AccountIx credit,
                std::int64_t amount, std::uint64_t pending_id = 0, std::uint32_t ledger = 0);
  Id next_id() { return ledger::counted(next_++); }

 private:
  const std::vector<Account>& accounts_;
  std::uint64_t next_;
};

// Posts `to_s` seconds of a lease out of its hold and releases the rest.
void post_used(Drafter& drafter, const World& world, const Job& job, std::int64_t to_s,
               std::vector<Transfer>& out);

// Billed seconds of a lease at `now`: what settling posts.
std::int64_t used_seconds(const Lease& lease, Instant now);
// Turns the quantum over at `now`, with at most `most_s` held anew. False: nothing more can be
// held, order the stop.
bool settle(Drafter& drafter, const World& world, const Job& job, Instant now, Ticks credit,
            std::int64_t most_s, Settlement& out);

// A warning if the project's credit would not last another quantum; nullopt if it would, or was
// given.
std::optional<CreditLow> credit_warning(const World& world, ProjectIx project, Ticks available,
                                        Ticks burn, Instant now);

}  // namespace ampacity::core
