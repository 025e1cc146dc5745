// The state and what is computed from it: who is free, who waits, what is due. One thread owns it.
// 1. Derived members equal rebuild() of the state at every moment (core_test checks it).
// 2. A GPU is in at most one live lease; per node Σ cpu, memory of live leases ≤ the node's.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string_view>
#include <utility>
#include <vector>

#include "core/ledger.h"
#include "core/state.h"

namespace ampacity::core {

using Slot = std::uint32_t;  // position in State::jobs

struct NodeUse {
  std::uint64_t gpus_busy = 0;  // bit mask
  std::int64_t cpu_milli = 0;
  std::int64_t memory_mib = 0;
  std::uint32_t leases = 0;
};

class World {
 public:
  World() = default;
  explicit World(State from);  // rebuilds what is derived

  const State& state() const { return state_; }

  // Look-ups; nullptr or nullopt if there is none.
  const Job* job(Id id) const;
  std::optional<SkuIx> sku(std::string_view name) const;
  std::optional<ProjectIx> project(std::string_view id_or_name) const;
  const Key* key_by_lookup(std::string_view lookup) const;
  std::optional<std::uint32_t> find_org(std::string_view id_or_name) const;
  std::optional<std::uint32_t> find_user(std::string_view id_or_name, OrgIx org) const;
  const PriceBook* prices_at(Instant t) const;

  // Derived.
  std::vector<NodeUse> use;                                 // by node
  std::vector<std::vector<std::set<NodeIx>>> by_free_gpus;  // [sku][free GPUs], active nodes only
  std::map<std::uint64_t, Slot> queue;                      // by queue_order
  std::vector<std::uint32_t> waiting_for_sku;               // [sku]: queued jobs that would take it
  std::set<std::pair<Instant, std::uint64_t>> deadlines;    // (when, queue_order) of leased jobs
  std::map<std::uint64_t, Slot> leased;                     // by queue_order: live leases
  std::vector<std::uint32_t> queued_of_project;             // [project]
  std::vector<Ticks> burn;  // [project]: ticks per second, rounded up
  std::size_t live_jobs = 0;

  std::uint32_t free_gpus(NodeIx node) const;
  // The next instant at which Tick has something to do for this job; nullopt: nothing.
  static std::optional<Instant> deadline_of(const Job& job);

 private:
  friend void evolve(World&, const struct Fact&);
  friend struct Evolver;

  void rebuild();
  Job* job_at(Id id);
  Job& add_job(Job job);
  void remove_job(Id id);
  void index_job(Slot slot, int sign);  // +1: add to the derived members, −1: take out
  void index_node(NodeIx node, int sign);

  State state_;
  std::map<Id, Slot> slot_of_;
  std::vector<Slot> free_slots_;
  std::map<std::string, std::uint32_t, std::less<>> key_by_lookup_;
  std::map<std::string, std::uint32_t, std::less<>> project_by_name_;
};

}  // namespace ampacity::core
