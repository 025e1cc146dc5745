// A job's life, the queue, and what is earned now, as the contract shows them (contract_operate.h).
// Threads: they read the world, so on the loop's.
#pragma once

#include <map>

#include "api/contract_operate.h"
#include "core/commands.h"
#include "core/world.h"

namespace ampacity::api {

// From what the job itself remembers: no journal is read, whatever its age.
JobMoments view_moments(const core::World& world, const core::Job& job);

// In the order of the queue's next pass, at most `limit` jobs. `starts`: when each should start, by
// queue_order, as far as that is known.
QueueView view_queue(const core::World& world, std::size_t limit, Instant now,
                     const std::map<std::uint64_t, Instant>& starts);

RevenueView view_revenue(const core::World& world, Instant now);

// How long each size of one SKU would wait, for a project, as submitted now.
OfferWaits view_waits(const core::World& world, core::ProjectIx project, core::SkuIx sku,
                      core::JobClass job_class, Instant now);

}  // namespace ampacity::api
