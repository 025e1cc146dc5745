#include "server/sign_in.h"

#include <fmt/core.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>

#include "api/bind_job.h"
#include "api/problem.h"
#include "base/crypto.h"

namespace ampacity::server {
namespace {

std::string host_of(const std::string& url) {
  const std::size_t scheme = url.find("://");
  const std::string rest = scheme == std::string::npos ? url : url.substr(scheme + 3);
  return rest.substr(0, rest.find('/'));
}

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) switch (c) {
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '&':
        out += "&amp;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out += c;
    }
  return out;
}

constexpr std::string_view style =
    ":root{color-scheme:light dark}body{font:1rem/1.5 system-ui,sans-serif;max-width:36rem;"
    "margin:15vh auto 0;padding:0 1.5rem}h1{font-size:1.4rem}p{overflow-wrap:anywhere}";

bool is_loopback(const std::string& address) {
  return address.starts_with("127.") || address == "::1";
}

}  // namespace

SignInDesk::SignInDesk(oidc::ProviderOptions provider, const OidcConfig& config,
                       std::string flow_key, base::Clock& clock)
    : provider_(std::move(provider), clock),
      label_(config.name.empty() ? host_of(config.issuer) : config.name),
      flow_key_(std::move(flow_key)) {
  for (const std::string& text : config.groups)
    if (auto rule = parse_rule(text)) rules_.push_back(std::move(*rule));
  if (!config.default_project.empty())
    default_ = core::Grant{core::Role::customer, config.default_project, "default"};
}

base::Try<std::unique_ptr<SignInDesk>> SignInDesk::open(const Config& config,
                                                        const Secrets& secrets,
                                                        base::Clock& clock) {
  if (config.oidc.issuer.empty()) return nullptr;
  auto secret = client_secret(config.oidc);
  if (!secret) return std::unexpected(secret.error());
  return std::make_unique<SignInDesk>(provider_options(config.oidc, std::move(*secret)),
                                      config.oidc, secrets.sign_in_key(), clock);
}

std::optional<core::Grant> SignInDesk::grant_of(const oidc::Identity& who) const {
  for (const Rule& rule : rules_)
    if (std::ranges::find(who.groups, rule.group) != who.groups.end()) return rule.grant;
  return default_;
}

std::optional<std::string> SignInDesk::plain_name(std::string_view name) const {
  return oidc::plain_name(provider_.options().claim, name);
}

base::Result<SignInDesk::Rule> parse_rule(const std::string& text) {
  const std::size_t sign = text.rfind('=');
  const std::string gives = sign == std::string::npos ? "" : text.substr(sign + 1);
  if (sign == 0 || gives.empty())
    return base::refuse(base::Code::invalid,
                        "--oidc-group: must be GROUP=owner or GROUP=PROJECT, got " + text);
  SignInDesk::Rule rule{text.substr(0, sign), {}};
  rule.grant.rule = "group " + rule.group;
  if (gives == "owner")
    rule.grant.role = core::Role::owner;
  else if (api::is_name(gives))
    rule.grant.project = gives;
  else
    return base::refuse(base::Code::invalid, "--oidc-group: " + gives + " is no project's name");
  return rule;
}

base::Try<std::string> client_secret(const OidcConfig& config) {
  if (config.client_secret_file.empty()) {
    const char* secret = std::getenv("AMPACITY_OIDC_CLIENT_SECRET");
    return secret ? std::string(secret) : std::string();
  }
  std::ifstream in(config.client_secret_file);
  std::string line;
  if (!std::getline(in, line) || line.empty())
    return base::fault("--oidc-client-secret-file: " + config.client_secret_file.string() +
                       " cannot be read, or its first line is empty");
  if (line.ends_with('\r')) line.pop_back();
  return line;
}

oidc::ProviderOptions provider_options(const OidcConfig& config, std::string secret) {
  oidc::ProviderOptions o;
  o.issuer = config.issuer;
  o.client_id = config.client_id;
  o.client_secret = std::move(secret);
  o.scopes = config.scopes;
  o.claim = config.claim;
  if (!config.groups.empty()) o.groups_claim = config.groups_claim;
  o.trust.ca_file = config.ca_file;
  return o;
}

std::vector<std::string> wrong_with_sign_in(const Config& c) {
  std::vector<std::string> wrong;
  const OidcConfig& o = c.oidc;
  if (!c.public_url.empty()) {
    const bool path =
        host_of(c.public_url).size() + c.public_url.find("://") + 3 < c.public_url.size();
    if (!oidc::is_provider_url(c.public_url) || path)
      wrong.push_back(
          "--public-url: must be https://HOST[:PORT] without a path (http only on "
          "loopback), got " +
          c.public_url);
  }
  if (o.issuer.empty()) {
    if (!o.client_id.empty() || !o.groups.empty() || !o.default_project.empty())
      wrong.emplace_back("--oidc-…: is of no use without --oidc-issuer");
    return wrong;
  }
  if (!oidc::is_provider_url(o.issuer))
    wrong.push_back(
        "--oidc-issuer: must be an https:// address without query (http only on "
        "loopback), got " +
        o.issuer);
  if (o.client_id.empty())
    wrong.emplace_back("--oidc-client-id: is required with --oidc-issuer; the provider gives it");
  if (c.public_url.empty() && !is_loopback(c.address))
    wrong.emplace_back(
        "--oidc-issuer: needs --public-url, the address that the provider leads "
        "browsers back to");
  if (const std::string padded = " " + o.scopes + " "; padded.find(" openid ") == std::string::npos)
    wrong.emplace_back("--oidc-scopes: must contain openid");
  if (!o.default_project.empty() && !api::is_name(o.default_project))
    wrong.push_back("--oidc-default-project: " + o.default_project + " is no project's name");
  for (const std::string& text : o.groups)
    if (const auto rule = parse_rule(text); !rule) wrong.push_back(rule.error().message);
  return wrong;
}

net::Response refused_page(const base::Refusal& refusal) {
  std::string why = refusal.message;
  if (!why.empty() && why[0] >= 'a' && why[0] <= 'z')
    why[0] = static_cast<char>(why[0] - 'a' + 'A');
  net::Response r{api::status_of(refusal.code), "text/html; charset=utf-8", "", {}};
  r.body = fmt::format(
      "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\">"
      "<meta name=\"viewport\" content=\"width=device-width\"><title>Not signed in</title>"
      "<style>{}</style><main><h1>You are not signed in</h1><p role=\"alert\">{}.</p>"
      "<p><a href=\"/console/\">Back to signing in</a></p></main></html>\n",
      style, escaped(why));
  const base::Digest hash = base::sha256(style);
  r.headers = {{"Content-Security-Policy",
                "default-src 'none'; style-src 'sha256-" +
                    base::to_base64({reinterpret_cast<const char*>(hash.data()), hash.size()}) +
                    "'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"},
               {"X-Content-Type-Options", "nosniff"},
               {"Referrer-Policy", "no-referrer"},
               {"Cache-Control", "no-store"}};
  return r;
}

}  // namespace ampacity::server
