// A Slurm cluster's nodes as the machines of a site: GRES to SKUs, switches to leaves, the feature
// `emulated` to a mark that everybody sees. Threads: pure.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "engines/engine.h"
#include "engines/slurm_codec.h"

namespace ampacity::engines {

// The features that Ampacity reads; others stay Slurm's own.
inline constexpr std::string_view slurm_emulated_feature = "emulated";

// `scontrol show topology`: leaf switch of each node named in it.
std::map<std::string, std::string> leaves_of_topology(std::string_view text);
// "n[1-3,7],m1" -> names; bounded: nothing where it is longer or not understood.
std::vector<std::string> names_of_hostlist(std::string_view list);

// Machines of the partition that take work; notes say which are not offered and why. One that is
// drained for `held_reason` is held back by us: it is not Slurm that does.
SiteSeen slurm_site(const std::vector<SlurmNode>& nodes, std::string_view partition,
                    const std::map<std::string, std::string>& leaves, std::string_view held_reason);

}  // namespace ampacity::engines
