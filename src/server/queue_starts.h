// When each waiting job should start, for who looks at the queue: played forward in steps, between
// which the loop does its work. Threads: any but the loop's; who asks may wait for the playing.
// 1. A step holds the loop for about `longest_step`, the first one (the fleet is copied) for longer
// where it is large; all of them for at most a tenth of its time. 2. It is not played again before
// twenty times what it cost has passed: until then, and while it is played, the answer is the one
// before. 3. After `longest_play` it ends where it is. 4. Long queues have none.
#pragma once

#include <map>
#include <memory>

#include "base/threads.h"
#include "base/time.h"

namespace ampacity::server {

class Loop;

class QueueStarts {
 public:
  static constexpr std::size_t most_waiting = 300;
  static constexpr base::Duration longest_step = base::Duration::millis(2);
  static constexpr base::Duration longest_play = base::Duration::seconds(2);
  using Starts = std::map<std::uint64_t, base::Instant>;  // by queue_order

  QueueStarts(Loop& loop, base::Clock& clock) : loop_(loop), clock_(clock) {}
  std::shared_ptr<const Starts> latest();

 private:
  Starts play(base::Duration& cost);

  Loop& loop_;
  base::Clock& clock_;
  base::Mutex mutex_;
  base::Condition played_;
  std::shared_ptr<const Starts> starts_;
  bool playing_ = false;
  base::Duration next_;  // not before, since the machine's start
};

}  // namespace ampacity::server
