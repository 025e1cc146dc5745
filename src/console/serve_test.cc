#include "console/serve.h"

#include <doctest/doctest.h>

namespace ampacity::console {
namespace {

// Bytes of a pack with a page, a script that has both forms, and a picture.
constexpr std::string_view index_line =
    R"({"files":[)"
    R"({"path":"index.html","type":"text/html","etag":"p1","immutable":false,)"
    R"("plain_at":0,"plain_bytes":4,"gzip_at":0,"gzip_bytes":0},)"
    R"({"path":"assets/a-1.js","type":"text/javascript","etag":"s1","immutable":true,)"
    R"("plain_at":4,"plain_bytes":6,"gzip_at":10,"gzip_bytes":2}]})";
const std::string pack = std::string(index_line) + "\npagescriptgz";

net::Response ask(const Console& c, std::string_view path, std::vector<net::Header> headers = {},
                  const char* method = "GET") {
  return c.answer({method, std::string(path), std::move(headers), {}}, path);
}

}  // namespace

TEST_CASE("the console: files with their own caching, the page at every view's address") {
  auto files = read_pack(pack);
  REQUIRE_MESSAGE(files, files.error().message);
  const Console c(std::move(*files));
  const auto script = ask(c, "/console/assets/a-1.js");
  CHECK(script.status == 200);
  CHECK(script.body == "script");
  CHECK(script.header("Cache-Control").find("immutable") != std::string_view::npos);
  CHECK(script.header("Vary") == "Accept-Encoding");
  const auto small = ask(c, "/console/assets/a-1.js", {{"Accept-Encoding", "br, gzip"}});
  CHECK(small.body == "gz");
  CHECK(small.header("Content-Encoding") == "gzip");
  for (const char* view : {"/console/", "/console/workloads", "/console/workloads/job-1"}) {
    const auto page = ask(c, view, {{"Accept-Encoding", "gzip"}});
    CHECK(page.body == "page");
    CHECK(page.header("Content-Encoding").empty());
    CHECK(page.header("Cache-Control") == "no-cache");
  }
  CHECK(ask(c, "/console/", {{"If-None-Match", "\"p1\""}}).status == 304);
  CHECK(ask(c, "/console/", {{"If-None-Match", "\"p0\""}}).status == 200);
  CHECK(ask(c, "/console/assets/gone-2.js").status == 404);
  CHECK(ask(c, "/").status == 303);
  CHECK(ask(c, "/console").header("Location") == "/console/");
  CHECK(ask(c, "/console/", {}, "POST").status == 405);
}

TEST_CASE("the console: every answer says what the browser may do with it") {
  const Console c(*read_pack(pack));
  for (const char* path : {"/", "/console/", "/console/assets/a-1.js", "/console/no.js"}) {
    const auto r = ask(c, path);
    CHECK(r.header("Content-Security-Policy") == content_policy);
    CHECK(r.header("X-Content-Type-Options") == "nosniff");
  }
  CHECK(std::string_view(content_policy).find("script-src 'self';") != std::string_view::npos);
}

TEST_CASE("the console: without a pack, a page that says how to build it; a cut pack is refused") {
  const auto r = ask(Console(Files{}), "/console/workloads");
  CHECK(r.status == 200);
  CHECK(r.body.find("./dev console") != std::string::npos);
  CHECK(read_pack("")->empty());
  CHECK_FALSE(read_pack("no newline"));
  CHECK_FALSE(read_pack("[]\n"));
  for (std::size_t n = index_line.size() + 1; n < pack.size(); ++n)
    CHECK_FALSE(read_pack(std::string_view(pack).substr(0, n)));
}

TEST_CASE("which addresses are the console's") {
  for (const char* ours : {"/", "/console", "/console/", "/console/x"}) CHECK(Console::owns(ours));
  for (const char* not_ours : {"/consoles", "/v1/jobs", "", "/healthz"})
    CHECK_FALSE(Console::owns(not_ours));
}

}  // namespace ampacity::console
