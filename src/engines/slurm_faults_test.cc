// The Slurm engine against a slurmrestd that fails as real ones do (F18, F23-F32 of the reliability
// notes): nothing is started twice, nothing that ended is missed, nothing is concluded from
// silence.
#include "engines/slurm_plan.h"
#include "engines/test_fake_slurm.h"

using namespace ampacity;
using namespace ampacity::engines;

namespace {

using State = core::RankSeen::State;
using Signalled = core::RankSeen::Signalled;
using Want = core::RankWork::Want;

SlurmOptions options_of(const FakeSlurm& slurm, bool shared = true) {
  SlurmOptions o;
  o.cloud = "t";
  o.url = "unix:/nowhere";
  o.state = slurm.root / "state";
  if (shared) o.shared = slurm.root / "shared";
  o.reserve = false;
  o.period = base::Duration::millis(50);
  o.quiet = base::Duration::millis(200);
  o.settle = base::Duration::seconds(1);
  o.lost = base::Duration::seconds(1);
  o.lease = base::Duration::seconds(0);
  return o;
}

struct Cluster {
  FakeSlurm slurm;
  base::SystemClock clock;
  SlurmOptions options = options_of(slurm);
  std::unique_ptr<SlurmWatch> watch() {
    return std::make_unique<SlurmWatch>(make_slurm_engine(options, clock, slurm.transport()));
  }
};

std::string name(const core::RankWork& work) { return work.container_name(); }

}  // namespace

TEST_CASE("slurm: one life, and nothing left of it") {
  Cluster c;
  auto w = c.watch();
  w->engine->desire_whole({});
  const auto work = slurm_rank(1, "true");
  w->engine->desire_also({work});
  REQUIRE(w->reaches(work, State::running));
  c.slurm.end(name(work), 3);
  REQUIRE(w->reaches(work, State::ended));
  const auto end = w->last(work);
  CHECK(end.exit_code == 3);
  CHECK(end.why == "exit code 3");
  CHECK(end.signalled == Signalled::no);
  w->done(work);
  CHECK(w->two_lists());
  CHECK(c.slurm.runs(name(work)) == 1);
  CHECK(w->site().nodes.size() == 1);
  CHECK(w->site().nodes[0].node.emulated);
  CHECK(w->site().skus[0].name == "h100");
}

TEST_CASE("slurm: F18, a submission whose answer is lost is looked for, not repeated") {
  Cluster c;
  auto w = c.watch();
  w->engine->desire_whole({});
  c.slurm.lose_replies = true;
  const auto work = slurm_rank(1, "true");
  w->engine->desire_also({work});
  REQUIRE(w->reaches(work, State::running));
  c.slurm.lose_replies = false;
  CHECK(w->two_lists());
  CHECK(c.slurm.submissions(name(work)) == 1);
  c.slurm.end(name(work), 0);
  REQUIRE(w->reaches(work, State::ended));
  CHECK(c.slurm.runs(name(work)) == 1);
}

TEST_CASE("slurm: a second job of the same name finds the gate shut") {
  Cluster c;
  auto w = c.watch();
  w->engine->desire_whole({});
  const auto work = slurm_rank(1, "true");
  w->engine->desire_also({work});
  REQUIRE(w->reaches(work, State::running));
  FakeSlurm::Job twin;
  twin.name = name(work);
  twin.comment = "ampacity:t";
  c.slurm.add(twin);
  c.slurm.start(name(work));
  CHECK(w->two_lists());
  CHECK(c.slurm.runs(name(work)) == 1);
  CHECK(w->last(work).state == State::running);
  c.slurm.end(name(work), 0);
  REQUIRE(w->reaches(work, State::ended));
  CHECK(w->last(work).exit_code == 0);
}

