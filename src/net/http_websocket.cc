// The server's side of a WebSocket: Beast's stream over the socket an HTTP connection gave up.
#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/buffers_to_string.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/websocket/stream.hpp>
#include <chrono>
#include <deque>
#include <optional>
#include <utility>

#include "net/http_reply.h"

namespace ampacity::net {
namespace {

namespace asio = boost::asio;
namespace websocket = boost::beast::websocket;
using ErrorCode = boost::beast::error_code;

// Callbacks of the handle; `outlet` carries on_close and the backlog.
struct Shared {
  explicit Shared(std::size_t max_backlog_bytes) : outlet(max_backlog_bytes) {}
  Outlet outlet;
  std::function<void(std::string, bool)> on_message;  // I/O thread, once set never changed
};

class WebSocketSession final : public Session,
                               public std::enable_shared_from_this<WebSocketSession> {
 public:
  WebSocketSession(std::shared_ptr<Loop> loop, std::shared_ptr<Shared> shared)
      : loop_(std::move(loop)), shared_(std::move(shared)) {}

  void accept(asio::ip::tcp::socket socket, const Request& request);
  void listen(std::function<void(std::string, bool)> callback);
  void send(std::string bytes, bool text);
  void close(std::string reason);
  void shut() override;
  void sweep(std::int64_t) override {}  // Beast's stream keeps its own time

 private:
  struct Message {
    std::string bytes;
    bool text;
  };
  void read();
  void write();
  void close_now();

  const std::shared_ptr<Loop> loop_;
  const std::shared_ptr<Shared> shared_;
  std::optional<websocket::stream<asio::ip::tcp::socket>> ws_;
  boost::beast::flat_buffer in_;
  std::deque<Message> out_;
  std::optional<std::string> closing_;  // the reason, once asked to close
  bool open_ = false;                   // the handshake is done
  bool listening_ = false;
  bool reading_ = false;
  bool writing_ = false;
  bool close_sent_ = false;
  bool over_ = false;
};

void WebSocketSession::accept(asio::ip::tcp::socket socket, const Request& request) {
  namespace http = boost::beast::http;
  ws_.emplace(std::move(socket));
  websocket::stream_base::timeout timeout{};
  timeout.handshake_timeout = std::chrono::microseconds(loop_->options.header_timeout.us);
  timeout.idle_timeout = std::chrono::microseconds(loop_->options.idle_timeout.us);
  timeout.keep_alive_pings = true;
  ws_->set_option(timeout);
  ws_->read_message_max(loop_->options.max_body_bytes);
  ws_->auto_fragment(false);
  http::request<http::empty_body> upgrade(http::verb::get, request.target, 11);
  for (const Header& h : request.headers) upgrade.insert(h.name, h.value);
  ws_->async_accept(upgrade, [self = shared_from_this()](ErrorCode ec) {
    if (self->over_) return;
    if (ec) return self->shut();
    self->open_ = true;
    self->read();
    self->write();
  });
}

// Nothing is read before somebody listens, so that no first message is lost.
void WebSocketSession::listen(std::function<void(std::string, bool)> callback) {
  if (over_) return;
  shared_->on_message = std::move(callback);
  listening_ = true;
  read();
}

void WebSocketSession::read() {
  if (!open_ || !listening_ || reading_ || over_) return;
  reading_ = true;
  ws_->async_read(in_, [self = shared_from_this()](ErrorCode ec, std::size_t) {
    self->reading_ = false;
    if (self->over_) return;
    if (ec) return self->shut();
    std::string bytes = boost::beast::buffers_to_string(self->in_.data());
    self->in_.consume(self->in_.size());
    self->shared_->on_message(std::move(bytes), self->ws_->got_text());
    self->read();
  });
}

void WebSocketSession::send(std::string bytes, bool text) {
  if (over_ || closing_) return;
  out_.push_back({std::move(bytes), text});
  write();
}

void WebSocketSession::write() {
  if (!open_ || writing_ || over_) return;
  if (out_.empty()) return close_now();
  writing_ = true;
  ws_->text(out_.front().text);
  ws_->async_write(asio::buffer(out_.front().bytes),
                   [self = shared_from_this()](ErrorCode ec, std::size_t) {
                     self->writing_ = false;
                     if (self->over_) return;
                     if (ec) return self->shut();
                     self->shared_->outlet.written(self->out_.front().bytes.size());
                     self->out_.pop_front();
                     self->write();
                   });
}

void WebSocketSession::close(std::string reason) {
  if (closing_) return;
  closing_ = std::move(reason);
  closing_->resize(std::min<std::size_t>(closing_->size(), 120));  // a control frame's bound
  write();
}

void WebSocketSession::close_now() {
  if (!closing_ || close_sent_) return;
  close_sent_ = true;
  const websocket::close_reason reason(websocket::close_code::normal,
                                       boost::beast::string_view(*closing_));
  ws_->async_close(reason, [self = shared_from_this()](ErrorCode) { self->shut(); });
}

void WebSocketSession::shut() {
  if (std::exchange(over_, true)) return;
  const auto self = shared_from_this();
  ErrorCode ignored;
  if (ws_) ws_->next_layer().close(ignored);
  loop_->remove(*this);
  shared_->outlet.close();
  shared_->on_message = nullptr;  // it may hold the handle
}

class WebSocketHandle final : public WebSocket {
 public:
  WebSocketHandle(std::shared_ptr<Loop> loop, std::weak_ptr<WebSocketSession> session,
                  std::shared_ptr<Shared> shared)
      : loop_(std::move(loop)), session_(std::move(session)), shared_(std::move(shared)) {}

