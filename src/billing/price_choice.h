// Which price a stretch of usage has: of the version that was pinned, by the rule that says most.
// Threads: belongs to one rating.
//
// 1. What has one price has one PriceIx, and the other way round: cumulative quantities of a month
//    are kept by it (`C` of an org, a rule and its version). 2. The version is the one pinned at
//    the lease; the price pinned beside it (a ceiling) counts only where that version is unknown or
//    has no rule.
#pragma once

#include <map>
#include <tuple>

#include "billing/rate.h"
#include "core/price_book.h"

namespace ampacity::billing {

using MeterIx = std::uint32_t;
using PriceIx = std::uint32_t;

// The meters of leases come first; others are numbered as they come.
inline constexpr MeterIx meter_gpu = 0, meter_vcpu = 1, meter_memory = 2, meter_cpu_vcpu = 3,
                         meter_cpu_memory = 4, meter_none = 5;

class Meters {
 public:
  Meters();
  MeterIx of(std::string_view meter);
  const std::string& name(MeterIx meter) const { return names_[meter]; }

 private:
  std::vector<std::string> names_;
  std::map<std::string, MeterIx, std::less<>> by_name_;
};

struct Pricing {
  core::PriceFunction function;
  std::uint32_t version = 0;  // 0: a contract's, or none
  MeterIx meter = meter_none;
  core::SkuIx sku = core::nobody;  // the rule's, if it names one
  core::SiteIx site = core::nobody;
  core::JobClass job_class = core::JobClass::on_demand;
  Instant effective_from;
  Instant effective_until;

  Ticks first_price() const { return function.tiers.front().price; }
  bool is_free() const;
};

// What a rule is chosen by.
struct Wanted {
  std::uint32_t version = 0;
  MeterIx meter = meter_none;
  core::SkuIx sku = core::nobody;
  core::SiteIx site = core::nobody;
  core::JobClass job_class = core::JobClass::on_demand;
  std::uint32_t term_months = 0;
  Ticks pinned = 0;
  std::int64_t per = 1000;
  auto operator<=>(const Wanted&) const = default;
};

class PriceChoice {
 public:
  PriceChoice(const Inputs& in, const Meters& meters);

  PriceIx of_lease(const Wanted& wanted);
  // By what is effective at `at`; where no book knows the meter it costs nothing.
  PriceIx of_event(Wanted wanted, Instant at);
  PriceIx of_contract(MeterIx meter, Ticks price);
  const Pricing& at(PriceIx price) const { return pricings_[price]; }
  std::size_t size() const { return pricings_.size(); }

  // The public book's price on demand then; 0: it has none.
  Ticks list_price(Instant at, MeterIx meter, core::SkuIx sku, core::SiteIx site);

 private:
  const core::PriceRule* rule_of(const core::PriceBook& book, const Wanted& wanted) const;
  const core::PriceBook* effective(bool is_public, Instant at) const;
  PriceIx of_rule(const core::PriceBook& book, const core::PriceRule& rule);
  PriceIx of_pinned(std::uint32_t version, MeterIx meter, Ticks price, std::int64_t per);

  const Inputs& in_;
  const Meters& meters_;
  std::vector<const core::PriceBook*> books_;  // as given: a later one replaces
  std::vector<Pricing> pricings_;
  std::map<Wanted, PriceIx> chosen_;
  std::map<const core::PriceRule*, PriceIx> by_rule_;
  std::map<std::tuple<std::uint32_t, MeterIx, Ticks, std::int64_t>, PriceIx> by_pinned_;
  std::map<std::tuple<const core::PriceBook*, MeterIx, core::SkuIx, core::SiteIx>, Ticks> list_;
};

}  // namespace ampacity::billing
