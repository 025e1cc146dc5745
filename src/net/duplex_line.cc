#include "net/duplex_line.h"

#include <fmt/core.h>
#include <pthread.h>

#include <boost/asio/connect.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <chrono>
#include <utility>

#include "net/http_loop.h"

namespace ampacity::net {

namespace asio = boost::asio;

base::Try<Authority> authority_of(const Peer& peer) {
  std::string_view rest = peer.base_url;
  constexpr std::string_view plain = "http://", tls = "https://";
  Authority a;
  a.tls = rest.starts_with(tls);
  if (!a.tls && !rest.starts_with(plain))
    return base::fault("not an http:// or https:// URL: " + peer.base_url, false);
  rest.remove_prefix((a.tls ? tls : plain).size());
  rest = rest.substr(0, rest.find('/'));
  a.header = rest;
  auto colon = rest.rfind(':');
  if (rest.ends_with(']')) colon = std::string_view::npos;  // an IPv6 address alone
  a.host = rest.substr(0, colon);
  a.port = rest.substr(std::min(colon, rest.size() - 1) + 1);
  if (colon == std::string_view::npos) a.port = a.tls ? "443" : "80";
  if (a.host.starts_with('[') && a.host.ends_with(']'))
    a.host = a.host.substr(1, a.host.size() - 2);
  if (a.host.empty()) return base::fault("no host in the URL " + peer.base_url, false);
  return a;
}

bool run_until(asio::io_context& io, const bool& done, std::int64_t within_us) {
  const std::int64_t end_us = steady_us() + within_us;
  while (!done) {
    const std::int64_t left_us = end_us - steady_us();
    if (left_us <= 0) return false;
    io.restart();
    io.run_one_for(std::chrono::microseconds(left_us));
  }
  return true;
}

base::Try<AnySocket> DuplexLine::connect(const Peer& peer) {
  auto authority = authority_of(peer);
  if (!authority) return std::unexpected(authority.error());
  std::vector<AnySocket::endpoint_type> endpoints;
  Ec ec;
  if (!peer.unix_socket.empty()) {
    if (peer.unix_socket.size() > 107) return base::fault("the socket's path is too long", false);
    endpoints.emplace_back(asio::local::stream_protocol::endpoint(peer.unix_socket));
  } else {
    asio::ip::tcp::resolver resolver(io);
    for (const auto& found : resolver.resolve(authority->host, authority->port, ec)) {
      endpoints.emplace_back(found.endpoint());
    }
    if (ec) return base::fault(fmt::format("{}: {}", peer.base_url, ec.message()));
  }
  AnySocket socket(io);
  bool done = false;
  asio::async_connect(socket, endpoints, [&](Ec e, const AnySocket::endpoint_type&) {
    ec = e;
    done = true;
  });
  if (!run_until(io, done, handshake_us)) {
    Ec ignored;
    socket.close(ignored);
    while (!done) io.run_one();
    ec = asio::error::timed_out;
  }
  const std::string& where = peer.unix_socket.empty() ? peer.base_url : peer.unix_socket;
  if (ec) return base::fault(fmt::format("cannot connect to {}: {}", where, ec.message()));
  if (peer.unix_socket.empty()) socket.set_option(asio::ip::tcp::no_delay(true), ec);
  return socket;
}

void DuplexLine::run() {
  io.restart();
  asio::post(io, [self = shared_from_this()] { self->read(); });
  thread_ = std::thread([self = shared_from_this()] {
    pthread_setname_np(pthread_self(), "duplex");
    self->io.run();
  });
}

bool DuplexLine::write(std::string bytes, bool text) {
  if (closed_) return false;
  if (bytes.empty()) return true;
  if (backlog_bytes_.fetch_add(bytes.size()) + bytes.size() > backlog_bytes_max) {
    close("the peer reads too slowly");
    return false;
  }
  asio::post(io, [self = shared_from_this(), text, bytes = std::move(bytes)]() mutable {
    if (self->over_ || self->write_closing_) return;
    self->out_.push_back({std::move(bytes), text});
    self->next_write();
  });
  return true;
}

void DuplexLine::next_write() {
  if (writing_ || over_) return;
  if (!out_.empty()) {
    writing_ = true;
    write_front(out_.front().bytes, out_.front().text);
  } else if (write_closing_) {
    shut_write();
  }
}

void DuplexLine::written(Ec ec) {
  writing_ = false;
  if (over_) return;
  // The reading side tells why, and may still have the peer's last words.
  if (ec) {
    out_.clear();
    closed_ = true;
    return;
  }
  backlog_bytes_ -= out_.front().bytes.size();
  out_.pop_front();
  next_write();
}

void DuplexLine::received(std::string bytes, bool text) {
  if (!over_ && events_.on_bytes) events_.on_bytes(std::move(bytes), text);
}

void DuplexLine::close_write() {
  asio::post(io, [self = shared_from_this()] {
    if (std::exchange(self->write_closing_, true)) return;
    self->next_write();
  });
}

void DuplexLine::close(std::string reason) {
  closed_ = true;
  asio::post(io, [self = shared_from_this(), reason = std::move(reason)] { self->ended(reason); });
}

void DuplexLine::ended(const std::string& reason) {
  if (std::exchange(over_, true)) return;
  closed_ = true;
  shut();
  const DuplexEvents last = std::exchange(events_, {});  // what they hold is let go
  if (last.on_close) last.on_close(reason);
}

void DuplexLine::join() {
  if (!thread_.joinable()) return;
  if (thread_.get_id() == std::this_thread::get_id()) {
    return thread_.detach();  // dropped by its own callback: the thread owns the line until it ends
  }
  thread_.join();
  io.restart();
  io.poll();  // what was posted after the end holds the line: let it go
}

}  // namespace ampacity::net
