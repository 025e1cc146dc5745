// A blocking HTTP client (libcurl) over TCP or a unix socket, with bounds on time and size.
// Threads: one HttpClient may be used from many threads; calls at once have a connection each.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"
#include "net/http.h"
#include "net/tls.h"

namespace ampacity::net {

struct Peer {
  std::string base_url;     // "http://127.0.0.1:7878", or "http://d" with a unix socket
  std::string unix_socket;  // path, empty for TCP
  Trust trust;              // of an https:// URL
};

struct CallOptions {
  base::Duration timeout = base::Duration::seconds(30);  // whole call; 0: none (streams)
  base::Duration connect_timeout = base::Duration::seconds(5);
  std::size_t max_body_bytes = 64 << 20;
  const std::atomic<bool>* cancel = nullptr;  // set to true from any thread to abandon the call
  // Not empty: connect to this address and no other, whatever the URL's name resolves to.
  std::string only_address;
};

// What the server at an https:// URL shows, whoever it is: for a person to compare and to pin.
base::Try<CertificateFacts> peer_certificate(const Peer& peer);

// How requests reach a peer: an HttpClient, or the simulator's.
class Transport {
 public:
  virtual ~Transport() = default;

  // A response of any status is a success; a Fault means there was no whole response.
  virtual base::Try<Response> call(const Request& request, const CallOptions& options) = 0;

  // Calls `on_bytes` for each piece of a body as it arrives (only for a 2xx; other bodies are in
  // the Response returned). Returns when the peer ends the body, on_bytes returns false, or on a
  // fault.
  virtual base::Try<Response> stream(const Request& request,
                                     const std::function<bool(std::string_view)>& on_bytes,
                                     const CallOptions& options) = 0;

  // Sends a body piece by piece: `next` returns the next piece, empty at the end (image uploads).
  virtual base::Try<Response> upload(const Request& request,
                                     const std::function<std::string()>& next,
                                     const CallOptions& options) = 0;
};

// How somebody is reached: dial(), or the simulator's.
using Connector = std::function<std::unique_ptr<Transport>(const Peer&)>;
std::unique_ptr<Transport> dial(const Peer& peer);

class HttpClient final : public Transport {
 public:
  explicit HttpClient(Peer peer);
  ~HttpClient() override;

  base::Try<Response> call(const Request& request, const CallOptions& options = {}) override;
  base::Try<Response> stream(const Request& request,
                             const std::function<bool(std::string_view)>& on_bytes,
                             const CallOptions& options = {}) override;
  base::Try<Response> upload(const Request& request, const std::function<std::string()>& next,
                             const CallOptions& options = {}) override;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace ampacity::net
