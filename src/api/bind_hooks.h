// Requests for budgets and webhooks, checked field by field and turned into the core's words; and
// how the contract shows them. Threads: pure functions; views on the world's.
#pragma once

#include "api/contract_hooks.h"
#include "core/commands.h"
#include "core/world.h"

namespace ampacity::api {

// Without id and scope.
base::Result<core::SetBudget> bind_budget(const BudgetRequest& request);
// Fields but the URL, which net/destination.h knows about; without id and scope.
base::Result<core::AddWebhook> bind_webhook(const WebhookRequest& request);

std::string budget_unit(core::BudgetUnit unit);                         // "usd", "gpu_hours"
std::string budget_amount(core::BudgetUnit unit, std::int64_t amount);  // "12.34"
BudgetView view_budget(const core::World& world, std::uint32_t ix, Instant now);
WebhookView view_webhook(const core::World& world, const core::Webhook& hook);

}  // namespace ampacity::api
