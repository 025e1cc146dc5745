// What every lease of the simulated year should cost, counted a second time and as simply as can
// be: whole GPUs times seconds times the price of the day. It shares no code with core/meter.h, and
// knows of the core only how many seconds were billed. One thread.
#pragma once

#include <vector>

#include "sim/year_fleet.h"

namespace ampacity::sim {

// One lease: what a second costs, and from which second on.
class LeaseBill {
 public:
  void begin(core::Ticks per_second) {
    pieces_.clear();
    pieces_.push_back({0, per_second});
  }
  // From second `from_s` on (0: from its begin, nothing has run yet).
  void change(std::int64_t from_s, core::Ticks per_second);
  core::Ticks cost(std::int64_t seconds) const;

 private:
  struct Piece {
    std::int64_t from_s = 0;
    core::Ticks per_second = 0;
  };
  std::vector<Piece> pieces_;
};

core::Ticks second_of(const YearPrices& prices, std::uint32_t sku, core::JobClass job_class,
                      std::int64_t gpus);

// By project: what the wallet should hold.
struct YearBooks {
  std::vector<core::Ticks> put_in;
  std::vector<core::Ticks> billed;  // of closed leases
};

// Σ over all wallets and the revenue of |ledger − model|. `live` is what the model says is posted
// and held for leases that are not closed.
struct LiveCost {
  std::uint32_t project = 0;
  core::Ticks posted = 0;
  core::Ticks held = 0;
};
core::Ticks drift_of(const core::World& world, const YearBooks& books,
                     const std::vector<LiveCost>& live);

}  // namespace ampacity::sim
