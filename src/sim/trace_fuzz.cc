// Traces: nodes as CSV, a line `%%`, jobs as CSV. What is loaded is written and loaded again.
#include "base/fuzz_input.h"
#include "sim/trace.h"

namespace base = ampacity::base;
namespace sim = ampacity::sim;

namespace {

// Nothing, if either file could not be used.
std::optional<sim::Trace> load(std::string_view nodes, std::string_view jobs,
                               sim::Problems& problems) {
  const auto heads = [&problems](const base::Try<sim::CsvReader>& csv) {
    if (!csv) problems.add(csv.error().message);
    return csv.has_value();
  };
  sim::Trace trace;
  auto of_nodes = sim::CsvReader::from_text("n", std::string(nodes), sim::node_columns());
  if (!heads(of_nodes) || !sim::load_nodes(*of_nodes, trace, problems)) return std::nullopt;
  auto of_jobs = sim::CsvReader::from_text("j", std::string(jobs), sim::job_columns());
  if (!heads(of_jobs) || !sim::load_jobs(*of_jobs, trace, problems)) return std::nullopt;
  return trace;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  base::FuzzInput input(data, size);
  const std::string_view nodes = input.until("%%\n");
  sim::Problems problems;
  const auto trace = load(nodes, input.rest(), problems);
  CHECK_THAT(problems.listed.size() <= sim::most_listed_problems, "problems without bounds");
  for (const std::string& p : problems.listed)
    CHECK_THAT((p.starts_with("n:") || p.starts_with("j:")) && p.size() < 4096,
               "a problem that names no file, or all of it");
  CHECK_THAT(trace.has_value() || !problems.none(), "refused without words");
  if (!trace) return 0;
  for (const sim::TraceJob& j : trace->jobs) {
    CHECK_THAT(j.submit.us >= 0 && j.nodes >= 1 && j.nodes <= 4096, "a job out of bounds");
    CHECK_THAT(j.project < trace->projects.size() && j.skus < trace->sku_sets.size(), "nowhere");
  }
  sim::Problems none;
  const std::string written_nodes = sim::write_nodes(*trace), written = sim::write_jobs(*trace);
  const auto again = load(written_nodes, written, none);
  CHECK_THAT(none.none(), "a trace written is not right");
  CHECK_THAT(
      again && sim::write_nodes(*again) == written_nodes && sim::write_jobs(*again) == written,
      "a trace that changes");
  return 0;
}
