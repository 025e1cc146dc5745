// Stands between a client and a PostgreSQL, on a socket of its own, and cuts the line where it is
// told to. For tests. Threads: its own; arm() and the counters from any.
#pragma once

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <atomic>
#include <cstring>
#include <map>
#include <string>
#include <thread>
#include <utility>

#include "base/check.h"
#include "store/scratch_folder.h"

namespace ampacity::store {

class CuttingProxy {
 public:
  enum class Cut {
    none,
    before_commit,  // the server never hears of COMMIT
    after_commit,   // it does, and its answer is lost
    at_commit,      // COMMIT has left; the line is cut at once
    first_insert,   // before the first INSERT of a transaction
  };

  explicit CuttingProxy(std::string server_folder) : server_(std::move(server_folder)) {
    listener_ = listen_on(folder_.path.string() + "/.s.PGSQL.5432");
    thread_ = std::thread([this] { accept_all(); });
  }
  CuttingProxy(const CuttingProxy&) = delete;
  CuttingProxy& operator=(const CuttingProxy&) = delete;
  ~CuttingProxy() {
    ending_ = true;
    ::shutdown(listener_, SHUT_RDWR);
    ::close(listener_);
    thread_.join();
  }
  std::string url(const std::string& database) const {
    return "postgres:///" + database + "?host=" + folder_.path.string() + "&user=ampacity";
  }
  // At the next place of that kind, once; and whether lines are taken afterwards.
  void arm(Cut cut, bool refuse_after = false) {
    refuse_after_ = refuse_after;
    cut_ = cut;
  }
  void refuse(bool it) { refusing_ = it; }
  int cuts() const { return cuts_; }
  int lines() const { return lines_; }

 private:
  static sockaddr_un address(const std::string& path) {
    sockaddr_un a{};
    a.sun_family = AF_UNIX;
    CHECK_THAT(path.size() < sizeof a.sun_path, "a socket's path is too long");
    std::strcpy(a.sun_path, path.c_str());
    return a;
  }
  static int listen_on(const std::string& path) {
    const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const sockaddr_un a = address(path);
    CHECK_THAT(
        ::bind(fd, reinterpret_cast<const sockaddr*>(&a), sizeof a) == 0 && ::listen(fd, 16) == 0,
        "the proxy cannot listen");
    return fd;
  }

  // One line at a time is enough: a writer has one connection.
  void accept_all() {
    while (!ending_) {
      pollfd p{listener_, POLLIN, 0};
      if (::poll(&p, 1, 50) <= 0) continue;
      const int client = ::accept(listener_, nullptr, nullptr);
      if (client < 0) continue;
      ++lines_;
      if (!refusing_) carry(client);
      ::close(client);
    }
  }

  void carry(int client) {
    const int server = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const sockaddr_un a = address(server_ + "/.s.PGSQL.5432");
    if (::connect(server, reinterpret_cast<const sockaddr*>(&a), sizeof a) == 0) {
      Line line{client, server, false, "", {}};
      while (!ending_ && step(line)) {
      }
    }
    ::close(server);
  }

  struct Line {
    int client, server;
    bool started;  // the first message has no type
    std::string pending;
    std::map<std::string, std::string> statements;  // SQL by name
  };

  static bool send_all(int fd, std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t n = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (n <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(n));
    }
    return true;
  }

  bool step(Line& line) {
    pollfd p[2] = {{line.client, POLLIN, 0}, {line.server, POLLIN, 0}};
    if (::poll(p, 2, 50) <= 0) return true;
    char buffer[65536];
    if (p[1].revents) {
      const ssize_t n = ::read(line.server, buffer, sizeof buffer);
      if (n <= 0 || !send_all(line.client, {buffer, static_cast<std::size_t>(n)})) return false;
    }
    if (p[0].revents) {
      const ssize_t n = ::read(line.client, buffer, sizeof buffer);
      if (n <= 0) return false;
      line.pending.append(buffer, static_cast<std::size_t>(n));
      return pass_on(line);
    }
    return true;
  }

  // Whole messages, one by one, until one that is to be cut at.
  bool pass_on(Line& line) {
    for (;;) {
      const std::size_t head = line.started ? 1 : 0;
      if (line.pending.size() < head + 4) return true;
      std::size_t length = 0;
      for (std::size_t i = 0; i < 4; ++i)
        length = length << 8 | static_cast<unsigned char>(line.pending[head + i]);
      if (line.pending.size() < head + length) return true;
      const std::string message = line.pending.substr(0, head + length);
      line.pending.erase(0, head + length);
      const bool typed = std::exchange(line.started, true);
      const Cut cut = typed ? cut_at(line, message) : Cut::none;
      if (cut != Cut::none) return give(line, message, cut);
      if (!send_all(line.server, message)) return false;
    }
  }

  // Bind messages of a statement of that kind.
  Cut cut_at(Line& line, const std::string& m) {
    const char* at = m.data() + 5;
    if (m[0] == 'P') line.statements[at] = at + std::strlen(at) + 1;
    if (m[0] != 'B') return Cut::none;
    const std::string& sql = line.statements[at + std::strlen(at) + 1];
    const Cut wanted = cut_;
    const bool here = wanted == Cut::first_insert ? sql.starts_with("INSERT") : sql == "COMMIT";
    if (wanted == Cut::none || !here) return Cut::none;
    cut_ = Cut::none;
    ++cuts_;
    refusing_ = refuse_after_.load();
    return wanted;
  }

  // The rest of what came, or nothing of it; then the line ends.
  bool give(Line& line, const std::string& message, Cut cut) {
    if (cut == Cut::before_commit || cut == Cut::first_insert) return false;
    std::string rest = message + line.pending;
    char buffer[65536];
    // Up to the sync behind it: the client sends it all before it waits.
    while (rest.find(std::string("S\0\0\0\4", 5)) == std::string::npos) {
      const ssize_t n = ::read(line.client, buffer, sizeof buffer);
      if (n <= 0) return false;
      rest.append(buffer, static_cast<std::size_t>(n));
    }
    if (!send_all(line.server, rest)) return false;
    if (cut == Cut::after_commit) {
      // Until the server says that it is ready for more: then it has answered COMMIT.
      std::string answer;
      while (answer.find(std::string("Z\0\0\0\5I", 6)) == std::string::npos) {
        const ssize_t n = ::read(line.server, buffer, sizeof buffer);
        if (n <= 0) break;
        answer.append(buffer, static_cast<std::size_t>(n));
      }
    }
    return false;
  }

  const std::string server_;
  const ScratchFolder folder_;
  int listener_ = -1;
  std::atomic<bool> ending_{false}, refusing_{false}, refuse_after_{false};
  std::atomic<Cut> cut_{Cut::none};
  std::atomic<int> cuts_{0}, lines_{0};
  std::thread thread_;
};

}  // namespace ampacity::store
