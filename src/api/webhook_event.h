// Which facts webhooks are told of, as what, and who may hear it. Threads: the world's.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "core/facts.h"
#include "core/world.h"

namespace ampacity::api {

// Every type there is: "job.submitted" …
std::span<const std::string_view> webhook_event_types();

struct WebhookEvent {
  std::string_view type;
  core::OrgIx org = core::nobody;
  core::ProjectIx project = core::nobody;  // nobody: the org's own
  std::string body;                        // {"type":…,"timestamp":…,"data":{…}}
};

// `before`: the world the fact has not been folded into.
std::optional<WebhookEvent> webhook_event(const core::World& before, const core::Fact& fact,
                                          std::uint64_t sequence);
// Whether a webhook hears of it.
bool hears(const core::Webhook& hook, const WebhookEvent& event);

}  // namespace ampacity::api
