// A scene for tests: one production engine on a played site, in virtual time, with one rank that it
// is to run; the server can be started, stopped and killed, clocks can be set.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "base/onward_clock.h"
#include "engines/engine.h"
#include "sim/fibres.h"
#include "sim/runs.h"

namespace ampacity::sim {

template <typename PlayedSite>
struct EngineScene {
  using Duration = base::Duration;
  using Instant = base::Instant;
  using Seen = core::RankSeen;
  struct Wall final : base::Clock {
    explicit Wall(Fibres& f) : fibres(f) {}
    Instant now() override { return fibres.now() + jump; }
    Fibres& fibres;
    Duration jump;
  };
  base::SeededPrng turns, world;
  Fibres fibres;
  PlayedSite played;
  Wall wall{fibres};
  std::unique_ptr<base::OnwardClock> clock;
  Fibres::Group life = 0;
  int lives = 0;
  engines::Engine* engine = nullptr;
  core::RankWork work;
  std::vector<Seen> seen;

  // The rank works for `length`; `api` is what the played site takes beside.
  template <typename Api>
  EngineScene(std::uint64_t seed, Api api, Duration length)
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
  ~EngineScene() {
    die();
    base::scheduler = nullptr;
  }
  void live() {
    clock = std::make_unique<base::OnwardClock>(wall);
    life = fibres.new_group();
    fibres.spawn_in(life, [this] {
      const auto mine = played.engine(Duration::seconds(2), *clock, {});
      engines::EngineReports reports;
      reports.seen = [this](std::vector<Seen> s) { seen.insert(seen.end(), s.begin(), s.end()); };
      CHECK(mine->start(std::move(reports)));
      // As the server: what an earlier life may have asked for is told whole, what is new after it.
      mine->desire_whole(lives++ == 0 ? std::vector<core::RankWork>{} : std::vector{work});
      mine->desire_also({work});
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

}  // namespace ampacity::sim
