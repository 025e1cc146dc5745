// Quotas: what a project and its org may use at once and in a window.
#include <doctest/doctest.h>

#include "core/place.h"
#include "core/test_cloud.h"

namespace ampacity::core {
namespace {

using base::Code;

void limit_gpus(TestCloud& c, const char* sku, std::int64_t gpus, bool org = false) {
  SetQuota q;
  (org ? q.org : q.project) = org ? "acme" : "demo";
  q.gpu_milli = {{sku, gpus * 1000}};
  REQUIRE(c.run(q));
}

base::Refusal refused(TestCloud& c, const SubmitJob& s) {
  const std::string before = state_digest(c.world.state());
  const auto r = c.run(s);
  REQUIRE_FALSE(r);
  CHECK(state_digest(c.world.state()) == before);
  return r.error();
}

}  // namespace

TEST_CASE("GPUs at once: of one kind, of all, of a project, of its org") {
  struct Row {
    const char* sku;
    bool org;
    const char* what;
  };
  for (const Row& row :
       {Row{"h100", false, "project_h100_milli"}, Row{"", false, "project_gpu_milli"},
        Row{"h100", true, "org_h100_milli"}, Row{"", true, "org_gpu_milli"}}) {
    CAPTURE(row.what);
    TestCloud c(2, 1);
    limit_gpus(c, row.sku, 10, row.org);
    const Id first = c.start(c.request("h100:8", 3600));
    const base::Refusal r = refused(c, c.request("h100:3"));
    CHECK(r.code == Code::over_quota);
    REQUIRE(r.missing.size() == 1);
    CHECK(r.missing[0] == base::Missing{row.what, 3000, 2000});
    CHECK(r.earliest == c.now + Duration::seconds(3630));
    const base::Refusal never = refused(c, c.request("h100:8x2"));
    CHECK_FALSE(never.earliest);
    CHECK(never.message.find("more than the quota") != std::string::npos);
    c.submit(c.request("h100:2"));
    refused(c, c.request("h100:1"));
    // Another kind counts in a sum only; another project in the org's only.
    CHECK(c.run(c.request("a40:1")).has_value() == (row.sku[0] != 0));
    c.add_project("other", 1'000'000);
    CHECK(c.run(in_class(c.request("h100:1"), JobClass::on_demand, 1)).has_value() == !row.org);
    c.end(first);
    c.submit(c.request("h100:8"));
    check_world(c.world);
  }
}

TEST_CASE("who waits counts as well: many submissions at once cannot exceed") {
  TestCloud c(1);
  limit_gpus(c, "h100", 16);
  c.submit(c.request("h100:8"));
  c.submit(c.request("h100:8"));  // waits
  CHECK(refused(c, c.request("h100:1")).missing.at(0).available == 0);
}

TEST_CASE("of alternatives, the one with room; never the one without") {
  TestCloud c(2, 1);
  limit_gpus(c, "h100", 8);
  c.start(c.request("h100:8"));
  c.start(c.request("a40:2"));
  const Id either = c.submit(c.request("h100|a40:4"));  // no a40 has four free, an h100 has
  CHECK(c.waits(either));
  const Alive& alive = c.world.alive_of_project[0];
  std::int64_t leased = 0;
  for (const Job& j : c.world.state().jobs)
    if (j.lease && j.lease->sku == 0) leased += gpu_milli_of(j.demand);
  CHECK(leased == 8000);
  CHECK(alive.gpu_milli.size() == 2);
}

TEST_CASE("GPU-hours and dollars in a window, of project and org; time limits are needed") {
  for (const bool org : {false, true})
    for (const bool dollars : {false, true}) {
      CAPTURE(org);
      CAPTURE(dollars);
      TestCloud c(2);
      const Ticks per_second = 8 * 47'800 + 128 * 100 + 1024 * 50;
      SetQuota q;
      (org ? q.org : q.project) = org ? "acme" : "demo";
      q.quota.window_s = 86'400;
      if (dollars)
        q.quota.spend = per_second * 10'000;
      else
        q.quota.gpu_milli_s = 8000 * 10'000;
      REQUIRE(c.run(q));
      const std::int64_t day_us = 86'400'000'000;
      const Instant next{(c.now.us / day_us + 1) * day_us};
      CHECK(refused(c, c.request("h100:8")).wrong.at(0).field == "time");
      const Id first = c.start(c.request("h100:8", 5950));  // 6,000 with grace and confirmation
      base::Refusal r = refused(c, c.request("h100:8", 3951));
      CHECK(r.code == Code::over_quota);
      CHECK(r.earliest == next);
      const std::int64_t unit = dollars ? per_second : 8000;
      CHECK(r.missing.at(0).wanted == 4001 * unit);
      CHECK(r.missing.at(0).available == 4000 * unit);
      CHECK_FALSE(refused(c, c.request("h100:8", 9951)).earliest);
      c.submit(c.request("h100:8", 3950));
      refused(c, c.request("h100:1", 60));
      // What it did not use comes back; what it used does not.
      c.tick(550);  // the first quantum is settled
      c.tick(450);
      c.end(first);
      r = refused(c, c.request("h100:8", 4951));
      CHECK(r.missing.at(0).available == 5000 * unit);
      c.submit(c.request("h100:8", 4950));
      refused(c, c.request("h100:1", 60));
      c.now = next;
      for (const Job& j : c.world.state().jobs)
        if (!j.id.is_nil()) CHECK(j.lease);
      refused(c, c.request("h100:8", 5951));  // those two still count as what they may use
      c.submit(c.request("h100:1", 60));
      check_world(c.world);
      check_refolded(c.facts, c.world);
    }
}

}  // namespace ampacity::core
