// The web console over HTTP: its files under /console/, and its first page at every address below
// that is not a file, so that each view has a link of its own. Whoever asks may have them: they say
// nothing of this cloud; what does comes from /v1, with a key or a session.
// Threads: any, once made.
#pragma once

#include <string_view>

#include "console/pack.h"
#include "net/http.h"

namespace ampacity::console {

class Console {
 public:
  Console();  // of the linked pack
  explicit Console(Files files) : files_(std::move(files)) {}

  // "/", "/console" and all below it.
  static bool owns(std::string_view path);
  net::Response answer(const net::Request& request, std::string_view path) const;

 private:
  net::Response file(const net::Request& request, const File& file) const;
  Files files_;
};

// What every answer with a page or a script in it says to the browser.
inline constexpr const char* content_policy =
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' "
    "data:; "
    "font-src 'self'; connect-src 'self'; manifest-src 'self'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'";

}  // namespace ampacity::console
