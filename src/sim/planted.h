// Bugs planted on purpose behind switches that only a simulated run can turn on (base/chaos.h):
// each must be found by the auditors within 200 seeds, or the auditors are not worth much.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace ampacity::sim {

struct PlantedBug {
  std::string_view name;
  std::string_view what;  // goes wrong
  std::string_view where;
  enum class World { any, slurm, leaders };
  World world = World::any;  // where it shows: only on a Slurm cluster, by sim/leaders.h
};
const std::vector<PlantedBug>& planted_bugs();

// Runs seeds against each (or those named, by comma) until it is found, prints the table; 0: all
// were found within 200. `processes` at a time; 0: one a core.
int find_planted(const std::string& only, int processes);

}  // namespace ampacity::sim
