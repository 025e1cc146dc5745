#include "sim/trace.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <set>

namespace ampacity::sim {
namespace {

constexpr std::int64_t most_cpu_milli = 1'000'000'000;
constexpr std::int64_t most_memory_mib = std::int64_t{1} << 40;

enum NodeColumn { n_node, n_site, n_rack, n_sku, n_gpus, n_cpu, n_memory };
enum JobColumn {
  j_job,
  j_project,
  j_class,
  j_submit,
  j_run,
  j_nodes,
  j_gpus,
  j_gpu_milli,
  j_cpu,
  j_memory,
  j_sku,
  j_limit
};

// Nodes that are alike in what a job can ask for.
struct JobKind {
  std::string sku;
  std::string site;
  std::uint32_t gpus;
  std::int64_t cpu_milli;
  std::int64_t memory_mib;
  auto operator<=>(const JobKind&) const = default;
};
using JobKinds = std::map<JobKind, std::uint64_t>;

JobKinds kinds_of(const std::vector<TraceNode>& nodes) {
  JobKinds kinds;
  for (const TraceNode& n : nodes) ++kinds[{n.sku, n.site, n.gpus, n.cpu_milli, n.memory_mib}];
  return kinds;
}

std::vector<std::string> names_in(const JobKinds& kinds) {
  std::vector<std::string> names;
  for (const auto& [kind, count] : kinds)
    if (kind.gpus && (names.empty() || names.back() != kind.sku)) names.push_back(kind.sku);
  return names;
}

// One row's whole numbers: the first wrong one is the row's problem.
struct Row {
  CsvReader& csv;
  std::string wrong = {};

