// What is decided about one rank where Slurm or its clock mislead: each case was found by a
// simulated seed (docs/simulation.md).
#include "engines/slurm_plan.h"

#include <doctest/doctest.h>

using namespace ampacity;
using namespace ampacity::engines;

namespace {

using base::Duration;
using base::Instant;

constexpr Instant noon{1'795'348'800'000'000};
Instant after(std::int64_t s) { return noon + Duration::seconds(s); }

core::RankWork wanted(bool confirmed = false) {
  core::RankWork work;
  work.job = {7, 1};
  work.job_name = base::format_id("job", work.job);
  work.confirmed = confirmed;
  return work;
}

SlurmMemory began_at(std::int64_t s, std::uint32_t job) {
  SlurmMemory m;
  m.wished_at = after(s - 10);
  m.asked_at = after(s - 9);
  m.job_id = job;
  m.marker = SlurmMarker{after(s), job, "n1", "0", {}, 0};
  m.ran = true;
  m.seen_running_at = after(s);
  return m;
}

SlurmJob job_of(std::uint32_t id, SlurmState state, std::int64_t started_s,
                std::uint32_t restarts) {
  SlurmJob job;
  job.id = id;
  job.state = state;
  job.restarts = restarts;
  if (state != SlurmState::waiting) job.started_at = after(started_s);
  return job;
}

}  // namespace

TEST_CASE("slurm plan: a job that Slurm runs again is not the rank any more") {
  SlurmMemory m = began_at(100, 5);
  m.job = job_of(5, SlurmState::running, 99, 0);
  CHECK_FALSE(is_other(m, true));
  m.job = job_of(5, SlurmState::waiting, 0, 1);
  CHECK(is_other(m, true));
  m.job = job_of(5, SlurmState::running, 160, 1);
  CHECK(is_other(m, true));
  // It was run again before its script ever began: the marker is of the second run.
  m.job = job_of(5, SlurmState::running, 99, 1);
  CHECK_FALSE(is_other(m, true));
  // Without a folder nothing of it runs again, though nobody of this life saw it begin.
  SlurmMemory bare;
  bare.job_id = 5;
  bare.job = job_of(5, SlurmState::running, 160, 1);
  CHECK(is_other(bare, false));
  CHECK_FALSE(is_other(bare, true));  // a late marker may be of it

  m.job = job_of(5, SlurmState::waiting, 0, 1);
  const SlurmRules rules{true, Duration::seconds(2), {}, Duration::seconds(5)};
  m.missing_at = after(120);
  CHECK(plan(wanted(), m, rules, after(124), after(124)).step == SlurmStep::none);
  CHECK(plan(wanted(), m, rules, after(126), after(126)).step == SlurmStep::report_absent);
}

TEST_CASE("slurm plan: what is missing waits until a marker could be seen, on NFS a minute") {
  SlurmMemory m = began_at(100, 5);
  m.missing_at = after(200);
  const SlurmRules nfs{true, Duration::seconds(65), {}, Duration::seconds(5)};
  CHECK(plan(wanted(true), m, nfs, after(230), after(230)).step == SlurmStep::none);
  CHECK(plan(wanted(true), m, nfs, after(266), after(266)).step == SlurmStep::report_absent);
}

TEST_CASE("slurm plan: who is stopped and missing may have run, until its marker would be seen") {
  core::RankWork stopped = wanted();
  stopped.want = core::RankWork::Want::stop;
  const SlurmRules nfs{true, Duration::seconds(65), {}, Duration::seconds(5)};
  SlurmMemory m;
  m.wished_at = m.asked_at = after(0);
  m.fresh = true;
  m.job_id = 5;
  m.missing_at = after(20);
  CHECK(plan(stopped, m, nfs, after(20), after(20)).step == SlurmStep::none);
  CHECK(plan(stopped, m, nfs, after(80), after(80)).step == SlurmStep::none);
  CHECK(plan(stopped, m, nfs, after(86), after(86)).step == SlurmStep::report_unstarted);
  m.asked_at = {};  // never submitted
  CHECK(plan(stopped, m, nfs, after(20), after(20)).step == SlurmStep::report_unstarted);
}

TEST_CASE("slurm plan: without a gate nothing that may have been submitted is submitted again") {
  const SlurmRules bare{false, {}, {}, Duration::seconds(5)},
      gated{true, Duration::seconds(2), {}, Duration::seconds(5)};
  SlurmMemory fresh;
  fresh.wished_at = after(0);
  fresh.fresh = true;
  CHECK(plan(wanted(), fresh, bare, after(1), after(1)).step == SlurmStep::submit);
  SlurmMemory unanswered = fresh;  // its answer was lost
  unanswered.asked_at = after(0);
  unanswered.unsure_until = after(20);
  unanswered.missing_at = after(30);
  CHECK(plan(wanted(), unanswered, bare, after(36), after(36)).step == SlurmStep::report_absent);
  CHECK(plan(wanted(), unanswered, gated, after(36), after(36)).step == SlurmStep::submit);
  SlurmMemory older = fresh;  // wished for before this life
  older.fresh = false;
  older.missing_at = after(1);
  CHECK(plan(wanted(), older, bare, after(7), after(7)).step == SlurmStep::report_absent);
  CHECK(plan(wanted(), older, gated, after(7), after(7)).step == SlurmStep::submit);
}