TEST_CASE("slurm: F23, our restart takes back what runs; and what waits") {
  Cluster c;
  c.slurm.starts_at_once = false;
  auto running = slurm_rank(1, "true"), waiting = slurm_rank(2, "true");
  {
    auto w = c.watch();
    w->engine->desire_whole({});
    w->engine->desire_also({running, waiting});
    REQUIRE(w->until([&] { return c.slurm.submissions(name(waiting)) == 1; }));
    REQUIRE(w->until([&] { return c.slurm.submissions(name(running)) == 1; }));
    c.slurm.start(name(running));
    REQUIRE(w->reaches(running, State::running));
  }
  auto w = c.watch();
  running.confirmed = true;
  w->engine->desire_whole({running, waiting});
  REQUIRE(w->reaches(running, State::running));
  CHECK(w->two_lists());
  c.slurm.start(name(waiting));
  REQUIRE(w->reaches(waiting, State::running));
  CHECK(c.slurm.submissions(name(running)) == 1);
  CHECK(c.slurm.submissions(name(waiting)) == 1);
}

TEST_CASE(
    "slurm: F24, a cluster that lost its state: what ran is lost, what waited is started once") {
  Cluster c;
  c.slurm.starts_at_once = false;
  auto w = c.watch();
  w->engine->desire_whole({});
  auto running = slurm_rank(1, "true"), waiting = slurm_rank(2, "true");
  w->engine->desire_also({running, waiting});
  REQUIRE(w->until([&] { return c.slurm.submissions(name(waiting)) == 1; }));
  REQUIRE(w->until([&] { return c.slurm.submissions(name(running)) == 1; }));
  c.slurm.start(name(running));
  REQUIRE(w->reaches(running, State::running));
  c.slurm.lose_state();
  running.confirmed = true;
  w->engine->desire_also({running});
  REQUIRE(w->reaches(running, State::absent, 30));
  CHECK(w->last(running).ended_at.us != 0);
  REQUIRE(w->until([&] { return c.slurm.submissions(name(waiting)) == 2; }, 30));

  // F25: all of it is back, runs and all.
  w->done(running);
  c.slurm.resurrect();
  REQUIRE(w->until([&] { return c.slurm.word(name(running)) == "CANCELLED"; }, 60));
  c.slurm.start(name(waiting));
  REQUIRE(w->reaches(waiting, State::running));
  CHECK(c.slurm.runs(name(waiting)) == 1);
  CHECK(c.slurm.runs(name(running)) == 1);
}

TEST_CASE("slurm: an end that Slurm forgot while we were away is told by its marker") {
  Cluster c;
  auto work = slurm_rank(1, "true");
  {
    auto w = c.watch();
    w->engine->desire_whole({});
    w->engine->desire_also({work});
    REQUIRE(w->reaches(work, State::running));
  }
  c.slurm.end(name(work), 5);
  c.slurm.forget_ended();
  auto w = c.watch();
  work.confirmed = true;
  w->engine->desire_whole({work});
  REQUIRE(w->reaches(work, State::ended));
  CHECK(w->last(work).exit_code == 5);
  CHECK(c.slurm.runs(name(work)) == 1);
}

TEST_CASE("slurm: F31, F32: silence, 503 and a cut list say nothing about who runs") {
  Cluster c;
  auto w = c.watch();
  w->engine->desire_whole({});
  auto work = slurm_rank(1, "true");
  w->engine->desire_also({work});
  REQUIRE(w->reaches(work, State::running));
  work.confirmed = true;
  w->engine->desire_also({work});
  for (bool* fault : {&c.slurm.unreachable, &c.slurm.throttled, &c.slurm.cut_lists}) {
    *fault = true;
    REQUIRE(w->until([&] { return !w->engine->health().reachable; }, 30));
    *fault = false;
    REQUIRE(w->until([&] { return w->engine->health().reachable; }, 30));
  }
  CHECK(w->last(work).state == State::running);
  CHECK(c.slurm.runs(name(work)) == 1);
  // The marker tells with Slurm away.
  c.slurm.unreachable = true;
  c.slurm.end(name(work), 0);
  REQUIRE(w->reaches(work, State::ended));
}

