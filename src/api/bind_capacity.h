// Requests about capacity over time, checked field by field and turned into the core's words.
// Every wrong field is named. Threads: pure functions.
#pragma once

#include "api/contract_capacity.h"
#include "core/commands.h"
#include "net/http.h"

namespace ampacity::api {

// Without id and project.
base::Result<core::Reserve> bind_reservation(const ReservationRequest& request, Instant now);
// What /v1/reservations/free is asked.
struct FreeAsked {
  std::optional<std::string> sku;
  std::vector<std::string> places;  // sites or regions; none: all
  bool across_sites = false;
  Instant from, until;
};
base::Result<FreeAsked> bind_free(const net::Target& target, Instant now);
// Without id.
base::Result<core::Maintain> bind_maintenance(const MaintenanceRequest& request, Instant now);
// Without project and org.
base::Result<core::SetQuota> bind_quota(const QuotaRequest& request);
base::Result<core::Policy> changed(core::Policy policy, const PolicyChange& change);

}  // namespace ampacity::api
