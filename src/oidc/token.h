// An ID token is checked: its signature by cjose, its claims as OpenID Connect Core §3.1.3.7 asks.
// Threads: any.
// 1. Only RS256 (2048 bits or more) and ES256 count, each only with a key of its kind: what the
// token says of itself chooses nothing else. 2. Nothing of a token is believed, or told to people,
// before its signature was checked. 3. No part of a token is ever in a message.
#pragma once

#include <boost/json/object.hpp>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"

namespace ampacity::oidc {

inline constexpr std::size_t longest_token = 64 << 10;
inline constexpr std::size_t most_keys = 64;
inline constexpr base::Duration clock_skew = base::Duration::seconds(60);
inline constexpr base::Duration oldest_token = base::Duration::seconds(600);

// One of a provider's public keys that can sign what we accept.
struct Key {
  std::string id;   // "kid"; may be empty
  std::string alg;  // RS256 or ES256
  std::string jwk;  // as JSON, for cjose
};
// Of a JWKS document; keys of other kinds and uses are left out.
base::Try<std::vector<Key>> read_keys(std::string_view jwks);

struct Expected {
  std::string issuer;
  std::string client_id;
  std::string nonce;
  base::Instant now;
};

struct Untrusted {
  std::string why;
  bool unknown_key = false;  // the provider's keys may have changed since they were fetched
};

// The claims of a token that is right in every respect.
std::expected<boost::json::object, Untrusted> check_token(std::string_view token,
                                                          const std::vector<Key>& keys,
                                                          const Expected& expected);

// A text member; empty: it is absent, or something else.
std::string_view text_of(const boost::json::object& object, std::string_view name);

}  // namespace ampacity::oidc
