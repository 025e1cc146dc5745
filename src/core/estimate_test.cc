// The queue played forward: in steps as in one go, and whatever happens between two steps.
#include "core/estimate.h"

#include "base/prng.h"
#include "core/test_cloud.h"

namespace ampacity::core {
namespace {

// A full cloud of jobs with all kinds of limits, and a queue behind it.
struct FullCloud : TestCloud {
  std::vector<Id> running;

  explicit FullCloud(std::uint64_t seed) : TestCloud(6), prng(seed) {
    for (int i = 0; i < 60; ++i) {
      const SubmitJob s = drawn();
      submit(s);
      if (!is_leased(s.job.id)) continue;
      run_ranks(s.job.id);
      running.push_back(s.job.id);
    }
    REQUIRE(world.queue.size() > 10);
  }
  SubmitJob drawn() {
    const char* sizes[] = {"h100:1", "h100:2", "h100:8", "h100:8x2"};
    SubmitJob s = request(sizes[prng.next() % 4], 0);
    s.job.time_limit_s = static_cast<std::int64_t>(600 + prng.next() % 7200);
    return s;
  }
  base::SeededPrng prng;
};

}  // namespace

TEST_CASE("an outlook played in steps says what a forecast says") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    FullCloud c(seed);
    const auto whole = forecast(c.world, c.now, 500);
    CHECK(whole.size() == c.world.queue.size());
    Outlook steps(c.world, c.now, 500);
    CHECK(steps.starts().empty());
    while (!steps.play(1 + seed % 3)) CHECK(steps.starts().size() <= whole.size());
    CHECK(steps.starts() == whole);
  }
}

TEST_CASE("between two steps of an outlook work ends, is given up, and comes") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    FullCloud c(seed);
    const std::size_t waiting = c.world.queue.size();
    Outlook steps(c.world, c.now, 500);
    while (!steps.play(1)) {
      c.now = c.now + Duration::seconds(30);
      if (!c.running.empty()) c.end(c.running.back());
      if (!c.running.empty()) c.running.pop_back();
      if (!c.world.queue.empty() && seed % 2) {
        const Id id = c.world.queued(c.world.queue.begin()->first).id;
        REQUIRE(c.run(StopJob{id, StopReason::asked, ""}));
      }
      c.submit(c.drawn());
    }
    CHECK(steps.starts().size() <= waiting);
    CHECK(steps.starts().size() > 0);
  }
}

}  // namespace ampacity::core
