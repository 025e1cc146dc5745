#include "net/http_client.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <atomic>
#include <thread>

#include "net/test_peer.h"

namespace ampacity::net {
namespace {

using test::contains;
using test::echo;
using test::Gate;
using test::Served;

Peer peer_of(const Served& s) { return {s.url(), {}}; }

}  // namespace

TEST_CASE("calls of every method, over one connection") {
  Served s(echo);
  HttpClient client(peer_of(s));
  for (const char* method : {"GET", "POST", "PUT", "PATCH", "DELETE"}) {
    CAPTURE(method);
    const auto answer = client.call({method, "/m?q=1", {}, ""});
    REQUIRE(answer.has_value());
    CHECK(answer->status == 200);
    CHECK(answer->content_type == "text/plain");
    CHECK(answer->body == std::string(method) + " /m?q=1 ");
    CHECK(answer->header("Content-Length").empty());
  }
  CHECK(client.call({"DELETE", "/d", {}, "why"})->body == "DELETE /d why");
  CHECK(client.call({"HEAD", "/d", {}, ""})->body.empty());
  CHECK(s.server.connections() == 1);
}

TEST_CASE("headers go and come; a bad one goes nowhere") {
  Served s([](Request request, Reply reply) {
    CHECK(request.header("Expect").empty());
    reply.send({418, "", std::string(request.header("X-In")), {{"X-Out", "out"}}});
  });
  HttpClient client(peer_of(s));
  const auto answer = client.call({"POST", "/", {{"X-In", "in"}, {"X-Empty", ""}}, "b"});
  REQUIRE(answer.has_value());
  CHECK(answer->status == 418);
  CHECK(answer->body == "in");
  CHECK(answer->content_type.empty());
  CHECK(answer->header("x-out") == "out");
  CHECK_FALSE(client.call({"GET", "/", {{"X", "a\r\nY: b"}}, ""}).has_value());
  CHECK_FALSE(client.call({"GET", "/ HTTP/1.1\r\nY: b", {}, ""}).has_value());
  CHECK_FALSE(client.call({"GET", "http://elsewhere/", {}, ""}).has_value());
}

TEST_CASE("redirects are not followed, error statuses are answers") {
  Served s([](Request, Reply reply) { reply.send({302, "", "", {{"Location", "/elsewhere"}}}); });
  const auto answer = HttpClient(peer_of(s)).call({"GET", "/", {}, ""});
  REQUIRE(answer.has_value());
  CHECK(answer->status == 302);
  CHECK(answer->header("Location") == "/elsewhere");
}

TEST_CASE("a body over the bound is a fault that says so") {
  Served s([](Request, Reply reply) { reply.send({200, "", std::string(2000, 'x'), {}}); });
  HttpClient client(peer_of(s));
  const auto answer = client.call({"GET", "/", {}, ""}, {.max_body_bytes = 1999});
  REQUIRE_FALSE(answer.has_value());
  CHECK(contains(answer.error().message, "over 1999 bytes"));
  CHECK_FALSE(answer.error().retryable);
  CHECK(client.call({"GET", "/", {}, ""}, {.max_body_bytes = 2000})->body.size() == 2000);
}

TEST_CASE("a peer that cannot be reached, or answers with nothing, is a retryable fault") {
  std::uint16_t port = 0;
  {
    Served s(echo);
    port = s.server.port();
  }
  const auto refused =
      HttpClient({"http://127.0.0.1:" + std::to_string(port), {}}).call({"GET", "/x", {}, ""});
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().retryable);
  CHECK(refused.error().status == 0);
  CHECK_FALSE(HttpClient({"http://d", "/nonexistent/p.sock"}).call({"GET", "/", {}, ""}));
  CHECK_FALSE(HttpClient({"ftp://127.0.0.1", {}}).call({"GET", "/", {}, ""}));

