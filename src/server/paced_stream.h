// A stream written as fast as its peer reads, so that memory stays flat; one that does not read is
// given up. Threads: one writer's, a worker.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <thread>

#include "base/time.h"
#include "net/http_server.h"

namespace ampacity::server {

class PacedStream {
 public:
  static constexpr std::size_t most_backlog_bytes = 1 << 20;
  static constexpr base::Duration most_stalled = base::Duration::seconds(60);

  PacedStream(std::shared_ptr<net::Stream> stream, base::Clock& clock)
      : stream_(std::move(stream)), clock_(clock) {}

  void write(std::string_view text) {
    if (gone_) return;
    const base::Instant give_up = clock_.now() + most_stalled;
    while (stream_->backlog_bytes() > most_backlog_bytes && !stream_->closed() &&
           clock_.now() < give_up)
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    gone_ = !stream_->write(std::string(text));
  }
  bool gone() const { return gone_ || stream_->closed(); }
  void abort() { stream_->abort(); }

 private:
  std::shared_ptr<net::Stream> stream_;
  base::Clock& clock_;
  bool gone_ = false;
};

}  // namespace ampacity::server
