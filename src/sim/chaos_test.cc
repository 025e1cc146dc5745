#include <doctest/doctest.h>

#include "sim/chaos.h"
#include "sim/planted.h"

namespace ampacity::sim {

TEST_CASE("seeds: nothing goes wrong, and the same seed is the same run") {
  std::set<std::uint64_t> digests;
  for (std::uint64_t seed = 1; seed <= 4; ++seed) {
    ChaosOptions options;
    options.seed = seed;
    const ChaosResult once = run_chaos(options);
    for (const std::string& w : once.wrong) MESSAGE("seed ", seed, ": ", w);
    CHECK(once.wrong.empty());
    const ChaosResult again = run_chaos(options);
    CHECK(once.digest == again.digest);
    CHECK(once.turns == again.turns);
    digests.insert(once.digest);
  }
  CHECK(digests.size() == 4);
}

TEST_CASE("a planted bug is found, its seed said, and the failing run made smaller") {
  ChaosOptions options;
  options.planted = {"keys-ignored"};
  options.seed = 1;
  while (options.seed < 40 && run_chaos(options).wrong.empty()) ++options.seed;
  REQUIRE_FALSE(run_chaos(options).wrong.empty());
  const ChaosOptions small = shrink(options, 12);
  CHECK_FALSE(run_chaos(small).wrong.empty());
  CHECK(small.minutes <= draw_plan(options).safety.whole_seconds() / 60);
  CHECK(repro(small).find("--seed " + std::to_string(options.seed)) != std::string::npos);
}

TEST_CASE("swarm: seeds draw different faults, and what is left out stays out") {
  std::set<std::set<Fault>> seen;
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    ChaosOptions options;
    options.seed = seed;
    const ChaosPlan plan = draw_plan(options);
    seen.insert(plan.faults);
    options.without = {Fault::kill, Fault::clock};
    const ChaosPlan less = draw_plan(options);
    CHECK_FALSE(less.has(Fault::kill));
    CHECK(less.safety == plan.safety);
    CHECK(less.quantum_s == plan.quantum_s);
  }
  CHECK(seen.size() > 30);
}

TEST_CASE("at least twenty bugs are planted, each under its own name") {
  std::set<std::string_view> names;
  for (const PlantedBug& bug : planted_bugs()) names.insert(bug.name);
  CHECK(names.size() >= 20);
  CHECK(names.size() == planted_bugs().size());
}

}  // namespace ampacity::sim
