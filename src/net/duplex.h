// Connections that stop being HTTP after their head: an engine's hijacked exec, a WebSocket client.
// Threads: callbacks come on the duplex's own thread; write and close may be called from any.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "net/http.h"
#include "net/http_client.h"

namespace ampacity::net {

class Duplex {
 public:
  virtual ~Duplex() = default;                    // closes and joins
  virtual bool write(std::string bytes) = 0;      // a WebSocket: a binary frame
  virtual bool write_text(std::string text) = 0;  // a WebSocket: a text frame; else as write
  virtual void close_write() = 0;
  virtual void close() = 0;
};

struct DuplexEvents {
  std::function<void(std::string bytes, bool text)> on_bytes;  // `text` only for WebSockets
  std::function<void(std::string reason)> on_close;            // once
};

// Sends `request` with `Connection: Upgrade, Upgrade: tcp`; on 101 or 200 the rest is raw bytes
// (podman and docker exec). Any other status is a Fault with its body.
base::Try<std::unique_ptr<Duplex>> hijack(const Peer& peer, const Request& request,
                                          DuplexEvents events);

// A WebSocket client (the CLI's exec). Any answer but 101 is a Fault with its body.
base::Try<std::unique_ptr<Duplex>> connect_websocket(const Peer& peer, const Request& request,
                                                     DuplexEvents events);

}  // namespace ampacity::net
