// What every start of a leader does to its cloud before the first request: found it if it is new,
// see to an operator's key, register this machine, set prices.
// Threads: the caller's; the world is told through the loop. May be cut short anywhere, and done
// again.
#pragma once

#include "core/commands.h"
#include "server/keys.h"
#include "server/loop.h"
#include "server/parts.h"

namespace ampacity::server {

struct OwnerKey {
  core::CreateKey create;
  std::string secret;
};
OwnerKey make_owner_key(const std::string& pepper, base::Clock& clock, base::Prng& prng);

base::Result<void> begin_cloud(Parts& p, Loop& loop, const KeyRing& keys, core::RegisterSite site);

}  // namespace ampacity::server
