// What truly ran in a simulated world, and when: kept by whatever plays an engine, for the
// auditors.
#pragma once

#include <cstdint>
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
  std::uint64_t life = 0;        // for who plays it
  // What its engine may honestly say of its end, where that is not when it ended: so much earlier
  // (killed after it was counted as ended) or later (a node that died was missed then).
  base::Duration early{0}, late{0};
  bool vanished = false;                        // … or nothing: it was forgotten while it ran
  std::optional<base::Instant> told_to_end_at;  // first, by whoever asks the engine
  // Its end was forgotten, and when it was last told, in an answer that arrived.
  std::optional<base::Instant> forgotten_at, told_at;
};
using TrueRuns = std::vector<TrueRun>;

}  // namespace ampacity::sim
