// An HTTP/1.1 server, plain or over TLS, with every size bounded.
// Threads: handlers run on the server's one I/O thread and must not block; a Reply may be finished
// from any thread, once. Dropping a Reply unanswered sends 500.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "net/http.h"
#include "net/tls.h"

namespace ampacity::net {

struct ServerOptions {
  std::string address = "127.0.0.1";
  std::uint16_t port = 0;                          // 0: any free one, see HttpServer::port()
  std::size_t max_body_bytes = 1 << 20;            // beyond: 413
  std::size_t max_header_bytes = 16 << 10;         // beyond: 431
  std::size_t max_connections = 4096;              // beyond: 503 and close
  std::size_t max_stream_backlog_bytes = 4 << 20;  // a reader slower than this is cut off
  base::Duration header_timeout = base::Duration::seconds(10);  // slow-loris: whole request head
  base::Duration body_timeout = base::Duration::seconds(30);
  base::Duration idle_timeout = base::Duration::seconds(120);  // keep-alive
  std::shared_ptr<const TlsIdentity> tls;                      // null: plain HTTP
  base::Duration greeting_timeout = base::Duration::seconds(10);
  std::size_t max_greetings = 256;  // TLS handshakes at once; beyond: closed
};

// A response whose end is not known yet: server-sent events, logs. Thread-safe.
class Stream {
 public:
  virtual ~Stream() = default;  // ends the response
  // False once the peer is gone or its backlog overflowed; further writes do nothing.
  virtual bool write(std::string bytes) = 0;
  virtual bool closed() const = 0;
  // Bytes not yet sent: who writes much waits until they are few.
  virtual std::size_t backlog_bytes() const = 0;
  // Cuts the connection: the peer sees that what it has is not all.
  virtual void abort() = 0;
  // Called once, on the I/O thread, when the peer goes away. Set before the first write.
  virtual void on_close(std::function<void()> callback) = 0;
};

// A WebSocket, for exec. Thread-safe.
class WebSocket {
 public:
  virtual ~WebSocket() = default;  // closes
  virtual bool send(std::string bytes, bool text) = 0;
  // Set once; called on the I/O thread.
  virtual void on_message(std::function<void(std::string bytes, bool text)> callback) = 0;
  virtual void on_close(std::function<void()> callback) = 0;
  virtual void close(std::string_view reason) = 0;
};

class Reply {
 public:
  class Impl;
  explicit Reply(std::shared_ptr<Impl> impl);
  // For requests that came without a connection (the simulator's): answered once. A streamed body
  // is given as a whole.
  explicit Reply(std::function<void(Response)> answer);
  Reply(Reply&&) noexcept;
  Reply& operator=(Reply&&) noexcept;
  ~Reply();

  // Has the last word on what send() sends, on whatever thread that is.
  void finish_with(std::function<void(Response&)> finish) { finish_ = std::move(finish); }
  void send(Response response);
  // Sends the head (chunked) and hands over the stream.
  std::shared_ptr<Stream> stream(Response head);
  bool wants_websocket() const;
  // Completes the WebSocket handshake; null if the request did not ask for one (400 was sent).
  std::shared_ptr<WebSocket> websocket();

 private:
  std::shared_ptr<Impl> impl_;
  std::function<void(Response&)> finish_;
};

using Handler = std::function<void(Request, Reply)>;

// What a request the parser itself refuses (413, 431, 400, 408, 503) gets as a body.
using RefusalBody = std::function<Response(int status, std::string_view reason)>;

class HttpServer {
 public:
  HttpServer(ServerOptions options, Handler handler, RefusalBody refusal_body);
  ~HttpServer();            // stops
  base::Try<void> start();  // binds, then serves on its own thread
  void stop();              // stops accepting, closes all, joins
  std::uint16_t port() const;
  std::size_t connections() const;
  // Answers many replies with one wake-up of the I/O thread: for group commit.
  void send_all(std::vector<std::pair<Reply, Response>> answers);
  // What connections accepted from now on are shown; those that are there keep what they saw.
  void show(std::shared_ptr<const TlsIdentity> tls);
  // Runs a function on the I/O thread.
  void post(std::function<void()> f);

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace ampacity::net
