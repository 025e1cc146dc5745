#include "net/http.h"

#include <doctest/doctest.h>

#include "net/http_text.h"

namespace ampacity::net {

TEST_CASE("a target is split and decoded; bad escapes stay as they are") {
  const Target t = parse_target("/v1/jobs%2Fa+b?state=running&name=a%20b+c&flag&bad=%zz%4&=x#frag");
  CHECK(t.path == "/v1/jobs/a+b");
  REQUIRE(t.query.size() == 5);
  CHECK(t.param("state") == "running");
  CHECK(t.param("name") == "a b c");
  CHECK(t.query[2] == std::pair<std::string, std::string>("flag", ""));
  CHECK(t.param("bad") == "%zz%4");
  CHECK(t.param("absent").empty());
  CHECK(parse_target("").path.empty());
  CHECK(parse_target("/a?").query.empty());
  CHECK(parse_target("/a?&&").query.empty());
  CHECK(parse_target("/%").path == "/%");
}

TEST_CASE("percent_encode and parse_target are inverse over all bytes") {
  std::string all;
  for (int i = 0; i < 256; ++i) all.push_back(static_cast<char>(i));
  CHECK(parse_target("/x?v=" + percent_encode(all)).param("v") == all);
  CHECK(percent_encode("a/b c~") == "a%2Fb%20c~");
}

TEST_CASE("headers are found without regard to case") {
  const Request r{"GET", "/", {{"X-Thing", "1"}, {"x-thing", "2"}}, ""};
  CHECK(r.header("x-THING") == "1");
  CHECK(r.header("x-thin").empty());
  const Response s{200, "text/plain", "", {{"ETag", "e"}}};
  CHECK(s.header("etag") == "e");
  CHECK(s.header("content-type") == "text/plain");
}

TEST_CASE("list_contains finds whole tokens only") {
  CHECK(list_contains("keep-alive, Upgrade", "upgrade"));
  CHECK(list_contains(" close\t", "close"));
  CHECK_FALSE(list_contains("upgraded", "upgrade"));
  CHECK_FALSE(list_contains("", "upgrade"));
}

TEST_CASE("a header value cannot add a header or a body") {
  std::string out;
  Response r{200, "text/plain\r\nEvil: 1", "b", {{"X", "a\r\nEvil: 2\r\n\r\nboo"}}};
  r.headers.push_back({"Bad\r\nEvil", "3"});
  r.headers.push_back({"Content-Length", "99"});
  append_response(out, r, Wire{}, "now");
  CHECK(out ==
        "HTTP/1.1 200 OK\r\nDate: now\r\nContent-Type: text/plain  Evil: 1\r\n"
        "X: a  Evil: 2    boo\r\nContent-Length: 1\r\n\r\nb");
}

TEST_CASE("204 and 304 have neither body nor length") {
  std::string out;
  append_response(out, Response{204, "text/plain", "ignored", {}}, Wire{}, "now");
  CHECK(out == "HTTP/1.1 204 No Content\r\nDate: now\r\n\r\n");
}

}  // namespace ampacity::net
