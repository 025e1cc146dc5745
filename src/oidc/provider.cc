#include "oidc/provider.h"

#include <fmt/core.h>

#include <algorithm>
#include <boost/json/array.hpp>

#include "base/crypto.h"
#include "base/json.h"

namespace ampacity::oidc {
namespace {

// "https://host:port" and "/path".
struct Url {
  std::string base, path;
};
std::optional<Url> split(std::string_view url) {
  const std::size_t scheme = url.find("://");
  if (scheme == std::string_view::npos) return std::nullopt;
  const std::size_t slash = std::min(url.find('/', scheme + 3), url.size());
  const std::string_view host = url.substr(scheme + 3, slash - scheme - 3);
  for (const char c : url)
    if (c <= ' ' || c == 127 || c == '#' || c == '\\') return std::nullopt;
  if (host.empty() || host.find_first_of("@?") != std::string_view::npos) return std::nullopt;
  const auto is_host = [&](std::string_view name) {
    return host == name || (host.starts_with(name) && host[name.size()] == ':');
  };
  const bool here = is_host("127.0.0.1") || is_host("localhost") || is_host("[::1]");
  if (!url.starts_with("https://") && !(here && url.starts_with("http://"))) return std::nullopt;
  Url out{std::string(url.substr(0, slash)), std::string(url.substr(slash))};
  if (out.path.empty()) out.path = "/";
  return out;
}

// A word of the provider's, fit to be shown.
std::string shown(std::string_view word) {
  std::string out;
  for (const char c : word.substr(0, 60))
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_')
      out += c;
  return out.empty() ? "an error" : out;
}

base::Try<boost::json::object> object_of(const net::Response& r, const char* what) {
  if (r.status / 100 == 3)
    return base::fault(fmt::format("{} answers with a redirect, which is not followed", what),
                       false);
  auto body = base::parse_json(r.body);
  const bool is_object = body && body->is_object();
  if (r.status != 200) {
    const std::string why = is_object ? shown(text_of(body->get_object(), "error")) : "";
    return base::fault(
        fmt::format("{} answers {}{}", what, r.status, why.empty() ? "" : ": " + why),
        r.status >= 500, r.status);
  }
  if (!is_object) return base::fault(fmt::format("{} answers with what is not JSON", what), false);
  return std::move(body->get_object());
}

// Nothing of it is the caller's fault.
std::unexpected<base::Refusal> away(const std::string& why) {
  return base::refuse(base::Code::unavailable,
                      "the sign-in provider cannot be used now (" + why + "); try again later");
}

bool is_true(const boost::json::object& claims, std::string_view name) {
  const auto* v = claims.if_contains(name);
  return v && ((v->is_bool() && v->get_bool()) || (v->is_string() && v->get_string() == "true"));
}

bool lists(const boost::json::object& object, std::string_view name, std::string_view word) {
  const auto* list = object.if_contains(name);
  if (!list || !list->is_array()) return false;
  return std::ranges::any_of(list->get_array(), [&](const auto& v) {
    return v.is_string() && std::string_view(v.get_string()) == word;
  });
}

}  // namespace

bool is_provider_url(std::string_view url) {
  return split(url) && url.find('?') == std::string_view::npos;
}

std::optional<std::string> plain_name(std::string_view claim, std::string_view name) {
  if (name.empty() || name.size() > longest_name) return std::nullopt;
  for (const char c : name)
    if (static_cast<unsigned char>(c) <= ' ' || c == 127) return std::nullopt;
  std::string plain(name);
  if (claim != "email") return plain;
  const std::size_t at = plain.find('@');
  if (at == 0 || at == std::string::npos || at + 1 == plain.size()) return std::nullopt;
  for (char& c : plain)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return plain;
}

base::Try<net::Response> Provider::call(const std::string& url, net::Request request) const {
  const auto to = split(url);
  if (!to) return base::fault("it names an address that is not https", false);
  request.target = to->path;
  request.headers.push_back({"Accept", "application/json"});
  net::CallOptions limits;
  limits.timeout = call_limit;
  limits.connect_timeout = base::Duration::seconds(3);
  limits.max_body_bytes = longest_answer;
  const auto line = options_.connect({to->base, "", options_.trust});
  auto answer = line->call(request, limits);
  if (!answer && answer.error().retryable && request.method == "GET")
    answer = line->call(request, limits);
  return answer;
}

base::Try<Provider::Offer> Provider::discover() const {
  std::string url = options_.issuer;
  if (url.ends_with('/')) url.pop_back();
  auto answer = call(url + "/.well-known/openid-configuration", {"GET", "", {}, ""});
  if (!answer) return std::unexpected(answer.error());
  auto document = object_of(*answer, "its discovery document");
  if (!document) return std::unexpected(document.error());
  if (text_of(*document, "issuer") != options_.issuer)
    return base::fault("it says that it is another issuer than the one configured", false);
  Offer o;
  o.authorization = text_of(*document, "authorization_endpoint");
  o.token = text_of(*document, "token_endpoint");
  o.keys = text_of(*document, "jwks_uri");
  o.userinfo = text_of(*document, "userinfo_endpoint");
  constexpr std::string_view ways = "token_endpoint_auth_methods_supported";
  o.secret_in_body = document->contains(ways) && !lists(*document, ways, "client_secret_basic") &&
                     lists(*document, ways, "client_secret_post");
  o.names_itself = is_true(*document, "authorization_response_iss_parameter_supported");
  for (const std::string* url_of : {&o.authorization, &o.token, &o.keys})
    if (!split(*url_of)) return base::fault("its discovery document lacks an https address", false);
  constexpr std::string_view methods = "code_challenge_methods_supported";
  if (document->contains(methods) && !lists(*document, methods, "S256"))
    return base::fault("it does not take PKCE by S256", false);
  return o;
}

base::Result<Provider::Offer> Provider::offer() {
  const base::Guard lock(mutex_);
  const base::Instant now = clock_.now();
  if (offer_ && now < offer_at_ + kept_for) return *offer_;
  if (now < failed_at_ + failed_for) return away(failure_);
  auto found = discover();
  if (!found) {
    failed_at_ = now;
    failure_ = found.error().message;
    return away(failure_);
  }
  offer_at_ = now;
  offer_ = std::move(*found);
  return *offer_;
}

base::Try<std::vector<Key>> Provider::fetch_keys(const std::string& url) const {
  auto answer = call(url, {"GET", "", {}, ""});
  if (!answer) return std::unexpected(answer.error());
  if (answer->status != 200)
    return base::fault(fmt::format("its keys' address answers {}", answer->status));
  return read_keys(answer->body);
}

base::Result<std::vector<Key>> Provider::keys(bool fresh) {
  const auto o = offer();
  if (!o) return std::unexpected(o.error());
  const base::Guard lock(mutex_);
  const base::Instant now = clock_.now();
  const base::Duration age = keys_at_ ? now - *keys_at_ : kept_for;
  if (age < (fresh ? keys_every : kept_for)) return keys_;
  auto fetched = fetch_keys(o->keys);
  if (!fetched) return away(fetched.error().message);
  keys_ = std::move(*fetched);
  keys_at_ = now;
  return keys_;
}

base::Result<void> Provider::look() {
  const auto all = keys(false);
  if (!all) return std::unexpected(all.error());
  if (all->empty())
    return base::refuse(base::Code::unavailable,
                        "the sign-in provider has no key for RS256 or ES256");
  return {};
}

base::Result<std::string> Provider::address_for(const Flow& flow) {
  const auto o = offer();
  if (!o) return std::unexpected(o.error());
  std::string url = o->authorization;
  char sign = url.find('?') == std::string::npos ? '?' : '&';
  const std::string challenge = challenge_of(flow);
  using Pair = std::pair<const char*, std::string_view>;
  for (const auto& [name, value] :
       {Pair{"response_type", "code"}, Pair{"client_id", options_.client_id},
        Pair{"redirect_uri", flow.redirect_uri}, Pair{"scope", options_.scopes},
        Pair{"state", flow.state}, Pair{"nonce", flow.nonce}, Pair{"code_challenge", challenge},
        Pair{"code_challenge_method", "S256"}}) {
    url += std::exchange(sign, '&');
    url.append(name).append("=").append(net::percent_encode(value));
  }
  return url;
}

Provider::Answer Provider::send_code(const Offer& o, std::string_view code,
                                     const Flow& flow) const {
  net::Request q{"POST", "", {{"Content-Type", "application/x-www-form-urlencoded"}}, ""};
  q.body = "grant_type=authorization_code&code=" + net::percent_encode(code) +
           "&redirect_uri=" + net::percent_encode(flow.redirect_uri) +
           "&code_verifier=" + net::percent_encode(flow.verifier);
  const std::string id = net::percent_encode(options_.client_id);
  const std::string secret = net::percent_encode(options_.client_secret);
  if (!secret.empty() && !o.secret_in_body)
    q.headers.push_back({"Authorization", "Basic " + base::to_base64(id + ":" + secret)});
  else
    q.body += "&client_id=" + id + (secret.empty() ? "" : "&client_secret=" + secret);
  auto answer = call(o.token, std::move(q));
  if (!answer) return std::unexpected(answer.error());
  return object_of(*answer, "its token address");
}

Provider::Answer Provider::ask_userinfo(const Offer& o, std::string_view token) const {
  auto answer =
      call(o.userinfo, {"GET", "", {{"Authorization", "Bearer " + std::string(token)}}, ""});
  if (!answer) return std::unexpected(answer.error());
  return object_of(*answer, "its userinfo address");
}

base::Result<boost::json::object> Provider::claims_of(std::string_view token, const Flow& flow) {
  const Expected expected{options_.issuer, options_.client_id, flow.nonce, clock_.now()};
  std::expected<boost::json::object, Untrusted> claims;
  for (const bool fresh : {false, true}) {
    const auto known = keys(fresh);
    if (!known) return std::unexpected(known.error());
    claims = check_token(token, *known, expected);
    if (claims || !claims.error().unknown_key) break;
  }
  if (claims) return std::move(*claims);
  return base::refuse(base::Code::forbidden,
                      "the provider's ID token " + claims.error().why + ": it is not believed");
}

base::Result<Identity> Provider::identity_of(const boost::json::object& claims) const {
  const auto no = [](std::string why) {
    return base::refuse(base::Code::forbidden, std::move(why));
  };
  const std::string_view said = text_of(claims, options_.claim);
  if (said.empty())
    return no("the provider does not say your " + options_.claim +
              ": the operator of this cloud can ask it for more (oidc-scopes), or use another "
              "claim (oidc-claim)");
  auto name = plain_name(options_.claim, said);
  if (!name) return no("what the provider says is your " + options_.claim + " cannot be one");
  if (options_.claim == "email" && !is_true(claims, "email_verified"))
    return no("the provider has not verified that " + *name +
              " is yours: verify the address there, then sign in again");
  Identity who{std::move(*name), {}};
  const auto* groups =
      options_.groups_claim.empty() ? nullptr : claims.if_contains(options_.groups_claim);
  if (groups && groups->is_string()) who.groups.emplace_back(groups->get_string());
  if (!groups || !groups->is_array()) return who;
  for (const auto& g : groups->get_array())
    if (g.is_string() && who.groups.size() < most_groups) who.groups.emplace_back(g.get_string());
  return who;
}

base::Result<Identity> Provider::redeem(std::string_view code, std::string_view issuer,
                                        const Flow& flow) {
  const auto no = [](std::string why) {
    return base::refuse(base::Code::forbidden, std::move(why));
  };
  const auto o = offer();
  if (!o) return std::unexpected(o.error());
  if ((o->names_itself || !issuer.empty()) && issuer != options_.issuer)
    return no("the answer is not from the provider that was asked");
  auto tokens = send_code(*o, code, flow);
  if (!tokens && tokens.error().message.ends_with("invalid_grant"))
    return no(
        "the provider does not take this code (invalid_grant): it was used before, or is too old; "
        "begin again");
  if (!tokens && tokens.error().status / 100 == 4)
    return no("the provider does not take this cloud's request (" + tokens.error().message +
              "): tell the operator");
  if (!tokens) return away(tokens.error().message);
  auto claims = claims_of(text_of(*tokens, "id_token"), flow);
  if (!claims) return std::unexpected(claims.error());
  const std::string_view access = text_of(*tokens, "access_token");
  const bool lacks = !claims->contains(options_.claim) ||
                     (options_.claim == "email" && !claims->contains("email_verified")) ||
                     (!options_.groups_claim.empty() && !claims->contains(options_.groups_claim));
  if (lacks && !o->userinfo.empty() && !access.empty()) {
    auto more = ask_userinfo(*o, access);
    if (!more) return away(more.error().message);
    if (text_of(*more, "sub") != text_of(*claims, "sub"))
      return no("the provider's two answers are about two people: neither is believed");
    for (const auto& [name, value] : *more)
      if (!claims->contains(name)) claims->emplace(name, value);
  }
  return identity_of(*claims);
}

}  // namespace ampacity::oidc
