#include "base/threads.h"

#include <pthread.h>
#include <sched.h>

#include <chrono>
#include <utility>

#include "base/check.h"

namespace ampacity::base {

Duration elapsed() {
  if (scheduler) return scheduler->elapsed();
  const auto since = std::chrono::steady_clock::now().time_since_epoch();
  return {std::chrono::duration_cast<std::chrono::microseconds>(since).count()};
}

void Mutex::lock() {
  if (!scheduler) return real_.lock();
  scheduler->give_way();
  while (held_ && !scheduler->ending()) (void)scheduler->park(this, std::nullopt, true);
  held_ = true;
}

void Mutex::unlock() {
  if (!scheduler) return real_.unlock();
  held_ = false;
  scheduler->wake(this);
}

bool Condition::wait_once(Lock& lock, std::optional<Duration> at_most) {
  if (scheduler) {
    // Waiting before unlocking, as far as anybody can see: nothing runs between the two.
    lock.mutex()->held_ = false;
    scheduler->wake(lock.mutex());
    const bool called = scheduler->park(this, at_most);
    while (lock.mutex()->held_ && !scheduler->ending())
      (void)scheduler->park(lock.mutex(), std::nullopt, true);
    lock.mutex()->held_ = true;
    return called;
  }
  std::unique_lock<std::mutex> real(lock.mutex()->real_, std::adopt_lock);
  bool called = true;
  if (at_most)
    called =
        real_.wait_for(real, std::chrono::microseconds(at_most->us)) == std::cv_status::no_timeout;
  else
    real_.wait(real);
  real.release();
  return called;
}

void Condition::notify(bool all) {
  if (scheduler) return scheduler->wake(this);
  if (all)
    real_.notify_all();
  else
    real_.notify_one();
}

Thread::Thread(std::function<void()> body) {
  if (scheduler)
    task_ = scheduler->spawn(std::move(body));
  else
    real_ = std::thread(std::move(body));
}

Thread::Thread(Thread&& other) noexcept
    : real_(std::move(other.real_)), task_(std::exchange(other.task_, -1)) {}

Thread& Thread::operator=(Thread&& other) noexcept {
  CHECK_THAT(task_ < 0, "a running task is written over");
  real_ = std::move(other.real_);
  task_ = std::exchange(other.task_, -1);
  return *this;
}

namespace {

// Whom somebody waits for no longer runs only while nobody else does: on a busy machine that is
// never.
void hurry(std::thread& thread) {
  if (!thread.joinable()) return;
  sched_param parameters{};
  int policy = SCHED_OTHER;
  if (pthread_getschedparam(thread.native_handle(), &policy, &parameters) != 0) return;
  if (policy == SCHED_IDLE) pthread_setschedparam(thread.native_handle(), SCHED_OTHER, &parameters);
}

}  // namespace

void Thread::join() {
  if (task_ < 0) {
    hurry(real_);
    return real_.join();
  }
  if (scheduler) scheduler->join(task_);
  task_ = -1;
}

void sleep_for(Duration how_long) {
  if (!scheduler) return std::this_thread::sleep_for(std::chrono::microseconds(how_long.us));
  const char nobody_wakes_this = 0;
  (void)scheduler->park(&nobody_wakes_this, how_long);
}

}  // namespace ampacity::base
