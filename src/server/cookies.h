// What a browser carries for us, and what that alone may not do. Threads: any.
// 1. Every cookie is HttpOnly; where browsers come by https it is Secure and of this host alone
// (`__Host-`), whatever the request says of itself. 2. The session's is SameSite=Strict and changes
// nothing alone: what is not GET, and every WebSocket, must come from our own page. 3. The one of a
// sign-in under way is Lax: the provider's page leads back with it.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"
#include "net/http.h"

namespace ampacity::server {

inline constexpr base::Duration session_length = base::Duration::seconds(12 * 3'600);
inline constexpr const char* console_header = "Ampacity-Console";

// Where browsers reach this server.
struct WebAddress {
  std::string public_url;  // "https://cloud.example.org", before which there is a proxy; or empty
  bool tls = false;        // of our own port
  bool secure() const { return public_url.empty() ? tls : public_url.starts_with("https://"); }
  // "https://cloud.example.org": public_url, or else what the request asked for.
  std::string origin(const net::Request& request) const;
};

enum class Cookie { session, flow };

// Its value in the request; empty: there is none.
std::string_view cookie_of(const net::Request& request, Cookie which, const WebAddress& address);
// Those of ours, for the server that leads; a host's others are none of its business.
std::string own_cookies(const net::Request& request);
// Set-Cookie: this value, or with an empty one no more.
net::Header set_cookie(Cookie which, std::string_view value, const WebAddress& address);

// That a page of this server sent it: its Origin is ours, and unless it asks for a WebSocket, there
// is a header that no other site's page can add. What another server of the cloud sent on has a
// header of that kind, too: that server has looked.
base::Result<void> check_own_page(const net::Request& request, const WebAddress& address);

}  // namespace ampacity::server
