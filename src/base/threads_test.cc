#include "base/threads.h"

#include <doctest/doctest.h>
#include <sched.h>

#include <atomic>

namespace ampacity::base {

TEST_CASE("a thread for idle moments runs like others once somebody waits for it") {
  const sched_param none{};
  bool may = false;  // CAP_SYS_NICE, or RLIMIT_NICE
  Thread([&] {
    may = sched_setscheduler(0, SCHED_IDLE, &none) == 0 &&
          sched_setscheduler(0, SCHED_OTHER, &none) == 0;
  }).join();
  if (!may) return;
  std::atomic<bool> idle{false}, ended{false};
  Thread thread([&] {
    idle = sched_setscheduler(0, SCHED_IDLE, &none) == 0;
    while (sched_getscheduler(0) == SCHED_IDLE) sleep_for(Duration::millis(1));
    ended = true;
  });
  while (!idle) sleep_for(Duration::millis(1));
  thread.join();
  CHECK(ended);
}

}  // namespace ampacity::base
