// What a Stream or WebSocket handle shares with the connection it writes to.
// Threads: any, but close() only on the I/O thread.
// 1. on_close is called at most once, and never after disarm().
#pragma once

#include <atomic>
#include <cstddef>
#include <functional>
#include <mutex>
#include <utility>

namespace ampacity::net {

class Outlet {
 public:
  explicit Outlet(std::size_t max_backlog_bytes) : max_backlog_bytes_(max_backlog_bytes) {}

  bool closed() const { return closed_; }
  std::size_t backlog_bytes() const { return backlog_; }

  enum class Taken { yes, closed, overflow };
  // Overflow is reported once: from then on the outlet is closed.
  Taken take(std::size_t bytes) {
    if (closed_) return Taken::closed;
    if (backlog_.fetch_add(bytes) + bytes <= max_backlog_bytes_) return Taken::yes;
    return closed_.exchange(true) ? Taken::closed : Taken::overflow;
  }
  void written(std::size_t bytes) { backlog_ -= bytes; }

  // Returns true if the outlet was closed before: the caller posts fire() then.
  bool set_on_close(std::function<void()> callback) {
    const std::lock_guard lock(mutex_);
    on_close_ = std::move(callback);
    return fired_;
  }
  void disarm() {
    std::function<void()> dropped;
    const std::lock_guard lock(mutex_);
    armed_ = false;
    std::swap(dropped, on_close_);
  }
  // The connection is over, for whatever reason.
  void close() {
    closed_ = true;
    fire();
  }
  void fire() {
    std::function<void()> callback;
    {
      const std::lock_guard lock(mutex_);
      fired_ = true;
      if (armed_) std::swap(callback, on_close_);
    }
    if (callback) callback();
  }

 private:
  const std::size_t max_backlog_bytes_;
  std::atomic<std::size_t> backlog_ = 0;
  std::atomic<bool> closed_ = false;
  std::mutex mutex_;
  std::function<void()> on_close_;  // by mutex_
  bool fired_ = false;              // by mutex_
  bool armed_ = true;               // by mutex_
};

}  // namespace ampacity::net
