// views_bench [--gpus N] [--pending N] [--rounds N] [--json]
// How long the loop is held by what people look at: each view as a handler asks it of the world, in
// front of a busy cloud with `pending` waiting jobs, and with 300, for which the queue page shows
// when each should start (played in steps: server/queue_starts.h). Milliseconds, medians of
// `rounds`.
#include <fmt/format.h>
#include <time.h>

#include <algorithm>

#include "api/view_operate.h"
#include "api/views.h"
#include "core/busy_cloud_bench.h"

namespace ampacity::api::bench {
namespace {

using core::bench::BusyCloud;

// Of this thread: what others do meanwhile is not counted.
double cpu_ms() {
  timespec t{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) * 1e3 + static_cast<double>(t.tv_nsec) / 1e6;
}

template <typename F>
double median_ms(std::int64_t rounds, F&& f) {
  std::vector<double> ms;
  for (std::int64_t i = 0; i < rounds; ++i) {
    const double start = cpu_ms();
    f();
    ms.push_back(cpu_ms() - start);
  }
  std::sort(ms.begin(), ms.end());
  return ms[ms.size() / 2];
}

int run(int argc, char** argv) {
  const auto asked = core::bench::wanted(argc, argv, "--rounds", {45'000, 10'000});
  if (!asked) {
    fmt::print(stderr, "usage: views_bench [--gpus N] [--pending N] [--rounds N] [--json]\n");
    return 2;
  }
  BusyCloud cloud(static_cast<std::uint32_t>(asked->gpus));
  cloud.learn(3000);
  cloud.fill(core::JobClass::on_demand);
  cloud.fill(core::JobClass::spot);
  const core::World& w = cloud.world;
  std::size_t seen = 0;  // so that nothing is left out
  const auto ms = [&](auto&& view) {
    return median_ms(asked->times, [&] { seen += view(w, cloud.now); });
  };
  const auto queue = [](const core::World& world, base::Instant now) {
    return view_queue(world, 200, now, {}).items.size();
  };
  cloud.wait(300, 8);
  const double queue_300 = ms(queue);
  const double outlook = ms([](const auto& world, base::Instant now) {
    return static_cast<std::size_t>(!core::Outlook(world, now, 500).play(0));
  });
  const double forecast = ms(
      [](const auto& world, base::Instant now) { return core::forecast(world, now, 500).size(); });
  cloud.wait(asked->pending - 300, 8);
  const double long_queue = ms(queue);
  const double letters = ms([](const auto& world, base::Instant now) {
    std::size_t gpus = 0;
    for (core::NodeIx n = 0; n < world.state().nodes.size(); ++n)
      gpus += node_letters(world, n, now).gpus.size();
    return gpus;
  });
  const double map =
      ms([](const auto& world, base::Instant) { return view_fleet_map(world).nodes.size(); });
  const double revenue =
      ms([](const auto& world, base::Instant now) { return view_revenue(world, now).rows.size(); });
  const double waits = ms([](const auto& world, base::Instant now) {
    return view_waits(world, 0, 0, core::JobClass::on_demand, now).items.size();
  });
  const double why = ms([](const auto& world, base::Instant now) {
    const core::Job& last = world.queued(world.queue.rbegin()->first);
    return view_why(world, last, core::nobody, now).why.size();
  });
  if (asked->json)
    fmt::print(R"({{"bench": "views", "gpus": {}, "running": {}, "pending": {}, )"
               R"("queue_ms": {:.2f}, "queue_of_300_ms": {:.2f}, )"
               R"("outlook_begin_ms": {:.2f}, "forecast_ms": {:.1f}, "letters_ms": {:.2f}, )"
               R"("fleet_ms": {:.2f}, "revenue_ms": {:.2f}, "waits_ms": {:.2f}, "why_ms": {:.2f}, )"
               R"({}}})"
               "\n",
               asked->gpus, w.leased.size(), w.queue.size(), long_queue, queue_300, outlook,
               forecast, letters, map, revenue, waits, why, core::bench::machine_keys());
  else
    fmt::print(
        "{} GPUs, {} jobs running, {} waiting\n"
        "the queue       {:.2f} ms; of 300 waiting {:.2f} ms, their starts {:.2f} ms to begin, "
        "{:.1f} ms\n"
        "every letter    {:.2f} ms; the map {:.2f} ms\n"
        "revenue         {:.2f} ms\nwaits of a SKU  {:.2f} ms\nwhy one waits   {:.2f} ms\n",
        asked->gpus, w.leased.size(), w.queue.size(), long_queue, queue_300, outlook, forecast,
        letters, map, revenue, waits, why);
  return seen > 0 ? 0 : 1;
}

}  // namespace
}  // namespace ampacity::api::bench

int main(int argc, char** argv) { return ampacity::api::bench::run(argc, argv); }
