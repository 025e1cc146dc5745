// Nodes of the simulated year: how they fail, are repaired, drained and come back. Rates and kinds
// after reference/node-health.md §5: of Llama 3's interruptions two thirds were one card's.
#include <algorithm>

#include "base/check.h"
#include "sim/year_run.h"

namespace ampacity::sim {
namespace {

constexpr std::int64_t one_minute_us = 60'000'000;
constexpr std::int64_t noticed_after_us = one_minute_us;
constexpr std::int64_t upkeep_us = 2 * hour_us;
constexpr std::int64_t card_permille = 640;       // of faults: one card; the rest: the node
constexpr std::int64_t rack_per_million = 3'000;  // of faults: a whole rack
constexpr std::int64_t lemon_times = 6;
constexpr std::int64_t drains_a_year = 2;  // of each node
constexpr std::int64_t drains_every_us = hour_us;

}  // namespace

// The fleet's next fault: so that the expected number of nodes hit is the plan's rate.
void YearRun::next_fault() {
  if (plan_.failures_per_million_node_days == 0) return;
  const std::int64_t hit_by_each_million = 1'000'000 + rack_per_million * 7;
  const std::int64_t mean = static_cast<std::int64_t>(
      static_cast<base::Wide>(day_us) * 1'000'000 / fleet_.nodes * hit_by_each_million /
      plan_.failures_per_million_node_days / 1'000'000);
  push(now_us_ + std::max<std::int64_t>(1, faults_.exponential(mean)), Kind::fault, 0);
}

void YearRun::fault() {
  const auto lemons = static_cast<std::int64_t>(lemons_.size());
  const std::int64_t weight = fleet_.nodes + lemons * (lemon_times - 1);
  const std::int64_t drawn = faults_.below(weight);
  const auto node = static_cast<std::uint32_t>(
      drawn < fleet_.nodes ? drawn
                           : lemons_[static_cast<std::size_t>((drawn - fleet_.nodes) %
                                                              std::max<std::int64_t>(1, lemons))]);
  const bool rack = faults_.below(1'000'000) < rack_per_million;
  const bool card = faults_.chance(card_permille);
  if (rack) {
    ++out_.counts.rack_faults;
    for (std::uint32_t n = 0; n < fleet_.nodes; ++n)
      if (fleet_.rack_of_node[n] == fleet_.rack_of_node[node]) fail(n, true);
  } else {
    fail(node, !card);
  }
  next_fault();
}

// Work on it stops at once; that is noticed a minute later.
void YearRun::fail(std::uint32_t n, bool whole) {
  Node& node = nodes_[n];
  if (node.mode == NodeMode::failing || node.mode == NodeMode::repair) return;
  ++(whole ? out_.counts.node_faults : out_.counts.gpu_faults);
  const std::int64_t card = faults_.below(node_gpus);
  const std::int64_t repair_us = repair_time();
  for (const core::Slot slot : world_.use[n].leases) {
    const core::Job& job = world_.state().jobs[slot];
    const auto at_place = std::ranges::find(job.lease->places, n, &core::Place::node);
    if (!whole && !(at_place->gpu_mask >> card & 1)) continue;
    const std::uint32_t mine = slot_of(job.id);
    Run& r = runs_[mine];
    if (r.failed_us >= 0 || r.ended_us >= 0 || r.stopping) continue;
    r.failed_us = now_us_;
    r.failed_node = n;
    r.faulted = true;
    ++out_.counts.jobs_hit;
    push(now_us_ + noticed_after_us, Kind::loss, mine, r.lease);
  }
  if (node.mode != NodeMode::good) return;  // drained already: mended while it is
  node.mode = NodeMode::failing;
  node.whole = whole;
  node.since_us = now_us_;
  node.repair_us = repair_us;
  push(now_us_ + noticed_after_us, Kind::cordon, n);
}

// Half are a reset, a quarter a reboot, most others a technician's day, some go back to the vendor.
std::int64_t YearRun::repair_time() {
  const std::int64_t kind = faults_.below(100);
  if (kind < 50) return faults_.between(5, 20) * one_minute_us;
  if (kind < 75) return faults_.between(15, 60) * one_minute_us;
  if (kind < 95) return faults_.lognormal(8 * hour_us / 1000, 256) * 1000;
  return faults_.between(2 * 24, 10 * 24) * hour_us;
}

void YearRun::cordon(std::uint32_t n) {
  step(core::SetNodeState{year_node(n), core::NodeState::cordoned});
  left(n);
}

// The ranks on what failed are gone; the core tells the others of the gang to stop.
void YearRun::loss(std::uint32_t slot) {
  const std::uint32_t number = runs_[slot].lease;
  for (std::uint32_t rank = 0; rank < runs_[slot].job.nodes; ++rank) {
    const Run& r = runs_[slot];
    if (r.state != Run::State::leased || r.lease != number) return;
    const core::Lease& l = lease(r);
    const std::uint32_t n = l.places[rank].node;
    const bool down = n == r.failed_node || (nodes_[n].mode == NodeMode::failing &&
                                             nodes_[n].whole && nodes_[n].since_us < now_us_);
    if (!down || l.ranks[rank].state == core::RankState::ended) continue;
    observe(r, rank, core::RankSeen::State::absent, r.failed_us, 0);
  }
}

// A few nodes at a time are drained for new firmware; who runs there may finish.
void YearRun::drain() {
  push(now_us_ + drains_every_us, Kind::drain, 0);
  const std::int64_t period = 365 * day_us / drains_a_year / drains_every_us;
  const std::int64_t hour = now_us_ / drains_every_us % period;
  const auto from = static_cast<std::uint32_t>(fleet_.nodes * hour / period);
  const auto until = static_cast<std::uint32_t>(fleet_.nodes * (hour + 1) / period);
  for (std::uint32_t n = from; n < until; ++n) {
    Node& node = nodes_[n];
    if (node.mode != NodeMode::good) continue;
    const base::Id id{year_ids + 3, ++windows_};
    if (!step(core::Maintain{id, "firmware", {year_node(n)}, at(now_us_), {}})) {
      ++out_.counts.drains_refused;
      continue;
    }
    ++out_.counts.drains;
    node.mode = NodeMode::draining;
    node.since_us = now_us_;
    node.window = windows_;
    wake_us_ = now_us_;  // spot is told to go
    left(n);
  }
}

void YearRun::left(std::uint32_t n) {
  Node& node = nodes_[n];
  if (!world_.use[n].leases.empty()) return;
  if (node.mode == NodeMode::failing && node.since_us + noticed_after_us <= now_us_) {
    node.mode = NodeMode::repair;
    out_.counts.repair_s += node.repair_us / 1'000'000;
    push(now_us_ + node.repair_us, Kind::node_back, n);
  } else if (node.mode == NodeMode::draining) {
    node.mode = NodeMode::upkeep;
    push(now_us_ + upkeep_us, Kind::node_back, n);
  }
}

void YearRun::node_back(std::uint32_t n) {
  Node& node = nodes_[n];
  if (node.mode == NodeMode::repair) {
    node.mode = NodeMode::good;
    ++out_.counts.repairs;
    out_.counts.out_s += (now_us_ - node.since_us) / 1'000'000;
    step(core::SetNodeState{year_node(n), core::NodeState::active});
  } else if (node.mode == NodeMode::upkeep) {
    node.mode = NodeMode::good;
    planned_out_s_ += (now_us_ - node.since_us) / 1'000'000;
    step(core::EndWindow{{year_ids + 3, node.window}, "its upkeep is done"});
  }
}

}  // namespace ampacity::sim
