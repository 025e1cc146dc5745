// The placement index: which open node, and which of its cards, suits one rank best, without
// looking at every node.
//
// Thread rule: one thread at a time; a plain value, copied to plan on. Integers only.
//
//   SKU ─┬─ cpu          every open node that rents CPU        a row: its nodes, sorted by
//        ├─ whole[1..64] by wholly free cards                  (class, id); the class is free CPU
//        ├─ mig[4,2,1]   by the largest slice a card takes     (4 an octave) × free GPU (halves)
//        └─ tenant ─ share[1..999] by milli-cards free         ┌───── free GPU ─────▶
//                                                         free │ · █ · █ ▓ ·   a bit each: is any
//   A node is in one row per kind of hole it has (a card  CPU  │ █ █ · ▓ · ·   node there?
//   free by 0.53 and one by 0.19: two share rows), always      ▼ · · █ · █ ·
//   under the same class.                                 ids in chunks of ≤ 60, with the most CPU
//                                                         and memory any of them has left
//
// The score, lowest first; every part is learnt from `saw` (packer_taste.h), none from a trace:
//   1. the SKU least wanted by work that can use few SKUs;
//   2. a share: the value that the card loses beyond what the share itself is worth, at the prices
//      of the cutting-stock problem of all shares seen (in 32nds of a card); then the fullest card;
//   3. GPU stranded, at the node's class: the CPU left is too little for the GPUs left, shape by
//      shape; and for whole cards what the free ones lose for being together, to work that takes
//      several at once;
//   4. ties: fewest wholly free cards (CPU work: fewest GPUs free, by class), first in `skus`,
//      least CPU, then fewest GPUs free (by class), and last the lowest id.
//
// 1. best() finds a place if and only if one exists: classes steer, the exact numbers decide.
// 2. CPU and memory are never promised twice, nor a card; milli-shares of a card belong to one
//    tenant; a card in MIG mode takes slices only, until it is empty.
// 3. The index is a function of what the nodes hold and what is open, not of how it came to be.
// 4. A closed node is in no row; take, give and fit still work on it.
// 5. A misuse (taking what is not free, giving what was not taken) stops the process.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include "core/model.h"
#include "core/packer_rows.h"
#include "core/packer_taste.h"

namespace ampacity::core {

// What a node has.
struct NodeRoom {
  SkuIx sku = 0;
  std::uint32_t gpus = 0;  // at most 64
  std::int64_t cpu_milli = 0;
  std::int64_t memory_mib = 0;
  bool rents_cpu = false;  // takes work without GPUs
  bool operator==(const NodeRoom&) const = default;
};

// The cards chosen: of a node, and for MIG the memory eighths of the one card.
struct Grip {
  NodeIx node = 0;
  std::uint64_t gpu_mask = 0;
  std::uint8_t mig_slices = 0;
  bool operator==(const Grip&) const = default;
};

// A question about a node, asked only during the call it is given to; empty: always yes.
class NodeTest {
 public:
  NodeTest() = default;
  template <typename F>
  requires(!std::is_same_v<std::remove_cvref_t<F>, NodeTest> &&
           std::is_invocable_r_v<bool, F&, NodeIx>) NodeTest(F&& f)  // NOLINT: a lambda is a test
      : ask_([](void* with, NodeIx n) {
          return static_cast<bool>((*static_cast<std::remove_reference_t<F>*>(with))(n));
        }),
        with_(const_cast<void*>(static_cast<const void*>(std::addressof(f)))) {}
  bool operator()(NodeIx n) const { return !ask_ || ask_(with_, n); }

 private:
  bool (*ask_)(void*, NodeIx) = nullptr;
  void* with_ = nullptr;
};
using Admit = NodeTest;

class Packer {
 public:
  NodeIx add(const NodeRoom& room);             // open and empty; indices count from 0
  void change(NodeIx n, const NodeRoom& room);  // only while nothing is taken there
  void set_open(NodeIx n, bool open);
  void take(const Grip& grip, const NodeNeed& need);
  void give(const Grip& grip, const NodeNeed& need);

  // The best open node of `skus` that `admit` accepts. Rejections cost the caller: each is a call.
  std::optional<Grip> best(std::span<const SkuIx> skus, const NodeNeed& need,
                           Admit admit = {}) const;
  // The cards it would get on this node, open or not, of those `among`; nullopt: no room.
  std::optional<Grip> fit(NodeIx n, const NodeNeed& need, std::uint64_t among = ~0ULL) const;
  // Open nodes of a SKU with `need.gpus` wholly free cards (0: that rent CPU), CPU and memory:
  // fewest free cards first, then least CPU and GPU by class, then lowest id; until `visit` says
  // false.
  void each(SkuIx sku, const NodeNeed& need, NodeTest visit) const;

  // A submission: what is typical is learnt from these. Bounded: 128 shapes, halved every 32,768.
  void saw(std::span<const SkuIx> skus, const NodeNeed& need);

