// What stays open after it was answered (events, logs, the fleet, terminals), and by whose right:
// ended when that ends. Threads: any.
// 1. A line ends with its key's revocation and with its session's closing, at once; one that is
// open when a session's time is up goes on until it is closed.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "base/threads.h"
#include "net/http_server.h"
#include "server/keys.h"

namespace ampacity::server {

class OpenLines {
 public:
  void add(const Caller& caller, const std::shared_ptr<net::Stream>& stream);
  void add(const Caller& caller, const std::shared_ptr<net::WebSocket>& terminal);
  void learn(const std::vector<core::Fact>& facts);  // durable ones

 private:
  struct Line {
    base::Id key;
    std::string session;  // its hash; empty: by the key itself
    std::weak_ptr<void> alive;
    std::function<void()> end;
  };
  void keep(Line line);
  base::Mutex mutex_;
  std::vector<Line> lines_;     // by mutex_; also such as are over
  std::size_t sweep_at_ = 256;  // by mutex_
};

}  // namespace ampacity::server
