// pack_bench --trace openb|openb-gpushare40|openb-gpushare100 [--json] [--seeds N]
// How much of a cluster gets used: pods arrive one by one until 130 % of the GPUs are asked for,
// none leaves, none is tried twice (the protocol of FGD, USENIX ATC'23). Each seed has its own
// order of pods and of nodes. The packer knows nothing beforehand; it sees each pod as it arrives.
#include <cmath>
#include <cstring>

#include "base/prng.h"
#include "core/openb_bench.h"

namespace ampacity::core::bench {
namespace {

constexpr std::uint64_t first_seed = 42;

std::size_t draw(base::Prng& prng, std::size_t below) {
  return static_cast<std::size_t>(prng.next() % below);
}

template <typename T>
void shuffle(std::vector<T>& items, base::Prng& prng) {
  for (std::size_t i = items.size(); i > 1; --i) std::swap(items[i - 1], items[draw(prng, i)]);
}

struct Filled {
  double at_100_pct = 0;
  double at_130_pct = 0;
  std::uint64_t digest = 0;
};

Filled fill(const Openb& openb, std::uint64_t seed) {
  base::SeededPrng prng(seed);
  std::vector<NodeNeed> pods = openb.pods;
  std::int64_t capacity = 0, asked = 0;
  for (const NodeRoom& n : openb.nodes) capacity += std::int64_t{n.gpus} * 1000;
  for (const NodeNeed& p : pods) asked += p.total_milli();
  while (asked * 10 < capacity * 13) {
    pods.push_back(openb.pods[draw(prng, openb.pods.size())]);
    asked += pods.back().total_milli();
  }
  shuffle(pods, prng);
  std::vector<NodeRoom> nodes = openb.nodes;
  shuffle(nodes, prng);

  Packer packer;
  for (const NodeRoom& n : nodes) packer.add(n);
  std::int64_t arrived = 0, allocated = 0;
  Filled filled;
  for (const NodeNeed& pod : pods) {
    packer.saw(openb.skus, pod);
    arrived += pod.total_milli();
    if (const auto grip = packer.best(openb.skus, pod)) {
      packer.take(*grip, pod);
      allocated += pod.total_milli();
    }
    const double pct = 100.0 * static_cast<double>(allocated) / static_cast<double>(capacity);
    if (filled.at_100_pct == 0 && arrived >= capacity) filled.at_100_pct = pct;
    filled.at_130_pct = pct;
  }
  filled.digest = packer.digest();
  return filled;
}

int run(int argc, char** argv) {
  std::string trace = "openb";
  bool json = false;
  std::uint64_t seeds = 10;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    if (word == "--json")
      json = true;
    else if (word == "--trace" && i + 1 < argc)
      trace = argv[++i];
    else if (word == "--seeds" && i + 1 < argc)
      seeds = std::strtoull(argv[++i], nullptr, 10);
    else
      trace.clear();
  }
  const std::string list = trace == "openb"               ? "default"
                           : trace == "openb-gpushare40"  ? "gpushare40"
                           : trace == "openb-gpushare100" ? "gpushare100"
                                                          : "";
  if (list.empty() || seeds == 0) {
    fmt::print(stderr,
               "usage: pack_bench --trace openb|openb-gpushare40|openb-gpushare100 "
               "[--seeds N] [--json]\n");
    return 2;
  }
  const Openb openb = read_openb(list);
  double sum = 0, squares = 0, sum_100 = 0;
  std::uint64_t digest = 0;
  for (std::uint64_t s = first_seed; s < first_seed + seeds; ++s) {
    const Filled f = fill(openb, s);
    if (!json) fmt::print("seed {}: {:.3f} % (at 100 %: {:.3f})\n", s, f.at_130_pct, f.at_100_pct);
    sum += f.at_130_pct;
    squares += f.at_130_pct * f.at_130_pct;
    sum_100 += f.at_100_pct;
    digest = (digest ^ f.digest) * 0x9e37'79b9'7f4a'7c15;
  }
  const auto n = static_cast<double>(seeds);
  const double mean = sum / n;
  const double deviation = std::sqrt(std::max(0.0, squares / n - mean * mean));
  const std::string ties =
      "fullest card; fewest free cards (CPU work: GPUs), least CPU by class, lowest node";
  if (json)
    fmt::print(
        R"({{"bench": "pack", "trace": "{}", "allocated_pct": {:.3f}, "deviation_pct": {:.3f}, )"
        R"("allocated_at_100_pct": {:.3f}, "seeds": {}, "ties": "{}", "digest": "{:016x}", {}}})"
        "\n",
        trace, mean, deviation, sum_100 / n, seeds, ties, digest, machine_keys());
  else
    fmt::print("{}: {:.3f} % ± {:.3f} allocated at 130 % arrived, {:.3f} % at 100 %; ties: {}\n",
               trace, mean, deviation, sum_100 / n, ties);
  return 0;
}

}  // namespace
}  // namespace ampacity::core::bench

int main(int argc, char** argv) { return ampacity::core::bench::run(argc, argv); }
