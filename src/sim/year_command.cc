#include "sim/year_command.h"

#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>

#include "sim/csv.h"
#include "sim/year_report.h"

namespace ampacity::sim {

int year_program(int argc, char** argv) {
  CLI::App app{
      "A year of a fleet through the production core, on virtual time: simulated, not measured.\n"
      "What is simulated: docs/simulation.md. Exit codes: 0 done and the money agrees, 1 it does\n"
      "not, 2 the command line is wrong."};
  YearPlan plan;
  double load = 0.85, failures = 3.79;
  bool year = false, quiet = false;
  std::string report;
  app.add_flag("--year", year, "this simulation")->required();
  app.add_option("--gpus", plan.gpus, "in nodes of eight")
      ->check(CLI::Range(8, 1'000'000))
      ->capture_default_str();
  app.add_option("--days", plan.days, "of virtual time")
      ->check(CLI::Range(1, 730))
      ->capture_default_str();
  app.add_option("--load", load, "work offered, as a part of all GPU-time")
      ->check(CLI::Range(0.01, 2.0))
      ->capture_default_str();
  app.add_option("--failures-per-1000-node-days", failures, "of nodes and cards; 0: none")
      ->check(CLI::Range(0.0, 1000.0))
      ->capture_default_str();
  app.add_option("--seed", plan.seed, "the same seed and flags give the same digest")
      ->capture_default_str();
  app.add_option("--report", report, "write the figures here, as JSON")->option_text("out.json");
  app.add_flag("--quiet", quiet, "no table, no progress");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? 0 : 2;
  }
  plan.load_permille = static_cast<std::int64_t>(load * 1000 + 0.5);
  plan.failures_per_million_node_days = static_cast<std::int64_t>(failures * 1000 + 0.5);
  plan.progress = !quiet && isatty(STDERR_FILENO);
  const YearResult result = simulate_year(plan);
  if (!quiet) fmt::print("{}", year_table(result));
  if (!report.empty())
    if (const auto wrote = write_whole(report, year_json(result) + "\n"); !wrote) {
      fmt::print(stderr, "ampacity-sim: {}\n", wrote.error().message);
      return 1;
    }
  return result.money.drift == 0 && result.money.wrong_leases == 0 ? 0 : 1;
}

}  // namespace ampacity::sim
