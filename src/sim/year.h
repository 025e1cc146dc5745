// A year of a fleet: arrivals, failures and repairs, drains, price changes, wallets that run dry,
// all through the production core (core::step) on virtual time. Simulated throughout: nothing here
// was measured on a fleet. One thread.
// 1. The same plan gives the same digest, on every compiler. 2. Facts are watched and dropped: what
// is remembered is what is alive. 3. Money is counted a second time by a model that shares no code
// with the core's meter (year_money.h) and compared with the ledger to the tick.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "base/time.h"
#include "core/words.h"

namespace ampacity::sim {

struct YearPlan {
  std::uint64_t seed = 1;
  std::uint32_t gpus = 45'000;  // in nodes of eight
  std::int64_t days = 365;
  std::int64_t load_permille = 850;                     // of all cards, offered as work
  std::int64_t failures_per_million_node_days = 3'790;  // 3.79 per 1,000
  base::Duration tick_every = base::Duration::seconds(300);
  bool drain = false;  // after the last day nothing comes any more, until all has ended
  bool progress = false;
};

// Where leased GPU-time went, in GPU-microseconds.
struct GpuTime {
  std::int64_t leased = 0;
  std::int64_t useful = 0;    // work that was kept
  std::int64_t starting = 0;  // from the grant to the start
  std::int64_t restoring = 0;
  std::int64_t checkpoints = 0;
  std::int64_t lost_to_faults = 0;
  std::int64_t lost_to_stops = 0;
  std::int64_t rest() const {  // until a fault was noticed, a stop obeyed, an end reported
    return leased - useful - starting - restoring - checkpoints - lost_to_faults - lost_to_stops;
  }
};

struct YearMoney {
  std::int64_t billed = 0;    // ticks, of closed leases, by the core
  std::int64_t expected = 0;  // the same by the model
  std::int64_t waived_s = 0;  // GPU-seconds
  std::int64_t topped_up = 0;
  std::uint64_t closed = 0;        // leases
  std::uint64_t faulted = 0;       // of them, hit by a fault of a node or of reporting
  std::uint64_t wrong_leases = 0;  // amount or seconds differ from the model's
  std::int64_t drift = 0;          // Σ |ledger − model| over all accounts, all checks; ticks
  std::uint64_t checks = 0;
};

struct YearCounts {
  std::uint64_t jobs = 0;       // submitted
  std::uint64_t done = 0;       // did all their work
  std::uint64_t failed = 0;     // by their own fault
  std::uint64_t cancelled = 0;  // by their owners
  std::uint64_t cut = 0;        // by their time limit
  std::uint64_t dry = 0;        // stopped: no credit
  std::uint64_t lost = 0;       // to faults, for good
  std::uint64_t given_up = 0;   // refused again and again
  std::uint64_t refused_credit = 0, refused_quota = 0, refused_other = 0;  // submissions
  std::uint64_t alive = 0;                                                 // at the end
  std::uint64_t unexplained = 0;  // of those waiting at the end, without a reason
  std::uint64_t preemptions = 0;
  std::uint64_t node_faults = 0, gpu_faults = 0, rack_faults = 0;
  std::uint64_t jobs_hit = 0;  // leases ended by one of these
  std::uint64_t repairs = 0;
  std::int64_t repair_s = 0, out_s = 0;  // of nodes: at work on them; out of service in all
  std::uint64_t drains = 0, drains_refused = 0;
  std::uint64_t price_changes = 0;
  std::uint64_t top_ups = 0;
  std::uint64_t late_starts = 0, late_ends = 0, doubled_reports = 0, lost_reports = 0;
  std::uint64_t steps = 0, ticks = 0, facts = 0, settlements = 0;
};

struct YearPromises {
  std::uint64_t made = 0;  // waits in which a start was promised, and it started or is overdue
  std::uint64_t kept = 0;
  std::uint64_t dropped = 0;                       // said to be off before they were due
  std::vector<std::int64_t> early_s;               // promised − true start; below zero: late
  std::vector<std::int64_t> estimate_s;            // |expected − true start|
  std::uint64_t likely_made = 0, likely_kept = 0;  // estimates' likely_by
};

struct YearResult {
  YearPlan plan;
  std::uint32_t nodes = 0, sites = 0, projects = 0, prepaid = 0;
  GpuTime time;
  YearMoney money;
  YearCounts counts;
  YearPromises promises;
  std::array<std::vector<std::uint32_t>, 4> wait_s;  // by class: submission to first lease
  std::uint64_t most_waiting = 0, most_running = 0;
  double seconds = 0;      // of real time
  double cpu_seconds = 0;  // of the whole process
  std::int64_t peak_kib = 0;
  std::uint64_t digest = 0;
};

YearResult simulate_year(const YearPlan& plan);

}  // namespace ampacity::sim
