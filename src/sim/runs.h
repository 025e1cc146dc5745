// What truly ran in a simulated world, and when: kept by whatever plays an engine, for the
// auditors.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/time.h"

namespace ampacity::sim {

struct TrueRun {
  std::string name;  // "job-…-1-0": of one rank of one generation
  base::Instant from;
  std::optional<base::Instant> until;
  int starts = 0;                // more than one: started twice
  std::vector<std::string> log;  // what it wrote, as lines of the spool; where that is played
  bool unseen = false;           // the engine never knew that it ran
  bool taken = false;            // away from its engine, for a while or for good, and its log
};
using TrueRuns = std::vector<TrueRun>;

}  // namespace ampacity::sim
