// What every verb of ampacityd is given: its command line, its clock, its machine.
#pragma once

#include <memory>
#include <string>

#include "base/onward_clock.h"
#include "base/prng.h"
#include "base/time.h"
#include "engines/containers.h"
#include "engines/host.h"
#include "server/config.h"
#include "server/secrets.h"
#include "store/journal.h"

namespace ampacity::server {

inline constexpr int usage_error = 2, start_error = 3;

struct Parts {
  base::SystemClock wall;
  base::OnwardClock clock{wall};
  base::SystemPrng prng;
  Config config;
  engines::HostFound host;
  std::vector<std::string> arguments;  // of the process
};

// Says why on standard error; the process's exit code.
int give_up(const std::string& why);

// `label` marks what is this cloud's in an engine (engine_label); empty: for paths only.
engines::ContainerOptions container_options(const Config& c, const engines::HostFound& host,
                                            const std::string& label = {});
// By it another ampacityd of the same cloud takes containers back. Kept in the store, and so copied
// with it; where that is a file, one state directory is one cloud, whatever people call it.
base::Try<std::string> engine_label(const Config& c, store::Journal& journal);

// What is opened before the world moves: the store, its world, the secrets.
struct Opened {
  std::unique_ptr<store::Journal> journal;
  Secrets secrets;
  core::World world;
};
base::Try<Opened> open_state(const Config& c);
base::Try<Secrets> open_secrets(const Config& c);

}  // namespace ampacity::server
