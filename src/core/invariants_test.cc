// Each auditor names what was broken, and nothing else; and a long random history breaks nothing.
#include "core/invariants.h"

#include <doctest/doctest.h>

#include <functional>
#include <set>

#include "base/prng.h"
#include "core/evolve.h"
#include "core/test_cloud.h"

namespace ampacity::core {
namespace {

State& raw(World& w) { return const_cast<State&>(w.state()); }

std::string said(const std::vector<Violation>& found) {
  std::string all;
  for (const Violation& v : found) all += v.invariant + " " + v.where + ": " + v.what + "\n";
  return all;
}
std::set<std::string> named(const std::vector<Violation>& found) {
  std::set<std::string> names;
  for (const Violation& v : found) names.insert(v.invariant);
  return names;
}

// Runs a gang, a share, a slice and a CPU job; one waits with a promise; there is a window.
struct Scene {
  TestCloud c{3, 1};
  Id gang, share, slice, waits, spot;
  Scene() {
    c.add_project("other", 1'000'000);
    gang = c.start(c.request("h100:8x2", 7200));
    SubmitJob s = c.request("h100:1");
    s.gpu_milli = 400;
    share = c.start(s);
    s = in_class(c.request("h100:1"), JobClass::on_demand, 1);
    s.mig = 2;
    slice = c.start(s);
    spot = c.start(in_class(c.request("a40:1"), JobClass::spot, 1));
    waits = c.submit(c.request("h100:8x2", 3600));
    c.tick(590);
    REQUIRE(c.run(Reserve{{9, 1},
                          "later",
                          "other",
                          "a40",
                          2,
                          c.now + Duration::seconds(86'400),
                          c.now + Duration::seconds(90'000),
                          false}));
    REQUIRE(c.waits(waits));
  }
  Job& job(Id id) { return const_cast<Job&>(c.job(id)); }
  State& state() { return raw(c.world); }
};

struct Break {
  const char* what;
  std::set<std::string> invariants;
  std::function<void(Scene&)> how;
};

const std::vector<Break> breaks = {
    {"a card of two",
     {"I1", "I2", "index"},
     [](Scene& x) {
       Lease& l = *x.job(x.share).lease;
       l.places[0].node = x.job(x.gang).lease->places[0].node;
       l.places[0].gpu_mask = 1;
     }},
    {"a slice where none can be",
     {"I1"},
     [](Scene& x) { x.job(x.slice).lease->places[0].mig_slices = 6; }},
    {"more CPU than the node has",
     {"I2", "index"},
     [](Scene& x) { x.job(x.share).lease->cpu_milli = 900'000; }},
    {"half a gang",
     {"I2", "index"},
     [](Scene& x) {
       x.job(x.gang).lease->places.pop_back();
       x.job(x.gang).lease->ranks.pop_back();
     }},
    {"a use that was forgotten", {"I2"}, [](Scene& x) { x.c.world.use[0].cpu_milli -= 1; }},
    {"a wallet below zero",
     {"I4", "I12"},
     [](Scene& x) {
       const AccountIx wallet = x.state().projects[0].wallet;
       x.state().accounts[wallet].credits_posted = 1;
     }},
    {"a quota that counts wrong",
     {"I4"},
     [](Scene& x) { x.c.world.alive_of_project[0].gpu_milli[0] -= 1000; }},
    {"a lease without a state",
     {"I5", "index"},
     [](Scene& x) { x.job(x.share).state = JobState::queued; }},
    {"a generation twice",
     {"I5"},
     [](Scene& x) {
       x.job(x.gang).intervals.push_back({1, 0, {1}, 0, {2}});
     }},
    {"generations that fall",
     {"I6"},
     [](Scene& x) {
       Job& j = x.job(x.gang);
       j.generation = 4;
       j.intervals.push_back({3, 0, {1}, 0, {2}});
       j.intervals.push_back({2, 0, {3}, 0, {4}});
     }},
    {"intervals that overlap",
     {"I10"},
     [](Scene& x) {
       Job& j = x.job(x.gang);
       j.generation = 4;
       j.intervals.push_back({1, 0, {1}, 0, {90}});
       j.intervals.push_back({2, 0, {8}, 0, {100}});
     }},
    {"a timer that is not set",
     {"I8", "index"},
     [](Scene& x) { x.c.world.deadlines.erase(x.c.world.deadlines.begin()); }},
    {"a rank that never starts",
     {"I8"},
     [](Scene& x) {
       Job& j = x.job(x.gang);
       j.state = JobState::starting;
       j.lease->ranks[1] = {};
       j.lease->granted_at.us -= 3'000'000'000;
     }},
    {"a hold of another amount",
     {"I12"},
     [](Scene& x) {
       const auto slot =
           x.c.world.reserves.slot_of.at(ledger::counted(x.job(x.share).lease->pending_id));
       x.state().pending[slot].amount += 1;
     }},
    {"seconds that nothing holds",
     {"I8", "I12"},
     [](Scene& x) { x.job(x.spot).lease->paid_s += 1'000'000; }},
    {"a transfer of one side", {"I12"}, [](Scene& x) { x.state().accounts[1].debits_posted += 5; }},
    {"a hold of nobody", {"I12", "index"}, [](Scene& x) { x.job(x.share).lease->pending_id = 0; }},
    {"prices of nobody", {"I14"}, [](Scene& x) { x.job(x.gang).lease->rates.price_version = 7; }},
    {"too much of it", {"I22"}, [](Scene& x) { x.state().webhooks.resize(1'001); }},
    {"a queue that lost one", {"index"}, [](Scene& x) { x.c.world.queue.clear(); }},
    {"a group that lost one", {"index"}, [](Scene& x) { x.c.world.waiting.clear(); }},
    {"a promise without its place", {"index"}, [](Scene& x) { x.job(x.waits).promise.reset(); }},
    {"a timeline that forgot a window",
     {"index"},
     [](Scene& x) { x.state().windows[0].places.clear(); }},
    {"a node that is open and must not be",
     {"index"},
     [](Scene& x) { x.state().nodes.back().state = NodeState::cordoned; }},
    {"a name that leads nowhere",
     {"index"},
     [](Scene& x) { x.state().projects[0].name = "renamed"; }},
    {"a rate of spending", {"index"}, [](Scene& x) { x.c.world.burn[1] += 1; }},
    {"a project of no org", {"shape"}, [](Scene& x) { x.state().projects[0].org = 9; }},
    {"a node out of bounds", {"shape"}, [](Scene& x) { x.job(x.gang).lease->places[0].node = 99; }},
};

}  // namespace

TEST_CASE("a sound world has no violations") {
  Scene x;
  const auto found = violations(x.c.world, x.c.now);
  CHECK_MESSAGE(found.empty(), said(found));
  CHECK(x.c.job(x.waits).promise.has_value());
  CHECK(x.c.job(x.gang).lease->posted_s == 590);
}

TEST_CASE("what is broken is named, and nothing else") {
  for (const Break& b : breaks) {
    const std::string what = b.what;
    CAPTURE(what);
    Scene x;
    b.how(x);
    const auto found = violations(x.c.world, x.c.now);
    CHECK_MESSAGE(named(found) == b.invariants, said(found));
    CHECK(found.size() <= most_violations);
  }
}

TEST_CASE("timers that are late are named by their job") {
  Scene x;
  const Instant due = x.c.world.deadlines.begin()->first;
  CHECK(overdue(x.c.world, due + Duration::seconds(5), Duration::seconds(10)).empty());
  const auto late = overdue(x.c.world, due + Duration::seconds(11), Duration::seconds(10));
  REQUIRE(late.size() >= 1);
  CHECK(late[0].invariant == "I8");
  CHECK(late[0].what == "its timer is 11 s late");
}

// ---- facts --------------------------------------------------------------------------------------

namespace {

// The scene's facts up to the n-th of a kind, which is then seen changed.
template <typename Body>
std::vector<Violation> see_changed(const std::vector<Fact>& facts, int nth,
                                   const std::function<void(Body&)>& change) {
  World world;
  FactAuditor auditor;
  for (Fact f : facts) {
    auto* body = std::get_if<Body>(&f.body);
    if (body && --nth == 0) {
      auditor.after(world);
      REQUIRE(auditor.take().empty());
      change(*body);
      auditor.see(world, f);
      return auditor.take();
    }
    auditor.see(world, f);
    evolve(world, f);
  }
  FAIL("there is no such fact");
  return {};
}

std::vector<Fact> whole_life() {
  Scene x;
  x.c.end(x.gang);
  REQUIRE(x.c.is_leased(x.waits));
  x.c.run_ranks(x.waits);
  REQUIRE(x.c.run(SetNodeState{"a40-0", NodeState::cordoned}));
  x.c.tick(700);
  x.c.now = x.c.now + Duration::seconds(5);
  x.c.end(x.share);
  x.c.end(x.slice);
  REQUIRE(x.c.run(StopJob{x.spot, StopReason::asked, "x"}));
  x.c.end(x.spot);
  x.c.end(x.waits);
  return x.c.facts;
}

template <typename Body>
void expect(const std::vector<Fact>& facts, const char* invariant,
            std::type_identity_t<std::function<void(Body&)>> change, int nth = 1) {
  CAPTURE(std::string(kind_of(Fact{{}, {}, Body{}})));
  const auto found = see_changed<Body>(facts, nth, change);
  CHECK_MESSAGE(named(found).contains(invariant), invariant, " is not among: ", said(found));
}

}  // namespace

TEST_CASE("facts as they were are right, one that is not is named") {
  const auto life = whole_life();
  Id first;
  for (const Fact& f : life)
    if (const auto* j = std::get_if<JobSubmitted>(&f.body); j && first.is_nil()) first = j->job.id;
  const auto none = see_changed<LeaseClosed>(life, 4, [](LeaseClosed&) {});
  CHECK_MESSAGE(none.empty(), said(none));

  expect<LeaseGranted>(life, "I6", [](auto& f) { f.generation = 3; });
  expect<LeaseGranted>(
      life, "I1",
      [](auto& f) {
        f.lease.places[0] = {0, 1};
      },
      2);
  expect<LeaseGranted>(life, "I2", [](auto& f) { f.lease.cpu_milli = 999'000; });
  expect<LeaseGranted>(life, "I10", [](auto& f) { f.lease.paid_s += 1; });
  expect<LeaseGranted>(life, "I10", [](auto& f) { f.transfers[0].amount -= 1; });
  expect<LeaseGranted>(life, "I4", [](auto& f) { f.transfers[0].amount = INT64_MAX / 4; });
  expect<RankStarted>(life, "I6", [](auto& f) { f.generation = 2; });
  expect<RankStarted>(life, "I11", [](auto& f) { f.started_at.us += 1; });
  expect<RankStarted>(
      life, "I13", [](auto& f) { f.rank = 0; }, 2);
  expect<RankEnded>(life, "I11", [](auto& f) { f.end.ended_at.us = 1; });
  expect<LeasesSettled>(life, "I10", [](auto& f) { f.entries[0].posted_s -= 1; });
  expect<LeasesSettled>(life, "I10", [](auto& f) { f.entries[0].paid_s += 1; });
  expect<LeasesSettled>(life, "I13", [](auto& f) { f.entries.push_back(f.entries[0]); });
  expect<LeaseClosed>(life, "I5", [](auto& f) { f.interval.ranks[1].state = RankState::running; });
  expect<LeaseClosed>(life, "I6", [](auto& f) { f.generation = 2; });
  expect<LeaseClosed>(life, "I10", [](auto& f) { f.interval.amounts.gpu += 1; });
  expect<LeaseClosed>(life, "I10", [](auto& f) { f.interval.started_at.us -= 1'000'000; });
  expect<LeaseClosed>(
      life, "I10", [](auto& f) { f.transfers.clear(); }, 2);
  expect<LeaseClosed>(life, "I11", [](auto& f) { ++f.interval.billed_s; });
  expect<LeaseClosed>(life, "I11", [](auto& f) { ++f.interval.waived_s; });
  expect<LeaseClosed>(life, "I12", [](auto& f) { f.transfers.clear(); });
  expect<LeaseClosed>(life, "I14", [](auto& f) { f.interval.rates.price_version = 9; });
  expect<JobSubmitted>(
      life, "I13", [&](auto& f) { f.job.id = first; }, 2);
  expect<JobSubmitted>(
      life, "I13", [](auto& f) { f.job.queue_order = 1; }, 2);
  expect<CreditAdded>(life, "I12", [](auto& f) { f.transfers[0].credit = {0, 99}; });
  expect<CreditAdded>(life, "I13", [](auto& f) { f.transfers[0].id.low -= 1; });
  expect<NodeChanged>(life, "I20", [](auto& f) { f.now.gpus.pop_back(); });
}

TEST_CASE("what the cloud forbids is named when it happens all the same") {
  Scene x;
  x.c.end(x.gang);  // `waits` is leased: its grant is the last
  auto facts = x.c.facts;
  const auto grant = std::find_if(facts.rbegin(), facts.rend(), [](const Fact& f) {
    return std::holds_alternative<LeaseGranted>(f.body);
  });
  World world;
  FactAuditor auditor;
  for (const Fact& f : facts) {
    if (&f == &*grant) break;
    auditor.see(world, f);
    evolve(world, f);
  }
  REQUIRE(auditor.take().empty());
  const Place at = std::get<LeaseGranted>(grant->body).lease.places[0];
  raw(world).nodes[at.node].state = NodeState::cordoned;
  auditor.see(world, *grant);
  CHECK(named(auditor.take()) == std::set<std::string>{"I3"});

  World other;
  FactAuditor quota;
  for (const Fact& f : facts) {
    if (std::holds_alternative<JobSubmitted>(f.body) && other.live_jobs == 4)
      raw(other).projects[0].quota.gpus = {{nobody, 20'000}};
    quota.see(other, f);
    if (!quota.take().empty()) return;  // named
    evolve(other, f);
  }
  FAIL("a job beyond the quota is not named");
}

TEST_CASE("an auditor that begins in the middle agrees") {
  Scene x;
  FactAuditor auditor(x.c.world);
  World shadow = x.c.world;
  x.c.facts.clear();
  x.c.end(x.gang);
  x.c.tick(600);
  x.c.end(x.share);
  for (const Fact& f : x.c.facts) {
    auditor.see(shadow, f);
    evolve(shadow, f);
    auditor.after(shadow);
  }
  const auto found = auditor.take();
  CHECK_MESSAGE(found.empty(), said(found));
}

// ---- what they found ----------------------------------------------------------------------------

TEST_CASE("a gang of which one rank never starts does not wait for ever") {
  TestCloud c(2);
  const Id id = c.submit(c.request("h100:8x2"));
  c.seen(id, RankSeen::State::running, 0);
  for (int i = 0; i < 4; ++i) c.tick(440);
  CHECK_FALSE(c.is_stopping(id));
  c.tick(40);
  CHECK(c.is_stopping(id));
  CHECK(c.told(StopReason::start_timeout) == 1);
}

TEST_CASE("two reasons to stop at one tick: the first says what becomes of it") {
  TestCloud c(1);
  const Id id = c.start(in_class(c.request("h100:8", 600), JobClass::spot));
  REQUIRE(c.run(Maintain{{9, 1}, "m", {"h100-0"}, c.now + Duration::seconds(600), {}}));
  c.tick(600);
  CHECK(c.job(id).stop_reason == StopReason::time_limit);
  CHECK(c.told(StopReason::window) == 0);
}

TEST_CASE("a claim is given up where maintenance has begun meanwhile") {
  TestCloud c(1);
  const Id spot = c.start(in_class(c.request("h100:8"), JobClass::spot));
  const Id firm = c.submit(c.request("h100:8"));
  REQUIRE(c.job(firm).claim);
  REQUIRE(c.run(Maintain{{9, 1}, "m", {"h100-0"}, {}, {}}));
  c.end(spot);
  CHECK(c.waits(firm));
  CHECK_FALSE(c.job(firm).claim);
}

TEST_CASE("apart: nor beside one that has claimed its place there") {
  TestCloud c(1);
  const auto apart = [&](SubmitJob s) {
    s.apart = "db";
    return s;
  };
  const Id spot = c.start(in_class(c.request("h100:7"), JobClass::spot));
  const Id firm = c.submit(apart(c.request("h100:4")));
  REQUIRE(c.job(firm).claim);
  const Id beside = c.submit(apart(c.request("h100:1")));
  CHECK(c.waits(beside));
  c.end(spot);
  CHECK(c.is_leased(firm));
  CHECK(c.waits(beside));
}

// ---- at random ----------------------------------------------------------------------------------

namespace {

struct Life {
  TestCloud c{4, 1};
  World shadow;
  FactAuditor auditor;
  base::SeededPrng prng;
  std::vector<Id> jobs, windows;
  std::size_t seen = 0;

  explicit Life(std::uint64_t seed) : prng(seed) {
    c.add_project("other", seed % 3 ? 20'000 : 10'000'000);
    REQUIRE(c.run(SetNodeState{"a40-0", NodeState::active}));
  }
  std::uint64_t draw(std::uint64_t n) { return prng.next() % n; }
  std::int64_t seconds(std::uint64_t n) { return static_cast<std::int64_t>(draw(n)); }

  void submit() {
    static const char* shapes[] = {"h100:1", "h100:4",     "h100:8", "h100:8x2", "h100:2x3",
                                   "any:2",  "h100|a40:1", "h100:1", "a40:1",    nullptr};
    static const JobClass classes[] = {JobClass::on_demand, JobClass::on_demand, JobClass::spot,
                                       JobClass::spot, JobClass::house};
    const std::uint64_t shape = draw(10);
    SubmitJob s = c.request(shapes[shape], draw(2) ? 0 : 300 + seconds(5000));
    const JobClass job_class = classes[draw(5)];
    s = in_class(s, job_class, static_cast<ProjectIx>(draw(2)));
    s.job.retries_left = seconds(2);
    if (draw(8) == 0) s.job.start_by = c.now + Duration::seconds(1 + seconds(3000));
    if (draw(6) == 0) s.apart = "alone";
    if (draw(6) == 0) s.together = Together::leaf;
    if (draw(4) == 0) s.most_price = 24'000;
    if (shape == 7 || shape == 8) {
      if (draw(2))
        s.gpu_milli = static_cast<std::uint32_t>(100 + draw(800));
      else
        s.mig = 1U << draw(4);
    }
    if (!windows.empty() && draw(4) == 0) {
      s.reservation = windows[draw(windows.size())];
      s.job.job_class = JobClass::reserved;
    }
    if (c.run(s)) jobs.push_back(s.job.id);
  }
  void observe() {
    if (jobs.empty()) return;
    const Id id = jobs[draw(jobs.size())];
    if (!c.is_leased(id)) return;
    static const RankSeen::State states[] = {
        RankSeen::State::running, RankSeen::State::running,         RankSeen::State::ended,
        RankSeen::State::ended,   RankSeen::State::failed_to_start, RankSeen::State::absent};
    RankSeen r;
    r.job = id;
    r.generation = c.job(id).generation - static_cast<std::uint32_t>(draw(8) == 0);  // a late one
    r.rank = static_cast<std::uint32_t>(draw(c.job(id).demand.nodes));
    r.state = states[draw(6)];
    r.started_at = draw(4) ? Instant{} : c.now - Duration::seconds(seconds(900));
    r.ended_at = c.now - Duration::seconds(seconds(300));
    r.exit_code = static_cast<std::int32_t>(draw(2));
    REQUIRE(c.run(Observe{r, c.now - Duration::seconds(seconds(60))}));
  }
  void window() {
    const Id id{2, c.ids++};
    const Instant from = c.now + Duration::seconds(seconds(3000));
    const Instant until = from + Duration::seconds(1 + seconds(8000));
    const std::uint64_t kind = draw(4);
    const auto gpus = static_cast<std::uint32_t>(1 + draw(16));
    if (kind < 2 && c.run(Reserve{id, "r", kind ? "demo" : "other", "h100", gpus, from, until}))
      windows.push_back(id);
    const std::string node = "h100-" + std::to_string(draw(4));
    if (kind == 2 && c.run(Maintain{id, "m", {node}, draw(2) ? from : Instant{}, until}))
      windows.push_back(id);
    if (kind == 3 && !windows.empty()) (void)c.run(EndWindow{windows[draw(windows.size())], "x"});
  }
  void money() {
    const std::uint64_t what = draw(4);
    if (what == 0) {
      Budget b;
      b.id = {3, 1 + draw(3)};
      b.name = "b" + std::to_string(b.id.low);
      b.org = 0;
      b.project = draw(2) ? nobody : static_cast<ProjectIx>(draw(2));
      b.window = static_cast<BudgetWindow>(draw(4));
      b.unit = static_cast<BudgetUnit>(draw(2));
      b.limit = b.unit == BudgetUnit::money ? 50 * base::ticks_per_usd * (1 + seconds(20))
                                            : 100'000'000 * (1 + seconds(20));
      b.alerts = {50, 100};
      b.blocks = true;
      b.stops = draw(2);
      (void)c.run(SetBudget{b});
    } else if (what == 1) {
      const auto spot = static_cast<Ticks>(10'000 + draw(30'000));
      (void)c.run(SetPrices{
          plain_book("p", {}, {{"h100", 47'800, spot}, {"a40", 12'800, 6'400}}, 100, 50, 100, 50),
          ""});
    } else if (what == 2) {
      REQUIRE(c.run(AddCredit{"other", 1 + seconds(5000), ""}));
    } else {
      (void)c.run(RemoveBudget{{3, 1 + draw(3)}, true});
    }
  }
  void operate() {
    const std::string node = "h100-" + std::to_string(draw(4));
    SetQuota q;
    (draw(2) ? q.org : q.project) = draw(2) ? "acme" : "demo";
    if (draw(3)) {
      (void)c.run(SetNodeState{node, draw(3) ? NodeState::active : NodeState::cordoned});
    } else if (draw(2)) {
      if (draw(2)) q.gpu_milli = {{draw(2) ? "h100" : "", 8000 + seconds(40'000)}};
      (void)c.run(q);
    } else {
      c.set_policy([&](Policy& p) {
        static const Order orders[] = {Order::fair, Order::fair, Order::fifo, Order::srsf};
        p.order = orders[draw(4)];
        p.promises_per_class = seconds(6);
      });
    }
  }
  void one() {
    c.now = c.now + Duration::seconds(seconds(90));
    const std::uint64_t what = draw(26);
    if (what < 9)
      submit();
    else if (what < 16)
      observe();
    else if (what == 16 && !jobs.empty())
      (void)c.run(StopJob{jobs[draw(jobs.size())], StopReason::asked, "x"});
    else if (what == 17 && !jobs.empty())
      (void)c.run(NoteCheckpoint{jobs[draw(jobs.size())]});
    else if (what == 18)
      window();
    else if (what == 19)
      operate();
    else if (what == 20)
      money();
    else
      c.tick();
  }
  std::vector<Violation> audit(bool whole) {
    for (; seen < c.facts.size(); ++seen) {
      auditor.see(shadow, c.facts[seen]);
      evolve(shadow, c.facts[seen]);
      if (seen % 3 == 0) auditor.after(shadow);
    }
    auditor.after(c.world);
    auto found = auditor.take();
    if (whole)
      for (Violation& v : violations(c.world, c.now)) found.push_back(std::move(v));
    return found;
  }
};

}  // namespace

TEST_CASE("property: a random history breaks no invariant") {
  std::array<std::size_t, std::variant_size_v<FactBody>> kinds{};
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    CAPTURE(seed);
    Life life(seed);
    for (int i = 0; i < 250; ++i) {
      CAPTURE(i);
      life.one();
      const auto found = life.audit(i % 10 == 0);
      REQUIRE_MESSAGE(found.empty(), said(found));
    }
    for (const Fact& f : life.c.facts) ++kinds[f.body.index()];
  }
  const auto count = [&]<typename Body>(Body) { return kinds[FactBody(Body{}).index()]; };
  CHECK(count(LeaseClosed{}) > 500);
  CHECK(count(LeasesSettled{}) > 100);
  CHECK(count(SpotRepriced{}) > 20);
  CHECK(count(ClaimMade{}) > 20);
  CHECK(count(PromiseMade{}) > 50);
  CHECK(count(BudgetSet{}) > 20);
  CHECK(count(NodeChanged{}) > 20);
}

}  // namespace ampacity::core
