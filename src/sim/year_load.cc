#include "sim/year_load.h"

#include <algorithm>
#include <array>
#include <span>

#include "base/money.h"
#include "sim/year_fleet.h"

namespace ampacity::sim {
namespace {

using core::JobClass;

struct LoadKind {
  std::uint32_t gpus;
  std::int64_t permille;
  std::int64_t median_s;
  std::int64_t sigma_q8;  // of log2
};

// Sizes and run times after the shares of Microsoft's ITP trace (83 % of its jobs have one GPU, the
// mean is 5 h), with more and larger gangs, as a fleet for training has them.
constexpr std::array<LoadKind, 12> newest = {{{1, 400, 600, 563},
                                              {1, 150, 10'800, 410},
                                              {2, 60, 7'200, 410},
                                              {4, 80, 9'000, 410},
                                              {8, 60, 1'200, 512},
                                              {8, 103, 18'000, 410},
                                              {16, 60, 18'000, 410},
                                              {32, 45, 21'600, 384},
                                              {64, 28, 21'600, 384},
                                              {128, 9, 21'600, 384},
                                              {256, 4, 28'800, 333},
                                              {512, 1, 28'800, 333}}};
constexpr std::array<LoadKind, 8> middle = {{{1, 450, 900, 512},
                                             {1, 150, 10'800, 410},
                                             {2, 70, 9'000, 410},
                                             {4, 90, 14'400, 384},
                                             {8, 140, 21'600, 384},
                                             {16, 50, 21'600, 384},
                                             {32, 30, 28'800, 384},
                                             {64, 20, 28'800, 333}}};
constexpr std::array<LoadKind, 5> oldest = {{{1, 500, 3'600, 512},
                                             {2, 150, 14'400, 410},
                                             {4, 150, 21'600, 410},
                                             {8, 150, 28'800, 410},
                                             {16, 50, 36'000, 384}}};
constexpr std::array<LoadKind, 5> reserved_kinds = {{{1, 150, 3'600, 512},
                                                     {8, 400, 18'000, 384},
                                                     {16, 230, 21'600, 384},
                                                     {32, 140, 21'600, 384},
                                                     {64, 80, 28'800, 333}}};

constexpr std::int64_t longest_s = 12 * 86'400;
constexpr std::int64_t year_us = 365 * day_us;
constexpr std::int64_t draws_to_measure = 1 << 17;
constexpr std::int64_t reserved_use_permille = 650;

std::span<const LoadKind> kinds_of(std::uint32_t sku, bool reserved) {
  if (reserved) return reserved_kinds;
  if (sku == 0) return newest;
  return sku == 1 ? std::span<const LoadKind>(middle) : std::span<const LoadKind>(oldest);
}

constexpr std::array<std::int64_t, 24> of_hour = {860,  840,  830,  830,  850,  890,  940,  1000,
                                                  1060, 1110, 1140, 1150, 1150, 1150, 1150, 1140,
                                                  1120, 1090, 1060, 1030, 1000, 970,  930,  890};
constexpr std::int64_t busiest_permille = 1'250;

}  // namespace

std::int64_t busy_permille(std::int64_t us) {
  const auto hour = static_cast<std::size_t>(us / hour_us % 24);
  const std::int64_t weekday = us / day_us % 7;
  const std::int64_t of_day = weekday >= 5 ? 880 : 1048;  // their mean over a week is 1000
  return of_hour[hour] * of_day / 1000;
}

YearLoad::YearLoad(const YearFleet& fleet, std::uint64_t seed, std::int64_t load_permille)
    : fleet_(fleet), arrivals_(seed * 4 + 1), jobs_(seed * 4 + 2) {
  std::int64_t sum = 0;
  for (std::uint32_t p = 0; p < fleet.projects; ++p)
    heap_of_project_.push_back(sum += 1'000'000 / (p + 6));
  std::array<std::int64_t, 3> reserved{};
  for (std::size_t r = 0; r < fleet.reservations.size(); ++r) {
    const auto& res = fleet.reservations[r];
    Stream s{res.sku, static_cast<std::int32_t>(r), std::max<std::int64_t>(1, res.nodes / 2), 0, 0};
    measure(s, std::int64_t{res.nodes} * node_gpus * reserved_use_permille);
    reserved[res.sku] += std::int64_t{res.nodes} * node_gpus * reserved_use_permille;
    streams_.push_back(s);
  }
  for (std::uint32_t k = 0; k < fleet.nodes_of_sku.size(); ++k) {
    const std::int64_t nodes = fleet.nodes_of_sku[k];
    const std::int64_t gpus_permille = nodes * node_gpus * load_permille - reserved[k];
    if (nodes == 0 || gpus_permille <= 0) continue;
    Stream s{k, -1, std::max<std::int64_t>(1, fleet.least_leaf[k] / 2), 0, 0};
    measure(s, gpus_permille);
    streams_.push_back(s);
  }
  for (const Stream& s : streams_) per_year_ += s.per_year;
}

// The mean job, by drawing many with dice of their own; from it how many come in a year.
void YearLoad::measure(Stream& s, std::int64_t gpus_permille) const {
  Dice dice(0x5eed + s.sku);
  base::Wide sum = 0;
  for (std::int64_t i = 0; i < draws_to_measure; ++i) {
    const YearJob job = drawn(dice, s);
    sum += static_cast<base::Wide>(job.cancel_us ? job.cancel_us : job.run_us) * job.gpus();
  }
  s.mean_gpu_us = std::max<std::int64_t>(1, static_cast<std::int64_t>(sum / draws_to_measure));
  s.per_year = static_cast<std::int64_t>(static_cast<base::Wide>(gpus_permille) * year_us / 1000 /
                                         s.mean_gpu_us);
}

std::int64_t YearLoad::next_arrival(std::int64_t after_us) {
  const std::int64_t mean =
      year_us / std::max<std::int64_t>(1, per_year_ * busiest_permille / 1000);
  std::int64_t t = after_us;
  while (true) {
    t += std::max<std::int64_t>(1, arrivals_.exponential(mean));
    if (arrivals_.below(busiest_permille) < busy_permille(t)) return t;
  }
}

YearJob YearLoad::draw() {
  std::int64_t at = jobs_.below(per_year_);
  std::size_t s = 0;
  while (s + 1 < streams_.size() && at >= streams_[s].per_year) at -= streams_[s++].per_year;
  return drawn(jobs_, streams_[s]);
}

YearJob YearLoad::drawn(Dice& dice, const Stream& s) const {
  const auto kinds = kinds_of(s.sku, s.reservation >= 0);
  YearJob job;
  job.sku = s.sku;
  job.reservation = s.reservation;
  std::int64_t at = dice.below(1000);
  while (job.kind + 1 < kinds.size() && at >= kinds[job.kind].permille)
    at -= kinds[job.kind++].permille;
  const LoadKind& kind = kinds[job.kind];
  if (s.reservation >= 0) {
    job.project = fleet_.reservations[static_cast<std::size_t>(s.reservation)].project;
    job.job_class = JobClass::reserved;
  } else {
    const std::int64_t share = dice.below(heap_of_project_.back());
    job.project = static_cast<std::uint32_t>(std::ranges::upper_bound(heap_of_project_, share) -
                                             heap_of_project_.begin());
    job.job_class = dice.chance(300) ? JobClass::spot : JobClass::on_demand;
    job.or_newer = s.sku == 1 && job.kind < 5 && dice.chance(100);
  }
  job.gpus_per_node = std::min(kind.gpus, node_gpus);
  job.nodes = static_cast<std::uint32_t>(
      std::min<std::int64_t>(std::max<std::uint32_t>(1, kind.gpus / node_gpus), s.most_nodes));
  // Each project's own work of a kind is longer or shorter, up to half an octave.
  const std::int64_t own =
      static_cast<std::int64_t>((job.project * 2'654'435'761ULL + job.kind * 40'503ULL) % 65'536) -
      32'768;
  const std::int64_t median = kind.median_s * exp2_q16(own) >> 16;
  const std::int64_t run_s =
      std::clamp<std::int64_t>(dice.lognormal(median, kind.sigma_q8), 20, longest_s);
  job.run_us = run_s * 1'000'000 + dice.below(1'000'000);
  behaviour(dice, job);
  return job;
}

void YearLoad::behaviour(Dice& dice, YearJob& job) const {
  const std::int64_t gpus = job.gpus();
  if (gpus >= 64)
    job.checkpoint_us = 1'800'000'000;
  else if (gpus >= 8 || job.run_us > 2 * hour_us)
    job.checkpoint_us = 3'600'000'000;
  job.saves_on_stop = job.checkpoint_us && dice.chance(700);
  job.fails = gpus < 64 && dice.chance(60);
  if (dice.chance(30))
    job.cancel_us = std::max<std::int64_t>(1'000'000, job.run_us / 1000 * dice.below(1000));
  if (!dice.chance(500)) return;
  constexpr std::array<std::int64_t, 8> limits = {3'600,   14'400,  43'200,  86'400,
                                                  172'800, 345'600, 691'200, 1'382'400};
  const std::int64_t wanted = job.run_us / 1'000'000 * (dice.chance(15) ? 1 : 3) / 2;
  for (const std::int64_t limit : limits)
    if (job.time_limit_s == 0 && limit >= wanted) job.time_limit_s = limit;
}

core::Ticks YearLoad::spend_of_day(std::uint32_t project) const {
  base::Wide ticks = 0;
  for (const Stream& s : streams_)
    if (s.reservation < 0)
      ticks += static_cast<base::Wide>(s.per_year) * s.mean_gpu_us / 1'000'000 *
               list_prices[s.sku] / 365;
  const std::int64_t own =
      heap_of_project_[project] - (project ? heap_of_project_[project - 1] : 0);
  return static_cast<core::Ticks>(ticks * own / heap_of_project_.back());
}

}  // namespace ampacity::sim
