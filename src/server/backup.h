// `ampacityd backup` and `restore`: a store's copy, its note and, if wanted, the secret, in a
// folder. Threads: the main one.
// 1. The folder appears whole or not at all. 2. A restore goes into a state directory without a
// store, and leaves one only when everything is proven. 3. Nothing secret is printed.
#pragma once

#include "base/result.h"
#include "base/time.h"
#include "server/config.h"

namespace ampacity::server {

// Of the cloud in c.state into c.backup; says what it did. May run beside the server.
base::Try<void> back_up(const Config& c, base::Clock& clock);

// The other way.
base::Try<void> restore(const Config& c);

}  // namespace ampacity::server
