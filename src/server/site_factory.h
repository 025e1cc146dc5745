// From what an operator said of a site to its engine: the only place that knows the kinds there
// are. Threads: pure functions, but for making.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "base/result.h"
#include "base/time.h"
#include "core/model.h"
#include "engines/engine.h"
#include "net/gated_transport.h"

namespace ampacity::server {

// What every engine of a cloud is made with.
struct SiteMaking {
  std::filesystem::path state;  // the cloud's; a site's own folder is sites/NAME in it
  std::string cloud;            // the mark on what is ours: what has another is never touched
  net::MayAct may_act;          // asked before each request; empty: always
};

// Is it of a kind that is known here, with a url, key and options that it understands? Every wrong
// field is named.
base::Result<void> check_site(const core::Site& site);
std::string engine_kinds();  // "slurm, emulated"

// Made, not started. A fault: what is missing on this machine, such as the token's file.
base::Try<std::unique_ptr<engines::Engine>> make_site_engine(const core::Site& site,
                                                             const SiteMaking& making,
                                                             base::Clock& clock);

}  // namespace ampacity::server
