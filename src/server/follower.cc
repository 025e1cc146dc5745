#include "server/follower.h"

#include "base/log.h"

namespace ampacity::server {

void Follower::start() {
  thread_ = base::Thread([this] { main(); });
}

void Follower::stop() {
  {
    const base::Guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void Follower::poke() {
  {
    const base::Guard lock(mutex_);
    poked_ = true;
  }
  wake_.notify_all();
}

void Follower::main() {
  bool said = false;
  while (true) {
    const auto read = tail_.read_on(
        [this](std::uint64_t first, std::vector<core::Fact> facts) -> base::Try<void> {
          loop_.fold(first, std::move(facts));
          return {};
        });
    if (read) {
      leadership_.caught_up();
      said = false;
    } else if (!read.error().retryable) {
      // What was folded is no longer what is durable: a database that failed over and lost commits.
      return end_life_(read.error().message);
    } else if (!std::exchange(said, true)) {
      base::log_warn("follower: {}", read.error().message);
    }
    base::Lock lock(mutex_);
    (void)wake_.wait_for(lock, every, [this] { return stopping_ || poked_; });
    if (stopping_) return;
    poked_ = false;
  }
}

}  // namespace ampacity::server
