#include "server/outbox.h"

#include <algorithm>

#include "api/webhook_event.h"

namespace ampacity::server {

void Outbox::add(const core::World& before, const core::Fact& fact, std::uint64_t sequence,
                 std::vector<store::Delivery>& out) {
  const auto& hooks = before.state().webhooks;
  if (hooks.empty()) return;
  const auto event = api::webhook_event(before, fact, sequence);
  if (!event) return;
  for (const core::Webhook& hook : hooks) {
    if (!api::hears(hook, *event)) continue;
    std::int64_t& waiting = waiting_[hook.id];
    if (waiting >= most_waiting) {
      if (std::find(overfull_.begin(), overfull_.end(), hook.id) == overfull_.end())
        overfull_.push_back(hook.id);
      continue;
    }
    ++waiting;
    store::Delivery d;
    d.webhook = hook.id;
    d.sequence = sequence;
    d.event = std::string(event->type);
    d.body = event->body;
    d.created_at = d.next_at = fact.at;
    out.push_back(std::move(d));
  }
}

void Outbox::settled(base::Id webhook) {
  const auto at = waiting_.find(webhook);
  if (at != waiting_.end() && --at->second <= 0) waiting_.erase(at);
}

std::vector<base::Id> Outbox::take_overfull() { return std::exchange(overfull_, {}); }

}  // namespace ampacity::server
