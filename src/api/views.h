// The core's nouns as the contract shows them.
#pragma once

#include <string>
#include <vector>

#include "api/contract_capacity.h"
#include "core/commands.h"
#include "core/facts.h"
#include "core/world.h"

namespace ampacity::api {

// The names behind the dense indices, for jobs read after they left the world.
JobView view_job(const core::World& world, const core::Job& job, Instant now);
// One line, cheap: for lists.
std::string why_waiting(const core::World& world, const core::Job& job, Instant now);
// All of it. `only`: whose key asks, others' jobs are not named to it; nobody: an operator.
WhyView view_why(const core::World& world, const core::Job& job, core::ProjectIx only, Instant now);

// At what an org pays (nobody: at the first public list).
OfferList view_offers(const core::World& world, core::OrgIx org, Instant now);
base::Result<Quote> view_quote(const core::World& world, const core::SubmitJob& submit,
                               Instant now);

ProjectView view_project(const core::World& world, core::ProjectIx project, Instant now);
std::string currency_code(const core::World& world, core::ProjectIx project);
// What its money is in; nullopt: USD.
std::optional<std::string> currency_of(const core::World& world, core::ProjectIx project);
KeyView view_key(const core::World& world, const core::Key& key);
AccountList view_accounts(const core::World& world);
FleetMap view_fleet_map(const core::World& world);
// What api::FleetEvent says of one node, in letters: its state, and each of its GPUs.
struct NodeLetters {
  char state = 0;
  std::string gpus;
  bool operator==(const NodeLetters&) const = default;
};
NodeLetters node_letters(const core::World& world, core::NodeIx node, Instant now);
NodeView view_node(const core::World& world, core::NodeIx node, Instant now);
SiteView view_site(const core::World& world, core::SiteIx site, Instant now);
// Of a leased job: that its site cannot be reached, and what becomes of it; empty: it can.
std::string lost_site(const core::World& world, const core::Job& job, Instant now);

std::vector<QuoteLine> quote_lines(const std::string& sku, const core::Rates& rates);
// One interval with its lines; seconds may be of a lease that still runs.
ReceiptInterval view_interval(const core::World& world, const core::Interval& interval);
// The interval of a live lease up to `now`.
core::Interval interval_so_far(const core::Job& job, Instant now);

ReservationView view_reservation(const core::World& world, const core::Window& window, Instant now);
MaintenanceView view_maintenance(const core::World& world, const core::Window& window, Instant now);
// Maintenance until further notice: the core's `forever`, whatever year a journal has for it.
inline bool is_drain(const core::Window& window) {
  constexpr Instant year_3000{32'503'680'000'000'000};
  return window.kind == core::WindowKind::maintenance && window.until > year_3000;
}
QuotaView view_project_quota(const core::World& world, core::ProjectIx project, Instant now);
QuotaView view_org_quota(const core::World& world, core::OrgIx org, Instant now);
PolicyView view_policy(const core::Policy& policy);

std::string account_name(const core::World& world, core::AccountIx account);
// One sentence about a fact, for the event feed. `project`: whose job's it is; nobody: no job's, or
// of one that the world still has.
Event view_event(const core::World& after, const core::Fact& fact, std::uint64_t sequence,
                 core::ProjectIx project);

}  // namespace ampacity::api
