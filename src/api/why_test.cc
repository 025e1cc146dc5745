// The sentences of `why`, and the ways a quote offers, on small clouds.
#include <doctest/doctest.h>

#include "api/views.h"
#include "core/desire.h"
#include "core/test_cloud.h"

namespace ampacity::api {
namespace {

using core::Constraint;
using core::JobClass;
using core::TestCloud;

WhyView why(const TestCloud& c, base::Id id, core::ProjectIx only = 0) {
  return view_why(c.world, c.job(id), only, c.now);
}

const QuoteOption* option(const Quote& q, const std::string& what) {
  for (const QuoteOption& o : q.options)
    if (o.what == what) return &o;
  return nullptr;
}

}  // namespace

TEST_CASE("why: needed, there now, whose end gives the rest; then who keeps the rest") {
  TestCloud c(3);  // begins 2001-09-09T01:46:40Z
  c.start(c.request("h100:8", 7200));
  core::SubmitJob s = c.request("h100:8", 600);
  s.job.expected_run_s = 500;
  const base::Id first = c.start(s);
  const base::Id gang = c.submit(c.request("h100:8x2"));
  const WhyView v = why(c, gang);
  CHECK(v.constraint == Constraint::no_room);
  CHECK(v.why == "needs 2 nodes with 8 free h100; 1 now; the 2nd when " + core::job_name(first) +
                     " (" + c.job(first).name + ") ends, about 01:55 UTC");
  CHECK(v.rooms.at(0).ending_job == core::job_name(first));
  CHECK(v.place == 1);
  CHECK(v.ahead == 0);
  CHECK(v.usd_per_hour == "89.28");
  CHECK(v.waiting_since == c.now);
  REQUIRE(v.expected);
  CHECK(*v.expected == c.now + base::Duration::seconds(500));
  REQUIRE(v.promised_by);
  CHECK(v.promise_certain == true);
  CHECK(*v.likely_by <= *v.promised_by);
  CHECK(why_waiting(c.world, c.job(gang), c.now).starts_with("needs 2 nodes with 8 free h100; "));

  core::SubmitJob third = c.request("h100:8x2");
  CHECK(why(c, c.submit(third)).why ==
        "needs 2 nodes with 8 free h100; none now; 1 more is free, but promised to another job, by "
        "01:57 UTC");
}

TEST_CASE("why: others' jobs are not named, but to an operator") {
  TestCloud c(1);
  c.start(c.request("h100:8", 7200));
  c.add_project("other", 100'000);
  core::SubmitJob s = c.request("h100:8");
  s.job.project = 1;
  const WhyView theirs = why(c, c.submit(s), 1);
  CHECK(theirs.why.find("another project's job") != std::string::npos);
  CHECK(theirs.why.find("job-") == std::string::npos);
  CHECK_FALSE(theirs.rooms.at(0).ending_job);
  CHECK(why(c, s.job.id, core::nobody).why.find("job-") != std::string::npos);
}

TEST_CASE("why: what runs, stops and has ended") {
  TestCloud c(1);
  const base::Id job = c.start(c.request("h100:8"));
  CHECK(why(c, job).why == "runs since 01:46 UTC");
  CHECK(why(c, job).constraint == Constraint::none);
  CHECK_FALSE(why(c, job).expected);
  REQUIRE(c.run(core::StopJob{job, core::StopReason::asked, "stopped by ann"}));
  CHECK(why(c, job).why == "stopped by ann");
}

TEST_CASE("why: a claimed place") {
  TestCloud c(1);
  core::SubmitJob spot = c.request("h100:8");
  spot.job.job_class = JobClass::spot;
  c.start(spot);
  c.now = c.now + base::Duration::seconds(900);
  const base::Id job = c.submit(c.request("h100:8"));
  const WhyView v = why(c, job);
  CHECK(v.constraint == Constraint::claimed);
  CHECK(v.why == "is getting its place: 1 job is being stopped for it, notice ends in 30 s");
  CHECK(v.expected == c.now + base::Duration::seconds(30));
}

TEST_CASE("quote: room now is one line dear, one cheap, and nothing that is no better") {
  TestCloud c(2);
  core::SubmitJob s = c.request("h100:8x2");
  s.job.id = {};
  const auto q = view_quote(c.world, s, c.now);
  REQUIRE(q);
  CHECK(q->starts_now);
  REQUIRE(q->options.size() == 2);
  CHECK(q->options[0].what == "on_demand");
  CHECK(q->options[0].starts_now);
  CHECK(q->options[0].usd_per_hour == "89.28");
  CHECK(q->options[0].gpus == "h100:8x2");
  CHECK(q->options[1].what == "spot");
  CHECK(q->options[1].notice_s == 30);
  CHECK(q->lines.size() == 3);
  CHECK(q->usd_per_hour == "89.28");
}

TEST_CASE("quote: no room now: when it would start, and what would start sooner") {
  TestCloud c(2, 2);
  core::SubmitJob busy = c.request("h100:8", 3600);
  busy.job.expected_run_s = 3000;
  c.start(busy);
  const auto q = view_quote(c.world, c.request("h100:8x2", 3600), c.now);
  REQUIRE(q);
  CHECK_FALSE(q->starts_now);
  CHECK(q->why == "no room now: it would wait its turn");
  const QuoteOption* asked = option(*q, "on_demand");
  REQUIRE(asked);
  CHECK_FALSE(asked->starts_now);
  CHECK(asked->expected == c.now + base::Duration::seconds(3000));
  const QuoteOption* half = option(*q, "smaller");
  REQUIRE(half);
  CHECK(half->gpus == "h100:8");
  CHECK(half->starts_now);
  CHECK(half->usd_per_hour == "44.64");
  CHECK_FALSE(option(*q, "other_gpu"));  // an a40 has less memory

  const auto a40 = view_quote(c.world, c.request("a40:4"), c.now);
  REQUIRE(a40);
  CHECK(a40->starts_now);
  CHECK_FALSE(option(*a40, "other_gpu"));  // dearer, and not sooner
}

TEST_CASE("quote: on demand tells spot to make room; half as much room, another GPU") {
  TestCloud c(1, 1);
  core::SubmitJob spot = c.request("h100:8");
  spot.job.job_class = JobClass::spot;
  c.start(spot);
  c.start(c.request("a40:4"));
  c.now = c.now + base::Duration::seconds(900);
  const auto q = view_quote(c.world, c.request("h100:8"), c.now);
  REQUIRE(q);
  CHECK(q->options.at(0).makes_room);
  CHECK(q->options.at(0).expected == c.now + base::Duration::seconds(30));
  CHECK(q->why == "work of a lower class is told to make room for it");
  const auto a40 = view_quote(c.world, c.request("a40:4"), c.now);
  REQUIRE(a40);
  const QuoteOption* other = option(*a40, "other_gpu");
  REQUIRE(other);
  CHECK(other->gpus == "h100:4");
  CHECK(other->makes_room);
}

}  // namespace ampacity::api
