// Budgets: windows, thresholds, blocking, stopping in time; and any interleaving.
#include "core/budget.h"

#include <doctest/doctest.h>

#include <map>

#include "base/prng.h"
#include "core/meter.h"
#include "core/test_cloud.h"

namespace ampacity::core {
namespace {

constexpr Ticks node_second = 8 * 47'800 + 128 * 100 + 1024 * 50;  // of h100:8
constexpr Ticks quantum = 600 * node_second;

Budget budget(const std::string& name, BudgetUnit unit, std::int64_t limit, BudgetWindow window) {
  Budget b;
  b.id = {9, std::hash<std::string>{}(name)};
  b.name = name;
  b.org = 0;
  b.project = 0;
  b.unit = unit;
  b.limit = limit;
  b.window = window;
  b.alerts = {50, 80, 100};
  return b;
}
Budget stopping(Budget b) {
  b.blocks = b.stops = true;
  return b;
}
int fired(const TestCloud& c, std::uint32_t percent) {
  int n = 0;
  for (const Fact& f : c.facts)
    if (const auto* x = std::get_if<BudgetCrossed>(&f.body)) n += x->percent == percent;
  return n;
}
const Interval* last_interval(const TestCloud& c, Id job) {
  const Interval* found = nullptr;
  for (const Fact& f : c.facts)
    if (const auto* x = std::get_if<LeaseClosed>(&f.body); x && x->job == job) found = &x->interval;
  return found;
}
std::int64_t counted(const TestCloud& c, std::uint32_t ix = 0) {
  return use_at(c.world, ix, c.now).counted();
}
Id key_of(TestCloud& c, const std::string& project, std::uint64_t n) {
  Key key;
  key.id = {7, n};
  key.lookup = "lookup" + std::to_string(n);
  REQUIRE(c.run(CreateKey{key, project, "ann"}));
  return key.id;
}
Instant at(const char* text) { return *base::parse_instant(text); }

}  // namespace

TEST_CASE("windows are calendar days, weeks from Monday, months; once has no end") {
  struct Row {
    BudgetWindow window;
    const char *t, *from, *until;
  };
  for (const Row& r : {Row{BudgetWindow::day, "2026-11-22T23:59:59.999999Z", "2026-11-22T00:00:00Z",
                           "2026-11-23T00:00:00Z"},
                       Row{BudgetWindow::day, "2026-11-23T00:00:00Z", "2026-11-23T00:00:00Z",
                           "2026-11-24T00:00:00Z"},
                       Row{BudgetWindow::week, "2026-11-22T12:00:00Z", "2026-11-16T00:00:00Z",
                           "2026-11-23T00:00:00Z"},
                       Row{BudgetWindow::week, "2026-11-23T00:00:00Z", "2026-11-23T00:00:00Z",
                           "2026-11-30T00:00:00Z"},
                       Row{BudgetWindow::month, "2024-02-29T12:00:00Z", "2024-02-01T00:00:00Z",
                           "2024-03-01T00:00:00Z"},
                       Row{BudgetWindow::month, "2026-12-31T23:59:59Z", "2026-12-01T00:00:00Z",
                           "2027-01-01T00:00:00Z"}}) {
    CAPTURE(r.t);
    CHECK(span_of(r.window, {}, at(r.t)) == Span{at(r.from), at(r.until)});
  }
  CHECK(span_of(BudgetWindow::once, {5}, {7}) == Span{{5}, forever});
}

TEST_CASE("a blocking budget counts posted, held and what is asked for; in money and in GPU time") {
  for (const BudgetUnit unit : {BudgetUnit::money, BudgetUnit::gpu_time}) {
    CAPTURE(base::enum_name(unit));
    const std::int64_t second = unit == BudgetUnit::money ? node_second : 8000;
    TestCloud c(4);
    Budget b = budget("b", unit, 1500 * second, BudgetWindow::day);
    b.blocks = true;
    REQUIRE(c.run(SetBudget{b}));
    const Id first = c.start(c.request("h100:8"));
    CHECK(counted(c) == 600 * second);
    const Id second_job = c.start(c.request("h100:8"));
    CHECK(counted(c) == 1200 * second);
    const auto r = c.run(c.request("h100:8"));
    REQUIRE_FALSE(r);
    CHECK(r.error().code == base::Code::over_budget);
    REQUIRE(r.error().missing.size() == 1);
    CHECK(r.error().missing[0].wanted == 600 * second);
    CHECK(r.error().missing[0].available == 300 * second);
    CHECK(r.error().earliest == span_of(BudgetWindow::day, {}, c.now).until);
    c.submit(c.request("h100:4"));  // exactly what is left
    CHECK(counted(c) == 1500 * second);
    CHECK_FALSE(c.run(c.request("h100:1")));
    // What was held and not used comes back; what runs goes on beyond it.
    c.now = c.now + Duration::seconds(100);
    c.end(second_job);
    CHECK(counted(c) == 1000 * second);
    c.tick(500);
    c.tick(600);
    CHECK(c.is_leased(first));
    CHECK(counted(c) > 1500 * second);
    c.now = c.now + Duration::seconds(86'400);
    c.tick();
    check_world(c.world);
    check_refolded(c.facts, c.world);
  }
}

TEST_CASE("check and reserve are one step: of a queue of many only what fits begins") {
  TestCloud c(1);
  const Id first = c.start(c.request("h100:8"));
  std::vector<Id> waiting;
  for (int i = 0; i < 8; ++i) waiting.push_back(c.submit(c.request("h100:1")));
  // 600 s of the node, and of three of its cards.
  REQUIRE(c.run(SetBudget{stopping(
      budget("b", BudgetUnit::gpu_time, 600 * 8000 + 3 * 600 * 1000, BudgetWindow::day))}));
  c.now = c.now + Duration::seconds(600);
  c.end(first);
  int running = 0;
  for (const Id id : waiting) running += c.is_leased(id);
  CHECK(running == 3);
  CHECK(counted(c) == 600 * 8000 + 3 * 600 * 1000);
  check_world(c.world);
}

TEST_CASE("scopes: an org's, a project's and a key's") {
  for (const int scope : {0, 1, 2}) {
    CAPTURE(scope);
    TestCloud c(6);
    c.add_project("other", 100'000'000);
    const Id key = key_of(c, "demo", 1), another = key_of(c, "demo", 2);
    Budget b = budget("b", BudgetUnit::money, quantum, BudgetWindow::month);
    b.blocks = true;
    if (scope == 0) b.project = nobody;
    if (scope == 2) b.key = key;
    REQUIRE(c.run(SetBudget{b}));
    const auto submit = [&](ProjectIx project, Id by) {
      SubmitJob s = in_class(c.request("h100:8"), JobClass::on_demand, project);
      s.job.key = by;
      return c.run(s).has_value();
    };
    CHECK(submit(0, key));
    CHECK_FALSE(submit(0, key));
    CHECK(submit(0, another) == (scope == 2));
    CHECK(submit(1, {}) == (scope != 0));
    check_world(c.world);
    check_refolded(c.facts, c.world);
  }
}

TEST_CASE("a threshold fires once in a window, and again in the next; another limit arms it") {
  TestCloud c(2);
  const Instant begin{c.now.us - c.now.us % 86'400'000'000 + 86'400'000'000};
  c.now = begin;
  Budget b = budget("b", BudgetUnit::money, 4 * quantum, BudgetWindow::day);
  REQUIRE(c.run(SetBudget{b}));
  const Id job = c.start(c.request("h100:8"));
  CHECK(fired(c, 50) == 0);
  for (int i = 0; i < 12; ++i) c.tick(550);  // each time the quantum is turned over
  CHECK(fired(c, 50) == 1);
  CHECK(fired(c, 80) == 1);
  CHECK(fired(c, 100) == 1);
  REQUIRE(c.run(SetBudget{b}));  // as it was: nothing new
  CHECK(fired(c, 50) == 1);
  b.limit = 20 * quantum;
  REQUIRE(c.run(SetBudget{b}));
  CHECK(fired(c, 50) == 2);
  CHECK(fired(c, 80) == 1);
  b.limit = 4 * quantum;
  REQUIRE(c.run(SetBudget{b}));
  CHECK(fired(c, 100) == 2);
  c.end(job);
  c.now = begin + Duration::seconds(86'400);
  const Id next = c.start(c.request("h100:8"));
  for (int i = 0; i < 12; ++i) c.tick(550);
  CHECK(c.is_leased(next));
  CHECK(fired(c, 100) == 3);
  check_world(c.world);
  check_refolded(c.facts, c.world);
}

TEST_CASE("a stopping budget stops in time: what is billed is the limit to the second") {
  struct Row {
    std::int64_t limit_s;
    std::int64_t stop_at_s;  // the notice: grace 30 and 20 to confirm before the end of the hold
  };
  for (const Row& r : {Row{600, 550}, Row{601, 551}, Row{1000, 950}, Row{3600, 3550}}) {
    CAPTURE(r.limit_s);
    TestCloud c(1);
    REQUIRE(c.run(SetBudget{stopping(
        budget("b", BudgetUnit::money, r.limit_s * node_second + 7, BudgetWindow::once))}));
    const Instant begin = c.now;
    const Id job = c.start(c.request("h100:8"));
    while (!c.is_stopping(job)) {
      const auto due = c.world.deadline_of(c.job(job));
      REQUIRE(due);
      c.now = *due;
      c.tick();
      CHECK(counted(c) <= r.limit_s * node_second + 7);
    }
    CHECK(c.job(job).stop_reason == StopReason::over_budget);
    CHECK((c.now - begin).whole_seconds() == r.stop_at_s);
    c.now = begin + Duration::seconds(r.limit_s + 33);  // the engine is late
    c.end(job);
    const Interval* i = last_interval(c, job);
    REQUIRE(i);
    CHECK(i->billed_s == r.limit_s);
    CHECK(i->waived_s == 33);
    CHECK(counted(c) == r.limit_s * node_second);
    CHECK_FALSE(c.run(c.request("h100:1")));
    check_world(c.world);
    check_refolded(c.facts, c.world);
  }
}

TEST_CASE("a window's end in the middle of a hold: each window counts its own seconds") {
  TestCloud c(1);
  const Instant midnight{c.now.us - c.now.us % 86'400'000'000 + 86'400'000'000};
  c.now = midnight - Duration::seconds(900);
  const Instant begin = c.now;
  REQUIRE(c.run(
      SetBudget{stopping(budget("b", BudgetUnit::money, 1000 * node_second, BudgetWindow::day))}));
  const Id job = c.start(c.request("h100:8"));
  while (!c.is_stopping(job)) {  // 900 s of today and 1,000 s of tomorrow
    c.now = std::min(*c.world.next_wake(c.now), *c.world.deadline_of(c.job(job)));
    c.tick();
    CHECK(counted(c) <= 1000 * node_second);
  }
  CHECK((c.now - begin).whole_seconds() == 900 + 1000 - 50);
  c.now = c.now + Duration::seconds(50);
  c.end(job);
  CHECK(last_interval(c, job)->billed_s == 1900);
  CHECK(c.world.state().orgs[0].spent.day.spend == 1000 * node_second);
  CHECK(c.world.state().orgs[0].spent.day.window == midnight);
  CHECK(c.world.state().orgs[0].spent.month.spend == 1900 * node_second);
  check_world(c.world);
}

TEST_CASE("what is held beyond the window's end is the next window's: it must fit there, too") {
  TestCloud c(2);
  c.now = {c.now.us - c.now.us % 86'400'000'000 + 86'340'000'000};  // a minute before midnight
  Budget b = budget("b", BudgetUnit::money, 1000 * node_second, BudgetWindow::day);
  b.blocks = true;
  REQUIRE(c.run(SetBudget{b}));
  c.start(c.request("h100:8"));  // 60 s of today, 540 of tomorrow
  CHECK(counted(c) == 60 * node_second);
  const auto r = c.run(c.request("h100:8"));
  REQUIRE_FALSE(r);
  CHECK(r.error().missing.at(0).available == 460 * node_second);
  CHECK(c.run(c.request("h100:4")));
}

TEST_CASE("leases that are settled in one tick share what is left") {
  TestCloud c(2);
  REQUIRE(c.run(
      SetBudget{stopping(budget("b", BudgetUnit::money, 1300 * node_second, BudgetWindow::once))}));
  const Id first = c.start(c.request("h100:8")), second = c.start(c.request("h100:8"));
  c.tick(550);
  CHECK(counted(c) == 1300 * node_second);  // the first had all of it: 700 s
  CHECK_FALSE(c.is_stopping(first));
  CHECK(c.is_stopping(second));
  c.tick(100);
  CHECK(c.is_stopping(first));
}

TEST_CASE("refused: what would do nothing, what is the operator's, what has another scope") {
  TestCloud c(1);
  const Budget good = budget("b", BudgetUnit::money, 100, BudgetWindow::day);
  Budget b = good;
  b.alerts.clear();
  CHECK_FALSE(c.run(SetBudget{b}));
  b = good;
  b.limit = 0;
  CHECK_FALSE(c.run(SetBudget{b}));
  b = good;
  b.alerts = {0};
  CHECK_FALSE(c.run(SetBudget{b}));
  b = good;
  b.key = {1, 99};
  CHECK_FALSE(c.run(SetBudget{b}));
  b = good;
  b.by_owner = true;
  REQUIRE(c.run(SetBudget{b}));
  CHECK_FALSE(c.run(SetBudget{good}));
  CHECK_FALSE(c.run(RemoveBudget{b.id, false}));
  b.window = BudgetWindow::week;
  CHECK_FALSE(c.run(SetBudget{b}));
  REQUIRE(c.run(RemoveBudget{b.id, true}));
  CHECK_FALSE(c.run(RemoveBudget{b.id, true}));
  REQUIRE(c.run(SetBudget{good}));
  CHECK(c.world.state().budgets.size() == 1);
  check_world(c.world);
}

// ---- any interleaving ---------------------------------------------------------------------------

namespace {

struct Spender {
  TestCloud c{3, 1};
  base::SeededPrng prng;
  std::vector<Budget> budgets;
  std::vector<Id> keys, jobs;

  explicit Spender(std::uint64_t seed) : prng(seed) {
    c.add_project("other", 100'000'000);
    keys = {key_of(c, "demo", 1), key_of(c, "other", 2)};
    for (const BudgetWindow w :
         {BudgetWindow::day, BudgetWindow::week, BudgetWindow::month, BudgetWindow::once})
      for (int k = 0; k < 2; ++k) {
        const BudgetUnit unit = draw(2) ? BudgetUnit::money : BudgetUnit::gpu_time;
        const auto seconds =
            static_cast<std::int64_t>(700 + draw(w == BudgetWindow::day ? 30'000 : 200'000));
        Budget b = stopping(budget("b" + std::to_string(budgets.size()), unit,
                                   seconds * (unit == BudgetUnit::money ? node_second : 8000), w));
        const std::uint64_t scope = draw(4);
        b.project = scope == 0 ? nobody : static_cast<ProjectIx>(draw(2));
        if (scope == 3) b.key = keys[b.project];
        budgets.push_back(b);
      }
    for (const Budget& b : budgets) REQUIRE(c.run(SetBudget{b}));
  }
  std::uint64_t draw(std::uint64_t n) { return prng.next() % n; }

  void submit() {
    static const char* const sizes[] = {"h100:8", "h100:1", "h100:4", "h100:8x2", "a40:2", "a40:4"};
    const std::int64_t limit = draw(2) ? 0 : static_cast<std::int64_t>(60 + draw(20'000));
    const auto job_class = draw(3) ? JobClass::on_demand : JobClass::spot;
    const auto project = static_cast<ProjectIx>(draw(2));
    SubmitJob s = in_class(c.request(sizes[draw(6)], limit), job_class, project);
    s.job.grace_s = static_cast<std::int64_t>(draw(120));
    s.job.retries_left = static_cast<std::int64_t>(draw(2));
    if (draw(2)) s.job.key = keys[project];
    if (c.run(s)) jobs.push_back(s.job.id);
  }
  void report() {
    if (jobs.empty()) return;
    const Id id = jobs[draw(jobs.size())];
    if (!c.is_leased(id)) return;
    const auto& ranks = c.job(id).lease->ranks;
    const auto rank = static_cast<std::uint32_t>(draw(ranks.size()));
    const RankState state = ranks[rank].state;
    if (state == RankState::pending)
      c.seen(id, draw(20) ? RankSeen::State::running : RankSeen::State::failed_to_start, rank);
    else if (state == RankState::running && (c.is_stopping(id) || draw(8) == 0))
      c.seen(id, draw(9) ? RankSeen::State::ended : RankSeen::State::absent, rank);
  }
  // The clock, stopping where something is due: as the loop does.
  void pass(std::int64_t seconds) {
    const Instant until = c.now + Duration::seconds(seconds);
    while (true) {
      const auto wake = c.world.next_wake(c.now);
      if (!wake || *wake > until) break;
      c.now = std::max(*wake, c.now);
      c.tick();
      check();
      if (const auto again = c.world.next_wake(c.now); again && *again <= c.now) break;
    }
    c.now = until;
    c.tick();
  }
  void check() const {
    for (std::uint32_t ix = 0; ix < budgets.size(); ++ix) {
      const BudgetUse use = use_at(c.world, ix, c.now);
      CHECK(use.counted() <= budgets[ix].limit);
      CHECK(use.after <= budgets[ix].limit);
      CHECK(used_by(c.world, ix, c.now) <= use.counted());
    }
  }
};

// What each window was billed, told from the closed leases alone, second by second.
std::map<Instant, std::int64_t> billed_by_window(const Spender& chaos, const Budget& b) {
  std::map<Instant, std::int64_t> sums;
  std::map<Id, Job> submitted;
  for (const Fact& f : chaos.c.facts) {
    if (const auto* s = std::get_if<JobSubmitted>(&f.body)) submitted[s->job.id] = s->job;
    const auto* closed = std::get_if<LeaseClosed>(&f.body);
    if (!closed) continue;
    const Job& job = submitted.at(closed->job);
    if (!b.key.is_nil() ? job.key != b.key : b.project != nobody && job.project != b.project)
      continue;
    const Interval& i = closed->interval;
    Span span = span_of(b.window, b.created_at, i.started_at);
    for (std::int64_t s = 0; s < i.billed_s;) {
      const Instant t = i.started_at + Duration::seconds(s);
      if (t >= span.until) span = span_of(b.window, b.created_at, t);
      std::int64_t end = std::min(i.billed_s, (span.until - t).seconds_rounded_up() + s);
      sums[span.from] += b.unit == BudgetUnit::money
                             ? amounts_at(i.rates, end).total() - amounts_at(i.rates, s).total()
                             : (end - s) * i.rates.gpus * i.rates.gpu_milli;
      s = end;
    }
  }
  return sums;
}

}  // namespace

TEST_CASE("any interleaving: no stopping budget is exceeded, thresholds fire once, windows turn") {
  std::int64_t stopped = 0, refused = 0, crossed = 0, turned = 0;
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    CAPTURE(seed);
    Spender chaos(seed);
    TestCloud& c = chaos.c;
    for (int step = 0; step < 400; ++step) {
      const std::size_t before = chaos.jobs.size();
      switch (chaos.draw(5)) {
        case 0:
          chaos.submit();
          refused += chaos.jobs.size() == before;
          break;
        case 1:
        case 2:
        case 3:
          chaos.report();
          break;
        default:
          chaos.pass(static_cast<std::int64_t>(chaos.draw(chaos.draw(10) ? 900 : 40'000)));
      }
      chaos.check();
      if (step % 40 == 0) check_world(c.world);
    }
    while (c.world.live_jobs > 0)
      for (const Id id : chaos.jobs) {
        if (c.world.job(id) && !c.is_leased(id)) REQUIRE(c.run(StopJob{id, StopReason::asked, ""}));
        if (c.is_leased(id)) c.end(id);
      }
    chaos.check();
    check_world(c.world);
    check_refolded(c.facts, c.world);
    std::map<std::tuple<Id, std::uint32_t, Instant>, int> fires;
    for (const Fact& f : c.facts) {
      if (const auto* x = std::get_if<BudgetCrossed>(&f.body)) {
        ++crossed;
        CHECK(++fires[{x->budget, x->percent, x->from}] == 1);
        CHECK(x->counted * 100 >= x->limit * x->percent);
      }
      turned += std::holds_alternative<BudgetsTurned>(f.body);
    }
    stopped += c.told(StopReason::over_budget);
    for (std::uint32_t ix = 0; ix < chaos.budgets.size(); ++ix) {
      const Budget& b = c.world.state().budgets[ix];
      for (const auto& [from, sum] : billed_by_window(chaos, b)) CHECK(sum <= b.limit);
      // With nothing alive, what is counted is what was billed in this window.
      const auto sums = billed_by_window(chaos, b);
      const auto now = sums.find(span_of(b.window, b.created_at, c.now).from);
      CHECK(counted(c, ix) == (now == sums.end() ? 0 : now->second));
    }
  }
  CHECK(stopped > 100);
  CHECK(refused > 100);
  CHECK(crossed > 200);
  CHECK(turned > 50);
}

}  // namespace ampacity::core
