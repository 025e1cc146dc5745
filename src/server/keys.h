// API keys: `amp_` + 8 look-up + 24 secret base62 digits + `_` + 6 of CRC-32. Only an HMAC-SHA-256
// under the server's pepper is stored; the key itself is shown once.
// Threads: KeyRing may be used from any thread.
#pragma once

#include <map>
#include <optional>
#include <shared_mutex>
#include <string>
#include <string_view>

#include "base/crypto.h"
#include "base/result.h"
#include "core/model.h"

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
  bool is_owner() const { return role == core::Role::owner; }
};

class KeyRing {
 public:
  explicit KeyRing(std::string pepper) : pepper_(std::move(pepper)) {}
  // After their facts are durable.
  void put(const core::Key& key);
  void revoke(base::Id key);
  // `authorization`: the header's value. A wrong checksum is refused before any look-up.
  base::Result<Caller> verify(std::string_view authorization) const;
  bool holds(base::Id key) const;  // and it was not revoked
  const std::string& pepper() const { return pepper_; }

 private:
  struct Entry {
    base::Digest hash;
    Caller caller;
    bool revoked = false;
  };
  const std::string pepper_;
  mutable std::shared_mutex mutex_;
  std::map<std::string, Entry, std::less<>> by_lookup_;
  std::map<base::Id, std::string> lookup_of_;
};

}  // namespace ampacity::server
