#include "cli/sse.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace ampacity::cli;

namespace {

struct Case {
  const char* what;
  std::string bytes;
  std::vector<std::string> events;  // "name|id|data"
  std::string last_id;
};

const std::vector<Case> cases = {
    {"one", "id: 7\ndata: hello\n\n", {"message|7|hello"}, "7"},
    {"a name", "event: end\ndata: {}\n\n", {"end||{}"}, ""},
    {"returns and newlines",
     "id: 1\r\ndata: a\r\n\r\nid: 2\rdata: b\r\rid: 3\ndata: c\n\n",
     {"message|1|a", "message|2|b", "message|3|c"},
     "3"},
    {"several data lines", "data: a\ndata:b\ndata\ndata:  c\n\n", {"message||a\nb\n\n c"}, ""},
    {"comments and unknown fields",
     ": keep-alive\n\nretry: 5\nfoo: bar\n:\ndata: x\n\n",
     {"message||x"},
     ""},
    {"an id stays for those without",
     "id: 5\ndata: a\n\ndata: b\n\n",
     {"message|5|a", "message|5|b"},
     "5"},
    {"an id without data counts", "id: 9\n\n", {}, "9"},
    {"a name without data is forgotten", "event: end\n\ndata: a\n\n", {"message||a"}, ""},
    {"no colon, no space", "data:a:b\n\n", {"message||a:b"}, ""},
    {"a mark at the beginning",
     "\xEF\xBB\xBF"
     "data: a\n\n",
     {"message||a"},
     ""},
    {"an unfinished event is not one", "id: 1\ndata: a\n\nid: 2\ndata: b\n", {"message|1|a"}, "1"},
    {"UTF-8", "data: žluť\n\n", {"message||žluť"}, ""},
};

std::vector<std::string> feed(SseParser& parser, const std::vector<std::string_view>& pieces) {
  std::vector<std::string> events;
  for (const auto piece : pieces)
    parser.feed(piece, [&](const SseEvent& e) {
      events.push_back(e.name + "|" + e.id + "|" + e.data);
      return true;
    });
  return events;
}

}  // namespace

TEST_CASE("server-sent events, cut at every pair of places") {
  for (const auto& c : cases) {
    CAPTURE(c.what);
    const std::string_view all = c.bytes;
    for (std::size_t i = 0; i <= all.size(); ++i)
      for (std::size_t j = i; j <= all.size(); ++j) {
        SseParser parser;
        const auto events = feed(parser, {all.substr(0, i), all.substr(i, j - i), all.substr(j)});
        if (events != c.events || parser.last_id() != c.last_id) {
          CAPTURE(i);
          CAPTURE(j);
          REQUIRE(events == c.events);
          REQUIRE(parser.last_id() == c.last_id);
        }
      }
  }
}

TEST_CASE("byte by byte") {
  for (const auto& c : cases) {
    SseParser parser;
    std::vector<std::string_view> pieces;
    for (std::size_t i = 0; i < c.bytes.size(); ++i)
      pieces.push_back(std::string_view(c.bytes).substr(i, 1));
    CHECK(feed(parser, pieces) == c.events);
  }
}

TEST_CASE("a new connection forgets what was half read, and its id") {
  SseParser parser;
  CHECK(feed(parser, {"id: 1\ndata: a\n\nid: 2\ndata: b"}) ==
        std::vector<std::string>{"message|1|a"});
  parser.restart();
  CHECK(parser.last_id() == "1");
  CHECK(feed(parser, {"data: c\n\n"}) == std::vector<std::string>{"message|1|c"});
}

TEST_CASE("a reader may stop, and an endless event is dropped") {
  SseParser parser;
  int seen = 0;
  const bool more = parser.feed("data: a\n\ndata: b\n\n", [&](const SseEvent&) {
    ++seen;
    return false;
  });
  CHECK_FALSE(more);
  CHECK(seen == 1);
  CHECK_FALSE(parser.overflowed());

  const std::string piece(1 << 20, 'x');
  for (const char* between : {"", "\ndata: "}) {
    SseParser endless;
    bool on = endless.feed("data: ", [](const SseEvent&) { return true; });
    int pieces = 0;
    for (; on && pieces < 10; ++pieces)
      on = endless.feed(piece + between, [](const SseEvent&) { return true; });
    CHECK(pieces < 10);
    CHECK(endless.overflowed());
  }
}
