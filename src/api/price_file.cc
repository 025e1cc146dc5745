#include "api/price_file.h"

#include <fmt/core.h>

#include <algorithm>

#include "api/yaml_tree.h"
#include "base/currency.h"
#include "core/price_book.h"

namespace ampacity::api {
namespace {

using base::Ticks;
using base::Wide;

constexpr std::int64_t month_s = 2'628'000;  // 730 h
constexpr std::uint32_t most_term_months = 120;

struct GpuPrice {
  std::string on_demand;
  std::optional<std::string> spot;  // default: half
};
BOOST_DESCRIBE_STRUCT(GpuPrice, (), (on_demand, spot))
struct HostPrice {
  std::string vcpu;
  std::string gib;
};
BOOST_DESCRIBE_STRUCT(HostPrice, (), (vcpu, gib))
struct TierText {
  std::optional<std::string> up_to;
  std::string price;
  std::optional<std::string> flat;
};
BOOST_DESCRIBE_STRUCT(TierText, (), (up_to, price, flat))
struct RuleText {
  std::string meter;
  std::optional<std::string> sku;
  std::optional<std::string> site;
  std::optional<core::JobClass> job_class;
  std::optional<std::string> term;
  std::optional<core::PriceKind> kind;
  std::optional<std::string> per;
  std::optional<std::string> price;
  std::optional<std::string> flat;
  std::vector<TierText> tiers;
  std::optional<std::string> package;
  std::optional<std::string> free;
  std::optional<std::string> minimum;
  std::optional<std::string> maximum;
};
BOOST_DESCRIBE_STRUCT(RuleText, (),
                      (meter, sku, site, job_class, term, kind, per, price, flat, tiers, package,
                       free, minimum, maximum))
struct PriceFile {
  std::string name;
  std::optional<base::Instant> effective_from;
  std::optional<std::string> currency;
  std::optional<std::string> org;
  std::map<std::string, GpuPrice> gpus;
  std::optional<HostPrice> beside_gpu;
  std::optional<HostPrice> cpu_only;
  std::map<std::string, std::string> terms;
  std::vector<RuleText> rules;
};
BOOST_DESCRIBE_STRUCT(PriceFile, (),
                      (name, effective_from, currency, org, gpus, beside_gpu, cpu_only, terms,
                       rules))

std::optional<std::int64_t> whole_number(const std::string& text, std::int64_t most) {
  const auto e4 = base::parse_hourly_price(text);
  if (!e4 || *e4 % 10'000 != 0 || *e4 / 10'000 > most) return std::nullopt;
  return *e4 / 10'000;
}

class BookReader {
 public:
  explicit BookReader(std::vector<base::Wrong>& wrong) : wrong_(wrong) {}

  core::PriceBook book(const PriceFile& file) {
    core::PriceBook book;
    book.name = file.name;
    book.currency = file.currency.value_or("USD");
    if (!base::find_currency(book.currency))
      say("currency", "must be a code of ISO 4217 such as USD, got '" + book.currency + "'");
    if (file.effective_from) book.effective_from = *file.effective_from;
    for (const auto& [sku, p] : file.gpus) {
      const Ticks on_demand = hourly("gpus." + sku + ".on_demand", p.on_demand);
      add(book, core::gpu_meter, sku, {}, on_demand, 1000);
      add(book, core::gpu_meter, sku, core::JobClass::spot,
          p.spot ? hourly("gpus." + sku + ".spot", *p.spot) : on_demand / 2, 1000);
    }
    if (const auto& p = file.beside_gpu) {
      add(book, core::vcpu_meter, {}, {}, hourly("beside_gpu.vcpu", p->vcpu), 1000);
      add(book, core::memory_meter, {}, {}, hourly("beside_gpu.gib", p->gib), 1024);
    }
    if (const auto& p = file.cpu_only) {
      add(book, core::cpu_vcpu_meter, {}, {}, hourly("cpu_only.vcpu", p->vcpu), 1000);
      add(book, core::cpu_memory_meter, {}, {}, hourly("cpu_only.gib", p->gib), 1024);
    }
    for (std::size_t i = 0; i < file.rules.size(); ++i)
      book.rules.push_back(rule(file.rules[i], "rules[" + std::to_string(i) + "]"));
    core::add_terms(book, terms(file));
    if (book.rules.size() > core::most_rules)
      say("rules", fmt::format("with its terms the book has more than {} rules, the most kept",
                               core::most_rules));
    return book;
  }