  ~WebSocketHandle() override {
    shared_->outlet.disarm();
    close({});
  }

  bool send(std::string bytes, bool text) override {
    switch (shared_->outlet.take(bytes.size())) {
      case Outlet::Taken::closed:
        return false;
      case Outlet::Taken::overflow:
        with_session([](WebSocketSession& s) { s.shut(); });
        return false;
      case Outlet::Taken::yes:
        break;
    }
    return with_session([bytes = std::move(bytes), text](WebSocketSession& s) mutable {
      s.send(std::move(bytes), text);
    });
  }

  void on_message(std::function<void(std::string, bool)> callback) override {
    with_session([callback = std::move(callback)](WebSocketSession& s) mutable {
      s.listen(std::move(callback));
    });
  }

  void on_close(std::function<void()> callback) override {
    if (!shared_->outlet.set_on_close(std::move(callback))) return;
    if (!loop_->post([shared = shared_] { shared->outlet.fire(); })) shared_->outlet.disarm();
  }

  void close(std::string_view reason) override {
    with_session([reason = std::string(reason)](WebSocketSession& s) { s.close(reason); });
  }

 private:
  template <typename F>
  bool with_session(F f) {
    return loop_->post([session = session_, f = std::move(f)]() mutable {
      if (const auto s = session.lock()) f(*s);
    });
  }

  const std::shared_ptr<Loop> loop_;
  const std::weak_ptr<WebSocketSession> session_;
  const std::shared_ptr<Shared> shared_;
};

}  // namespace

std::shared_ptr<WebSocket> accept_websocket(const std::shared_ptr<Loop>& loop,
                                            std::weak_ptr<Connection> connection,
                                            std::uint64_t serial) {
  const auto shared = std::make_shared<Shared>(loop->options.max_stream_backlog_bytes);
  auto session = std::make_shared<WebSocketSession>(loop, shared);
  auto handle = std::make_shared<WebSocketHandle>(loop, session, shared);
  const bool posted = loop->post([loop = loop.get(), connection = std::move(connection), serial,
                                  session = std::move(session)] {
    Request request;
    const auto from = connection.lock();
    auto socket = from ? from->release(serial, request) : std::nullopt;
    if (!socket) return session->shut();
    loop->add(session);
    session->accept(std::move(*socket), request);
  });
  if (!posted) shared->outlet.close();
  return handle;
}

}  // namespace ampacity::net
