// Requests about billing, checked field by field and turned into the core's words. Every wrong
// field is named. Threads: pure functions.
#pragma once

#include "api/contract_billing.h"
#include "base/currency.h"
#include "core/commands.h"

namespace ampacity::api {

// What is said changes; what is left out stays.
core::Party changed(core::Party party, const PartyChange& change);
base::Result<core::BillingProfile> changed(core::BillingProfile profile,
                                           const BillingChange& change);
// Without id and org. `currency`: the org's.
base::Result<core::Contract> bind_contract(const ContractRequest& request,
                                           const base::Currency& currency);

// "19", "8.25" -> hundredths of a percent.
std::optional<std::int64_t> parse_percent(std::string_view text);
std::string format_percent(std::int64_t bp);
// "720", "0.5" GPU-hours -> milli-GPU-seconds.
std::optional<std::int64_t> parse_gpu_hours(std::string_view text);
std::string format_gpu_hours(std::int64_t milli_gpu_s);

}  // namespace ampacity::api
