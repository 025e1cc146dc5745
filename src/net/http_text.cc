#include "net/http_text.h"

#include <array>
#include <charconv>
#include <utility>

namespace ampacity::net {
namespace {

void append_number(std::string& out, std::size_t n, int base = 10) {
  std::array<char, 24> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), n, base).ptr;
  out.append(digits.data(), end);
}

void append_value(std::string& out, std::string_view value) {
  const auto start = out.size();
  out.append(value);
  for (auto i = start; i < out.size(); ++i) {
    const auto byte = static_cast<unsigned char>(out[i]);
    if ((byte < 32 && byte != '\t') || byte == 127) out[i] = ' ';
  }
}

bool name_is_sound(std::string_view name) {
  for (const char c : name) {
    if (c <= ' ' || c == ':' || c == 127) return false;
  }
  return !name.empty();
}

// These belong to the framing, which the server alone decides.
bool is_framing(std::string_view name) {
  return same_name(name, "Content-Length") || same_name(name, "Transfer-Encoding") ||
         same_name(name, "Connection") || same_name(name, "Content-Type");
}

constexpr std::pair<int, std::string_view> reason_phrases[] = {
    {200, "OK"},
    {201, "Created"},
    {202, "Accepted"},
    {204, "No Content"},
    {206, "Partial Content"},
    {303, "See Other"},
    {304, "Not Modified"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {402, "Payment Required"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {406, "Not Acceptable"},
    {408, "Request Timeout"},
    {409, "Conflict"},
    {410, "Gone"},
    {412, "Precondition Failed"},
    {413, "Content Too Large"},
    {415, "Unsupported Media Type"},
    {417, "Expectation Failed"},
    {422, "Unprocessable Content"},
    {426, "Upgrade Required"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {502, "Bad Gateway"},
    {503, "Service Unavailable"},
    {504, "Gateway Timeout"},
    {505, "HTTP Version Not Supported"},
    {507, "Insufficient Storage"},
};

}  // namespace

std::string_view reason_phrase(int status) {
  for (const auto& [code, phrase] : reason_phrases) {
    if (code == status) return phrase;
  }
  return "Status";
}

void append_response(std::string& out, const Response& response, const Wire& wire,
                     std::string_view date) {
  const bool no_body = response.status == 204 || response.status == 304;
  out.append("HTTP/1.1 ");
  append_number(out, static_cast<std::size_t>(response.status));
  out.push_back(' ');
  out.append(reason_phrase(response.status));
  out.append("\r\nDate: ").append(date);
  if (!response.content_type.empty() && !no_body) {
    out.append("\r\nContent-Type: ");
    append_value(out, response.content_type);
  }
  for (const Header& h : response.headers) {
    if (!name_is_sound(h.name) || is_framing(h.name)) continue;
    out.append("\r\n").append(h.name).append(": ");
    append_value(out, h.value);
  }
  if (!wire.keep_alive) {
    out.append("\r\nConnection: close");
  } else if (wire.http_1_0) {
    out.append("\r\nConnection: keep-alive");
  }
  if (wire.framing == Framing::chunked) {
    out.append("\r\nTransfer-Encoding: chunked");
  } else if (wire.framing != Framing::close && !no_body) {
    out.append("\r\nContent-Length: ");
    append_number(out, response.body.size());
  }
  out.append("\r\n\r\n");
  if (wire.framing == Framing::length && !no_body) out.append(response.body);
}

void append_chunk(std::string& out, std::string_view bytes) {
  append_number(out, bytes.size(), 16);
  out.append("\r\n").append(bytes).append("\r\n");
}

}  // namespace ampacity::net
