// Who is told to make room, for whom, and what they lose.
#include "core/preempt.h"

#include <doctest/doctest.h>

#include <bit>

#include "base/prng.h"
#include "core/test_cloud.h"

namespace ampacity::core {
namespace {

constexpr JobClass spot = JobClass::spot, house = JobClass::house;

Id spot_job(TestCloud& c, const char* gpus = "h100:8", std::int64_t limit_s = 0) {
  return c.start(in_class(c.request(gpus, limit_s), spot));
}

}  // namespace

TEST_CASE("the victim that loses least: what is saved counts, then the youngest") {
  struct Row {
    const char* what;
    bool first_checkpoints, first_saves, both_save;
    bool first_goes;
  };
  for (const Row& row : {Row{"less was done by the second", false, false, false, false},
                         Row{"the first's work is safe since", true, false, false, true},
                         Row{"the first saves when told", false, true, false, true},
                         Row{"nothing lost by either: the youngest", false, true, true, false}}) {
    CAPTURE(row.what);
    TestCloud c(2);
    SubmitJob s = in_class(c.request("h100:8"), spot);
    s.job.saves_on_stop = row.first_saves;
    const Id first = c.start(s);
    c.tick(400);
    s = in_class(c.request("h100:8"), spot);
    s.job.saves_on_stop = row.both_save;
    const Id second = c.start(s);
    c.tick(100);
    if (row.first_checkpoints) REQUIRE(c.run(NoteCheckpoint{first}));
    c.tick(20);
    const Id urgent = c.submit(c.request("h100:8"));
    CHECK(c.is_stopping(first) == row.first_goes);
    CHECK(c.is_stopping(second) == !row.first_goes);
    REQUIRE(c.job(urgent).claim);
    check_world(c.world);
  }
}

TEST_CASE("the smallest loss, not the whole node; a victim with two cards is not told for one") {
  TestCloud c(1);
  const Id two = spot_job(c, "h100:2");
  std::vector<Id> ones;
  for (int i = 0; i < 6; ++i) ones.push_back(spot_job(c, "h100:1"));
  c.tick(100);
  c.submit(c.request("h100:3"));
  CHECK(c.told(StopReason::preempted) == 3);
  CHECK_FALSE(c.is_stopping(two));
}

TEST_CASE("who leaves within the notice anyway is waited for: nobody is told") {
  TestCloud c(2);
  const Id ends = spot_job(c, "h100:8", 1000);
  const Id stays = spot_job(c);
  c.tick(975);
  const Id urgent = c.submit(c.request("h100:8"));
  CHECK(c.told(StopReason::preempted) == 0);
  REQUIRE(c.job(urgent).claim);
  c.tick(25);
  CHECK(c.is_stopping(ends));
  CHECK(c.job(ends).stop_reason == StopReason::time_limit);
  c.end(ends);
  CHECK(c.is_leased(urgent));
  CHECK_FALSE(c.is_stopping(stays));
  CHECK(c.told(StopReason::preempted) == 0);
}

TEST_CASE("one that stops already is waited for as well, and given to one only") {
  TestCloud c(1);
  const Id victim = spot_job(c);
  const Id first = c.submit(c.request("h100:8"));
  REQUIRE(c.job(first).claim);
  const Id second = c.submit(c.request("h100:8"));
  c.tick(1);
  CHECK_FALSE(c.job(second).claim);
  CHECK(c.told(StopReason::preempted) == 1);
  c.end(victim);
  CHECK(c.is_leased(first));
  CHECK(c.waits(second));
  check_world(c.world);
}

TEST_CASE("a victim goes back to its place as the next generation, and tells nobody in turn") {
  TestCloud c(2);
  const Id victim = spot_job(c);
  const std::uint64_t place = c.job(victim).queue_order;
  c.tick(50);
  const Id longer = c.start(c.request("h100:8"));
  c.end(longer);
  const Id other = spot_job(c);
  c.tick(300);
  REQUIRE(c.run(NoteCheckpoint{victim}));
  const Id urgent = c.submit(c.request("h100:8"));
  REQUIRE(c.is_stopping(victim));
  c.tick(10);
  c.end(victim);
  CHECK(c.is_leased(urgent));
  CHECK(c.waits(victim));
  CHECK(c.job(victim).queue_order == place);
  CHECK(c.job(victim).preemptions == 1);
  CHECK(c.job(victim).attained_s == 360);
  CHECK(c.job(victim).retries_left == 0);
  for (int i = 0; i < 5; ++i) c.tick(10);
  CHECK(c.told(StopReason::preempted) == 1);
  CHECK_FALSE(c.is_stopping(other));
  c.run_ranks(urgent);
  c.end(urgent);
  CHECK(c.job(victim).generation == 2);
  CHECK(c.is_leased(victim));
  check_world(c.world);
}

TEST_CASE("one that has waited as long as it had run is owed a place, however much it had") {
  TestCloud c(1);
  c.set_policy([](Policy& p) { p.spot_promises = 0; });
  const Id gone = spot_job(c);  // 8 cards: it has had more than any of one card will
  c.tick(4 * 3600);
  const Id urgent = c.submit(c.request("h100:8"));
  REQUIRE(c.is_stopping(gone));
  c.end(gone);
  REQUIRE(c.is_leased(urgent));
  c.run_ranks(urgent);
  std::vector<Id> small;
  for (int i = 0; i < 8; ++i) small.push_back(c.submit(in_class(c.request("h100:1"), spot)));
  c.end(urgent);
  for (const Id id : small)
    if (c.is_leased(id)) c.run_ranks(id);
  REQUIRE(c.waits(gone));
  c.tick(3 * 3600);  // it has waited three hours for the four that it had run
  CHECK_FALSE(c.job(gone).claim);
  CHECK(c.told(StopReason::preempted) == 1);
  c.tick(3600 + 60);
  CHECK(c.job(gone).claim);
  CHECK(c.told(StopReason::preempted) == 9);
  for (const Id id : small) c.end(id);
  CHECK(c.is_leased(gone));
  c.run_ranks(gone);
  for (int i = 0; i < 10; ++i) c.tick(60);
  CHECK(c.told(StopReason::preempted) == 9);  // and nobody is owed its place yet
  check_world(c.world);
}

TEST_CASE("a victim that ended by itself before it was told has ended") {
  struct Row {
    RankSeen::Signalled signalled;
    std::int64_t before_ms;  // the order
    bool goes_on;            // as the next generation: the stop ended it
  };
  using enum RankSeen::Signalled;
  for (const Row& row : {Row{no, 1, false}, Row{no, 0, true}, Row{yes, 5'000, true},
                         Row{perhaps, 1'000, true}, Row{perhaps, 1'001, false}}) {
    CAPTURE(static_cast<int>(row.signalled));
    CAPTURE(row.before_ms);
    TestCloud c(1);
    const Id victim = spot_job(c);
    c.tick(50);
    c.submit(c.request("h100:8"));
    REQUIRE(c.is_stopping(victim));
    RankSeen r;
    r.job = victim;
    r.state = RankSeen::State::ended;
    r.signalled = row.signalled;
    r.started_at = c.now - Duration::seconds(50);
    r.ended_at = c.now - Duration::millis(row.before_ms);
    REQUIRE(c.run(Observe{r, c.now}));
    CHECK((c.world.job(victim) != nullptr) == row.goes_on);
  }
}

TEST_CASE("which classes make room for which") {
  struct Row {
    JobClass runs, asks;
    bool told;
  };
  for (const Row& row :
       {Row{JobClass::on_demand, JobClass::on_demand, false}, Row{JobClass::on_demand, spot, false},
        Row{spot, JobClass::on_demand, true}, Row{house, JobClass::on_demand, true},
        Row{house, spot, true}, Row{spot, house, false}, Row{house, house, false}}) {
    CAPTURE(static_cast<int>(row.runs));
    CAPTURE(static_cast<int>(row.asks));
    TestCloud c(1);
    const Id runs = c.start(in_class(c.request("h100:8"), row.runs));
    c.tick(100'000);
    c.submit(in_class(c.request("h100:1"), row.asks));
    c.tick(60);
    CHECK(c.is_stopping(runs) == row.told);
  }
}

TEST_CASE("spot makes room for spot with less service and less to do, and is then left alone") {
  const auto expected = [](SubmitJob s, std::int64_t run_s) {
    s.job.expected_run_s = run_s;
    return s;
  };
  TestCloud c(1);
  const Id large = c.start(expected(in_class(c.request("h100:8"), spot), 2'000'000));
  c.tick(36'000);
  const Id longer = c.submit(expected(in_class(c.request("h100:8"), spot), 4'000'000));
  c.tick(1);
  CHECK_FALSE(c.is_stopping(large));  // what it waits for is no shorter
  const Id small = c.submit(expected(in_class(c.request("h100:8"), spot), 3'000));
  REQUIRE(c.is_stopping(large));
  c.end(large);
  c.run_ranks(small);
  REQUIRE(c.run(StopJob{longer, StopReason::asked, "x"}));
  c.end(small);
  REQUIRE(c.is_leased(large));
  c.run_ranks(large);
  c.tick(10);
  const Id next = c.submit(expected(in_class(c.request("h100:8"), spot), 3'000));
  c.tick(1);
  CHECK_FALSE(c.is_stopping(large));
  CHECK(c.waits(next));
  c.tick(36'000);  // its service has doubled
  CHECK(c.is_stopping(large));
}

TEST_CASE("claimed cards are nobody else's; a job that is stopped gives its claim up") {
  TestCloud c(1);
  const Id a = spot_job(c, "h100:4"), b = spot_job(c, "h100:4");
  c.tick(10);
  const Id urgent = c.submit(c.request("h100:8"));
  REQUIRE(c.job(urgent).claim);
  c.end(a);
  const Id other = c.submit(c.request("h100:2"));
  const Id small = c.submit(in_class(c.request("h100:1", 60), spot));
  c.tick(1);
  CHECK(c.waits(urgent));
  CHECK(c.waits(other));
  CHECK(c.waits(small));
  check_world(c.world);
  REQUIRE(c.run(StopJob{urgent, StopReason::asked, "x"}));
  c.tick(1);
  CHECK(c.is_leased(other));
  CHECK(c.is_leased(small));
  c.end(b);
  check_world(c.world);
}

TEST_CASE("a share and a slice tell spot to go as well, and get a card of their own") {
  for (const std::uint32_t mig : {0U, 2U}) {
    TestCloud c(1);
    const Id big = c.start(in_class(c.request("h100:7"), JobClass::spot));
    const Id small = c.start(in_class(c.request("h100:1"), JobClass::spot));
    SubmitJob s = c.request("h100:1");
    s.mig = mig;
    if (!mig) s.gpu_milli = 250;
    const Id part = c.submit(s);
    CHECK(c.is_stopping(small));
    CHECK_FALSE(c.is_stopping(big));
    REQUIRE(c.job(part).claim);
    c.end(small);
    REQUIRE(c.is_leased(part));
    CHECK(std::popcount(c.job(part).lease->places[0].gpu_mask) == 1);
    CHECK(std::popcount(c.job(part).lease->places[0].mig_slices) == static_cast<int>(mig));
    check_world(c.world);
  }
}

TEST_CASE("a gang takes what is free and tells only those who stand in the rest") {
  TestCloud c(3);
  const Id a = spot_job(c, "h100:4");
  const Id b = spot_job(c, "h100:4");
  const Id gang = c.submit(c.request("h100:8x3"));
  REQUIRE(c.job(gang).claim);
  CHECK(c.job(gang).claim->places.size() == 3);
  CHECK(c.is_stopping(a));
  CHECK(c.is_stopping(b));
  c.end(a);
  CHECK(c.waits(gang));
  c.end(b);
  CHECK(c.is_leased(gang));
  check_world(c.world);
}

TEST_CASE("a gang that cannot have all of it tells nobody") {
  TestCloud c(2);
  spot_job(c);
  const Id firm = c.start(c.request("h100:1"));
  const Id gang = c.submit(c.request("h100:8x2"));
  c.tick(1);
  CHECK(c.told(StopReason::preempted) == 0);
  CHECK_FALSE(c.job(gang).claim);
  c.end(firm);
  c.tick(1);
  CHECK(c.told(StopReason::preempted) == 1);
  CHECK(c.job(gang).claim);
}

// ---- no inversion of class ----------------------------------------------------------------------

namespace {

// Nodes on which the job could stand if all work that yields went, without what others hold.
std::uint32_t nodes_if_all_yield(const World& w, const Job& job) {
  std::uint32_t count = 0;
  for (NodeIx n = 0; n < w.state().nodes.size(); ++n) {
    const Node& node = w.state().nodes[n];
    if (node.state != NodeState::active || node.gpus.empty()) continue;
    std::uint64_t cards = (1ULL << node.gpus.size()) - 1;
    for (const Job& other : w.state().jobs) {
      if (other.id.is_nil() || other.id == job.id) continue;
      if (other.lease && other.job_class < JobClass::spot)
        for (const Place& p : other.lease->places)
          if (p.node == n) cards &= ~p.gpu_mask;
      if (other.claim)
        for (const Place& p : other.claim->places)
          if (p.node == n) cards &= ~p.gpu_mask;
      if (other.promise && other.job_class <= job.job_class)
        for (const Place& p : other.promise->places)
          if (p.node == n) cards &= ~p.gpu_mask;
    }
    count += std::popcount(cards) >= static_cast<int>(job.demand.gpus_per_node);
  }
  return count;
}

}  // namespace

TEST_CASE(
    "property: on demand waits no two reviews while what it needs is held by work that yields") {
  std::size_t waited = 0;
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    CAPTURE(seed);
    base::SeededPrng prng(seed);
    const auto draw = [&](std::uint64_t n) { return prng.next() % n; };
    TestCloud c(3);
    std::vector<Id> jobs;
    for (int i = 0; i < 150; ++i) {
      const std::uint64_t what = draw(10);
      if (what < 5) {
        static const char* shapes[] = {"h100:1", "h100:2",   "h100:4",
                                       "h100:8", "h100:8x2", "h100:3x2"};
        static const JobClass kinds[] = {JobClass::on_demand, spot, spot, house};
        const char* shape = shapes[draw(6)];
        const auto job_class = kinds[draw(4)];
        jobs.push_back(c.submit(in_class(c.request(shape, draw(2) ? 0 : 4000), job_class)));
      } else if (what == 5) {
        const std::string node = "h100-" + std::to_string(draw(3));
        REQUIRE(c.run(SetNodeState{node, draw(3) ? NodeState::active : NodeState::cordoned}));
      } else if (!jobs.empty()) {
        const Id id = jobs[draw(jobs.size())];
        if (!c.is_leased(id)) continue;
        if (c.job(id).state == JobState::starting && draw(2))
          c.run_ranks(id);
        else
          c.end(id);
      }
      c.tick(static_cast<std::int64_t>(draw(300)));
      c.tick(60);  // a promise that one review drops frees its cards for the next
      for (const Job& job : c.world.state().jobs) {
        if (job.id.is_nil() || job.state != JobState::queued || job.claim) continue;
        if (job.job_class != JobClass::on_demand) continue;
        ++waited;
        CHECK(nodes_if_all_yield(c.world, job) < job.demand.nodes);
      }
    }
    check_world(c.world);
  }
  CHECK(waited > 1000);  // the property was put to the test
}

}  // namespace ampacity::core
