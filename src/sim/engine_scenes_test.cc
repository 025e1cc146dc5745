// The production container engine in scenes that seeds found: a played docker or podman, virtual
// time, and one thing that goes wrong.
#include <doctest/doctest.h>

#include <algorithm>

#include "base/onward_clock.h"
#include "sim/fake_containers.h"

namespace ampacity::sim {
namespace {

using base::Duration;
using base::Instant;
using Seen = core::RankSeen;

// A rank that works for `length`; the server can be started, stopped and killed.
struct Scene {
  struct Wall final : base::Clock {
    explicit Wall(Fibres& f) : fibres(f) {}
    Instant now() override { return fibres.now() + jump; }
    Fibres& fibres;
    Duration jump;
  };
  base::SeededPrng turns, world;
  Fibres fibres;
  FakeContainers played;
  Wall wall{fibres};
  std::unique_ptr<base::OnwardClock> clock;
  Fibres::Group life = 0;
  engines::Engine* engine = nullptr;
  core::RankWork work;
  std::vector<Seen> seen;

  Scene(std::uint64_t seed, std::unique_ptr<ContainerApi> api, Duration length)
      : turns(seed),
        world(seed + 1'000),
        fibres(turns, {1'795'305'600'000'000}),
        played(fibres, world, std::move(api)) {
    base::scheduler = &fibres;
    played.shortest_run = played.longest_run = length;
    played.faults.slowest = Duration::millis(200);
    work.job = {1, 1};
    work.job_name = "job-aa";
    work.image = "localhost/ampacity-tiny";
  }
  ~Scene() {
    die();
    base::scheduler = nullptr;
  }
  void live() {
    clock = std::make_unique<base::OnwardClock>(wall);
    life = fibres.new_group();
    fibres.spawn_in(life, [this] {
      const auto mine = played.engine(Duration::seconds(2), *clock);
      engines::EngineReports reports;
      reports.seen = [this](std::vector<Seen> s) { seen.insert(seen.end(), s.begin(), s.end()); };
      CHECK(mine->start(std::move(reports)));
      mine->desire_whole({work});
      engine = mine.get();
      while (true) base::sleep_for(Duration::seconds(86'400));
    });
  }
  void die() {
    if (life) fibres.kill(life);
    life = 0;
    engine = nullptr;
  }
  void pass(std::int64_t s) { fibres.run_until(fibres.now() + Duration::seconds(s)); }
  void set_clocks(Duration by) {  // of server and engine, which are one machine
    wall.jump = wall.jump + by;
    played.faults.clock_wrong = played.faults.clock_wrong + by;
  }
  Instant seen_at() {
    Instant at;
    fibres.spawn_in(life, [&] { at = engine->health().seen_at; });
    pass(1);
    return at;
  }
  std::size_t told(Seen::State state) const {
    return static_cast<std::size_t>(std::ranges::count(seen, state, &Seen::state));
  }
  const TrueRun& run() const { return played.runs().at(0); }
};

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
