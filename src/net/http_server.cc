#include "net/http_server.h"

#include <fmt/core.h>
#include <pthread.h>

#include <algorithm>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <mutex>
#include <thread>
#include <utility>

#include "base/check.h"
#include "net/http_connection.h"
#include "net/http_loop.h"

namespace ampacity::net {

namespace asio = boost::asio;
using ErrorCode = boost::system::error_code;

namespace {
constexpr std::size_t refused_connections_max = 64;  // told so; those beyond are just closed
}

class HttpServer::Impl {
 public:
  Impl(ServerOptions options, Handler handler, RefusalBody refusal)
      : loop(std::make_shared<Loop>(std::move(options), std::move(handler), std::move(refusal))),
        acceptor_(loop->io),
        timer_(loop->io) {}

  base::Try<void> start();
  void stop();
  std::uint16_t port() const { return port_; }

  const std::shared_ptr<Loop> loop;

 private:
  base::Try<void> bind();
  void accept();
  void on_accept(ErrorCode ec, asio::ip::tcp::socket socket);
  void welcome(asio::ip::tcp::socket socket);
  void sweep();

  asio::ip::tcp::acceptor acceptor_;
  asio::steady_timer timer_;
  std::thread thread_;
  std::uint16_t port_ = 0;
  std::mutex stop_mutex_;
  bool stopping_ = false;       // I/O thread
  bool accept_paused_ = false;  // I/O thread: out of file descriptors until the next sweep
};

base::Try<void> HttpServer::Impl::bind() {
  ErrorCode ec;
  const auto address = asio::ip::make_address(loop->options.address, ec);
  const asio::ip::tcp::endpoint endpoint(address, loop->options.port);
  if (!ec) acceptor_.open(endpoint.protocol(), ec);
  if (!ec) acceptor_.set_option(asio::socket_base::reuse_address(true), ec);
  if (!ec) acceptor_.bind(endpoint, ec);
  if (!ec) acceptor_.listen(1024, ec);
  if (!ec) port_ = acceptor_.local_endpoint(ec).port();
  if (!ec) return {};
  return base::fault(fmt::format("cannot listen on {}:{}: {}", loop->options.address,
                                 loop->options.port, ec.message()),
                     false);
}

base::Try<void> HttpServer::Impl::start() {
  CHECK_THAT(!thread_.joinable() && !loop->stopped(), "a server starts once");
  if (auto bound = bind(); !bound) return bound;
  accept();
  sweep();
  thread_ = std::thread([this] {
    loop->thread_id = std::this_thread::get_id();
    pthread_setname_np(pthread_self(), "http");
    loop->io.run();
  });
  return {};
}

void HttpServer::Impl::accept() {
  acceptor_.async_accept(
      [this](ErrorCode ec, asio::ip::tcp::socket socket) { on_accept(ec, std::move(socket)); });
}

void HttpServer::Impl::on_accept(ErrorCode ec, asio::ip::tcp::socket socket) {
  if (stopping_) return;
  if (ec == asio::error::no_descriptors || ec == asio::error::no_memory ||
      ec == asio::error::no_buffer_space) {
    accept_paused_ = true;
    return;
  }
  if (!ec) welcome(std::move(socket));
  accept();
}

// Over TLS, nothing can be said before the greeting, and greetings cost: what is too many is
// closed.
void HttpServer::Impl::welcome(asio::ip::tcp::socket socket) {
  const std::size_t limit = loop->options.max_connections;
  const std::size_t now = loop->session_count();
  if (loop->tls && (now >= limit || loop->greetings >= loop->options.max_greetings)) return;
  if (now >= limit + refused_connections_max) return;
  const auto connection = std::make_shared<Connection>(loop, std::move(socket));
  loop->add(connection);
  if (now < limit) {
    connection->begin();
  } else {
    connection->begin_refused(503, "too many connections");
  }
}

// One timer for all deadlines: a connection's costs nothing while it is busy.
void HttpServer::Impl::sweep() {
  if (stopping_) return;
  loop->refresh_date();
  if (std::exchange(accept_paused_, false)) accept();
  const std::int64_t now_us = steady_us();
  for (const auto& session : loop->sessions()) session->sweep(now_us);
  const ServerOptions& o = loop->options;
  const std::int64_t least_us =
      std::min({o.header_timeout.us, o.body_timeout.us, o.idle_timeout.us, o.greeting_timeout.us});
  timer_.expires_after(
      std::chrono::microseconds(std::clamp<std::int64_t>(least_us / 4, 10'000, 1'000'000)));
  timer_.async_wait([this](ErrorCode ec) {
    if (!ec) sweep();
  });
}

void HttpServer::Impl::stop() {
  const std::lock_guard lock(stop_mutex_);
  if (thread_.joinable()) {
    CHECK_THAT(!loop->on_thread(), "a server cannot be stopped from its own handler");
    loop->post([this] {
      stopping_ = true;
      ErrorCode ignored;
      acceptor_.close(ignored);
      timer_.cancel();
      for (const auto& session : loop->sessions()) session->shut();
    });
    thread_.join();
  }
  loop->close_inbox();
  loop->handler = nullptr;  // and what it captured
  loop->refusal = nullptr;
}

HttpServer::HttpServer(ServerOptions options, Handler handler, RefusalBody refusal_body)
    : impl_(std::make_shared<Impl>(std::move(options), std::move(handler),
                                   std::move(refusal_body))) {}

HttpServer::~HttpServer() { impl_->stop(); }

base::Try<void> HttpServer::start() { return impl_->start(); }
void HttpServer::stop() { impl_->stop(); }
std::uint16_t HttpServer::port() const { return impl_->port(); }
std::size_t HttpServer::connections() const { return impl_->loop->session_count(); }

void HttpServer::send_all(std::vector<std::pair<Reply, Response>> answers) {
  if (answers.empty()) return;
  impl_->loop->post([answers = std::move(answers)]() mutable {
    for (auto& [reply, response] : answers) reply.send(std::move(response));
  });
}

void HttpServer::show(std::shared_ptr<const TlsIdentity> tls) {
  impl_->loop->post([loop = impl_->loop.get(), tls = std::move(tls)]() mutable {
    if (loop->tls && tls) loop->tls = std::move(tls);
  });
}

void HttpServer::post(std::function<void()> f) { impl_->loop->post(std::move(f)); }

}  // namespace ampacity::net
