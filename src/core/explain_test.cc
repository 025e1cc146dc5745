// Each constraint that can hold a job, with its numbers.
#include "core/explain.h"

#include <doctest/doctest.h>

#include "core/test_cloud.h"

namespace ampacity::core {
namespace {

Explanation of(const TestCloud& c, Id id) { return explain(c.world, c.job(id), c.now); }

SubmitJob with_expected(SubmitJob s, std::int64_t run_s) {
  s.job.expected_run_s = run_s;
  return s;
}

void limit(TestCloud& c, const char* sku, std::int64_t gpus) {
  SetQuota q;
  q.project = "demo";
  q.gpu_milli = {{sku, gpus * 1000}};
  REQUIRE(c.run(q));
}

}  // namespace

TEST_CASE("no_room: nodes free now, and whose end gives the last one") {
  TestCloud c(4);
  const Id second = c.start(with_expected(c.request("h100:8", 7200), 6000));
  const Id first = c.start(with_expected(c.request("h100:8", 3600), 3000));
  const Id gang = c.submit(c.request("h100:8x3"));
  const Explanation e = of(c, gang);
  CHECK(e.constraint == Constraint::no_room);
  REQUIRE(e.rooms.size() == 1);
  CHECK(e.rooms[0].nodes_now == 2);
  CHECK(e.rooms[0].gpus_free == 16);
  CHECK(e.rooms[0].nodes_elsewhere == 0);
  REQUIRE(e.rooms[0].ending);
  CHECK(e.rooms[0].ending->job == first);
  CHECK(e.rooms[0].ending->at == c.now + Duration::seconds(3000));
  CHECK(e.place == 1);
  CHECK(e.ahead == 0);
  REQUIRE(e.rates);
  CHECK(e.rates->gpus == 24);
  CHECK(e.rates->gpu_price == 47'800);
  REQUIRE(c.run(StopJob{gang, StopReason::asked, "no longer wanted"}));
  const Id more = c.submit(c.request("h100:8x4"));
  REQUIRE(of(c, more).rooms[0].ending);
  CHECK(of(c, more).rooms[0].ending->job == second);  // the last of the two it lacks
  // Who comes after sees that what is free is promised.
  const Explanation behind = of(c, c.submit(c.request("h100:8x3")));
  CHECK(behind.constraint == Constraint::no_room);
  CHECK(behind.rooms[0].nodes_now == 0);
  CHECK(behind.rooms[0].nodes_held == 2);
  CHECK(behind.rooms[0].nodes_promised == 2);
  REQUIRE(behind.keeper);
  CHECK(behind.keeper->why == Hold::Why::promise);
  CHECK(behind.keeper->from == c.job(more).promise->start_by);
  CHECK(behind.ahead == 1);
}

TEST_CASE("no_room: work of a lower class is not what it waits for") {
  TestCloud c(3);
  const Id train = c.start(with_expected(c.request("h100:8", 7200), 3000));
  SubmitJob spot = with_expected(c.request("h100:8"), 6000);
  spot.job.job_class = JobClass::spot;
  c.start(spot);
  const Explanation e = of(c, c.submit(c.request("h100:8x3")));
  CHECK(e.rooms[0].nodes_now == 1);
  REQUIRE(e.rooms[0].ending);
  CHECK(e.rooms[0].ending->job == train);
}

TEST_CASE("no_room: of two kinds each is counted, the cheapest first") {
  TestCloud c(1, 1);
  c.start(c.request("h100:2"));
  c.start(c.request("a40:1"));
  const Id job = c.submit(c.request("h100|a40:8"));
  const Explanation e = of(c, job);
  REQUIRE(e.rooms.size() == 2);
  CHECK(e.rooms[0].sku == *c.world.sku("a40"));
  CHECK(e.rooms[0].gpus_free == 3);
  CHECK_FALSE(e.rooms[0].ending);  // a node of four never has eight
  CHECK(e.rooms[1].gpus_free == 6);
  CHECK(e.rooms[1].ending);
}

TEST_CASE("no_room: a leaf is counted by itself, the one that is ready first") {
  TestCloud c(8);  // two leaves of four
  std::vector<Id> ones;
  for (int i = 0; i < 3; ++i) ones.push_back(c.start(c.request("h100:8")));
  SubmitJob whole_leaf = c.request("h100:8x4");
  whole_leaf.together = Together::leaf;
  c.start(whole_leaf);  // the other leaf
  c.start(c.request("h100:8"));
  for (const Id id : ones) c.seen(id, RankSeen::State::ended);
  SubmitJob s = c.request("h100:8x4");
  s.together = Together::leaf;
  const Explanation full = of(c, c.submit(s));
  CHECK(full.constraint == Constraint::no_room);
  CHECK(full.rooms[0].nodes_now == 3);
}

TEST_CASE("topology: the free nodes stand under two leaves") {
  TestCloud c(8);
  std::vector<Id> all;
  for (int i = 0; i < 8; ++i) all.push_back(c.start(c.request("h100:8", 3600)));
  SubmitJob s = c.request("h100:8x3");
  s.together = Together::leaf;
  const Id gang = c.submit(s);
  // Two end under each leaf.
  int ended[2] = {0, 0};
  for (const Id id : all) {
    const NodeIx n = c.job(id).lease->places[0].node;
    if (ended[n / 4] == 2) continue;
    ++ended[n / 4];
    c.seen(id, RankSeen::State::ended);
  }
  const Explanation e = of(c, gang);
  CHECK(e.constraint == Constraint::topology);
  CHECK(e.rooms[0].nodes_now == 2);
  CHECK(e.rooms[0].nodes_elsewhere == 2);
  CHECK(e.rooms[0].ending);
}

TEST_CASE("credit: what the start would hold, and what there is") {
  TestCloud c(1, 0, 1000);  // 10 USD; a quantum of 8 is 7.44
  c.start(c.request("h100:8"));
  CHECK_FALSE(c.run(c.request("h100:8")));  // refused: even the start cannot be held
  REQUIRE(c.run(AddCredit{"demo", 500, ""}));
  const Id job = c.submit(c.request("h100:8"));  // 10.06 − 7.44 left now
  CHECK(of(c, job).constraint == Constraint::no_room);
  c.now = c.now + Duration::seconds(550);
  REQUIRE(c.run(Tick{}));  // the next quantum is held
  const Explanation e = of(c, job);
  CHECK(e.constraint == Constraint::credit);
  CHECK(e.wanted == (8 * 47'800 + 128 * 100 + 1024 * 50) * 600);
  CHECK(e.available < e.wanted);
  CHECK(brief(c.world, c.job(job), c.now).constraint == Constraint::credit);
}

TEST_CASE("quota: the kind with room is at its limit") {
  TestCloud c(1, 1);
  limit(c, "a40", 2);
  c.start(c.request("h100:8"));
  c.start(c.request("a40:1"));
  const Explanation e = of(c, c.submit(c.request("h100|a40:2")));
  CHECK(e.constraint == Constraint::quota);
  CHECK(e.sku == *c.world.sku("a40"));
  CHECK(e.wanted == 2000);
  CHECK(e.available == 1000);
}

TEST_CASE("cpu_or_memory: the cards are free, the CPU beside them is not") {
  TestCloud c(1);
  SubmitJob hungry = c.request("h100:1");
  hungry.cpu_milli = 120'000;
  c.start(hungry);
  const Explanation e = of(c, c.submit(c.request("h100:4")));
  CHECK(e.constraint == Constraint::cpu_or_memory);
  CHECK(e.rooms[0].nodes_short == 1);
  CHECK(e.rooms[0].nodes_now == 0);
  CHECK(e.rooms[0].gpus_free == 7);
  CHECK(e.rooms[0].cpu_milli == 64'000);
  SubmitJob cpu = c.request(nullptr);
  cpu.cpu_milli = 6'000;
  c.start(cpu);
  SubmitJob more = c.request(nullptr);
  more.cpu_milli = 3'000;
  CHECK(of(c, c.submit(more)).constraint == Constraint::cpu_or_memory);
}

TEST_CASE("price: what is free costs more") {
  TestCloud c(1, 1);
  c.start(c.request("a40:4"));
  SubmitJob s = c.request("h100|a40:4");
  s.most_price = 20'000;
  const Explanation e = of(c, c.submit(s));
  CHECK(e.constraint == Constraint::price);
  CHECK(e.sku == *c.world.sku("h100"));
  CHECK(e.wanted == 47'800);
  CHECK(e.available == 20'000);
}

TEST_CASE("site: there is room elsewhere") {
  TestCloud c(1);
  RegisterSite site{{"away", "sea", "test"}, {{"h100", "", 81920, 8, 16000, 131072, true}}, {}};
  TestCloud::add(site, "h100", 90, 8);
  REQUIRE(c.run(site));
  SubmitJob s = c.request("h100:8");
  s.places = {"lab"};
  c.start(s);
  s = c.request("h100:8");
  s.places = {"home"};
  const Explanation e = of(c, c.submit(s));
  CHECK(e.constraint == Constraint::site);
  REQUIRE(e.site != nobody);
  CHECK(c.world.state().sites[e.site].name == "away");
}

TEST_CASE("apart: what is free is beside work of the same label") {
  TestCloud c(1);
  SubmitJob s = c.request("h100:2");
  s.apart = "db";
  c.start(s);
  s = c.request("h100:2");
  s.apart = "db";
  const Explanation e = of(c, c.submit(s));
  CHECK(e.constraint == Constraint::apart);
  CHECK(e.rooms[0].nodes_now == 0);
}

TEST_CASE("held_for_others: free, but another reservation begins before it would be gone") {
  TestCloud c(1);
  c.add_project("other", 100'000);
  Reserve r;
  r.id = {0, c.ids++};
  r.name = "launch";
  r.project = "other";
  r.sku = "h100";
  r.gpus = 8;
  r.from = c.now + Duration::seconds(600);
  r.until = c.now + Duration::seconds(7200);
  REQUIRE(c.run(r));
  const Id job = c.submit(c.request("h100:4", 3600));
  const Explanation e = of(c, job);
  CHECK(e.constraint == Constraint::held_for_others);
  CHECK(e.rooms[0].nodes_held == 1);
  REQUIRE(e.keeper);
  CHECK(e.keeper->why == Hold::Why::window);
  CHECK(e.keeper->project == *c.world.project("other"));
  CHECK(e.keeper->from == r.from);
  CHECK(e.keeper->until == r.until);
  CHECK(c.world.job(c.submit(c.request("h100:4", 60)))->lease);  // gone before
}

TEST_CASE("reservation: not begun, then full") {
  TestCloud c(1);
  Reserve r;
  r.id = {0, c.ids++};
  r.name = "mine";
  r.project = "demo";
  r.sku = "h100";
  r.gpus = 4;
  r.from = c.now + Duration::seconds(600);
  r.until = c.now + Duration::seconds(86'400);
  REQUIRE(c.run(r));
  const auto inside = [&](const char* gpus) {
    SubmitJob s = c.request(gpus);
    s.job.job_class = JobClass::reserved;
    s.reservation = r.id;
    return c.submit(s);
  };
  const Id early = inside("h100:3");
  CHECK(of(c, early).constraint == Constraint::reservation);
  CHECK(of(c, early).until == r.from);
  c.now = r.from;
  REQUIRE(c.run(Tick{}));
  REQUIRE(c.job(early).lease);
  const Explanation e = of(c, inside("h100:2"));
  CHECK(e.constraint == Constraint::reservation);
  CHECK(e.until.us == 0);
  CHECK(e.wanted == 2);
  CHECK(e.available == 1);
}

TEST_CASE("claimed: who still stops in its place, and when the notice ends") {
  TestCloud c(1);
  for (int i = 0; i < 2; ++i) {
    SubmitJob spot = c.request("h100:4");
    spot.job.job_class = JobClass::spot;
    c.start(spot);
  }
  c.now = c.now + Duration::seconds(900);
  const Id job = c.submit(c.request("h100:8"));
  REQUIRE(c.job(job).claim);
  const Explanation e = of(c, job);
  CHECK(e.constraint == Constraint::claimed);
  CHECK(e.stopping == 2);
  CHECK(e.until > c.now);
  CHECK(e.until <= c.now + Duration::seconds(30));
  CHECK(brief(c.world, c.job(job), c.now).stopping == 2);
}

TEST_CASE("place: class first; ahead are those who want the same") {
  TestCloud c(1, 1);
  c.start(c.request("h100:8", 3600));
  c.start(c.request("a40:4", 3600));
  const auto queue = [&](const char* gpus, JobClass job_class) {
    SubmitJob s = c.request(gpus, 3600);
    s.job.job_class = job_class;
    const Id id = c.submit(s);
    REQUIRE_FALSE(c.job(id).lease);
    return id;
  };
  const Id spot = queue("h100:8", JobClass::spot);
  const Id first = queue("h100:8", JobClass::on_demand);
  const Id other = queue("a40:4", JobClass::on_demand);
  const Id last = queue("h100:8", JobClass::on_demand);
  CHECK(of(c, first).place == 1);
  CHECK(of(c, first).ahead == 0);
  CHECK(of(c, other).ahead == 0);
  CHECK(of(c, last).place == 3);
  CHECK(of(c, last).ahead == 1);
  CHECK(of(c, spot).place == 1);
  CHECK(of(c, spot).ahead == 2);
}

TEST_CASE("what runs is held by nothing; brief counts no more nodes than it needs") {
  TestCloud c(4);
  const Id job = c.start(c.request("h100:8"));
  CHECK(of(c, job).constraint == Constraint::none);
  const Explanation e = brief(c.world, c.job(c.submit(c.request("h100:8x4"))), c.now);
  CHECK(e.constraint == Constraint::no_room);
  CHECK(e.place == 0);
  REQUIRE(e.rooms.size() == 1);
}

}  // namespace ampacity::core
