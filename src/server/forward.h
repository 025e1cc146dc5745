// Requests that only the leader may answer, sent on by a server that follows.
// Threads: forward() from any; two bounded sets of its own threads wait for the leader.
// 1. A request is sent on at most once (`Ampacity-Hops`). 2. The caller's key and Idempotency-Key
// go with it: the leader authorises and remembers. 3. The answer to a write is passed on after what
// it shows was folded here, so that a later read sees it, waiting a bounded time.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "net/http_client.h"
#include "net/http_server.h"
#include "server/leadership.h"
#include "server/workers.h"

namespace ampacity::server {

struct ForwardOptions {
  std::size_t calls_at_once = 16;
  std::size_t calls_waiting = 2'000;  // beyond: 503
  std::size_t streams_at_once = 64;   // logs, terminals; beyond: 503
  base::Duration timeout = base::Duration::seconds(20);
  base::Duration connect_timeout = base::Duration::seconds(2);
  base::Duration fold_wait = base::Duration::seconds(2);
  net::Trust trust;  // of the cloud's other servers, over https
  // A line to a server; tests have their own.
  std::function<std::unique_ptr<net::Transport>(const std::string& url)> connect;
};

class Forwarder {
 public:
  // `folded` waits until this world shows a sequence, at most so long.
  using Folded = std::function<bool(std::uint64_t sequence, base::Duration at_most)>;
  Forwarder(ForwardOptions options, const Leadership& leadership, Folded folded);
  ~Forwarder() { stop(); }
  void stop();
  // Another leads: nobody waits any longer for what the last one would have answered.
  void leader_changed();

  void call(net::Request request, net::Reply reply);
  // Server-sent events, passed on piece by piece.
  void stream(net::Request request, net::Reply reply);
  // A terminal: frames both ways until either side ends it.
  void terminal(net::Request request, net::Reply reply);

 private:
  using Task = std::function<void(net::Request, net::Reply, const std::string& url)>;
  void post(Workers& workers, net::Request request, net::Reply reply, Task task);
  net::Transport& line_to(const std::string& url);

  const ForwardOptions options_;
  const Leadership& leadership_;
  const Folded folded_;
  // Set to true when the leader it was made under is no more, or at the end.
  using Cancel = std::shared_ptr<std::atomic<bool>>;
  Cancel cancel();
  net::CallOptions limits(const Cancel& cancel) const;

  bool stopping_ = false;  // by mutex_
  base::Mutex mutex_;
  Cancel cancel_ = std::make_shared<std::atomic<bool>>(false);    // by mutex_
  std::map<std::string, std::unique_ptr<net::Transport>> lines_;  // by url; by mutex_
  Workers calls_;
  Workers streams_;
};

inline constexpr const char* hops_header = "Ampacity-Hops";
inline constexpr const char* sequence_header = "Ampacity-Sequence";

}  // namespace ampacity::server
