// What placement learnt from submissions: the usual shapes of work, and from them the value of
// what is left of a card and of a node.
//
// Thread rule: one thread at a time; a plain value. Integers only.
//
//   saw ─▶ counts of shapes ──(at 16, 32, … 65,536 seen, then halved)──▶ refresh ─▶ the tables
//   below
//
// 1. Between refreshes the tables change only by a new shape's own column: a score is stable.
// 2. A function of the sequence of `saw` alone.
//
// The prices. Which shares fill cards together is the cutting-stock problem: cut the fewest cards
// into the shares seen. Its dual gives each share size a price, no set that fits a card above one
// card; what is left of a card is worth the best set that still fits it. Placing a share costs what
// the card loses. A share that fits nothing else's leavings costs a whole card wherever it goes; a
// small one that fills them is free there and dear anywhere else. Solved by multiplicative weights
// (Plotkin, Shmoys, Tardos), 1,000 rounds of a knapsack over 100 centi-cards.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "core/model.h"
#include "core/packer_rows.h"

namespace ampacity::core {

// What one rank needs of one node.
struct NodeNeed {
  std::uint32_t gpus = 0;          // cards; 0: CPU work, only on nodes that rent CPU
  std::uint32_t gpu_milli = 1000;  // of the card; below 1000 only with gpus == 1
  std::uint32_t mig = 0;           // a MIG slice of 1, 2, 4 or 8 memory eighths; 0: none
  std::int64_t cpu_milli = 0;
  std::int64_t memory_mib = 0;
  std::uint32_t tenant = 0;  // milli-shares of one card belong to one tenant
  bool valid() const;
  bool share() const { return gpus == 1 && mig == 0 && gpu_milli < 1000; }
  std::uint32_t total_milli() const { return mig ? mig * 125 : gpus * gpu_milli; }
  bool operator==(const NodeNeed&) const = default;
};

class Taste {
 public:
  static constexpr std::size_t most_shapes = 128;  // remembered; the rarest gives way
  static constexpr std::size_t most_typical = 64;  // with a say: those that make 95 % of what came
  static constexpr std::uint32_t scale = 1024;     // stranded GPU is in 1/1024 milli

  // `capacity`: GPU milli by SKU.
  void saw(std::span<const SkuIx> skus, const NodeNeed& need,
           std::span<const std::int64_t> capacity);

  // GPU that becomes stranded when (cpu, gpu) is taken from a node of the class: a table by class
  // for shapes seen, else nullptr and stranded_by says it one by one.
  const std::int32_t* column(std::int64_t cpu_milli, std::uint32_t gpu_milli) const;
  std::int64_t stranded_by(std::int64_t cpu_milli, std::uint32_t gpu_milli,
                           std::uint32_t klass) const;
  // What `free` whole cards of a node lose for being together when some are taken.
  std::int64_t parted_by(std::uint32_t free, std::uint32_t taken) const {
    return together_[free] - together_[free - taken];
  }
  // Centi-cards in the order in which a share of `size` centi-cards (rounded up) takes them.
  const std::array<std::uint8_t, 101>& order(std::uint32_t size) const { return order_[size]; }
  std::uint32_t rank(std::uint32_t size, std::uint32_t left) const { return rank_[size][left]; }
  // How much work that can use few SKUs wants this one, 0..4.
  std::uint32_t wanted(SkuIx sku) const { return sku < wanted_.size() ? wanted_[sku] : 0; }
  std::int64_t card_value(std::uint32_t centi) const { return value_[centi]; }  // milli-cards

 private:
  struct Shape {
    std::int64_t cpu_milli, memory_mib;
    std::uint32_t gpus, gpu_milli;
    std::uint32_t count;
  };
  struct Column {
    std::int64_t cpu_milli = 0;
    std::uint32_t gpu_milli = 0;
    std::vector<std::int32_t> by_class;
  };
  struct Ratio {  // of CPU to GPU among shapes: sums over those that need at least this much CPU
    std::int64_t cpu_per_card = 0;
    std::int64_t weight = 0;   // Σ w, of 65,536
    std::int64_t per_cpu = 0;  // Σ w · 1000 · 2^20 / cpu_per_card
  };
  bool count(const NodeNeed& need);
  void refresh(std::span<const std::int64_t> capacity);
  std::vector<Shape> typical() const;
  void learn_ratios(const std::vector<Shape>& shapes);
  void learn_numbers(const std::vector<Shape>& shapes);
  void learn_cards(const std::vector<Shape>& shapes);
  void learn_skus(std::span<const std::int64_t> capacity);
  void learn_order();
  void add_column(std::int64_t cpu_milli, std::uint32_t gpu_milli);
  std::int64_t stranded(std::int64_t cpu_milli, std::int64_t gpu_milli) const;

  std::vector<Shape> shapes_;  // sorted by shape
  std::uint64_t total_ = 0;
  std::uint64_t refresh_at_ = 16;
  std::int64_t total_milli_ = 0;
  std::vector<std::int64_t> narrow_milli_;  // by SKU: from work that cannot go everywhere
  std::vector<std::uint8_t> wanted_;
  std::vector<Ratio> ratios_;    // rising
  std::vector<Column> columns_;  // sorted
  std::array<std::int64_t, 65> together_{};
  std::array<std::int64_t, 101> value_ = plain_value();
  std::array<std::array<std::uint8_t, 101>, 101> order_ = plain_order();
  std::array<std::array<std::uint8_t, 101>, 101> rank_ = plain_order();
  static std::array<std::int64_t, 101> plain_value();
  static std::array<std::array<std::uint8_t, 101>, 101> plain_order();
};

// The prices: value in milli-cards of what is left of a card, by centi-cards, from (size in
// centi-cards, count) of the shares seen. Exposed for its test.
struct ShareSize {
  std::uint32_t centi = 0;
  std::uint32_t count = 0;
};
std::array<std::int64_t, 101> card_values(std::span<const ShareSize> sizes);

}  // namespace ampacity::core
