#include "engines/sites.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <atomic>
#include <condition_variable>
#include <fstream>
#include <mutex>

#include "engines/emulated.h"

namespace ampacity::engines {
namespace {

using core::RankSeen;
using core::RankWork;

// Remembers what it was told.
struct Told final : Engine {
  std::vector<RankWork> whole, also;
  std::vector<Done> done;
  int wholes = 0;
  bool starts = true;
  EngineReports reports;
  base::Try<void> start(EngineReports r) override {
    if (!starts) return base::fault("nobody answers", true);
    reports = std::move(r);
    return {};
  }
  void desire_whole(std::vector<RankWork> r) override {
    whole = std::move(r);
    ++wholes;
  }
  void desire_also(std::vector<RankWork> r) override { also = std::move(r); }
  void done_with(std::vector<Done> d) override { done = std::move(d); }
  EngineHealth health() const override {
    EngineHealth h;
    h.reachable = true;
    return h;
  }
  base::Try<std::unique_ptr<ExecSession>> exec(const std::string&, std::vector<std::string>, bool,
                                               ExecEvents) override {
    return base::fault("no", false);
  }
  base::Try<std::vector<VolumeSeen>> volumes(std::optional<std::uint32_t>) override {
    return std::vector<VolumeSeen>{{1, "data", 5, false, ""}};
  }
  base::Try<void> remove_volume(std::uint32_t, const std::string&) override { return {}; }
};

RankWork rank(const std::string& site, const std::string& node, std::uint64_t job) {
  RankWork r;
  r.job = {0, job};
  r.job_name = "job-" + std::to_string(job);
  r.site = site;
  r.node = node;
  return r;
}

TEST_CASE("each engine hears of its own site's ranks, by the names that site knows") {
  auto home = std::make_shared<Told>(), east = std::make_shared<Told>();
  Sites sites("home", home);
  std::vector<SiteSeen> seen;
  std::vector<EngineHealth> health;
  EngineReports reports;
  reports.inventory = [&](SiteSeen s) { seen.push_back(std::move(s)); };
  reports.health = [&](const EngineHealth& h) { health.push_back(h); };
  REQUIRE(sites.start(reports));
  REQUIRE(sites.add("east", east));
  CHECK_FALSE(sites.add("east", east));

  sites.desire_whole({rank("home", "host", 1), rank("east", "east:n1", 2)});
  REQUIRE(home->whole.size() == 1);
  CHECK(home->whole[0].node == "host");
  REQUIRE(east->whole.size() == 1);
  CHECK(east->whole[0].node == "n1");
  sites.desire_whole({});  // nothing is wanted anywhere: that is told, too
  CHECK(home->wholes == 2);
  CHECK(east->whole.empty());
  sites.desire_also({rank("east", "east:n2", 3), rank("nowhere", "x", 4)});
  CHECK(home->also.empty());
  REQUIRE(east->also.size() == 1);
  sites.done_with({{{0, 3}, 1, 0, "east"}});
  CHECK(home->done.empty());
  CHECK(east->done.size() == 1);

  SiteSeen machines;
  machines.nodes.push_back({core::Node{}, "h100"});
  machines.nodes[0].node.name = "n1";
  east->reports.inventory(machines);
  REQUIRE(seen.size() == 1);
  CHECK(seen[0].site == "east");
  CHECK(seen[0].nodes[0].node.name == "east:n1");
  east->reports.health({});
  CHECK(health.at(0).site == "east");
  const auto volumes = sites.volumes({});
  REQUIRE(volumes->size() == 2);
  CHECK((*volumes)[0].site == "east");
  CHECK((*volumes)[1].site == "home");
}

TEST_CASE("engines come and go; one that does not start is not there") {
  Sites sites("home", std::make_shared<Told>());
  REQUIRE(sites.start({}));
  auto dead = std::make_shared<Told>();
  dead->starts = false;
  CHECK_FALSE(sites.add("east", dead));
  CHECK(sites.at("east") == nullptr);
  dead->starts = true;
  REQUIRE(sites.add("east", dead));
  const auto held = sites.at("east");
  sites.remove("east");
  sites.remove("home");
  CHECK(sites.at("east") == nullptr);
  CHECK(sites.at("home") != nullptr);
  CHECK(held->health().reachable);  // whoever holds it keeps it
}

// ---- the emulated site --------------------------------------------------------------------------

struct Seen {
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<RankSeen> all;
  bool wait(const std::function<bool()>& ready) {
    std::unique_lock lock(mutex);
    return changed.wait_for(lock, std::chrono::seconds(30), ready);
  }
};

TEST_CASE("an emulated site that is cut off runs on, and removes its strays when it is back") {
  const auto folder =
      std::filesystem::temp_directory_path() / ("ampacity-sites-test-" + std::to_string(getpid()));
  std::filesystem::create_directories(folder);
  EmulatedOptions o;
  o.period = base::Duration::millis(5);
  o.run_time = base::Duration::seconds(3'600);
  o.door = folder / "door";
  o.record = folder / "record";
  std::ofstream(o.door).put('1');
  Seen seen;
  EngineReports reports;
  reports.seen = [&](std::vector<RankSeen> more) {
    const std::lock_guard lock(seen.mutex);
    seen.all.insert(seen.all.end(), more.begin(), more.end());
    seen.changed.notify_all();
  };
  base::SystemClock clock;
  auto engine = make_emulated_engine(o, clock);
  REQUIRE(engine->start(reports));
  engine->desire_whole({rank("", "n1", 1), rank("", "n1", 2)});
  REQUIRE(seen.wait([&] { return seen.all.size() == 2; }));
  std::filesystem::remove(o.door);
  while (engine->health().reachable) std::this_thread::yield();
  const auto listed = engine->health().listed_at;
  engine->done_with({{{0, 1}, 1, 0}});  // given up: it cannot hear of it
  engine->desire_also({rank("", "n1", 3)});
  const auto record = [&] {
    std::ifstream in(o.record);
    return std::string(std::istreambuf_iterator<char>(in), {});
  };
  const std::string before = record();
  CHECK(engine->health().listed_at == listed);
  CHECK(record() == before);
  std::ofstream(o.door).put('1');
  REQUIRE(seen.wait([&] { return seen.all.size() == 3; }));  // the third started
  while (engine->health().strays > 0) std::this_thread::yield();
  CHECK(record().find("end job-1-1-0") != std::string::npos);
  CHECK(record().find("end job-2-1-0") == std::string::npos);
  engine.reset();
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace ampacity::engines
