// The OpenID Connect provider as its client sees it: what it offers (discovery), its keys, a code
// for an identity (code flow with PKCE).
// Threads: any; whoever asks may wait for the provider, a bounded time.
//
//   address_for(flow) ──browser──> provider ──browser, code──> redeem(code, flow) ──> Identity
//
// 1. Every call ends within `call_limit`, reads at most `longest_answer`, follows no redirect;
// reads are tried twice, a code is sent once. 2. What it offers and its keys are kept for
// `kept_for`; for a key that is not known they are fetched again, at most every `keys_every`; what
// failed is not tried again for `failed_for`. 3. Secrets, codes and tokens are in no message.
#pragma once

#include <boost/json/object.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/threads.h"
#include "net/http_client.h"
#include "oidc/flow.h"
#include "oidc/token.h"

namespace ampacity::oidc {

inline constexpr base::Duration call_limit = base::Duration::seconds(10);
inline constexpr std::size_t longest_answer = 256 << 10;
inline constexpr base::Duration kept_for = base::Duration::seconds(3'600);
inline constexpr base::Duration keys_every = base::Duration::seconds(60);
inline constexpr base::Duration failed_for = base::Duration::seconds(5);
inline constexpr std::size_t longest_name = 254, most_groups = 1'000;

struct ProviderOptions {
  std::string issuer;
  std::string client_id;
  std::string client_secret;  // empty: a public client, by PKCE alone
  std::string scopes = "openid email";
  std::string claim = "email";  // names the person; an e-mail address must be verified
  std::string groups_claim;     // empty: groups do not matter
  net::Trust trust;
  net::Connector connect = net::dial;
};

// Who came back.
struct Identity {
  std::string name;
  std::vector<std::string> groups;
};

// https, or http on this machine, without user, query and fragment.
bool is_provider_url(std::string_view url);
// As names by this claim are compared: e-mail addresses without regard to case. Nothing: it is
// none.
std::optional<std::string> plain_name(std::string_view claim, std::string_view name);

class Provider {
 public:
  Provider(ProviderOptions options, base::Clock& clock)
      : options_(std::move(options)), clock_(clock) {}
  const ProviderOptions& options() const { return options_; }

  // Where the browser is led to.
  base::Result<std::string> address_for(const Flow& flow);
  // `issuer`: the answer's own word for who it is from (RFC 9207); may be empty.
  base::Result<Identity> redeem(std::string_view code, std::string_view issuer, const Flow& flow);
  // For --check: whether it answers and offers what is needed.
  base::Result<void> look();

 private:
  struct Offer {
    std::string authorization, token, keys, userinfo;
    bool secret_in_body = false;
    bool names_itself = false;  // in each answer, by "iss"
  };
  using Answer = base::Try<boost::json::object>;

  base::Result<Offer> offer();
  base::Result<std::vector<Key>> keys(bool fresh);
  base::Try<net::Response> call(const std::string& url, net::Request request) const;
  base::Try<Offer> discover() const;
  base::Try<std::vector<Key>> fetch_keys(const std::string& url) const;
  Answer send_code(const Offer& offer, std::string_view code, const Flow& flow) const;
  Answer ask_userinfo(const Offer& offer, std::string_view token) const;
  base::Result<boost::json::object> claims_of(std::string_view token, const Flow& flow);
  base::Result<Identity> identity_of(const boost::json::object& claims) const;

  const ProviderOptions options_;
  base::Clock& clock_;
  base::Mutex mutex_;
  std::optional<Offer> offer_;  // all by mutex_
  base::Instant offer_at_;
  std::vector<Key> keys_;
  std::optional<base::Instant> keys_at_;
  base::Instant failed_at_;
  std::string failure_;
};

}  // namespace ampacity::oidc