  std::uint32_t size() const { return static_cast<std::uint32_t>(nodes_.size()); }
  const NodeRoom& room(NodeIx n) const { return nodes_[n].room; }
  bool is_open(NodeIx n) const { return nodes_[n].open; }
  bool is_empty(NodeIx n) const;
  std::uint32_t whole_free(NodeIx n) const;
  std::uint64_t whole_free_mask(NodeIx n) const { return nodes_[n].whole; }
  std::uint32_t free_milli(NodeIx n) const { return nodes_[n].free_milli; }  // over all cards
  std::int64_t free_cpu(NodeIx n) const { return left_[n].cpu_milli; }
  std::int64_t free_memory(NodeIx n) const { return left_[n].memory_mib; }
  std::uint32_t card_free_milli(NodeIx n, std::uint32_t gpu) const;
  const Taste& taste() const { return taste_; }

  // Nodes, holdings and index alike; what was learnt is not compared.
  bool operator==(const Packer& other) const;
  std::uint64_t digest() const;  // of the same, for comparing across machines and compilers
  Packer rebuilt() const;        // from nodes and holdings alone: equal, or a bug

 private:
  struct Card {
    std::uint32_t tenant = 0;     // of its milli-shares
    std::uint16_t free = 1000;    // milli
    std::uint8_t mig_slices = 0;  // taken; not zero: in MIG mode
    bool whole() const { return free == 1000; }
    void change(const Grip& grip, const NodeNeed& need, bool taking);
  };
  struct Slot {
    NodeRoom room;
    std::uint32_t first_card = 0;  // in cards_
    std::uint32_t free_milli = 0;
    bool open = true;
    std::uint64_t whole = 0;  // bit g: card g is wholly free
  };
  struct Sharer {
    std::uint32_t tenant = 0;
    std::array<std::uint64_t, 16> filled{};  // bit m: cards free by m milli are somewhere
    std::vector<RowIx> rows;                 // one for each bit set
    std::size_t place(std::uint32_t milli) const;
    bool has(std::uint32_t milli) const { return filled[milli / 64] >> (milli % 64) & 1; }
    RowIx row(std::uint32_t milli) const { return has(milli) ? rows[place(milli)] : no_row; }
  };
  struct SkuRows {
    RowIx cpu = no_row;
    std::uint64_t whole_filled = 0;  // bit w-1: whole[w] has nodes
    std::array<RowIx, 65> whole{};
    std::array<RowIx, 3> mig{};   // takes a slice of 4, 2, 1 eighths
    std::vector<Sharer> sharers;  // sorted by tenant
  };
  enum class Hole : std::uint8_t { cpu, whole, mig, share };
  struct HoleAt {  // one row a node belongs in
    Hole hole = Hole::cpu;
    std::uint16_t level = 0;
    std::uint32_t tenant = 0;
    bool operator==(const HoleAt&) const = default;
  };
  struct Holes {
    std::array<HoleAt, 68> at;
    std::uint32_t count = 0;
    std::uint32_t klass = 0;
  };
  struct Search;

  std::span<Card> cards(NodeIx n) {
    return {cards_.data() + nodes_[n].first_card, nodes_[n].room.gpus};
  }
  std::span<const Card> cards(NodeIx n) const {
    return {cards_.data() + nodes_[n].first_card, nodes_[n].room.gpus};
  }
  void holes_of(NodeIx n, Holes& holes) const;
  void move(NodeIx n, const Holes& before, Left was);
  void enter(NodeIx n, const HoleAt& hole, std::uint32_t klass);
  void leave(NodeIx n, const HoleAt& hole, std::uint32_t klass, Left was);
  void name_row(SkuIx sku, const HoleAt& hole, RowIx row);
  void forget_row(SkuIx sku, const HoleAt& hole);
  RowIx row_at(SkuIx sku, const HoleAt& hole) const;
  const Sharer* sharer(SkuIx sku, std::uint32_t tenant) const;
  SkuRows& sku_rows(SkuIx sku);
  void gather_cards();
  std::uint32_t new_cards(std::uint32_t count);
  std::uint64_t choose_share(NodeIx n, const NodeNeed& need, std::uint64_t among) const;
  std::optional<Grip> choose_slice(NodeIx n, const NodeNeed& need, std::uint64_t among) const;
  void apply(const Grip& grip, const NodeNeed& need, bool taking);
  template <typename F>
  void each_number(F&& f) const;

  std::vector<Slot> nodes_;
  std::vector<Left> left_;
  std::vector<Card> cards_;
  std::uint32_t cards_lost_ = 0;  // left behind by change()
  std::vector<SkuRows> skus_;
  std::vector<std::int64_t> capacity_;  // GPU milli by SKU, open or not
  Rows rows_;
  Taste taste_;
};

}  // namespace ampacity::core
