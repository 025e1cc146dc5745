#include "api/bind_billing.h"

#include "billing/contract.h"

namespace ampacity::api {
namespace {

void set(std::string& to, const std::optional<std::string>& from) {
  if (from) to = *from;
}

// A decimal with at most `places` decimals, times 10^places. No sign, no blanks.
std::optional<std::int64_t> scaled(std::string_view text, int places) {
  const std::size_t point = text.find('.');
  const std::string_view whole = text.substr(0, point);
  std::string_view part = point == std::string_view::npos ? "" : text.substr(point + 1);
  if (whole.empty() || whole.size() > 12 || (point != std::string_view::npos && part.empty()) ||
      part.size() > static_cast<std::size_t>(places))
    return std::nullopt;
  std::int64_t value = 0;
  for (const std::string_view digits : {whole, part})
    for (const char c : digits) {
      if (c < '0' || c > '9') return std::nullopt;
      value = value * 10 + (c - '0');
    }
  for (std::size_t i = part.size(); i < static_cast<std::size_t>(places); ++i) value *= 10;
  return value;
}

std::string unscaled(std::int64_t value, int places) {
  std::string text = std::to_string(value < 0 ? -value : value);
  const auto digits = static_cast<std::size_t>(places);
  if (text.size() <= digits) text.insert(0, digits + 1 - text.size(), '0');
  text.insert(text.size() - digits, ".");
  while (text.back() == '0') text.pop_back();
  if (text.back() == '.') text.pop_back();
  return (value < 0 ? "-" : "") + text;
}

// Collects what is wrong on the way.
struct BillingBinder {
  const base::Currency& currency;
  std::vector<base::Wrong> wrong;

  std::int64_t minor(const std::string& field, const std::string& text) {
    const auto v = base::parse_minor(text, currency);
    if (!v || *v < 0)
      wrong.push_back({field, "must be an amount of " + std::string(currency.code) + ", such as " +
                                  base::format_minor(123'456, currency)});
    return v.value_or(0);
  }
  base::Ticks hourly(const std::string& field, const std::string& text) {
    const auto v = base::parse_hourly_price(text);
    if (!v) wrong.push_back({field, "must be a price per GPU-hour with at most four decimals"});
    return v.value_or(0);
  }
  std::int64_t percent(const std::string& field, const std::string& text) {
    const auto v = parse_percent(text);
    if (!v) wrong.push_back({field, "must be a percentage such as 99.9"});
    return v.value_or(0);
  }
  std::int64_t committed(const std::string& field, const std::string& text, bool hours) {
    if (!hours) return minor(field, text) * base::ticks_per_minor(currency);
    const auto v = parse_gpu_hours(text);
    if (!v) wrong.push_back({field, "must be GPU-hours a month, such as 5840"});
    return v.value_or(0);
  }
};

}  // namespace

std::optional<std::int64_t> parse_percent(std::string_view text) { return scaled(text, 2); }
std::string format_percent(std::int64_t bp) { return unscaled(bp, 2); }

std::optional<std::int64_t> parse_gpu_hours(std::string_view text) {
  const auto milli = scaled(text, 3);
  if (!milli || *milli > INT64_MAX / 3600) return std::nullopt;
  return *milli * 3600;
}
std::string format_gpu_hours(std::int64_t milli_gpu_s) {
  return unscaled(base::divide_half_up(milli_gpu_s, 3600), 3);
}

core::Party changed(core::Party p, const PartyChange& c) {
  set(p.name, c.name);
  set(p.street, c.street);
  set(p.city, c.city);
  set(p.postal_code, c.postal_code);
  set(p.country, c.country);
  set(p.tax_id, c.tax_id);
  set(p.email, c.email);
  set(p.bank, c.bank);
  return p;
}

base::Result<core::BillingProfile> changed(core::BillingProfile p, const BillingChange& c) {
  if (c.party) p.party = changed(p.party, *c.party);
  set(p.currency, c.currency);
  set(p.tax_category, c.tax_category);
  set(p.tax_note, c.tax_note);
  if (c.net_days) p.net_days = *c.net_days;
  if (c.tax_percent) {
    const auto bp = parse_percent(*c.tax_percent);
    if (!bp) return base::refuse_field("tax_percent", "must be a percentage such as 19 or 8.25");
    p.tax_bp = *bp;
  }
  if (p.party.country.size() == 1 || p.party.country.size() > 2)
    return base::refuse_field("party.country", "must be two letters, as ISO 3166 has it: US, DE");
  return p;
}

base::Result<core::Contract> bind_contract(const ContractRequest& r,
                                           const base::Currency& currency) {
  BillingBinder b{currency, {}};
  core::Contract c;
  c.name = r.name;
  c.months = r.months;
  c.take_or_pay = r.take_or_pay.value_or(true);
  c.renews = r.renews.value_or(false);
  if (const auto from = base::parse_month(r.from))
    c.from = *from;
  else
    b.wrong.push_back({"from", "must be a month such as 2026-12"});
  if (r.spend && r.gpu_hours) b.wrong.push_back({"gpu_hours", "give one of spend and gpu_hours"});
  const bool hours = r.gpu_hours || r.sku;
  if (hours)
    c.commitment = core::CommitmentKind::gpu_hours;
  else if (r.spend || r.ramp)
    c.commitment = core::CommitmentKind::spend;
  if (r.spend) c.ramp = {{0, b.committed("spend", *r.spend, false)}};
  if (r.gpu_hours) c.ramp = {{0, b.committed("gpu_hours", *r.gpu_hours, true)}};
  if (r.ramp) {
    c.ramp.clear();
    for (std::size_t i = 0; i < r.ramp->size() && i < 120; ++i)
      c.ramp.push_back({(*r.ramp)[i].month, b.committed("ramp." + std::to_string(i) + ".amount",
                                                        (*r.ramp)[i].amount, hours)});
  }
  if (r.sku) c.sku = *r.sku;
  if (r.price) c.price = b.hourly("price", *r.price);
  if (r.overage_price) c.overage_price = b.hourly("overage_price", *r.overage_price);
  if (r.prepaid) c.prepaid_minor = b.minor("prepaid", *r.prepaid);
  c.sla = billing::default_sla();
  if (r.sla) {
    c.sla.clear();
    for (std::size_t i = 0; i < r.sla->size() && i < 20; ++i) {
      const std::string at = "sla." + std::to_string(i);
      c.sla.push_back({b.percent(at + ".below_percent", (*r.sla)[i].below_percent) * 100,
                       b.percent(at + ".credit_percent", (*r.sla)[i].credit_percent)});
    }
  }
  for (const std::string& id : r.reservations.value_or(std::vector<std::string>{})) {
    if (const auto parsed = base::parse_id("rsv", id))
      c.reservations.push_back(*parsed);
    else
      b.wrong.push_back({"reservations", "'" + id + "' is no reservation's id"});
  }
  if (!b.wrong.empty()) return std::unexpected(base::refusal_of(std::move(b.wrong)));
  return c;
}

}  // namespace ampacity::api
