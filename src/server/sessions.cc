#include "server/sessions.h"

#include <algorithm>

namespace ampacity::server {
namespace {

constexpr std::string_view plain_name = "ampacity_session", tls_name = "__Host-ampacity_session";
constexpr std::size_t id_length = 43;  // of base62: 256 bits

bool by_https(const net::Request& r) { return r.header("Origin").starts_with("https://"); }

std::string_view cookie(std::string_view all, std::string_view name) {
  while (!all.empty()) {
    const std::size_t end = std::min(all.find(';'), all.size());
    std::string_view one = all.substr(0, end);
    all.remove_prefix(std::min(end + 1, all.size()));
    one.remove_prefix(std::min(one.find_first_not_of(' '), one.size()));
    if (one.starts_with(name) && one.substr(name.size()).starts_with('='))
      return one.substr(name.size() + 1);
  }
  return {};
}

}  // namespace

base::Result<std::string> Sessions::open(const Caller& caller, base::Instant now) {
  std::string id = base::random_base62(id_length);
  const base::Guard lock(mutex_);
  make_room(caller.key, now);
  if (by_hash_.size() >= most_sessions)
    return base::refuse(base::Code::too_many, "too many people are signed in; try again later");
  by_hash_[base::sha256(id)] = {caller, now + session_length};
  return id;
}

void Sessions::make_room(base::Id key, base::Instant now) {
  std::erase_if(by_hash_, [&](const auto& s) { return s.second.until <= now; });
  std::size_t of_key = 0;
  auto oldest = by_hash_.end();
  for (auto s = by_hash_.begin(); s != by_hash_.end(); ++s) {
    if (s->second.caller.key != key) continue;
    ++of_key;
    if (oldest == by_hash_.end() || s->second.until < oldest->second.until) oldest = s;
  }
  if (of_key >= most_sessions_of_key) by_hash_.erase(oldest);
}

std::optional<Caller> Sessions::find(std::string_view id, base::Instant now) const {
  if (id.size() != id_length) return std::nullopt;
  std::optional<Caller> found;
  {
    const base::Guard lock(mutex_);
    const auto at = by_hash_.find(base::sha256(id));
    if (at != by_hash_.end() && at->second.until > now) found = at->second.caller;
  }
  if (found && !keys_.holds(found->key)) return std::nullopt;
  return found;
}

void Sessions::close(std::string_view id) {
  const base::Guard lock(mutex_);
  by_hash_.erase(base::sha256(id));
}

std::string_view session_of(const net::Request& request) {
  const std::string_view all = request.header("Cookie");
  const std::string_view id = cookie(all, tls_name);
  return id.empty() ? cookie(all, plain_name) : id;
}

std::string session_cookie(const net::Request& request, std::string_view id) {
  const bool https = by_https(request);
  std::string out(https ? tls_name : plain_name);
  out.append("=").append(id).append("; Path=/; HttpOnly; SameSite=Strict");
  if (https) out += "; Secure";
  return out + "; Max-Age=" + std::to_string(id.empty() ? 0 : session_length.us / 1'000'000);
}

base::Result<void> check_own_page(const net::Request& request) {
  const auto no = [](const char* why) { return base::refuse(base::Code::forbidden, why); };
  std::string_view origin = request.header("Origin");
  const std::size_t scheme = origin.find("://");
  origin = scheme == std::string_view::npos ? std::string_view{} : origin.substr(scheme + 3);
  if (origin.empty() || origin != request.header("Host"))
    return no("a session's cookie counts only from this server's own pages: the Origin is another");
  if (request.header("Upgrade").empty() && request.header(console_header) != "1")
    return no("a session's cookie changes nothing without the header Ampacity-Console: 1");
  return {};
}

}  // namespace ampacity::server
