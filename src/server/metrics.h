// Prometheus text for /metrics.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "core/world.h"
#include "engines/engine.h"
#include "server/loop.h"

namespace ampacity::server {

struct FleetMeasure {
  std::uint32_t nodes = 0, gpus = 0, gpus_leased = 0;
  std::uint32_t queued = 0, starting = 0, running = 0, stopping = 0;
  double revenue_usd_per_hour = 0;
  std::vector<std::pair<std::string, bool>> sites;  // and whether it can be reached
};
FleetMeasure measure(const core::World& world);

struct LeadMeasure {
  bool leads = true;
  std::uint64_t epoch = 0, sequence = 0;
  double lag_s = 0;
};

std::string metrics_text(const FleetMeasure& fleet, const LoopCounters& loop,
                         const engines::EngineHealth& engine, const LeadMeasure& lead);

}  // namespace ampacity::server
