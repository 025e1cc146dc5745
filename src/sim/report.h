// What a replay comes to: the figures of DESIGN §8, as JSON and as a short table.
// Wait is completion − submission − run time, so restarts count as wait; percentiles are nearest
// rank; both are over the jobs that did all their work.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "sim/replay.h"

namespace ampacity::sim {

struct Report {
  std::uint64_t jobs = 0;
  std::uint64_t gpus = 0;
  std::uint64_t done = 0;     // did all their work
  std::uint64_t cut = 0;      // ended before that: by their time limit, or for lack of credit
  std::uint64_t never = 0;    // still waiting or running at the end
  std::uint64_t refused = 0;  // by the core
  std::uint64_t decisions = 0;
  double decisions_per_s = 0;
  double decide_us_p50 = 0;
  double decide_us_p99 = 0;
  double wait_s_avg = 0;
  double wait_s_p50 = 0;
  double wait_s_p90 = 0;
  double wait_s_p99 = 0;
  double jct_s_avg = 0;
  double makespan_s = 0;
  double gpu_allocated_pct = 0;
  double gpu_utilised_pct = 0;
  std::uint64_t preemptions = 0;
  std::uint64_t evictions = 0;
  double ett_ratio = 0;  // GPU-time that did work, of the GPU-time leased
  std::uint64_t promises_made = 0;
  double promises_kept_pct = 0;
  double estimate_error_s_p50 = 0;
  double seconds = 0;
  std::vector<std::pair<std::string, core::Ticks>> cost_by_project;
  std::uint64_t digest = 0;
};

Report report_of(const Trace& trace, const ReplayResult& result);
std::string report_json(const Report& report);
std::string report_table(const Report& report);

// `values` is reordered. 0 if there are none.
std::int64_t nearest_rank(std::vector<std::int64_t>& values, double q);

// "cpus":2,"compiler":"g++ …","commit":"abc1234": what every bench line ends with.
std::string machine_json();

}  // namespace ampacity::sim
