// How a Reply finds its way back to the connection its request came on.
// Threads: any; the connection itself is only touched on the I/O thread.
#pragma once

#include <cstdint>
#include <memory>

#include "net/http_connection.h"
#include "net/http_server.h"

namespace ampacity::net {

class Reply::Impl {
 public:
  virtual ~Impl() = default;
  virtual void send(Response response) = 0;
  virtual void refuse(int status, std::string_view reason) = 0;
  virtual std::shared_ptr<Stream> stream(Response head) = 0;
  virtual std::shared_ptr<WebSocket> websocket() = 0;
  virtual bool wants_websocket() const = 0;
};

class ConnectionReply final : public Reply::Impl {
 public:
  ConnectionReply(std::shared_ptr<Loop> loop, std::weak_ptr<Connection> connection,
                  std::uint64_t serial, bool wants_websocket)
      : loop_(std::move(loop)),
        connection_(std::move(connection)),
        serial_(serial),
        wants_websocket_(wants_websocket) {}

  void send(Response response) override;
  void refuse(int status, std::string_view reason) override;
  std::shared_ptr<Stream> stream(Response head) override;
  std::shared_ptr<WebSocket> websocket() override;
  bool wants_websocket() const override { return wants_websocket_; }

 private:
  const std::shared_ptr<Loop> loop_;
  const std::weak_ptr<Connection> connection_;
  const std::uint64_t serial_;
  const bool wants_websocket_;
};

// The server's side of an accepted WebSocket (http_websocket.cc).
std::shared_ptr<WebSocket> accept_websocket(const std::shared_ptr<Loop>& loop,
                                            std::weak_ptr<Connection> connection,
                                            std::uint64_t serial);

}  // namespace ampacity::net
