// For this room's tests: a raw TCP client that sends any bytes, a server to talk to, a gate to wait
// at. Waits are bounded by patience_s, only so that a failure ends; nothing is asserted about time.
#pragma once

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

#include "net/http_server.h"

namespace ampacity::net::test {

inline constexpr int patience_s = 20;

// Opened once by one thread, awaited by another.
class Gate {
 public:
  void open() {
    const std::lock_guard lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }
  bool wait() {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(patience_s), [this] { return open_; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool open_ = false;
};

class RawPeer {
 public:
  explicit RawPeer(std::uint16_t port, int receive_buffer_bytes = 0) {
    fd_ = socket(AF_INET, SOCK_STREAM, 0);
    if (receive_buffer_bytes > 0) {
      setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &receive_buffer_bytes, sizeof receive_buffer_bytes);
    }
    const timeval patience{patience_s, 0};
    setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
  }
  RawPeer(const RawPeer&) = delete;
  RawPeer& operator=(const RawPeer&) = delete;
  ~RawPeer() { hang_up(); }

  void hang_up() {
    if (fd_ >= 0) close(std::exchange(fd_, -1));
  }
  void shut_write() { shutdown(fd_, SHUT_WR); }

  bool send_bytes(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t n = send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (n <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(n));
    }
    return true;
  }
  // Reads until `mark` has come; false at the end of the connection.
  bool read_until(std::string_view mark) {
    while (text.find(mark) == std::string::npos) {
      if (!read_some()) return false;
    }
    return true;
  }
  std::string read_to_end() {
    while (read_some()) {
    }
    return text;
  }
  // One answer with a Content-Length, taken off the front of `text`; empty at the end.
  std::string answer() {
    if (!read_until("\r\n\r\n")) return {};
    const auto head = text.find("\r\n\r\n") + 4;
    const auto field = text.find("Content-Length: ");
    const std::size_t length =
        field == std::string::npos || field > head ? 0 : std::stoul(text.substr(field + 16));
    while (text.size() < head + length) {
      if (!read_some()) return {};
    }
    std::string whole = text.substr(0, head + length);
    text.erase(0, head + length);
    return whole;
  }

  std::string text;  // received and not yet taken

 private:
  bool read_some() {
    char bytes[4096];
    const ssize_t n = recv(fd_, bytes, sizeof bytes, 0);
    if (n <= 0) return false;
    text.append(bytes, static_cast<std::size_t>(n));
    return true;
  }

  int fd_ = -1;
};

// The body says which status the server itself refused with.
inline Response refusal(int status, std::string_view reason) {
  return {
      status, "text/plain", "refused " + std::to_string(status) + ": " + std::string(reason), {}};
}

struct Served {
  explicit Served(Handler handler, ServerOptions options = {})
      : server(std::move(options), std::move(handler), refusal) {
    const auto started = server.start();
    REQUIRE(started.has_value());
  }
  std::string url() const { return "http://127.0.0.1:" + std::to_string(server.port()); }
  HttpServer server;
};

// Answers with the method, target and body it got.
inline void echo(Request request, Reply reply) {
  reply.send({200, "text/plain", request.method + " " + request.target + " " + request.body, {}});
}

inline bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

}  // namespace ampacity::net::test
