// Bugs planted on purpose behind switches that only a simulated run can turn on (base/chaos.h):
// each must be found by the auditors within 200 seeds, or the auditors are not worth much.
#pragma once

#include <string_view>
#include <vector>

namespace ampacity::sim {

struct PlantedBug {
  std::string_view name;
  std::string_view what;  // goes wrong
  std::string_view where;
};
const std::vector<PlantedBug>& planted_bugs();

// Runs seeds against each until it is found, prints the table; 0: all were found within 200.
int find_planted(int processes);

}  // namespace ampacity::sim
