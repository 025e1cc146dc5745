// A trace: the nodes there are and the jobs that come, as the public CSV formats of DESIGN §8 say.
// Validated when loaded: every job of a loaded trace could run on the empty fleet.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "core/words.h"
#include "sim/csv.h"

namespace ampacity::sim {

inline constexpr std::size_t most_trace_jobs = 10'000'000;
inline constexpr std::size_t most_trace_nodes = 1'000'000;
inline constexpr std::int64_t most_gpus_per_node = 64;
inline constexpr std::int64_t most_gang_nodes = 4096;
inline constexpr std::size_t most_trace_projects = 100'000;

struct TraceNode {
  std::string name;
  std::string site;
  std::string rack;
  std::string sku;  // "cpu": no GPUs
  std::uint32_t gpus = 0;
  std::int64_t cpu_milli = 0;
  std::int64_t memory_mib = 0;
};

struct TraceJob {
  std::string name;
  std::uint32_t project = 0;  // position in Trace::projects
  core::JobClass job_class = core::JobClass::on_demand;
  base::Duration submit;
  base::Duration run;  // below zero: it never ends
  std::uint32_t nodes = 1;
  std::uint32_t gpus_per_node = 0;
  std::uint32_t gpu_milli = 1000;
  std::int64_t cpu_milli = 0;
  std::int64_t memory_mib = 0;
  std::uint32_t skus = 0;         // position in Trace::sku_sets
  std::int64_t time_limit_s = 0;  // 0: none
  bool ends() const { return run.us >= 0; }
};

struct Trace {
  std::vector<TraceNode> nodes;
  std::vector<TraceJob> jobs;  // by submit, then as they came
  std::vector<std::string> projects;
  std::vector<std::vector<std::string>> sku_sets;  // empty: any

  std::uint64_t gpus() const;
  std::uint32_t project(std::string_view name);  // added if it is new
  std::uint32_t sku_set(std::string_view text);  // "", "a40", "a100-80|h100"
  void sort_jobs();

 private:
  std::map<std::string, std::uint32_t, std::less<>> project_by_name_;
  std::map<std::string, std::uint32_t, std::less<>> sku_set_by_text_;
};

// Rows that are wrong are added to `problems` and left out. False: nothing of the file can be used.
bool load_nodes(CsvReader& csv, Trace& trace, Problems& problems);
bool load_jobs(CsvReader& csv, Trace& trace, Problems& problems);
const std::vector<CsvColumn>& node_columns();
const std::vector<CsvColumn>& job_columns();

// The same columns again, for the converters.
std::string write_nodes(const Trace& trace);
std::string write_jobs(const Trace& trace);

}  // namespace ampacity::sim
