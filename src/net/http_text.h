// HTTP's words on the wire: comparing names, and a response's head as bytes. Pure functions.
#pragma once

#include <string>
#include <string_view>

#include "net/http.h"

namespace ampacity::net {

constexpr char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }
bool same_name(std::string_view a, std::string_view b);             // without regard to case
bool list_contains(std::string_view list, std::string_view token);  // "keep-alive, Upgrade"
std::string_view trim(std::string_view text);
bool is_clean(std::string_view text);  // no line end, no NUL: it may stand in a head

std::string_view reason_phrase(int status);

enum class Framing {
  length,   // Content-Length and the body
  head,     // Content-Length without the body: the answer to HEAD
  chunked,  // a stream
  close,    // a stream to an HTTP/1.0 peer: ends with the connection
};

struct Wire {
  Framing framing = Framing::length;
  bool http_1_0 = false;
  bool keep_alive = true;
};

// Appends head (and body, for Framing::length). Control characters in header values become spaces,
// so that no value can add a header of its own.
void append_response(std::string& out, const Response& response, const Wire& wire,
                     std::string_view date);
void append_chunk(std::string& out, std::string_view bytes);  // `bytes` not empty
inline constexpr std::string_view last_chunk = "0\r\n\r\n";

}  // namespace ampacity::net
