// The picture of every GPU for who looks at the fleet: everything once, then what changed.
//
//   commit ─▶ committed(): wakes ─▶ the world is asked for its letters ─▶ what differs ─▶ everyone
//
// Threads: one of its own from the first follower on; committed() from the loop, must not block.
// 1. Changes are sent together, at most every `round` and never for more than a tenth of the loop's
// time. 2. Whoever is too slow for what a stream holds is cut off, and begins anew by itself. 3.
// The number of followers is bounded.
#pragma once

#include <atomic>
#include <memory>
#include <vector>

#include "api/views.h"
#include "base/threads.h"
#include "base/time.h"
#include "net/http_server.h"

namespace ampacity::server {

class Loop;

class FleetFeed {
 public:
  static constexpr base::Duration round = base::Duration::millis(60);
  static constexpr std::size_t most_followers = 64;

  FleetFeed(Loop& loop, base::Clock& clock) : loop_(loop), clock_(clock) {}
  ~FleetFeed() { stop(); }
  void stop();
  // False: too many.
  bool follow(std::shared_ptr<net::Stream> stream);
  void committed();

 private:
  struct Seen {
    api::FleetLetters letters;
    std::vector<std::uint32_t> first_gpu;  // by node, and one past the last
    std::uint64_t sequence = 0;
  };
  void main();
  base::Duration show();  // what that took of the loop's time
  Seen look();

  Loop& loop_;
  base::Clock& clock_;
  Seen last_;  // the thread's
  std::atomic<bool> wanted_{false};
  base::Mutex mutex_;
  base::Condition wake_;
  std::vector<std::shared_ptr<net::Stream>> followers_, newcomers_;
  bool changed_ = false;
  bool stopping_ = false;
  base::Thread thread_;
};

// What tells the one from the other: everything where nodes were added.
api::FleetEvent fleet_difference(const api::FleetLetters& before, const api::FleetLetters& after,
                                 const std::vector<std::uint32_t>& first_gpu);

}  // namespace ampacity::server
