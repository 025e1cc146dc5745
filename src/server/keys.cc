#include "server/keys.h"

#include <charconv>
#include <mutex>

namespace ampacity::server {
namespace {

constexpr std::size_t lookup_length = 8, secret_length = 24, sum_length = 6;
constexpr std::size_t session_id_length = 43;                           // of base62: 256 bits
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
  Entry e{
      digest_of_hex(key.hash),
      {key.id, base::format_id("key", key.id), key.role, key.project, key.user, key.sign_in, {}},
      key.revoked};
  if (!e.hash && !key.hash.empty()) return;  // stored wrongly: it opens nothing
  const std::unique_lock lock(mutex_);
  if (e.hash) by_lookup_[key.lookup] = key.id;
  by_id_[key.id] = std::move(e);
}

void KeyRing::revoke(base::Id key) {
  const std::unique_lock lock(mutex_);
  if (const auto at = by_id_.find(key); at != by_id_.end()) at->second.revoked = true;
  std::erase_if(sessions_, [&](const auto& s) { return s.second.key == key; });
}

void KeyRing::learn(const core::State& state) {
  for (const core::Key& k : state.keys) put(k);
  const std::unique_lock lock(mutex_);
  for (const core::Session& s : state.sessions) sessions_[s.hash] = {s.key, s.until};
}

void KeyRing::learn(const std::vector<core::Fact>& facts) {
  for (const core::Fact& f : facts) {
    if (const auto* made = std::get_if<core::KeyCreated>(&f.body)) {
      put(made->key);
    } else if (const auto* gone = std::get_if<core::KeyRevoked>(&f.body)) {
      revoke(gone->key);
    } else if (const auto* opened = std::get_if<core::SessionOpened>(&f.body)) {
      const std::unique_lock lock(mutex_);
      std::erase_if(sessions_, [&](const auto& s) { return s.second.until <= f.at; });
      sessions_[opened->session.hash] = {opened->session.key, opened->session.until};
    } else if (const auto* closed = std::get_if<core::SessionClosed>(&f.body)) {
      const std::unique_lock lock(mutex_);
      sessions_.erase(closed->hash);
    }
  }
}

std::optional<Caller> KeyRing::session(std::string_view id, base::Instant now) const {
  if (id.size() != session_id_length) return std::nullopt;
  const std::string hash = hash_of_session(id);
  const std::shared_lock lock(mutex_);
  const auto at = sessions_.find(hash);
  if (at == sessions_.end() || at->second.until <= now) return std::nullopt;
  const auto key = by_id_.find(at->second.key);
  if (key == by_id_.end() || key->second.revoked) return std::nullopt;
  Caller caller = key->second.caller;
  caller.session = hash;
  return caller;
}

std::string make_session_id() { return base::random_base62(session_id_length); }
std::string hash_of_session(std::string_view id) { return base::to_hex(base::sha256(id)); }

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
  const Entry* entry = at == by_lookup_.end() ? nullptr : &by_id_.at(at->second);
  const bool right = entry && entry->hash && base::equal_constant_time(hash, *entry->hash);
  if (!right || entry->revoked) return no("this API key is not known here, or was revoked");
  return entry->caller;
}

}  // namespace ampacity::server
