#include "sim/hook_audit.h"

#include <fmt/core.h>

#include <algorithm>

#include "api/webhook_event.h"
#include "store/deliveries.h"

namespace ampacity::sim {
namespace {

const Receivers::Told* found(const std::map<std::string, Receivers::Told>& told,
                             const std::string& id) {
  const auto at = told.find(id);
  return at == told.end() ? nullptr : &at->second;
}

}  // namespace

void HookAudit::see(const core::World& before, const core::Fact& fact) {
  const std::uint64_t sequence = before.state().sequence + 1;
  if (const auto event = api::webhook_event(before, fact, sequence)) {
    for (const core::Webhook& hook : before.state().webhooks) {
      const bool of_it = (hook.project == core::nobody || hook.project == event->project) &&
                         (hook.org == core::nobody || hook.org == event->org) &&
                         (hook.events.empty() || std::ranges::count(hook.events, event->type) > 0);
      if (!of_it || !hook.enabled) continue;
      hooks_[hook.id].due[fmt::format("msg_{}_{}", base::format_bare_id(hook.id), sequence)] =
          event->body;
    }
  }
  if (const auto* added = std::get_if<core::WebhookAdded>(&fact.body)) {
    const std::string& url = added->webhook.url;
    hooks_[added->webhook.id].name = url.substr(url.rfind('/') + 1);
  } else if (const auto* gone = std::get_if<core::WebhookRemoved>(&fact.body)) {
    hooks_[gone->webhook].removed = true;
  } else if (const auto* s = std::get_if<core::WebhookSwitched>(&fact.body)) {
    hooks_[s->webhook].enabled = s->enabled;
    if (!s->enabled) hooks_[s->webhook].why = s->why;
  }
}

// A message is given up after so many failures, or one answer that nobody is there; what waits for
// a hook that was switched off for such a reason waits until it is switched on.
bool HookAudit::excused(const Hook& hook, const Receivers::Told* told) const {
  const bool given_up = told && told->failed >= most_attempts_;
  const bool gone = receivers_.is_gone(hook.name);
  return hook.removed || given_up || gone || (!hook.enabled && !hook.why.empty());
}

bool HookAudit::all_told() const {
  for (const auto& [id, hook] : hooks_) {
    const auto& told = receivers_.told(hook.name);
    for (const auto& [message, body] : hook.due) {
      const Receivers::Told* t = found(told, message);
      if ((!t || t->answered == 0) && !excused(hook, t)) return false;
    }
  }
  return true;
}

// No row waits of what was told and answered.
std::vector<std::string> HookAudit::judge_store(const store::StoreAt& store) const {
  auto reader = store::DeliveryReader::open(store);
  if (!reader) return {"the deliveries cannot be read: " + reader.error().message};
  for (const auto& row : reader->waiting()) {
    const auto hook = hooks_.find(row.webhook);
    if (hook == hooks_.end()) return {"a delivery waits for a webhook that never was"};
    const std::string message =
        fmt::format("msg_{}_{}", base::format_bare_id(row.webhook), row.sequence);
    const Receivers::Told* t = found(receivers_.told(hook->second.name), message);
    if (!excused(hook->second, t)) return {message + " was told, and its row waits for ever"};
  }
  return {};
}

std::vector<std::string> HookAudit::judge() const {
  std::vector<std::string> wrong = receivers_.wrong();
  for (const auto& [id, hook] : hooks_) {
    const auto& told = receivers_.told(hook.name);
    bool may_be_off = receivers_.is_gone(hook.name) || hook.why.empty();
    for (const auto& [message, t] : told) {
      may_be_off |= t.failed >= most_attempts_;
      if (t.taken == 0 || message.starts_with("msg_test_")) continue;
      const auto due = hook.due.find(message);
      if (due == hook.due.end())
        wrong.push_back(fmt::format("webhook {}: {} was told, and not for it", hook.name, message));
      else if (due->second != t.body)
        wrong.push_back(fmt::format("webhook {}: {} told {}, it was {}", hook.name, message, t.body,
                                    due->second));
    }
    if (!may_be_off)
      wrong.push_back(
          fmt::format("webhook {}: switched off without cause: {}", hook.name, hook.why));
    for (const auto& [message, body] : hook.due) {
      const Receivers::Told* t = found(told, message);
      if ((!t || t->taken == 0) && !excused(hook, t))
        wrong.push_back(fmt::format("webhook {}: {} was never told: {}", hook.name, message, body));
    }
  }
  if (wrong.size() > 10) wrong.resize(10);
  return wrong;
}

}  // namespace ampacity::sim
