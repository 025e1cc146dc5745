// This machine, and what is emulated beside it, as the site the world registers at start.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "core/commands.h"
#include "engines/engine.h"
#include "engines/host.h"

namespace ampacity::server {

// "h100:8x4": four emulated nodes of eight H100.
struct Emulation {
  std::string sku;
  std::uint32_t gpus_per_node = 0;
  std::uint32_t nodes = 0;
};
base::Result<Emulation> parse_emulation(const std::string& text);

// Its nodes, of nominal size, named `<prefix>emulated-h100-1`…
std::vector<engines::SiteSeen::Machine> emulated_machines(const Emulation& e,
                                                          const std::string& prefix);

struct Inventory {
  core::RegisterSite site;
  std::vector<std::string> notes;  // for people: why something is not offered
};
base::Result<Inventory> take_inventory(const engines::HostFound& host,
                                       const engines::EngineHealth& engine,
                                       const std::vector<Emulation>& emulated,
                                       const std::string& site_name);

}  // namespace ampacity::server