TEST_CASE("slurm: stop: TERM, then KILL after the grace; waiting ones never start") {
  Cluster c;
  auto w = c.watch();
  w->engine->desire_whole({});
  auto kind = slurm_rank(1, "true"), deaf = slurm_rank(2, "true"), waiting = slurm_rank(3, "true");
  w->engine->desire_also({kind, deaf});
  REQUIRE(w->reaches(kind, State::running));
  REQUIRE(w->reaches(deaf, State::running));
  kind.want = Want::stop;
  w->engine->desire_also({kind});
  REQUIRE(w->reaches(kind, State::ended));
  CHECK(w->last(kind).exit_code == 143);
  CHECK(w->last(kind).signalled == Signalled::yes);

  c.slurm.deaf = true;  // F28, F29
  deaf.want = Want::stop;
  deaf.grace_s = 1;
  w->engine->desire_also({deaf});
  CHECK(w->two_lists());
  CHECK(w->last(deaf).state == State::running);
  c.slurm.deaf = false;
  REQUIRE(w->reaches(deaf, State::ended, 30));
  CHECK(w->last(deaf).exit_code == 137);

  c.slurm.starts_at_once = false;
  w->engine->desire_also({waiting});
  REQUIRE(w->until([&] { return c.slurm.submissions(name(waiting)) == 1; }));
  waiting.want = Want::stop;
  w->engine->desire_also({waiting});
  REQUIRE(w->reaches(waiting, State::failed_to_start));
  CHECK(c.slurm.word(name(waiting)) == "CANCELLED");
  CHECK(c.slurm.runs(name(waiting)) == 0);
}

TEST_CASE(
    "slurm: what is held, or waits for a node that is away, is taken back; once it may start, "
    "not") {
  Cluster c;
  c.slurm.starts_at_once = false;
  c.options.stuck = base::Duration::seconds(2);
  auto w = c.watch();
  w->engine->desire_whole({});
  const auto held = slurm_rank(1, "true"), away = slurm_rank(2, "true"),
             patient = slurm_rank(3, "true");
  w->engine->desire_also({held, away, patient});
  for (const auto* one : {&held, &away, &patient})
    REQUIRE(w->until([&] { return c.slurm.submissions(name(*one)) == 1; }));
  c.slurm.reason(name(held), "JobHeldAdmin");
  c.slurm.reason(name(away), "ReqNodeNotAvail, UnavailableNodes:n1");
  c.slurm.reason(name(patient), "NodeDown");
  CHECK(w->two_lists());
  c.slurm.reason(name(patient), "Resources");
  for (const auto* one : {&held, &away}) {
    REQUIRE(w->reaches(*one, State::failed_to_start));
    CHECK(w->last(*one).signalled == Signalled::yes);
    CHECK(w->last(*one).why.find("taken back") != std::string::npos);
    CHECK(c.slurm.word(name(*one)) == "CANCELLED");
    CHECK(c.slurm.runs(name(*one)) == 0);
    CHECK(c.slurm.submissions(name(*one)) == 1);
  }
  CHECK(w->two_lists());
  CHECK(c.slurm.word(name(patient)) == "PENDING");
  c.slurm.start(name(patient));
  REQUIRE(w->reaches(patient, State::running));
}

TEST_CASE("slurm: refusals: for good, and those that waiting mends") {
  Cluster c;
  auto w = c.watch();
  w->engine->desire_whole({});
  c.slurm.refuse_with = 2014;
  const auto never = slurm_rank(1, "true"), later = slurm_rank(2, "true");
  w->engine->desire_also({never});
  REQUIRE(w->reaches(never, State::failed_to_start));
  CHECK(w->last(never).why.find("refused by the test") != std::string::npos);
  c.slurm.refuse_with = 2009;
  w->engine->desire_also({later});
  REQUIRE(w->until([&] { return c.slurm.submissions(name(later)) >= 2; }));
  c.slurm.refuse_with = 0;
  REQUIRE(w->reaches(later, State::running));

  auto volume = slurm_rank(3, "true");
  volume.volumes = {{"data", "/data"}};
  w->engine->desire_also({volume});
  REQUIRE(w->reaches(volume, State::failed_to_start));
  CHECK(w->last(volume).why.find("volume") != std::string::npos);
}

