// The production Slurm engine in scenes that seeds found: a played cluster, virtual time, and one
// thing that goes wrong.
#include <doctest/doctest.h>

#include <algorithm>

#include "sim/fake_slurm.h"
#include "sim/test_engine_scene.h"

namespace ampacity::sim {
namespace {

using base::Duration;
using base::Instant;
using Seen = core::RankSeen;

struct ClusterScene : EngineScene<FakeSlurm> {
  ClusterScene(std::uint64_t seed, Duration length, bool shared)
      : EngineScene(seed, std::string("simulated"), length) {
    played.shared = shared;
    work.command = {"train"};
    work.node = "n1";
    work.gpu_milli = 1'000;
  }
};

bool within_seconds(Instant a, Instant b, std::int64_t s) {
  return std::abs((a - b).us) <= s * 1'000'000;
}

}  // namespace

TEST_CASE(
    "slurm: an end that was listed is an end, though Slurm forgets it before it is looked at") {
  ClusterScene scene(1, Duration::seconds(20), false);
  scene.played.faults.min_job_age = Duration::seconds(30);
  bool looks_fail = true;
  scene.played.trace = [&](const std::string& line) {  // before its answer is on its way
    const bool look = line.find("GET /slurm/v0.0.38/job/") != std::string::npos;
    scene.played.faults.half_heard = look && looks_fail ? 1'000 : 0;
  };
  scene.live();
  scene.pass(80);
  REQUIRE(scene.run().until);
  CHECK(scene.run().forgotten_at);
  looks_fail = false;
  scene.pass(60);
  CHECK(scene.told(Seen::State::absent) == 0);
  REQUIRE(scene.told(Seen::State::ended) > 0);
  CHECK(within_seconds(scene.seen.back().ended_at, *scene.run().until, 1));
}

TEST_CASE("slurm: a marker is not believed before the cluster's clock was compared with ours") {
  for (const std::int64_t wrong_s : {-80, 0, 80}) {
    CAPTURE(wrong_s);
    ClusterScene scene(2, Duration::seconds(40), true);
    scene.played.faults.clock_wrong = Duration::seconds(wrong_s);
    scene.live();
    scene.pass(20);
    REQUIRE(scene.told(Seen::State::running) > 0);
    CHECK(within_seconds(scene.seen[0].started_at, scene.run().from, 2));
    scene.die();
    scene.played.unreachable_until(scene.fibres.now() + Duration::seconds(300));
    scene.pass(100);  // it ends, and its marker says so
    scene.seen.clear();
    scene.work.confirmed = true;
    scene.live();
    scene.pass(100);
    CHECK(scene.seen.empty());
    scene.pass(200);
    REQUIRE(scene.told(Seen::State::ended) > 0);
    CHECK(within_seconds(scene.seen.back().ended_at, *scene.run().until, 2));
  }
}

TEST_CASE("slurm: who is missed in a list was not seen in it, whatever is being asked about it") {
  for (std::uint64_t seed = 1; seed <= 12; ++seed) {
    CAPTURE(seed);
    ClusterScene scene(seed, Duration::seconds(900), seed % 2 == 0);
    scene.live();
    scene.pass(20);
    REQUIRE(scene.told(Seen::State::running) > 0);
    scene.work.confirmed = true;
    scene.work.want = core::RankWork::Want::stop;
    scene.played.faults.says_ok_only = 1'000;
    scene.played.faults.slowest = Duration::seconds(4);
    scene.played.lose_all();
    const Instant lost = scene.fibres.now();
    scene.fibres.spawn_in(scene.life, [&] { scene.engine->desire_also({scene.work}); });
    int looked = 0;
    for (; looked < 20; ++looked) {
      const Instant seen_at = scene.seen_at();
      CHECK(seen_at <= lost);
      if (scene.told(Seen::State::absent) > 0) break;
    }
    CHECK(looked > 3);
  }
}

TEST_CASE("slurm: F24, a number that is another's since the state was lost is not signalled") {
  for (std::uint64_t seed = 1; seed <= 6; ++seed) {
    CAPTURE(seed);
    ClusterScene scene(seed, Duration::seconds(900), seed % 2 == 0);
    scene.live();
    scene.pass(20);
    REQUIRE(scene.told(Seen::State::running) > 0);
    scene.played.lose_all();
    SlurmOne theirs;
    theirs.name = "theirs";
    theirs.node = "n2";
    int error = 0;
    CHECK(scene.played.submit(theirs, error) == 1);
    scene.work.want = core::RankWork::Want::stop;
    scene.fibres.spawn_in(scene.life, [&] { scene.engine->desire_also({scene.work}); });
    scene.pass(60);
    const auto other = std::ranges::find(scene.played.runs(), "theirs", &TrueRun::name);
    REQUIRE(other != scene.played.runs().end());
    CHECK_FALSE(other->until);
    CHECK(scene.told(Seen::State::absent) > 0);
  }
}

TEST_CASE("slurm: a stray that was said to be killed, and was not, is killed again") {
  ClusterScene scene(3, Duration::seconds(900), false);
  scene.live();
  scene.pass(20);
  scene.played.faults.says_ok_only = 1'000;
  scene.played.stray();
  const auto stray = [&] {
    return std::ranges::find_if(scene.played.runs(),
                                [](const TrueRun& r) { return r.name.starts_with("stray-"); });
  };
  scene.pass(60);
  REQUIRE(stray() != scene.played.runs().end());
  CHECK_FALSE(stray()->until);
  scene.played.faults.says_ok_only = 0;
  scene.pass(60);
  CHECK(stray()->until);
}

}  // namespace ampacity::sim
