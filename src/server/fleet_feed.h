// The picture of every GPU for who looks at the fleet: everything once, then what changed.
//
//   commit ─▶ committed(): which nodes it touched ─┐
//   a slice of the fleet, turn about ──────────────┴▶ the loop is asked for their letters ─▶ what
//                                                     differs from what was seen ─▶ everyone
//
// Threads: one of its own from the first follower on; committed() from the loop, must not block.
// 1. Facts only make it faster: what none of them names (a window that begins by time alone) is
// seen by the sweep, which goes round in about a second. 2. Changes are sent together, at most
// every `round`; a look holds the loop for about `longest_look`, and all for no more than a tenth
// of its time. 3. Whoever is too slow for what a stream holds is cut off, and begins anew by
// itself. 4. The number of followers, and of nodes noted, is bounded.
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

// What is known of the fleet, by node, and what is new in a look at some of them.
class FleetPicture {
 public:
  struct Look {
    std::vector<std::pair<core::NodeIx, api::NodeLetters>> nodes;
    std::size_t fleet = 0;  // nodes there are
    std::uint64_t sequence = 0;
  };
  // Everything, as soon as each node was seen; then what differs, if anything does.
  std::optional<api::FleetEvent> take(Look look);
  api::FleetEvent everything() const;
  bool is_whole() const { return begun_ && unseen_ == 0; }
  std::size_t nodes() const { return nodes_.size(); }
  void forget() { *this = {}; }

 private:
  std::vector<api::NodeLetters> nodes_;  // state 0: not seen yet
  std::size_t unseen_ = 0;
  bool begun_ = false;
  std::uint64_t sequence_ = 0;
};

class FleetFeed {
 public:
  static constexpr base::Duration round = base::Duration::millis(60);
  static constexpr base::Duration longest_look = base::Duration::millis(2);
  static constexpr std::size_t rounds_of_sweep = 16;
  static constexpr std::size_t most_followers = 64, most_touched = 65'536;

  FleetFeed(Loop& loop, base::Clock& clock) : loop_(loop), clock_(clock) {}
  ~FleetFeed() { stop(); }
  void stop();
  // False: too many.
  bool follow(std::shared_ptr<net::Stream> stream);
  void committed(const core::World& after, const std::vector<core::Fact>& facts);

 private:
  void main();
  base::Duration show();  // what that took of the loop's time
  FleetPicture::Look look(std::vector<core::NodeIx> touched, base::Duration& took);

  Loop& loop_;
  base::Clock& clock_;
  FleetPicture picture_;     // these three are the thread's
  std::size_t next_ = 0;     // of the sweep
  std::size_t slice_ = 256;  // nodes of it at once
  std::atomic<bool> wanted_{false};
  base::Mutex mutex_;
  base::Condition wake_;
  std::vector<std::shared_ptr<net::Stream>> followers_, newcomers_;
  std::vector<core::NodeIx> touched_;
  bool stopping_ = false;
  base::Thread thread_;
};

}  // namespace ampacity::server
