// The core by scenario and by property: what a customer or an operator would see, and the
// invariants.
#include <doctest/doctest.h>

#include <algorithm>
#include <bit>

#include "base/prng.h"
#include "core/desire.h"
#include "core/meter.h"
#include "core/price_book.h"
#include "core/settle.h"
#include "core/step.h"

namespace ampacity::core {
namespace {

using base::Code;
using base::Prng;

PriceBook book() {
  return plain_book("test", {1}, {{"h100", 47'800, 23'900}, {"a40", 12'800, 6'400}}, 100, 50, 100,
                    50);
}

struct Cloud {
  World world;
  Instant now{1'000'000'000'000'000};
  std::vector<Fact> facts;
  std::uint64_t ids = 1;

  base::Result<void> run(const Command& c) { return step(world, c, now, "test", facts); }
  Cloud(std::uint32_t h100_nodes, const char* credit_cents = "100000000") {
    REQUIRE(run(Found{book()}));
    RegisterSite site{{"home", "lab", "test"}, {}, {}};
    site.skus = {{"h100", "NVIDIA H100", 81920, 8, 16000, 131072, true},
                 {"a40", "NVIDIA A40", 49152, 1, 8000, 65536, true},
                 {"cpu", "CPU", 0, 1, 1000, 1024, false}};
    for (std::uint32_t n = 0; n < h100_nodes; ++n) {
      Node node{"h100-" + std::to_string(n), 0, 0, {}, 128'000, 1'048'576, true, false};
      for (int g = 0; g < 8; ++g) node.gpus.push_back(node.name + "-gpu" + std::to_string(g));
      site.nodes.push_back({node, "h100"});
    }
    site.nodes.push_back({{"host", 0, 0, {}, 8'000, 16'384, false, true}, "cpu"});
    REQUIRE(run(site));
    REQUIRE(run(CreateOrg{{0, ids++}, "acme"}));
    REQUIRE(run(CreateProject{{0, ids++}, "demo", "acme"}));
    REQUIRE(run(CreateUser{{0, ids++}, "ann", "acme"}));
    if (std::int64_t cents = std::stoll(credit_cents)) REQUIRE(run(AddCredit{"demo", cents, ""}));
  }
  SubmitJob request(const char* gpus, std::int64_t cpu = 0, std::int64_t memory = 0) {
    SubmitJob s;
    s.job.id = {1, ids++};
    s.job.name = "job" + std::to_string(ids);
    s.job.user = 0;
    s.job.spec.image = "localhost/tiny";
    if (gpus) s.gpus = *parse_gpu_request(gpus);
    s.cpu_milli = cpu;
    s.memory_mib = memory;
    return s;
  }
  Id submit(const SubmitJob& s) {
    const auto done = run(s);
    REQUIRE_MESSAGE(done, done.error().message);
    return s.job.id;
  }
  base::Result<void> seen(Id job, RankSeen::State state, std::int32_t exit_code = 0,
                          std::uint32_t rank = 0) {
    RankSeen r;
    r.job = job;
    r.generation = world.job(job) ? world.job(job)->generation : 1;
    r.rank = rank;
    r.state = state;
    r.started_at = state == RankSeen::State::running ? now : Instant{};
    r.ended_at = now;
    r.exit_code = exit_code;
    return run(Observe{r, now});
  }
  void pass(std::int64_t us) { now.us += us; }
  void tick() { REQUIRE(run(Tick{})); }
  const Account& wallet() { return world.state().accounts[world.state().projects[0].wallet]; }
  // The interval of the job's last closed lease, out of the facts.
  const LeaseClosed& closed(Id job) {
    for (auto f = facts.rbegin(); f != facts.rend(); ++f)
      if (const auto* c = std::get_if<LeaseClosed>(&f->body); c && c->job == job) return *c;
    throw std::runtime_error("the lease was not closed");
  }
};

void check_invariants(const World& w) {
  const State& s = w.state();
  for (const std::uint32_t ledger : {ledger::usd_tick, ledger::usd_minor}) {
    std::int64_t pending = 0, posted = 0;
    for (const Account& a : s.accounts) {
      if (a.ledger != ledger) continue;
      pending += a.debits_pending - a.credits_pending;
      posted += a.debits_posted - a.credits_posted;
      if (a.has(ledger::account_flag::debits_must_not_exceed_credits)) CHECK(available(a) >= 0);
    }
    CHECK(pending == 0);
    CHECK(posted == 0);
  }
  std::vector<NodeUse> use(s.nodes.size());
  std::vector<std::uint64_t> busy(s.nodes.size());
  for (const Job& j : s.jobs) {
    if (j.id.is_nil() || !j.lease) continue;
    for (const Place& p : j.lease->places) {
      CHECK((busy[p.node] & p.gpu_mask) == 0);
      CHECK(std::popcount(p.gpu_mask) == static_cast<int>(j.demand.gpus_per_node));
      busy[p.node] |= p.gpu_mask;
      use[p.node].cpu_milli += j.lease->cpu_milli;
      use[p.node].memory_mib += j.lease->memory_mib;
    }
    CHECK(j.lease->places.size() == j.demand.nodes);
  }
  for (std::size_t n = 0; n < use.size(); ++n) {
    CHECK(use[n].cpu_milli <= s.nodes[n].cpu_milli);
    CHECK(use[n].memory_mib <= s.nodes[n].memory_mib);
    CHECK(use[n].cpu_milli == w.use[n].cpu_milli);
    CHECK(w.packer.free_cpu(static_cast<NodeIx>(n)) == s.nodes[n].cpu_milli - use[n].cpu_milli);
  }
  const World again{State{s}};  // derived = rebuilt
  CHECK(again.packer == w.packer);
  CHECK(again.reserves == w.reserves);
  CHECK(again.use == w.use);
  CHECK(again.holds == w.holds);
  CHECK(again.hardware == w.hardware);
  CHECK(again.alive_of_project == w.alive_of_project);
  CHECK(again.share_rate == w.share_rate);
  CHECK(again.running == w.running);
  CHECK(again.waiting.size() == w.waiting.size());
  CHECK(again.deadlines == w.deadlines);
  CHECK(again.waiting_for_sku == w.waiting_for_sku);
  CHECK(again.burn == w.burn);
  CHECK(again.queued_of_project == w.queued_of_project);
  CHECK(again.queue.size() == w.queue.size());
  CHECK(again.live_jobs == w.live_jobs);
}

}  // namespace

TEST_CASE("a job is placed, runs, ends, and costs exactly its seconds") {
  Cloud c(1);
  const Id job = c.submit(c.request("h100:8"));
  CHECK(c.world.job(job)->state == JobState::starting);
  const Ticks per_second = 8 * 47'800 + 128 * 100 + 1024 * 50;  // 44.64 USD an hour
  CHECK(c.wallet().debits_pending == per_second * 600);
  c.pass(2'000'000);
  REQUIRE(c.seen(job, RankSeen::State::running));
  CHECK(c.world.job(job)->state == JobState::running);
  c.pass(100'200'000);  // 100.2 s: 101 billed
  REQUIRE(c.seen(job, RankSeen::State::ended));
  CHECK(c.world.job(job) == nullptr);
  CHECK(c.wallet().debits_pending == 0);
  CHECK(c.wallet().debits_posted == per_second * 101);
  CHECK(c.closed(job).interval.billed_s == 101);
  CHECK(c.closed(job).outcome == Outcome::succeeded);
  check_invariants(c.world);
}

TEST_CASE("a report that repeats, or is of another generation, changes nothing") {
  Cloud c(1);
  const Id job = c.submit(c.request("h100:1"));
  REQUIRE(c.seen(job, RankSeen::State::running));
  const std::size_t facts = c.facts.size();
  REQUIRE(c.seen(job, RankSeen::State::running));
  RankSeen other{job, 7, 0, RankSeen::State::ended};
  REQUIRE(c.run(Observe{other, c.now}));
  CHECK(c.facts.size() == facts);
}

TEST_CASE("refusals") {
  Cloud c(2);
  const auto refused = [&](SubmitJob s) {
    const std::string before = state_digest(c.world.state());
    const auto r = c.run(s);
    REQUIRE_FALSE(r);
    CHECK(state_digest(c.world.state()) == before);
    return r.error();
  };
  CHECK(refused(c.request("h100:9")).code == Code::never_fits);
  CHECK(refused(c.request("h100:8x3")).missing.at(0) == base::Missing{"nodes", 3, 2});
  CHECK(refused(c.request("h200:1")).message.find("a40, ") == std::string::npos);
  CHECK(refused(c.request("h200:1")).message.find("h100, a40") != std::string::npos);
  CHECK(refused(c.request("any>=200GB:1")).code == Code::never_fits);
  CHECK(refused(c.request(nullptr, 9'000)).code == Code::never_fits);
  SubmitJob house = c.request("h100:1");
  house.job.job_class = JobClass::house;
  CHECK(refused(house).code == Code::forbidden);
  Cloud poor(1, "100");  // one dollar; a quantum of 8 H100 is 7.44
  const auto r = poor.run(poor.request("h100:8"));
  REQUIRE_FALSE(r);
  CHECK(r.error().code == Code::insufficient_credit);
  CHECK(r.error().missing.at(0).wanted == 446'400 * 600);
  CHECK(r.error().missing.at(0).available == base::ticks_per_usd);
}

TEST_CASE("a gang that waits is promised a start, and what would still run then is not let past") {
  Cloud c(2);
  const auto limited = [&](const char* gpus, std::int64_t limit_s) {
    SubmitJob s = c.request(gpus);
    s.job.time_limit_s = limit_s;
    return c.submit(s);
  };
  const Id one = limited("h100:1", 3600);
  REQUIRE(c.seen(one, RankSeen::State::running));
  const Id gang = limited("h100:8x2", 3600);
  REQUIRE(c.world.job(gang)->promise);
  const Promise promise = *c.world.job(gang)->promise;
  CHECK(promise.certain);
  CHECK(promise.start_by == c.now + Duration::seconds(3600 + 30 + confirm_s));
  CHECK(promise.places.size() == 2);
  const Id small = limited("h100:1", 600);    // gone before
  const Id longer = limited("h100:1", 7200);  // would be in the way
  const Id cpu = c.submit(c.request(nullptr, 1000, 512));
  CHECK(c.world.job(gang)->state == JobState::queued);
  CHECK(c.world.job(small)->state == JobState::starting);
  CHECK(c.world.job(longer)->state == JobState::queued);
  CHECK(c.world.job(cpu)->state == JobState::starting);
  check_invariants(c.world);
  for (const Id id : {small, one}) {
    REQUIRE(c.seen(id, RankSeen::State::running));
    REQUIRE(c.seen(id, RankSeen::State::ended));
  }
  CHECK(c.world.job(gang)->state == JobState::starting);
  CHECK(c.world.job(gang)->lease->places.size() == 2);
  CHECK(c.world.job(longer)->state == JobState::queued);
  check_invariants(c.world);
}

TEST_CASE("memory is a limit too; a gang gets its nodes whole") {
  Cloud c(2);
  const Id most = c.submit(c.request(nullptr, 1'000, 12'000));
  CHECK(c.world.job(most)->state == JobState::starting);
  const Id more = c.submit(c.request(nullptr, 1'000, 8'000));  // 16,384 MiB in all
  CHECK(c.world.job(more)->state == JobState::queued);
  const Id full = c.submit(c.request("h100:8"));
  const Id some = c.submit(c.request("h100:4"));
  const Id gang = c.submit(c.request("h100:8x2"));
  for (const Id id : {some, full}) {
    CHECK(c.world.job(gang)->state == JobState::queued);
    REQUIRE(c.seen(id, RankSeen::State::running));
    REQUIRE(c.seen(id, RankSeen::State::ended));
  }
  CHECK(c.world.job(gang)->state == JobState::starting);
  check_invariants(c.world);
}

TEST_CASE("retries are used up") {
  Cloud c(1);
  SubmitJob s = c.request("h100:1");
  s.job.retries_left = 2;
  const Id job = c.submit(s);
  for (int generation = 1; generation <= 3; ++generation) {
    REQUIRE(c.world.job(job));
    CHECK(c.world.job(job)->generation == static_cast<std::uint32_t>(generation));
    REQUIRE(c.seen(job, RankSeen::State::ended, 1));
  }
  CHECK(c.world.job(job) == nullptr);
  CHECK(c.closed(job).outcome == Outcome::failed);
}

TEST_CASE("a gang whose rank fails is stopped whole, and retried if asked") {
  Cloud c(2);
  SubmitJob s = c.request("h100:8x2");
  s.job.retries_left = 1;
  const Id job = c.submit(s);
  REQUIRE(c.seen(job, RankSeen::State::running, 0, 0));
  CHECK(c.world.job(job)->state == JobState::starting);
  REQUIRE(c.seen(job, RankSeen::State::running, 0, 1));
  CHECK(c.world.job(job)->state == JobState::running);
  c.pass(5'000'000);
  REQUIRE(c.seen(job, RankSeen::State::ended, 7, 1));
  CHECK(c.world.job(job)->state == JobState::stopping);
  const auto ranks = desired_ranks(c.world, *c.world.job(job));
  REQUIRE(ranks.size() == 1);
  CHECK(ranks[0].want == RankWork::Want::stop);
  c.pass(1'000'000);
  REQUIRE(c.seen(job, RankSeen::State::ended, 137, 0));
  const Job* again = c.world.job(job);
  REQUIRE(again);
  CHECK(again->generation == 2);
  CHECK(again->state == JobState::starting);
  CHECK(c.closed(job).exit_code == 7);
  CHECK(again->intervals.at(0).billed_s == 6);
  check_invariants(c.world);
}

TEST_CASE("a gang runs, too, when its last rank is seen only as ended; and it may run for long") {
  Cloud c(2);
  const Id job = c.submit(c.request("h100:8x2"));
  REQUIRE(c.seen(job, RankSeen::State::running, 0, 0));
  c.pass(5'000'000);
  REQUIRE(c.seen(job, RankSeen::State::ended, 0, 1));
  CHECK(c.world.job(job)->state == JobState::running);
  c.now = c.now + Duration::seconds(3'600);  // past the time to start
  c.tick();
  CHECK(c.world.job(job)->state == JobState::running);
  check_invariants(c.world);
}

TEST_CASE("a gang is billed while one of it runs, not until a rank that never ran is given up") {
  Cloud c(2);
  const Id job = c.submit(c.request("h100:8x2"));
  REQUIRE(c.seen(job, RankSeen::State::running, 0, 0));
  c.pass(5'000'000);
  REQUIRE(c.seen(job, RankSeen::State::ended, 7, 0));
  c.pass(60'000'000);
  REQUIRE(c.seen(job, RankSeen::State::failed_to_start, 0, 1));
  CHECK(c.closed(job).interval.billed_s == 5);
  check_invariants(c.world);
}

TEST_CASE("a long job turns its quantum over; a correction gives back what was posted too far") {
  Cloud c(1);
  const Id job = c.submit(c.request("h100:1"));
  const Instant start = c.now;
  REQUIRE(c.seen(job, RankSeen::State::running));
  const Ticks per_second = 47'800 + 16 * 100 + 128 * 50;
  c.now = start + Duration::seconds(550);  // lead is 30 + 20
  REQUIRE(c.world.deadlines.begin()->first == c.now);
  c.tick();
  CHECK(c.wallet().debits_posted == per_second * 550);
  CHECK(c.wallet().debits_pending == per_second * 600);
  CHECK(c.world.job(job)->lease->paid_s == 1150);
  // The engine was away: the job really ended at 500 s.
  RankSeen late{job, 1, 0, RankSeen::State::ended, start, start + Duration::seconds(500)};
  c.pass(3'000'000);
  REQUIRE(c.run(Observe{late, c.now}));
  CHECK(c.closed(job).interval.billed_s == 500);
  CHECK(c.wallet().debits_posted - (c.wallet().credits_posted - 1'000'000 * base::ticks_per_usd) ==
        per_second * 500);
  CHECK(c.wallet().debits_pending == 0);
  check_invariants(c.world);
}

TEST_CASE(
    "credit that runs out: warned, then stopped inside what is paid; the rest is the house's") {
  Cloud c(1, "150");  // 1.50 USD; 4 GPUs burn 223,200 ticks/s: 241 s
  SubmitJob s = c.request("h100:4");
  s.job.time_limit_s = 0;
  CHECK(c.run(s).error().code == Code::insufficient_credit);  // not even one quantum
  REQUIRE(c.run(AddCredit{"demo", 300, ""}));                 // 4.50 USD: 725.8 s
  const Id job = c.submit(s);
  CHECK(c.world.state().projects[0].credit_low);  // the second quantum is not covered
  const Instant start = c.now;
  REQUIRE(c.seen(job, RankSeen::State::running));
  c.now = start + Duration::seconds(550);
  c.tick();
  CHECK(c.world.job(job)->lease->paid_s == 725);
  CHECK(available(c.wallet()) < 223'200);
  c.now = start + Duration::seconds(675);
  c.tick();
  CHECK(c.world.job(job)->state == JobState::stopping);
  CHECK(c.world.job(job)->stop_reason == StopReason::credit);
  c.now = start + Duration::seconds(730);  // the engine was slow: 5 s past what is paid
  REQUIRE(c.seen(job, RankSeen::State::ended, 143));
  const Interval& i = c.closed(job).interval;
  CHECK(i.billed_s == 725);
  CHECK(i.waived_s == 5);
  CHECK(c.closed(job).outcome == Outcome::cancelled);
  CHECK(available(c.wallet()) >= 0);
  check_invariants(c.world);
}

TEST_CASE("a lost rank is billed to the last instant it was known to run") {
  Cloud c(1);
  const Id job = c.submit(c.request("h100:1"));
  REQUIRE(c.seen(job, RankSeen::State::running));
  const Instant start = c.now;
  c.pass(60'000'000);
  RankSeen gone{job, 1, 0, RankSeen::State::absent};
  REQUIRE(c.run(Observe{gone, start + Duration::seconds(42)}));
  CHECK(c.closed(job).outcome == Outcome::lost);
  CHECK(c.closed(job).interval.billed_s == 42);
}

TEST_CASE("time limit, stop while queued, failed start") {
  Cloud c(1);
  SubmitJob limited = c.request("h100:8");
  limited.job.time_limit_s = 60;
  const Id job = c.submit(limited);
  CHECK(c.world.job(job)->lease->paid_s == 110);  // limit + grace + confirmation
  const Id waiting = c.submit(c.request("h100:1"));
  REQUIRE(c.run(StopJob{waiting, StopReason::asked, "stopped by ann"}));
  CHECK(c.world.job(waiting) == nullptr);
  REQUIRE(c.seen(job, RankSeen::State::running));
  c.pass(60'000'000);
  c.tick();
  REQUIRE(c.seen(job, RankSeen::State::ended, 143));
  CHECK(c.closed(job).outcome == Outcome::timed_out);

  const Id bad = c.submit(c.request("h100:1"));
  REQUIRE(c.seen(bad, RankSeen::State::failed_to_start));
  CHECK(c.closed(bad).outcome == Outcome::failed);
  CHECK(c.closed(bad).interval.billed_s == 0);
  CHECK(c.wallet().debits_pending == 0);
  check_invariants(c.world);
}

TEST_CASE("property: any interleaving keeps the books, the leases and the derived members right") {
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    CAPTURE(seed);
    base::SeededPrng prng(seed);
    const auto draw = [&](std::uint64_t n) { return prng.next() % n; };
    Cloud c(3, seed % 3 ? "2000" : "100000");
    std::vector<Id> jobs;
    for (int i = 0; i < 200; ++i) {
      c.pass(static_cast<std::int64_t>(draw(60'000'000)));
      const std::uint64_t what = draw(8);
      if (what < 3) {
        static const char* shapes[] = {"h100:1", "h100:4", "h100:8", "h100:8x2", "any:2", nullptr};
        const std::uint64_t shape = draw(6);
        SubmitJob s = c.request(shapes[shape], shape == 5 ? 1'000 : 0, shape == 5 ? 333 : 0);
        s.job.retries_left = static_cast<std::int64_t>(draw(2));
        s.job.time_limit_s = draw(2) ? 300 : 0;
        if (c.run(s)) jobs.push_back(s.job.id);
      } else if (what == 3 && !jobs.empty()) {
        (void)c.run(StopJob{jobs[draw(jobs.size())], StopReason::asked, "x"});
      } else if (what == 4) {
        c.tick();
      } else if (!jobs.empty()) {
        const Id id = jobs[draw(jobs.size())];
        const Job* job = c.world.job(id);
        if (!job || !job->lease) continue;
        const auto rank = static_cast<std::uint32_t>(draw(job->lease->ranks.size()));
        static const RankSeen::State states[] = {
            RankSeen::State::running, RankSeen::State::running, RankSeen::State::ended,
            RankSeen::State::failed_to_start, RankSeen::State::absent};
        const std::uint64_t state = draw(5);
        REQUIRE(c.seen(id, states[state], static_cast<std::int32_t>(draw(2)), rank));
      }
      if (i % 10 == 0) check_invariants(c.world);
    }
    check_invariants(c.world);
    World replayed;  // the facts, through JSON, fold to the same state
    for (const Fact& f : c.facts) {
      std::string text;
      write_fact(text, f);
      const auto back = read_fact(*base::parse_json(text));
      REQUIRE(back);
      evolve(replayed, *back);
    }
    CHECK(state_digest(replayed.state()) == state_digest(c.world.state()));
  }
}

TEST_CASE("rating: exact, and windows add up to the whole") {
  const Rates odd{1, 22'100, 1, 333, 100, 1'333, 50, 777};
  base::SeededPrng prng(7);
  for (int i = 0; i < 1000; ++i) {
    const auto b = static_cast<std::int64_t>(prng.next() % 1'000'000);
    const auto a = static_cast<std::int64_t>(prng.next() % 1'000'000) % (b + 1);
    CHECK(cost_between(odd, 0, a) + cost_between(odd, a, b) == amounts_at(odd, b).total());
  }
  CHECK(amounts_at({1, 47'800, 8, 1000, 100, 128'000, 50, 1'048'576}, 3600).total() ==
        4464 * base::ticks_per_usd / 100);
  CHECK(affordable_seconds(odd, 10, 600, cost_between(odd, 10, 77)) == 67);
}

TEST_CASE("GPU requests") {
  CHECK(parse_gpu_request("h100:8x4")->nodes == 4);
  CHECK(parse_gpu_request("h100")->gpus_per_node == 1);
  CHECK(parse_gpu_request("a100-80|h100:8")->skus.size() == 2);
  CHECK(parse_gpu_request("any>=40GB:2")->least_memory_mib == 40 * 1024);
  for (const char* bad :
       {"", "h100:", "h100:0", "h100:-1", "h100:65", "h100:8x0", "H100:1", "h100:8x", "|h100:1",
        "h100:99999999999999999999", "any>=:1", "any>40:1", "h100:8x4x2"})
    CHECK_MESSAGE(!parse_gpu_request(bad), bad);
  CHECK(parse_cpu_milli("0.5") == 500);
  CHECK_FALSE(parse_cpu_milli("0"));
  CHECK_FALSE(parse_cpu_milli("-1"));
  CHECK_FALSE(parse_cpu_milli("1.2345"));
  CHECK(parse_memory_mib("4GiB") == 4096);
  CHECK_FALSE(parse_memory_mib("4 GiB"));
  CHECK(parse_memory_mib("953TB"));
  CHECK_FALSE(parse_memory_mib("954TB"));  // over a billion MiB: could not be read back
}

}  // namespace ampacity::core