  std::int64_t whole(std::size_t column, std::int64_t least, std::int64_t most,
                     std::int64_t if_empty = -1) {
    if (!wrong.empty()) return least;
    if (csv.field(column).empty() && if_empty >= 0) return if_empty;
    const auto value = parse_whole(csv.field(column), most);
    if (!value || *value < least) {
      wrong = csv.at(column, fmt::format("is not a whole number from {} to {}", least, most));
      return least;
    }
    return *value;
  }
  base::Duration seconds(std::size_t column, base::Duration if_empty) {
    if (!wrong.empty() || (csv.field(column).empty() && if_empty.us != INT64_MIN)) return if_empty;
    if (const auto value = parse_seconds(csv.field(column))) return *value;
    wrong = csv.at(column, csv.field(column).starts_with('-')
                               ? "is negative: times are seconds from the trace's start, 0 or more"
                               : "is not seconds: a number like 3600 or 0.25");
    return {};
  }
};

// Why the job could not run even on the empty fleet; empty: it could.
std::string never_fits(const CsvReader& csv, const TraceJob& job, const Trace& trace,
                       const JobKinds& kinds) {
  const auto& allowed = trace.sku_sets[job.skus];
  const auto of_sku = [&](const JobKind& k) {
    return allowed.empty() || std::find(allowed.begin(), allowed.end(), k.sku) != allowed.end();
  };
  for (const std::string& sku : allowed)
    if (std::none_of(kinds.begin(), kinds.end(), [&](const auto& k) { return k.first.sku == sku; }))
      return csv.at(j_sku, "names a kind of GPU that no node has; there is " +
                               fmt::format("{}", fmt::join(names_in(kinds), ", ")));
  // A gang stands in one site, on one kind of GPU.
  std::map<std::pair<std::string_view, std::string_view>, std::pair<std::uint64_t, std::uint64_t>>
      fits;  // nodes with enough GPUs; those with enough of all
  std::uint32_t most_gpus = 0;
  for (const auto& [kind, count] : kinds) {
    if (job.gpus_per_node && !of_sku(kind)) continue;
    most_gpus = std::max(most_gpus, kind.gpus);
    if (kind.gpus < job.gpus_per_node) continue;
    // Views of both: `? kind.sku : ""` would be a string that dies at once.
    const std::string_view sku = job.gpus_per_node ? std::string_view(kind.sku) : "";
    auto& [of_gpus, of_all] = fits[{kind.site, sku}];
    of_gpus += count;
    if (kind.cpu_milli >= job.cpu_milli && kind.memory_mib >= job.memory_mib) of_all += count;
  }
  std::uint64_t fit = 0, gpus_fit = 0;
  for (const auto& [where, counts] : fits) {
    gpus_fit = std::max(gpus_fit, counts.first);
    fit = std::max(fit, counts.second);
  }
  if (most_gpus < job.gpus_per_node)
    return csv.at(j_gpus,
                  fmt::format("is more GPUs than any such node has: at most {}", most_gpus));
  if (gpus_fit < job.nodes)
    return csv.at(j_nodes, fmt::format("is a gang larger than the fleet: {} such nodes have {} "
                                       "GPUs",
                                       gpus_fit, job.gpus_per_node));
  if (fit < job.nodes)
    return csv.at(j_cpu, fmt::format("with {} MiB a node is more than the fleet has: {} such nodes "
                                     "have that much, {} are needed",
                                     job.memory_mib, fit, job.nodes));
  return {};
}

std::optional<core::JobClass> class_of(std::string_view text) {
  if (text == "reserved") return core::JobClass::reserved;
  if (text == "on_demand" || text.empty()) return core::JobClass::on_demand;
  if (text == "spot") return core::JobClass::spot;
  if (text == "house") return core::JobClass::house;
  return std::nullopt;
}

std::string_view class_name(core::JobClass c) {
  constexpr std::string_view names[] = {"reserved", "on_demand", "spot", "house"};
  return names[static_cast<std::size_t>(c)];
}

// The row as a job; `row.wrong` says why it is none.
TraceJob read_job(Row& row, Trace& trace) {
  CsvReader& csv = row.csv;
  TraceJob job;
  job.name = csv.field(j_job);
  const auto job_class = class_of(csv.field(j_class));
  if (!job_class)
    row.wrong = csv.at(j_class, "is no class: reserved, on_demand, spot or house");
  else
    job.job_class = *job_class;
  job.submit = row.seconds(j_submit, {INT64_MIN});
  job.run = row.seconds(j_run, {-1});
  job.nodes = static_cast<std::uint32_t>(row.whole(j_nodes, 1, most_gang_nodes, 1));
  job.gpus_per_node = static_cast<std::uint32_t>(row.whole(j_gpus, 0, most_gpus_per_node, 0));
  job.gpu_milli =
      static_cast<std::uint32_t>(row.whole(j_gpu_milli, job.gpus_per_node ? 1 : 0, 1000, 1000));
  job.cpu_milli = row.whole(j_cpu, 0, most_cpu_milli, 0);
  job.memory_mib = row.whole(j_memory, 0, most_memory_mib, 0);
  job.time_limit_s = row.whole(j_limit, 0, 1'000'000'000, 0);
  if (!row.wrong.empty()) return job;
  if (job.gpus_per_node == 0) job.gpu_milli = 1000;
  if (job.gpu_milli < 1000 && (job.gpus_per_node != 1 || job.nodes != 1))
    row.wrong = csv.at(j_gpu_milli, "is a share: it must be of one GPU of one node");
  else if (job.gpus_per_node == 0 && job.nodes > 1)
    row.wrong = csv.at(j_nodes, "is a gang without GPUs: only 1 node then");
  else if (csv.field(j_job).size() > 256 || csv.field(j_project).size() > 128)
    row.wrong = csv.at(j_job, "or its project is too long a name");
  if (!row.wrong.empty()) return job;
  const std::string_view project = csv.field(j_project);
  job.project = trace.project(project.empty() ? "default" : project);
  job.skus = trace.sku_set(job.gpus_per_node ? csv.field(j_sku) : std::string_view{});
  return job;
}

}  // namespace

std::uint64_t Trace::gpus() const {
  std::uint64_t sum = 0;
  for (const TraceNode& n : nodes) sum += n.gpus;
  return sum;
}

std::uint32_t Trace::project(std::string_view name) {
  if (const auto known = project_by_name_.find(name); known != project_by_name_.end())
    return known->second;
  projects.emplace_back(name);
  return project_by_name_[projects.back()] = static_cast<std::uint32_t>(projects.size() - 1);
}

std::uint32_t Trace::sku_set(std::string_view text) {
  if (const auto known = sku_set_by_text_.find(text); known != sku_set_by_text_.end())
    return known->second;
  std::vector<std::string> skus;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('|', begin), text.size());
    if (end > begin) skus.emplace_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  sku_sets.push_back(std::move(skus));
  return sku_set_by_text_[std::string(text)] = static_cast<std::uint32_t>(sku_sets.size() - 1);
}

void Trace::sort_jobs() {
  std::stable_sort(jobs.begin(), jobs.end(),
                   [](const TraceJob& a, const TraceJob& b) { return a.submit < b.submit; });
}

const std::vector<CsvColumn>& node_columns() {
  static const std::vector<CsvColumn> columns = {{"node"}, {"site"},      {"rack"},      {"sku"},
                                                 {"gpus"}, {"cpu_milli"}, {"memory_mib"}};
  return columns;
}

const std::vector<CsvColumn>& job_columns() {
  static const std::vector<CsvColumn> columns = {
      {"job"},       {"project"},    {"class"},         {"submit_s"},
      {"run_s"},     {"nodes"},      {"gpus_per_node"}, {"gpu_milli"},
      {"cpu_milli"}, {"memory_mib"}, {"sku"},           {"time_limit_s", false}};
  return columns;
}

bool load_nodes(CsvReader& csv, Trace& trace, Problems& problems) {
  std::set<std::string, std::less<>> names;
  while (csv.next()) {
    if (!csv.whole()) {
      problems.add(csv.why_broken());
      continue;
    }
    Row row{csv};
    TraceNode node;
    node.name = csv.field(n_node);
    node.site = csv.field(n_site).empty() ? "site" : csv.field(n_site);
    node.rack = csv.field(n_rack);
    node.gpus = static_cast<std::uint32_t>(row.whole(n_gpus, 0, most_gpus_per_node));
    node.cpu_milli = row.whole(n_cpu, 0, most_cpu_milli);
    node.memory_mib = row.whole(n_memory, 0, most_memory_mib);
    node.sku = node.gpus ? csv.field(n_sku) : "cpu";
    if (node.name.empty()) row.wrong = csv.at(n_node, "is no name");
    if (row.wrong.empty() && (node.sku.empty() || (node.gpus && node.sku == "cpu")))
      row.wrong = csv.at(n_sku, "does not name the kind of its GPUs");
    if (row.wrong.empty() && !names.insert(node.name).second)
      row.wrong = csv.at(n_node, "is there twice");
    if (!row.wrong.empty()) {
      problems.add(std::move(row.wrong));
      continue;
    }
    if (trace.nodes.size() == most_trace_nodes) {
      problems.add(
          fmt::format("{}:{}: more than {} nodes", csv.file(), csv.line(), most_trace_nodes));
      return false;
    }
    trace.nodes.push_back(std::move(node));
  }
  if (trace.nodes.empty()) problems.add(csv.file() + ": no node in it can be used");
  return !trace.nodes.empty();
}

bool load_jobs(CsvReader& csv, Trace& trace, Problems& problems) {
  const JobKinds kinds = kinds_of(trace.nodes);
  while (csv.next()) {
    if (!csv.whole()) {
      problems.add(csv.why_broken());
      continue;
    }
    Row row{csv};
    TraceJob job = read_job(row, trace);
    if (row.wrong.empty()) row.wrong = never_fits(csv, job, trace, kinds);
    if (!row.wrong.empty()) {
      problems.add(std::move(row.wrong));
      continue;
    }
    if (trace.jobs.size() == most_trace_jobs || trace.projects.size() > most_trace_projects) {
      problems.add(fmt::format("{}:{}: more than {} jobs or {} projects", csv.file(), csv.line(),
                               most_trace_jobs, most_trace_projects));
      return false;
    }
    trace.jobs.push_back(std::move(job));
  }
  trace.sort_jobs();
  if (trace.jobs.empty()) problems.add(csv.file() + ": no job in it can be used");
  return !trace.jobs.empty();
}

std::string write_nodes(const Trace& trace) {
  std::string out = "node,site,rack,sku,gpus,cpu_milli,memory_mib\n";
  for (const TraceNode& n : trace.nodes)
    fmt::format_to(std::back_inserter(out), "{},{},{},{},{},{},{}\n", csv_field(n.name),
                   csv_field(n.site), csv_field(n.rack), csv_field(n.sku), n.gpus, n.cpu_milli,
                   n.memory_mib);
  return out;
}

std::string write_jobs(const Trace& trace) {
  const bool limits = std::any_of(trace.jobs.begin(), trace.jobs.end(),
                                  [](const TraceJob& j) { return j.time_limit_s > 0; });
  std::string out =
      "job,project,class,submit_s,run_s,nodes,gpus_per_node,gpu_milli,cpu_milli,memory_mib,sku";
  out += limits ? ",time_limit_s\n" : "\n";
  for (const TraceJob& j : trace.jobs) {
    fmt::format_to(std::back_inserter(out), "{},{},{},{},{},{},{},{},{},{},{}", csv_field(j.name),
                   csv_field(trace.projects[j.project]), class_name(j.job_class),
                   format_seconds(j.submit), j.ends() ? format_seconds(j.run) : "", j.nodes,
                   j.gpus_per_node, j.gpu_milli, j.cpu_milli, j.memory_mib,
                   csv_field(fmt::format("{}", fmt::join(trace.sku_sets[j.skus], "|"))));
    if (limits) fmt::format_to(std::back_inserter(out), ",{}", j.time_limit_s);
    out += '\n';
  }
  return out;
}

}  // namespace ampacity::sim
