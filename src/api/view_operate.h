// A job's life, the queue, and what is earned now, as the contract shows them (contract_operate.h).
// Threads: they read the world, so on the loop's.
#pragma once

#include "api/contract_operate.h"
#include "core/commands.h"
#include "core/world.h"

namespace ampacity::api {

// From what the job itself remembers: no journal is read, whatever its age.
JobMoments view_moments(const core::World& world, const core::Job& job);

// In the order of the queue's next pass, at most `limit` jobs. Starts are forecast only for a queue
// of at most `most_forecast`.
inline constexpr std::size_t most_forecast = 300;
QueueView view_queue(const core::World& world, std::size_t limit, Instant now);

RevenueView view_revenue(const core::World& world, Instant now);

// How long each size of one SKU would wait, for a project, as submitted now.
OfferWaits view_waits(const core::World& world, core::ProjectIx project, core::SkuIx sku,
                      core::JobClass job_class, Instant now);

}  // namespace ampacity::api
