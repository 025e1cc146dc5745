#include "console/serve.h"

#include "base/log.h"

namespace ampacity::console {
namespace {

constexpr std::string_view folder = "/console/";

constexpr const char* not_built =
    "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Ampacity</title>"
    "<h1>The console was not built into this server</h1>"
    "<p>The API and the command line work without it. To have it: install node and npm, run "
    "<code>./dev console</code>, then <code>./dev build</code>, and start ampacityd again.</p>"
    "</html>\n";

net::Response page(int status, std::string body) {
  return {status, "text/html; charset=utf-8", std::move(body), {{"Cache-Control", "no-store"}}};
}

void guard(net::Response& r) {
  r.headers.push_back({"Content-Security-Policy", content_policy});
  r.headers.push_back({"X-Content-Type-Options", "nosniff"});
  r.headers.push_back({"Referrer-Policy", "same-origin"});
  r.headers.push_back({"Cross-Origin-Opener-Policy", "same-origin"});
}

bool takes_gzip(const net::Request& r) {
  return r.header("Accept-Encoding").find("gzip") != std::string_view::npos;
}

// A view's address has no dot in its last part; what has one and is not there is a missing file.
bool is_view(std::string_view path) {
  return path.substr(path.rfind('/') + 1).find('.') == std::string_view::npos;
}

}  // namespace

Console::Console() {
  auto files = read_pack(linked_pack());
  if (!files) base::log_error("the console: {}", files.error().message);
  if (files) files_ = std::move(*files);
}

bool Console::owns(std::string_view path) {
  return path == "/" || path == "/console" || path.starts_with(folder);
}

net::Response Console::file(const net::Request& request, const File& file) const {
  const char* keep = file.immutable ? "public, max-age=31536000, immutable" : "no-cache";
  net::Response r{200, file.content_type, {}, {{"ETag", file.etag}, {"Cache-Control", keep}}};
  if (!file.gzipped.empty()) r.headers.push_back({"Vary", "Accept-Encoding"});
  if (request.header("If-None-Match") == file.etag) {
    r.status = 304;
    return r;
  }
  const bool gzip = !file.gzipped.empty() && takes_gzip(request);
  if (gzip) r.headers.push_back({"Content-Encoding", "gzip"});
  r.body = gzip ? file.gzipped : file.plain;
  return r;
}

net::Response Console::answer(const net::Request& request, std::string_view path) const {
  net::Response r;
  if (request.method != "GET" && request.method != "HEAD") {
    r = {405, "text/plain", "the console is only read\n", {{"Allow", "GET, HEAD"}}};
  } else if (!path.starts_with(folder)) {
    r = {303, "text/plain", "", {{"Location", std::string(folder)}}};
  } else if (files_.empty()) {
    r = page(200, not_built);
  } else {
    const std::string_view name = path.substr(folder.size());
    auto at = files_.find(name);
    if (at == files_.end() && is_view(name)) at = files_.find("index.html");
    r = at == files_.end() ? net::Response{404, "text/plain", "no such file\n", {}}
                           : file(request, at->second);
  }
  guard(r);
  return r;
}

}  // namespace ampacity::console
