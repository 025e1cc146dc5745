// The contract's bodies about capacity over time: reservations, maintenance, quotas, the queue's
// policy. As api/contract.h: described structs, and everything else follows from them.
#pragma once

#include "api/contract.h"

namespace ampacity::api {

enum class WindowState { upcoming, now };
BOOST_DESCRIBE_ENUM(WindowState, upcoming, now)

// ---- reservations -------------------------------------------------------------------------------

struct ReservationRequest {  // POST /v1/reservations
  std::optional<std::string> name;
  std::string gpus;                     // one kind and how many in all: "h100:64", "h100:8x8"
  std::optional<std::string> from;      // "now" (the default), "+2h", or RFC 3339
  std::optional<std::string> until;     // one of the two: an instant, "+12h" …
  std::optional<std::string> duration;  // … or how long from its start: "4h"
  std::optional<bool> release_unused;   // each full hour give back what no job of it uses
  std::optional<std::string> project;   // owner keys must say; customer keys have their own
  std::optional<std::vector<std::string>> sites;  // or regions: at one of them
  std::optional<bool> across_sites;               // it may lie at several at once
};
BOOST_DESCRIBE_STRUCT(ReservationRequest, (),
                      (name, gpus, from, until, duration, release_unused, project, sites,
                       across_sites))

struct ReservationView {
  std::string id;
  std::string name;
  std::string project;
  std::string sku;
  std::uint32_t gpus = 0;       // as reserved
  std::uint32_t gpus_kept = 0;  // still: unused ones may have been given back
  std::uint32_t gpus_used = 0;  // by its jobs now
  WindowState state{};
  Instant from;
  Instant until;
  bool release_unused = false;
  std::vector<std::string> nodes;
};
BOOST_DESCRIBE_STRUCT(ReservationView, (),
                      (id, name, project, sku, gpus, gpus_kept, gpus_used, state, from, until,
                       release_unused, nodes))
struct ReservationList {
  std::vector<ReservationView> items;  // by their start
};
BOOST_DESCRIBE_STRUCT(ReservationList, (), (items))

// GET /v1/reservations/free. Of a stretch of time, a piece or all of it: the largest reservation
// over all of it that is accepted now, and so is each smaller one. It is of the same cards
// throughout: over several pieces it gets at most the least of them, and less where they are of
// different nodes.
struct FreePiece {
  Instant from;
  Instant until;
  std::uint32_t gpus = 0;
  std::uint32_t nodes = 0;          // whole ones, of them
  std::optional<std::string> site;  // where; absent: across sites, or there are none
};
BOOST_DESCRIBE_STRUCT(FreePiece, (), (from, until, gpus, nodes, site))

struct FreeKind {
  std::string sku;
  bool emulated = false;
  std::uint32_t gpus_total = 0;  // at the sites that were named
  FreePiece all;                 // over the whole stretch
  std::vector<FreePiece> pieces;
  bool joined = false;  // changes that stand close together are one piece: inside there may be more
};
BOOST_DESCRIBE_STRUCT(FreeKind, (), (sku, emulated, gpus_total, all, pieces, joined))

struct FreeList {
  Instant from;
  Instant until;
  std::vector<FreeKind> items;
};
BOOST_DESCRIBE_STRUCT(FreeList, (), (from, until, items))

// ---- maintenance --------------------------------------------------------------------------------

struct MaintenanceRequest {  // POST /v1/maintenance
  std::optional<std::string> name;
  std::vector<std::string> nodes;
  std::optional<std::string> from;      // "now" (the default), "+2h", or RFC 3339
  std::optional<std::string> until;     // at most one of the two; neither: until further notice,
  std::optional<std::string> duration;  // a drain
};
BOOST_DESCRIBE_STRUCT(MaintenanceRequest, (), (name, nodes, from, until, duration))

struct MaintenanceView {
  std::string id;
  std::string name;
  std::vector<std::string> nodes;
  WindowState state{};
  Instant from;
  std::optional<Instant> until;  // absent: a drain
  std::uint32_t jobs = 0;        // that still run on its nodes
};
BOOST_DESCRIBE_STRUCT(MaintenanceView, (), (id, name, nodes, state, from, until, jobs))
struct MaintenanceList {
  std::vector<MaintenanceView> items;  // by their start
};
BOOST_DESCRIBE_STRUCT(MaintenanceList, (), (items))

// ---- quotas -------------------------------------------------------------------------------------

// PUT /v1/projects/{project}/quota, /v1/orgs/{org}/quota: all of it; what is left out is unlimited.
struct QuotaRequest {
  std::map<std::string, std::string> gpus;  // at once, by SKU; "any": of all kinds together
  std::optional<std::string> gpu_hours;     // in one window
  std::optional<std::string> spend_usd;     // in one window, in what the org is billed in
  std::optional<std::string> window;        // "30d": of the two above, aligned to 1970
};
BOOST_DESCRIBE_STRUCT(QuotaRequest, (), (gpus, gpu_hours, spend_usd, window))

struct QuotaLine {
  std::string what;                  // "gpus", "h100 gpus", "gpu_hours", "spend_usd" (_jpy …)
  std::optional<std::string> limit;  // absent: none
  std::string used;                  // GPUs: of live and waiting jobs; else by ended leases
  std::string committed;             // what live and waiting jobs may still use, by their limits
  std::optional<std::string> left;
};
BOOST_DESCRIBE_STRUCT(QuotaLine, (), (what, limit, used, committed, left))

struct QuotaView {
  std::optional<std::string> project;  // one of the two
  std::optional<std::string> org;
  std::vector<QuotaLine> lines;
  std::optional<std::int64_t> window_s;
  std::optional<Instant> window_from;
  std::optional<Instant> window_until;  // then `used` begins at zero again
};
BOOST_DESCRIBE_STRUCT(QuotaView, (), (project, org, lines, window_s, window_from, window_until))

struct WeightRequest {  // PUT /v1/projects/{project}/weight
  std::int64_t weight = 100;
};
BOOST_DESCRIBE_STRUCT(WeightRequest, (), (weight))

// ---- the queue's policy -------------------------------------------------------------------------

struct PolicyChange {                // PATCH /v1/policy: what is left out stays
  std::optional<core::Order> order;  // fair or fifo
  std::optional<std::int64_t> promises_per_class;
  std::optional<std::int64_t> spot_promises;
  std::optional<std::string> half_life;   // of a project's past use: "7d"
  std::optional<std::string> quantum;     // of credit held ahead: "10m"
  std::optional<std::string> spot_grace;  // notice before a preempted job is killed: "30s"
  std::optional<std::string> house_grace;
  std::optional<std::string> restart_cost;  // what a preemption is taken to cost its victim
  // Of a site that is not heard of: unknown after so long; given up for what may move when lease
  // and grace have passed since it was last seen.
  std::optional<std::string> site_unknown;
  std::optional<std::string> site_lease;
  std::optional<std::string> site_grace;
};
BOOST_DESCRIBE_STRUCT(PolicyChange, (),
                      (order, promises_per_class, spot_promises, half_life, quantum, spot_grace,
                       house_grace, restart_cost, site_unknown, site_lease, site_grace))

struct PolicyView {
  core::Order order{};
  std::int64_t promises_per_class = 0;
  std::int64_t spot_promises = 0;
  std::int64_t half_life_s = 0;
  std::int64_t quantum_s = 0;
  std::int64_t spot_grace_s = 0;
  std::int64_t house_grace_s = 0;
  std::int64_t restart_cost_s = 0;
  std::int64_t site_unknown_s = 0;
  std::int64_t site_lease_s = 0;
  std::int64_t site_grace_s = 0;
};
BOOST_DESCRIBE_STRUCT(PolicyView, (),
                      (order, promises_per_class, spot_promises, half_life_s, quantum_s,
                       spot_grace_s, house_grace_s, restart_cost_s, site_unknown_s, site_lease_s,
                       site_grace_s))

}  // namespace ampacity::api
