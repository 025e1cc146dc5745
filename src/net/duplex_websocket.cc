// The client's side of a WebSocket: Beast's stream on a duplex line.
#include <fmt/core.h>

#include <boost/asio/buffer.hpp>
#include <boost/beast/core/buffers_to_string.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/websocket/stream.hpp>
#include <optional>
#include <utility>

#include "net/duplex_line.h"
#include "net/http_text.h"

namespace ampacity::net {
namespace {

namespace asio = boost::asio;
namespace websocket = boost::beast::websocket;

class WebSocketLine final : public DuplexLine {
 public:
  using DuplexLine::DuplexLine;
  base::Try<void> open(const Peer& peer, const Request& request);

 private:
  static constexpr std::size_t message_bytes_max = 16 << 20;
  std::shared_ptr<WebSocketLine> self() {
    return std::static_pointer_cast<WebSocketLine>(shared_from_this());
  }

  void read() override;
  void write_front(const std::string& bytes, bool text) override {
    ws_->text(text);
    ws_->async_write(asio::buffer(bytes),
                     [self = self()](Ec ec, std::size_t) { self->written(ec); });
  }
  // A WebSocket has no half-close: the peer answers a close frame with its own.
  void shut_write() override {
    ws_->async_close(websocket::close_code::normal, [self = self()](Ec) {});
  }
  void shut() override {
    Ec ignored;
    ws_->next_layer().close(ignored);
  }

  std::optional<websocket::stream<AnySocket>> ws_;
  boost::beast::flat_buffer in_;
};

base::Try<void> WebSocketLine::open(const Peer& peer, const Request& request) {
  auto authority = authority_of(peer);
  if (!authority) return std::unexpected(authority.error());
  auto socket = connect(peer);
  if (!socket) return std::unexpected(socket.error());
  ws_.emplace(std::move(*socket));
  ws_->auto_fragment(false);
  ws_->read_message_max(message_bytes_max);
  ws_->set_option(websocket::stream_base::decorator([&request](websocket::request_type& head) {
    for (const Header& h : request.headers) head.set(h.name, h.value);
  }));
  websocket::response_type response;
  Ec ec;
  bool done = false;
  ws_->async_handshake(response, authority->header, request.target, [&](Ec e) {
    ec = e;
    done = true;
  });
  if (!run_until(io, done, handshake_us)) {
    shut();
    while (!done) io.run_one();
    ec = asio::error::timed_out;
  }
  if (!ec) return {};
  if (ec != websocket::error::upgrade_declined) {
    return base::fault("the WebSocket was not opened: " + ec.message());
  }
  const int status = static_cast<int>(response.result_int());
  return base::fault(fmt::format("the peer answered {}: {}", status, response.body()),
                     status >= 500, status);
}

void WebSocketLine::read() {
  if (is_over()) return;
  ws_->async_read(in_, [self = self()](Ec ec, std::size_t) {
    if (ec) {
      const auto reason = self->ws_->reason();
      const bool closed = ec == websocket::error::closed;
      const std::string why(reason.reason.data(), reason.reason.size());
      return self->ended(!closed ? ec.message() : why.empty() ? "closed by the peer" : why);
    }
    std::string bytes = boost::beast::buffers_to_string(self->in_.data());
    self->in_.consume(self->in_.size());
    self->received(std::move(bytes), self->ws_->got_text());
    self->read();
  });
}

}  // namespace

base::Try<std::unique_ptr<Duplex>> connect_websocket(const Peer& peer, const Request& request,
                                                     DuplexEvents events) {
  const auto line = std::make_shared<WebSocketLine>(std::move(events));
  if (auto opened = line->open(peer, request); !opened) return std::unexpected(opened.error());
  line->run();
  return std::make_unique<DuplexHandle>(line);
}

}  // namespace ampacity::net
