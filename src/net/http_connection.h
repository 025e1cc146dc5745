// One HTTP/1.1 connection: reads, parses, hands requests to the handler one at a time, writes.
// Threads: the I/O thread only.
//
//   greeting ──TLS is established──> reading     (plain HTTP begins at reading)
//   reading ──whole request──> waiting ──answer──> reading
//      │ bad, late, too big       │ begin_stream ──> streaming ──end_stream──> reading
//      └──> closing <─────────────┘ (no keep-alive)
//   closing: what is queued is written, then our side is shut and input discarded until the peer
//   closes too, so that an answer is not lost to a reset. Any ──shut()──> over.
//
// 1. Requests of one connection reach the handler one after the other; answers leave in that order.
// 2. Memory is bounded: input by max(head, 64 KiB), a body by max_body_bytes, queued plain answers
//    by one answer beyond 256 KiB, a stream by max_stream_backlog_bytes; over TLS, one read more.
// 3. A serial names the request an answer is for; an answer to another is dropped.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "net/http_input.h"
#include "net/http_loop.h"
#include "net/http_outlet.h"
#include "net/http_parser.h"
#include "net/tls_pipe.h"

namespace ampacity::net {

class Connection final : public Session, public std::enable_shared_from_this<Connection> {
 public:
  Connection(std::shared_ptr<Loop> loop, boost::asio::ip::tcp::socket socket);
  void begin();                                             // the first read
  void begin_refused(int status, std::string_view reason);  // too many connections

  void answer(std::uint64_t serial, Response response);
  void begin_stream(std::uint64_t serial, Response head, std::shared_ptr<Outlet> outlet);
  void write_stream(std::uint64_t serial, std::string_view bytes);
  void end_stream(std::uint64_t serial);
  // Hands over the socket of a request that asked for a WebSocket, and its TLS if it has one; this
  // connection is then over.
  struct Released {
    boost::asio::ip::tcp::socket socket;
    TlsPipe::Handle tls;
    Request request;
  };
  std::optional<Released> release(std::uint64_t serial);

  void shut() override;
  void sweep(std::int64_t now_us) override;

 private:
  enum class State { greeting, reading, waiting, streaming, closing, over };

  void arm_read();
  void on_read(boost::system::error_code ec, std::size_t n);
  bool unseal(std::size_t n);
  void on_peer_done();
  void advance();
  bool parse();
  void skip_blank_lines();
  void dispatch();
  void refuse(int status, std::string_view reason);
  void refuse(boost::beast::error_code ec);
  void next_request();

  void flush();
  void write_more();
  void on_written(boost::system::error_code ec, std::size_t n);
  void shut_write();

  const std::shared_ptr<Loop> loop_;
  boost::asio::ip::tcp::socket socket_;
  State state_ = State::reading;
  std::optional<TlsPipe> tls_;
  InputBuffer sealed_in_;  // over TLS, what was read; in_ has what was in it
  InputBuffer in_;
  std::optional<RequestParser> parser_;
  std::uint64_t serial_ = 0;
  Wire wire_;                             // of the request being answered
  Request upgrade_;                       // the request, if it asked for a WebSocket
  std::shared_ptr<Outlet> outlet_;        // while streaming
  std::string out_;                       // to be written
  std::string sending_;                   // being written
  std::size_t sent_ = 0;                  // of sending_
  std::size_t out_stream_bytes_ = 0;      // what of out_ counts in the outlet's backlog
  std::size_t sending_stream_bytes_ = 0;  // what of sending_ does
  std::int64_t read_deadline_us_ = 0;     // 0: none
  std::int64_t write_deadline_us_ = 0;    // 0: none
  bool reading_ = false;                  // a read is outstanding
  bool writing_ = false;                  // a write is outstanding
  bool in_advance_ = false;
  bool in_head_ = false;    // some of a head has come
  bool in_body_ = false;    // the head is whole, the body is not
  bool peer_done_ = false;  // the peer sends no more
  bool wants_websocket_ = false;
  bool write_shut_ = false;
};

}  // namespace ampacity::net
