#include "server/keys.h"

#include <charconv>
#include <mutex>

namespace ampacity::server {
namespace {

constexpr std::size_t lookup_length = 8, secret_length = 24, sum_length = 6;
constexpr std::size_t body_length = 4 + lookup_length + secret_length;  // with "amp_"

std::unexpected<base::Refusal> no(const char* why) {
  return base::refuse(base::Code::unauthenticated, why);
}

std::optional<base::Digest> digest_of_hex(const std::string& hex) {
  base::Digest d{};
  if (hex.size() != 2 * d.size()) return std::nullopt;
  for (std::size_t i = 0; i < d.size(); ++i) {
    const char* at = hex.data() + 2 * i;
    const auto [end, error] = std::from_chars(at, at + 2, d[i], 16);
    if (error != std::errc{} || end != at + 2) return std::nullopt;
  }
  return d;
}

}  // namespace

NewKey make_key(std::string_view pepper) {
  NewKey k;
  k.lookup = base::random_base62(lookup_length);
  const std::string body = "amp_" + k.lookup + base::random_base62(secret_length);
  k.secret = body + "_" + base::checksum_base62(body);
  k.hash = base::to_hex(base::hmac_sha256(pepper, k.secret));
  return k;
}

void KeyRing::put(const core::Key& key) {
  const auto hash = digest_of_hex(key.hash);
  if (!hash) return;
  Entry e{*hash,
          {key.id, base::format_id("key", key.id), key.role, key.project, key.user},
          key.revoked};
  const std::unique_lock lock(mutex_);
  by_lookup_[key.lookup] = std::move(e);
  lookup_of_[key.id] = key.lookup;
}

void KeyRing::revoke(base::Id key) {
  const std::unique_lock lock(mutex_);
  const auto at = lookup_of_.find(key);
  if (at != lookup_of_.end()) by_lookup_.at(at->second).revoked = true;
}

bool KeyRing::holds(base::Id key) const {
  const std::shared_lock lock(mutex_);
  const auto at = lookup_of_.find(key);
  return at != lookup_of_.end() && !by_lookup_.at(at->second).revoked;
}

base::Result<Caller> KeyRing::verify(std::string_view authorization) const {
  if (authorization.empty())
    return no("no API key: send `Authorization: Bearer amp_…` (see `ampacity login`)");
  if (!authorization.starts_with("Bearer "))
    return no("the Authorization header must be `Bearer amp_…`");
  const std::string_view key = authorization.substr(7);
  if (key.size() != body_length + 1 + sum_length || !key.starts_with("amp_") ||
      key[body_length] != '_' ||
      base::checksum_base62(key.substr(0, body_length)) != key.substr(body_length + 1))
    return no(
        "that is not an API key: its form or its checksum is wrong (was it cut or mistyped?)");
  const std::shared_lock lock(mutex_);
  const auto at = by_lookup_.find(key.substr(4, lookup_length));
  const base::Digest hash = base::hmac_sha256(pepper_, key);
  // The same work whether or not the look-up part exists.
  const bool right = at != by_lookup_.end() && base::equal_constant_time(hash, at->second.hash);
  if (!right || at->second.revoked) return no("this API key is not known here, or was revoked");
  return at->second.caller;
}

}  // namespace ampacity::server
