// The state and what is computed from it: who is free, who waits, what is due. One thread owns it.
// 1. Derived members equal rebuild() of the state at every moment (core_test checks it).
// 2. No card is given out twice; per node Σ cpu, memory of live leases ≤ the node's.
// 3. Where somebody has a hold (a claim, a promise, a window), others are placed only if they are
//    gone in time or can be told to go (core/place.h).
#pragma once

#include <array>
#include <map>
#include <optional>
#include <set>
#include <string_view>
#include <utility>
#include <vector>

#include "core/books.h"
#include "core/budget.h"
#include "core/packer.h"
#include "core/queue.h"
#include "core/state.h"

namespace ampacity::core {

using Slot = std::uint32_t;  // position in State::jobs
inline constexpr Instant forever{
    253'402'300'799'000'000};  // the last second of 9999: JSON can say it
inline Instant full_hour_after(Instant t) {
  constexpr std::int64_t hour_us = 3'600'000'000;
  return {(t.us / hour_us + 1) * hour_us};
}

struct NodeUse {
  std::int64_t cpu_milli = 0;
  std::int64_t memory_mib = 0;
  std::vector<Slot> leases;  // ascending; a gang's rank once
  bool operator==(const NodeUse&) const = default;
};

// Cards of a node that somebody has a right to, now or later.
struct Hold {
  enum class Why { claim, promise, window } why = Why::window;
  std::uint64_t owner = 0;  // queue_order of the job, or the window's position
  Instant from;             // of a claim: at once
  Instant until;            // of a claim or promise: for ever
  std::uint64_t gpu_mask = 0;
  std::int64_t cpu_milli = 0;
  std::int64_t memory_mib = 0;
  auto operator<=>(const Hold&) const = default;
};

// What a project or org has alive: leased, or waiting and counted for its cheapest SKU.
struct Alive {
  std::vector<std::int64_t> gpu_milli;  // by SKU
  std::int64_t gpu_milli_s = 0;         // promised by time limits
  Ticks spend = 0;
  bool operator==(const Alive&) const = default;
};

// Nodes that could run something if they were empty, told apart by what matters to that.
struct Hardware {
  SkuIx sku = 0;
  SiteIx site = 0;
  std::uint32_t gpus = 0;
  std::int64_t cpu_milli = 0;
  std::int64_t memory_mib = 0;
  bool rents_cpu = false;
  auto operator<=>(const Hardware&) const = default;
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
  const Window* window(Id id) const;
  std::optional<NodeIx> node(std::string_view name) const;
  std::optional<SiteIx> site(std::string_view name) const;  // that is not removed
  // Where it lives; nullopt: it was never used.
  std::optional<SiteIx> volume_home(ProjectIx project, std::string_view name) const;
  // A lease stands at one site.
  SiteIx site_of(const Lease& lease) const { return state_.nodes[lease.places[0].node].site; }
  // Of its name, its size, its project and of all; nullptr where nothing was learnt yet.
  std::array<const History*, 4> histories_of(const Job& job) const;

  // Derived.
  std::vector<NodeUse> use;                               // by node
  Packer packer;                                          // every node; open: active, without holds
  std::map<NodeIx, std::vector<Hold>> holds;              // sorted
  std::map<std::uint64_t, Slot> queue;                    // by queue_order
  WaitingGroups waiting;                                  // the same jobs, by what they ask for
  std::map<std::uint64_t, Slot> claimed;                  // queued jobs with a claim
  std::map<std::uint64_t, Slot> promised;                 // queued jobs with a promise
  std::vector<std::uint32_t> waiting_for_sku;             // [sku]: queued jobs that would take it
  std::set<std::pair<Instant, std::uint64_t>> deadlines;  // (when, queue_order) of live jobs
  std::map<std::uint64_t, Slot> leased;                   // by queue_order: live leases
  std::array<std::map<std::uint64_t, Slot>, 4> running;   // [class]: the same, of each
  std::set<std::uint64_t> stopping;                       // live leases that were told to stop
  std::vector<std::uint32_t> queued_of_project;           // [project]
  std::vector<Ticks> burn;                                // [project]: ticks/s, rounded up
  std::vector<Ticks> share_rate;                          // [project]: list price of GPUs, ticks/s
  std::vector<Alive> alive_of_project, alive_of_org;
  BudgetIndex budgets;
  std::map<Hardware, std::uint32_t> hardware;  // how many of each, but absent ones
  std::vector<SkuIx> all_skus;                 // for work that may stand on any
  std::size_t live_jobs = 0;
  Reserves reserves;  // of State::pending

  std::uint32_t free_gpus(NodeIx node) const;
  // May anything new begin there: it is active, and its site is open.
  bool takes_work(NodeIx n) const {
    const Node& node = state_.nodes[n];
    return node.state == NodeState::active && !node.held_back && state_.sites[node.site].open();
  }
  // When what runs at a site that cannot be reached is given up, if its owner allowed it: that it
  // moves, or that it stops. nullopt: it waits for the site.
  std::optional<Instant> fence_at(const Job& job) const;
  // Label ids: equal where two nodes share the domain. `any`: the node itself.
  std::uint32_t domain(NodeIx node, Together level) const { return domains_[node][int(level)]; }
  // The next instant at which Tick has something to do for this job; nullopt: nothing.
  std::optional<Instant> deadline_of(const Job& job) const;
  // The next instant at which Tick has something to do, if it was just done at `now`.
  std::optional<Instant> next_wake(Instant now) const;
  const Job& queued(std::uint64_t order) const { return state_.jobs[queue.at(order)]; }

 private:
  friend void evolve(World&, const struct Fact&);
  friend struct Evolver;

  void rebuild();
  Job* job_at(Id id);
  Job& add_job(Job job);
  void remove_job(Id id);
  void index_job(Slot slot, int sign);  // +1: add to the derived members, −1: take out
  void index_queued(const Job& job, Slot slot, int sign);
  void index_lease(const Job& job, Slot slot, int sign);
  void index_alive(const Job& job, int sign);
  void index_holds(const std::vector<Place>& places, const Hold& hold, int sign);
  void index_window(std::uint32_t ix, int sign);
  void open_or_close(NodeIx node);
  void add_node(NodeIx node);
  void label(NodeIx node);
  void count_hardware(NodeIx node, int sign);
  void learn(Slot slot, std::int64_t run_s);
  void know(Slot slot);  // where its run time is looked up and counted

  State state_;
  std::map<Id, Slot> slot_of_;
  std::vector<Slot> free_slots_;
  std::map<std::string, std::uint32_t, std::less<>> key_by_lookup_;
  std::map<Id, std::uint32_t> key_by_id_;
  std::map<std::string, std::uint32_t, std::less<>> project_by_name_;
  std::map<std::string, NodeIx, std::less<>> node_by_name_;
  std::map<std::pair<ProjectIx, std::string>, std::uint32_t> history_by_name_;
  std::vector<std::array<std::uint32_t, 4>> history_of_slot_;  // nobody: there are too many
  std::vector<std::array<std::uint32_t, 4>> domains_;          // by node
  std::map<std::pair<int, std::string>, std::uint32_t> domain_by_label_;
  std::uint32_t next_domain_ = 0;
};

}  // namespace ampacity::core
