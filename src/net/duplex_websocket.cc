// The client's side of a WebSocket: Beast's stream on a duplex line.
#include <fmt/core.h>

#include <boost/asio/buffer.hpp>
#include <boost/beast/core/buffers_to_string.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/websocket/ssl.hpp>
#include <boost/beast/websocket/stream.hpp>
#include <optional>
#include <type_traits>
#include <utility>

#include "net/duplex_line.h"
#include "net/http_text.h"
#include "net/tls_socket.h"

namespace ampacity::net {
namespace {

namespace asio = boost::asio;
namespace websocket = boost::beast::websocket;

// `Stream`: AnySocket, or TlsSocket.
template <typename Stream>
class WebSocketLine final : public DuplexLine {
 public:
  using DuplexLine::DuplexLine;
  base::Try<void> open(const Authority& authority, const Request& request, Stream stream);

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
    if (ws_) boost::beast::get_lowest_layer(*ws_).close(ignored);
  }

  std::optional<websocket::stream<Stream>> ws_;
  boost::beast::flat_buffer in_;
};

template <typename Stream>
base::Try<void> WebSocketLine<Stream>::open(const Authority& authority, const Request& request,
                                            Stream stream) {
  ws_.emplace(std::move(stream));
  ws_->auto_fragment(false);
  ws_->read_message_max(message_bytes_max);
  ws_->set_option(websocket::stream_base::decorator([&request](websocket::request_type& head) {
    for (const Header& h : request.headers) head.set(h.name, h.value);
  }));
  websocket::response_type response;
  Ec ec;
  bool done = false;
  ws_->async_handshake(response, authority.header, request.target, [&](Ec e) {
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

template <typename Stream>
void WebSocketLine<Stream>::read() {
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

template <typename Stream>
base::Try<std::unique_ptr<Duplex>> started(const std::shared_ptr<WebSocketLine<Stream>>& line,
                                           const Authority& authority, const Request& request,
                                           Stream stream) {
  if (auto opened = line->open(authority, request, std::move(stream)); !opened)
    return std::unexpected(opened.error());
  line->run();
  return std::make_unique<DuplexHandle>(line);
}

}  // namespace

base::Try<std::unique_ptr<Duplex>> connect_websocket(const Peer& peer, const Request& request,
                                                     DuplexEvents events) {
  auto authority = authority_of(peer);
  if (!authority) return std::unexpected(authority.error());
  const auto open = [&]<typename Stream>(std::type_identity<Stream>,
                                         auto&& greeted) -> base::Try<std::unique_ptr<Duplex>> {
    const auto line = std::make_shared<WebSocketLine<Stream>>(std::move(events));
    auto socket = line->connect(peer);
    if (!socket) return std::unexpected(socket.error());
    auto stream = greeted(line->io, std::move(*socket));
    if (!stream) return std::unexpected(stream.error());
    return started(line, *authority, request, std::move(*stream));
  };
  if (!authority->tls)
    return open(std::type_identity<AnySocket>{},
                [](auto&, AnySocket s) -> base::Try<AnySocket> { return s; });
  return open(std::type_identity<TlsSocket>{},
              [&](auto& io, AnySocket s) { return greet(io, std::move(s), peer); });
}

}  // namespace ampacity::net
