#include "server/queue_starts.h"

#include <algorithm>

#include "core/estimate.h"
#include "server/loop.h"

namespace ampacity::server {

std::shared_ptr<const QueueStarts::Starts> QueueStarts::latest() {
  {
    base::Lock lock(mutex_);
    if (playing_ && !starts_) played_.wait_for(lock, longest_play, [this] { return !playing_; });
    if (starts_ && (playing_ || base::elapsed() < next_)) return starts_;
    if (playing_) return std::make_shared<Starts>();
    playing_ = true;
  }
  base::Duration cost;
  auto starts = std::make_shared<const Starts>(play(cost));
  const base::Guard lock(mutex_);
  playing_ = false;
  starts_ = starts;
  next_ = base::elapsed() + cost * 20;
  played_.notify_all();
  return starts;
}

QueueStarts::Starts QueueStarts::play(base::Duration& cost) {
  constexpr std::int64_t median = 500;
  std::unique_ptr<core::Outlook> outlook;
  const base::Duration give_up = base::elapsed() + longest_play;
  base::Mutex mutex;
  base::Condition pause;
  for (std::size_t ends = 64; base::elapsed() < give_up;) {
    base::Duration took;
    const bool done = loop_.ask([&](const core::World& w) {
      const base::Duration began = base::elapsed();
      bool over = false;
      if (outlook)
        over = outlook->play(ends);
      else if (w.queue.empty() || w.queue.size() > most_waiting)
        over = true;
      else
        outlook = std::make_unique<core::Outlook>(w, clock_.now(), median);
      took = base::Duration{base::elapsed().us - began.us};
      return over;
    });
    cost = cost + took;
    if (done) break;
    if (took > longest_step)
      ends = std::max<std::size_t>(1, ends / 2);
    else if (took * 2 < longest_step)
      ends *= 2;
    base::Lock lock(mutex);
    (void)pause.wait_for(lock, took * 9);
  }
  return outlook ? outlook->starts() : Starts{};
}

}  // namespace ampacity::server
