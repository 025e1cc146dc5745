// Budgets and webhooks on the command line.
#include <doctest/doctest.h>

#include "api/contract_hooks.h"
#include "cli/test_verbs.h"

using namespace ampacity;
using namespace ampacity::cli;

namespace {

api::BudgetView sample_budget() {
  api::BudgetView b;
  b.id = "bud-1";
  b.name = "demo-month-usd";
  b.org = "acme";
  b.project = "demo";
  b.per = core::BudgetWindow::month;
  b.unit = "usd";
  b.limit = "500";
  b.used = "410.20";
  b.held = "6.37";
  b.left = "83.43";
  b.percent = 83;
  b.alerts = {50, 80, 100};
  b.fired = {50, 80};
  b.block = b.stop = true;
  b.from = *base::parse_instant("2026-11-01T00:00:00Z");
  b.until = *base::parse_instant("2026-12-01T00:00:00Z");
  b.reached_at = *base::parse_instant("2026-11-25T04:00:00Z");
  return b;
}

api::WebhookView sample_webhook() {
  api::WebhookView w;
  w.id = "whk-1";
  w.url = "https://hooks.example.com/x";
  w.events = {"budget.crossed", "job.ended"};
  w.project = "demo";
  w.enabled = false;
  w.why = "it answered 410";
  w.created_at = *base::parse_instant("2026-11-22T12:00:00Z");
  return w;
}

api::DeliveryView sample_delivery() {
  api::DeliveryView d;
  d.id = "msg_1_7";
  d.webhook = "whk-1";
  d.event = "job.ended";
  d.sequence = 7;
  d.state = "waiting";
  d.attempts = 3;
  d.created_at = *base::parse_instant("2026-11-22T12:00:00Z");
  d.next_at = *base::parse_instant("2026-11-22T12:05:00Z");
  d.status = 503;
  d.why = "answered 503";
  return d;
}

std::string shown_once() {
  api::WebhookView w = sample_webhook();
  w.secret = "whsec_abc";
  return base::to_json(w);
}

const std::vector<VerbRow> hook_rows = {
    {{"budgets", "set", "--project", "demo", "--limit", "500usd", "--alert", "50,80,100", "--stop"},
     "PUT /v1/budgets",
     "/v1/budgets",
     base::to_json(sample_budget()),
     "demo-month-usd: 500 USD a month, 83.43 USD left until 2026-12-01T00:00:00Z",
     R"({"project":"demo","per":"month","limit":"500usd","alerts":[50,80,100],"stop":true})"},
    {{"budgets", "--project", "demo"},
     "GET /v1/budgets",
     "/v1/budgets?project=demo",
     base::to_json(api::BudgetList{{sample_budget()}}),
     "50! 80! 100 %, stop",
     ""},
    {{"budgets", "rm", "demo-month-usd"}, "DELETE /v1/budgets/demo-month-usd", "", "", "", ""},
    {{"webhooks", "add", "https://hooks.example.com/x", "--events", "job.ended,budget.crossed"},
     "POST /v1/webhooks",
     "/v1/webhooks",
     shown_once(),
     "whsec_abc",
     R"({"url":"https://hooks.example.com/x","events":["job.ended","budget.crossed"]})"},
    {{"webhooks"},
     "GET /v1/webhooks",
     "/v1/webhooks",
     base::to_json(api::WebhookList{{sample_webhook()}}),
     "off: it answered 410",
     ""},
    {{"webhooks", "enable", "whk-1"},
     "POST /v1/webhooks/whk-1/enable",
     "",
     base::to_json(sample_webhook()),
     "",
     ""},
    {{"webhooks", "test", "whk-1"},
     "POST /v1/webhooks/whk-1/test",
     "",
     base::to_json(api::WebhookTest{true, "msg_test_1", 204, {}}),
     "delivered msg_test_1: answered 204",
     ""},
    {{"webhooks", "deliveries", "whk-1", "--limit", "5"},
     "GET /v1/webhooks/whk-1/deliveries",
     "/v1/webhooks/whk-1/deliveries?limit=5",
     base::to_json(api::DeliveryList{{sample_delivery()}}),
     "answered 503",
     ""},
    {{"webhooks", "rm", "whk-1"}, "DELETE /v1/webhooks/whk-1", "", "", "", ""},
};

}  // namespace

TEST_CASE("budgets and webhooks: each verb asks its route and shows the answer") {
  check_verbs(hook_rows);
}
