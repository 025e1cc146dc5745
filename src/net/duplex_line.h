// What both kinds of duplex share: a connected socket, a thread, an ordered queue of bytes to
// write. Threads: write, close_write, close from any; the rest on the line's own thread.
// 1. on_close is called once, on that thread; no callback follows it.
// 2. The queue is bounded: a write beyond backlog_bytes_max is refused and closes the line.
#pragma once

#include <atomic>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <deque>
#include <memory>
#include <string>
#include <thread>

#include "net/duplex.h"

namespace ampacity::net {

using AnySocket = boost::asio::generic::stream_protocol::socket;
inline constexpr std::int64_t handshake_us = 10'000'000;
inline constexpr std::size_t refusal_body_bytes_max = 64 << 10;

// host[:port] of "http://host[:port][/…]" or the same of https.
struct Authority {
  bool tls = false;
  std::string host;
  std::string port;
  std::string header;  // as in Host
};
base::Try<Authority> authority_of(const Peer& peer);

// Runs `io` until `done` or the time is over; false if it was over.
bool run_until(boost::asio::io_context& io, const bool& done, std::int64_t within_us);

class DuplexLine : public std::enable_shared_from_this<DuplexLine> {
 public:
  explicit DuplexLine(DuplexEvents events) : events_(std::move(events)) {}
  virtual ~DuplexLine() = default;

  base::Try<AnySocket> connect(const Peer& peer);
  void run();  // starts reading, on a thread of its own
  bool write(std::string bytes, bool text = false);
  void close_write();
  void close(std::string reason);
  void join();

  boost::asio::io_context io;

 protected:
  using Ec = boost::system::error_code;

  virtual void read() = 0;  // keeps calling received(), and ended() at the end
  virtual void write_front(const std::string& bytes, bool text) = 0;  // calls written()
  virtual void shut_write() = 0;
  virtual void shut() = 0;

  void received(std::string bytes, bool text);
  void written(Ec ec);
  void ended(const std::string& reason);
  bool is_over() const { return over_; }

 private:
  static constexpr std::size_t backlog_bytes_max = 16 << 20;
  void next_write();

  DuplexEvents events_;
  std::thread thread_;
  struct Frame {
    std::string bytes;
    bool text = false;
  };
  std::deque<Frame> out_;
  std::atomic<std::size_t> backlog_bytes_ = 0;
  std::atomic<bool> closed_ = false;
  bool writing_ = false;
  bool write_closing_ = false;
  bool over_ = false;
};

// The handle a caller holds.
class DuplexHandle final : public Duplex {
 public:
  explicit DuplexHandle(std::shared_ptr<DuplexLine> line) : line_(std::move(line)) {}
  ~DuplexHandle() override {
    line_->close("closed");
    line_->join();
  }
  bool write(std::string bytes) override { return line_->write(std::move(bytes)); }
  bool write_text(std::string text) override { return line_->write(std::move(text), true); }
  void close_write() override { line_->close_write(); }
  void close() override { line_->close("closed"); }

 private:
  const std::shared_ptr<DuplexLine> line_;
};

}  // namespace ampacity::net
