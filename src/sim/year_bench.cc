// ./dev bench year: a simulated year of 45,000 GPUs through the production core.
//   year_bench [--seed 1] [--gpus 45000] [--days 365] [--load 0.85]
//              [--failures-per-1000-node-days 3.79] [--json]
#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

#include "sim/report.h"
#include "sim/year_report.h"

int main(int argc, char** argv) {
  using namespace ampacity;
  sim::YearPlan plan;
  plan.progress = isatty(STDERR_FILENO);
  for (int i = 1; i + 1 < argc; ++i) {
    const std::string flag = argv[i];
    const double value = std::atof(argv[i + 1]);
    if (flag == "--seed") plan.seed = static_cast<std::uint64_t>(value);
    if (flag == "--gpus") plan.gpus = static_cast<std::uint32_t>(value);
    if (flag == "--days") plan.days = static_cast<std::int64_t>(value);
    if (flag == "--load") plan.load_permille = static_cast<std::int64_t>(value * 1000 + 0.5);
    if (flag == "--failures-per-1000-node-days")
      plan.failures_per_million_node_days = static_cast<std::int64_t>(value * 1000 + 0.5);
  }
  const sim::YearResult r = sim::simulate_year(plan);
  fmt::print("{}", sim::year_table(r));
  std::string json = sim::year_json(r);
  json.pop_back();
  fmt::print("{{\"bench\":\"year\",{},{}}}\n", json.substr(1), sim::machine_json());
  return r.money.drift == 0 && r.money.wrong_leases == 0 ? 0 : 1;
}
