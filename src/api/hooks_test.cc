// Requests for budgets and webhooks, and what webhooks are told.
#include <doctest/doctest.h>

#include "api/bind_hooks.h"
#include "api/webhook_event.h"
#include "base/json.h"

namespace ampacity::api {

TEST_CASE("limits: money or GPU-hours, in the forms people write") {
  struct Row {
    const char* text;
    core::BudgetUnit unit;
    std::int64_t limit;
    const char* currency = "USD";
  };
  const auto money = core::BudgetUnit::money, hours = core::BudgetUnit::gpu_time;
  for (const Row& r :
       {Row{"500usd", money, 500 * base::ticks_per_usd},
        Row{"500 USD", money, 500 * base::ticks_per_usd}, Row{"$0.01", money, base::ticks_per_cent},
        Row{"25.50usd", money, 2550 * base::ticks_per_cent}, Row{"100gpuh", hours, 360'000'000, ""},
        Row{"0.5 GPU-hours", hours, 1'800'000, ""}, Row{"1gpu_hours", hours, 3'600'000, ""},
        Row{"50000jpy", money, 50'000 * base::ticks_per_usd, "JPY"},
        Row{"1.005 KWD", money, 36'180'000, "KWD"}}) {
    CAPTURE(r.text);
    BudgetRequest request;
    request.limit = r.text;
    request.alerts = {50};
    const auto bound = bind_budget(request);
    REQUIRE(bound);
    CHECK(bound->set.budget.unit == r.unit);
    CHECK(bound->set.budget.limit == r.limit);
    CHECK(bound->currency == r.currency);
  }
  for (const char* text :
       {"", "500", "usd", "-5usd", "0usd", "0gpuh", "5xyz", "0.5jpy", "1.0005kwd", "0.005usd",
        "1e9usd", "5 hours", "$", "$5gpuh", "99999999999999usd", "0.0001gpuh"}) {
    CAPTURE(text);
    BudgetRequest request;
    request.limit = text;
    request.alerts = {50};
    const auto bound = bind_budget(request);
    REQUIRE_FALSE(bound);
    CHECK(bound.error().wrong.at(0).field == "limit");
  }
}

TEST_CASE("every wrong field of a budget is named") {
  BudgetRequest r;
  r.name = "";
  r.org = "acme";
  r.project = "demo";
  r.limit = "much";
  r.alerts = {0};
  const auto bound = bind_budget(r);
  REQUIRE_FALSE(bound);
  std::vector<std::string> fields;
  for (const auto& w : bound.error().wrong) fields.push_back(w.field);
  CHECK(fields == std::vector<std::string>{"limit", "name", "project", "alerts"});
  BudgetRequest idle;
  idle.limit = "5usd";
  CHECK_FALSE(bind_budget(idle));
  idle.stop = true;
  CHECK(bind_budget(idle)->set.budget.blocks);
}

TEST_CASE("a webhook names events there are; none means all") {
  WebhookRequest r;
  r.url = "https://example.com";
  CHECK(bind_webhook(r)->webhook.events.empty());
  for (const auto type : webhook_event_types()) r.events.emplace_back(type);
  r.events.emplace_back("job.ended");
  CHECK(bind_webhook(r)->webhook.events.size() == webhook_event_types().size());
  r.events = {"job.finished"};
  const auto bound = bind_webhook(r);
  REQUIRE_FALSE(bound);
  CHECK(bound.error().message.find("job.ended") != std::string::npos);
}

TEST_CASE("who hears of an event") {
  const WebhookEvent of_demo{"job.ended", 0, 1, {}};
  const WebhookEvent of_org{"invoice.issued", 0, core::nobody, {}};
  core::Webhook all, org, demo, other, some;
  org.org = 0;
  demo.project = 1;
  other.project = 2;
  some.events = {"invoice.issued"};
  CHECK(hears(all, of_demo));
  CHECK(hears(org, of_demo));
  CHECK(hears(demo, of_demo));
  CHECK_FALSE(hears(other, of_demo));
  CHECK_FALSE(hears(some, of_demo));
  CHECK(hears(some, of_org));
  CHECK(hears(org, of_org));
  CHECK_FALSE(hears(demo, of_org));  // the org's affairs are not a project's
  all.enabled = false;
  CHECK_FALSE(hears(all, of_demo));
}

}  // namespace ampacity::api
