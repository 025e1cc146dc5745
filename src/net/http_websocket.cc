// The server's side of a WebSocket: Beast's stream over the socket, or the TLS, that an HTTP
// connection gave up.
#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/beast/core/buffers_to_string.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/websocket/ssl.hpp>
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

// What the handle says to its session, over whichever stream that is.
class WebSocketSession : public Session {
 public:
  virtual void listen(std::function<void(std::string, bool)> callback) = 0;
  virtual void send(std::string bytes, bool text) = 0;
  virtual void close(std::string reason) = 0;
  void sweep(std::int64_t) override {}  // Beast's stream keeps its own time
};

// Over a socket, or over TLS that a connection has established.
template <typename Stream>
class StreamSession final : public WebSocketSession,
                            public std::enable_shared_from_this<StreamSession<Stream>> {
 public:
  StreamSession(std::shared_ptr<Loop> loop, std::shared_ptr<Shared> shared)
      : loop_(std::move(loop)), shared_(std::move(shared)) {}

  template <typename... A>
  void accept(const Request& request, A&&... stream);
  void listen(std::function<void(std::string, bool)> callback) override;
  void send(std::string bytes, bool text) override;
  void close(std::string reason) override;
  void shut() override;

 private:
  auto self() { return this->shared_from_this(); }
  struct Message {
    std::string bytes;
    bool text;
  };
  void read();
  void write();
  void close_now();

  const std::shared_ptr<Loop> loop_;
  const std::shared_ptr<Shared> shared_;
  std::optional<websocket::stream<Stream>> ws_;
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

template <typename Stream>
template <typename... A>
void StreamSession<Stream>::accept(const Request& request, A&&... stream) {
  namespace http = boost::beast::http;
  ws_.emplace(std::forward<A>(stream)...);
  websocket::stream_base::timeout timeout{};
  timeout.handshake_timeout = std::chrono::microseconds(loop_->options.header_timeout.us);
  timeout.idle_timeout = std::chrono::microseconds(loop_->options.idle_timeout.us);
  timeout.keep_alive_pings = true;
  ws_->set_option(timeout);
  ws_->read_message_max(loop_->options.max_body_bytes);
  ws_->auto_fragment(false);
  http::request<http::empty_body> upgrade(http::verb::get, request.target, 11);
  for (const Header& h : request.headers) upgrade.insert(h.name, h.value);
  ws_->async_accept(upgrade, [self = self()](ErrorCode ec) {
    if (self->over_) return;
    if (ec) return self->shut();
    self->open_ = true;
    self->read();
    self->write();
  });
}

// Nothing is read before somebody listens, so that no first message is lost.
template <typename Stream>
void StreamSession<Stream>::listen(std::function<void(std::string, bool)> callback) {
  if (over_) return;
  shared_->on_message = std::move(callback);
  listening_ = true;
  read();
}

template <typename Stream>
void StreamSession<Stream>::read() {
  if (!open_ || !listening_ || reading_ || over_) return;
  reading_ = true;
  ws_->async_read(in_, [self = self()](ErrorCode ec, std::size_t) {
    self->reading_ = false;
    if (self->over_) return;
    if (ec) return self->shut();
    std::string bytes = boost::beast::buffers_to_string(self->in_.data());
    self->in_.consume(self->in_.size());
    self->shared_->on_message(std::move(bytes), self->ws_->got_text());
    self->read();
  });
}

template <typename Stream>
void StreamSession<Stream>::send(std::string bytes, bool text) {
  if (over_ || closing_) return;
  out_.push_back({std::move(bytes), text});
  write();
}

template <typename Stream>
void StreamSession<Stream>::write() {
  if (!open_ || writing_ || over_) return;
  if (out_.empty()) return close_now();
  writing_ = true;
  ws_->text(out_.front().text);
  ws_->async_write(asio::buffer(out_.front().bytes), [self = self()](ErrorCode ec, std::size_t) {
    self->writing_ = false;
    if (self->over_) return;
    if (ec) return self->shut();
    self->shared_->outlet.written(self->out_.front().bytes.size());
    self->out_.pop_front();
    self->write();
  });
}

template <typename Stream>
void StreamSession<Stream>::close(std::string reason) {
  if (closing_) return;
  closing_ = std::move(reason);
  closing_->resize(std::min<std::size_t>(closing_->size(), 120));  // a control frame's bound
  write();
}

template <typename Stream>
void StreamSession<Stream>::close_now() {
  if (!closing_ || close_sent_) return;
  close_sent_ = true;
  const websocket::close_reason reason(websocket::close_code::normal,
                                       boost::beast::string_view(*closing_));
  ws_->async_close(reason, [self = self()](ErrorCode) { self->shut(); });
}

template <typename Stream>
void StreamSession<Stream>::shut() {
  if (std::exchange(over_, true)) return;
  const auto keep = self();
  ErrorCode ignored;
  if (ws_) boost::beast::get_lowest_layer(*ws_).close(ignored);
  loop_->remove(*this);
  shared_->outlet.close();
  shared_->on_message = nullptr;  // it may hold the handle
}

using TlsStream = asio::ssl::stream<asio::ip::tcp::socket>;

// Where a handle finds its session, once the connection was released. I/O thread.
struct SessionPlace {
  std::weak_ptr<WebSocketSession> session;
};

template <typename Stream, typename... A>
void open_session(const std::shared_ptr<Loop>& loop, const std::shared_ptr<Shared>& shared,
                  SessionPlace& place, const Request& request, A&&... stream) {
  const auto session = std::make_shared<StreamSession<Stream>>(loop, shared);
  place.session = session;
  loop->add(session);
  session->accept(request, std::forward<A>(stream)...);
}

class WebSocketHandle final : public WebSocket {
 public:
  WebSocketHandle(std::shared_ptr<Loop> loop, std::shared_ptr<SessionPlace> place,
                  std::shared_ptr<Shared> shared)
      : loop_(std::move(loop)), place_(std::move(place)), shared_(std::move(shared)) {}

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
    return loop_->post([place = place_, f = std::move(f)]() mutable {
      if (const auto s = place->session.lock()) f(*s);
    });
  }

  const std::shared_ptr<Loop> loop_;
  const std::shared_ptr<SessionPlace> place_;
  const std::shared_ptr<Shared> shared_;
};

}  // namespace

std::shared_ptr<WebSocket> accept_websocket(const std::shared_ptr<Loop>& loop,
                                            std::weak_ptr<Connection> connection,
                                            std::uint64_t serial) {
  const auto shared = std::make_shared<Shared>(loop->options.max_stream_backlog_bytes);
  const auto place = std::make_shared<SessionPlace>();
  auto handle = std::make_shared<WebSocketHandle>(loop, place, shared);
  const bool posted = loop->post([loop, connection = std::move(connection), serial, shared, place] {
    const auto from = connection.lock();
    auto given = from ? from->release(serial) : std::nullopt;
    if (!given) return shared->outlet.close();
    if (given->tls)
      open_session<TlsStream>(loop, shared, *place, given->request, std::move(given->socket),
                              given->tls.release());
    else
      open_session<asio::ip::tcp::socket>(loop, shared, *place, given->request,
                                          std::move(given->socket));
  });
  if (!posted) shared->outlet.close();
  return handle;
}

}  // namespace ampacity::net
