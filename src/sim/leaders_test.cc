#include "sim/leaders.h"

#include <doctest/doctest.h>

namespace ampacity::sim {
namespace {

// The first seed that finds it; 0: none of so many.
std::uint64_t found(const std::string& bug, std::uint64_t most) {
  for (std::uint64_t seed = 1; seed <= most; ++seed)
    if (!run_leaders(seed, {bug}).wrong.empty()) return seed;
  return 0;
}

}  // namespace

TEST_CASE("leaders: one writes at a time, nothing acknowledged is lost; same seed, same run") {
  std::uint64_t epochs = 0, acknowledged = 0;
  for (std::uint64_t seed = 1; seed <= 12; ++seed) {
    const LeadersResult r = run_leaders(seed);
    for (const std::string& w : r.wrong) MESSAGE("seed ", seed, ": ", w);
    CHECK(r.wrong.empty());
    epochs += r.epochs;
    acknowledged += r.acknowledged;
    if (seed % 4 == 0) CHECK(run_leaders(seed).digest == r.digest);
  }
  CHECK(epochs > 24);
  CHECK(acknowledged > 1'000);
}

TEST_CASE("leaders: planted bugs are found") {
  CHECK(found("commit-unknown-called-failed", 7) > 0);
  CHECK(found("fences-down", 7) > 0);
  CHECK(found("acts-after-its-lease", 8) > 0);
}

}  // namespace ampacity::sim
