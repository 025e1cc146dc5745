#include "server/site_watch.h"

#include "core/test_cloud.h"
#include "server/site_engines.h"
#include "server/site_factory.h"

namespace ampacity::server {
namespace {

using base::Duration;
using base::Instant;

// One engine for all sites, as healthy as it is told to be.
struct Stage final : engines::Engine {
  engines::EngineHealth now;
  base::Try<void> start(engines::EngineReports) override { return {}; }
  void desire_whole(std::vector<core::RankWork>) override {}
  void desire_also(std::vector<core::RankWork>) override {}
  void done_with(std::vector<Done>) override {}
  engines::EngineHealth health() const override { return now; }
  base::Try<std::unique_ptr<engines::ExecSession>> exec(const std::string&,
                                                        std::vector<std::string>, bool,
                                                        engines::ExecEvents) override {
    return base::fault("no", false);
  }
  base::Try<std::vector<engines::VolumeSeen>> volumes(std::optional<std::uint32_t>) override {
    return std::vector<engines::VolumeSeen>{};
  }
  base::Try<void> remove_volume(std::uint32_t, const std::string&) override { return {}; }
};

// Seconds pass one by one; what the watch says is done.
struct Watched : core::TestCloud {
  Stage stage;
  SiteWatch watch{{{"home", Instant{1'000'000'000'000'000 - 5'000'000}}}};
  bool lists = true;
  std::uint32_t strays = 0;
  std::vector<core::SeeSite> said;
  Watched() : TestCloud(1) {}
  void pass(std::int64_t seconds) {
    for (std::int64_t s = 0; s < seconds; ++s) {
      now = now + Duration::seconds(1);
      if (lists) {
        stage.now.reachable = true;
        stage.now.listed_at = stage.now.seen_at = now - Duration{1};
        stage.now.strays = strays;
      } else {
        stage.now.reachable = false;
      }
      for (const core::SeeSite& c : watch.look(world, stage, now)) {
        said.push_back(c);
        REQUIRE(run(c));
      }
    }
  }
  const core::Site& home() const { return world.state().sites[0]; }
};

TEST_CASE("unknown after thirty seconds of silence, not before; back with the first list") {
  Watched w;
  w.pass(10);
  const Instant last = w.now - Duration{1};
  w.lists = false;
  w.pass(30);
  CHECK(w.said.empty());
  w.pass(1);
  REQUIRE(w.said.size() == 1);
  CHECK(w.home().unknown_since == last);
  w.pass(100);
  CHECK(w.said.size() == 1);
  w.lists = true;
  w.strays = 2;
  w.pass(2);
  CHECK(w.home().unknown_since.us == 0);
  CHECK(w.home().clearing);
  w.pass(5);
  CHECK(w.home().clearing);
  w.strays = 0;
  w.pass(2);
  CHECK_FALSE(w.home().clearing);
  CHECK(w.said.size() == 3);
}

TEST_CASE("a site never reached in this life was last seen by the mark") {
  Watched w;
  w.lists = false;
  w.pass(40);
  CHECK(w.home().unknown_since == w.watch.mark("home"));
}

TEST_CASE("who slept, or whose clock was stepped, begins to count anew") {
  Watched w;
  w.pass(5);
  w.lists = false;
  w.pass(25);
  w.now = w.now + Duration::seconds(600);
  w.pass(28);
  CHECK(w.said.empty());
  w.now = w.now - Duration::seconds(60);
  w.pass(28);
  CHECK(w.said.empty());
  w.pass(5);
  CHECK(w.said.size() == 1);
}

TEST_CASE(
    "flaps are nothing; an engine that does not say when it listed is heard while reachable") {
  Watched w;
  for (int i = 0; i < 10; ++i) {
    w.lists = i % 2;
    w.pass(20);
  }
  CHECK(w.said.empty());
  Watched plain;
  for (int i = 0; i < 100; ++i) {
    plain.stage.now.reachable = true;
    plain.now = plain.now + Duration::seconds(1);
    CHECK(plain.watch.look(plain.world, plain.stage, plain.now).empty());
  }
}

TEST_CASE("marks go through their text") {
  Watched w;
  w.pass(3);
  const std::string text = w.watch.marks_text(w.world, w.stage, w.now);
  const auto marks = SiteWatch::parse_marks(text + "east 17\n");
  CHECK(marks.at("home") == w.now - Duration{1});
  CHECK(marks.at("east").us == 17);
  CHECK(SiteWatch::parse_marks("junk").empty());
}

TEST_CASE("an engine lists less often where nothing goes on; one that hangs is silent") {
  Watched w;
  w.pass(5);
  for (int i = 0; i < 50; ++i) {
    w.now = w.now + Duration::seconds(1);
    CHECK(w.watch.look(w.world, w.stage, w.now).empty());
  }
  std::size_t said = 0;
  for (int i = 0; i < 60; ++i) {
    w.now = w.now + Duration::seconds(1);
    said += w.watch.look(w.world, w.stage, w.now).size();
  }
  CHECK(said > 0);
}

// ---- the factory, and what machines become ------------------------------------------------------

core::Site site(const std::string& engine, const std::string& url) {
  core::Site s{"iad-1", "us", engine};
  s.url = url;
  return s;
}

TEST_CASE("what is said of an engine is checked by its kind") {
  CHECK(check_site(site("emulated", "emulated:h100:8x4")));
  CHECK(check_site(site("slurm", "unix:/run/x")));
  for (const auto& bad : {site("podman", "unix:/x"), site("lsf", "http://x"), site("slurm", "x"),
                          site("emulated", "h100:8"), site("emulated", "emulated:b17:8")})
    CHECK_FALSE(check_site(bad));
  core::Site s = site("emulated", "emulated:h100:8");
  s.options = {"run=90s", "door=/x"};
  CHECK(check_site(s));
  for (const char* option : {"run=soon", "door", "colour=red"}) {
    s.options = {option};
    CHECK_FALSE(check_site(s));
  }
  s.options.clear();
  s.credential = "file:/etc/token";
  CHECK_FALSE(check_site(s));  // it takes none
}

TEST_CASE("machines join with what the catalogue knows, and the site's own drains hold them back") {
  engines::SiteSeen seen;
  seen.site = "iad-1";
  core::Node node;
  node.name = "iad-1:n1";
  node.gpus = {"a", "b"};
  node.emulated = true;
  node.state = core::NodeState::cordoned;
  seen.nodes.push_back({node, "h100"});
  const auto r = registration_of(seen);
  REQUIRE(r.skus.size() == 1);
  CHECK(r.skus[0].emulated);
  CHECK(r.skus[0].description.find("emulated") != std::string::npos);
  REQUIRE(r.nodes.size() == 1);
  CHECK(r.nodes[0].node.held_back);
  CHECK(r.nodes[0].node.state == core::NodeState::active);
  CHECK(r.nodes[0].node.cpu_milli == 2 * r.skus[0].cpu_milli_per_gpu);
}

}  // namespace
}  // namespace ampacity::server
