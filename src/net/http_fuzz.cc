// Requests on a connection, as bytes cut anywhere: a socket pair, the production Connection, and a
// handler that answers at once. What is understood may not depend on how the bytes are cut.
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/ip/tcp.hpp>

#include "base/fuzz_input.h"
#include "net/http_connection.h"

namespace base = ampacity::base;
namespace net = ampacity::net;

namespace {

constexpr std::size_t most_body = 2048, most_head = 1024;

struct Heard {
  std::vector<net::Request> requests;
  std::vector<int> refused;
  std::string answered;
};

void check_request(const net::Request& r) {
  const auto visible = [](std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](char c) {
      const auto byte = static_cast<unsigned char>(c);
      return byte > 0x20 && byte != 0x7f;
    });
  };
  CHECK_THAT(!r.method.empty() && visible(r.method), "a method that is no token");
  CHECK_THAT(!r.target.empty() && visible(r.target), "a target with blanks or control characters");
  CHECK_THAT(r.body.size() <= most_body, "a body over its bound");
  std::size_t head = r.method.size() + r.target.size();
  for (const net::Header& h : r.headers) {
    CHECK_THAT(!h.name.empty() && visible(h.name) && !h.name.contains(':'), "no header's name");
    CHECK_THAT(h.value.find_first_of(std::string_view("\r\n\0", 3)) == std::string::npos,
               "a header's value that is more than one line");
    head += h.name.size() + h.value.size();
  }
  CHECK_THAT(head <= most_head, "a head over its bound");
  const bool chunked = !r.header("Transfer-Encoding").empty();
  CHECK_THAT(!chunked || r.header("Content-Length").empty(), "two lengths of one body");
}

// Sends `bytes` in pieces that end at `cuts`, one read each, and then closes its side.
Heard talk(std::string_view bytes, const std::vector<std::size_t>& cuts) {
  Heard heard;
  net::ServerOptions options;
  options.max_body_bytes = most_body;
  options.max_header_bytes = most_head;
  const auto loop = std::make_shared<net::Loop>(
      options,
      [&heard](net::Request request, net::Reply reply) {
        check_request(request);
        net::Response answer{200, "text/plain", request.method + " " + request.target, {}};
        heard.requests.push_back(std::move(request));
        reply.send(std::move(answer));
      },
      [&heard](int status, std::string_view reason) {
        CHECK_THAT(!reason.empty(), "a refusal without words");
        heard.refused.push_back(status);
        return net::Response{status, "text/plain", std::string(reason), {}};
      });
  loop->thread_id = std::this_thread::get_id();
  int ends[2];
  CHECK_THAT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends) == 0, "no socket pair");
  boost::asio::ip::tcp::socket socket(loop->io);
  socket.assign(boost::asio::ip::tcp::v4(), ends[0]);
  const auto connection = std::make_shared<net::Connection>(loop, std::move(socket));
  loop->add(connection);
  connection->begin();
  const auto turn = [&] {
    loop->io.restart();
    while (loop->io.poll() > 0) {
    }
    char some[4096];
    for (ssize_t n = 0; (n = recv(ends[1], some, sizeof some, 0)) > 0;)
      heard.answered.append(some, static_cast<std::size_t>(n));
  };
  std::size_t sent = 0;
  for (std::size_t cut : cuts) {
    const std::size_t end = std::clamp(cut, sent, bytes.size());
    if (send(ends[1], bytes.data() + sent, end - sent, MSG_NOSIGNAL) < 0) break;
    sent = end;
    turn();
  }
  shutdown(ends[1], SHUT_WR);
  turn();
  connection->shut();
  loop->close_inbox();
  turn();
  close(ends[1]);
  return heard;
}

void check_heard(const Heard& heard) {
  CHECK_THAT(heard.refused.size() <= 1, "more than one refusal on a connection");
  for (const int status : heard.refused)
    CHECK_THAT(status == 400 || status == 413 || status == 417 || status == 431,
               "refused with another status");
  std::size_t answers = 0;
  for (std::size_t at = 0; (at = heard.answered.find("HTTP/1.1 ", at)) != std::string::npos; ++at)
    answers += heard.answered.compare(at, 25, "HTTP/1.1 100 Continue\r\n\r\n") != 0;
  CHECK_THAT(answers >= heard.requests.size() + heard.refused.size(), "a request not answered");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  base::FuzzInput input(data, size);
  const std::size_t first = input.byte() * 3, second = input.byte() * 5;
  // Every head ends: one cut short at the end may be refused or just dropped.
  const std::string bytes = std::string(input.rest()) + "\r\n\r\n";
  const Heard whole = talk(bytes, {bytes.size()});
  const Heard cut = talk(bytes, {std::min(first, second), std::max(first, second), bytes.size()});
  check_heard(whole);
  check_heard(cut);
  CHECK_THAT(whole.requests.size() == cut.requests.size(), "more or fewer requests when cut");
  for (std::size_t i = 0; i < cut.requests.size(); ++i) {
    const net::Request &a = whole.requests[i], &b = cut.requests[i];
    CHECK_THAT(a.method == b.method && a.target == b.target && a.body == b.body &&
                   a.headers.size() == b.headers.size(),
               "another request when cut");
  }
  CHECK_THAT(whole.refused.size() == cut.refused.size(), "refused only when cut, or only whole");
  return 0;
}
