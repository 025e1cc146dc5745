// Replays a trace through the production core (core::step) on virtual time: submits what the trace
// submits, plays the engine (starts, ends and stops what the core leases out), and counts.
//
//              ┌───────────── core::step: decide, evolve ─────────────┐
//   submit ───▶│  JobSubmitted   LeaseGranted   StopOrdered   LeaseClosed ───▶ facts
//   start, end │                      │              │                │
//   stop ─────▶└──────────────────────┼──────────────┼────────────────┘
//        ▲                            ▼              ▼
//        └──────── events by (instant, kind, sequence): start, end, stop ◀──┘
//
// One thread. 1. The same trace and plan give the same facts, on every compiler: `digest` says so.
// 2. Events of a generation that is over are dropped. 3. Only the simulator knows how long a job
// runs, unless the plan says `oracle`.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "core/model.h"
#include "sim/trace.h"

namespace ampacity::sim {

struct ReplayPlan {
  core::Policy policy;
  bool oracle = false;              // tells the core each job's true run time
  base::Duration start_delay;       // from the grant to the start
  base::Duration stop_delay;        // from a stop ordered to the end
  base::Duration checkpoint_every;  // zero: a stop saves the work; else work since is lost
  base::Duration restart_delay = base::Duration::seconds(60);  // before a later generation works
  // While somebody waits the core is asked to review the queue this often; zero: at each instant
  // at which something happened.
  base::Duration review_every = base::Duration::seconds(60);
  base::Duration until = {INT64_MAX};  // of virtual time, from the trace's start
  std::int64_t grace_s = 30;
  std::uint64_t estimate_each = 20;  // of those who wait, one in so many is asked when it starts
  bool progress = false;             // a line on stderr, each second
};

// Durations of single steps, in buckets a sixteenth of an octave wide.
class StepTimes {
 public:
  void add(std::int64_t ns);
  double quantile_us(double q) const;  // nearest rank, the bucket's upper bound
  std::uint64_t count() const { return count_; }
  double total_s() const { return static_cast<double>(total_ns_) / 1e9; }

 private:
  std::array<std::uint64_t, 1024> buckets_{};
  std::uint64_t count_ = 0;
  std::int64_t total_ns_ = 0;
};

// What became of one job of the trace. Instants in microseconds from the trace's start.
struct JobRun {
  enum class State : std::uint8_t { to_come, waiting, leased, ended, refused };
  std::int64_t ended_us = -1;
  std::int64_t granted_us = -1;          // of the current lease
  std::int64_t started_us = -1;          // of the current lease
  std::int64_t kept_us = 0;              // work done and saved
  std::int64_t promised_us = INT64_MAX;  // the earliest it was promised while it waits
  std::int64_t estimate_us = -1;         // estimated at its submission
  std::uint32_t generation = 0;
  std::uint32_t preemptions = 0;
  State state = State::to_come;
  bool restarts = false;  // the current generation pays the restart delay
  bool stopping = false;
  bool succeeded = false;
};

struct ReplayResult {
  std::vector<JobRun> runs;  // by position in Trace::jobs
  std::vector<core::Ticks> cost_of_project;
  std::vector<std::int64_t> estimate_errors_us;  // |first estimate − start|
  Problems refused;                              // by the core
  StepTimes steps;
  std::uint64_t facts = 0;
  std::uint64_t preemptions = 0;
  std::uint64_t evictions = 0;  // stopped for another reason than an equal's preemption or asking
  std::uint64_t promises = 0;   // waits in which a start was promised, and it started
  std::uint64_t promises_kept = 0;
  double leased_gpu_s = 0;
  double worked_gpu_s = 0;
  base::Duration begin, end;  // the first submission, the last end
  double seconds = 0;         // of real time
  std::uint64_t digest = 0;
};

ReplayResult replay(const Trace& trace, const ReplayPlan& plan);

}  // namespace ampacity::sim
