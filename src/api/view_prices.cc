#include "api/view_prices.h"

#include <fmt/core.h>

#include <algorithm>

#include "core/price_book.h"

namespace ampacity::api {
namespace {

constexpr std::int64_t a_month = 2'628'000;
constexpr base::Ticks exact_grid = 9;  // ticks a second: 0.0009 an hour

bool is_hourly(const core::PriceFunction& p) { return p.per == 1000 || p.per == 1024; }

struct Unit {
  std::int64_t smallest = 1;  // in one of a quantity's units
  const char* name = "";
};
Unit unit_of(std::string_view meter) {
  if (meter == core::memory_meter || meter == core::cpu_memory_meter) return {3600 * 1024, " h"};
  if (core::is_lease_meter(meter)) return {3'600'000, " h"};
  return {1'000'000, ""};
}

std::string quantity(std::string_view meter, std::int64_t smallest) {
  const Unit unit = unit_of(meter);
  const auto thousandths =
      base::divide_half_up(static_cast<base::Wide>(smallest) * 1000, unit.smallest);
  std::string text = fmt::format("{}.{:03}", thousandths / 1000, thousandths % 1000);
  text.erase(text.find_last_not_of('0') + 1);
  if (text.ends_with('.')) text.pop_back();
  return text + unit.name;
}

std::string money(std::string_view meter, const core::PriceFunction& p, base::Ticks price) {
  return core::is_lease_meter(meter) && is_hourly(p) && p.kind != core::PriceKind::package
             ? base::format_hourly_price(price)
             : base::format_usd(price, 2);
}

std::string per_what(std::string_view meter, const core::PriceFunction& p) {
  if (core::is_lease_meter(meter))
    return is_hourly(p) ? " an hour" : p.per % a_month == 0 ? " a month" : "";
  return p.per == 1'000'000 ? " each" : fmt::format(" for {}", quantity(meter, p.per));
}

std::string tiers(std::string_view meter, const core::PriceFunction& p) {
  std::string text;
  for (const core::PriceTier& t : p.tiers) {
    if (!text.empty()) text += ", ";
    text += t.up_to ? "up to " + quantity(meter, t.up_to) + " " : "above ";
    text += money(meter, p, t.price);
    if (t.flat) text += " + " + base::format_usd(t.flat, 2);
  }
  return text + per_what(meter, p);
}

}  // namespace

std::string price_in_words(std::string_view meter, const core::PriceFunction& p) {
  if (p.tiers.empty()) return "nothing";
  std::string text;
  if (p.kind == core::PriceKind::package) {
    text = base::format_usd(p.tiers[0].price, 2) + " for each " + quantity(meter, p.package);
    if (p.free) text += " after " + quantity(meter, p.free);
  } else if (p.tiers.size() > 1) {
    text = tiers(meter, p);
    if (p.kind == core::PriceKind::volume) text += " for all of it";
  } else {
    text = money(meter, p, p.tiers[0].price) + per_what(meter, p);
    if (p.tiers[0].flat) text += " + " + base::format_usd(p.tiers[0].flat, 2);
  }
  if (p.minimum) text += ", at least " + base::format_usd(p.minimum, 2) + " a month";
  if (p.maximum) text += ", at most " + base::format_usd(p.maximum, 2) + " a month";
  return text;
}

bool exact_per_second(const core::PriceFunction& p) {
  if (!is_hourly(p) || p.kind == core::PriceKind::package) return true;
  return std::ranges::all_of(p.tiers,
                             [](const core::PriceTier& t) { return t.price % exact_grid == 0; });
}

bool has_price(const core::PriceBook& book, const std::string& sku) {
  const auto has = [&](std::string_view meter) {
    return core::rule_in(book,
                         {core::nobody, {}, meter, sku, {}, core::JobClass::on_demand, 0, {}});
  };
  return sku == "cpu" ? has(core::cpu_vcpu_meter) && has(core::cpu_memory_meter)
                      : has(core::gpu_meter) != nullptr;
}

PriceRuleView view_rule(const core::PriceRule& rule) {
  PriceRuleView v;
  v.meter = rule.meter;
  if (!rule.sku.empty()) v.sku = rule.sku;
  if (!rule.site.empty()) v.site = rule.site;
  v.job_class = rule.job_class;
  if (rule.term_months) v.term_months = rule.term_months;
  v.text = price_in_words(rule.meter, rule.price);
  v.exact_per_second = exact_per_second(rule.price);
  v.price = rule.price;
  return v;
}

PriceBookView view_book(const core::World& w, const core::PriceBook& book, Instant now,
                        bool with_rules) {
  PriceBookView v;
  v.version = book.version;
  v.name = book.name;
  v.currency = book.currency;
  if (book.org != core::nobody) v.org = w.state().orgs[book.org].name;
  v.effective_from = book.effective_from;
  const auto* in_force = core::book_in_force(w.state().books, book.org, book.currency, now);
  v.state = book.effective_from > now                       ? BookState::later
            : in_force && in_force->version != book.version ? BookState::past
                                                            : BookState::in_force;
  v.rule_count = static_cast<std::int64_t>(book.rules.size());
  if (with_rules)
    for (const core::PriceRule& r : book.rules) v.rules.push_back(view_rule(r));
  return v;
}

}  // namespace ampacity::api
