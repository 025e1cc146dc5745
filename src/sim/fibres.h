// Turns: the tasks of a simulated machine as fibres of one thread, in virtual time. Whose turn it
// is among those that could go on is drawn from the seed; time moves only when nobody can.
// Threads: one. 1. Same seed, same turns. 2. Time never goes back. 3. A group is a process: killed
// as one, by unwinding its tasks, the first one last; stopped and continued as one.
#pragma once

#include <boost/context/fiber.hpp>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <queue>
#include <set>
#include <string>
#include <vector>

#include "base/prng.h"
#include "base/threads.h"

namespace ampacity::sim {

// Thrown in a task that must end now: the process it belongs to was killed.
struct Killed {};

class Fibres final : public base::Scheduler {
 public:
  using Group = int;
  static constexpr Group outside = 0;  // clients and engines: never killed

  Fibres(base::Prng& prng, base::Instant start);
  ~Fibres() override;

  base::Instant now() const { return now_; }
  // Until then, or until nothing will ever happen. `after_turn` runs after every turn.
  void run_until(base::Instant end, const std::function<void()>& after_turn = {});
  std::uint64_t turns() const { return turns_; }
  const std::string& escaped() const { return escaped_; }  // an exception that nobody caught

  Group new_group() { return ++groups_; }
  int spawn_in(Group group, std::function<void()> body);
  void at(base::Instant when, std::function<void()> happening);  // on no task: it must not wait
  void kill(Group group);  // not from one of its tasks; what they hold is let go
  void stop(Group group, base::Instant until);  // SIGSTOP … SIGCONT
  bool alive(Group group) const;
  Group current_group() const { return current_ ? current_->group : outside; }
  // The odds of another turn at a lock, of 256.
  void give_way_odds(std::uint32_t odds) { odds_ = odds; }

  // ---- base::Scheduler
  // ---------------------------------------------------------------------------
  int spawn(std::function<void()> body) override;
  void join(int task) override;
  bool park(const void* on, std::optional<base::Duration> at_most, bool quietly) override;
  void wake(const void* on) override;
  bool ending() const override { return current_ && current_->ending; }
  void give_way() override;
  base::Duration elapsed() override { return {now_.us}; }

 private:
  // What C++ keeps of the exceptions of a thread (__cxa_eh_globals): each task has its own. Else
  // one that gives way while it unwinds would make all others believe that they do.
  struct InFlight {
    void* caught = nullptr;
    unsigned uncaught = 0;
  };
  struct Task {
    int id = 0;
    Group group = outside;
    std::function<void()> body;
    boost::context::fiber context, back;
    InFlight in_flight;
    const void* parked_on = nullptr;
    std::uint64_t parking = 0;  // which time it is parked: old timers find another
    bool ready = false, over = false, ending = false, called = false, started = false;
  };
  struct Timer {
    base::Instant at;
    std::uint64_t tie = 0, order = 0;
    int task = 0;  // 0: a happening
    std::uint64_t parking = 0;
    std::shared_ptr<std::function<void()>> happening;
    bool operator<(const Timer& o) const {  // the soonest on top
      return std::tie(o.at, o.tie, o.order) < std::tie(at, tie, order);
    }
  };
  Task* find(int id);
  void make_ready(Task& task);
  void resume(Task& task);
  void yield();  // back to the scheduler
  bool turn();
  bool fire_next(base::Instant end);
  void set_timer(Timer timer);

  base::Prng& prng_;
  base::Instant now_;
  std::map<int, std::unique_ptr<Task>> tasks_;
  std::vector<int> ready_;
  std::priority_queue<Timer> timers_;
  std::map<Group, base::Instant> stopped_;
  Task* current_ = nullptr;
  int last_id_ = 0;
  Group groups_ = outside;
  std::uint64_t orders_ = 0, turns_ = 0, parkings_ = 0, spins_ = 0;
  std::uint32_t odds_ = 0;
  std::string escaped_;
};

}  // namespace ampacity::sim
