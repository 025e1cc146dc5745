// The auditors' own tools: the list of what is wrong, who stands on which card, what a lease costs.
// Threads: plain values. Shares nothing with the packer, the meter or the ledger.
#pragma once

#include <concepts>
#include <string>
#include <vector>

#include "core/facts.h"
#include "core/world.h"

namespace ampacity::core {

struct Violation {
  std::string invariant;  // "I1"
  std::string where;      // "job-06bx…", "node h100-0", "account 7"
  std::string what;
  bool operator==(const Violation&) const = default;
};

inline constexpr std::size_t most_violations = 100;
// What started at the instant of its end's report ran for this long, past that instant.
inline constexpr Duration a_moment{1};

class Findings {
 public:
  std::vector<Violation> list;
  bool clean() const { return list.empty(); }

  // `parts` are texts and whole numbers.
  template <typename... P>
  void add(const char* invariant, std::string where, const P&... parts) {
    if (list.size() >= most_violations) return;
    std::string what;
    (append(what, parts), ...);
    list.push_back({invariant, std::move(where), std::move(what)});
  }

 private:
  static void append(std::string& to, std::string_view text) { to += text; }
  template <std::integral T>
  static void append(std::string& to, T number) {
    to += std::to_string(number);
  }
};

// ---- who stands where ---------------------------------------------------------------------------

struct Stand {
  ProjectIx project = nobody;
  std::vector<Place> places;
  std::int64_t cpu_milli = 0;  // per node
  std::int64_t memory_mib = 0;
  std::uint32_t gpu_milli = 1000;
  std::uint32_t mig = 0;
};
inline Stand stand_of(const Job& job, const Lease& l) {
  return {job.project, l.places, l.cpu_milli, l.memory_mib, l.gpu_milli, l.mig};
}

struct CardLoad {
  std::int64_t milli = 0;
  std::uint32_t slices = 0;
  ProjectIx tenant = nobody;
};
struct NodeLoad {
  std::int64_t cpu_milli = 0;
  std::int64_t memory_mib = 0;
  std::uint32_t ranks = 0;
  std::vector<CardLoad> cards;
};

class Floor {
 public:
  // I1, I2: names what is not free.
  void take(const State& s, const Stand& stand, const std::string& who, Findings& found);
  void give(const Stand& stand);
  NodeLoad& at(NodeIx n) {
    if (nodes_.size() <= n) nodes_.resize(n + 1);
    return nodes_[n];
  }

 private:
  std::vector<NodeLoad> nodes_;
};

// Does what the world derived of a node agree?
void check_node(const World& world, NodeIx n, const NodeLoad& load, Findings& found);

// ---- what it costs ------------------------------------------------------------------------------

Amounts cost_of(const Rates& rates, std::int64_t seconds);
Amounts cost_of(const std::vector<RateStep>& steps, const Rates& rates, std::int64_t seconds);
inline Ticks cost_of(const Lease& l, std::int64_t from_s, std::int64_t to_s) {
  return cost_of(l.steps, l.rates, to_s).total() - cost_of(l.steps, l.rates, from_s).total();
}

// ---- one job ------------------------------------------------------------------------------------

// Everything that can be said of one live job by itself and by looking it up: its state, its lease,
// what is held for it (I10), its timer (I8), its place in the indices.
void check_job(const World& world, Slot slot, Findings& found);

// The parts of `violations`, each over the whole world (the .cc of their name). Shape: every index
// and size is inside its bounds; without it nothing else is looked at.
void check_shape(const World& world, Findings& found);
void check_floor(const World& world, Findings& found);
void check_money(const World& world, Instant now, Findings& found);
void check_indices(const World& world, Findings& found);
void check_sites(const World& world, Findings& found);
// Of a generation that is given up at a site that cannot be reached.
void check_fenced(const World& world, const LeaseClosed& fact, Instant at, Findings& found);

inline std::string name_of(const Node& node) { return "node " + node.name; }

}  // namespace ampacity::core
