#include "net/http_connection.h"

#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/beast/http/error.hpp>
#include <utility>

#include "net/http_reply.h"

namespace ampacity::net {
namespace {

namespace asio = boost::asio;
using ErrorCode = boost::system::error_code;

constexpr std::size_t least_read_bytes = 4 << 10;
constexpr std::size_t body_read_bytes = 32 << 10;
constexpr std::size_t input_bytes_max = 64 << 10;
constexpr std::size_t pipelined_output_bytes_max = 256 << 10;
constexpr std::size_t kept_buffer_bytes = 64 << 10;
constexpr std::int64_t linger_us = 3'000'000;  // for the peer to read our last words

}  // namespace

Connection::Connection(std::shared_ptr<Loop> loop, asio::ip::tcp::socket socket)
    : loop_(std::move(loop)), socket_(std::move(socket)) {
  ErrorCode ignored;
  socket_.set_option(asio::ip::tcp::no_delay(true), ignored);
  socket_.non_blocking(true, ignored);
}

void Connection::begin() {
  if (loop_->tls) {
    tls_.emplace(*loop_->tls);
    state_ = State::greeting;
    ++loop_->greetings;
  }
  const auto& o = loop_->options;
  read_deadline_us_ = steady_us() + (tls_ ? o.greeting_timeout : o.header_timeout).us;
  arm_read();
}

void Connection::begin_refused(int status, std::string_view reason) {
  refuse(status, reason);
  advance();
}

// ---- reading ----

// A read stays outstanding even while an answer is awaited: it notices a peer that hangs up.
void Connection::arm_read() {
  if (reading_ || peer_done_ || state_ == State::over) return;
  if (state_ == State::waiting && wants_websocket_)
    return;  // the socket is about to be handed over
  const std::size_t most = std::max(loop_->options.max_header_bytes, input_bytes_max);
  if (in_.size() >= most) return;
  InputBuffer& into = tls_ ? sealed_in_ : in_;
  InputBuffer::Space space = into.prepare(in_body_ ? body_read_bytes : least_read_bytes);
  reading_ = true;
  socket_.async_read_some(
      asio::buffer(space.data, space.size),
      [self = shared_from_this()](ErrorCode ec, std::size_t n) { self->on_read(ec, n); });
}

void Connection::on_read(ErrorCode ec, std::size_t n) {
  reading_ = false;
  if (state_ == State::over) return;
  if (ec == asio::error::eof) return on_peer_done();
  if (ec) return shut();
  if (tls_) {
    if (!unseal(n)) return;
  } else {
    in_.commit(n);
  }
  if (state_ == State::closing) in_.clear();
  if (state_ == State::reading) return advance();
  arm_read();
}

void Connection::on_peer_done() {
  peer_done_ = true;
  const bool unsent = writing_ || !out_.empty();
  if (state_ == State::greeting || state_ == State::streaming ||
      (state_ == State::closing && !unsent))
    return shut();
  advance();
}

// False: the peer is done, or is no peer of ours; what is to happen then, happened.
bool Connection::unseal(std::size_t n) {
  sealed_in_.commit(n);
  if (state_ == State::closing) return sealed_in_.clear(), true;
  const TlsPipe::Met met = tls_->open(sealed_in_.bytes(), in_);
  sealed_in_.clear();
  if (met == TlsPipe::Met::not_tls) {
    --loop_->greetings;
    tls_.reset();
    refuse(400, "this port speaks TLS: use https://");
    advance();
    return false;
  }
  if (state_ == State::greeting && tls_->established()) {
    --loop_->greetings;
    state_ = State::reading;
    read_deadline_us_ = steady_us() + loop_->options.header_timeout.us;
  }
  if (met == TlsPipe::Met::broken) {
    flush();  // the alert that says why
    shut();
    return false;
  }
  if (tls_->owes()) flush();
  if (state_ == State::over) return false;
  if (met == TlsPipe::Met::ok) return true;
  on_peer_done();
  return false;
}

void Connection::advance() {
  if (in_advance_ || state_ == State::over) return;
  in_advance_ = true;
  bool starved = false;
  do {
    while (state_ == State::reading && !starved &&
           out_.size() + sending_.size() - sent_ < pipelined_output_bytes_max) {
      starved = !parse();
    }
    if (state_ == State::reading && starved && peer_done_) state_ = State::closing;
    flush();
  } while (state_ == State::reading && !starved && !writing_);
  in_advance_ = false;
  if (state_ == State::over) return;
  if (state_ == State::reading && !in_head_ && !in_body_ && !reading_) {
    in_.shrink(kept_buffer_bytes);
  }
  arm_read();
}

// True if a request was dispatched; false if more input is needed or the request was refused.
bool Connection::parse() {
  if (!parser_) {
    skip_blank_lines();
    if (in_.empty()) return false;
    parser_.emplace(loop_->options.max_header_bytes, loop_->options.max_body_bytes);
    in_head_ = true;
    read_deadline_us_ = steady_us() + loop_->options.header_timeout.us;
  }
  if (in_.empty()) return false;
  boost::beast::error_code ec;
  const std::string_view bytes = in_.bytes();
  in_.consume(parser_->put(asio::const_buffer(bytes.data(), bytes.size()), ec));
  if (ec && ec != boost::beast::http::error::need_more) {
    refuse(ec);
    return false;
  }
  if (parser_->is_header_done() && in_head_) {
    in_head_ = false;
    if (parser_->expects_other()) {
      refuse(417, "only 100-continue can be expected");
      return false;
    }
    if (!parser_->is_done()) {
      in_body_ = true;
      read_deadline_us_ = steady_us() + loop_->options.body_timeout.us;
      if (parser_->expects_continue() && !parser_->http_1_0() && in_.empty()) {
        out_.append("HTTP/1.1 100 Continue\r\n\r\n");
      }
    }
  }
  if (parser_->is_done()) {
    dispatch();
    return true;
  }
  if (in_.size() >= std::max(loop_->options.max_header_bytes, input_bytes_max)) {
    refuse(in_body_ ? 400 : 431, "a line of the request is too long");
  }
  return false;
}

// RFC 9112 §2.2: empty lines before a request are to be ignored.
void Connection::skip_blank_lines() {
  const std::string_view bytes = in_.bytes();
  const std::size_t n = bytes.find_first_not_of("\r\n");
  in_.consume(n == std::string_view::npos ? bytes.size() : n);
}

void Connection::dispatch() {
  in_head_ = in_body_ = false;
  read_deadline_us_ = 0;
  state_ = State::waiting;
  ++serial_;
  Request request = std::move(parser_->request());
  wire_.framing = request.method == "HEAD" ? Framing::head : Framing::length;
  wire_.http_1_0 = parser_->http_1_0();
  wire_.keep_alive = parser_->keep_alive();
  wants_websocket_ = parser_->wants_websocket() && request.method == "GET" && !wire_.http_1_0 &&
                     request.header("Sec-WebSocket-Version") == "13" &&
                     !request.header("Sec-WebSocket-Key").empty();
  if (wants_websocket_) upgrade_ = request;
  parser_.reset();
  Reply reply(
      std::make_shared<ConnectionReply>(loop_, weak_from_this(), serial_, wants_websocket_));
  loop_->handler(std::move(request), std::move(reply));
}

void Connection::refuse(boost::beast::error_code ec) {
  using Error = boost::beast::http::error;
  if (ec == Error::body_limit) return refuse(413, "the body is too large");
  if (ec == Error::header_limit || ec == Error::buffer_overflow) {
    return refuse(431, "the request's head is too large");
  }
  refuse(400, ec.message());
}

void Connection::refuse(int status, std::string_view reason) {
  const bool head = parser_ && parser_->request().method == "HEAD";
  const Wire wire{head ? Framing::head : Framing::length, false, false};
  Response response = loop_->refusal(status, reason);
  response.status = status;
  append_response(out_, response, wire, loop_->date());
  parser_.reset();
  in_head_ = in_body_ = false;
  in_.clear();
  state_ = State::closing;
  read_deadline_us_ = steady_us() + linger_us;
}

// ---- answering ----

void Connection::answer(std::uint64_t serial, Response response) {
  if (serial != serial_ || state_ != State::waiting) return;
  if (list_contains(response.header("Connection"), "close")) wire_.keep_alive = false;
  append_response(out_, response, wire_, loop_->date());
  next_request();
}

void Connection::next_request() {
  state_ = wire_.keep_alive ? State::reading : State::closing;
  wants_websocket_ = false;
  read_deadline_us_ = steady_us() + (wire_.keep_alive ? loop_->options.idle_timeout.us : linger_us);
  advance();
}

void Connection::begin_stream(std::uint64_t serial, Response head, std::shared_ptr<Outlet> outlet) {
  if (serial != serial_ || state_ != State::waiting) return outlet->close();
  const bool bodiless = wire_.framing == Framing::head;
  wire_.framing = wire_.http_1_0 ? Framing::close : Framing::chunked;
  if (wire_.http_1_0) wire_.keep_alive = false;
  append_response(out_, head, wire_, loop_->date());
  if (bodiless) {
    next_request();
    return outlet->close();
  }
  state_ = State::streaming;
  outlet_ = std::move(outlet);
  if (peer_done_) return shut();
  if (!head.body.empty()) write_stream(serial, head.body);
  flush();
  arm_read();
}

void Connection::write_stream(std::uint64_t serial, std::string_view bytes) {
  if (serial != serial_ || state_ != State::streaming) return;
  if (wire_.framing == Framing::chunked) {
    append_chunk(out_, bytes);
  } else {
    out_.append(bytes);
  }
  out_stream_bytes_ += bytes.size();
  flush();
}

void Connection::end_stream(std::uint64_t serial) {
  if (serial != serial_ || state_ != State::streaming) return;
  if (wire_.framing == Framing::chunked) out_.append(last_chunk);
  outlet_.reset();
  out_stream_bytes_ = sending_stream_bytes_ = 0;
  next_request();
}

std::optional<Connection::Released> Connection::release(std::uint64_t serial) {
  if (serial != serial_ || state_ != State::waiting || !wants_websocket_) return std::nullopt;
  // Bytes before our 101, or answers still on their way: no peer in its right mind does that.
  bool early = !in_.empty() || reading_ || writing_ || !out_.empty();
  TlsPipe::Handle tls;
  if (tls_ && !early) {
    tls = tls_->release();
    early = !tls;
  }
  if (early) {
    refuse(400, "data came before the WebSocket was open");
    advance();
    return std::nullopt;
  }
  const auto self = shared_from_this();
  state_ = State::over;
  Released released{std::move(socket_), std::move(tls), std::move(upgrade_)};
  loop_->remove(*this);
  return released;
}

// ---- writing ----

// Tries at once: a small answer nearly always fits the kernel's buffer, which saves a turn of the
// reactor. Only what does not fit waits.
void Connection::flush() {
  if (writing_ || state_ == State::over) return;
  if (tls_ && !tls_->seal(out_, state_ == State::closing)) return shut();
  if (!out_.empty()) {
    ErrorCode ec;
    const std::size_t n = socket_.write_some(asio::buffer(out_), ec);
    if (ec && ec != asio::error::would_block && ec != asio::error::try_again) return shut();
    if (n == out_.size()) {
      if (outlet_) outlet_->written(std::exchange(out_stream_bytes_, 0));
      out_.clear();
      if (out_.capacity() > kept_buffer_bytes) out_ = {};
    } else {
      std::swap(out_, sending_);
      sent_ = n;
      sending_stream_bytes_ = std::exchange(out_stream_bytes_, 0);
      return write_more();
    }
  }
  if (state_ == State::closing) shut_write();
}

void Connection::write_more() {
  writing_ = true;
  write_deadline_us_ = steady_us() + loop_->options.idle_timeout.us;
  socket_.async_write_some(
      asio::buffer(sending_.data() + sent_, sending_.size() - sent_),
      [self = shared_from_this()](ErrorCode ec, std::size_t n) { self->on_written(ec, n); });
}

void Connection::on_written(ErrorCode ec, std::size_t n) {
  writing_ = false;
  if (state_ == State::over) return;
  if (ec) return shut();
  sent_ += n;
  if (sent_ < sending_.size()) return write_more();
  if (outlet_) outlet_->written(std::exchange(sending_stream_bytes_, 0));
  sending_.clear();
  if (sending_.capacity() > kept_buffer_bytes) sending_ = {};
  sent_ = 0;
  write_deadline_us_ = 0;
  advance();
}

void Connection::shut_write() {
  if (std::exchange(write_shut_, true)) return;
  ErrorCode ec;
  socket_.shutdown(asio::ip::tcp::socket::shutdown_send, ec);
  if (ec || peer_done_) return shut();
  in_.clear();
  read_deadline_us_ = steady_us() + linger_us;
  arm_read();
}

// ---- ending ----

void Connection::shut() {
  if (state_ == State::over) return;
  const auto self = shared_from_this();
  if (state_ == State::greeting) --loop_->greetings;
  state_ = State::over;
  ErrorCode ignored;
  socket_.close(ignored);
  loop_->remove(*this);
  if (const auto outlet = std::exchange(outlet_, nullptr)) outlet->close();
}

void Connection::sweep(std::int64_t now_us) {
  if (write_deadline_us_ != 0 && now_us >= write_deadline_us_) return shut();
  if (read_deadline_us_ == 0 || now_us < read_deadline_us_) return;
  if (state_ == State::closing || state_ == State::greeting) return shut();
  if (state_ != State::reading) return;
  if (!in_head_ && !in_body_) return shut();
  refuse(408, in_head_ ? "the request's head took too long" : "the request's body took too long");
  advance();
}

}  // namespace ampacity::net
