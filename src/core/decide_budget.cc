// What is asked about budgets and webhooks.
#include <algorithm>

#include "core/decide.h"

namespace ampacity::core {
namespace {

constexpr std::size_t most_alerts = 20;

base::Result<void> check_scope(const World& world, const Budget& b) {
  const State& s = world.state();
  if (b.org >= s.orgs.size() || (b.project != nobody && b.project >= s.projects.size()))
    return base::refuse_field("project", "a budget is of an org, of a project or of a key");
  if (!b.key.is_nil() && std::none_of(s.keys.begin(), s.keys.end(),
                                      [&](const Key& k) { return k.id == b.key && !k.revoked; }))
    return base::refuse_field("key", "there is no such key");
  return {};
}

bool same_scope(const Budget& a, const Budget& b) {
  return a.project == b.project && a.key == b.key && a.window == b.window && a.unit == b.unit;
}

const Webhook* webhook(const World& world, Id id) {
  for (const Webhook& h : world.state().webhooks)
    if (h.id == id) return &h;
  return nullptr;
}
std::unexpected<base::Refusal> no_such_webhook() {
  return base::refuse(base::Code::not_found, "there is no such webhook");
}

}  // namespace

// One of the same name in the org is changed; else it is a new one.
Decision decide_budget(const World& world, const SetBudget& c, Instant now) {
  BudgetSet set{c.budget};
  Budget& b = set.budget;
  if (auto ok = check_scope(world, b); !ok) return std::unexpected(std::move(ok.error()));
  if (b.limit <= 0) return base::refuse_field("limit", "must be more than nothing");
  std::sort(b.alerts.begin(), b.alerts.end());
  b.alerts.erase(std::unique(b.alerts.begin(), b.alerts.end()), b.alerts.end());
  if (b.alerts.size() > most_alerts || (!b.alerts.empty() && b.alerts.front() == 0) ||
      (!b.alerts.empty() && b.alerts.back() > 1000))
    return base::refuse_field("alerts", "must be at most 20 percents from 1 to 1000");
  if (b.alerts.empty() && !b.blocks && !b.stops)
    return base::refuse_field("alerts", "it would do nothing: give alerts, block or stop");
  b.blocks |= b.stops;
  b.created_at = now;
  b.used = 0;
  b.crossed_from = {};
  b.crossed.clear();
  std::size_t live = 0;
  for (const Budget& old : world.state().budgets) {
    live += !old.id.is_nil();
    if (old.id.is_nil() || old.org != b.org || old.name != b.name) continue;
    if (old.by_owner && !b.by_owner)
      return base::refuse(base::Code::forbidden, "that budget is the operator's");
    if (!same_scope(old, b))
      return base::refuse(base::Code::conflict, "there is another budget named " + b.name +
                                                    ": remove it, or use another name");
    b.id = old.id;
    b.created_at = old.created_at;
    b.used = old.used;
    if (b.limit == old.limit) {  // another limit arms its thresholds again
      b.crossed_from = old.crossed_from;
      b.crossed = old.crossed;
    }
    return std::vector<FactBody>{std::move(set)};
  }
  if (live >= most_budgets)
    return base::refuse(base::Code::conflict, "there are as many budgets as there may be");
  return std::vector<FactBody>{std::move(set)};
}

Decision decide_budget(const World& world, const RemoveBudget& c) {
  for (const Budget& b : world.state().budgets) {
    if (b.id != c.budget || b.id.is_nil()) continue;
    if (b.by_owner && !c.by_owner)
      return base::refuse(base::Code::forbidden, "that budget is the operator's");
    return std::vector<FactBody>{BudgetRemoved{c.budget}};
  }
  return base::refuse(base::Code::not_found, "there is no such budget");
}

Decision decide_webhook(const World& world, const AddWebhook& c, Instant now) {
  WebhookAdded added{c.webhook};
  Webhook& hook = added.webhook;
  hook.created_at = now;
  const auto& all = world.state().webhooks;
  const auto of_project =
      static_cast<std::size_t>(std::count_if(all.begin(), all.end(), [&](const Webhook& h) {
        return h.project == hook.project && h.project != nobody;
      }));
  if (all.size() >= most_webhooks || of_project >= most_webhooks_of_project)
    return base::refuse(base::Code::conflict, "there are as many webhooks as there may be");
  return std::vector<FactBody>{std::move(added)};
}

Decision decide_webhook(const World& world, const RemoveWebhook& c) {
  if (!webhook(world, c.webhook)) return no_such_webhook();
  return std::vector<FactBody>{WebhookRemoved{c.webhook}};
}

Decision decide_webhook(const World& world, const SwitchWebhook& c) {
  const Webhook* hook = webhook(world, c.webhook);
  if (!hook) return no_such_webhook();
  if (hook->enabled == c.enabled) return std::vector<FactBody>{};
  return std::vector<FactBody>{WebhookSwitched{c.webhook, c.enabled, c.why}};
}

}  // namespace ampacity::core
