#include "sim/report.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/json/serialize.hpp>
#include <boost/json/string.hpp>
#include <cmath>
#include <cstdio>
#include <iterator>

#include "base/money.h"

namespace ampacity::sim {
namespace {

constexpr std::size_t most_projects_shown = 10;

double seconds(std::int64_t us) { return static_cast<double>(us) / 1e6; }
double percent(double part, double whole) { return whole > 0 ? 100.0 * part / whole : 0; }

void count_jobs(const Trace& trace, const ReplayResult& result, Report& r) {
  std::vector<std::int64_t> waits;
  long double wait_sum = 0, jct_sum = 0;
  for (std::size_t i = 0; i < result.runs.size(); ++i) {
    const JobRun& run = result.runs[i];
    const TraceJob& job = trace.jobs[i];
    if (run.state == JobRun::State::refused) {
      ++r.refused;
    } else if (run.state != JobRun::State::ended) {
      ++r.never;
    } else if (!run.succeeded) {
      ++r.cut;
    } else {
      const std::int64_t jct = run.ended_us - job.submit.us;
      waits.push_back(jct - job.run.us);
      wait_sum += static_cast<long double>(waits.back());
      jct_sum += static_cast<long double>(jct);
    }
  }
  r.done = waits.size();
  if (waits.empty()) return;
  r.wait_s_avg = static_cast<double>(wait_sum / static_cast<long double>(waits.size()) / 1e6L);
  r.jct_s_avg = static_cast<double>(jct_sum / static_cast<long double>(waits.size()) / 1e6L);
  r.wait_s_p50 = seconds(nearest_rank(waits, 0.5));
  r.wait_s_p90 = seconds(nearest_rank(waits, 0.9));
  r.wait_s_p99 = seconds(nearest_rank(waits, 0.99));
}

std::string quoted(const std::string& text) {
  return boost::json::serialize(boost::json::string(text));
}

}  // namespace

std::int64_t nearest_rank(std::vector<std::int64_t>& values, double q) {
  if (values.empty()) return 0;
  const double rank = std::ceil(q * static_cast<double>(values.size()));
  const auto nth = static_cast<std::ptrdiff_t>(std::max(rank, 1.0)) - 1;
  std::nth_element(values.begin(), values.begin() + nth, values.end());
  return values[static_cast<std::size_t>(nth)];
}

Report report_of(const Trace& trace, const ReplayResult& result) {
  Report r;
  r.jobs = result.runs.size();
  r.gpus = trace.gpus();
  r.decisions = result.steps.count();
  if (result.steps.total_s() > 0)
    r.decisions_per_s = static_cast<double>(r.decisions) / result.steps.total_s();
  r.decide_us_p50 = result.steps.quantile_us(0.5);
  r.decide_us_p99 = result.steps.quantile_us(0.99);
  count_jobs(trace, result, r);
  r.makespan_s = seconds(result.end.us - result.begin.us);
  const double capacity = static_cast<double>(r.gpus) * r.makespan_s;
  r.gpu_allocated_pct = percent(result.leased_gpu_s, capacity);
  r.gpu_utilised_pct = percent(result.worked_gpu_s, capacity);
  r.preemptions = result.preemptions;
  r.evictions = result.evictions;
  r.ett_ratio = percent(result.worked_gpu_s, result.leased_gpu_s) / 100;
  r.promises_made = result.promises;
  r.promises_kept_pct = result.promises ? percent(static_cast<double>(result.promises_kept),
                                                  static_cast<double>(result.promises))
                                        : 100;
  std::vector<std::int64_t> errors = result.estimate_errors_us;
  r.estimate_error_s_p50 = seconds(nearest_rank(errors, 0.5));
  r.seconds = result.seconds;
  for (std::size_t p = 0; p < trace.projects.size(); ++p)
    r.cost_by_project.emplace_back(trace.projects[p], result.cost_of_project[p]);
  r.digest = result.digest;
  return r;
}

std::string report_json(const Report& r) {
  std::string costs;
  for (const auto& [project, ticks] : r.cost_by_project)
    costs += fmt::format("{}{}:{:.2f}", costs.empty() ? "" : ",", quoted(project),
                         static_cast<double>(ticks) / static_cast<double>(base::ticks_per_usd));
  std::string out = fmt::format(
      "{{\"jobs\":{},\"gpus\":{},\"done\":{},\"cut\":{},\"never\":{},\"refused\":{},"
      "\"decisions\":{},\"decisions_per_s\":{:.0f},\"decide_us_p50\":{:.2f},"
      "\"decide_us_p99\":{:.2f},",
      r.jobs, r.gpus, r.done, r.cut, r.never, r.refused, r.decisions, r.decisions_per_s,
      r.decide_us_p50, r.decide_us_p99);
  fmt::format_to(std::back_inserter(out),
                 "\"wait_s_avg\":{:.3f},\"wait_s_p50\":{:.3f},\"wait_s_p90\":{:.3f},"
                 "\"wait_s_p99\":{:.3f},\"jct_s_avg\":{:.3f},\"makespan_s\":{:.3f},"
                 "\"gpu_allocated_pct\":{:.3f},\"gpu_utilised_pct\":{:.3f},",
                 r.wait_s_avg, r.wait_s_p50, r.wait_s_p90, r.wait_s_p99, r.jct_s_avg, r.makespan_s,
                 r.gpu_allocated_pct, r.gpu_utilised_pct);
  fmt::format_to(std::back_inserter(out),
                 "\"preemptions\":{},\"evictions\":{},\"ett_ratio\":{:.5f},\"promises_made\":{},"
                 "\"promises_kept_pct\":{:.3f},\"estimate_error_s_p50\":{:.3f},\"seconds\":{:.2f},"
                 "\"cost_usd_by_project\":{{{}}},\"digest\":\"{:016x}\"}}",
                 r.preemptions, r.evictions, r.ett_ratio, r.promises_made, r.promises_kept_pct,
                 r.estimate_error_s_p50, r.seconds, costs, r.digest);
  return out;
}

std::string report_table(const Report& r) {
  std::string out;
  const auto row = [&](std::string_view name, const std::string& value) {
    fmt::format_to(std::back_inserter(out), "{:<20} {}\n", name, value);
  };
  row("jobs", fmt::format("{} on {} GPUs: {} done, {} cut short, {} unfinished, {} refused", r.jobs,
                          r.gpus, r.done, r.cut, r.never, r.refused));
  row("wait", fmt::format("mean {:.0f} s, p50 {:.0f}, p90 {:.0f}, p99 {:.0f}", r.wait_s_avg,
                          r.wait_s_p50, r.wait_s_p90, r.wait_s_p99));
  row("completion",
      fmt::format("mean {:.0f} s; makespan {:.1f} h", r.jct_s_avg, r.makespan_s / 3600));
  row("GPU-time", fmt::format("{:.1f} % leased, {:.1f} % worked (of what is leased {:.2f} %)",
                              r.gpu_allocated_pct, r.gpu_utilised_pct, 100 * r.ett_ratio));
  row("preemptions", fmt::format("{}, other evictions {}", r.preemptions, r.evictions));
  row("promises", fmt::format("{} made, {:.2f} % kept, median error {:.0f} s", r.promises_made,
                              r.promises_kept_pct, r.estimate_error_s_p50));
  row("decisions",
      fmt::format("{} ({:.0f}/s), p50 {:.1f} us, p99 {:.1f} us; {:.1f} s in all", r.decisions,
                  r.decisions_per_s, r.decide_us_p50, r.decide_us_p99, r.seconds));
  auto costs = r.cost_by_project;
  std::stable_sort(costs.begin(), costs.end(),
                   [](const auto& a, const auto& b) { return a.second > b.second; });
  for (std::size_t i = 0; i < std::min(costs.size(), most_projects_shown); ++i)
    row(i == 0 ? "cost" : "",
        fmt::format("{}: {} USD", costs[i].first, base::format_usd(costs[i].second, 2)));
  if (costs.size() > most_projects_shown)
    row("", fmt::format("… and {} more projects", costs.size() - most_projects_shown));
  row("digest", fmt::format("{:016x}", r.digest));
  return out;
}

std::string machine_json() {
  std::string commit = "unknown";
  if (FILE* git = popen("git rev-parse --short HEAD 2>/dev/null", "r")) {
    std::array<char, 64> line{};
    if (std::fgets(line.data(), line.size(), git)) commit = std::string(line.data()).substr(0, 7);
    pclose(git);
  }
#ifdef __clang__
  const std::string compiler = "clang " __clang_version__;
#else
  const std::string compiler = "g++ " __VERSION__;
#endif
  return fmt::format(R"("cpus":{},"compiler":"{}","commit":"{}")", sysconf(_SC_NPROCESSORS_ONLN),
                     compiler, commit);
}

}  // namespace ampacity::sim
