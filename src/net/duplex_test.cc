#include "net/duplex.h"

#include <doctest/doctest.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <filesystem>
#include <functional>
#include <thread>

#include "net/http_client.h"
#include "net/test_peer.h"

namespace ampacity::net {
namespace {

using test::contains;
using test::Gate;

// A unix socket that serves one connection with `serve`: stands for podman's exec.
class FakeEngine {
 public:
  explicit FakeEngine(std::function<void(int fd, std::string head)> serve) {
    char name[] = "/tmp/ampacity-duplex-XXXXXX";
    REQUIRE(mkdtemp(name) != nullptr);
    directory_ = name;
    path = directory_ + "/e.sock";
    listener_ = socket(AF_UNIX, SOCK_STREAM, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    REQUIRE(bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
    REQUIRE(listen(listener_, 4) == 0);
    thread_ = std::thread([this, serve = std::move(serve)] {
      const int fd = accept(listener_, nullptr, nullptr);
      if (fd < 0) return;
      std::string head;
      char c = 0;
      while (!head.ends_with("\r\n\r\n") && recv(fd, &c, 1, 0) == 1) head.push_back(c);
      serve(fd, head);
      close(fd);
    });
  }
  ~FakeEngine() {
    shutdown(listener_, SHUT_RDWR);  // wakes accept
    thread_.join();
    close(listener_);
    std::filesystem::remove_all(directory_);
  }

  std::string path;

 private:
  std::string directory_;
  int listener_ = -1;
  std::thread thread_;
};

void say(int fd, std::string_view text) {
  REQUIRE(send(fd, text.data(), text.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(text.size()));
}

struct Heard {
  std::string bytes;  // the line's thread; read after `closed`
  std::string why;
  Gate closed;
  DuplexEvents events() {
    return {[this](std::string b, bool) { bytes += b; },
            [this](std::string reason) {
              why = std::move(reason);
              closed.open();
            }};
  }
};

const Request exec{"POST", "/exec/1/start", {{"Content-Type", "application/json"}}, "{}"};

}  // namespace

TEST_CASE("a hijacked connection echoes, keeps early bytes, and half-closes") {
  for (const char* status : {"101 UPGRADED", "200 OK"}) {
    CAPTURE(status);
    std::string seen;
    FakeEngine engine([&](int fd, std::string head) {
      seen = head;
      char buffer[1024];
      REQUIRE(recv(fd, buffer, 2, MSG_WAITALL) == 2);  // the request's body
      say(fd, std::string("HTTP/1.1 ") + status +
                  "\r\nContent-Type: application/vnd.docker.raw-stream\r\n\r\nearly;");
      ssize_t n = 0;
      while ((n = recv(fd, buffer, sizeof buffer, 0)) > 0) {
        say(fd, {buffer, static_cast<std::size_t>(n)});
      }
      say(fd, ";last");
    });
    Heard heard;
    auto duplex = hijack({"http://d", engine.path}, exec, heard.events());
    REQUIRE(duplex.has_value());
    const std::string large(300'000, 'x');
    CHECK((*duplex)->write("hello;"));
    CHECK((*duplex)->write(large));
    (*duplex)->close_write();
    REQUIRE(heard.closed.wait());
    CHECK(heard.bytes == "early;hello;" + large + ";last");
    CHECK(heard.why == "end of stream");
    CHECK_FALSE((*duplex)->write("late"));
    CHECK(contains(seen, "POST /exec/1/start HTTP/1.1\r\nHost: d\r\n"));
    CHECK(contains(seen, "Connection: Upgrade\r\nUpgrade: tcp\r\nContent-Length: 2\r\n"));
  }
}

TEST_CASE("any other answer to a hijack is a fault with its body") {
  FakeEngine engine([](int fd, std::string) {
    say(fd, "HTTP/1.1 404 Not Found\r\nContent-Length: 7\r\n\r\nno exec");
  });
  const auto duplex = hijack({"http://d", engine.path}, exec, {});
  REQUIRE_FALSE(duplex.has_value());
  CHECK(duplex.error().status == 404);
  CHECK_FALSE(duplex.error().retryable);
  CHECK(contains(duplex.error().message, "no exec"));
}

TEST_CASE("a hijack of nobody, or of a peer that hangs up, is a fault") {
  CHECK_FALSE(hijack({"http://d", "/nonexistent/e.sock"}, exec, {}).has_value());
  CHECK_FALSE(hijack({"https://d", {}}, exec, {}).has_value());
  FakeEngine engine([](int, std::string) {});
  CHECK_FALSE(hijack({"http://d", engine.path}, exec, {}).has_value());
}

TEST_CASE("closing from our side ends it once, also from its own callback") {
  Gate hung_up;
  const auto serve = [&](int fd, std::string) {
    say(fd, "HTTP/1.1 101 UPGRADED\r\n\r\nready");
    char byte = 0;
    while (recv(fd, &byte, 1, 0) > 0) {
    }
    hung_up.open();
  };
  {
    FakeEngine engine(serve);
    Heard heard;
    auto duplex = hijack({"http://d", engine.path}, exec, heard.events());
    REQUIRE(duplex.has_value());
    (*duplex)->close();
    (*duplex)->close();
    CHECK(heard.closed.wait());
    CHECK(hung_up.wait());
    CHECK(heard.why == "closed");
  }
  {
    FakeEngine engine(serve);
    std::mutex mutex;
    std::unique_ptr<Duplex> owned;
    Gate dropped;
    DuplexEvents events;
    events.on_bytes = [&](std::string, bool) {
      const std::lock_guard lock(mutex);
      owned.reset();
    };
    events.on_close = [&](std::string) { dropped.open(); };
    {
      const std::lock_guard lock(mutex);
      auto duplex = hijack({"http://d", engine.path}, exec, std::move(events));
      REQUIRE(duplex.has_value());
      owned = std::move(*duplex);
    }
    CHECK(dropped.wait());
  }
}

TEST_CASE("the client speaks over a unix socket") {
  FakeEngine engine([](int fd, std::string head) {
    CHECK(contains(head, "GET /v1.41/info HTTP/1.1\r\nHost: d\r\n"));
    say(fd, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}");
  });
  const auto answer = HttpClient({"http://d", engine.path}).call({"GET", "/v1.41/info", {}, ""});
  REQUIRE(answer.has_value());
  CHECK(answer->body == "{}");
  CHECK(answer->content_type == "application/json");
}

}  // namespace ampacity::net
