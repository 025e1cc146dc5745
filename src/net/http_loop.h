// The server's one I/O thread: its io_context, the inbox other threads post to, its sessions.
// Threads: post, stopped, on_thread and session_count from any; all else on the I/O thread.
// 1. Tasks run one at a time, in order: on the I/O thread or, what is left when it was joined, in
//    close_inbox (they find their connections gone). One posted later is dropped.
// 2. Sessions are destroyed on the I/O thread or after it was joined: others hold only weak_ptrs.
#pragma once

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "net/http_server.h"

namespace ampacity::net {

// One accepted connection, whatever it speaks.
class Session {
 public:
  virtual ~Session() = default;
  virtual void shut() = 0;                      // closes at once; idempotent
  virtual void sweep(std::int64_t now_us) = 0;  // its deadlines
  std::size_t slot = 0;                         // in Loop's list
};

class Loop {
 public:
  using Task = std::move_only_function<void()>;

  Loop(ServerOptions o, Handler h, RefusalBody r);

  bool post(Task task);  // false after stop
  bool on_thread() const { return std::this_thread::get_id() == thread_id.load(); }
  bool stopped() const { return stopped_.load(); }
  // Refuses later posts and runs what is still waiting. After the thread was joined.
  void close_inbox();

  void add(std::shared_ptr<Session> session);
  void remove(Session& session);
  std::vector<std::shared_ptr<Session>> sessions() const { return sessions_; }
  std::size_t session_count() const { return count_.load(); }

  const std::string& date() const { return date_; }
  void refresh_date();

  boost::asio::io_context io;
  const ServerOptions options;
  std::shared_ptr<const TlsIdentity> tls;  // shown to new connections; null: plain HTTP
  std::size_t greetings = 0;               // connections whose greeting is not over
  Handler handler;
  RefusalBody refusal;
  std::atomic<std::thread::id> thread_id;

 private:
  void drain();

  std::mutex mutex_;
  std::vector<Task> inbox_;  // by mutex_
  std::vector<Task> running_;
  std::atomic<bool> stopped_ = false;  // written under mutex_
  std::vector<std::shared_ptr<Session>> sessions_;
  std::atomic<std::size_t> count_ = 0;
  std::string date_;
};

std::int64_t steady_us();

}  // namespace ampacity::net
