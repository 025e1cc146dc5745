#include "cli/price_sheet.h"

#include <fmt/core.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/money.h"

namespace ampacity::cli {
namespace {

using api::PriceRuleView;
using core::JobClass;

constexpr base::Ticks exact_grid = 9;

// Meters in the order of reading.
int rank_of(const std::string& meter) {
  static const char* const first[] = {"gpu", "vcpu", "memory", "cpu_vcpu", "cpu_memory"};
  return static_cast<int>(std::find(std::begin(first), std::end(first), meter) - std::begin(first));
}

bool is_plain_hour(const PriceRuleView& r) {
  return r.text.ends_with(" an hour") && r.price.tiers.size() == 1 &&
         r.price.kind == core::PriceKind::per_unit;
}

std::string in_short(const PriceRuleView& r) {
  std::string text = r.text;
  if (is_plain_hour(r)) text.resize(text.size() - std::string_view(" an hour").size());
  return text + (r.exact_per_second ? "" : " *");
}

using Line = std::tuple<int, std::string, std::string, std::string>;  // meter, sku, site
Line line_of(const PriceRuleView& r) {
  return {rank_of(r.meter), r.meter, r.sku.value_or(""), r.site.value_or("")};
}

std::string what_of(const PriceRuleView& r) {
  std::string text = r.meter;
  if (r.sku) text += " " + *r.sku;
  if (r.site) text += " at " + *r.site;
  return text;
}

std::string for_whom(const PriceRuleView& r) {
  std::string text = r.job_class ? std::string(base::enum_name(*r.job_class)) : "any class";
  if (r.term_months) text += fmt::format(", {} months", *r.term_months);
  return text;
}

std::string percent(base::Ticks before, base::Ticks after) {
  if (before == 0) return "";
  const std::int64_t tenths =
      base::divide_half_up(static_cast<base::Wide>(after - before) * 1000, before);
  const std::int64_t size = tenths < 0 ? -tenths : tenths;
  return fmt::format("{}{}.{} %", tenths < 0 ? "-" : "+", size / 10, size % 10);
}

}  // namespace

PriceSheet price_sheet(const std::vector<PriceRuleView>& rules) {
  PriceSheet sheet;
  std::set<std::int64_t> terms;
  for (const PriceRuleView& r : rules)
    if (r.term_months) terms.insert(*r.term_months);
  Table& t = sheet.table;
  t.columns = {{"METER"},
               {"SKU"},
               {"SITE", Align::left, 0, 9},
               {"ON DEMAND", Align::right, 12},
               {"SPOT", Align::right, 12, 8}};
  int drop = static_cast<int>(terms.size());
  for (const std::int64_t months : terms)
    t.columns.push_back({fmt::format("{} MONTHS", months), Align::right, 8, drop--});
  std::map<Line, std::vector<Cell>> lines;
  for (const PriceRuleView& r : rules) {
    auto& cells = lines[line_of(r)];
    if (cells.empty()) {
      cells = {r.meter, r.sku.value_or("any"), r.site.value_or("")};
      cells.resize(t.columns.size(), "");
    }
    std::size_t column = 3;
    if (r.job_class == JobClass::spot || r.job_class == JobClass::house)
      column = 4;
    else if (r.term_months)
      column =
          5 + static_cast<std::size_t>(std::distance(terms.begin(), terms.find(*r.term_months)));
    std::string& text = cells[column].text;
    text += (text.empty() ? "" : "; ") + in_short(r);
    sheet.inexact |= !r.exact_per_second;
  }
  for (auto& [line, cells] : lines) t.rows.push_back(std::move(cells));
  if (std::ranges::none_of(t.rows, [](const auto& row) { return !row[2].text.empty(); })) {
    t.columns.erase(t.columns.begin() + 2);
    for (auto& row : t.rows) row.erase(row.begin() + 2);
  }
  return sheet;
}

Table price_changes(const std::vector<PriceRuleView>& before,
                    const std::vector<PriceRuleView>& after) {
  Table table{{{"WHAT", Align::left, 16},
               {"FOR", Align::left, 8},
               {"BEFORE", Align::right, 14},
               {"AFTER", Align::right, 14},
               {"CHANGE", Align::right}},
              {}};
  using Key = std::tuple<Line, std::int64_t, int>;
  const auto key = [](const PriceRuleView& r) {
    return Key{line_of(r), r.term_months.value_or(0),
               r.job_class ? static_cast<int>(*r.job_class) : -1};
  };
  std::map<Key, std::pair<const PriceRuleView*, const PriceRuleView*>> both;
  // Of two rules that say the same the first counts.
  for (const PriceRuleView& r : before)
    if (auto& at = both[key(r)].first; !at) at = &r;
  for (const PriceRuleView& r : after)
    if (auto& at = both[key(r)].second; !at) at = &r;
  for (const auto& [k, pair] : both) {
    const auto [old, now] = pair;
    if (old && now && old->price == now->price) continue;
    const PriceRuleView& any = now ? *now : *old;
    Cell change("");
    if (!old || !now) {
      change = Cell(old ? "gone" : "new", Tone::warn);
    } else if (is_plain_hour(*old) && is_plain_hour(*now)) {
      const base::Ticks a = old->price.tiers[0].price, b = now->price.tiers[0].price;
      change = Cell(percent(a, b), b > a ? Tone::bad : Tone::good);
    }
    table.rows.push_back({what_of(any), for_whom(any), old ? old->text : "–", now ? now->text : "–",
                          std::move(change)});
  }
  return table;
}

std::vector<std::string> inexact_prices(const std::vector<PriceRuleView>& rules) {
  std::vector<std::string> out;
  for (const PriceRuleView& r : rules) {
    if (r.exact_per_second) continue;
    for (const core::PriceTier& t : r.price.tiers) {
      if (t.price % exact_grid == 0) continue;
      const base::Ticks below = t.price - t.price % exact_grid;
      const base::Ticks nearest = t.price - below < exact_grid - (t.price - below) || below == 0
                                      ? below
                                      : below + exact_grid;
      out.push_back(fmt::format("{} ({}): {} an hour; the nearest that is exact: {}", what_of(r),
                                for_whom(r), base::format_hourly_price(t.price),
                                base::format_hourly_price(nearest ? nearest : exact_grid)));
    }
  }
  return out;
}

}  // namespace ampacity::cli
