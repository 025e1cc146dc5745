// The shapes of HTTP that cross rooms: requests, responses, headers. No Beast, Asio or curl here.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ampacity::net {

struct Header {
  std::string name;  // as sent; compared without regard to case
  std::string value;
};

struct Request {
  std::string method;  // "GET"
  std::string target;  // "/v1/jobs?state=running", still percent-encoded
  std::vector<Header> headers;
  std::string body;
  std::string_view header(std::string_view name) const;  // empty if absent
};

struct Response {
  int status = 200;
  std::string content_type = "application/json";
  std::string body;
  std::vector<Header> headers;  // beside Content-Type and Content-Length
  std::string_view header(std::string_view name) const;
};

// "/v1/jobs?state=running" -> path "/v1/jobs" and decoded pairs. Bad escapes stay as they are.
struct Target {
  std::string path;
  std::vector<std::pair<std::string, std::string>> query;
  std::string_view param(std::string_view name) const;  // empty if absent
};
Target parse_target(std::string_view target);
std::string percent_encode(std::string_view text);

}  // namespace ampacity::net
