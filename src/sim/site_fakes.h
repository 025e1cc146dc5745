// What the simulator's sites have in common with real ones: a container engine on a podman of their
// own that also says which machines there are. Threads: fibres.
#pragma once

#include <memory>
#include <string>

#include "engines/engine.h"

namespace ampacity::sim {

// Everything is the inner engine's; on start it reports these machines, emulated: "h100:8x2".
std::unique_ptr<engines::Engine> with_machines(std::unique_ptr<engines::Engine> inner,
                                               const std::string& emulated);

}  // namespace ampacity::sim
