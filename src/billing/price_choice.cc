#include "billing/price_choice.h"

#include <algorithm>

namespace ampacity::billing {
namespace {

constexpr Instant for_ever{INT64_MAX};

std::string_view name_of(const std::vector<std::string>& names, std::uint32_t ix) {
  return ix < names.size() ? std::string_view(names[ix]) : std::string_view();
}

std::uint32_t index_of(const std::vector<std::string>& names, const std::string& name) {
  if (name.empty()) return core::nobody;
  const auto at = std::ranges::find(names, name);
  return at == names.end() ? core::nobody : static_cast<std::uint32_t>(at - names.begin());
}

}  // namespace

Meters::Meters() {
  for (const char* name : {"gpu", "vcpu", "memory", "cpu_vcpu", "cpu_memory", ""}) of(name);
}

MeterIx Meters::of(std::string_view meter) {
  const auto known = by_name_.find(meter);
  if (known != by_name_.end()) return known->second;
  const auto ix = static_cast<MeterIx>(names_.size());
  names_.emplace_back(meter);
  by_name_.emplace(std::string(meter), ix);
  return ix;
}

bool Pricing::is_free() const {
  return std::ranges::all_of(
             function.tiers,
             [](const core::PriceTier& t) { return t.price == 0 && t.flat == 0; }) &&
         function.minimum == 0;
}

PriceChoice::PriceChoice(const Inputs& in, const Meters& meters) : in_(in), meters_(meters) {
  for (const core::PriceBook& book : in.books)
    if (book.sequence <= in.sequence && (book.org == core::nobody || book.org == in.org))
      books_.push_back(&book);
}

const core::PriceRule* PriceChoice::rule_of(const core::PriceBook& book, const Wanted& w) const {
  core::PriceQuery query;
  query.meter = meters_.name(w.meter);
  query.sku = name_of(in_.names.skus, w.sku);
  query.site = name_of(in_.names.sites, w.site);
  query.job_class = w.job_class;
  query.term_months = w.term_months;
  const core::PriceRule* rule = core::rule_in(book, query);
  return rule && rule->price.tiers.empty() ? nullptr : rule;
}

const core::PriceBook* PriceChoice::effective(bool is_public, Instant at) const {
  const core::PriceBook* latest = nullptr;
  for (const core::PriceBook* b : books_)
    if ((b->org == core::nobody) == is_public && b->effective_from <= at &&
        b->currency == in_.profile.currency)
      latest = b;
  return latest;
}

PriceIx PriceChoice::of_rule(const core::PriceBook& book, const core::PriceRule& rule) {
  const auto known = by_rule_.find(&rule);
  if (known != by_rule_.end()) return known->second;
  Pricing p;
  p.function = rule.price;
  p.version = book.version;
  p.sku = index_of(in_.names.skus, rule.sku);
  p.site = index_of(in_.names.sites, rule.site);
  p.job_class = rule.job_class.value_or(core::JobClass::on_demand);
  p.effective_from = book.effective_from;
  p.effective_until = for_ever;
  bool later = false;
  for (const core::PriceBook* other : books_) {
    if (later && other->org == book.org && other->currency == book.currency)
      p.effective_until = std::min(p.effective_until, other->effective_from);
    later = later || other == &book;
  }
  pricings_.push_back(std::move(p));
  const auto ix = static_cast<PriceIx>(pricings_.size() - 1);
  by_rule_.emplace(&rule, ix);
  return ix;
}

PriceIx PriceChoice::of_pinned(std::uint32_t version, MeterIx meter, Ticks price,
                               std::int64_t per) {
  const auto [at, is_new] =
      by_pinned_.try_emplace({version, meter, price, per}, static_cast<PriceIx>(pricings_.size()));
  if (is_new) {
    Pricing p;
    p.function.per = per;
    p.function.tiers = {{0, price, 0}};
    p.version = version;
    p.meter = meter;
    pricings_.push_back(std::move(p));
  }
  return at->second;
}

PriceIx PriceChoice::of_lease(const Wanted& w) {
  const auto known = chosen_.find(w);
  if (known != chosen_.end()) return known->second;
  const auto book = std::ranges::find(books_, w.version, &core::PriceBook::version);
  const core::PriceRule* rule = book == books_.end() ? nullptr : rule_of(**book, w);
  const PriceIx price =
      rule ? of_rule(**book, *rule) : of_pinned(w.version, w.meter, w.pinned, w.per);
  pricings_[price].meter = w.meter;
  chosen_.emplace(w, price);
  return price;
}

PriceIx PriceChoice::of_event(Wanted w, Instant at) {
  const core::PriceBook* own = effective(false, at);
  const core::PriceBook* book = own && rule_of(*own, w) ? own : effective(true, at);
  w.version = book ? book->version : 0;
  const auto known = chosen_.find(w);
  if (known != chosen_.end()) return known->second;
  const core::PriceRule* rule = book ? rule_of(*book, w) : nullptr;
  const PriceIx price = rule ? of_rule(*book, *rule) : of_pinned(w.version, w.meter, 0, 1'000'000);
  pricings_[price].meter = w.meter;
  chosen_.emplace(w, price);
  return price;
}

PriceIx PriceChoice::of_contract(MeterIx meter, Ticks price) {
  return of_pinned(0, meter, price, 1000);
}

Ticks PriceChoice::list_price(Instant at, MeterIx meter, core::SkuIx sku, core::SiteIx site) {
  const core::PriceBook* book = effective(true, at);
  if (!book) return 0;
  const auto [known, is_new] = list_.try_emplace({book, meter, sku, site}, 0);
  if (is_new) {
    Wanted w;
    w.meter = meter;
    w.sku = sku;
    w.site = site;
    if (const core::PriceRule* rule = rule_of(*book, w)) known->second = rule->price.tiers[0].price;
  }
  return known->second;
}

}  // namespace ampacity::billing
