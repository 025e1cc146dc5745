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
  core::evolve(shadow_, fact);
  written_.clear();
  core::write_fact(written_, fact);
  mix(written_);
  ++facts;
  if (const auto* closed = std::get_if<core::LeaseClosed>(&fact.body)) close(*closed);
  const auto* stop = std::get_if<core::StopOrdered>(&fact.body);
  if (const core::Job* job = stop && healed_ ? shadow_.job(stop->job) : nullptr)
    told_to_stop_[stop->job] = fact.at + base::Duration::seconds(job->grace_s) + to_stop;
}

void ChaosAudit::close(const core::LeaseClosed& closed) {
  ++leases_closed;
  const bool skewed = plan_.has(Fault::engine_clock) || plan_.has(Fault::clock);
  if (const auto by = told_to_stop_.find(closed.job); by != told_to_stop_.end()) {
    if (!skewed && closed.interval.ended_at > by->second)
      wrong(fmt::format("I7 {} was to stop by {} and ended at {}", core::job_name(closed.job),
                        base::format_instant(by->second),
                        base::format_instant(closed.interval.ended_at)));
    told_to_stop_.erase(by);
  }
  const std::string name = fmt::format("{}-{}-0", core::job_name(closed.job), closed.generation);
  if (!billed_.emplace(name, Billed{closed.interval, closed.outcome, closed.fenced}).second)
    wrong("I13 " + name + " was closed twice");
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

bool ChaosAudit::vanishes() const {
  return plan_.has(Fault::lost) || plan_.has(Fault::hidden) || plan_.has(Fault::reboot) ||
         plan_.has(Fault::power) || plan_.has(Fault::disk_crash) || plan_.has(Fault::stray);
}

// I5: of one job two generations run at once only if the first was given up at a lost site.
void ChaosAudit::compare_generations(const Runs& by_name) {
  if (vanishes() || plan_.has(Fault::engine_clock)) return;
  for (const auto& [name, billed] : billed_) {
    const auto ran = by_name.find(name);
    if (ran == by_name.end() || billed.fenced) continue;
    const auto next =
        by_name.find(fmt::format("{}-{}-0", name.substr(0, name.find_last_of('-', name.size() - 3)),
                                 billed.interval.generation + 1));
    if (next == by_name.end()) continue;
    if (!ran->second->until || *ran->second->until > next->second->from)
      wrong(fmt::format("I5 {} ran on while {} ran", name, next->first));
  }
}

// What was billed, against what ran.
void ChaosAudit::compare_runs() {
  const bool skewed = plan_.has(Fault::engine_clock) || plan_.has(Fault::clock);
  Runs by_name;
  for (const FakePodman* podman : podmans_)
    for (const auto& run : podman->runs()) {
      if (run.starts > 1) wrong(fmt::format("I5 {} was started {} times", run.name, run.starts));
      const auto [other, is_new] = by_name.emplace(run.name, &run);
      if (!is_new && podmans_.size() > 1 && !vanishes())
        wrong(fmt::format("I5 {} was started at two sites, or twice", run.name));
      other->second = &run;
    }
  compare_generations(by_name);
  for (const auto& [name, billed] : billed_) {
    const auto ran = by_name.find(name);
    const core::Interval& i = billed.interval;
    if (i.ranks.size() != 1) {  // of a gang: that any of it ran
      bool any = i.billed_s == 0;
      for (std::size_t rank = 0; rank < i.ranks.size(); ++rank)
        any |= by_name.contains(name.substr(0, name.size() - 1) + std::to_string(rank));
      if (!any) wrong(fmt::format("I11 no rank of {} ran, and it is billed", name));
      continue;
    }
    if (ran == by_name.end()) {
      if (i.billed_s > 0)
        wrong(fmt::format("I11 {} never ran and is billed {} s", name, i.billed_s));
      continue;
    }
    if (!ran->second->until) continue;  // hidden, and running still
    if (skewed) continue;
    const std::int64_t truly = (*ran->second->until - ran->second->from).seconds_rounded_up();
    if (i.billed_s > truly + 1)
      wrong(fmt::format("I11 {} ran {} s and is billed {} s", name, truly, i.billed_s));
    const bool hard = vanishes() || billed.fenced;
    const std::int64_t observed = i.billed_s + i.waived_s;
    if (!hard && observed + 1 < truly)
      wrong(fmt::format("I10 {} ran {} s, {} s were observed", name, truly, observed));
  }
}

void ChaosAudit::settled(const core::World& world, base::Instant now) {
  take(core::violations(world, now), "at the end");
  take(core::overdue(world, now, base::Duration::seconds(120)), "at the end");
  compare_runs();
}

void ChaosAudit::store_at_rest(const store::StoreAt& store) {
  for (std::string& what : check_whole(store)) wrong("store: " + what);
}

}  // namespace ampacity::sim
