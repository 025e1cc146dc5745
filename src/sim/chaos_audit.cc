#include "sim/chaos_audit.h"

#include <fmt/core.h>

#include <algorithm>

#include "core/desire.h"
#include "core/evolve.h"
#include "sim/store_checks.h"
#include "store/journal.h"

namespace ampacity::sim {
namespace {

constexpr std::uint64_t compare_every = 64;                      // commits
constexpr base::Duration to_stop = base::Duration::seconds(60);  // beside its grace

}  // namespace

void ChaosAudit::wrong(std::string what) {
  if (found.size() < 20) found.push_back(std::move(what));
}

void ChaosAudit::mix(std::string_view bytes) {
  for (const char c : bytes) digest = (digest ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
}

void ChaosAudit::take(std::vector<core::Violation> violations, const char* when) {
  for (const core::Violation& v : violations)
    wrong(fmt::format("{} {}: {} ({})", v.invariant, v.where, v.what, when));
}

void ChaosAudit::fold(const core::Fact& fact) {
  auditor_.see(shadow_, fact);
  hooks_.see(shadow_, fact);
  const auto* closed = std::get_if<core::LeaseClosed>(&fact.body);
  const core::Job* closing = closed ? shadow_.job(closed->job) : nullptr;
  const bool was_stopping = closing && closing->state == core::JobState::stopping;
  core::evolve(shadow_, fact);
  written_.clear();
  core::write_fact(written_, fact);
  mix(written_);
  ++facts;
  if (closed) close(*closed, was_stopping);
  const auto* stop = std::get_if<core::StopOrdered>(&fact.body);
  if (const core::Job* job = stop && healed_ ? shadow_.job(stop->job) : nullptr)
    told_to_stop_[stop->job] = fact.at + base::Duration::seconds(job->grace_s) + to_stop;
}

void ChaosAudit::close(const core::LeaseClosed& closed, bool was_stopping) {
  ++leases_closed;
  if (const auto by = told_to_stop_.find(closed.job); by != told_to_stop_.end()) {
    if (!plan_.has(Fault::clock) && closed.interval.ended_at > by->second)
      wrong(fmt::format("I7 {} was to stop by {} and ended at {}", core::job_name(closed.job),
                        base::format_instant(by->second),
                        base::format_instant(closed.interval.ended_at)));
    told_to_stop_.erase(by);
  }
  const std::string name = fmt::format("{}-{}", core::job_name(closed.job), closed.generation);
  const Billed billed{closed.interval, closed.outcome, closed.fenced, was_stopping, now_()};
  if (!billed_.emplace(name, billed).second) wrong("I13 " + name + " was closed twice");
}

void ChaosAudit::committed(const core::World& after, const std::vector<core::Fact>& news) {
  for (const core::Fact& fact : news) fold(fact);
  auditor_.after(shadow_);
  take(auditor_.take(), "after a commit");
  if (++commits % compare_every) return;
  if (core::state_digest(shadow_.state()) != core::state_digest(after.state()))
    wrong("the living world is not what its facts fold to");
}

void ChaosAudit::loaded(const core::World& world, const store::StoreAt& store) {
  starts_.push_back(now_());
  const std::uint64_t known = shadow_.state().sequence;
  if (world.state().sequence < known)
    return wrong(
        fmt::format("I9 {} facts were committed, {} are there", known, world.state().sequence));
  auto reader = store::open_reader(store);
  if (!reader) return wrong("the store cannot be read: " + reader.error().message);
  for (const auto& f : (*reader)->facts_after(known, 1'000'000)) fold(f.fact);
  auditor_.after(shadow_);
  take(auditor_.take(), "at a start");
  if (core::state_digest(shadow_.state()) != core::state_digest(world.state()))
    wrong("I9 what was found at a start is not what was committed");
}

bool ChaosAudit::began_anew(base::Instant from, base::Instant until) const {
  return std::ranges::any_of(starts_, [&](base::Instant t) { return t >= from && t <= until; });
}

// Or told it only to a server that was killed before it had written it down.
bool ChaosAudit::untold(const TrueRun& run, const Billed& closed) const {
  if (run.taken || run.unseen || run.vanished) return true;
  return run.forgotten_at && (!run.told_at || began_anew(*run.told_at, closed.told_at));
}

// What was billed, against what ran: from the first start of a rank to the last end of one.
void ChaosAudit::compare_lease(const std::string& name, const Billed& closed) {
  const core::Interval& billed = closed.interval;
  const std::int64_t observed = billed.billed_s + billed.waived_s;
  std::optional<base::Instant> from, until, at_least, at_most;
  bool hard = closed.fenced, coarse = false;
  for (std::size_t rank = 0; rank < billed.ranks.size(); ++rank) {
    const auto ran = ran_.find(fmt::format("{}-{}", name, rank));
    if (ran == ran_.end()) continue;
    const TrueRun& run = *ran->second;
    if (!run.until || run.unseen) return;  // hidden, and running still; or never to be seen
    from = from ? std::min(*from, run.from) : run.from;
    until = std::max(until.value_or(*run.until), *run.until);
    at_least = std::max(at_least.value_or(*run.until - run.early), *run.until - run.early);
    at_most = std::max(at_most.value_or(*run.until + run.late), *run.until + run.late);
    hard |= untold(run, closed);
    coarse |= where_.at(ran->first)->whole_seconds;
  }
  if (!from) {
    if (billed.billed_s > 0)
      wrong(fmt::format("I11 {} never ran and is billed {} s", name, billed.billed_s));
    return;
  }
  // Of steps of the clock nobody may know what they did to its stamps: then it is billed less, by
  // no more than them; or more, by no more than them: if it is not known how long ago it began, or
  // until its end was told.
  // A server that starts behind a clock that was set back goes on from its latest fact.
  const bool anew = began_anew(*from, closed.told_at);
  const bool unheard = anew || plan_.has(Fault::partition) || plan_.has(Fault::unavailable) ||
                       plan_.has(Fault::reply_lost) || plan_.has(Fault::site_lost) ||
                       plan_.has(Fault::flap);
  const std::int64_t off = stepped_s(*from, closed.told_at);
  const std::int64_t more =
      unheard ? off : std::min(off, (closed.told_at - *until).seconds_rounded_up());
  const std::int64_t short_of = anew ? stepped_s({}, closed.told_at) : off;
  // Whole seconds of a start and an end; of a clock that is not ours, known as well as its answers
  // are quick.
  const std::int64_t slack = !coarse ? 1 : plan_.has(Fault::engine_clock) ? 3 : 2;
  const std::int64_t truly = (*until - *from).seconds_rounded_up();
  const std::int64_t most = (*at_most - *from).seconds_rounded_up();
  if (billed.billed_s > most + slack + more)
    wrong(fmt::format("I11 {} ran {} s and is billed {} s", name, truly, billed.billed_s));
  if (!hard && observed + slack + short_of < (*at_least - *from).seconds_rounded_up())
    wrong(fmt::format("I10 {} ran {} s, {} s were observed", name, truly, observed));
}

// Who is given up as lost did vanish from its engine, or never began.
void ChaosAudit::must_be_lost(const std::string& name, const Billed& closed) {
  if (closed.outcome != core::Outcome::lost || closed.fenced) return;
  for (std::size_t rank = 0; rank < closed.interval.ranks.size(); ++rank) {
    const auto ran = ran_.find(fmt::format("{}-{}", name, rank));
    if (ran == ran_.end() || untold(*ran->second, closed)) return;
  }
  wrong(fmt::format("I6 {} was given up as lost, and it was there", name));
}

// I7: nobody is told to end who was not to.
void ChaosAudit::must_be_asked_for(const std::string& name, const Billed& closed) {
  if (closed.was_stopping || closed.fenced) return;
  for (std::size_t rank = 0; rank < closed.interval.ranks.size(); ++rank) {
    const auto ran = ran_.find(fmt::format("{}-{}", name, rank));
    if (ran != ran_.end() && ran->second->told_to_end_at < closed.told_at &&
        ran->second->told_to_end_at)
      wrong(fmt::format("I7 {} was told to end, and nobody had asked for it", ran->first));
  }
}

std::int64_t ChaosAudit::stepped_s(base::Instant from, base::Instant until) const {
  std::int64_t us = 0;
  for (const auto& [at, by] : steps_)
    if (at >= from && at <= until) us += std::abs(by.us);
  return base::Duration{us}.seconds_rounded_up();
}

// I5: of one job two generations run at once only if the first was given up at a lost site, or its
// engine did not know it any more.
void ChaosAudit::compare_generations() {
  for (const auto& [name, billed] : billed_) {
    const auto ran = ran_.find(name + "-0");
    if (ran == ran_.end() || billed.fenced || untold(*ran->second, billed)) continue;
    const auto next = ran_.find(fmt::format("{}-{}-0", name.substr(0, name.find_last_of('-')),
                                            billed.interval.generation + 1));
    if (next == ran_.end()) continue;
    if (!ran->second->until || *ran->second->until > next->second->from)
      wrong(fmt::format("I5 {} ran on while {} ran", name, next->first));
  }
}

void ChaosAudit::compare_runs() {
  for (const Truth& truth : truths_)
    for (const TrueRun& run : truth.runs) {
      if (run.starts > 1) wrong(fmt::format("I5 {} was started {} times", run.name, run.starts));
      ran_[run.name] = &run;
      const auto [at, is_new] = where_.emplace(run.name, &truth);
      if (!is_new && at->second != &truth)
        wrong(fmt::format("I5 {} was started at two sites", run.name));
      at->second = &truth;
    }
  compare_generations();
  for (const auto& [name, billed] : billed_) {
    compare_lease(name, billed);
    must_be_lost(name, billed);
    must_be_asked_for(name, billed);
  }
}

// A spool is what was written, up to somewhere; to the end, if the end was seen.
void ChaosAudit::compare_logs() {
  for (const auto& [name, billed] : billed_)
    for (std::size_t rank = 0; rank < billed.interval.ranks.size(); ++rank) {
      const auto ran = ran_.find(fmt::format("{}-{}", name, rank));
      if (ran == ran_.end() || !where_.at(ran->first)->spool) continue;
      std::string wrote;
      for (const std::string& line : ran->second->log) wrote += line;
      const std::string spool = where_.at(ran->first)->spool(ran->first);
      const bool whole =
          billed.outcome != core::Outcome::lost && !billed.fenced && !ran->second->taken;
      if (whole ? spool != wrote : !wrote.starts_with(spool))
        wrong(fmt::format("the log of {} is '{}' and it wrote '{}'", ran->first, spool, wrote));
    }
}

void ChaosAudit::settled(const core::World& world, base::Instant now) {
  take(core::violations(world, now), "at the end");
  take(core::overdue(world, now, base::Duration::seconds(120)), "at the end");
  compare_runs();
  compare_logs();
  judge_hooks();
}

void ChaosAudit::judge_hooks() {
  for (std::string& what : hooks_.judge()) wrong(std::move(what));
}

void ChaosAudit::store_at_rest(const store::StoreAt& store) {
  for (std::string& what : check_whole(store)) wrong("store: " + what);
  for (std::string& what : hooks_.judge_store(store)) wrong(std::move(what));
}

}  // namespace ampacity::sim
