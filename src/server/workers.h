// A few threads for what blocks: reads of the store, calls to the engine. Bounded queue.
#pragma once

#include <deque>
#include <functional>
#include <vector>

#include "base/threads.h"

namespace ampacity::server {

class Workers {
 public:
  Workers(std::size_t threads, std::size_t most_waiting) : most_waiting_(most_waiting) {
    for (std::size_t i = 0; i < threads; ++i) threads_.emplace_back([this] { main(); });
  }
  ~Workers() { stop(); }

  // False: too much waits already.
  bool post(std::move_only_function<void()> work) {
    {
      const base::Guard lock(mutex_);
      if (stopping_ || queue_.size() >= most_waiting_) return false;
      queue_.push_back(std::move(work));
    }
    wake_.notify_one();
    return true;
  }
  void stop() {
    {
      const base::Guard lock(mutex_);
      stopping_ = true;
      queue_.clear();
    }
    wake_.notify_all();
    for (auto& t : threads_)
      if (t.joinable()) t.join();
  }

 private:
  void main() {
    while (true) {
      std::move_only_function<void()> work;
      {
        base::Lock lock(mutex_);
        wake_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
        if (stopping_) return;
        work = std::move(queue_.front());
        queue_.pop_front();
      }
      work();
    }
  }

  const std::size_t most_waiting_;
  base::Mutex mutex_;
  base::Condition wake_;
  std::deque<std::move_only_function<void()>> queue_;
  bool stopping_ = false;
  std::vector<base::Thread> threads_;
};

}  // namespace ampacity::server
