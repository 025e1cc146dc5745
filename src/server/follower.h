// Folds what the leader commits into this server's world, as long as it follows.
// Threads: one of its own, which alone uses the tail. 1. The world shows a prefix of what is
// durable, in whole commits, never out of order.
#pragma once

#include <functional>
#include <string>

#include "base/threads.h"
#include "server/leadership.h"
#include "server/loop.h"
#include "store/tail.h"

namespace ampacity::server {

class Follower {
 public:
  static constexpr base::Duration every = base::Duration::millis(100);

  Follower(store::Tail tail, Loop& loop, Leadership& leadership,
           std::function<void(const std::string& why)> end_life)
      : tail_(std::move(tail)),
        loop_(loop),
        leadership_(leadership),
        end_life_(std::move(end_life)) {}
  ~Follower() { stop(); }
  void start();
  void stop();
  void poke();  // there is something to fold
  // After stop(): where the journal was read to.
  const store::ChainEnd& end() const { return tail_.end(); }

 private:
  void main();

  store::Tail tail_;
  Loop& loop_;
  Leadership& leadership_;
  const std::function<void(const std::string& why)> end_life_;
  base::Mutex mutex_;
  base::Condition wake_;
  bool poked_ = false;
  bool stopping_ = false;
  base::Thread thread_;
};

}  // namespace ampacity::server
