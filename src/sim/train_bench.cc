// ./dev bench train: two months of Microsoft's training jobs on 160 nodes of 8 GPUs, run times
// hidden from the scheduler, 60 s lost per preemption and nothing else.
//   train_bench [--trace itp] [--class spot|on_demand] [--nodes 160] [--restart-delay 60]
//               [--review-every 60] [--projects 1|10]
//               [--promises K] [--spot-promises K] [--json]
#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>

#include "sim/archive.h"
#include "sim/convert.h"
#include "sim/report.h"

int main(int argc, char** argv) {
  using namespace ampacity;
  std::string trace_name = "itp", job_class = "spot";
  sim::ItpPlan itp;
  sim::ReplayPlan plan;
  for (int i = 1; i + 1 < argc; ++i) {
    const std::string flag = argv[i], value = argv[i + 1];
    if (flag == "--trace") trace_name = value;
    if (flag == "--class") job_class = value;
    if (flag == "--nodes") itp.nodes = static_cast<std::size_t>(std::atoi(value.c_str()));
    if (flag == "--projects") itp.project_by_cluster = value != "1";
    if (flag == "--promises") plan.policy.promises_per_class = std::atoi(value.c_str());
    if (flag == "--spot-promises") plan.policy.spot_promises = std::atoi(value.c_str());
    if (flag == "--restart-delay")
      plan.restart_delay = base::Duration::seconds(std::atoi(value.c_str()));
    if (flag == "--review-every")
      plan.review_every = base::Duration::seconds(std::atoi(value.c_str()));
  }
  if (trace_name != "itp" || (job_class != "spot" && job_class != "on_demand")) {
    fmt::print(stderr, "there is --trace itp, with --class spot or on_demand\n");
    return 2;
  }
  const auto path = sim::data_path("microsoft-itp/raw-traces.tar.gz");
  if (!path) {
    fmt::print(stderr, "{}\n", path.error().message);
    return 77;
  }
  auto files = sim::read_csv_files(*path);
  sim::Trace trace;
  sim::Problems problems;
  itp.job_class = job_class == "spot" ? core::JobClass::spot : core::JobClass::on_demand;
  if (!files || !sim::convert_itp(std::move(*files), itp, trace, problems) || !problems.none()) {
    fmt::print(stderr, "{}\n", files ? problems.listed.front() : files.error().message);
    return 1;
  }
  plan.policy.quantum_s = 86'400;
  plan.policy.restart_cost_s = plan.restart_delay.whole_seconds();
  plan.progress = isatty(STDERR_FILENO);
  const sim::ReplayResult result = sim::replay(trace, plan);
  const sim::Report r = sim::report_of(trace, result);
  fmt::print("{}", sim::report_table(r));
  const bool sound = r.done == r.jobs;
  fmt::print(
      "{{\"bench\":\"train\",\"trace\":\"{}\",\"class\":\"{}\",\"jobs\":{},\"gpus\":{},\"done\":{},"
      "\"wait_s_avg\":{:.1f},\"wait_s_p50\":{:.1f},\"wait_s_p90\":{:.1f},\"wait_s_p99\":{:.1f},"
      "\"jct_s_avg\":{:.1f},\"makespan_h\":{:.2f},\"preemptions_per_job\":{:.4f},"
      "\"promises_made\":{},\"promises_kept_pct\":{:.2f},\"estimate_error_s_p50\":{:.1f},"
      "\"seconds\":{:.1f},\"decisions_per_s\":{:.0f},\"digest\":\"{:016x}\",{}}}\n",
      trace_name, job_class, r.jobs, r.gpus, r.done, r.wait_s_avg, r.wait_s_p50, r.wait_s_p90,
      r.wait_s_p99, r.jct_s_avg, r.makespan_s / 3600,
      static_cast<double>(r.preemptions) / static_cast<double>(r.jobs), r.promises_made,
      r.promises_kept_pct, r.estimate_error_s_p50, r.seconds, r.decisions_per_s, r.digest,
      sim::machine_json());
  return sound ? 0 : 1;
}
