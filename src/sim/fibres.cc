#include "sim/fibres.h"

#include <cxxabi.h>

#include <algorithm>
#include <boost/context/protected_fixedsize_stack.hpp>
#include <exception>

#include "base/check.h"

namespace ampacity::sim {
namespace {
constexpr std::size_t stack_bytes = 512 << 10;
constexpr std::uint64_t most_spins = 300'000;  // locks taken while no time passes
}  // namespace

Fibres::Fibres(base::Prng& prng, base::Instant start) : prng_(prng), now_(start) {}

Fibres::~Fibres() {
  for (Group g = groups_; g >= outside; --g) kill(g);
}

Fibres::Task* Fibres::find(int id) {
  const auto found = tasks_.find(id);
  return found == tasks_.end() ? nullptr : found->second.get();
}

int Fibres::spawn(std::function<void()> body) { return spawn_in(current_group(), std::move(body)); }

int Fibres::spawn_in(Group group, std::function<void()> body) {
  auto task = std::make_unique<Task>();
  task->id = ++last_id_;
  task->group = group;
  task->body = std::move(body);
  Task& t = *tasks_.emplace(task->id, std::move(task)).first->second;
  make_ready(t);
  return t.id;
}

void Fibres::make_ready(Task& task) {
  if (task.ready || task.over) return;
  task.ready = true;
  task.parked_on = nullptr;
  ready_.push_back(task.id);
}

void Fibres::set_timer(Timer timer) {
  timer.tie = prng_.next();
  timer.order = ++orders_;
  timers_.push(std::move(timer));
}

void Fibres::at(base::Instant when, std::function<void()> happening) {
  set_timer({std::max(when, now_), 0, 0, 0, 0,
             std::make_shared<std::function<void()>>(std::move(happening))});
}

// ---- on a task --------------------------------------------------------------------------------

void Fibres::yield() {
  Task& self = *current_;
  self.back = std::move(self.back).resume();
}

bool Fibres::park(const void* on, std::optional<base::Duration> at_most, bool quietly) {
  CHECK_THAT(current_, "only a task can wait");
  const auto end = [quietly] {
    if (!quietly && std::uncaught_exceptions() == 0) throw Killed();
    return false;
  };
  if (current_->ending) return end();
  current_->parked_on = on;
  current_->parking = ++parkings_;
  current_->called = false;
  current_->ready = false;
  if (at_most)
    set_timer(
        {now_ + std::max(*at_most, base::Duration{0}), 0, 0, current_->id, current_->parking, {}});
  yield();
  return current_->ending ? end() : current_->called;
}

void Fibres::wake(const void* on) {
  for (auto& [id, task] : tasks_) {
    if (task->parked_on != on || task->ready) continue;
    task->called = true;
    make_ready(*task);
  }
}

void Fibres::give_way() {
  if (current_ && !current_->ending && ++spins_ > most_spins) {
    escaped_ = "something spins: no time passes";
    spins_ = 0;
    throw Killed();
  }
  if (!current_ || current_->ending || odds_ == 0 || prng_.next() % 256 >= odds_) return;
  current_->ready = false;
  make_ready(*current_);
  yield();
}

void Fibres::join(int id) {
  while (Task* task = find(id)) {
    if (task->over || ending()) return;
    (void)park(task, std::nullopt, true);
  }
}

// ---- the scheduler ----------------------------------------------------------------------------

void Fibres::resume(Task& task) {
  if (!task.started) {
    task.started = true;
    task.context = boost::context::fiber(std::allocator_arg,
                                         boost::context::protected_fixedsize_stack(stack_bytes),
                                         [this, &task](boost::context::fiber&& back) {
                                           task.back = std::move(back);
                                           try {
                                             task.body();
                                           } catch (const Killed&) {
                                           } catch (const std::exception& e) {
                                             escaped_ = e.what();
                                           }
                                           task.over = true;
                                           return std::move(task.back);
                                         });
  }
  Task* const before = std::exchange(current_, &task);
  task.ready = false;
  auto& of_thread = *reinterpret_cast<InFlight*>(abi::__cxa_get_globals());
  const InFlight of_caller = std::exchange(of_thread, task.in_flight);
  task.context = std::move(task.context).resume();
  task.in_flight = std::exchange(of_thread, of_caller);
  current_ = before;
  if (!task.over) return;
  wake(&task);  // who joins it
  tasks_.erase(task.id);
}

bool Fibres::turn() {
  std::size_t possible = 0;
  for (std::size_t i = 0; i < ready_.size(); ++i) {
    const Task* task = find(ready_[i]);
    if (task && !stopped_.contains(task->group)) std::swap(ready_[possible++], ready_[i]);
  }
  if (possible == 0) return false;
  const std::size_t drawn = possible == 1 ? 0 : prng_.next() % possible;
  Task& task = *find(ready_[drawn]);
  ready_.erase(ready_.begin() + static_cast<std::ptrdiff_t>(drawn));
  ++turns_;
  resume(task);
  return true;
}

bool Fibres::fire_next(base::Instant end) {
  if (timers_.empty() || timers_.top().at > end) return false;
  Timer timer = timers_.top();
  timers_.pop();
  if (timer.at > now_) spins_ = 0;
  now_ = std::max(now_, timer.at);
  if (timer.happening) {
    (*timer.happening)();
    return true;
  }
  Task* task = find(timer.task);
  if (task && !task->ready && task->parking == timer.parking && task->parked_on) make_ready(*task);
  return true;
}

void Fibres::run_until(base::Instant end, const std::function<void()>& after_turn) {
  while (true) {
    if (turn()) {
      if (after_turn) after_turn();
    } else if (!fire_next(end)) {
      break;
    } else if (after_turn) {
      after_turn();
    }
  }
  now_ = std::max(now_, end);
}

bool Fibres::alive(Group group) const {
  return std::ranges::any_of(tasks_, [&](const auto& t) { return t.second->group == group; });
}

void Fibres::kill(Group group) {
  CHECK_THAT(!current_ || current_->group != group, "a task cannot end its own process");
  std::vector<int> ids;
  for (const auto& [id, task] : tasks_)
    if (task->group == group) ids.push_back(id);
  for (auto id = ids.rbegin(); id != ids.rend(); ++id) {
    Task* task = find(*id);
    if (!task) continue;
    std::erase(ready_, *id);
    task->ending = true;
    if (task->started)
      resume(*task);
    else
      tasks_.erase(*id);
    CHECK_THAT(!find(*id), "a task that is ended must not go on");
  }
  stopped_.erase(group);
}

void Fibres::stop(Group group, base::Instant until) {
  stopped_[group] = until;
  at(until, [this, group, until] {
    const auto found = stopped_.find(group);
    if (found != stopped_.end() && found->second == until) stopped_.erase(found);
  });
}

}  // namespace ampacity::sim
