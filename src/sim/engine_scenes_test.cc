// The production container engine in scenes that seeds found: a played docker or podman, virtual
// time, and one thing that goes wrong.
#include <doctest/doctest.h>

#include <algorithm>

#include "sim/fake_containers.h"
#include "sim/test_engine_scene.h"

namespace ampacity::sim {
namespace {

using base::Duration;
using base::Instant;
using Seen = core::RankSeen;
using Scene = EngineScene<FakeContainers>;

bool near(Instant a, Instant b) { return std::abs((a - b).us) <= 1'000'000; }

}  // namespace

TEST_CASE("an end that is not committed is told again by who is silent, and nothing passes it") {
  Scene scene(1, docker_api(), Duration::seconds(10));
  scene.live();
  scene.pass(60);
  REQUIRE(scene.told(Seen::State::ended) > 0);
  CHECK(scene.seen_at() <= *scene.run().until);
  scene.played.unreachable_until(scene.fibres.now() + Duration::seconds(600));
  scene.pass(60);
  const std::size_t before = scene.told(Seen::State::ended);
  scene.pass(60);
  CHECK(scene.told(Seen::State::ended) > before);
  CHECK(scene.seen_at() <= *scene.run().until);
}

TEST_CASE("an engine whose clock is not ours: what ended while nobody was there is told by ours") {
  for (const std::int64_t wrong_s : {-70, -3, 0, 3, 70}) {
    CAPTURE(wrong_s);
    Scene scene(2, libpod_api(), Duration::seconds(40));
    scene.played.faults.clock_wrong = Duration::seconds(wrong_s);
    scene.live();
    scene.pass(10);
    REQUIRE(scene.told(Seen::State::running) > 0);
    CHECK(near(scene.seen[0].started_at, scene.run().from));
    scene.die();
    scene.pass(120);
    scene.work.confirmed = true;
    scene.live();
    scene.pass(30);
    REQUIRE(scene.told(Seen::State::ended) > 0);
    CHECK(near(scene.seen.back().started_at, scene.run().from));
    CHECK(near(scene.seen.back().ended_at, *scene.run().until));
  }
}

TEST_CASE("clocks that are set while nobody looks change nothing of how long it ran") {
  for (const std::int64_t by_s : {-3'000, -60, 60, 3'000})
    for (const std::int64_t when_s : {20, 150}) {  // before its end, or after it
      CAPTURE(by_s);
      CAPTURE(when_s);
      Scene scene(3, docker_api(), Duration::seconds(100));
      scene.live();
      scene.pass(10);
      scene.fibres.stop(scene.life, scene.fibres.now() + Duration::seconds(300));
      scene.pass(when_s - 10);
      scene.set_clocks(Duration::seconds(by_s));
      scene.pass(600);
      REQUIRE(scene.told(Seen::State::ended) > 0);
      const Duration ran = scene.seen.back().ended_at - scene.seen.back().started_at;
      CHECK(ran < Duration::seconds(101));
      // Less where nobody can know it: by the step, or what was not watched, at most.
      CHECK(ran.us > (when_s > 100 || std::abs(by_s) < 100 ? 35 : 5) * 1'000'000);
    }
}

TEST_CASE("docker's log is copied to its end, also when its stamps go back") {
  for (std::uint64_t seed = 1; seed <= 8; ++seed)
    for (const std::int64_t by_s : {-3'000, -40, 40}) {
      CAPTURE(seed);
      CAPTURE(by_s);
      Scene scene(seed, docker_api(), Duration::seconds(200));
      scene.live();
      scene.pass(90);
      scene.set_clocks(Duration::seconds(by_s));
      if (seed % 2) {  // by a server that knows nothing of it
        scene.die();
        scene.work.confirmed = true;
        scene.live();
      }
      scene.pass(300);
      REQUIRE(scene.told(Seen::State::ended) > 0);
      std::string wrote;
      for (const std::string& line : scene.run().log) wrote += line;
      CHECK(scene.played.spool(scene.work.container_name()) == wrote);
    }
}

TEST_CASE("who vanishes between the sight of its end and its log has ended as it was seen to") {
  Scene scene(5, docker_api(), Duration::seconds(10));
  bool taken = false;
  scene.played.trace = [&](const std::string& line) {
    if (taken || scene.played.runs().empty() || !scene.run().until) return;
    if (line.find("-0/json -> 200") == std::string::npos) return;
    scene.played.lose_one();
    taken = true;
  };
  scene.live();
  scene.pass(60);
  CHECK(taken);
  CHECK(scene.told(Seen::State::absent) == 0);
  REQUIRE(scene.told(Seen::State::ended) > 0);
  CHECK(near(scene.seen.back().ended_at, *scene.run().until));
}

}  // namespace ampacity::sim
