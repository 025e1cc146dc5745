#include <algorithm>

#include "base/chaos.h"
#include "core/decide.h"
#include "core/meter.h"
#include "core/settle.h"

namespace ampacity::core {
namespace {

using Signalled = RankSeen::Signalled;

constexpr std::int32_t could_not_start = 125;  // docker's and podman's exit code for it

struct JobEnd {
  Outcome outcome;
  std::int32_t exit_code;
};

// A stop that was ordered after the job had ended by itself did not end it. Whom the engine had
// signalled did not end by itself; where it cannot know, the instants decide, of two clocks that
// may be a second apart (engines/peer_clock.h).
StopReason stop_that_counts(const Job& job, const std::vector<Rank>& ranks, Signalled signalled) {
  if (signalled == Signalled::yes) return job.stop_reason;
  Instant last;
  for (const Rank& r : ranks) last = std::max(last, r.ended_at);
  if (signalled == Signalled::perhaps) last = last + Duration::seconds(1);
  return last < job.stop_ordered_at ? StopReason::none : job.stop_reason;
}

// The first rank that failed speaks for the gang.
JobEnd outcome_of(const std::vector<Rank>& ranks, bool lost, StopReason stop) {
  std::int32_t exit_code = 0;
  Instant earliest{INT64_MAX};
  for (const Rank& r : ranks) {
    if (r.exit_code == 0 || r.ended_at >= earliest) continue;
    earliest = r.ended_at;
    exit_code = r.exit_code;
  }
  if (lost) return {Outcome::lost, exit_code};
  switch (stop) {
    case StopReason::asked:
      return {Outcome::cancelled, exit_code};
    case StopReason::credit:
    case StopReason::over_budget:
      return {Outcome::cancelled, exit_code};
    case StopReason::time_limit:
      return {Outcome::timed_out, exit_code};
    case StopReason::start_timeout:
      return {Outcome::lost, exit_code};
    case StopReason::volume_limit:
      return {Outcome::failed, exit_code};
    case StopReason::preempted:
    case StopReason::window:
    case StopReason::uneconomic:
    case StopReason::price:
      return {Outcome::cancelled, exit_code};  // of this generation: the job goes on
    case StopReason::rank_failed:
    case StopReason::none:
      break;
  }
  return {exit_code == 0 ? Outcome::succeeded : Outcome::failed, exit_code};
}

// The used part of the hold is posted; what had been posted past the true end is given back.
std::vector<Transfer> close_transfers(Drafter& drafter, const World& world, const Job& job,
                                      std::int64_t billed_s) {
  std::vector<Transfer> transfers;
  const Lease& lease = *job.lease;
  post_used(drafter, world, job, std::max(billed_s, lease.posted_s), transfers);
  const Ticks over = cost_between(lease, std::min(billed_s, lease.posted_s), lease.posted_s);
  if (over > 0) PROBE("observe: posted too much, given back");
  if (over > 0)
    transfers.push_back(drafter.make(TransferKind::single, TransferReason::correction,
                                     revenue_of(world.state(), job.project, lease.sku),
                                     world.state().projects[job.project].wallet, over));
  return transfers;
}

// Kept inside our own instants.
Instant start_of(const Job& job, Instant seen, Instant now) {
  return std::max(job.lease->granted_at, std::min(seen, now));
}

// What the rank looks like after the report, with the engine's instants kept inside ours.
Rank end_of(const Job& job, const Rank& before, const Observe& c, Instant now) {
  const RankSeen& seen = c.seen;
  Rank r = before;
  r.state = RankState::ended;
  // What was said of its start holds; an engine whose clock is not ours is right about how long.
  if (seen.started_at.us && before.started_at.us == 0)
    r.started_at = start_of(job, seen.started_at, now);
  const Duration apart = seen.started_at.us ? r.started_at - seen.started_at : Duration{0};
  switch (seen.state) {
    case RankSeen::State::failed_to_start:
      r.started_at = {};
      r.ended_at = now;
      r.exit_code = seen.exit_code ? seen.exit_code : could_not_start;
      return r;
    case RankSeen::State::absent:  // billed to the last instant it was known to run
      r.exit_code = seen.exit_code;
      r.ended_at = seen.ended_at.us ? seen.ended_at : c.alive_until;
      if (base::planted("lost-billed-on")) r.ended_at = now;
      break;
    default:
      r.exit_code = seen.exit_code;
      r.ended_at = seen.ended_at + apart;
  }
  // An engine's clock may be coarse: what ran, ran for a moment at least, and is billed its second.
  if (r.started_at == now) r.started_at = std::max(job.lease->granted_at, now - Duration{1});
  const Instant least = r.started_at.us ? r.started_at + Duration{1} : job.lease->granted_at;
  r.ended_at = std::max(least, std::min(r.ended_at, now));
  return r;
}

// Why it was stopped comes before how it ended.
std::string why_ended(const Job& job, const RankSeen& seen) {
  std::string how = seen.why;
  if (how.empty() && seen.out_of_memory)
    how = "a rank was killed: it used more memory than it asked for";
  if (how.empty() || job.why.empty()) return how.empty() ? job.why : how;
  return job.why + "; " + how;
}

}  // namespace

LeaseClosed close_of(const World& world, const Job& job, std::vector<Rank> ranks, std::string why,
                     bool lost, Signalled signalled) {
  Drafter drafter(world);
  return close_of(drafter, world, job, std::move(ranks), std::move(why), lost, signalled);
}

LeaseClosed close_of(Drafter& drafter, const World& world, const Job& job, std::vector<Rank> ranks,
                     std::string why, bool lost, Signalled signalled) {
  const Lease& lease = *job.lease;
  LeaseClosed f{job.id, job.generation, {}, {}, {}, 0, std::move(why), false};
  Interval& i = f.interval;
  i.places = lease.places;
  i.ranks = std::move(ranks);
  i.generation = job.generation;
  i.sku = lease.sku;
  i.rates = lease.rates;
  i.steps = lease.steps;
  Instant known;  // that one of them, run or not, was over
  for (const Rank& r : i.ranks) {
    known = std::max(known, r.ended_at);
    if (r.started_at.us == 0) continue;
    if (i.started_at.us == 0 || r.started_at < i.started_at) i.started_at = r.started_at;
    i.ended_at = std::max(i.ended_at, r.ended_at);
  }
  i.started_sequence = lease.started_sequence;
  if (i.started_at.us == 0) i.started_at = i.ended_at = known;  // nothing ran, nothing is billed
  const std::int64_t observed_s = (i.ended_at - i.started_at).seconds_rounded_up();
  i.billed_s = lease.pending_id ? std::min(observed_s, lease.paid_s) : observed_s;
  i.waived_s = base::planted("waived-lost") ? 0 : observed_s - i.billed_s;
  i.amounts = amounts_at(lease.steps, lease.rates, i.billed_s);
  trim_steps(i);
  f.transfers = close_transfers(drafter, world, job, i.billed_s);
  if (base::planted("hold-kept") && i.billed_s == 0) f.transfers.clear();
  const StopReason reason = stop_that_counts(job, i.ranks, signalled);
  const JobEnd end = outcome_of(i.ranks, lost, reason);
  f.outcome = end.outcome;
  f.exit_code = end.exit_code;
  const bool may_retry = reason == StopReason::none || reason == StopReason::rank_failed;
  f.requeue =
      requeues(reason) || (may_retry && job.retries_left > 0 &&
                           (end.outcome == Outcome::failed || end.outcome == Outcome::lost));
  return f;
}

namespace {

// The engine took it back before it began, though nobody had asked: its node takes nothing. It goes
// back to its place in the queue, but not for ever.
constexpr std::uint32_t most_taken_back = 10;

std::optional<StopOrdered> taken_back(const Job& job, const RankSeen& seen) {
  if (seen.state != RankSeen::State::failed_to_start || seen.signalled != Signalled::yes ||
      job.state == JobState::stopping || job.generation > most_taken_back)
    return std::nullopt;
  return StopOrdered{job.id, StopReason::window, "its node did not start it"};
}

// A planted bug: as if the lease that its end closed were there still.
LeaseClosed billed_again(const World& world, const Job& job) {
  const Interval& last = job.intervals.back();
  LeaseClosed f{job.id, last.generation, last, {}, Outcome::succeeded, 0, {}, false};
  Drafter drafter(world);
  if (const Ticks amount = f.interval.amounts.total(); amount > 0)
    f.transfers.push_back(drafter.make(
        TransferKind::single, TransferReason::usage, world.state().projects[job.project].wallet,
        revenue_of(world.state(), job.project, f.interval.sku), amount));
  return f;
}

}  // namespace

Decision decide_observe(const World& world, const Observe& c, Instant now) {
  const RankSeen& seen = c.seen;
  const Job* job = world.job(seen.job);
  // Ended, fenced or never ours: nothing is accepted from another generation.
  const bool fenced = job && job->generation != seen.generation && !base::planted("no-fence");
  if (base::planted("end-billed-again") && job && !job->intervals.empty() &&
      job->intervals.back().generation == seen.generation && seen.state == RankSeen::State::ended)
    return std::vector<FactBody>{billed_again(world, *job)};
  if (fenced) PROBE("observe: of another generation");
  if (!job || !job->lease || fenced || seen.rank >= job->lease->ranks.size())
    return std::vector<FactBody>{};
  const Lease& lease = *job->lease;
  const Rank& before = lease.ranks[seen.rank];
  if (before.state == RankState::ended || seen.state == RankSeen::State::pulling)
    return std::vector<FactBody>{};
  if (seen.state == RankSeen::State::running) {
    if (before.state == RankState::running) return std::vector<FactBody>{};
    return std::vector<FactBody>{
        RankStarted{seen.job, seen.generation, seen.rank, start_of(*job, seen.started_at, now)}};
  }

  std::vector<Rank> ranks = lease.ranks;
  const Rank end = ranks[seen.rank] = end_of(*job, before, c, now);
  const bool lost = seen.state == RankSeen::State::absent;
  if (lost) PROBE("observe: lost");
  const bool all_ended = base::planted("gang-closed-early") ||
                         std::all_of(ranks.begin(), ranks.end(),
                                     [](const Rank& r) { return r.state == RankState::ended; });
  std::string why = why_ended(*job, seen);
  const auto back = taken_back(*job, seen);
  if (all_ended && back) {
    Job told = *job;
    told.state = JobState::stopping;
    told.stop_reason = back->reason;
    return std::vector<FactBody>{*back, close_of(world, told, std::move(ranks),
                                                 back->why + "; " + why, false, Signalled::yes)};
  }
  if (all_ended) {
    const bool gang_lost = lost || job->why.starts_with("lost: ");
    return std::vector<FactBody>{
        close_of(world, *job, std::move(ranks), std::move(why), gang_lost, seen.signalled)};
  }
  std::vector<FactBody> facts{RankEnded{seen.job, seen.generation, seen.rank, end}};
  if (back)
    facts.push_back(StopOrdered{back->job, back->reason, back->why + "; " + why});
  else if ((end.exit_code != 0 || lost) && job->state != JobState::stopping)
    facts.push_back(StopOrdered{
        seen.job, StopReason::rank_failed,
        (lost ? "lost: rank " : "rank ") + std::to_string(seen.rank) +
            (lost ? " vanished" : " failed with exit code " + std::to_string(end.exit_code)) +
            (why.empty() ? "" : ": " + why)});
  return facts;
}

}  // namespace ampacity::core