  std::vector<Reply> held;
  Served silent([&](Request, Reply reply) { held.push_back(std::move(reply)); });
  const auto late = HttpClient(peer_of(silent))
                        .call({"GET", "/", {}, ""}, {.timeout = base::Duration::millis(50)});
  REQUIRE_FALSE(late.has_value());
  CHECK(late.error().retryable);
}

TEST_CASE("a stream's pieces come as they are sent; our false or its end ends it") {
  std::shared_ptr<Stream> stream;
  Served s([&](Request request, Reply reply) {
    if (request.target == "/no") return reply.send({404, "", "none here", {}});
    stream = reply.stream({200, "text/plain", "", {}});
    stream->write("1");
  });
  HttpClient client(peer_of(s));
  std::string got;
  const auto whole = client.stream({"GET", "/", {}, ""}, [&](std::string_view bytes) {
    got += bytes;
    if (got.size() < 5) {
      stream->write("n");
    } else {
      stream.reset();
    }
    return true;
  });
  REQUIRE(whole.has_value());
  CHECK(got == "1nnnn");
  CHECK(whole->body.empty());
  const auto cut = client.stream({"GET", "/", {}, ""}, [](std::string_view) { return false; });
  CHECK(cut.has_value());
  const auto none = client.stream({"GET", "/no", {}, ""}, [](std::string_view) {
    FAIL_CHECK("only a 2xx streams");
    return true;
  });
  REQUIRE(none.has_value());
  CHECK(none->body == "none here");
}

TEST_CASE("a silent stream can be cancelled, and the server learns of it") {
  std::shared_ptr<Stream> stream;
  Gate gone;
  Gate begun;
  Served s([&](Request, Reply reply) {
    stream = reply.stream({200, "text/plain", "first", {}});
    stream->on_close([&] { gone.open(); });
  });
  std::atomic<bool> cancel = false;
  std::thread canceller([&] {
    begun.wait();
    cancel = true;
  });
  {
    HttpClient client(peer_of(s));
    const auto answer = client.stream({"GET", "/", {}, ""},
                                      [&](std::string_view) {
                                        begun.open();
                                        return true;
                                      },
                                      {.timeout = {}, .cancel = &cancel});
    canceller.join();
    REQUIRE_FALSE(answer.has_value());
    CHECK(contains(answer.error().message, "cancelled"));
    CHECK(gone.wait());
  }
}

TEST_CASE("an upload is sent piece by piece") {
  Served s(echo, {.max_body_bytes = 4 << 20});
  HttpClient client(peer_of(s));
  int pieces = 0;
  const auto answer = client.upload({"POST", "/u", {}, ""}, [&]() -> std::string {
    return ++pieces > 20 ? std::string() : std::string(100'000, static_cast<char>('a' + pieces));
  });
  REQUIRE(answer.has_value());
  CHECK(answer->body.size() == 2'000'000 + std::string("POST /u ").size());
  CHECK(answer->body.ends_with(std::string(100'000, 'a' + 20)));
}

TEST_CASE("a connection that a restarted server closed is replaced") {
  auto first = std::make_unique<Served>(echo);
  const std::uint16_t port = first->server.port();
  HttpClient client(peer_of(*first));
  REQUIRE(client.call({"POST", "/", {}, "1"}).has_value());
  first.reset();
  Served second(echo, {.port = port});
  const auto answer = client.call({"POST", "/", {}, "2"});
  REQUIRE(answer.has_value());
  CHECK(answer->body == "POST / 2");
}

TEST_CASE("one client, many threads") {
  Served s(echo);
  HttpClient client(peer_of(s));
  std::atomic<int> right = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 50; ++i) {
        const std::string body = std::to_string(t * 100 + i);
        const auto answer = client.call({"POST", "/", {}, body});
        if (answer && answer->body == "POST / " + body) ++right;
      }
    });
  }
  for (std::thread& t : threads) t.join();
  CHECK(right == 400);
  CHECK(s.server.connections() <= 8);
}

}  // namespace ampacity::net
