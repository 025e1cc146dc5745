// Requests for budgets and webhooks, checked field by field and turned into the core's words; and
// how the contract shows them. Threads: pure functions; views on the world's.
#pragma once

#include "api/contract_hooks.h"
#include "core/commands.h"
#include "core/world.h"

namespace ampacity::api {

// Without id and scope. A limit of money is in the currency that is said beside it.
struct BoundBudget {
  core::SetBudget set;
  std::string currency;  // "USD"; empty: GPU-hours
};
base::Result<BoundBudget> bind_budget(const BudgetRequest& request);
// Fields but the URL, which net/destination.h knows about; without id and scope.
base::Result<core::AddWebhook> bind_webhook(const WebhookRequest& request);

std::string budget_unit(const core::State& s, const core::Budget& b);  // "usd", "gpu_hours"
std::string budget_amount(const core::State& s, const core::Budget& b, std::int64_t amount);
BudgetView view_budget(const core::World& world, std::uint32_t ix, Instant now);
WebhookView view_webhook(const core::World& world, const core::Webhook& hook);

}  // namespace ampacity::api