TEST_CASE("slurm: strays of ours are ended, others' jobs are not touched") {
  Cluster c;
  FakeSlurm::Job stray, foreign;
  stray.name = "job-00000000000000000000000000-1-0";
  stray.comment = "ampacity:t";
  foreign.name = "theirs";
  foreign.comment = "ampacity:another";
  c.slurm.add(stray);
  c.slurm.add(foreign);
  auto w = c.watch();
  CHECK(w->two_lists());
  CHECK(c.slurm.word(stray.name) == "PENDING");  // nobody has said yet what is wanted
  w->engine->desire_whole({});
  REQUIRE(w->until([&] { return c.slurm.word(stray.name) == "CANCELLED"; }));
  CHECK(w->two_lists());
  CHECK(c.slurm.word(foreign.name) == "PENDING");
}

TEST_CASE("slurm: the time limit is renewed, as a lease is; where it may not be, there is none") {
  Cluster c;
  c.options.lease = base::Duration::seconds(120);
  auto work = slurm_rank(1, "true");
  const auto run_for_a_while = [&](const core::RankWork& one) {
    auto w = c.watch();
    w->engine->desire_whole({});
    c.slurm.clock_wrong_s = -70;  // it will seem to have begun a while ago
    w->engine->desire_also({one});
    REQUIRE(w->reaches(one, State::running));
    CHECK(c.slurm.limit_of(name(one)) == 2);
    c.slurm.clock_wrong_s = 0;
  };
  run_for_a_while(work);
  {
    auto w = c.watch();
    work.confirmed = true;
    w->engine->desire_whole({work});
    REQUIRE(w->until([&] { return c.slurm.limit_of(name(work)) == 3; }));
  }
  c.slurm.no_renewals = true;
  auto other = slurm_rank(2, "true");
  run_for_a_while(other);
  other.confirmed = true;
  auto w = c.watch();
  w->engine->desire_whole({other});
  REQUIRE(w->until([&] { return w->engine->health().note.find("no lease") != std::string::npos; }));
  const auto third = slurm_rank(3, "true");
  w->engine->desire_also({third});
  REQUIRE(w->reaches(third, State::running));
  CHECK(c.slurm.limit_of(name(third)) == 0);
}

TEST_CASE("slurm: a limit never reaches past the lease; F30, a wrong clock does not change that") {
  SlurmMemory m;
  SlurmRules rules;
  rules.lease = base::Duration::seconds(120);
  m.limit_min = 2;
  for (std::int64_t s : {0, 30, 59, 61, 90, 119}) {
    m.running_from = {1'000'000'000};
    const base::Instant now = m.running_from + base::Duration::seconds(s);
    const auto end = m.running_from + base::Duration::seconds(60 * lease_limit(m, rules, now));
    CHECK(end <= now + rules.lease);
    CHECK((s <= 59 || lease_limit(m, rules, now) == 3));
  }
  m.running_from = {};  // an hour ago and more, says its clock
  CHECK(lease_limit(m, rules, {3'600'000'000}) == 4);
}

TEST_CASE("slurm: without a shared folder Slurm's word is all there is; what it forgot is lost") {
  Cluster c;
  c.options = options_of(c.slurm, false);
  std::filesystem::create_directories(c.slurm.root / "shared" / "markers");
  auto w = c.watch();
  w->engine->desire_whole({});
  auto work = slurm_rank(1, "true"), lost = slurm_rank(2, "true");
  w->engine->desire_also({work, lost});
  REQUIRE(w->reaches(work, State::running));
  REQUIRE(w->reaches(lost, State::running));
  c.slurm.end(name(work), 4);
  REQUIRE(w->reaches(work, State::ended));
  CHECK(w->last(work).exit_code == 4);
  c.slurm.lose_state();
  REQUIRE(w->reaches(lost, State::absent, 30));
  CHECK(c.slurm.submissions(name(lost)) == 1);
}
