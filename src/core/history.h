// What run times were, so that what is unknown can be guessed: counts in half octaves of seconds
// over all jobs, per size, per project, and per name and size in a project; each level is pulled
// towards the wider one as if that were `pull` runs, and the widest towards an even spread over all
// octaves. So a guess is always there, always finite, and what has run long is expected to run
// longer still.
#pragma once

#include <span>
#include <string_view>

#include "core/world.h"

namespace ampacity::core {

inline constexpr std::size_t run_buckets = 48;  // up to 2^24 s, 194 days
inline constexpr std::size_t most_histories = 20'000;
inline constexpr std::uint32_t most_counted = 1024;  // then every count is halved: old runs fade
inline constexpr std::uint32_t pull = 8;

// "train-0017" and "train-0018" are the same work: the name up to its last number.
std::string_view stem_of(std::string_view job_name);

// The seconds that a bucket begins at: 1, 1.4, 2, 2.8, 4 …
std::int64_t bucket_begin_s(std::size_t bucket);
std::size_t bucket_of(std::int64_t seconds);

// Where a job's run time is looked up and counted, the widest first.
using HistoryName = std::pair<ProjectIx, std::string>;
std::array<HistoryName, 4> history_names(const Job& job);
void count_run(History& history, std::int64_t run_s);

// The distribution of a job's run time, as far as it was learnt. All results are whole seconds of
// run time, of those runs that have already run for `attained_s`.
class RunTimes {
 public:
  RunTimes(const World& world, const Job& job);
  // In all, at least attained_s + 1: `permille` of the runs stay within it.
  std::int64_t within_s(std::int64_t attained_s, std::int64_t permille) const;
  // The mean of what is left.
  std::int64_t mean_left_s(std::int64_t attained_s) const;
  // The least, over all stretches it could be given next, of (time it would use of the stretch) /
  // (chance that it ends in it): Gittins' index, whose order minimises the mean wait when only the
  // distribution is known (Gittins 1979; Scully, Harchol-Balter, Scheller-Wolf 2018).
  std::int64_t gittins_s(std::int64_t attained_s) const;

 private:
  struct Tail;                                       // the buckets from attained_s on
  std::array<std::uint32_t, run_buckets> weight_{};  // below 2^21
};

// Run so far: in closed leases, and in this one until now.
std::int64_t attained_s(const Job& job, Instant now);

// How long a leased or waiting job will run in all: what its owner said, or what was learnt; never
// beyond its time limit.
std::int64_t expected_s(const World& world, const Job& job, std::int64_t attained,
                        std::int64_t permille);

}  // namespace ampacity::core
