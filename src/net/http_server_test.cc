#include "net/http_server.h"

#include <doctest/doctest.h>

#include <atomic>
#include <thread>

#include "base/prng.h"
#include "net/http_client.h"
#include "net/test_peer.h"

namespace ampacity::net {
namespace {

using test::contains;
using test::echo;
using test::RawPeer;
using test::Served;

const std::string get_plain = "GET /a HTTP/1.1\r\nHost: x\r\n\r\n";

std::string post(std::string_view body, std::string_view more = "") {
  return "POST /p HTTP/1.1\r\nHost: x\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" +
         std::string(more) + "\r\n" + std::string(body);
}

std::string answer_to(const std::string& request, ServerOptions options = {}) {
  Served s(echo, std::move(options));
  RawPeer peer(s.server.port());
  peer.send_bytes(request);
  return peer.read_to_end();
}

}  // namespace

TEST_CASE("a connection is kept and used again") {
  Served s(echo);
  RawPeer peer(s.server.port());
  for (int i = 0; i < 3; ++i) {
    peer.send_bytes(post("body" + std::to_string(i)));
    const std::string answer = peer.answer();
    CHECK(answer.starts_with("HTTP/1.1 200 OK\r\n"));
    CHECK(answer.ends_with("POST /p body" + std::to_string(i)));
    CHECK(contains(answer, "\r\nDate: "));
  }
  CHECK(s.server.connections() == 1);
}

TEST_CASE("pipelined requests are answered in order, also when answers come out of order") {
  std::mutex mutex;
  std::vector<Reply> held;
  test::Gate one;
  Served s([&](Request request, Reply reply) {
    if (request.target != "/slow") return echo(std::move(request), std::move(reply));
    const std::lock_guard lock(mutex);
    held.push_back(std::move(reply));
    one.open();
  });
  RawPeer peer(s.server.port());
  peer.send_bytes("GET /slow HTTP/1.1\r\nHost: x\r\n\r\n" + post("b") + get_plain + "\r\n" +
                  get_plain);
  REQUIRE(one.wait());
  {
    const std::lock_guard lock(mutex);
    REQUIRE(held.size() == 1);
    held[0].send({200, "text/plain", "first", {}});
  }
  CHECK(peer.answer().ends_with("\r\n\r\nfirst"));
  CHECK(peer.answer().ends_with("POST /p b"));
  CHECK(peer.answer().ends_with("GET /a "));
  CHECK(peer.answer().ends_with("GET /a "));
}

TEST_CASE("many pipelined requests with large answers, sent before reading, all come back") {
  const std::string large(100'000, 'x');
  Served s([&](Request, Reply reply) { reply.send({200, "text/plain", large, {}}); });
  RawPeer peer(s.server.port());
  std::string requests;
  for (int i = 0; i < 200; ++i) requests += get_plain;
  REQUIRE(peer.send_bytes(requests));
  peer.shut_write();
  for (int i = 0; i < 200; ++i) REQUIRE(peer.answer().ends_with("\r\n\r\n" + large));
  CHECK(peer.answer().empty());
}

TEST_CASE("a request split into single bytes is the same request") {
  Served s(echo);
  RawPeer peer(s.server.port());
  for (const char c : post("split")) REQUIRE(peer.send_bytes({&c, 1}));
  CHECK(peer.answer().ends_with("POST /p split"));
}

TEST_CASE("a chunked body is put together; its trailers are dropped") {
  Served s([](Request request, Reply reply) {
    CHECK(request.header("X-Trailer").empty());
    echo(std::move(request), std::move(reply));
  });
  RawPeer peer(s.server.port());
  peer.send_bytes(
      "POST /c HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
      "3;ext=1\r\nabc\r\n2\r\nde\r\n0\r\nX-Trailer: no\r\n\r\n" +
      get_plain);
  CHECK(peer.answer().ends_with("POST /c abcde"));
  CHECK(peer.answer().ends_with("GET /a "));
}

TEST_CASE("HEAD has the length and no body") {
  Served s(echo);
  RawPeer peer(s.server.port());
  peer.send_bytes("HEAD /h HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  const std::string answer = peer.read_to_end();
  CHECK(contains(answer, "Content-Length: 8\r\n"));
  CHECK(contains(answer, "Connection: close\r\n"));
  CHECK(answer.ends_with("\r\n\r\n"));
}

TEST_CASE("HTTP/1.0 closes unless it asks to keep") {
  CHECK(contains(answer_to("GET /z HTTP/1.0\r\n\r\n"), "Connection: close\r\n"));
  Served s(echo);
  RawPeer peer(s.server.port());
  peer.send_bytes("GET /z HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  CHECK(contains(peer.answer(), "Connection: keep-alive\r\n"));
  peer.send_bytes("GET /y HTTP/1.0\r\n\r\n");
  CHECK(peer.answer().ends_with("GET /y "));
  CHECK(peer.answer().empty());
}

TEST_CASE("Expect: 100-continue is told to go on, or refused before it sends") {
  Served s(echo, {.max_body_bytes = 100});
  RawPeer peer(s.server.port());
  peer.send_bytes(
      "POST /e HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n");
  CHECK(peer.answer() == "HTTP/1.1 100 Continue\r\n\r\n");
  peer.send_bytes("late");
  CHECK(peer.answer().ends_with("POST /e late"));
  peer.send_bytes(
      "POST /e HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 101\r\n\r\n");
  CHECK(peer.read_to_end().starts_with("HTTP/1.1 413 "));
  CHECK(answer_to(post("b", "Expect: 200-maybe\r\n")).starts_with("HTTP/1.1 417 "));
}

TEST_CASE("an oversize body is 413 with the refusal's body, read or not") {
  const std::string body(10 << 20, 'x');
  const std::string declared = answer_to(post(body));
  CHECK(declared.starts_with("HTTP/1.1 413 Content Too Large\r\n"));
  CHECK(contains(declared, "\r\n\r\nrefused 413: "));
  CHECK(contains(declared, "Connection: close\r\n"));
  const std::string chunked = "POST /c HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
  CHECK(answer_to(chunked + "80\r\n" + std::string(128, 'x') + "\r\n", {.max_body_bytes = 100})
            .starts_with("HTTP/1.1 413 "));
  CHECK(answer_to(chunked + "ffffffffffffffff\r\n").starts_with("HTTP/1.1 413 "));
  const std::string fits =
      answer_to(post(std::string(100, 'x'), "Connection: close\r\n"), {.max_body_bytes = 100});
  CHECK(fits.starts_with("HTTP/1.1 200 "));
}

TEST_CASE("an oversize head is 431") {
  const std::string large = "X: " + std::string(20'000, 'h') + "\r\n";
  CHECK(contains(answer_to(post("", large)), "refused 431: "));
  CHECK(answer_to("GET /" + std::string(20'000, 'p')).starts_with("HTTP/1.1 431 "));
  const std::string fits =
      answer_to(post("b", large + "Connection: close\r\n"), {.max_header_bytes = 32 << 10});
  CHECK(fits.starts_with("HTTP/1.1 200 "));
  const std::string endless_extension =
      "POST /c HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3;" +
      std::string(200'000, 'e');
  CHECK(answer_to(endless_extension).starts_with("HTTP/1.1 400 "));
}

TEST_CASE("bad requests are 400 and end the connection") {
  const std::string bad[] = {
      "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\nabc",
      "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\nabc",
      "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\nabc",
      "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
      "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
      "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
      "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
      "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1x\r\n\r\n",
      "GET / HTTP/1.1\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n",
      "GET / HTTP/2.0\r\nHost: x\r\n\r\n",
      "GET / HTTP/1.1\r\nHost : x\r\n\r\n",
      "GET / HTTP/1.1\nHost: x\n\n",
      "GET  / HTTP/1.1\r\nHost: x\r\n\r\n",
      "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 a TLS hello\r\n\r\n",
      "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
  };
  for (const std::string& request : bad) {
    CAPTURE(request);
    const std::string answer = answer_to(request + get_plain);
    CHECK(answer.starts_with("HTTP/1.1 400 Bad Request\r\n"));
    CHECK(contains(answer, "\r\n\r\nrefused 400: "));
    CHECK(answer.rfind("HTTP/1.1") == 0);  // nothing after it was taken for a request
  }
}

TEST_CASE("a slow head or body is 408, a silent connection is closed") {
  const ServerOptions slow_head{.header_timeout = base::Duration::millis(80)};
  CHECK(contains(answer_to("GET / HTTP/1.1\r\nHost:", slow_head), "refused 408: "));
  CHECK(answer_to("", slow_head).empty());
  const ServerOptions slow_body{.body_timeout = base::Duration::millis(80)};
  CHECK(contains(answer_to("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nabc", slow_body),
                 "refused 408: "));
  const ServerOptions idle{.idle_timeout = base::Duration::millis(80)};
  CHECK(answer_to(get_plain, idle).ends_with("GET /a "));
}

TEST_CASE("a slow-loris is cut off although it keeps sending") {
  Served s(echo, {.header_timeout = base::Duration::millis(100)});
  RawPeer peer(s.server.port());
  peer.send_bytes("GET / HTTP/1.1\r\nHost: x\r\nX: ");
  std::atomic<bool> done = false;
  std::thread drip([&] {
    while (!done && peer.send_bytes("y")) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  });
  const bool refused = peer.read_until("refused 408: ");
  done = true;
  drip.join();
  CHECK(refused);
}

TEST_CASE("connections over the bound are told 503") {
  Served s(echo, {.max_connections = 2});
  RawPeer a(s.server.port());
  RawPeer b(s.server.port());
  a.send_bytes(get_plain);
  CHECK(a.answer().ends_with("GET /a "));
  b.send_bytes(get_plain);
  CHECK(b.answer().ends_with("GET /a "));
  RawPeer c(s.server.port());
  CHECK(contains(c.read_to_end(), "refused 503: "));
}

TEST_CASE("a dropped reply is 500 and the connection goes on") {
  Served s([](Request request, Reply reply) {
    if (request.method == "GET") return;
    echo(std::move(request), std::move(reply));
  });
  RawPeer peer(s.server.port());
  peer.send_bytes(get_plain);
  CHECK(peer.answer().starts_with("HTTP/1.1 500 "));
  peer.send_bytes(post("b"));
  CHECK(peer.answer().ends_with("POST /p b"));
}

TEST_CASE("send_all answers every one, from another thread") {
  std::mutex mutex;
  std::vector<std::pair<Reply, Response>> batch;
  test::Gate full;
  Served s([&](Request request, Reply reply) {
    const std::lock_guard lock(mutex);
    batch.emplace_back(std::move(reply), Response{201, "text/plain", request.body, {}});
    if (batch.size() == 3) full.open();
  });
  RawPeer peers[] = {RawPeer(s.server.port()), RawPeer(s.server.port()), RawPeer(s.server.port())};
  for (int i = 0; i < 3; ++i) peers[i].send_bytes(post("n" + std::to_string(i)));
  REQUIRE(full.wait());
  s.server.send_all(std::move(batch));
  for (int i = 0; i < 3; ++i) CHECK(peers[i].answer().ends_with("n" + std::to_string(i)));
}

TEST_CASE("replies may outlive their peer and the server") {
  std::mutex mutex;
  std::vector<Reply> held;
  test::Gate two;
  auto s = std::make_unique<Served>([&](Request, Reply reply) {
    const std::lock_guard lock(mutex);
    held.push_back(std::move(reply));
    if (held.size() == 5) two.open();
  });
  auto gone = std::make_unique<RawPeer>(s->server.port());
  gone->send_bytes(get_plain);
  std::vector<std::unique_ptr<RawPeer>> peers;
  for (int i = 0; i < 4; ++i) {
    peers.push_back(std::make_unique<RawPeer>(s->server.port()));
    peers.back()->send_bytes(get_plain);
  }
  REQUIRE(two.wait());
  gone.reset();
  std::thread other([&] { held[0].send({}); });
  s->server.stop();
  held[1].send({});
  const auto stream = held[2].stream({});
  CHECK_FALSE(stream->write("x"));
  CHECK(stream->closed());
  stream->on_close([stream] {});
  s.reset();
  other.join();
  CHECK(peers[3]->read_to_end().empty());
  held.clear();  // the last two are dropped unanswered
}

TEST_CASE("a port in use is a fault, not a crash") {
  Served s(echo);
  HttpServer second({.port = s.server.port()}, echo, test::refusal);
  const auto started = second.start();
  REQUIRE_FALSE(started.has_value());
  CHECK(contains(started.error().message, "cannot listen on 127.0.0.1:"));
  HttpServer third({.address = "nowhere"}, echo, test::refusal);
  CHECK_FALSE(third.start().has_value());
}

TEST_CASE("damaged requests never take the server down") {
  base::SeededPrng prng(7);
  Served s(echo, {.max_body_bytes = 64, .max_header_bytes = 512});
  const std::string seeds[] = {
      get_plain, post("body"),
      "POST /c HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
      "GET /w HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
      "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"};
  for (int i = 0; i < 600; ++i) {
    std::string bytes = seeds[prng.next() % 4] + seeds[i % 4];
    for (std::uint64_t n = prng.next() % 4; n > 0; --n) {
      const std::uint64_t where = prng.next() % bytes.size();
      const std::uint64_t what = prng.next();
      if (what % 3 == 0) bytes.erase(where, 1 + what % 7);
      if (what % 3 == 1) bytes[where] = static_cast<char>(what >> 8);
      if (what % 3 == 2) bytes.insert(where, 1 + what % 40, static_cast<char>(what >> 8));
      if (bytes.empty()) bytes = "x";
    }
    RawPeer peer(s.server.port());
    const std::size_t cut = prng.next() % bytes.size();
    peer.send_bytes(std::string_view(bytes).substr(0, cut));
    peer.send_bytes(std::string_view(bytes).substr(cut));
    if (i % 3 == 0) continue;  // hangs up at once
    peer.shut_write();
    peer.read_to_end();
  }
  RawPeer peer(s.server.port());
  peer.send_bytes(get_plain);
  CHECK(peer.answer().ends_with("GET /a "));
}

TEST_CASE("200 clients at once") {
  Served s(echo);
  std::atomic<int> right = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 200; ++t) {
    threads.emplace_back([&, t] {
      HttpClient client({s.url(), {}});
      for (int i = 0; i < 5; ++i) {
        const std::string body = std::to_string(t * 1000 + i);
        const auto answer = client.call({"POST", "/n", {}, body});
        if (answer && answer->body == "POST /n " + body) ++right;
      }
    });
  }
  for (std::thread& t : threads) t.join();
  CHECK(right == 1000);
}

}  // namespace ampacity::net
