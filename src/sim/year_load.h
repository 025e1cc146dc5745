// What the fleet of the simulated year is asked for: kinds of jobs with sizes and run times like
// those of public traces (most jobs have one GPU and are short, most GPU-time is of gangs),
// arrivals by hour and weekday, and how owners behave. Integers alone; one thread.
#pragma once

#include <vector>

#include "core/model.h"
#include "sim/year_dice.h"

namespace ampacity::sim {

inline constexpr std::uint32_t node_gpus = 8;
inline constexpr std::int64_t hour_us = 3'600'000'000, day_us = 24 * hour_us;

struct YearJob {
  std::uint32_t project = 0;
  std::uint32_t sku = 0;  // the first it would take
  bool or_newer = false;  // or the next dearer one
  std::uint32_t gpus_per_node = 1;
  std::uint32_t nodes = 1;
  std::uint32_t kind = 0;
  std::int32_t reservation = -1;
  core::JobClass job_class = core::JobClass::on_demand;
  std::int64_t run_us = 0;     // of work
  std::int64_t cancel_us = 0;  // its owner stops it after so long; 0: never
  std::int64_t time_limit_s = 0;
  std::int64_t checkpoint_us = 0;  // between two; 0: it makes none
  bool saves_on_stop = false;
  bool fails = false;  // at its end, by itself
  std::int64_t gpus() const { return std::int64_t{nodes} * gpus_per_node; }
};

struct YearFleet;  // sim/year_fleet.h

class YearLoad {
 public:
  YearLoad(const YearFleet& fleet, std::uint64_t seed, std::int64_t load_permille);
  // The next arrival after `after_us`, and what comes then.
  std::int64_t next_arrival(std::int64_t after_us);
  YearJob draw();
  // What a project is expected to spend in a day, GPUs alone: for its wallet.
  core::Ticks spend_of_day(std::uint32_t project) const;

 private:
  struct Stream {
    std::uint32_t sku = 0;
    std::int32_t reservation = -1;
    std::int64_t most_nodes = 1;
    std::int64_t mean_gpu_us = 0;
    std::int64_t per_year = 0;  // jobs
  };
  YearJob drawn(Dice& dice, const Stream& stream) const;
  void behaviour(Dice& dice, YearJob& job) const;
  void measure(Stream& stream, std::int64_t gpus_permille) const;

  const YearFleet& fleet_;
  Dice arrivals_, jobs_;
  std::vector<Stream> streams_;
  std::int64_t per_year_ = 0;
  std::vector<std::int64_t> heap_of_project_;  // cumulative weights
};

// Of an hour of the week, how busy it is, in permille of the mean.
std::int64_t busy_permille(std::int64_t us);

}  // namespace ampacity::sim
