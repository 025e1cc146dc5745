// Hijacked connections: HTTP up to the answer's head, raw bytes from then on.
#include "net/duplex.h"

#include <fmt/core.h>

#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/buffers_to_string.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>
#include <optional>
#include <utility>

#include "net/duplex_line.h"
#include "net/http_text.h"

namespace ampacity::net {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;

class RawLine final : public DuplexLine {
 public:
  using DuplexLine::DuplexLine;
  base::Try<void> open(const Peer& peer, const Request& request);

 private:
  base::Try<void> exchange(const std::string& head);
  base::Try<void> refused(http::response_parser<http::string_body>& parser);
  std::shared_ptr<RawLine> self() { return std::static_pointer_cast<RawLine>(shared_from_this()); }

  void read() override;
  void read_more();
  void write_front(const std::string& bytes, bool /*text*/) override {
    asio::async_write(*socket_, asio::buffer(bytes),
                      [self = self()](Ec ec, std::size_t) { self->written(ec); });
  }
  void shut_write() override {
    Ec ignored;
    socket_->shutdown(AnySocket::shutdown_send, ignored);
  }
  void shut() override {
    Ec ignored;
    socket_->close(ignored);
  }

  std::optional<AnySocket> socket_;
  boost::beast::flat_buffer early_;  // the answer's head, then what came with it
  std::array<char, 16 << 10> in_;
};

base::Try<std::string> request_head(const Peer& peer, const Request& request) {
  auto authority = authority_of(peer);
  if (!authority) return std::unexpected(authority.error());
  if (authority->tls) return base::fault("a hijacked connection has no TLS here", false);
  bool sound = is_clean(request.method) && is_clean(request.target);
  std::string head = fmt::format("{} {} HTTP/1.1\r\nHost: {}\r\n", request.method, request.target,
                                 authority->header);
  for (const Header& h : request.headers) {
    sound &= is_clean(h.name) && is_clean(h.value);
    head += fmt::format("{}: {}\r\n", h.name, h.value);
  }
  if (!sound)
    return base::fault("the request's method, target or a header is not valid HTTP", false);
  head += fmt::format("Connection: Upgrade\r\nUpgrade: tcp\r\nContent-Length: {}\r\n\r\n",
                      request.body.size());
  return head + request.body;
}

base::Try<void> RawLine::open(const Peer& peer, const Request& request) {
  auto head = request_head(peer, request);
  if (!head) return std::unexpected(head.error());
  auto socket = connect(peer);
  if (!socket) return std::unexpected(socket.error());
  socket_ = std::move(*socket);
  return exchange(*head);
}

base::Try<void> RawLine::exchange(const std::string& head) {
  http::response_parser<http::string_body> parser;
  parser.body_limit(refusal_body_bytes_max);
  Ec ec;
  bool done = false;
  asio::async_write(*socket_, asio::buffer(head), [&](Ec written_ec, std::size_t) {
    ec = written_ec;
    if (ec) {
      done = true;
      return;
    }
    http::async_read_header(*socket_, early_, parser, [&](Ec read_ec, std::size_t) {
      ec = read_ec;
      done = true;
    });
  });
  if (!run_until(io, done, handshake_us)) {
    shut();
    while (!done) io.run_one();
    ec = asio::error::timed_out;
  }
  // A length over our bound is no failure here: after 101 or 200 it is not a body at all.
  const int status = parser.is_header_done() || parser.got_some() ? parser.get().result_int() : 0;
  if (ec && ec != http::error::body_limit) {
    return base::fault("no answer to the request for a hijack: " + ec.message());
  }
  if (status == 101 || status == 200) return {};
  return refused(parser);
}

base::Try<void> RawLine::refused(http::response_parser<http::string_body>& parser) {
  Ec ec;
  bool done = parser.is_done();
  if (!done) {
    http::async_read(*socket_, early_, parser, [&](Ec read_ec, std::size_t) {
      ec = read_ec;
      done = true;
    });
  }
  if (!run_until(io, done, handshake_us)) {
    shut();
    while (!done) io.run_one();
  }
  const int status = static_cast<int>(parser.get().result_int());
  return base::fault(fmt::format("the peer answered {}: {}", status, parser.get().body()),
                     status >= 500, status);
}

void RawLine::read() {
  if (early_.size() > 0) {
    received(boost::beast::buffers_to_string(early_.data()), false);
    early_.consume(early_.size());
  }
  read_more();
}

void RawLine::read_more() {
  if (is_over()) return;
  socket_->async_read_some(asio::buffer(in_), [self = self()](Ec ec, std::size_t n) {
    if (n > 0) self->received(std::string(self->in_.data(), n), false);
    if (ec) return self->ended(ec == asio::error::eof ? "end of stream" : ec.message());
    self->read_more();
  });
}

}  // namespace

base::Try<std::unique_ptr<Duplex>> hijack(const Peer& peer, const Request& request,
                                          DuplexEvents events) {
  const auto line = std::make_shared<RawLine>(std::move(events));
  if (auto opened = line->open(peer, request); !opened) return std::unexpected(opened.error());
  line->run();
  return std::make_unique<DuplexHandle>(line);
}

}  // namespace ampacity::net
