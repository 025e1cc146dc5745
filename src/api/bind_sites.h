// Requests about sites, checked field by field and turned into the core's words. What only a kind
// of engine knows is server/site_factory.h's. Threads: pure functions.
#pragma once

#include "api/contract_sites.h"
#include "core/commands.h"

namespace ampacity::api {

base::Result<core::AddSite> bind_site(const SiteRequest& request);
base::Result<core::SetSite> bind_site_change(const std::string& name, const SiteChange& change);

}  // namespace ampacity::api
