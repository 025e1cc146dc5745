// `why` and `quote`, to the letter.
#include <doctest/doctest.h>

#include "cli/fake_cloud.h"

using namespace ampacity;
using namespace ampacity::cli;
using core::JobState;

namespace {

base::Instant at(const char* text) { return *base::parse_instant(text); }

api::WhyView waiting() {
  api::WhyView v;
  v.job = "job-06bx1";
  v.name = "train-9";
  v.state = JobState::queued;
  v.constraint = core::Constraint::no_room;
  v.why = "needs 4 nodes with 8 free h100; 3 now";
  v.job_class = core::JobClass::on_demand;
  v.place = 2;
  v.ahead = 1;
  v.expected = at("2026-11-22T12:35:00Z");
  v.likely_by = at("2026-11-23T00:10:00Z");
  v.promised_by = at("2026-11-23T01:00:00Z");
  v.promise_certain = true;
  v.waiting_since = at("2026-11-22T11:50:00Z");
  v.usd_per_hour = "178.56";
  return v;
}

}  // namespace

TEST_CASE("why: what holds it, its place, its start and how sure") {
  FakeCloud cloud;
  FakeTerminal cli;
  cli.env["AMPACITY_URL"] = cloud.url();
  cloud.answer("GET /v1/jobs/train-9/why", 200, base::to_json(waiting()));
  CHECK(cli({"why", "train-9"}) == 0);
  CHECK(cli.out.str() ==
        "train-9 is queued: needs 4 nodes with 8 free h100; 3 now\n"
        "place    number 2 of on_demand; 1 job ahead wants the same\n"
        "starts   expected 12:35 UTC (in 35m), by 2026-11-23 00:10 UTC in 8 of 10\n"
        "promise  starts by 2026-11-23 01:00 UTC at the latest (certain: all it waits for has a "
        "time limit)\n"
        "waits    10m, since 11:50 UTC\n"
        "price    178.56 USD per hour\n");

  api::WhyView v = waiting();
  v.expected.reset();
  v.promised_by.reset();
  v.ahead = 20'000;
  v.ahead_or_more = true;
  v.preemptions = 2;
  cloud.answer("GET /v1/jobs/train-9/why", 200, base::to_json(v));
  CHECK(cli({"why", "train-9"}) == 0);
  CHECK(cli.out.str().find("20000 or more jobs ahead want the same") != std::string::npos);
  CHECK(cli.out.str().find("nobody can say") != std::string::npos);
  CHECK(cli.out.str().find("preempted  2 times") != std::string::npos);
}

TEST_CASE("why: what runs and what has ended is said in a sentence") {
  FakeCloud cloud;
  FakeTerminal cli;
  cli.env["AMPACITY_URL"] = cloud.url();
  api::WhyView v;
  v.name = "train";
  v.state = JobState::ended;
  v.outcome = core::Outcome::timed_out;
  v.why = "its time limit was reached at 11:00 UTC";
  cloud.answer("GET /v1/jobs/train/why", 200, base::to_json(v));
  CHECK(cli({"why", "train"}) == 0);
  CHECK(cli.out.str() == "train timed out: its time limit was reached at 11:00 UTC\n");
  v.state = JobState::running;
  v.why = "runs since 11:00 UTC";
  v.usd_per_hour = "38.24";
  cloud.answer("GET /v1/jobs/train/why", 200, base::to_json(v));
  CHECK(cli({"why", "train"}) == 0);
  CHECK(cli.out.str() == "train is running: runs since 11:00 UTC\nprice  38.24 USD per hour\n");
  CHECK(cli({"why", "nobody"}) == 2);
}

TEST_CASE("quote: each way to have it, its price, its start and how sure") {
  FakeCloud cloud;
  FakeTerminal cli;
  cli.env["AMPACITY_URL"] = cloud.url();
  api::Quote q;
  q.sku = "h100";
  q.usd_per_hour = "178.56";
  q.why = "no room now: it would wait its turn";
  const auto soon = at("2026-11-22T12:35:00Z"), late = at("2026-11-22T14:10:00Z");
  const auto now = at("2026-11-22T12:00:00Z");
  using core::JobClass;
  q.options = {
      {"on_demand", "h100:8x4", JobClass::on_demand, {}, "178.56", false, soon, late, false, {}},
      {"spot", "h100:8x4", JobClass::spot, {}, "96.96", true, now, now, false, 30},
      {"smaller", "h100:8x2", JobClass::on_demand, {}, "89.28", true, now, now, false, {}},
      {"other_gpu", "a40:8x4", JobClass::on_demand, {}, "40.00", false, {}, {}, false, {}},
  };
  cloud.answer("POST /v1/quotes", 200, base::to_json(q));
  CHECK(cli({"quote", "h100:8x4", "--time", "2h"}) == 0);
  CHECK(cli.out.str().starts_with(
      "WHAT         GPUS       USD/H  STARTS                    SURE\n"
      "on demand    h100:8x4  178.56  about 12:35 UTC (in 35m)  by 14:10 UTC, 8 of 10\n"
      "spot         h100:8x4   96.96  now                       30 s notice if preempted\n"
      "half of it   h100:8x2   89.28  now\n"
      "another GPU  a40:8x4    40.00  nobody can say\n"));
  const auto sent = base::from_json<api::JobRequest>(cloud.seen("POST /v1/quotes").at(0).body);
  REQUIRE(sent);
  CHECK(sent->resources->gpus == "h100:8x4");
  CHECK(sent->time == "2h");
}
