// ampacity-sim: replays a trace through the production core on virtual time, and converts public
// traces. Exit codes: 0 done, 1 the machine failed, 2 the input or the command line is wrong.
#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <map>

#include "sim/archive.h"
#include "sim/chaos_command.h"
#include "sim/convert.h"
#include "sim/report.h"
#include "sim/year_command.h"

namespace ampacity::sim {
namespace {

constexpr int bad_input = 2;

int wrong(const std::string& message) {
  fmt::print(stderr, "ampacity-sim: {}\n", message);
  return bad_input;
}

void list(const Problems& problems) {
  for (const std::string& line : problems.listed) fmt::print(stderr, "{}\n", line);
  if (problems.count > problems.listed.size())
    fmt::print(stderr, "… and {} more\n", problems.count - problems.listed.size());
}

// ---- replay ---------------------------------------------------------------------------------

struct ReplayFlags {
  std::string nodes, jobs, report, policy = "fair";
  bool skip_bad = false, oracle = false, quiet = false;
  double restart_delay_s = 60, checkpoint_every_s = 0, start_delay_s = 0, stop_delay_s = 0;
  double review_every_s = 60, until_s = 0;
  std::int64_t grace_s = 30, promises = -1;
};

base::Duration seconds(double s) { return {static_cast<std::int64_t>(s * 1e6 + 0.5)}; }

void replay_flags(CLI::App& app, ReplayFlags& f) {
  app.add_option("--nodes", f.nodes, "node,site,rack,sku,gpus,cpu_milli,memory_mib")
      ->option_text("nodes.csv");
  app.add_option("--jobs", f.jobs,
                 "job,project,class,submit_s,run_s,nodes,gpus_per_node,gpu_milli,cpu_milli,"
                 "memory_mib,sku[,time_limit_s]")
      ->option_text("jobs.csv");
  app.add_option("--report", f.report, "write the figures here, as JSON")->option_text("out.json");
  app.add_option("--policy", f.policy, "the order of the queue: fair, fifo, srtf, srsf")
      ->check(CLI::IsMember({"fair", "fifo", "srtf", "srsf"}))
      ->capture_default_str();
  app.add_flag("--oracle", f.oracle, "tell the scheduler each job's true run time");
  app.add_flag("--skip-bad", f.skip_bad, "run what is right of a trace with bad lines");
  const auto time = [&](const char* name, double& value, const char* text) {
    app.add_option(name, value, text)->check(CLI::Range(0.0, 1e9))->capture_default_str();
  };
  time("--restart-delay", f.restart_delay_s, "seconds a stopped job needs before it works again");
  time("--checkpoint-every", f.checkpoint_every_s,
       "seconds between checkpoints: a stop loses what came after; 0: it saves everything");
  time("--start-delay", f.start_delay_s, "seconds from the lease to the start");
  time("--stop-delay", f.stop_delay_s, "seconds from the order to stop to the end");
  time("--review-every", f.review_every_s,
       "seconds between reviews of the queue while somebody waits; 0: at each event");
  time("--until", f.until_s, "stop at this second of the trace; 0: when nothing more can happen");
  app.add_option("--grace", f.grace_s, "notice a stopped job gets, seconds")
      ->check(CLI::Range(0, 86'400))
      ->capture_default_str();
  app.add_option("--promises", f.promises, "promised starts per class (the cloud's default: 4)")
      ->check(CLI::Range(0, 64));
  app.add_flag("--quiet", f.quiet, "no table, no progress");
}

ReplayPlan plan_of(const ReplayFlags& f) {
  const std::map<std::string, core::Order> orders = {{"fair", core::Order::fair},
                                                     {"fifo", core::Order::fifo},
                                                     {"srtf", core::Order::srtf},
                                                     {"srsf", core::Order::srsf}};
  ReplayPlan plan;
  plan.policy.order = orders.at(f.policy);
  plan.policy.quantum_s = 86'400;  // fewer settlements in simulated months
  plan.policy.restart_cost_s = static_cast<std::int64_t>(std::min(f.restart_delay_s, 86'400.0));
  if (f.promises >= 0) plan.policy.promises_per_class = f.promises;
  plan.oracle = f.oracle;
  plan.restart_delay = seconds(f.restart_delay_s);
  plan.checkpoint_every = seconds(f.checkpoint_every_s);
  plan.start_delay = seconds(f.start_delay_s);
  plan.stop_delay = seconds(f.stop_delay_s);
  plan.review_every = seconds(f.review_every_s);
  if (f.until_s > 0) plan.until = seconds(f.until_s);
  plan.grace_s = f.grace_s;
  plan.progress = !f.quiet && isatty(STDERR_FILENO);
  return plan;
}

int run_replay(const ReplayFlags& f) {
  if (f.nodes.empty() || f.jobs.empty())
    return wrong("--nodes and --jobs are needed; see `ampacity-sim --help`");
  const bool oracle_order = f.policy == "srtf" || f.policy == "srsf";
  if (oracle_order && !f.oracle)
    return wrong("--policy " + f.policy + " orders by what is left to run: it needs --oracle");
  auto nodes = CsvReader::from_file(f.nodes, node_columns());
  if (!nodes) return wrong(nodes.error().message);
  auto jobs = CsvReader::from_file(f.jobs, job_columns());
  if (!jobs) return wrong(jobs.error().message);
  Trace trace;
  Problems problems;
  const bool usable = load_nodes(*nodes, trace, problems) && load_jobs(*jobs, trace, problems);
  list(problems);
  if (!usable) return wrong("the trace cannot be run");
  if (!problems.none() && !f.skip_bad)
    return wrong(fmt::format("{} bad lines; --skip-bad runs the rest", problems.count));
  if (!problems.none()) fmt::print(stderr, "{} bad lines skipped\n", problems.count);

  const ReplayResult result = replay(trace, plan_of(f));
  list(result.refused);
  const Report report = report_of(trace, result);
  if (!f.quiet) fmt::print("{}", report_table(report));
  if (f.report.empty()) return 0;
  if (const auto wrote = write_whole(f.report, report_json(report) + "\n"); !wrote) {
    fmt::print(stderr, "ampacity-sim: {}\n", wrote.error().message);
    return 1;
  }
  return 0;
}

// ---- convert --------------------------------------------------------------------------------

struct ConvertFlags {
  std::string nodes_file, pods_file, from, trace = "trace1", job_class, out_nodes, out_jobs;
  std::size_t nodes = 0;
  bool project_by_cluster = false;
};

void convert_flags(CLI::App* app, ConvertFlags& f, const char* job_class) {
  app->add_option("--class", f.job_class, "reserved, on_demand, spot or house")
      ->check(CLI::IsMember({"reserved", "on_demand", "spot", "house"}))
      ->default_str(job_class);
  app->add_option("--out-nodes", f.out_nodes, "nodes.csv to write")->required();
  app->add_option("--out-jobs", f.out_jobs, "jobs.csv to write")->required();
}

core::JobClass class_of(const ConvertFlags& f, core::JobClass otherwise) {
  const std::map<std::string, core::JobClass> classes = {{"reserved", core::JobClass::reserved},
                                                         {"on_demand", core::JobClass::on_demand},
                                                         {"spot", core::JobClass::spot},
                                                         {"house", core::JobClass::house}};
  return f.job_class.empty() ? otherwise : classes.at(f.job_class);
}

int write(const ConvertFlags& f, const Trace& trace, const Problems& problems) {
  list(problems);
  if (!problems.none()) return wrong(fmt::format("{} lines are wrong", problems.count));
  if (trace.jobs.empty()) return wrong("there is no job in it");
  for (const auto& [file, text] :
       {std::pair(f.out_nodes, write_nodes(trace)), std::pair(f.out_jobs, write_jobs(trace))})
    if (const auto wrote = write_whole(file, text); !wrote) {
      fmt::print(stderr, "ampacity-sim: {}\n", wrote.error().message);
      return 1;
    }
  fmt::print("{} nodes, {} GPUs, {} jobs\n", trace.nodes.size(), trace.gpus(), trace.jobs.size());
  return 0;
}

int run_openb(const ConvertFlags& f) {
  auto nodes = CsvReader::from_file(f.nodes_file, openb_node_columns());
  if (!nodes) return wrong(nodes.error().message);
  auto pods = CsvReader::from_file(f.pods_file, openb_pod_columns());
  if (!pods) return wrong(pods.error().message);
  Trace trace;
  Problems problems;
  convert_openb(*nodes, *pods, class_of(f, core::JobClass::on_demand), trace, problems);
  return write(f, trace, problems);
}

int run_itp(const ConvertFlags& f) {
  auto files = read_csv_files(f.from);
  if (!files) return wrong(files.error().message);
  ItpPlan plan;
  if (f.nodes) plan.nodes = f.nodes;
  plan.job_class = class_of(f, plan.job_class);
  plan.project_by_cluster = f.project_by_cluster;
  Trace trace;
  Problems problems;
  convert_itp(std::move(*files), plan, trace, problems);
  return write(f, trace, problems);
}

int run_muri(const ConvertFlags& f) {
  const std::string file = f.trace + ".csv";
  auto files = read_csv_files(f.from, file);
  if (!files) return wrong(files.error().message);
  auto csv = CsvReader::from_text(file, std::move(files->begin()->second), muri_columns());
  if (!csv) return wrong(csv.error().message);
  MuriPlan plan;
  if (f.nodes) plan.nodes = f.nodes;
  plan.job_class = class_of(f, plan.job_class);
  Trace trace;
  Problems problems;
  convert_muri(*csv, plan, trace, problems);
  return write(f, trace, problems);
}

int program(int argc, char** argv) {
  CLI::App app{
      "Replays a trace through Ampacity's production scheduler on virtual time.\n"
      "  ampacity-sim --nodes nodes.csv --jobs jobs.csv --report out.json\n"
      "  ampacity-sim convert itp --from raw-traces.tar.gz --out-nodes n.csv --out-jobs j.csv\n"
      "Formats and rules: docs/simulation.md. Exit codes: 0 done, 1 failed, 2 bad input."};
  app.require_subcommand(0, 1);
  ReplayFlags replaying;
  replay_flags(app, replaying);
  ConvertFlags f;
  CLI::App* convert = app.add_subcommand("convert", "a public trace into nodes.csv and jobs.csv");
  convert->require_subcommand(1);
  CLI::App* openb = convert->add_subcommand("openb", "Alibaba's GPU-sharing cluster, 2023");
  openb->add_option("--nodes", f.nodes_file, "openb_node_list_….csv")->required();
  openb->add_option("--pods", f.pods_file, "openb_pod_list_….csv")->required();
  convert_flags(openb, f, "on_demand");
  CLI::App* itp = convert->add_subcommand("itp", "Microsoft's training clusters, 2021");
  itp->add_option("--from", f.from, "raw-traces.tar.gz, or the folder with its files")->required();
  itp->add_option("--nodes", f.nodes, "nodes of 8 GPUs")->default_str("160");
  itp->add_flag("--project-by-cluster", f.project_by_cluster, "else all are of one project, itp");
  convert_flags(itp, f, "spot");
  CLI::App* muri = convert->add_subcommand("muri", "the traces of Muri, SIGCOMM'22");
  muri->add_option("--from", f.from, "muri_traces.tar.xz, or a folder with its files")->required();
  muri->add_option("--trace", f.trace, "trace1 … trace4, trace1_pr …")->capture_default_str();
  muri->add_option("--nodes", f.nodes, "nodes of 8 GPUs")->default_str("8");
  convert_flags(muri, f, "spot");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? 0 : bad_input;
  }
  if (openb->parsed()) return run_openb(f);
  if (itp->parsed()) return run_itp(f);
  if (muri->parsed()) return run_muri(f);
  return run_replay(replaying);
}

}  // namespace
}  // namespace ampacity::sim

int main(int argc, char** argv) {
  for (int i = 1; i < argc; ++i)
    if (std::string_view(argv[i]) == "--year") return ampacity::sim::year_program(argc, argv);
  for (int i = 1; i < argc; ++i)
    for (const std::string_view flag : {"--chaos", "--seeds", "--planted"})
      if (argv[i] == flag) return ampacity::sim::chaos_program(argc, argv);
  return ampacity::sim::program(argc, argv);
}
