#include "server/cookies.h"

#include <algorithm>

#include "oidc/flow.h"
#include "server/forward.h"

namespace ampacity::server {
namespace {

constexpr std::string_view host_only = "__Host-", prefix = "ampacity_";
constexpr std::size_t most_cookies = 64;

std::string cookie_name(Cookie which, const WebAddress& address) {
  std::string name(address.secure() ? host_only : "");
  return name.append(prefix).append(which == Cookie::session ? "session" : "sign_in");
}

using Named = std::pair<std::string_view, std::string_view>;
std::vector<Named> cookies_in(const net::Request& request) {
  std::vector<Named> out;
  std::string_view all = request.header("Cookie");
  while (!all.empty() && out.size() < most_cookies) {
    const std::size_t end = std::min(all.find(';'), all.size());
    std::string_view one = all.substr(0, end);
    all.remove_prefix(std::min(end + 1, all.size()));
    one.remove_prefix(std::min(one.find_first_not_of(' '), one.size()));
    if (const std::size_t sign = one.find('='); sign != std::string_view::npos)
      out.emplace_back(one.substr(0, sign), one.substr(sign + 1));
  }
  return out;
}

}  // namespace

std::string WebAddress::origin(const net::Request& request) const {
  if (!public_url.empty()) return public_url;
  return (tls ? "https://" : "http://") + std::string(request.header("Host"));
}

std::string_view cookie_of(const net::Request& request, Cookie which, const WebAddress& address) {
  const std::string name = cookie_name(which, address);
  for (const auto& [n, value] : cookies_in(request))
    if (n == name) return value;
  return {};
}

std::string own_cookies(const net::Request& request) {
  std::string out;
  for (auto [name, value] : cookies_in(request)) {
    const std::string_view bare =
        name.starts_with(host_only) ? name.substr(host_only.size()) : name;
    if (!bare.starts_with(prefix)) continue;
    out.append(out.empty() ? "" : "; ").append(name).append("=").append(value);
  }
  return out;
}

net::Header set_cookie(Cookie which, std::string_view value, const WebAddress& address) {
  const bool session = which == Cookie::session;
  const base::Duration kept = session ? session_length : oidc::flow_length;
  std::string out = cookie_name(which, address);
  out.append("=").append(value).append("; Path=/; HttpOnly; SameSite=");
  out += session ? "Strict" : "Lax";
  if (address.secure()) out += "; Secure";
  out += "; Max-Age=" + std::to_string(value.empty() ? 0 : kept.whole_seconds());
  return {"Set-Cookie", std::move(out)};
}

base::Result<void> check_own_page(const net::Request& request, const WebAddress& address) {
  const auto no = [](std::string why) {
    return base::refuse(base::Code::forbidden, std::move(why));
  };
  if (!request.header(hops_header).empty()) return {};
  const std::string_view origin = request.header("Origin");
  // By its own port, too, where there is a proxy before it.
  const WebAddress own{"", address.tls};
  if (origin.empty() || (origin != address.origin(request) && origin != own.origin(request)))
    return no("a session's cookie counts only from this server's own pages: the Origin is not " +
              address.origin(request) + " (behind a proxy, ampacityd is told by --public-url)");
  if (request.header("Upgrade").empty() && request.header(console_header) != "1")
    return no("a session's cookie changes nothing without the header Ampacity-Console: 1");
  return {};
}

}  // namespace ampacity::server
