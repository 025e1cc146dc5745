// Sites: choice between them, volumes that tie a job to one, what becomes of work at one that
// cannot be reached.
#include "core/invariants.h"
#include "core/test_cloud.h"

namespace ampacity::core {
namespace {

// Beside TestCloud's home: "east" and "west" in region "us", each with nodes of 8 h100.
struct TestSites : TestCloud {
  FactAuditor auditor;
  explicit TestSites(std::uint32_t home_nodes = 0, std::uint32_t nodes = 1)
      : TestCloud(home_nodes) {
    for (const char* name : {"east", "west"}) {
      Site site{name, "us", "test"};
      site.url = std::string("test:") + name;
      REQUIRE(run(AddSite{site}));
      join(name, nodes);
    }
  }
  void join(const std::string& name, std::uint32_t nodes) {
    RegisterSite seen{{name, "us", "test"}, {}, {}};
    for (std::uint32_t n = 0; n < nodes; ++n) {
      add(seen, "h100", n, 8);
      seen.nodes.back().node.name = name + ":" + seen.nodes.back().node.name;
    }
    REQUIRE(run(seen));
  }
  void lose(const std::string& name) { REQUIRE(run(SeeSite{name, false, now, 0})); }
  void reach(const std::string& name, std::uint32_t strays = 0) {
    REQUIRE(run(SeeSite{name, true, now, strays}));
  }
  std::string site_of(Id id) const {
    return world.state().sites[world.site_of(*job(id).lease)].name;
  }
  const Site& site(const std::string& name) const { return world.state().sites[*world.site(name)]; }
  SubmitJob mover(const char* gpus) {
    SubmitJob s = request(gpus);
    s.job.if_site_lost = IfSiteLost::move;
    return s;
  }
  SubmitJob with_volume(const char* gpus, const char* volume) {
    SubmitJob s = request(gpus);
    s.job.spec.volumes = {{volume, "/data"}};
    return s;
  }
  // The whole history, through the auditor, and the world as it is.
  void check() {
    World shadow;
    FactAuditor all;
    for (const Fact& f : facts) {
      all.see(shadow, f);
      evolve(shadow, f);
      all.after(shadow);
    }
    for (const Violation& v : all.take())
      FAIL_CHECK(v.invariant << " " << v.where << ": " << v.what);
    for (const Violation& v : violations(world, now))
      FAIL_CHECK(v.invariant << " " << v.where << ": " << v.what);
    CHECK(state_digest(shadow.state()) == state_digest(world.state()));
  }
};

TEST_CASE("among equals: power costs least, then the lowest id") {
  TestSites c;
  CHECK(c.site_of(c.start(c.request("h100:1"))) == "east");
  SetSite cheap{"west"};
  cheap.power_ticks_per_kwh = 2'520'000;
  cheap.pue_milli = 1'250;
  SetSite dear = cheap;
  dear.name = "east";
  dear.pue_milli = 1'300;
  REQUIRE(c.run(cheap));
  REQUIRE(c.run(dear));
  CHECK(c.site_of(c.start(c.request("h100:8"))) == "west");
  CHECK(c.site_of(c.start(c.request("h100:4"))) == "east");  // west is full: start comes first
  c.check();
}

TEST_CASE("price comes before power") {
  TestSites c;
  SetSite cheap{"east"};
  cheap.power_ticks_per_kwh = 1;
  REQUIRE(c.run(cheap));
  PriceBook book = c.world.state().books[0];
  PriceRule there =
      *rule_in(book, {nobody, {}, gpu_meter, "h100", {}, JobClass::on_demand, 0, c.now});
  there.site = "west";
  for (auto& tier : there.price.tiers) tier.price -= 1'000;
  book.rules.push_back(there);
  book.effective_from = c.now;
  REQUIRE(c.run(SetPrices{book, ""}));
  CHECK(c.site_of(c.start(c.request("h100:1"))) == "west");
  c.check();
}

TEST_CASE("a gang stands at one site, though two have room for it together") {
  TestSites c;
  const auto refused = c.run(c.request("h100:8x2"));
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == base::Code::never_fits);
  c.join("west", 2);
  const Id gang = c.start(c.request("h100:8x2"));
  CHECK(c.site_of(gang) == "west");
  c.check();
}

TEST_CASE("a reservation lies at one site, unless it may lie across them") {
  TestSites c(1);
  std::uint64_t ids = 0;
  const auto reserve = [&](std::uint32_t gpus, std::vector<std::string> places, bool across) {
    Reserve r{{9, ++ids}, "r" + std::to_string(ids), "demo", "h100", gpus, c.now, {}};
    r.until = c.now + Duration::seconds(3600);
    r.places = std::move(places);
    r.across_sites = across;
    return r;
  };
  const auto sites_of = [&](const Reserve& r) {
    std::set<std::string> sites;
    for (const Place& p : c.world.window(r.id)->places)
      sites.insert(c.world.state().sites[c.world.state().nodes[p.node].site].name);
    return sites;
  };
  const auto never = c.run(reserve(16, {}, false));
  REQUIRE_FALSE(never);
  CHECK(never.error().code == base::Code::never_fits);
  CHECK(never.error().message.find("across sites") != std::string::npos);
  CHECK(never.error().missing.at(0).available == 8);
  CHECK_FALSE(c.run(reserve(24, {"us"}, true)));  // home is not in that region

  Reserve small = reserve(4, {}, false), second = reserve(6, {}, false);
  REQUIRE(c.run(small));
  REQUIRE(c.run(second));  // the first's site has four left, and not the other two of elsewhere
  CHECK(sites_of(small).size() == 1);
  CHECK(sites_of(second).size() == 1);
  CHECK(sites_of(small) != sites_of(second));
  Reserve named = reserve(8, {"west"}, false);
  REQUIRE(c.run(named));
  CHECK(sites_of(named) == std::set<std::string>{"west"});
  CHECK_FALSE(c.run(reserve(1, {"nowhere"}, false)));
  const auto now = c.run(reserve(5, {}, false));  // six are free, four at most at one site
  REQUIRE_FALSE(now);
  CHECK(now.error().code == base::Code::not_now);
  CHECK(now.error().missing.at(0).available == 4);
  for (const Reserve& r : {small, second, named}) REQUIRE(c.run(EndWindow{r.id, "given up"}));
  Reserve wide = reserve(16, {"us"}, true);
  REQUIRE(c.run(wide));
  CHECK(sites_of(wide) == std::set<std::string>{"east", "west"});
  c.check();
}

TEST_CASE("who is taken back before it began returns to the queue, unbilled, but not for ever") {
  TestSites c(0, 2);
  const auto told = [&](Id id, RankSeen::State state, std::uint32_t rank) {
    RankSeen r{id, c.job(id).generation, rank, state};
    r.signalled = RankSeen::Signalled::yes;
    r.ended_at = c.now;
    r.why = "held";
    REQUIRE(c.run(Observe{r, c.now}));
  };
  using enum RankSeen::State;
  const Id gang = c.submit(c.request("h100:8x2"));
  c.seen(gang, running, 0);
  told(gang, failed_to_start, 1);
  REQUIRE(c.is_stopping(gang));
  CHECK(c.job(gang).why.find("did not start it") != std::string::npos);
  told(gang, ended, 0);
  CHECK(c.job(gang).generation == 2);
  c.run_ranks(gang);
  c.end(gang);
  CHECK_FALSE(c.world.job(gang));

  const Id one = c.submit(c.request("h100:1"));
  for (std::uint32_t again = 2; again <= 11; ++again) {
    told(one, failed_to_start, 0);
    REQUIRE(c.is_leased(one));
    CHECK(c.job(one).generation == again);
    CHECK(c.job(one).retries_left == 0);
    CHECK(c.job(one).intervals.back().billed_s == 0);
  }
  told(one, failed_to_start, 0);
  CHECK_FALSE(c.world.job(one));
  c.check();
}

TEST_CASE("a site or a region may be named; a removed one is none") {
  TestSites c(1);
  SubmitJob s = c.request("h100:1");
  s.places = {"west"};
  CHECK(c.site_of(c.start(s)) == "west");
  s = c.request("h100:1");
  s.places = {"us"};
  CHECK(c.site_of(c.start(s)) == "west");    // as good as east, and it fits more tightly
  REQUIRE_FALSE(c.run(RemoveSite{"west"}));  // a lease is there
  for (const auto& [order, slot] : std::map(c.world.leased)) c.end(c.world.state().jobs[slot].id);
  REQUIRE(c.run(RemoveSite{"west"}));
  s = c.request("h100:1");
  s.places = {"west"};
  CHECK_FALSE(c.run(s));
  CHECK_FALSE(c.run(RemoveSite{"home"}));
  Site again{"west", "us", "test"};
  again.url = "test:west";
  REQUIRE(c.run(AddSite{again}));
  c.join("west", 1);
  s.job.id = {9, 9};
  CHECK(c.site_of(c.start(s)) == "west");
  c.check();
}

TEST_CASE("a volume lives where it was first used, and its jobs go there") {
  TestSites c(1);
  const Id first = c.start(c.with_volume("h100:8", "data"));
  const std::string home = c.site_of(first);
  const Id second = c.submit(c.with_volume("h100:8", "data"));
  CHECK(c.waits(second));  // there is room elsewhere
  CHECK(c.site_of(c.start(c.request("h100:8"))) != home);
  SubmitJob elsewhere = c.with_volume("h100:1", "data");
  elsewhere.places = {home == "home" ? "east" : "home"};
  CHECK_FALSE(c.run(elsewhere));
  SubmitJob moves = c.with_volume("h100:1", "data");
  moves.job.if_site_lost = IfSiteLost::move;
  CHECK_FALSE(c.run(moves));
  // A new volume goes where the project's others are, if there is room.
  c.end(first);
  REQUIRE(c.is_leased(second));
  CHECK(c.site_of(second) == home);
  c.end(second);
  CHECK(c.site_of(c.start(c.with_volume("h100:1", "other"))) == home);
  REQUIRE(c.run(ForgetVolume{0, "data"}));
  CHECK_FALSE(c.world.volume_home(0, "data"));
  c.check();
}

TEST_CASE("a site that cannot be reached is unknown: its leases stay, nothing new begins there") {
  TestSites c;
  const Id there = c.start(c.request("h100:4"));
  REQUIRE(c.site_of(there) == "east");
  c.lose("east");
  const Id next = c.start(c.request("h100:2"));
  CHECK(c.site_of(next) == "west");
  c.tick(10'000);  // for ever
  CHECK(c.is_leased(there));
  CHECK(c.job(there).generation == 1);
  c.reach("east");
  CHECK(c.site_of(c.start(c.request("h100:4"))) == "east");
  c.check();
}

TEST_CASE("what may move is given up after lease and grace, billed to when it was seen") {
  TestSites c;
  const Id mover = c.start(c.mover("h100:4")), stays = c.start(c.request("h100:4"));
  REQUIRE(c.site_of(mover) == "east");
  c.now = c.now + Duration::seconds(100);
  c.lose("east");
  c.tick(179);
  CHECK(c.job(mover).generation == 1);
  c.tick(1);
  const Job& moved = c.job(mover);
  REQUIRE(moved.lease);
  CHECK(moved.generation == 2);
  CHECK(c.site_of(mover) == "west");
  REQUIRE(moved.intervals.size() == 1);
  CHECK(moved.intervals[0].billed_s == 100);
  CHECK(c.job(stays).generation == 1);
  // Its late reports change nothing.
  RankSeen late;
  late.job = mover;
  late.state = RankSeen::State::ended;
  late.ended_at = c.now;
  const std::size_t before = c.facts.size();
  REQUIRE(c.run(Observe{late, c.now}));
  CHECK(c.facts.size() == before);
  // Its cards are not given to others while it may run there.
  c.reach("east", 1);
  CHECK(c.site("east").clearing);
  const Id waits = c.submit([&] {
    SubmitJob s = c.request("h100:4");
    s.places = {"east"};
    return s;
  }());
  CHECK(c.waits(waits));
  c.reach("east", 0);
  CHECK(c.is_leased(waits));
  c.check();
}

TEST_CASE("a flap gives nothing up") {
  TestSites c;
  const Id mover = c.start(c.mover("h100:8"));
  for (int i = 0; i < 5; ++i) {
    c.lose("east");
    c.tick(170);
    c.reach("east");
    c.tick(1);
  }
  CHECK(c.job(mover).generation == 1);
  c.check();
}

TEST_CASE("who is told to stop at a lost site by its owner has ended after its grace") {
  TestSites c;
  const Id stopped = c.start(c.request("h100:8"));
  c.lose("east");
  c.tick(1'000);
  REQUIRE(c.run(StopJob{stopped, StopReason::asked, "stopped by ann"}));
  c.tick(29);
  CHECK(c.is_stopping(stopped));
  c.tick(1);
  CHECK_FALSE(c.world.job(stopped));
  const auto* closed = std::get_if<LeaseClosed>(&c.facts.back().body);
  REQUIRE(closed);
  CHECK(closed->outcome == Outcome::cancelled);
  CHECK(closed->fenced);
  c.check();
}

TEST_CASE("promises on a lost site are withdrawn; a draining site takes nothing") {
  TestSites c;
  SubmitJob s = c.request("h100:8", 600);
  s.places = {"east"};
  c.start(s);
  const Id waits = c.submit([&] {
    SubmitJob w = c.request("h100:8", 600);
    w.places = {"east"};
    return w;
  }());
  c.tick(1);
  REQUIRE(c.job(waits).promise);
  c.lose("east");
  CHECK_FALSE(c.job(waits).promise);
  SetSite draining{"west"};
  draining.state = SiteState::draining;
  REQUIRE(c.run(draining));
  CHECK(c.waits(c.submit(c.request("h100:1"))));
  draining.state = SiteState::active;
  REQUIRE(c.run(draining));
  CHECK(c.world.queue.size() == 1);
  c.check();
}

TEST_CASE("by property: sites lost and found at random, with leases, stops and moves") {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    TestSites c(1, 2);
    std::uint64_t x = seed * 0x9e3779b97f4a7c15ULL;
    const auto below = [&](std::uint64_t n) {
      x ^= x << 13;
      x ^= x >> 7;
      x ^= x << 17;
      return x % n;
    };
    std::vector<Id> all;
    const char* names[] = {"home", "east", "west"};
    for (int i = 0; i < 120; ++i) {
      const std::string at = names[below(3)];
      const auto what = below(12);
      const Id some = all.empty() ? Id{} : all[below(all.size())];
      if (what < 4) {
        SubmitJob s = c.request(below(3) ? "h100:3" : "h100:8x2");
        if (below(2))
          s.job.if_site_lost = IfSiteLost::move;
        else if (below(3) == 0)
          s.job.spec.volumes = {{below(2) ? "a" : "b", "/v"}};
        if (below(4) == 0) s.places = {at};
        if (c.run(s)) all.push_back(s.job.id);
      } else if (what < 6) {
        c.lose(at);
      } else if (what < 8) {
        c.reach(at, static_cast<std::uint32_t>(below(2)));
      } else if (what == 8 && c.world.job(some)) {
        (void)c.run(StopJob{some, StopReason::asked, ""});
      } else if (what == 9 && c.is_leased(some)) {
        c.run_ranks(some);
      } else if (what == 10 && c.is_leased(some)) {
        c.end(some);
      } else {
        c.tick(static_cast<std::int64_t>(below(150)));
      }
    }
    c.check();
  }
}

}  // namespace
}  // namespace ampacity::core
