// The contract's bodies about limits and alerts: budgets, webhooks and what webhooks are sent. As
// api/contract.h: described structs, and everything else follows from them.
#pragma once

#include "api/contract.h"
#include "core/budget_model.h"

namespace ampacity::api {

// ---- budgets ------------------------------------------------------------------------------------

// PUT /v1/budgets: one of the same name in its org is changed, and keeps what it counted.
struct BudgetRequest {
  std::optional<std::string> name;     // default: made from the rest: demo-month-usd
  std::optional<std::string> org;      // one of the three; a customer's key: its own project …
  std::optional<std::string> project;  // … or a key of it
  std::optional<std::string> key;
  core::BudgetWindow per{};
  std::string limit;                  // "500usd", in what the org is billed in, or "100gpuh"
  std::vector<std::uint32_t> alerts;  // percents of the limit: 50, 80, 100
  std::optional<bool> block;          // nothing new starts beyond it
  std::optional<bool> stop;           // and what runs is stopped inside it, with its grace
};
BOOST_DESCRIBE_STRUCT(BudgetRequest, (), (name, org, project, key, per, limit, alerts, block, stop))

struct BudgetView {
  std::string id;
  std::string name;
  std::string org;
  std::optional<std::string> project;  // absent: of the whole org
  std::optional<std::string> key;
  core::BudgetWindow per{};
  std::string unit;          // "usd", "jpy" …, or "gpu_hours": of limit, used, held, left
  std::string limit;         // "500"
  std::string used;          // until now
  std::string held;          // beside it, by live leases for what comes
  std::string left;          // limit − used − held; 0 where it is exceeded
  std::int64_t percent = 0;  // of the limit that is used or held, rounded down
  std::vector<std::uint32_t> alerts;
  std::vector<std::uint32_t> fired;  // of them, in this window
  bool block = false;
  bool stop = false;
  bool by_operator = false;
  Instant from;
  std::optional<Instant> until;       // absent: once
  std::optional<Instant> reached_at;  // at the present rate, if that is inside the window
};
BOOST_DESCRIBE_STRUCT(BudgetView, (),
                      (id, name, org, project, key, per, unit, limit, used, held, left, percent,
                       alerts, fired, block, stop, by_operator, from, until, reached_at))
struct BudgetList {
  std::vector<BudgetView> items;
};
BOOST_DESCRIBE_STRUCT(BudgetList, (), (items))

// ---- webhooks -----------------------------------------------------------------------------------

struct WebhookRequest {                // POST /v1/webhooks
  std::string url;                     // https, on the public Internet
  std::vector<std::string> events;     // "job.ended"; none: all
  std::optional<std::string> project;  // operators: of one project or one org only
  std::optional<std::string> org;
};
BOOST_DESCRIBE_STRUCT(WebhookRequest, (), (url, events, project, org))

struct WebhookView {
  std::string id;
  std::string url;
  std::vector<std::string> events;
  std::optional<std::string> project;
  std::optional<std::string> org;
  bool enabled = true;
  std::optional<std::string> why;  // it is switched off
  Instant created_at;
  std::optional<std::string> secret;  // whsec_…, in the answer to its creation only
};
BOOST_DESCRIBE_STRUCT(WebhookView, (),
                      (id, url, events, project, org, enabled, why, created_at, secret))
struct WebhookList {
  std::vector<WebhookView> items;
};
BOOST_DESCRIBE_STRUCT(WebhookList, (), (items))

struct WebhookTest {  // POST /v1/webhooks/{webhook}/test: sent once, now
  bool delivered = false;
  std::string id;  // as webhook-id said
  std::optional<std::int64_t> status;
  std::optional<std::string> why;
};
BOOST_DESCRIBE_STRUCT(WebhookTest, (), (delivered, id, status, why))

struct DeliveryView {
  std::string id;  // webhook-id: the same at every attempt
  std::string webhook;
  std::string event;
  std::uint64_t sequence = 0;
  std::string state;  // waiting, delivered, given_up
  std::int64_t attempts = 0;
  Instant created_at;
  std::optional<Instant> next_at;
  std::optional<Instant> done_at;
  std::optional<std::int64_t> status;  // of the latest answer
  std::optional<std::string> why;      // the latest attempt failed
};
BOOST_DESCRIBE_STRUCT(DeliveryView, (),
                      (id, webhook, event, sequence, state, attempts, created_at, next_at, done_at,
                       status, why))
struct DeliveryList {
  std::vector<DeliveryView> items;  // newest first
};
BOOST_DESCRIBE_STRUCT(DeliveryList, (), (items))

// ---- what a webhook is sent: {"type", "timestamp", "data"}
// ---------------------------------------

struct JobEvent {  // job.*
  std::uint64_t sequence = 0;
  std::string job;
  std::string name;
  std::string project;
  std::string org;
  core::JobClass job_class{};
  core::JobState state{};  // after it
  std::uint32_t generation = 0;
  std::optional<core::Outcome> outcome;
  std::optional<std::int32_t> exit_code;
  std::optional<core::StopReason> stop_reason;
  std::string why;
  std::optional<std::int64_t> billed_s;  // of this lease
  std::optional<core::Ticks> amount_ticks;
  std::optional<std::string> amount_usd;
  std::optional<std::string> currency;  // of it; absent: USD
};
BOOST_DESCRIBE_STRUCT(JobEvent, (),
                      (sequence, job, name, project, org, job_class, state, generation, outcome,
                       exit_code, stop_reason, why, billed_s, amount_ticks, amount_usd, currency))

struct BudgetEvent {  // budget.crossed
  std::uint64_t sequence = 0;
  std::string budget;
  std::string name;
  std::string org;
  std::optional<std::string> project;
  std::optional<std::string> key;
  core::BudgetWindow per{};
  Instant from;
  std::string unit;
  std::uint32_t percent = 0;
  std::string counted;  // used and held
  std::string limit;
  bool block = false;
  bool stop = false;
};
BOOST_DESCRIBE_STRUCT(BudgetEvent, (),
                      (sequence, budget, name, org, project, key, per, from, unit, percent, counted,
                       limit, block, stop))

struct CreditEvent {  // credit.added, credit.low
  std::uint64_t sequence = 0;
  std::string project;
  std::string org;
  std::string available_usd;
  std::optional<std::string> added_usd;
  std::optional<Instant> dry_at;
  std::optional<std::string> currency;  // absent: USD
};
BOOST_DESCRIBE_STRUCT(CreditEvent, (),
                      (sequence, project, org, available_usd, added_usd, dry_at, currency))

struct InvoiceEvent {  // invoice.issued, credit_note.issued, payment.recorded
  std::uint64_t sequence = 0;
  std::string invoice;
  std::string number;
  std::string org;
  std::string currency;
  std::string amount;  // payable, or paid
  std::optional<Instant> due_at;
};
BOOST_DESCRIBE_STRUCT(InvoiceEvent, (), (sequence, invoice, number, org, currency, amount, due_at))

}  // namespace ampacity::api
