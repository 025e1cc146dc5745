// Beast's HTTP/1 grammar filling our Request directly; stricter than Beast where RFC 9112 lets us.
// Threads: none of its own. One parser reads one request.
#pragma once

#include <boost/beast/http/basic_parser.hpp>
#include <cstdint>
#include <string>

#include "net/http.h"
#include "net/http_text.h"

namespace ampacity::net {

// Transfer-Encoding other than exactly `chunked`, a second Host, or Host missing from HTTP/1.1 are
// bad requests, as is (by Beast) a Content-Length beside a Transfer-Encoding.
class RequestParser final : public boost::beast::http::basic_parser<true> {
  using Ec = boost::beast::error_code;
  using Field = boost::beast::http::field;
  using View = boost::beast::string_view;
  using Error = boost::beast::http::error;

 public:
  RequestParser(std::size_t max_header_bytes, std::size_t max_body_bytes) {
    header_limit(static_cast<std::uint32_t>(max_header_bytes));
    body_limit(max_body_bytes);
    eager(true);
  }
  Request& request() { return request_; }
  bool http_1_0() const { return http_1_0_; }
  bool expects_continue() const { return expects_continue_; }
  bool expects_other() const { return expects_other_; }
  bool wants_websocket() const { return websocket_ && upgrade(); }

 private:
  void on_request_impl(boost::beast::http::verb, View method, View target, int version,
                       Ec& ec) override {
    http_1_0_ = version == 10;
    if (version != 10 && version != 11) {
      ec = Error::bad_version;
      return;
    }
    request_.method.assign(method.data(), method.size());
    request_.target.assign(target.data(), target.size());
    request_.headers.reserve(8);
  }
  void on_response_impl(int, View, int, Ec&) override {}
  void on_field_impl(Field field, View name, View value, Ec& ec) override {
    if (head_done_) return;  // trailers mean nothing to us
    const std::string_view text(value.data(), value.size());
    switch (field) {
      case Field::host:
        if (++hosts_ > 1) ec = Error::bad_field;
        break;
      case Field::transfer_encoding:
        if (http_1_0_ || !same_name(text, "chunked")) ec = Error::bad_transfer_encoding;
        break;
      case Field::expect:
        (same_name(text, "100-continue") ? expects_continue_ : expects_other_) = true;
        break;
      case Field::upgrade:
        websocket_ = list_contains(text, "websocket");
        break;
      default:
        break;
    }
    request_.headers.push_back({std::string(name.data(), name.size()), std::string(text)});
  }
  void on_header_impl(Ec& ec) override {
    head_done_ = true;
    if (hosts_ == 0 && !http_1_0_) ec = Error::bad_field;
  }
  void on_body_init_impl(const boost::optional<std::uint64_t>& length, Ec&) override {
    // What a peer only claims to send is not yet worth memory.
    if (length) request_.body.reserve(std::min<std::uint64_t>(*length, 64 << 10));
  }
  std::size_t on_body_impl(View bytes, Ec&) override {
    request_.body.append(bytes.data(), bytes.size());
    return bytes.size();
  }
  void on_chunk_header_impl(std::uint64_t, View, Ec&) override {}
  std::size_t on_chunk_body_impl(std::uint64_t, View bytes, Ec&) override {
    request_.body.append(bytes.data(), bytes.size());
    return bytes.size();
  }
  void on_finish_impl(Ec&) override {}

  Request request_;
  int hosts_ = 0;
  bool http_1_0_ = false;
  bool head_done_ = false;
  bool expects_continue_ = false;
  bool expects_other_ = false;
  bool websocket_ = false;
};

}  // namespace ampacity::net
