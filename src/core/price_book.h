// Which price is in force for whom: the look-up in the books, and books made of plain prices.
// Pure functions.
// 1. An org's own book in force is looked into first, then the public list of its currency; of each
// series the latest whose effective_from has come. 2. The rule that says most wins (core/price.h),
// of equals the one of the longer term, then the first.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "core/model.h"
#include "core/state.h"

namespace ampacity::core {

struct PriceQuery {
  OrgIx org = nobody;  // nobody: by the public list alone
  std::string_view currency;
  std::string_view meter;
  std::string_view sku;
  std::string_view site;
  JobClass job_class = JobClass::on_demand;
  std::uint32_t term_months = 0;
  Instant at;
};
struct FoundRule {
  const PriceBook* book = nullptr;
  const PriceRule* rule = nullptr;
};
std::optional<FoundRule> rule_for(const std::vector<PriceBook>& books, const PriceQuery& query);

// The book of one series that is in force; nullptr: none yet.
const PriceBook* book_in_force(const std::vector<PriceBook>& books, OrgIx org,
                               std::string_view currency, Instant at);
const PriceRule* rule_in(const PriceBook& book, const PriceQuery& query);
// Does its first tier say it all: no flat, minimum or maximum?
bool is_plain(const PriceFunction& price);
// Per unit and second of a meter whose whole unit is 1000 (1024) of the smallest.
PriceFunction per_second(Ticks price, std::int64_t per = 1000);

// A second of the whole unit by the first tier, rounded up to the tick: what is shown.
Ticks price_of_second(const PriceFunction& price, std::int64_t unit);

// The meters of leases, beside those of metered events.
inline constexpr std::string_view gpu_meter = "gpu", vcpu_meter = "vcpu", memory_meter = "memory",
                                  cpu_vcpu_meter = "cpu_vcpu", cpu_memory_meter = "cpu_memory";
bool is_lease_meter(std::string_view meter);
// Of metered events: seconds that a contract's service was not there for. No line is made of them:
// they give a credit by the contract's schedule.
inline constexpr std::string_view downtime_meter = "sla_downtime_seconds";

inline constexpr Ticks dearest_price = 10'000 * 10'000;  // of a unit and second: 10,000 an hour
inline constexpr std::size_t most_rules = 10'000;
inline constexpr std::size_t most_tiers = 100;

// ---- books of plain prices ----------------------------------------------------------------------

struct SkuPrice {
  std::string sku;
  Ticks on_demand = 0;  // per GPU-second
  Ticks spot = 0;
};
PriceBook plain_book(std::string name, Instant effective_from, const std::vector<SkuPrice>& gpus,
                     Ticks vcpu, Ticks gib, Ticks cpu_vcpu, Ticks cpu_gib);

// Under a contract of so many months, this much less than on demand.
struct TermDiscount {
  std::uint32_t months = 0;
  std::int64_t off_bp = 0;  // hundredths of a percent
};
inline const std::vector<TermDiscount> usual_terms = {
    {1, 1'000}, {3, 1'800}, {6, 2'500}, {12, 3'500}, {36, 5'500}};
// A rule more for each term and each rule of a lease's meter that is not of spot, house or a term.
void add_terms(PriceBook& book, std::span<const TermDiscount> terms);
void sort_rules(PriceBook& book);  // by meter, keeping the order inside
// Everything wrong with its rules, by path: "rules[3].tiers[0].price".
std::vector<base::Wrong> wrong_with(const PriceBook& book);
void check_rule(const PriceRule& rule, const std::string& path, std::vector<base::Wrong>& wrong);

// ---- of a job -----------------------------------------------------------------------------------

// The rates of a demand on a SKU; site nobody: those of the dearest site that could serve it.
// nullopt: there is no price for it.
std::optional<Rates> rates_for(const State& state, const Job& job, SkuIx sku, SiteIx site,
                               std::int64_t cpu_milli, std::int64_t memory_mib, Instant at);
// Do both say the same, by the same rules? Else a floating price has moved.
bool same_prices(const State& state, const Job& job, SkuIx sku, SiteIx site, const Rates& a,
                 const Rates& b);

}  // namespace ampacity::core
