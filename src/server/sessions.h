// Who is signed in with a browser: a random id in a cookie, kept here as its hash, for twelve
// hours. In memory only: after a restart people sign in again. Threads: any.
// 1. A session is never more than its key: one whose key was revoked is not found. 2. Their number
// is bounded, in all and for each key; the oldest of a key makes room. 3. The cookie alone changes
// nothing: what is not GET, and every WebSocket, must come from our own page (check_own_page).
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/threads.h"
#include "base/time.h"
#include "net/http.h"
#include "server/keys.h"

namespace ampacity::server {

inline constexpr std::size_t most_sessions = 10'000, most_sessions_of_key = 64;
inline constexpr base::Duration session_length = base::Duration::seconds(12 * 3'600);

class Sessions {
 public:
  explicit Sessions(const KeyRing& keys) : keys_(keys) {}
  // Its id, 256 random bits: for the cookie, and nowhere else.
  base::Result<std::string> open(const Caller& caller, base::Instant now);
  std::optional<Caller> find(std::string_view id, base::Instant now) const;
  void close(std::string_view id);

 private:
  struct Session {
    Caller caller;
    base::Instant until;
  };
  void make_room(base::Id key, base::Instant now);  // by mutex_
  const KeyRing& keys_;
  mutable base::Mutex mutex_;
  std::map<base::Digest, Session> by_hash_;  // of the id
};

// Of the request's cookie; empty: none.
std::string_view session_of(const net::Request& request);
// Set-Cookie: this id, or with an empty one no more. `Secure` where the page came by https.
std::string session_cookie(const net::Request& request, std::string_view id);
// That a page of this server sent it: its Origin is where it was sent to, and unless it asks for a
// WebSocket, a header that no other site's page can add.
base::Result<void> check_own_page(const net::Request& request);

inline constexpr const char* console_header = "Ampacity-Console";

}  // namespace ampacity::server
