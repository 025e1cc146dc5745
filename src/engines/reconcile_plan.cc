#include "engines/reconcile_plan.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/chaos.h"

namespace ampacity::engines {
namespace {

using Want = core::RankWork::Want;

constexpr base::Duration kKillAgain = base::Duration::seconds(5);

bool has_run(const core::RankWork& work, const RankMemory& memory) {
  return work.confirmed || memory.ran;
}

Planned plan_absent(const core::RankWork& work, const RankMemory& memory, base::Instant list_began,
                    base::Instant now) {
  if (has_run(work, memory)) {
    if (list_began <= memory.touched_at && !base::planted("old-list-believed")) return {};
    return {Step::report_absent,
            "the container is gone: removed by someone else, or its store lost"};
  }
  if (work.want == Want::stop) return {Step::report_unstarted, "stopped before it started"};
  if (now < memory.not_before) return {};
  return {Step::create, {}};
}

Planned plan_created(const core::RankWork& work, const RankMemory& memory,
                     const ListedContainer& seen, std::string_view boot, base::Instant list_began,
                     base::Instant now) {
  bool rebooted = !seen.boot.empty() && seen.boot != boot;
  if (has_run(work, memory) || (rebooted && seen.ran)) {
    if (list_began <= memory.touched_at) return {};
    return {Step::report_absent,
            rebooted ? "host rebooted" : "the container ran, and the engine lost its process"};
  }
  if (work.want == Want::stop) return {Step::report_unstarted, "stopped before it started"};
  if (now < memory.not_before) return {};
  return {Step::start, {}};
}

Planned plan_running(const core::RankWork& work, const RankMemory& memory, base::Instant now) {
  if (work.want == Want::run || !memory.last ||
      memory.last->state != core::RankSeen::State::running) {
    // Its start is reported before it is stopped.
    bool known = memory.last && memory.last->state == core::RankSeen::State::running;
    return {known ? Step::repeat : Step::look, {}};
  }
  if (memory.term_at.us == 0) return {work.grace_s > 0 ? Step::term : Step::kill, {}};
  if (now < memory.term_at + base::Duration::seconds(work.grace_s)) return {Step::repeat, {}};
  if (memory.kill_at.us != 0 && now < memory.kill_at + kKillAgain) return {Step::repeat, {}};
  return {base::planted("never-killed") ? Step::repeat : Step::kill, {}};
}

}  // namespace

Planned plan(const core::RankWork& work, const RankMemory& memory, const ListedContainer* seen,
             std::string_view boot, base::Instant list_began, base::Instant now) {
  if (memory.done) {
    if (seen == nullptr && list_began > memory.touched_at) return {Step::forget, {}};
    return now < memory.not_before ? Planned{} : Planned{Step::remove, {}};
  }
  if (memory.final) return {Step::repeat, {}};
  if (seen == nullptr) return plan_absent(work, memory, list_began, now);
  switch (seen->state) {
    case ContainerState::created:
      return plan_created(work, memory, *seen, boot, list_began, now);
    case ContainerState::running:
      return plan_running(work, memory, now);
    case ContainerState::ended:
      return {Step::look, {}};
    case ContainerState::removing:  // soon a list will lack it
      return now < memory.not_before ? Planned{} : Planned{Step::look, {}};
  }
  return {};
}

std::optional<base::Instant> due(const core::RankWork& work, const RankMemory& memory) {
  std::optional<base::Instant> when;
  if (memory.not_before.us != 0) when = memory.not_before;
  if (work.want == Want::stop && !memory.final && memory.term_at.us != 0) {
    base::Instant kill = memory.kill_at.us != 0
                             ? memory.kill_at + kKillAgain
                             : memory.term_at + base::Duration::seconds(work.grace_s);
    when = when ? std::min(*when, kill) : kill;
  }
  return when;
}

}  // namespace ampacity::engines
