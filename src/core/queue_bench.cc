// queue_bench [--gpus N] [--pending N] [--passes N] [--json]
// How long one full pass over a long queue takes: nodes of 8 GPUs of two kinds, full of running
// work (on_demand and spot, cards and gangs, half with time limits, run times learnt from 3,000
// ended jobs), and jobs that wait, drawn one by one from 20 projects, 12 names, 9 shapes and 5
// limits. After twenty minutes of reviews without promises five empty nodes come back and
// promises are switched on, so the pass must make them. The pass is step(Tick): order, backfill,
// whom to preempt, promises. Each of `passes` is on its own copy of the world. `again_ms`: the next
// pass, on what the first one left. `end_ms`: a job ends there, and what follows. `burst_ms`: the
// first review after all came at once, with hundreds of preemptions.
#include <algorithm>

#include "core/busy_cloud_bench.h"

namespace ampacity::core::bench {
namespace {

struct Found_ {
  std::size_t started = 0, claims = 0, told = 0, promises = 0;
  std::string digest;  // of its facts
};

Found_ count(const std::vector<Fact>& facts) {
  Found_ f;
  std::string all;
  for (const Fact& fact : facts) {
    f.started += std::holds_alternative<LeaseGranted>(fact.body);
    f.claims += std::holds_alternative<ClaimMade>(fact.body);
    f.told += std::holds_alternative<StopOrdered>(fact.body);
    f.promises += std::holds_alternative<PromiseMade>(fact.body);
    write_fact(all, fact);
  }
  f.digest = base::to_hex(base::sha256(all)).substr(0, 8);
  return f;
}

double pass(World& world, Instant now, Found_& found) {
  std::vector<Fact> facts;
  const auto start = Clock::now();
  const auto done = step(world, Tick{}, now, "bench", facts);
  const double ms = since_ms(start);
  CHECK_THAT(done, "a tick is never refused");
  found = count(facts);
  return ms;
}

double median(std::vector<double> v) {
  std::sort(v.begin(), v.end());
  return v[v.size() / 2];
}

int run(int argc, char** argv) {
  const auto asked = wanted(argc, argv, "--passes", {8'000, 10'000});
  if (!asked) {
    fmt::print(stderr, "usage: queue_bench [--gpus N] [--pending N] [--passes N] [--json]\n");
    return 2;
  }
  const auto [gpus, pending, passes, json] = *asked;
  BusyCloud cloud(static_cast<std::uint32_t>(gpus));
  cloud.learn(3000);
  cloud.cordon();
  cloud.fill(JobClass::on_demand);
  cloud.fill(JobClass::spot);
  cloud.wait(pending, 8);
  std::vector<double> burst, first, again, ends, forecasts;
  Found_ at_once, found, later;
  for (std::int64_t i = 0; i < std::min<std::int64_t>(3, passes); ++i) {
    World world = cloud.world;
    burst.push_back(pass(world, cloud.now + Duration::seconds(1), at_once));
  }
  cloud.settle(pending);
  cloud.promise(Policy{}.promises_per_class);
  cloud.uncordon();
  const std::size_t running = cloud.world.leased.size();
  for (std::int64_t i = 0; i < passes; ++i) {
    World world = cloud.world;
    const Instant now = cloud.now + Duration::seconds(1);
    first.push_back(pass(world, now, found));
    again.push_back(pass(world, now + Duration::seconds(1), later));
    ends.push_back(cloud.end_ms(world));
    const auto start = Clock::now();
    const auto starts = forecast(world, now + Duration::seconds(1), 500);
    forecasts.push_back(since_ms(start));
    CHECK_THAT(!starts.empty(), "somebody starts some day");
  }
  const std::size_t waiting = cloud.world.queue.size(), kinds = cloud.world.waiting.size();
  const double best = *std::min_element(first.begin(), first.end());
  if (json)
    fmt::print(R"({{"bench": "queue", "gpus": {}, "running": {}, "pending": {}, "kinds": {}, )"
               R"("pass_ms": {:.1f}, "pass_ms_best": {:.1f}, "promises": {}, "started": {}, )"
               R"("claims": {}, "told_to_stop": {}, "digest": "{}", "again_ms": {:.1f}, )"
               R"("burst_ms": {:.1f}, "burst_told_to_stop": {}, )"
               R"("end_ms": {:.1f}, "forecast_ms": {:.0f}, {}}})"
               "\n",
               gpus, running, waiting, kinds, median(first), best, found.promises, found.started,
               found.claims, found.told, at_once.digest + found.digest + later.digest,
               median(again), median(burst), at_once.told, median(ends), median(forecasts),
               machine_keys());
  else
    fmt::print(
        "{} GPUs, {} of them free, {} jobs running, {} waiting in {} kinds\n"
        "a pass      {:.1f} ms (best {:.1f}): {} promises, {} started, {} claims, {} told to stop\n"
        "the next    {:.1f} ms: {} promises, {} started, {} claims, {} told to stop\n"
        "all at once {:.1f} ms: {} promises, {} started, {} claims, {} told to stop\n"
        "one job ends {:.1f} ms; a forecast {:.0f} ms\n",
        gpus, cloud.free_gpus(), running, waiting, kinds, median(first), best, found.promises,
        found.started, found.claims, found.told, median(again), later.promises, later.started,
        later.claims, later.told, median(burst), at_once.promises, at_once.started, at_once.claims,
        at_once.told, median(ends), median(forecasts));
  return found.promises > 0 ? 0 : 1;
}

}  // namespace
}  // namespace ampacity::core::bench

int main(int argc, char** argv) { return ampacity::core::bench::run(argc, argv); }
