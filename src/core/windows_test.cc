// Reservations, maintenance, and promises: who has a right to cards at what time.
#include <doctest/doctest.h>

#include <algorithm>
#include <map>

#include "base/prng.h"
#include "core/settle.h"
#include "core/test_cloud.h"

namespace ampacity::core {
namespace {

using base::Code;

Reserve reserve(TestCloud& c, std::uint32_t gpus, std::int64_t from_s, std::int64_t for_s) {
  const Instant from = c.now + Duration::seconds(from_s);
  return {{2, c.ids++}, "res", "demo", "h100", gpus, from, from + Duration::seconds(for_s), false};
}

SubmitJob inside(SubmitJob s, Id reservation) {
  s.job.job_class = JobClass::reserved;
  s.reservation = reservation;
  return s;
}

Instant full_hour(TestCloud& c) { return c.now = full_hour_after(c.now); }

}  // namespace

TEST_CASE("idle reserved capacity is lent to spot, taken back with notice, ended in time") {
  TestCloud c(1);
  const Reserve r = reserve(c, 8, 0, 36'000);
  REQUIRE(c.run(r));
  const Id firm = c.submit(c.request("h100:1"));
  CHECK(c.waits(firm));
  const Id lent = c.start(in_class(c.request("h100:8"), JobClass::spot));
  c.tick(500);
  const Id own = c.submit(inside(c.request("h100:8"), r.id));
  CHECK(c.is_stopping(lent));
  REQUIRE(c.job(own).claim);
  c.tick(20);
  c.end(lent);
  REQUIRE(c.is_leased(own));
  c.run_ranks(own);
  CHECK(c.waits(lent));
  REQUIRE(c.run(StopJob{lent, StopReason::asked, "x"}));
  check_world(c.world);
  while (!c.is_stopping(own)) {
    const auto wake = c.world.next_wake(c.now);
    REQUIRE(wake);
    c.now = std::max(c.now, *wake);
    c.tick();
  }
  CHECK(c.now == r.until - Duration::seconds(30));  // its grace
  CHECK(c.job(own).stop_reason == StopReason::time_limit);
  c.end(own);
  c.now = r.until;
  c.tick();
  CHECK(c.world.window(r.id) == nullptr);
  CHECK(c.is_leased(firm));
  check_world(c.world);
}

TEST_CASE("jobs drain before a window; those that end before it start; spot runs up to it") {
  TestCloud c(1);
  const Reserve r = reserve(c, 8, 7200, 3600);
  REQUIRE(c.run(r));
  const Id unlimited = c.submit(c.request("h100:1"));
  const Id longer = c.submit(c.request("h100:1", 7200));
  const Id fits = c.submit(c.request("h100:4", 7000));
  const Id early = c.submit(inside(c.request("h100:8", 600), r.id));
  CHECK(c.waits(unlimited));
  CHECK(c.waits(longer));
  CHECK(c.is_leased(fits));
  CHECK(c.waits(early));  // its window has not begun
  const Id yields = c.start(in_class(c.request("h100:2"), JobClass::spot));
  c.run_ranks(fits);
  c.now = c.now + Duration::seconds(7000);
  c.tick();
  CHECK(c.is_stopping(fits));
  c.end(fits);
  c.tick(100);
  CHECK(c.waits(early));
  c.tick(100);
  if (c.is_stopping(yields)) c.end(yields);
  CHECK(c.is_leased(early));
  check_world(c.world);
}

TEST_CASE("a reservation's job is for its project and class, and not larger than it") {
  TestCloud c(2);
  c.add_project("other", 1'000'000);
  const Reserve r = reserve(c, 8, 0, 3600);
  REQUIRE(c.run(r));
  SubmitJob s = inside(c.request("h100:8"), r.id);
  s.job.project = 1;
  CHECK(c.run(s).error().wrong.at(0).field == "reservation");
  s = inside(c.request("h100:8x2"), r.id);
  CHECK(c.run(s).error().code == Code::never_fits);
  s = inside(c.request("h100:8"), {});
  CHECK(c.run(s).error().wrong.at(0).field == "job_class");
  const Id own = c.submit(inside(c.request("h100:8"), r.id));
  CHECK(c.is_leased(own));
  const Id waits = c.submit(inside(c.request("h100:1"), r.id));  // nowhere else
  CHECK(c.waits(waits));
  CHECK(c.is_leased(c.submit(c.request("h100:8"))));
}

TEST_CASE("unused cards are given back at each full hour, what is used is kept") {
  for (const bool release : {true, false}) {
    TestCloud c(2);
    full_hour(c);
    Reserve r = reserve(c, 16, 0, 36'000);
    r.release_unused = release;
    REQUIRE(c.run(r));
    const Id own = c.start(inside(c.request("h100:2"), r.id));
    const Id waits = c.submit(c.request("h100:8"));
    c.tick(3599);
    CHECK(c.waits(waits));
    c.tick(1);
    CHECK(c.is_leased(waits) == release);
    CHECK(c.world.window(r.id)->places.size() == (release ? 1 : 2));
    c.end(own);
    c.tick(3600);
    CHECK((c.world.window(r.id) == nullptr) == release);
    check_world(c.world);
    check_refolded(c.facts, c.world);
  }
}

TEST_CASE("a refused reservation says when the first could be, and that one is accepted") {
  TestCloud c(2);
  c.start(c.request("h100:8", 3600));
  c.start(c.request("h100:8", 5000));
  Reserve r = reserve(c, 9, 600, 3600);
  const auto refused = c.run(r);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == Code::not_now);
  CHECK(refused.error().missing.at(0) == base::Missing{"gpus", 9, 0});
  REQUIRE(refused.error().earliest);
  CHECK(*refused.error().earliest >= c.now + Duration::seconds(5000 + 30));
  const Instant from = *refused.error().earliest;
  r.from = from - Duration::seconds(1);
  r.until = r.from + Duration::seconds(3600);
  CHECK_FALSE(c.run(r));
  r.from = from;
  r.until = from + Duration::seconds(3600);
  REQUIRE(c.run(r));
  // And then it is taken: a second one waits for its end.
  Reserve again = reserve(c, 9, 6000, 3600);
  const auto second = c.run(again);
  REQUIRE_FALSE(second);
  CHECK(second.error().earliest == r.until);
  CHECK(c.run(reserve(c, 17, 600, 60)).error().code == Code::never_fits);
  c.submit(c.request("h100:8"));  // without a limit: not accepted over
  check_world(c.world);
}

TEST_CASE("a drain lets what runs run out, and takes nothing new") {
  TestCloud c(1);
  const Id runs = c.start(c.request("h100:4"));
  const Maintain drain{{2, c.ids++}, "fan", {"h100-0"}, {}, {}};
  REQUIRE(c.run(drain));
  const Id waits = c.submit(c.request("h100:1", 60));
  const Id yields = c.submit(in_class(c.request("h100:1", 60), JobClass::spot));
  c.tick(100'000);
  CHECK(c.job(runs).state == JobState::running);
  CHECK(c.waits(waits));
  CHECK(c.waits(yields));
  c.end(runs);
  CHECK(c.waits(waits));
  REQUIRE(c.run(EndWindow{drain.id, "mended"}));
  CHECK(c.is_leased(waits));
  check_world(c.world);
}

TEST_CASE("maintenance to come must be sure of its nodes, and work goes elsewhere then") {
  TestCloud c(2);
  const Id unlimited = c.start(c.request("h100:8"));
  const std::string node = c.world.state().nodes[c.job(unlimited).lease->places[0].node].name;
  const std::string free = node == "h100-0" ? "h100-1" : "h100-0";
  const auto at = [&](const std::string& n) {
    return Maintain{
        {2, c.ids++}, "m", {n}, c.now + Duration::seconds(7200), c.now + Duration::seconds(9000)};
  };
  CHECK(c.run(at(node)).error().code == Code::not_now);
  REQUIRE(c.run(at(free)));
  CHECK(c.run(at(free)).error().code == Code::conflict);
  CHECK(c.waits(c.submit(c.request("h100:1"))));
  CHECK(c.is_leased(c.submit(c.request("h100:1", 3600))));
  const Id yields = c.start(in_class(c.request("h100:2"), JobClass::spot));
  c.tick(7169);
  CHECK_FALSE(c.is_stopping(yields));
  CHECK(*c.world.next_wake(c.now) <= c.now + Duration::seconds(1));
  c.tick(1);
  CHECK(c.job(yields).stop_reason == StopReason::window);
  c.end(yields);
  CHECK(c.waits(yields));
  check_world(c.world);
}

TEST_CASE("who was to start on a node that is drained looks for another place") {
  TestCloud c(1);
  const Id yields = c.start(in_class(c.request("h100:8"), JobClass::spot));
  const Id claims = c.submit(c.request("h100:8"));
  REQUIRE(c.job(claims).claim);
  REQUIRE(c.run(Maintain{{2, c.ids++}, "m", {"h100-0"}, {}, {}}));
  c.end(yields);
  c.tick(1);
  CHECK(c.waits(claims));
  CHECK_FALSE(c.job(claims).claim);
  check_world(c.world);
}

// ---- promises -----------------------------------------------------------------------------------

namespace {

// A cloud whose engine is exact: ranks start at once, jobs end when they want or soon after they
// are told.
struct Exact {
  TestCloud c;
  base::SeededPrng prng;
  std::map<Instant, std::vector<Id>> ends;  // by their own wish
  std::map<Id, Instant> told;               // ends then
  std::size_t read = 0, kept = 0, broken = 0;
  std::map<Id, Promise> promises;  // the latest certain one

  Exact(std::uint32_t nodes, std::uint64_t seed) : c(nodes), prng(seed) {}
  std::uint64_t draw(std::uint64_t n) { return prng.next() % n; }

  void read_facts() {
    for (; read < c.facts.size(); ++read) {
      const Fact f = c.facts[read];
      if (const auto* p = std::get_if<PromiseMade>(&f.body)) {
        // Spot may be outranked at any time.
        if (p->promise.certain && c.job(p->job).job_class != JobClass::spot)
          promises[p->job] = p->promise;
      } else if (const auto* g = std::get_if<LeaseGranted>(&f.body)) {
        if (const auto at = promises.find(g->job); at != promises.end()) {
          ++(f.at <= at->second.start_by ? kept : broken);
          promises.erase(at);
        }
        c.run_ranks(g->job);
        const std::int64_t limit = c.job(g->job).time_limit_s;
        const auto run = static_cast<std::int64_t>(
            draw(3) ? draw(static_cast<std::uint64_t>(limit ? limit : 9000)) : 1'000'000);
        ends[f.at + Duration::seconds(1 + run)].push_back(g->job);
      } else if (const auto* s = std::get_if<StopOrdered>(&f.body)) {
        if (c.is_leased(s->job))
          told[s->job] = f.at + Duration::seconds(static_cast<std::int64_t>(draw(31)));
      }
    }
    broken += std::erase_if(promises, [&](const auto& p) { return p.second.start_by < c.now; });
  }
  Instant next(Instant until) const {
    if (const auto wake = c.world.next_wake(c.now)) until = std::min(until, *wake);
    if (!ends.empty()) until = std::min(until, ends.begin()->first);
    for (const auto& [job, at] : told) until = std::min(until, at);
    for (const auto& [job, p] : promises) until = std::min(until, p.start_by);
    return std::max(until, c.now);
  }
  void go_on(Instant until) {
    for (int i = 0; i < 1000 && c.now < until; ++i) {
      c.now = next(until);
      while (!ends.empty() && ends.begin()->first <= c.now) {
        for (const Id id : ends.begin()->second)
          if (c.is_leased(id) && c.job(id).state == JobState::running) c.end(id);
        ends.erase(ends.begin());
      }
      for (auto t = told.begin(); t != told.end();) {
        if (t->second > c.now) {
          ++t;
          continue;
        }
        if (c.is_stopping(t->first)) c.end(t->first);
        t = told.erase(t);
      }
      c.tick();
      read_facts();
      if (next(until) == c.now && c.now < until) c.now = c.now + Duration{1};
    }
  }
};

enum class Mix { whole, cpu, parts };

SubmitJob drawn(Exact& e, Mix mix) {
  static const char* shapes[] = {"h100:1", "h100:3", "h100:8", "h100:8x2", "h100:8x3", "h100:4x2"};
  const std::uint64_t kind = mix == Mix::parts ? e.draw(8) : 9;
  SubmitJob s = e.c.request(kind == 3   ? nullptr
                            : kind <= 2 ? "h100:1"
                                        : shapes[e.draw(6)],
                            300 + static_cast<std::int64_t>(e.draw(20'000)));
  if (kind <= 1) s.gpu_milli = 100 + static_cast<std::uint32_t>(e.draw(900));
  if (kind == 2) s.mig = 1U << e.draw(4);
  if (kind == 3) s.cpu_milli = 1000 + static_cast<std::int64_t>(e.draw(7'000));
  if (mix == Mix::parts && e.draw(6) == 0) s.apart = "x";
  s.job.project = mix == Mix::parts ? static_cast<ProjectIx>(e.draw(2)) : 0;
  if (mix != Mix::whole && kind != 3 && e.draw(3) == 0)
    s.cpu_milli = 1000 + static_cast<std::int64_t>(e.draw(90'000));
  return s;
}

void keep_promises(Mix mix, std::size_t& kept, std::size_t& broken) {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    CAPTURE(seed);
    Exact e(3, seed);
    e.c.add_project("other", 100'000'000);
    const bool with_spot = seed % 2;
    for (int i = 0; i < 60; ++i) {
      SubmitJob s = drawn(e, mix);
      if (with_spot && e.draw(3) == 0) {
        s.job.job_class = JobClass::spot;
        s.job.time_limit_s = e.draw(2) ? 0 : s.job.time_limit_s;
      }
      (void)e.c.submit(s);
      e.read_facts();
      e.go_on(e.c.now + Duration::seconds(static_cast<std::int64_t>(e.draw(4000))));
    }
    check_world(e.c.world);
    kept += e.kept;
    broken += e.broken;
  }
}

}  // namespace

TEST_CASE("property: certain promises are kept, always, when nothing fails") {
  for (const Mix mix : {Mix::whole, Mix::cpu, Mix::parts}) {
    CAPTURE(static_cast<int>(mix));
    std::size_t kept = 0, broken = 0;
    keep_promises(mix, kept, broken);
    CHECK(broken == 0);
    CHECK(kept > 300);
  }
}

TEST_CASE("a share, a slice and work for CPU alone are promised a start, and backfill before one") {
  for (const int kind : {0, 1, 2}) {
    CAPTURE(kind);
    TestCloud c(1);
    const auto ask = [&](std::int64_t limit_s) {
      SubmitJob s = c.request(kind == 2 ? nullptr : "h100:1", limit_s);
      if (kind == 0) s.gpu_milli = 600;
      if (kind == 1) s.mig = 8;
      if (kind == 2) s.cpu_milli = 8000;
      return s;
    };
    const Id runs = c.start(kind == 2 ? ask(3600) : c.request("h100:8", 3600));
    const Id waits = c.submit(ask(0));
    REQUIRE(c.job(waits).promise);
    CHECK(c.job(waits).promise->certain);
    CHECK(c.job(waits).promise->start_by == c.now + Duration::seconds(3600 + 30 + 20));
    c.end(runs);
    CHECK(c.is_leased(waits));
    check_world(c.world);
  }
  TestCloud c(1);
  c.start(c.request("h100:7", 3600));
  const Id whole = c.submit(c.request("h100:8", 600));
  REQUIRE(c.job(whole).promise);
  SubmitJob s = c.request("h100:1", 1800);
  s.gpu_milli = 500;
  CHECK(c.is_leased(c.submit(s)));  // gone before
  s = c.request("h100:1", 7200);
  s.gpu_milli = 500;
  CHECK(c.waits(c.submit(s)));
  check_world(c.world);
}

}  // namespace ampacity::core
