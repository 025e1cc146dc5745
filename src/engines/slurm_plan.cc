#include "engines/slurm_plan.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/chaos.h"

namespace ampacity::engines {
namespace {

using Want = core::RankWork::Want;
using State = core::RankSeen::State;
using Signalled = core::RankSeen::Signalled;
using base::Duration;
using base::Instant;

constexpr Duration kSlurmKillAgain = Duration::seconds(5);
constexpr Duration kLookAgain = Duration::millis(500);
constexpr Duration kMarkerOwed = Duration::seconds(15);

bool has_run(const core::RankWork& work, const SlurmMemory& m) {
  return work.confirmed || m.ran || m.marker.has_value();
}

// Of what nothing later can be heard any more.
bool known_missing(const SlurmMemory& m, Instant list_began) {
  return list_began > std::max({m.wished_at, m.unsure_until, m.touched_at});
}

SlurmPlanned plan_nowhere(const core::RankWork& work, const SlurmMemory& m, const SlurmRules& rules,
                          Instant list_began, Instant now) {
  const bool untouched = m.fresh && m.asked_at.us == 0;
  const bool missing = known_missing(m, list_began);
  // Without a gate nothing is submitted twice, nor what an earlier life may have submitted.
  const bool may_have_run = !rules.shared && !untouched && !base::planted("submitted-again");
  if (has_run(work, m) || may_have_run) {
    const Duration waits = rules.shared ? std::max(rules.lost, rules.news_delay) : rules.lost;
    if (!missing || m.missing_at.us == 0 || list_began - m.missing_at < waits) return {};
    return {SlurmStep::report_absent,
            "Slurm no longer knows it: its state was lost, or the end was forgotten"};
  }
  if (!untouched && !missing) return {};
  if (work.want == Want::stop) {
    // It may have run and be forgotten already, and its marker not be seen yet.
    const bool unseen =
        !untouched && (m.missing_at.us == 0 ||
                       list_began - std::max(m.missing_at, m.unsure_until) < rules.news_delay);
    if (unseen) return {};
    return {SlurmStep::report_unstarted, "stopped before it started"};
  }
  if (now < m.not_before) return {};
  return {SlurmStep::submit, {}};
}

// Half a lease before the limit.
std::optional<Instant> renewal(const SlurmMemory& m, const SlurmRules& rules) {
  if (rules.lease.us == 0 || m.limit_min == 0 || m.running_from.us == 0) return std::nullopt;
  return m.running_from + Duration::seconds(60 * m.limit_min) - Duration{rules.lease.us / 2};
}

SlurmPlanned plan_running(const core::RankWork& work, const SlurmMemory& m, const SlurmRules& rules,
                          Instant now) {
  const bool owed = rules.shared && !m.marker && m.job && m.job->started_at.us != 0 &&
                    now - m.job->started_at < kMarkerOwed;
  if (owed) return {};  // its script has not said so yet
  if (!m.last) return {SlurmStep::report_running, {}};
  if (work.want == Want::stop) {
    if (now < m.not_before) return {};
    if (m.term_at.us == 0) return {work.grace_s > 0 ? SlurmStep::term : SlurmStep::kill, {}};
    const Instant kill = m.kill_at.us != 0 ? m.kill_at + kSlurmKillAgain
                                           : m.term_at + Duration::seconds(work.grace_s);
    if (now >= kill) return {SlurmStep::kill, {}};
    return {SlurmStep::repeat, {}};
  }
  if (const auto at = renewal(m, rules);
      at && now >= std::max(*at, m.not_before) && lease_limit(m, rules, now) > m.limit_min)
    return {SlurmStep::renew, {}};
  return {SlurmStep::repeat, {}};
}

Instant clamped(Instant t, Instant low, Instant high) { return std::max(low, std::min(t, high)); }

}  // namespace

bool is_other(const SlurmMemory& m, bool shared) {
  if (!m.job) return false;
  if (m.marker && m.marker->job_id != m.job->id) return true;
  if (m.job->restarts == 0 || base::planted("requeued-is-same")) return false;
  // What ran before it was run again began before it did now, or it does not run at all.
  const Instant began = m.marker ? m.marker->started_at : m.last ? m.last->started_at : Instant{};
  const bool again =
      !shared ||
      (began.us != 0 && (m.job->state == SlurmState::waiting || began < m.job->started_at));
  if (again) PROBE("slurm: run again");
  return again;
}

SlurmPlanned plan(const core::RankWork& work, const SlurmMemory& m, const SlurmRules& rules,
                  Instant list_began, Instant now) {
  const bool lives = m.job && m.job->state <= SlurmState::running;
  if (m.done) {
    const bool ended = m.marker && m.marker->ended_at;
    // Given up while nothing was heard of it: whether it runs a list must say.
    const bool may_run = has_run(work, m) || m.asked_at.us != 0 || m.job_id != 0;
    if (!ended && !m.final && !lives && may_run && !known_missing(m, list_began)) return {};
    if (!lives || ended) return {SlurmStep::forget, {}};
    return now < m.not_before ? SlurmPlanned{} : SlurmPlanned{SlurmStep::kill, {}};
  }
  if (m.final) return {SlurmStep::repeat, {}};
  if (m.marker && m.marker->ended_at) return {SlurmStep::report_ended, {}};
  if (m.marker && (!m.job || is_other(m, rules.shared)) && !known_missing(m, list_began))
    return plan_running(work, m, rules, now);
  if (!m.job && m.job_id != 0 && work.want == Want::stop && !known_missing(m, list_began)) {
    // Submitted, and no list has had it since: asked for by its number.
    return {now - m.looked_at < kLookAgain ? SlurmStep::none : SlurmStep::look, {}};
  }
  if (!m.job || is_other(m, rules.shared)) return plan_nowhere(work, m, rules, list_began, now);
  switch (m.job->state) {
    case SlurmState::waiting:
      if (m.marker) return plan_running(work, m, rules, now);  // the list is older than the marker
      if (now < m.not_before) return {};
      if (work.want == Want::stop) return {SlurmStep::kill, "stopped before it started"};
      if (m.stuck_since.us == 0 || list_began - m.stuck_since < rules.stuck) return {};
      return {SlurmStep::kill, "Slurm does not start it: " + m.job->reason};
    case SlurmState::running:
      return plan_running(work, m, rules, now);
    case SlurmState::completing:
    case SlurmState::ended:
      if (now < m.not_before || now - m.looked_at < kLookAgain) return {};
      return {SlurmStep::look, {}};
  }
  return {};
}

bool awaits_list(const core::RankWork& work, const SlurmMemory& m, const SlurmRules& rules,
                 Instant list_began) {
  if (m.final || m.done) return false;
  if (!rules.shared) return true;  // nothing else tells
  if (m.marker) return m.missing_at.us != 0;
  if (work.confirmed && !m.job) return true;
  const bool untouched = m.fresh && m.asked_at.us == 0;
  return !untouched && m.job_id == 0 && !known_missing(m, list_began);
}

std::optional<Instant> due(const core::RankWork& work, const SlurmMemory& m,
                           const SlurmRules& rules) {
  if (m.final) return std::nullopt;
  std::optional<Instant> when;
  const auto also = [&when](Instant t) { when = when ? std::min(*when, t) : t; };
  if (m.not_before.us != 0) also(m.not_before);
  if (work.want == Want::stop && m.term_at.us != 0)
    also(m.kill_at.us != 0 ? m.kill_at + kSlurmKillAgain
                           : m.term_at + Duration::seconds(work.grace_s));
  const bool asked_for = !m.job && m.job_id != 0 && work.want == Want::stop;
  if (asked_for || (m.job && m.job->state >= SlurmState::completing))
    also(m.looked_at + kLookAgain);
  if (const auto at = renewal(m, rules)) also(*at + Duration{1});
  return when;
}

core::RankSeen slurm_seen(const core::RankWork& work, State state, std::string why) {
  core::RankSeen seen;
  seen.job = work.job;
  seen.generation = work.generation;
  seen.rank = work.rank;
  seen.state = state;
  seen.why = std::move(why);
  return seen;
}

std::int64_t lease_limit(const SlurmMemory& m, const SlurmRules& rules, Instant now) {
  // It runs, so it has not run longer than its limit, whatever its cluster's clock says.
  const Duration ran =
      std::clamp(now - m.running_from, Duration{0}, Duration::seconds(60 * m.limit_min));
  return (ran + rules.lease).whole_seconds() / 60;
}

core::RankSeen ended_by_marker(const core::RankWork& work, const SlurmMemory& m) {
  core::RankSeen seen = slurm_seen(work, State::ended);
  seen.started_at = m.marker->started_at;
  seen.ended_at = std::max(seen.started_at, *m.marker->ended_at);
  seen.exit_code = m.marker->exit_code;
  seen.signalled = m.signalled;
  if (seen.signalled == Signalled::yes)
    seen.why = "stopped";
  else if (m.limit_min != 0 && seen.exit_code == 143 &&
           (seen.ended_at - seen.started_at).whole_seconds() >= 60 * m.limit_min - 1)
    seen.why = "Slurm ended it: its time limit ran out, and nobody renewed it";
  else if (seen.exit_code != 0)
    seen.why = fmt::format("exit code {}", seen.exit_code);
  return seen;
}

std::optional<core::RankSeen> ended_by_job(const core::RankWork& work, const SlurmMemory& m,
                                           const SlurmRules& rules, const SlurmJob& job,
                                           Instant now) {
  if (job.state != SlurmState::ended) return std::nullopt;
  const std::string how = fmt::format("Slurm's job {}: {}{}{}", job.id, job.word,
                                      job.reason.empty() || job.reason == "None" ? "" : ", ",
                                      job.reason == "None" ? "" : job.reason);
  const bool marked = m.marker && m.marker->job_id == job.id;
  const bool refused = job.exit_code == slurm_refused_exit;
  bool ran = marked || (job.ran && !rules.shared);
  if (rules.shared && job.ran && !marked && !refused) {
    if (now - job.ended_at < rules.news_delay) return std::nullopt;
    // A 0 cannot have been nothing; but who was cancelled before its script began has a 0, too.
    ran = job.started_at.us != 0 && job.exit_code == 0 && job.word != "CANCELLED";
  }
  if (!ran && !has_run(work, m)) {
    if (refused && job.ran && now - job.ended_at < rules.news_delay && !m.marker)
      return std::nullopt;
    core::RankSeen never =
        slurm_seen(work, State::failed_to_start,
                   m.taken_back        ? how + ": it was held, or its node took nothing; taken back"
                   : m.kill_at.us != 0 ? "stopped before it started"
                   : refused           ? how + ": the node cannot write the shared folder"
                                       : how);
    if (m.taken_back) never.signalled = Signalled::yes;
    return never;
  }
  core::RankSeen seen = slurm_seen(work, State::ended, how);
  if (refused && job.restarts > 0) {  // without a marker nobody can say how the first run ended
    seen.state = State::absent;
    seen.ended_at = m.seen_running_at;
    return seen;
  }
  seen.started_at = marked ? m.marker->started_at : job.started_at;
  seen.ended_at = clamped(job.ended_at, seen.started_at, now);
  seen.signalled = m.signalled;
  seen.exit_code = job.exit_code;
  if (m.kill_at.us != 0) {
    seen.exit_code = 137;
    seen.why = fmt::format("killed: still running {} s after SIGTERM", work.grace_s);
  } else if (job.word == "NODE_FAIL" || job.word == "BOOT_FAIL") {
    seen.state = State::absent;
  } else if (job.word == "OUT_OF_MEMORY") {
    seen.out_of_memory = true;
    if (seen.exit_code == 0) seen.exit_code = 137;
  } else if (job.word != "COMPLETED" && seen.exit_code == 0) {
    seen.exit_code = 143;
  }
  if (job.word == "TIMEOUT") seen.why += ": its time limit ran out, and nobody renewed it";
  return seen;
}

}  // namespace ampacity::engines
