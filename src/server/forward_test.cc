#include "server/forward.h"

#include <doctest/doctest.h>

#include <deque>

namespace ampacity::server {
namespace {

// A leader that is not there, or answers what it is told to.
struct Leader {
  struct Line final : net::Transport {
    explicit Line(Leader& l) : leader(l) {}
    base::Try<net::Response> call(const net::Request& request,
                                  const net::CallOptions& options) override {
      {
        const base::Guard lock(leader.mutex);
        leader.asked.push_back(request);
      }
      ++leader.reached;
      while (leader.silent)
        if (*options.cancel) return base::fault("cancelled");
      if (leader.down) return base::fault("connection refused");
      return leader.answer;
    }
    base::Try<net::Response> stream(const net::Request& request,
                                    const std::function<bool(std::string_view)>& on_bytes,
                                    const net::CallOptions&) override {
      leader.asked.push_back(request);
      on_bytes("data: 1\n\n");
      on_bytes("data: 2\n\n");
      return net::Response{200, "text/event-stream", "", {}};
    }
    base::Try<net::Response> upload(const net::Request&, const std::function<std::string()>&,
                                    const net::CallOptions&) override {
      return base::fault("nobody uploads");
    }
    Leader& leader;
  };
  std::deque<net::Request> asked;
  net::Response answer{201, "application/json", "{}", {{sequence_header, "41"}}};
  bool down = false;
  std::atomic<bool> silent{false};
  std::atomic<int> reached{0};
  base::Mutex mutex;  // of asked
};

struct Following {
  Leader leader;
  Leadership leadership{base::Duration::seconds(5)};
  std::uint64_t waited_for = 0;
  Forwarder forwarder{options(), leadership, [this](std::uint64_t n, base::Duration) {
                        waited_for = n;
                        return true;
                      }};

  Following() { leadership.saw({3, "x", "http://leader", base::Duration::seconds(1)}); }
  ForwardOptions options() {
    ForwardOptions o;
    o.calls_at_once = 2;
    o.streams_at_once = 1;
    o.connect = [this](const std::string&) { return std::make_unique<Leader::Line>(leader); };
    return o;
  }
  net::Response ask(net::Request request, bool stream = false) {
    base::Handover<net::Response> answer;
    net::Reply reply([&](net::Response r) { answer.put(std::move(r)); });
    if (stream)
      forwarder.stream(std::move(request), std::move(reply));
    else
      forwarder.call(std::move(request), std::move(reply));
    return answer.take();
  }
};

net::Request post() {
  return {"POST",
          "/v1/jobs",
          {{"Authorization", "Bearer k"}, {"Idempotency-Key", "i"}, {"Cookie", "c"}},
          "{}"};
}

}  // namespace

TEST_CASE("a write goes to the leader with its keys, once, and its answer waits to be seen here") {
  Following f;
  const auto answer = f.ask(post());
  CHECK(answer.status == 201);
  CHECK(answer.header(sequence_header) == "41");
  CHECK(f.waited_for == 41);
  REQUIRE(f.leader.asked.size() == 1);
  CHECK(f.leader.asked[0].header("Authorization") == "Bearer k");
  CHECK(f.leader.asked[0].header("Idempotency-Key") == "i");
  CHECK(f.leader.asked[0].header(hops_header) == "1");
  CHECK(f.leader.asked[0].header("Cookie").empty());
}

TEST_CASE("a browser's cookies go on, ours alone; what the leader sets comes back, each of it") {
  Following f;
  f.leader.answer = {303,
                     "text/plain",
                     "",
                     {{"Location", "/console/"},
                      {"Set-Cookie", "ampacity_session=1"},
                      {"Set-Cookie", "ampacity_sign_in="},
                      {"Server", "x"},
                      {sequence_header, "42"}}};
  const auto answer = f.ask({"GET",
                             "/v1/session/oidc/back?code=c",
                             {{"Cookie", "other=1; ampacity_sign_in=2; __Host-ampacity_session=3"}},
                             ""});
  CHECK(f.leader.asked[0].header("Cookie") == "ampacity_sign_in=2; __Host-ampacity_session=3");
  CHECK(answer.status == 303);
  CHECK(answer.header("Location") == "/console/");
  CHECK(answer.headers.size() == 4);
  CHECK(f.waited_for == 42);  // the session is known here, too, before the browser comes with it
}

TEST_CASE("a request that was sent on is not sent on again") {
  Following f;
  net::Request request = post();
  request.headers.push_back({hops_header, "1"});
  const auto answer = f.ask(std::move(request));
  CHECK(answer.status == 503);
  CHECK_FALSE(answer.header("Retry-After").empty());
  CHECK(f.leader.asked.empty());
}

TEST_CASE("without a leader, or one that is gone, the answer is 503 and says what is not known") {
  Following f;
  f.leader.down = true;
  auto answer = f.ask(post());
  CHECK(answer.status == 503);
  CHECK(answer.body.find("Idempotency-Key") != std::string::npos);
  f.leadership.saw({4, "", "", base::Duration::seconds(1)});
  answer = f.ask(post());
  CHECK(answer.status == 503);
  CHECK(answer.body.find("no server leads") != std::string::npos);
  f.leadership.won(5, base::elapsed());
  CHECK(f.ask(post()).body.find("taking over") != std::string::npos);
  CHECK(f.leader.asked.size() == 1);
}

TEST_CASE("nobody waits for a leader that was replaced") {
  Following f;
  f.leader.silent = true;
  base::Thread change([&] {
    while (f.leader.reached == 0) base::sleep_for(base::Duration::millis(1));
    f.forwarder.leader_changed();
  });
  const auto answer = f.ask(post());
  change.join();
  CHECK(answer.status == 503);
}

TEST_CASE("what still waits to be sent when the leader is replaced is not sent to it") {
  Following f;
  f.leader.silent = true;
  std::atomic<int> refused{0};
  for (int i = 0; i < 6; ++i)  // two at once: four wait
    f.forwarder.call(post(), net::Reply([&](net::Response r) { refused += r.status == 503; }));
  while (f.leader.reached < 2) base::sleep_for(base::Duration::millis(1));
  f.forwarder.leader_changed();
  while (refused < 6) base::sleep_for(base::Duration::millis(1));
  CHECK(f.leader.reached == 2);
}

TEST_CASE("events are passed on as they come") {
  Following f;
  const auto answer = f.ask({"GET", "/v1/jobs/j/logs", {}, ""}, true);
  CHECK(answer.status == 200);
  CHECK(answer.body == "data: 1\n\ndata: 2\n\n");
}

}  // namespace ampacity::server
