// One sign-in on its way to the provider and back: what our browser must still have when it
// returns, sealed into a cookie of its own, so that no server remembers those who only began.
// Threads: any.
#pragma once

#include <boost/describe.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"

namespace ampacity::oidc {

inline constexpr base::Duration flow_length = base::Duration::seconds(600);

struct Flow {
  std::string state;     // comes back in the address: it is the answer to this
  std::string nonce;     // comes back in the ID token: it was made for this
  std::string verifier;  // PKCE: whoever has the code without it has nothing
  std::string redirect_uri;
  std::string to;  // the page to come back to
  base::Instant until;
};
BOOST_DESCRIBE_STRUCT(Flow, (), (state, nonce, verifier, redirect_uri, to, until))

Flow begin_flow(std::string redirect_uri, std::string to, base::Instant now);
std::string challenge_of(const Flow& flow);  // PKCE's S256

// `key`: 32 bytes that only the cloud's servers have.
std::string seal_flow(const std::string& key, const Flow& flow);
std::optional<Flow> open_flow(const std::string& key, std::string_view box, base::Instant now);

}  // namespace ampacity::oidc
