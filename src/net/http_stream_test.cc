#include <doctest/doctest.h>

#include <atomic>
#include <memory>
#include <thread>

#include "net/duplex.h"
#include "net/http_server.h"
#include "net/test_peer.h"

namespace ampacity::net {
namespace {

using test::contains;
using test::Gate;
using test::RawPeer;
using test::Served;

const std::string get_s = "GET /s HTTP/1.1\r\nHost: x\r\n\r\n";

}  // namespace

TEST_CASE("a stream is chunks, then the connection goes on") {
  Served s([](Request request, Reply reply) {
    if (request.target != "/s") return test::echo(std::move(request), std::move(reply));
    const auto stream = reply.stream({200, "text/event-stream", "head;", {{"X-A", "1"}}});
    CHECK(stream->write("one"));
    CHECK(stream->write(""));  // must not end it
    CHECK(stream->write(std::string(17, 't')));
  });
  RawPeer peer(s.server.port());
  peer.send_bytes(get_s + "GET /after HTTP/1.1\r\nHost: x\r\n\r\n");
  REQUIRE(peer.read_until("\r\n0\r\n\r\n"));
  CHECK(contains(peer.text, "Content-Type: text/event-stream\r\nX-A: 1\r\n"));
  CHECK(contains(peer.text, "Transfer-Encoding: chunked\r\n\r\n5\r\nhead;\r\n3\r\none\r\n11\r\n" +
                                std::string(17, 't') + "\r\n0\r\n\r\n"));
  CHECK(peer.read_until("GET /after "));
}

TEST_CASE("a stream to HTTP/1.0 ends with the connection; to HEAD it has no body") {
  std::shared_ptr<Stream> kept;
  Gate closed;
  Served s([&](Request request, Reply reply) {
    const auto stream = reply.stream({200, "text/plain", "", {}});
    stream->on_close([&] { closed.open(); });
    stream->write("body");
    if (request.method == "HEAD") kept = stream;
  });
  RawPeer old(s.server.port());
  old.send_bytes("GET / HTTP/1.0\r\n\r\n");
  const std::string answer = old.read_to_end();
  CHECK(answer.ends_with("\r\n\r\nbody"));
  CHECK_FALSE(contains(answer, "chunked"));
  RawPeer head(s.server.port());
  head.send_bytes("HEAD / HTTP/1.1\r\nHost: x\r\n\r\n");
  CHECK(closed.wait());
  CHECK(head.answer().ends_with("\r\n\r\n"));
  CHECK_FALSE(kept->write("more"));
}

TEST_CASE("a stream learns once that its peer hung up") {
  std::shared_ptr<Stream> stream;
  Gate begun;
  Gate closed;
  std::atomic<int> closes = 0;
  Served s([&](Request, Reply reply) {
    stream = reply.stream({200, "text/plain", "", {}});
    stream->on_close([&] {
      ++closes;
      closed.open();
    });
    stream->write("begun");
    begun.open();
  });
  RawPeer peer(s.server.port());
  peer.send_bytes(get_s);
  REQUIRE(begun.wait());
  REQUIRE(peer.read_until("begun"));
  CHECK_FALSE(stream->closed());
  peer.hang_up();
  CHECK(closed.wait());
  CHECK(stream->closed());
  CHECK_FALSE(stream->write("to nobody"));
  Gate late;
  stream->on_close([&] { late.open(); });  // set too late, called all the same
  CHECK(late.wait());
  CHECK(closes == 1);
}

TEST_CASE("a reader too slow for the backlog is cut off") {
  std::shared_ptr<Stream> stream;
  Gate begun;
  Gate closed;
  Served s(
      [&](Request, Reply reply) {
        stream = reply.stream({200, "text/plain", "", {}});
        stream->on_close([&] { closed.open(); });
        begun.open();
      },
      {.max_stream_backlog_bytes = 256 << 10});
  RawPeer peer(s.server.port(), 4096);
  peer.send_bytes(get_s);
  REQUIRE(begun.wait());
  const std::string piece(16 << 10, 'x');
  std::size_t written = 0;
  while (stream->write(piece) && written < (1U << 30)) written += piece.size();
  CHECK(written < (1U << 30));
  CHECK(stream->closed());
  CHECK(closed.wait());
  CHECK(peer.read_to_end().size() < written + piece.size() + 4096);
}

TEST_CASE("a reader that keeps up gets all of a stream larger than the backlog") {
  constexpr std::size_t total = 8 << 20;
  std::shared_ptr<Stream> stream;
  Gate begun;
  Served s(
      [&](Request, Reply reply) {
        stream = reply.stream({200, "text/plain", "", {}});
        begun.open();
      },
      {.max_stream_backlog_bytes = 1 << 20});
  RawPeer peer(s.server.port());
  peer.send_bytes(get_s);
  REQUIRE(begun.wait());
  REQUIRE(peer.read_until("\r\n\r\n"));
  peer.text.clear();
  const std::string piece(64 << 10, 'x');
  std::size_t received = 0;
  for (std::size_t written = 0; written < total; written += piece.size()) {
    REQUIRE(stream->write(piece));
    REQUIRE(peer.read_until(piece + "\r\n"));
    received += piece.size();
    peer.text.clear();
  }
  CHECK(received == total);
  stream.reset();
  CHECK(peer.read_until("0\r\n\r\n"));
}

TEST_CASE("the server stops while streams and sockets are written from another thread") {
  std::shared_ptr<Stream> stream;
  Gate begun;
  Gate closed;
  auto s = std::make_unique<Served>([&](Request, Reply reply) {
    stream = reply.stream({200, "text/plain", "", {}});
    stream->on_close([&] { closed.open(); });
    begun.open();
  });
  RawPeer peer(s->server.port());
  peer.send_bytes(get_s);
  REQUIRE(begun.wait());
  std::thread writer([&] {
    while (stream->write("x")) {
    }
  });
  REQUIRE(peer.read_until("x"));
  s.reset();
  writer.join();
  CHECK(closed.wait());
}

TEST_CASE("a websocket echoes text and bytes, tells of its close, and can be refused") {
  Gate server_closed;
  Served s([&](Request request, Reply reply) {
    if (request.target == "/no") return reply.send({403, "text/plain", "not you", {}});
    CHECK(request.header("Authorization") == "Bearer k");
    CHECK(reply.wants_websocket());
    const auto ws = reply.websocket();
    ws->on_close([&] { server_closed.open(); });
    ws->on_message([ws](std::string bytes, bool text) {
      if (bytes == "bye") return ws->close("done");
      ws->send(std::move(bytes), !text);
    });
  });
  const Peer peer{s.url(), {}};
  const Request request{"GET", "/exec", {{"Authorization", "Bearer k"}}, ""};
  std::mutex mutex;
  std::string got;
  bool got_text = false;
  Gate all;
  Gate closed;
  std::string why;
  const std::string large(200'000, 'l');
  auto duplex = connect_websocket(peer, request,
                                  {[&](std::string bytes, bool text) {
                                     const std::lock_guard lock(mutex);
                                     got += bytes;
                                     got_text = text;
                                     if (got.size() == large.size() + 2) all.open();
                                   },
                                   [&](std::string reason) {
                                     why = std::move(reason);
                                     closed.open();
                                   }});
  REQUIRE(duplex.has_value());
  CHECK((*duplex)->write("hi"));
  CHECK((*duplex)->write(large));
  REQUIRE(all.wait());
  {
    const std::lock_guard lock(mutex);
    CHECK(got == "hi" + large);
    CHECK(got_text);
  }
  CHECK((*duplex)->write("bye"));
  REQUIRE(closed.wait());
  CHECK(why == "done");
  CHECK(server_closed.wait());
  CHECK_FALSE((*duplex)->write("late"));

  const auto refused = connect_websocket(peer, {"GET", "/no", {}, ""}, {});
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().status == 403);
  CHECK(contains(refused.error().message, "not you"));
}

TEST_CASE("a websocket's peer vanishes, or the server does") {
  Gate open;
  Gate closed;
  std::shared_ptr<WebSocket> held;
  auto s = std::make_unique<Served>([&](Request, Reply reply) {
    held = reply.websocket();
    held->on_message([&](std::string, bool) { open.open(); });
    held->on_close([&] { closed.open(); });
  });
  const Peer peer{s->url(), {}};
  auto one = connect_websocket(peer, {"GET", "/", {}, ""}, {});
  REQUIRE(one.has_value());
  (*one)->write("x");
  REQUIRE(open.wait());
  one->reset();
  CHECK(closed.wait());
  CHECK_FALSE(held->send("x", true));

  Gate ended;
  auto two =
      connect_websocket(peer, {"GET", "/", {}, ""}, {{}, [&](std::string) { ended.open(); }});
  REQUIRE(two.has_value());
  s.reset();
  CHECK(ended.wait());
}

TEST_CASE("a plain request where a websocket is needed is 400") {
  Served s([](Request, Reply reply) {
    CHECK_FALSE(reply.wants_websocket());
    CHECK(reply.websocket() == nullptr);
  });
  RawPeer peer(s.server.port());
  peer.send_bytes(get_s);
  CHECK(contains(peer.answer(), "refused 400: "));
}

}  // namespace ampacity::net
