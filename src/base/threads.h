// Threads, locks and waits as the server uses them: the machine's own; or, where a Scheduler is
// installed, turns taken on one thread in virtual time, so that the simulator runs the very code
// that production runs, interleaved by a seed.
// 1. Without a Scheduler these are std::thread, std::mutex and std::condition_variable. 2. A
// Scheduler is installed before the first of these objects that it is to drive is used.
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

#include "base/time.h"

namespace ampacity::base {

// Who decides whose turn it is: the simulator's (sim/fibres.h).
class Scheduler {
 public:
  virtual ~Scheduler() = default;
  virtual int spawn(std::function<void()> body) = 0;
  virtual void join(int task) = 0;
  // Gives way until somebody wakes those who wait `on` this; false: that long has passed first.
  // A task that is being ended is told so by an exception, but for `quietly`: then it returns.
  virtual bool park(const void* on, std::optional<Duration> at_most, bool quietly = false) = 0;
  virtual void wake(const void* on) = 0;
  // The task whose turn it is is being ended: it unwinds and must not wait for anything.
  virtual bool ending() const = 0;
  virtual void give_way() = 0;     // others may go first; also not
  virtual Duration elapsed() = 0;  // of virtual time
};
inline thread_local Scheduler* scheduler = nullptr;  // null: the machine's own threads

Duration elapsed();  // monotonic, from an arbitrary origin

class Mutex {
 public:
  Mutex() = default;
  Mutex(const Mutex&) = delete;
  Mutex& operator=(const Mutex&) = delete;
  void lock();
  void unlock();

 private:
  friend class Condition;
  std::mutex real_;
  bool held_ = false;  // under a Scheduler
};

using Guard = std::lock_guard<Mutex>;
using Lock = std::unique_lock<Mutex>;

class Condition {
 public:
  void wait(Lock& lock) { (void)wait_once(lock, std::nullopt); }
  template <typename Ready>
  void wait(Lock& lock, Ready ready) {
    while (!ready()) wait(lock);
  }
  // False: that long has passed, and nobody called.
  bool wait_for(Lock& lock, Duration at_most) { return wait_once(lock, at_most); }
  // Whether it was ready at the end.
  template <typename Ready>
  bool wait_for(Lock& lock, Duration at_most, Ready ready) {
    const Duration deadline = elapsed() + at_most;
    while (!ready()) {
      const Duration left{deadline.us - elapsed().us};
      if (left.us <= 0 || !wait_once(lock, left)) return ready();
    }
    return true;
  }
  void notify_one() { notify(false); }
  void notify_all() { notify(true); }

 private:
  bool wait_once(Lock& lock, std::optional<Duration> at_most);
  void notify(bool all);
  std::condition_variable real_;
};

class Thread {
 public:
  Thread() = default;
  explicit Thread(std::function<void()> body);
  Thread(Thread&& other) noexcept;
  Thread& operator=(Thread&& other) noexcept;
  bool joinable() const { return task_ >= 0 || real_.joinable(); }
  void join();

 private:
  std::thread real_;
  int task_ = -1;  // under a Scheduler
};

void sleep_for(Duration how_long);

// A value that one thread leaves and another waits for.
template <typename T>
class Handover {
 public:
  void put(T value) {
    const Guard guard(mutex_);
    value_ = std::move(value);
    there_.notify_all();
  }
  T take() {
    Lock lock(mutex_);
    there_.wait(lock, [this] { return value_.has_value(); });
    return std::move(*value_);
  }

 private:
  Mutex mutex_;
  Condition there_;
  std::optional<T> value_;
};

}  // namespace ampacity::base
