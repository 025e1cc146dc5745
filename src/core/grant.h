// What a job gets, as facts: its lease with the credit held for it. And what it must not exceed:
// its wallet, its project's and its org's quotas.
#pragma once

#include "core/facts.h"
#include "core/place.h"

namespace ampacity::core {

// Appends the facts of a grant; false: the credit or a budget does not hold it.
bool grant(const World& world, const Job& job, const Placement& placement, Instant now,
           std::vector<FactBody>& facts);

// The tiers that the wallet can hold at the start and budgets and quotas allow at once.
std::vector<Tier> affordable(const World& world, const Job& job, std::vector<Tier> tiers,
                             Instant now);
// What the cheapest tier would hold at the start; nullopt: there is no tier.
std::optional<Ticks> cheapest_hold(const World& world, const Job& job,
                                   const std::vector<Tier>& tiers, Instant now);

// What blocking budgets lack for the cheapest tier's start; nullopt: nothing.
std::optional<base::Refusal> over_budget(const World& world, const Job& job,
                                         const std::vector<Tier>& tiers, Instant now);

// ---- quotas -------------------------------------------------------------------------------------

// The most a job may use, by its time limit or until the quota's window ends: written into it at
// its submission.
void commit_most(const World& world, Job& job, const std::vector<Tier>& tiers, Instant now);
// Everything the quotas of the job's project and org lack for it, and when there may be room.
std::optional<base::Refusal> over_quota(const World& world, const Job& job, Instant now);
Instant window_start(const Quota& quota, Instant now);

}  // namespace ampacity::core
