// What to do about one rank: the world's wish, what we remember, what the engine lists. Pure.
// Threads: pure.
//   want run : absent -> create -> start -> look (running) -> look (ended) -> repeat until done
//   want stop: running -> term -> (grace) kill -> look (ended); never started -> report_unstarted
//   done     : remove -> forget
// 1. A rank that ever ran is never created or started again. 2. Absence counts only in a list that
// was begun after the last thing we did to the rank. 3. What was reported as final stays final.
// 4. Instants here are of what has truly passed (base::elapsed), so that no step of the wall clock
// shortens a grace; but for the two that are told, `asked_at` and `seen_running_at`.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"
#include "core/effects.h"
#include "engines/dialect.h"

namespace ampacity::engines {

enum class Step {
  none,
  create,
  start,
  look,    // inspect and report
  repeat,  // report again what is known
  report_absent,
  report_unstarted,  // it never ran and now must not
  term,
  kill,
  remove,
  forget,
};

struct RankMemory {
  base::Instant touched_at;  // the last wish or action; see invariant 2
  base::Instant not_before;  // backing off after a fault
  int failures = 0;
  int log_refusals = 0;          // of what it wrote, since it ended
  bool log_in_order = false;     // by the stamps of its lines the engine can tell what is new
  base::Instant log_not_before;  // to be copied again, while it runs
  bool done = false;             // its end is committed: remove it
  bool ran = false;              // seen running in this life
  bool stopped_before = false;   // it was to stop when this life began
  base::Instant term_at;         // 0: not sent in this life
  base::Instant kill_at;
  base::Instant found_killed;     // ended by a KILL that was not ours
  base::Instant asked_at;         // when we asked for its start, by the clock; 0: before this life
  base::Instant seen_running_at;  // lately, by the clock
  // The same, by what has passed, and when it began; 0: not in this life.
  base::Instant asked, began, first_seen, last_seen;
  std::optional<core::RankSeen> last;    // running or pulling, as last reported
  std::optional<core::RankSeen> unread;  // ended, and its log is not copied to the end
  std::optional<core::RankSeen> final;   // ended, failed_to_start or absent
};

struct Planned {
  Step step = Step::none;
  std::string why;
};

// `seen` is null when the list, begun at `list_began`, does not have it.
Planned plan(const core::RankWork& work, const RankMemory& memory, const ListedContainer* seen,
             std::string_view boot, base::Instant list_began, base::Instant now);

// When time alone will change the plan; nothing if it will not.
std::optional<base::Instant> due(const core::RankWork& work, const RankMemory& memory);

}  // namespace ampacity::engines
