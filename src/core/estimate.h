// When waiting work should start: the queue played forward on a copy of the fleet, with the run
// times that were learnt. An estimate, not a promise: who comes later may change it.
#pragma once

#include <map>
#include <memory>

#include "core/place.h"

namespace ampacity::core {

struct Start {
  Instant expected;   // as if everything ran its median time
  Instant likely_by;  // as if everything ran as long as eight of ten do
};

// Of a waiting job, or of one that is not in the world yet (then as if it were submitted now).
// nullopt: not within 60 days.
std::optional<Start> estimate_start(const World& world, const Job& job, Instant now);

// Of every waiting job, by queue_order, as if everything ran as long as `permille` of such work
// does. Stops after `until` has its start, if that is not zero.
std::map<std::uint64_t, Instant> forecast(const World& world, Instant now, std::int64_t permille,
                                          const Job* beside = nullptr, std::uint64_t until = 0);

// The same in steps, so that a long queue before a large fleet holds nobody up: the world may go on
// between them. What is copied stands for the instant of its making.
class Outlook {
 public:
  Outlook(const World& world, Instant now, std::int64_t permille);
  ~Outlook();
  // So many ends of running work further; true: it is done.
  bool play(std::size_t ends);
  // As far as it was played; whoever starts early is there early.
  const std::map<std::uint64_t, Instant>& starts() const;

 private:
  struct Inside;
  std::unique_ptr<Inside> inside_;
};

}  // namespace ampacity::core
