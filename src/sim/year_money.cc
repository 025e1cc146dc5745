#include "sim/year_money.h"

namespace ampacity::sim {

void LeaseBill::change(std::int64_t from_s, core::Ticks per_second) {
  if (from_s <= 0) return begin(per_second);
  pieces_.push_back({from_s, per_second});
}

core::Ticks LeaseBill::cost(std::int64_t seconds) const {
  core::Ticks sum = 0;
  for (std::size_t i = 0; i < pieces_.size(); ++i) {
    std::int64_t until = seconds;
    if (i + 1 < pieces_.size() && pieces_[i + 1].from_s < until) until = pieces_[i + 1].from_s;
    if (until > pieces_[i].from_s) sum += (until - pieces_[i].from_s) * pieces_[i].per_second;
  }
  return sum;
}

core::Ticks second_of(const YearPrices& prices, std::uint32_t sku, core::JobClass job_class,
                      std::int64_t gpus) {
  const core::Ticks card = job_class == core::JobClass::spot ? prices.spot[sku] : prices.list[sku];
  return gpus * (card + vcpus_per_gpu * vcpu_price + gib_per_gpu * gib_price);
}

core::Ticks drift_of(const core::World& world, const YearBooks& books,
                     const std::vector<LiveCost>& live) {
  const core::State& s = world.state();
  std::vector<core::Ticks> posted = books.billed, held(books.billed.size());
  for (const LiveCost& l : live) {
    posted[l.project] += l.posted;
    held[l.project] += l.held;
  }
  const auto distance = [](core::Ticks a, core::Ticks b) { return a > b ? a - b : b - a; };
  core::Ticks drift = 0, all = 0, earned = 0;
  for (std::size_t p = 0; p < posted.size(); ++p) {
    const core::Account& wallet = s.accounts[s.projects[p].wallet];
    drift += distance(wallet.credits_posted - wallet.debits_posted, books.put_in[p] - posted[p]);
    drift += distance(wallet.debits_pending, held[p]);
    all += posted[p];
  }
  for (const core::Sku& sku : s.skus) {
    const core::Account& revenue = s.accounts[sku.revenue];
    earned += revenue.credits_posted - revenue.debits_posted;
  }
  return drift + distance(earned, all);
}

}  // namespace ampacity::sim
