// A site that is not there: machines of nominal size whose ranks only wait, `sleep N` for N
// seconds, anything else for a fixed time. For trying many sites on one machine; marked emulated
// wherever a person sees it. It can be cut off: while its door (a file) is away it cannot be
// reached, and what runs there runs on. Threads: one of its own. 1. What truly ran, when, is in the
// record, written as it happens. 2. As at a real site, what was begun is ended only by itself, or
// once it is reached and not wanted.
#pragma once

#include <filesystem>
#include <memory>

#include "base/time.h"
#include "engines/engine.h"

namespace ampacity::engines {

struct EmulatedOptions {
  SiteSeen machines;
  base::Duration run_time = base::Duration::seconds(60);
  base::Duration period = base::Duration::millis(100);
  std::filesystem::path door;  // empty: always reached
  std::filesystem::path
      record;  // lines "start NAME INSTANT_US", "end …"; empty: none
};

std::unique_ptr<Engine> make_emulated_engine(EmulatedOptions options, base::Clock& clock);

}  // namespace ampacity::engines
