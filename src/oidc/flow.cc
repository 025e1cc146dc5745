#include "oidc/flow.h"

#include "base/crypto.h"
#include "base/json.h"

namespace ampacity::oidc {

Flow begin_flow(std::string redirect_uri, std::string to, base::Instant now) {
  constexpr std::size_t digits = 43;  // of base62: 256 bits
  Flow f;
  f.state = base::random_base62(digits);
  f.nonce = base::random_base62(digits);
  f.verifier = base::random_base62(digits);
  f.redirect_uri = std::move(redirect_uri);
  f.to = std::move(to);
  f.until = now + flow_length;
  return f;
}

std::string challenge_of(const Flow& flow) {
  const base::Digest d = base::sha256(flow.verifier);
  return base::to_base64url({reinterpret_cast<const char*>(d.data()), d.size()});
}

std::string seal_flow(const std::string& key, const Flow& flow) {
  return base::to_base64url(base::seal(key, base::to_json(flow)));
}

std::optional<Flow> open_flow(const std::string& key, std::string_view box, base::Instant now) {
  const auto bytes = base::from_base64url(box);
  const auto plain = bytes ? base::unseal(key, *bytes) : std::nullopt;
  if (!plain) return std::nullopt;
  auto flow = base::from_json<Flow>(*plain);
  if (!flow || flow->until <= now) return std::nullopt;
  return std::move(*flow);
}

}  // namespace ampacity::oidc
