// place_bench --gpus N [--steps N] [--json]
// How fast one placement is decided on a nearly full cluster: copies of openb's nodes up to N GPUs,
// filled with random pods of its default list to 95 %, then churn: random leases end until less
// than 95 % is allocated, one random pod arrives. A decision is saw + best + take, or the answer
// that nothing fits; each is timed by itself (the clock's own time is in it), given-back leases
// not.
#include <algorithm>
#include <chrono>
#include <cstring>

#include "base/prng.h"
#include "core/openb_bench.h"

namespace ampacity::core::bench {
namespace {

using Clock = std::chrono::steady_clock;

struct Held {
  Grip grip;
  std::uint32_t pod = 0;
};

std::int64_t since_ns(Clock::time_point start) {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now() - start).count();
}

double peak_rss_mib() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with("VmHWM:")) return std::stod(line.substr(6)) / 1024;
  return 0;
}

struct Churn {
  const Openb& openb;
  base::SeededPrng prng{42};
  Packer packer;
  std::vector<Held> held;
  std::int64_t capacity = 0;
  std::int64_t allocated = 0;

  explicit Churn(const Openb& from, std::int64_t copies) : openb(from) {
    for (std::int64_t c = 0; c < copies; ++c)
      for (const NodeRoom& node : openb.nodes) {
        packer.add(node);
        capacity += std::int64_t{node.gpus} * 1000;
      }
  }

  bool below_target() const { return allocated * 100 < capacity * 95; }

  std::uint32_t arrival() { return static_cast<std::uint32_t>(prng.next() % openb.pods.size()); }

  bool decide(std::uint32_t pod) {
    const NodeNeed& need = openb.pods[pod];
    packer.saw(openb.skus, need);
    const auto grip = packer.best(openb.skus, need);
    if (!grip) return false;
    packer.take(*grip, need);
    held.push_back({*grip, pod});
    allocated += need.total_milli();
    return true;
  }

  void end_one() {
    const auto i = static_cast<std::size_t>(prng.next() % held.size());
    const Held h = held[i];
    held[i] = held.back();
    held.pop_back();
    packer.give(h.grip, openb.pods[h.pod]);
    allocated -= openb.pods[h.pod].total_milli();
  }

  void fill() {
    for (int refused = 0; below_target() && refused < 10'000;) refused += !decide(arrival());
  }
};

struct Timed {
  std::vector<std::uint32_t> ns;
  std::int64_t decide_ns = 0;
  std::int64_t give_ns = 0;
  std::int64_t refused = 0;
  double allocated_pct = 0;  // mean over the steps
};

Timed churn(Churn& c, std::int64_t steps) {
  Timed t;
  t.ns.reserve(static_cast<std::size_t>(steps));
  double sum = 0;
  for (std::int64_t step = 0; step < steps; ++step) {
    const auto give_start = Clock::now();
    while (!c.below_target() && !c.held.empty()) c.end_one();
    t.give_ns += since_ns(give_start);
    const std::uint32_t pod = c.arrival();
    const auto start = Clock::now();
    const bool placed = c.decide(pod);
    const std::int64_t ns = since_ns(start);
    t.ns.push_back(static_cast<std::uint32_t>(std::min<std::int64_t>(ns, 0xffff'ffff)));
    t.decide_ns += ns;
    t.refused += !placed;
    sum += static_cast<double>(c.allocated) / static_cast<double>(c.capacity);
  }
  t.allocated_pct = 100 * sum / static_cast<double>(steps);
  std::sort(t.ns.begin(), t.ns.end());
  return t;
}

double at_us(const Timed& t, double quantile) {
  const auto last = static_cast<double>(t.ns.size() - 1);
  return t.ns[static_cast<std::size_t>(quantile * last)] / 1000.0;
}

int run(int argc, char** argv) {
  std::int64_t gpus = 49'696, steps = 500'000;
  bool json = false, good = true;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    if (word == "--json")
      json = true;
    else if (word == "--gpus" && i + 1 < argc)
      gpus = std::strtoll(argv[++i], nullptr, 10);
    else if (word == "--steps" && i + 1 < argc)
      steps = std::strtoll(argv[++i], nullptr, 10);
    else
      good = false;
  }
  if (!good || gpus <= 0 || steps <= 0) {
    fmt::print(stderr, "usage: place_bench [--gpus N] [--steps N] [--json]\n");
    return 2;
  }
  const Openb openb = read_openb("default");
  std::int64_t one = 0;
  for (const NodeRoom& n : openb.nodes) one += n.gpus;
  const std::int64_t copies = std::max<std::int64_t>(1, (gpus + one / 2) / one);
  Churn c(openb, copies);
  c.fill();
  churn(c, steps / 10);  // warm
  const Timed t = churn(c, steps);
  const auto per_s = [&](std::int64_t ns) {
    return static_cast<double>(steps) * 1e9 / static_cast<double>(ns);
  };
  const double refused_pct = 100.0 * static_cast<double>(t.refused) / static_cast<double>(steps);
  if (json)
    fmt::print(
        R"({{"bench": "place", "gpus": {}, "nodes": {}, "decisions_per_s": {:.0f}, )"
        R"("decisions_per_s_with_give": {:.0f}, "p50_us": {:.2f}, "p99_us": {:.2f}, )"
        R"("max_us": {:.1f}, "allocated_pct": {:.2f}, "no_room_pct": {:.2f}, "rss_mib": {:.0f}, )"
        R"("steps": {}, {}}})"
        "\n",
        copies * one, c.packer.size(), per_s(t.decide_ns), per_s(t.decide_ns + t.give_ns),
        at_us(t, 0.5), at_us(t, 0.99), at_us(t, 1), t.allocated_pct, refused_pct, peak_rss_mib(),
        steps, machine_keys());
  else
    fmt::print(
        "{} GPUs, {} nodes: {:.0f} decisions/s ({:.0f} with giving back), p50 {:.2f} us, p99 "
        "{:.2f} us, longest {:.1f} us, {:.2f} % allocated, {:.2f} % had no room, {:.0f} MiB\n",
        copies * one, c.packer.size(), per_s(t.decide_ns), per_s(t.decide_ns + t.give_ns),
        at_us(t, 0.5), at_us(t, 0.99), at_us(t, 1), t.allocated_pct, refused_pct, peak_rss_mib());
  return 0;
}

}  // namespace
}  // namespace ampacity::core::bench

int main(int argc, char** argv) { return ampacity::core::bench::run(argc, argv); }
