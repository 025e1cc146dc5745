// What to do about one rank on Slurm: the world's wish, what we remember, what the latest list and
// the rank's marker say. Threads: pure.
//   want run : nowhere -> submit -> waiting -> (marker) running -> (marker, or Slurm's word) ended
//   stuck    : waiting, held or on a node that is away -> kill -> failed_to_start, and `signalled`
//   want stop: waiting -> kill;  running -> term -> (grace) kill;  nowhere -> report_unstarted
//   done     : kill what is left -> forget
// 1. The marker's word is the rank's own and goes before Slurm's. 2. Absence counts only in a whole
// list that was asked for after the last thing we did, or that may still be on its way. 3. With a
// shared folder a second submission is safe (the gate); without one a rank that may have been
// submitted and is not listed is lost: it is never submitted again.
#pragma once

#include <optional>
#include <string>

#include "base/time.h"
#include "core/effects.h"
#include "engines/slurm_codec.h"
#include "engines/slurm_wrapper.h"

namespace ampacity::engines {

enum class SlurmStep {
  none,
  submit,
  look,  // ask for the one job, read the marker, conclude
  report_running,
  report_ended,  // as the marker says
  report_absent,
  report_unstarted,
  repeat,
  term,
  kill,
  renew,
  forget,
};

struct SlurmMemory {
  base::Instant wished_at;
  bool fresh = false;      // wished in this life first: nobody can have submitted it
  base::Instant asked_at;  // when it was last submitted; zero: not in this life
  bool asked_again = false;
  base::Instant unsure_until;  // an answer was lost: what was asked may still happen until then
  base::Instant touched_at;    // the last answer to something done to it
  base::Instant not_before;    // backing off after a fault
  int failures = 0;
  bool done = false;  // its end is committed
  bool ran = false;
  // Asked to end, whether that was answered or not; perhaps: it was to stop when this life began.
  core::RankSeen::Signalled signalled = core::RankSeen::Signalled::no;
  base::Instant term_at, kill_at;
  base::Instant seen_running_at;
  base::Instant missing_at;  // of the first list that should have had it
  // When it began, by our clock and not before it did: what ends by its limit ends inside the
  // lease.
  base::Instant running_from;
  base::Instant stuck_since;   // in lists; it may be held or its node be away
  bool taken_back = false;     // by us, for that
  std::int64_t limit_min = 0;  // as Slurm last had it
  base::Instant looked_at;
  std::uint32_t job_id = 0;     // as Slurm named it to us; zero: not yet
  std::optional<SlurmJob> job;  // as last listed
  std::optional<SlurmMarker> marker;
  std::optional<core::RankSeen> last;   // running, as last reported
  std::optional<core::RankSeen> final;  // ended, failed_to_start or absent
};

struct SlurmRules {
  bool shared = false;           // there is a folder with markers
  base::Duration news_delay{0};  // for so long a marker may stay unseen
  base::Duration lease{0};       // of the time limit; zero: no limit
  base::Duration lost{0};        // missing in lists for so long
  base::Duration stuck{0};       // waiting for what no lease brings about for so long
};

struct SlurmPlanned {
  SlurmStep step = SlurmStep::none;
  std::string why;
};

SlurmPlanned plan(const core::RankWork& work, const SlurmMemory& memory, const SlurmRules& rules,
                  base::Instant list_began, base::Instant now);

// Whether only a new list will bring this rank further.
bool awaits_list(const core::RankWork& work, const SlurmMemory& memory, const SlurmRules& rules,
                 base::Instant list_began);

// When time alone will change the plan; nothing if it will not.
std::optional<base::Instant> due(const core::RankWork& work, const SlurmMemory& memory,
                                 const SlurmRules& rules);

// Its job is not the one that its marker is of, or that one run again: not the rank, though it has
// its name. Without a shared folder what is run again runs nothing, whoever saw it begin.
bool is_other(const SlurmMemory& memory, bool shared);

core::RankSeen slurm_seen(const core::RankWork& work, core::RankSeen::State state,
                          std::string why = {});
// The limit that Slurm should have now for the rank to end within the lease, if nobody renews it:
// in whole minutes from its start. No more than it has: nothing is to be done.
std::int64_t lease_limit(const SlurmMemory& memory, const SlurmRules& rules, base::Instant now);

// The end as the rank's own marker has it.
core::RankSeen ended_by_marker(const core::RankWork& work, const SlurmMemory& memory);
// The end as Slurm has it, for a rank whose marker says nothing of an end; nothing: wait, it may
// still come. `job` is no longer running.
std::optional<core::RankSeen> ended_by_job(const core::RankWork& work, const SlurmMemory& memory,
                                           const SlurmRules& rules, const SlurmJob& job,
                                           base::Instant now);

}  // namespace ampacity::engines
