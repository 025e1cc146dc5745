// Small worlds replayed through the production core, against waits worked out by hand.
#include <doctest/doctest.h>

#include <boost/json/parse.hpp>

#include "sim/convert.h"
#include "sim/report.h"

namespace ampacity::sim {
namespace {

constexpr std::int64_t second = 1'000'000;

TraceJob job(std::int64_t submit_s, std::int64_t run_s, std::uint32_t gpus,
             core::JobClass job_class = core::JobClass::on_demand, std::uint32_t nodes = 1) {
  TraceJob j;
  j.job_class = job_class;
  j.submit = base::Duration::seconds(submit_s);
  j.run = run_s < 0 ? base::Duration{-1} : base::Duration::seconds(run_s);
  j.gpus_per_node = gpus;
  j.nodes = nodes;
  return j;
}

Trace world_of(std::size_t nodes, std::vector<TraceJob> jobs) {
  Trace t;
  t.nodes = uniform_nodes(nodes, 8);
  t.project("p");
  t.sku_set("");
  t.jobs = std::move(jobs);
  for (std::size_t i = 0; i < t.jobs.size(); ++i) t.jobs[i].name = std::to_string(i);
  t.sort_jobs();
  return t;
}

ReplayPlan plan_of(core::Order order = core::Order::fair) {
  ReplayPlan plan;
  plan.policy.order = order;
  plan.policy.quantum_s = 86'400;
  return plan;
}

std::int64_t wait_s(const Trace& t, const ReplayResult& r, std::size_t i) {
  return (r.runs[i].ended_us - t.jobs[i].submit.us - t.jobs[i].run.us) / second;
}

}  // namespace

TEST_CASE("five jobs on two nodes wait as long as worked out by hand") {
  // GPUs 16: job 0 takes a node until 100, 1 the other until 50; 2 (a gang of both) can start at
  // 100 and runs until 130; 3 and 4 fit where 1 was, but only 3 is known to be gone by then.
  std::vector<TraceJob> jobs = {job(0, 100, 8), job(0, 50, 8),
                                job(10, 30, 8, core::JobClass::on_demand, 2), job(20, 40, 8),
                                job(200, 10, 1)};
  for (TraceJob& j : jobs) j.time_limit_s = j.run.whole_seconds();
  jobs[2].time_limit_s = 0;
  for (TraceJob& j : jobs)
    if (j.time_limit_s) j.time_limit_s += 5;
  const Trace t = world_of(2, jobs);
  const ReplayResult r = replay(t, plan_of(core::Order::fifo));
  for (const JobRun& run : r.runs) REQUIRE(run.succeeded);
  CHECK(wait_s(t, r, 0) == 0);
  CHECK(wait_s(t, r, 1) == 0);
  CHECK(wait_s(t, r, 2) == 90);
  CHECK(wait_s(t, r, 4) == 0);
  CHECK(r.end.us == 210 * second);
  const Report report = report_of(t, r);
  CHECK(report.gpus == 16);
  CHECK(report.done == 5);
  CHECK(report.makespan_s == doctest::Approx(210));
  // (100 + 50 + 60 + 40) × 8 + 10 GPU-seconds, all worked
  CHECK(r.worked_gpu_s == doctest::Approx(2010));
  CHECK(r.leased_gpu_s == doctest::Approx(2010));
  CHECK(report.ett_ratio == doctest::Approx(1));
  // 20,000 ticks a GPU-second
  CHECK(r.cost_of_project[0] == 2010 * 20'000);
}

TEST_CASE("the same trace has the same digest, another one has not") {
  std::vector<TraceJob> jobs;
  for (int i = 0; i < 300; ++i)
    jobs.push_back(job(i * 7 % 500, 30 + i * 37 % 211, 1u << (i % 4),
                       i % 3 ? core::JobClass::spot : core::JobClass::on_demand));
  const Trace t = world_of(3, jobs);
  const ReplayResult a = replay(t, plan_of());
  const ReplayResult b = replay(t, plan_of());
  CHECK(a.digest == b.digest);
  CHECK(a.facts == b.facts);
  jobs[17].run.us += second;
  CHECK(replay(world_of(3, jobs), plan_of()).digest != a.digest);
  for (const JobRun& run : a.runs) CHECK(run.succeeded);
}

TEST_CASE("a preempted job keeps what it saved, and pays the restart") {
  struct Case {
    std::int64_t checkpoint_s, restart_s, spot_wait_s;
  };
  // Spot runs from 0; at 100 on_demand takes the node for 50 s; then spot runs again.
  const Case cases[] = {{0, 0, 50}, {0, 60, 50 + 60}, {30, 60, 50 + 60 + 10}};
  for (const Case& c : cases) {
    const Trace t = world_of(1, {job(0, 300, 8, core::JobClass::spot), job(100, 50, 8)});
    ReplayPlan plan = plan_of();
    plan.review_every = {};
    plan.policy.spot_grace_s = 0;
    plan.grace_s = 0;
    plan.checkpoint_every = base::Duration::seconds(c.checkpoint_s);
    plan.restart_delay = base::Duration::seconds(c.restart_s);
    const ReplayResult r = replay(t, plan);
    REQUIRE(r.runs[0].succeeded);
    REQUIRE(r.runs[1].succeeded);
    CHECK(r.preemptions == 1);
    CHECK(wait_s(t, r, 1) == 0);
    CHECK(wait_s(t, r, 0) == c.spot_wait_s);
    CHECK(r.worked_gpu_s == doctest::Approx(350 * 8));
  }
}

TEST_CASE("what never ends does not hold the simulation, and a time limit does its work") {
  std::vector<TraceJob> jobs = {job(0, -1, 8), job(5, 10, 8)};
  Trace t = world_of(1, jobs);
  ReplayResult r = replay(t, plan_of());
  CHECK(report_of(t, r).never == 2);
  CHECK(r.end.us == 5 * second);
  jobs[0].time_limit_s = 100;
  t = world_of(1, jobs);
  r = replay(t, plan_of());
  const Report report = report_of(t, r);
  CHECK(report.cut == 1);
  CHECK(report.done == 1);
  CHECK(r.evictions == 1);
  CHECK(wait_s(t, r, 1) == 95);
}

TEST_CASE("start and stop delays, and an early end of the replay") {
  const Trace t = world_of(1, {job(0, 100, 1)});
  ReplayPlan plan = plan_of();
  plan.start_delay = base::Duration::seconds(20);
  ReplayResult r = replay(t, plan);
  CHECK(wait_s(t, r, 0) == 20);
  plan.until = base::Duration::seconds(60);
  r = replay(t, plan);
  CHECK(report_of(t, r).never == 1);
}

TEST_CASE("the report has every key that DESIGN names, and percentiles are nearest rank") {
  const Trace t = world_of(1, {job(0, 100, 8), job(0, 100, 8), job(0, 100, 8), job(0, 100, 8)});
  const Report report = report_of(t, replay(t, plan_of()));
  CHECK(report.wait_s_avg == doctest::Approx(150));
  CHECK(report.wait_s_p50 == doctest::Approx(100));
  CHECK(report.wait_s_p99 == doctest::Approx(300));
  const boost::json::value v = boost::json::parse(report_json(report));
  for (const char* key : {"jobs",
                          "gpus",
                          "decisions",
                          "decisions_per_s",
                          "decide_us_p50",
                          "decide_us_p99",
                          "wait_s_avg",
                          "wait_s_p50",
                          "wait_s_p99",
                          "jct_s_avg",
                          "makespan_s",
                          "gpu_allocated_pct",
                          "gpu_utilised_pct",
                          "preemptions",
                          "evictions",
                          "ett_ratio",
                          "cost_usd_by_project",
                          "digest",
                          "promises_made",
                          "promises_kept_pct",
                          "estimate_error_s_p50"})
    CHECK_MESSAGE(v.as_object().contains(key), key);
  std::vector<std::int64_t> values = {5, 1, 4, 2, 3};
  CHECK(nearest_rank(values, 0.5) == 3);
  CHECK(nearest_rank(values, 0.99) == 5);
  CHECK(nearest_rank(values, 0.2) == 1);
}

TEST_CASE("step times fall into buckets of a sixteenth of an octave") {
  StepTimes times;
  for (std::int64_t i = 1; i <= 1000; ++i) times.add(i * 1000);
  CHECK(times.quantile_us(0.5) == doctest::Approx(500).epsilon(0.07));
  CHECK(times.quantile_us(0.99) == doctest::Approx(990).epsilon(0.07));
  CHECK(times.count() == 1000);
}

}  // namespace ampacity::sim
