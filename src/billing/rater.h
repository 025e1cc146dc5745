// Rates usage as it was known at one moment: cumulative quantities of a month by price, contracts
// before the book, and the lines they add up to.
// Threads: belongs to one rating.
//
// 1. Usage is taken by time; a piece's ticks are C after − C before. 2. Per contract and month
// Σ effective of pieces used and unused = what the month's commitment is bought for. 3. A piece's
// minor is R of its line after − R before: they add up to R(line).
#pragma once

#include <compare>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "billing/contract.h"
#include "billing/price_choice.h"

namespace ampacity::billing {

// Of the invoice lines that telescope: all kinds but manual and prepaid.
struct LineKey {
  Instant month;
  core::LineKind kind = core::LineKind::usage;
  core::ProjectIx project = core::nobody;
  core::SkuIx sku = core::nobody;
  MeterIx meter = meter_none;
  core::SiteIx site = core::nobody;
  core::JobClass job_class = core::JobClass::on_demand;
  std::uint32_t version = 0;
  Ticks price = 0;
  Id contract;
  auto operator<=>(const LineKey&) const = default;
};

struct LineState {
  std::int64_t quantity = 0;
  Ticks ticks = 0;
  Ticks paid = 0;  // by leases while they ran, at their prices' ceilings
  std::int64_t per = 1;
  Instant from;
  Instant until;
};

struct Piece {
  LineKey key;
  Instant from;
  Instant until;
  std::int64_t quantity = 0;
  std::int64_t per = 1;
  Ticks contracted_price = 0;
  Ticks ticks = 0;
  std::int64_t minor = 0;
  Commitment commitment = Commitment::none;
  Ticks effective = 0;
};
using Pieces = std::vector<Piece>;

// What was known of a month when it was rated.
struct View {
  std::uint64_t sequence = 0;
  std::uint64_t meter_sequence = 0;
  Instant until;
};

// A contract's month, worked out beforehand.
struct ContractMonth {
  Span covers;
  std::int64_t committed = 0;
  Ticks purchase = 0;        // gpu_hours, take or pay
  std::optional<Span> term;  // that ends in it
};

// What all ratings of one invoice share.
struct Setting {
  explicit Setting(const Inputs& inputs);

  const Inputs& in;
  Ticks ticks_per_minor = 360'000;
  std::vector<Span> months;  // rated, ascending
  Meters meters;
  PriceChoice prices;
  std::vector<core::Contract> known;                        // of in.contracts, as ended by then
  std::vector<const core::Contract*> contracts;             // by (from, id)
  std::vector<core::SkuIx> contract_sku;                    // nobody: any
  std::vector<std::vector<ContractMonth>> contract_months;  // [contract][month]
  std::map<LineKey, LineState> earlier_terms;  // of months before those rated, with a contract
};

class Rater {
 public:
  // views[i]: of setting.months[i]; none: nothing was known of it.
  Rater(Setting& setting, std::vector<std::optional<View>> views);

  // False: it went wrong, see wrong(). The pieces are added to `out`.
  bool lease(const LeaseUsage& lease, Pieces& out);
  bool metered(const MeteredUsage& event, Pieces& out);
  // Once, last: minimums, purchases, what was not used, shortfalls, credits.
  bool finish(Pieces& out);

  const std::map<LineKey, LineState>& lines() const { return lines_; }
  const std::string& wrong() const { return wrong_; }

 private:
  // Of one meter at one price, inside one month.
  struct Stretch {
    core::LineKind kind = core::LineKind::usage;
    core::ProjectIx project = core::nobody;
    core::SkuIx sku = core::nobody;
    core::SiteIx site = core::nobody;
    core::JobClass job_class = core::JobClass::on_demand;
    Id reservation;
    MeterIx meter = meter_none;
    std::size_t month = 0;
    Instant from;
    Instant until;
    std::int64_t quantity = 0;
    std::uint32_t version = 0;
    std::uint32_t term_months = 0;
    Ticks pinned = 0;
    std::int64_t per = 1000;
  };
  struct Series {
    std::int64_t quantity = 0;
    Ticks ticks = 0;
  };

  // The lease's seconds from `from_s` to `to_s`.
  bool components(const core::Rates& rates, std::int64_t from_s, std::int64_t to_s,
                  Stretch& stretch, Pieces& out);
  bool take(const Stretch& stretch, Pieces& out);
  bool matches(std::size_t contract, const Stretch& stretch) const;
  bool cover(std::size_t contract, const Stretch& s, std::int64_t& left, Pieces& out);
  bool at_price(PriceIx price, Id contract, const Stretch& s, std::int64_t quantity, Pieces& out);
  bool add(Piece piece, Pieces& out);
  bool fail(std::string what);

  bool minimums(std::size_t month, Pieces& out);
  bool commitment(std::size_t contract, std::size_t month, Pieces& out);
  bool shortfall(std::size_t contract, std::size_t month, Pieces& out);
  bool sla_credit(std::size_t contract, std::size_t month, Pieces& out);
  bool used_over(std::size_t contract, Span period, base::Wide& used) const;

  Setting& setting_;
  std::vector<std::optional<View>> views_;
  std::vector<std::vector<Series>> series_;      // [month][price]
  std::vector<std::vector<std::int64_t>> used_;  // [contract][month]
  std::map<LineKey, LineState> lines_;
  Ticks paid_ = 0;  // of the stretch being taken: its first piece has it
  std::string wrong_;
};

}  // namespace ampacity::billing
