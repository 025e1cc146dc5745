#include "sim/convert.h"

#include <fmt/format.h>

#include <algorithm>

namespace ampacity::sim {
namespace {

constexpr std::int64_t most_time_s = 10'000'000'000;
constexpr std::uint32_t gpus_per_node = 8;

// The whole number in a column; adds a problem and answers nullopt if it is none.
std::optional<std::int64_t> number(const CsvReader& csv, std::size_t column, std::int64_t most,
                                   Problems& problems) {
  const auto value = parse_whole(csv.field(column), most);
  if (!value) problems.add(csv.at(column, fmt::format("is not a whole number from 0 to {}", most)));
  return value;
}

// A gang of whole nodes, or part of one; false: adds a problem.
bool gang(const CsvReader& csv, std::size_t column, std::int64_t gpus, std::size_t nodes,
          TraceJob& job, Problems& problems) {
  job.gpus_per_node = static_cast<std::uint32_t>(std::min<std::int64_t>(gpus, gpus_per_node));
  job.nodes = static_cast<std::uint32_t>((gpus + gpus_per_node - 1) / gpus_per_node);
  if (gpus > 0 && job.nodes <= nodes) return true;
  problems.add(csv.at(column, fmt::format("GPUs: from 1 to {}, the fleet's", nodes * 8)));
  return false;
}

enum OpenbNode { o_sn, o_cpu, o_memory, o_gpu, o_model };
enum OpenbPod {
  p_name,
  p_cpu,
  p_memory,
  p_gpus,
  p_gpu_milli,
  p_spec,
  p_created,
  p_deleted,
  p_scheduled
};

bool openb_nodes(CsvReader& csv, Trace& trace, Problems& problems) {
  while (csv.next()) {
    if (!csv.whole()) {
      problems.add(csv.why_broken());
      continue;
    }
    const auto cpu = number(csv, o_cpu, 1'000'000'000, problems);
    const auto memory = number(csv, o_memory, std::int64_t{1} << 40, problems);
    const auto gpus = number(csv, o_gpu, most_gpus_per_node, problems);
    if (!cpu || !memory || !gpus) continue;
    TraceNode node{
        std::string(csv.field(o_sn)),      "openb", "",     std::string(csv.field(o_model)),
        static_cast<std::uint32_t>(*gpus), *cpu,    *memory};
    if (*gpus == 0) node.sku = "cpu";
    if (trace.nodes.size() < most_trace_nodes) trace.nodes.push_back(std::move(node));
  }
  return !trace.nodes.empty();
}

}  // namespace

std::vector<TraceNode> uniform_nodes(std::size_t count, std::uint32_t gpus, std::size_t per_rack) {
  std::vector<TraceNode> nodes;
  for (std::size_t i = 0; i < count; ++i)
    nodes.push_back({fmt::format("n{:04}", i), "site", fmt::format("r{:03}", i / per_rack), "gpu",
                     gpus, 96'000, 1'048'576});
  return nodes;
}

const std::vector<CsvColumn>& openb_node_columns() {
  static const std::vector<CsvColumn> columns = {
      {"sn"}, {"cpu_milli"}, {"memory_mib"}, {"gpu"}, {"model"}};
  return columns;
}

const std::vector<CsvColumn>& openb_pod_columns() {
  static const std::vector<CsvColumn> columns = {
      {"name"},     {"cpu_milli"},     {"memory_mib"},    {"num_gpu"},       {"gpu_milli"},
      {"gpu_spec"}, {"creation_time"}, {"deletion_time"}, {"scheduled_time"}};
  return columns;
}

bool convert_openb(CsvReader& nodes, CsvReader& pods, core::JobClass job_class, Trace& trace,
                   Problems& problems) {
  if (!openb_nodes(nodes, trace, problems)) {
    problems.add(nodes.file() + ": no node in it can be used");
    return false;
  }
  while (pods.next()) {
    if (!pods.whole()) {
      problems.add(pods.why_broken());
      continue;
    }
    const auto cpu = number(pods, p_cpu, 1'000'000'000, problems);
    const auto memory = number(pods, p_memory, std::int64_t{1} << 40, problems);
    const auto gpus = number(pods, p_gpus, most_gpus_per_node, problems);
    const auto milli = number(pods, p_gpu_milli, 1000, problems);
    const auto created = number(pods, p_created, most_time_s, problems);
    const auto deleted = number(pods, p_deleted, most_time_s, problems);
    const bool ran = !pods.field(p_scheduled).empty();
    const auto began = ran ? number(pods, p_scheduled, most_time_s, problems) : created;
    if (!cpu || !memory || !gpus || !milli || !created || !deleted || !began) continue;
    if (*deleted < *began) {
      problems.add(pods.at(p_deleted, "is before it began"));
      continue;
    }
    TraceJob job;
    job.name = pods.field(p_name);
    job.project = trace.project("openb");
    job.job_class = job_class;
    job.submit = base::Duration::seconds(*created);
    job.run = base::Duration::seconds(*deleted - *began);
    job.gpus_per_node = static_cast<std::uint32_t>(*gpus);
    job.gpu_milli = *gpus == 1 && *milli > 0 ? static_cast<std::uint32_t>(*milli) : 1000;
    job.cpu_milli = *cpu;
    job.memory_mib = *memory;
    job.skus = trace.sku_set(pods.field(p_spec));
    if (trace.jobs.size() < most_trace_jobs) trace.jobs.push_back(std::move(job));
  }
  trace.sort_jobs();
  return !trace.jobs.empty();
}

bool convert_itp(std::map<std::string, std::string> files, const ItpPlan& plan, Trace& trace,
                 Problems& problems) {
  enum { job_id, submitted, duration, num_gpu };
  trace.nodes = uniform_nodes(plan.nodes, gpus_per_node);
  const std::uint32_t any = trace.sku_set("");
  for (auto& [file, text] : files) {
    auto csv = CsvReader::from_text(file, std::move(text),
                                    {{"job_id"}, {"submission_time"}, {"duration"}, {"num_gpu"}});
    if (!csv) {
      problems.add(csv.error().message);
      continue;
    }
    const std::string cluster = file.substr(0, file.rfind('.'));
    const std::uint32_t project = trace.project(plan.project_by_cluster ? cluster : "itp");
    while (csv->next()) {
      if (!csv->whole()) {
        problems.add(csv->why_broken());
        continue;
      }
      const auto at = number(*csv, submitted, most_time_s, problems);
      const auto run = number(*csv, duration, most_time_s, problems);
      const auto gpus = number(*csv, num_gpu, 100'000, problems);
      TraceJob job;
      if (!at || !run || !gpus || !gang(*csv, num_gpu, *gpus, plan.nodes, job, problems)) continue;
      job.name = cluster;  // all that is known of what it was
      job.project = project;
      job.job_class = plan.job_class;
      job.submit = base::Duration::seconds(*at);
      job.run = base::Duration::seconds(*run);
      job.skus = any;
      if (trace.jobs.size() < most_trace_jobs) trace.jobs.push_back(std::move(job));
    }
  }
  trace.sort_jobs();
  if (trace.jobs.empty()) return false;
  const base::Duration first = trace.jobs.front().submit;
  for (std::size_t i = 0; i < trace.jobs.size(); ++i) {
    trace.jobs[i].name += "-" + std::to_string(i + 1);
    trace.jobs[i].submit.us -= first.us;
  }
  return true;
}

const std::vector<CsvColumn>& muri_columns() {
  static const std::vector<CsvColumn> columns = {
      {"job_id"}, {"num_gpu"}, {"submit_time"}, {"iterations"}, {"iteration_time"}};
  return columns;
}

bool convert_muri(CsvReader& csv, const MuriPlan& plan, Trace& trace, Problems& problems) {
  enum { job_id, num_gpu, submitted, iterations, iteration_time };
  trace.nodes = uniform_nodes(plan.nodes, gpus_per_node);
  const std::uint32_t project = trace.project("muri");
  const std::uint32_t any = trace.sku_set("");
  while (csv.next()) {
    if (!csv.whole()) {
      problems.add(csv.why_broken());
      continue;
    }
    const auto gpus = number(csv, num_gpu, 100'000, problems);
    const auto at_ms = number(csv, submitted, most_time_s * 1000, problems);
    const auto count = number(csv, iterations, 1'000'000'000, problems);
    const auto each_ms = number(csv, iteration_time, 1'000'000, problems);
    TraceJob job;
    if (!gpus || !at_ms || !count || !each_ms ||
        !gang(csv, num_gpu, *gpus, plan.nodes, job, problems))
      continue;
    job.name = csv.field(job_id);
    job.project = project;
    job.job_class = plan.job_class;
    job.skus = any;
    job.submit = base::Duration::millis(*at_ms);
    job.run = base::Duration::seconds((*count * *each_ms + 999) / 1000);
    if (plan.stretch_permille != 1000) job.run = {*count * *each_ms * plan.stretch_permille};
    if (trace.jobs.size() < most_trace_jobs) trace.jobs.push_back(std::move(job));
  }
  trace.sort_jobs();
  return !trace.jobs.empty();
}

}  // namespace ampacity::sim
