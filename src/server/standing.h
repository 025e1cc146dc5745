// The thread that contends for the lease and keeps it (server/leadership.h), as long as the server
// lives. Threads: start and stop by the owner; all else any.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/threads.h"
#include "server/leadership.h"

namespace ampacity::server {

class Standing {
 public:
  struct Events {
    std::function<void()> took;            // it leads from now on
    std::function<void()> leader_changed;  // another leads than before
    std::function<void(const std::string& why)> end_life;
  };
  // `table` makes a connection of its own; asked again after each fault.
  using OpenTable = std::function<base::Try<std::unique_ptr<store::LeaseTable>>()>;
  Standing(OpenTable open, Leadership& leadership, std::string holder, std::string url,
           Events events);
  ~Standing() { stop(); }
  void start();
  void stop();  // gives the lease back

 private:
  void main();
  Contender::Seen step();
  void unreachable(const std::string& why);

  const OpenTable open_;
  Leadership& leadership_;
  const std::string holder_, url_;
  const Events events_;
  std::unique_ptr<store::LeaseTable> table_;
  std::unique_ptr<Contender> contender_;
  bool said_unreachable_ = false;
  base::Mutex mutex_;
  base::Condition wake_;
  bool stopping_ = false;
  base::Thread thread_;
};

}  // namespace ampacity::server
