// The core's nouns as the contract shows them.
#pragma once

#include <string>
#include <vector>

#include "api/contract.h"
#include "core/commands.h"
#include "core/facts.h"
#include "core/world.h"

namespace ampacity::api {

// The names behind the dense indices, for jobs read after they left the world.
JobView view_job(const core::World& world, const core::Job& job, Instant now);
std::string why_waiting(const core::World& world, const core::Job& job, Instant now);

OfferList view_offers(const core::World& world, Instant now);
base::Result<Quote> view_quote(const core::World& world, const core::SubmitJob& submit,
                               Instant now);

ProjectView view_project(const core::World& world, core::ProjectIx project, Instant now);
KeyView view_key(const core::World& world, const core::Key& key);
AccountList view_accounts(const core::World& world);
NodeView view_node(const core::World& world, core::NodeIx node);
SiteView view_site(const core::World& world, core::SiteIx site);

// One interval with its lines; seconds may be of a lease that still runs.
ReceiptInterval view_interval(const core::World& world, const core::Interval& interval);
// The interval of a live lease up to `now`.
core::Interval interval_so_far(const core::Job& job, Instant now);

std::string account_name(const core::World& world, core::AccountIx account);
std::string ledger_name(core::LedgerKind kind);
// One sentence about a fact, for the event feed.
Event view_event(const core::World& after, const core::Fact& fact, std::uint64_t sequence);

}  // namespace ampacity::api