 private:
  void say(std::string field, std::string message) {
    wrong_.push_back({std::move(field), std::move(message)});
  }
  static void add(core::PriceBook& book, std::string_view meter, const std::string& sku,
                  std::optional<core::JobClass> job_class, Ticks price, std::int64_t per) {
    book.rules.push_back({std::string(meter), sku, {}, job_class, 0, core::per_second(price, per)});
  }

  Ticks hourly(const std::string& field, const std::string& text) {
    const auto p = base::parse_hourly_price(text);
    if (!p || *p > core::dearest_price)
      say(field,
          "must be a price an hour with at most four decimals, such as 4.78, at most 10000; got '" +
              text + "'");
    return p.value_or(0);
  }
  Ticks money(const std::string& field, const std::optional<std::string>& text) {
    if (!text) return 0;
    const auto p = base::parse_usd(*text);
    if (!p) say(field, "must be an amount such as 1000 or 12.50, got '" + *text + "'");
    return p.value_or(0);
  }

  std::vector<core::TermDiscount> terms(const PriceFile& file) {
    std::vector<core::TermDiscount> out;
    for (const auto& [months, percent] : file.terms) {
      const auto n = whole_number(months, most_term_months);
      const auto off = base::parse_hourly_price(percent);  // hundredths of it are basis points
      if (!n || *n == 0)
        say("terms." + months, "must be a number of months, at most 120");
      else if (!off || *off % 100 != 0 || *off > 100 * 10'000)
        say("terms." + months,
            "must be a percentage with at most two decimals, got '" + percent + "'");
      else
        out.push_back({static_cast<std::uint32_t>(*n), *off / 100});
    }
    return out;
  }

  // What one rule's quantities and prices are in.
  struct Units {
    std::int64_t smallest = 1000;  // in a whole unit: 1000 milli-GPUs, 1024 MiB, a million of one
    std::int64_t seconds = 1;      // in a quantity's unit of time
    std::int64_t per = 1000;       // smallest units that the price is for
    bool per_hour = false;         // the price is of an hour: its ticks are those of a second
  };
  Units units(const RuleText& r, const std::string& path) {
    Units u;
    if (!core::is_lease_meter(r.meter)) {
      u.smallest = u.per = 1'000'000;
      if (!r.per || *r.per == "hour" || *r.per == "month") return u;  // its unit is its own
      const auto n = whole_number(*r.per, 1'000'000'000);
      if (!n || *n == 0) say(path + ".per", "must be hour, month or a number of units");
      u.per = n.value_or(1) * 1'000'000;
      return u;
    }
    if (r.meter == core::memory_meter || r.meter == core::cpu_memory_meter) u.smallest = 1024;
    u.seconds = 3600;
    u.per = u.smallest;
    u.per_hour = !r.per || *r.per == "hour";
    if (r.per && *r.per == "month")
      u.per = u.smallest * month_s;
    else if (!u.per_hour)
      say(path + ".per", "must be hour or month");
    return u;
  }
  std::int64_t quantity(const std::string& field, const std::optional<std::string>& text,
                        const Units& u) {
    if (!text) return 0;
    const auto e4 = base::parse_hourly_price(*text);
    const Wide all = static_cast<Wide>(e4.value_or(0)) * u.seconds * u.smallest;
    if (!e4 || all % 10'000 != 0 || all / 10'000 > INT64_MAX) {
      say(field, "must be a quantity such as 1000, got '" + *text + "'");
      return 0;
    }
    return static_cast<std::int64_t>(all / 10'000);
  }
  Ticks price(const std::string& field, const std::string& text, const Units& u, bool whole) {
    if (u.per_hour && !whole) return hourly(field, text);
    return money(field, text);
  }

  core::PriceRule rule(const RuleText& r, const std::string& path) {
    using core::PriceKind;
    core::PriceRule out{r.meter, r.sku.value_or(""), r.site.value_or(""), r.job_class, 0, {}};
    if (r.term) {
      const auto months = whole_number(*r.term, most_term_months);
      if (!months || *months == 0) say(path + ".term", "must be a number of months, at most 120");
      out.term_months = static_cast<std::uint32_t>(months.value_or(0));
    }
    const Units u = units(r, path);
    core::PriceFunction& p = out.price;
    p.kind = r.kind.value_or(r.package         ? PriceKind::package
                             : r.tiers.empty() ? PriceKind::per_unit
                                               : PriceKind::graduated);
    p.per = u.per;
    if (!r.price && r.tiers.empty()) say(path + ".price", "is required, or tiers");
    if (r.price && !r.tiers.empty()) say(path + ".price", "is said by its tiers");
    if (r.price)
      p.tiers.push_back({0, price(path + ".price", *r.price, u, p.kind == PriceKind::package),
                         money(path + ".flat", r.flat)});
    for (std::size_t i = 0; i < r.tiers.size(); ++i) {
      const TierText& t = r.tiers[i];
      const std::string at = path + ".tiers[" + std::to_string(i) + "]";
      p.tiers.push_back({quantity(at + ".up_to", t.up_to, u),
                         price(at + ".price", t.price, u, p.kind == PriceKind::package),
                         money(at + ".flat", t.flat)});
    }
    p.package = quantity(path + ".package", r.package, u);
    p.free = quantity(path + ".free", r.free, u);
    p.minimum = money(path + ".minimum", r.minimum);
    p.maximum = money(path + ".maximum", r.maximum);
    if (std::ranges::none_of(wrong_, [&](const auto& w) { return w.field.starts_with(path); }))
      core::check_rule(out, path, wrong_);
    return out;
  }

  std::vector<base::Wrong>& wrong_;
};

// The line of the path itself, or of what holds it: "rules[3].package" may not be written.
std::optional<int> line_of(const YamlTree& tree, std::string path) {
  for (;;) {
    if (const auto line = tree.lines.find(path); line != tree.lines.end()) return line->second;
    const auto cut = path.find_last_of(".[");
    if (cut == std::string::npos) return std::nullopt;
    path.resize(cut);
  }
}

}  // namespace

base::Result<core::SetPrices> parse_price_file(std::string_view yaml) {
  auto tree = parse_yaml(yaml, {max_price_file_bytes});
  if (!tree) return std::unexpected(std::move(tree.error()));
  base::JsonReader reader;
  reader.numbers_as_text = true;
  PriceFile file;
  reader.read(tree->root, file, "");
  core::SetPrices out;
  if (reader.wrong.empty()) {
    // A public list made of plain prices says them all.
    const bool plain = !file.org && file.rules.empty();
    if (plain && file.gpus.empty()) reader.wrong.push_back({"gpus", "is required, or rules"});
    if (plain && !file.beside_gpu) reader.wrong.push_back({"beside_gpu", "is required, or rules"});
    if (plain && !file.cpu_only) reader.wrong.push_back({"cpu_only", "is required, or rules"});
    out.org = file.org.value_or("");
    out.book = BookReader(reader.wrong).book(file);
  }
  for (auto& w : reader.wrong)
    if (const auto line = line_of(*tree, w.field))
      w.message += " (line " + std::to_string(*line) + ")";
  if (!reader.wrong.empty()) return std::unexpected(base::refusal_of(std::move(reader.wrong)));
  return out;
}

}  // namespace ampacity::api
