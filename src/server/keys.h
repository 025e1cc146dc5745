// API keys: `amp_` + 8 look-up + 24 secret base62 digits + `_` + 6 of CRC-32. Only an HMAC-SHA-256
// under the server's pepper is stored; the key itself is shown once. Beside them the sessions of
// browsers: a random id in a cookie, of which the SHA-256 is stored, stands for a key.
// Threads: KeyRing may be used from any thread.
// 1. It is what the durable facts say: the same on every server of a cloud, and after a restart.
// 2. A session is never more than its key: one whose key was revoked is not found.
#pragma once

#include <map>
#include <optional>
#include <shared_mutex>
#include <string>
#include <string_view>

#include "base/crypto.h"
#include "base/result.h"
#include "core/facts.h"
#include "core/state.h"

namespace ampacity::server {

struct NewKey {
  std::string secret;  // the whole key
  std::string lookup;
  std::string hash;
};
NewKey make_key(std::string_view pepper);

// Who calls, once the key was verified.
struct Caller {
  base::Id key;
  std::string actor;  // "key-06bx…"
  core::Role role = core::Role::customer;
  core::ProjectIx project = core::nobody;
  core::UserIx user = core::nobody;
  std::string sign_in;  // as whom the provider of identities knows the caller
  std::string session;  // its hash; empty: by the key itself
  bool is_owner() const { return role == core::Role::owner; }
};

class KeyRing {
 public:
  explicit KeyRing(std::string pepper) : pepper_(std::move(pepper)) {}
  void put(const core::Key& key);
  void revoke(base::Id key);
  // Of a world as it is at the start; of facts, after they are durable.
  void learn(const core::State& state);
  void learn(const std::vector<core::Fact>& facts);
  // `authorization`: the header's value. A wrong checksum is refused before any look-up.
  base::Result<Caller> verify(std::string_view authorization) const;
  // Whose session it is, by the id in the cookie.
  std::optional<Caller> session(std::string_view id, base::Instant now) const;
  const std::string& pepper() const { return pepper_; }

 private:
  struct Entry {
    std::optional<base::Digest> hash;  // none: it has no secret
    Caller caller;
    bool revoked = false;
  };
  struct Open {
    base::Id key;
    base::Instant until;
  };
  const std::string pepper_;
  mutable std::shared_mutex mutex_;
  std::map<base::Id, Entry> by_id_;  // all three: by mutex_
  std::map<std::string, base::Id, std::less<>> by_lookup_;
  std::map<std::string, Open, std::less<>> sessions_;  // by the id's hash
};

// A session's: 256 random bits, and what is stored of them.
std::string make_session_id();
std::string hash_of_session(std::string_view id);

}  // namespace ampacity::server
