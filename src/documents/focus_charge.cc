// How each charge of ours becomes a row: reference/focus.md §4.
#include <fmt/format.h>

#include "base/json.h"
#include "documents/focus_writer.h"

namespace ampacity::documents {

using billing::Commitment;
using billing::RatedPart;
using core::LineKind;

namespace {

constexpr std::string_view class_words[] = {"reserved", "on_demand", "spot", "house"};

std::string_view word(core::JobClass c) { return class_words[static_cast<std::size_t>(c)]; }

// By LineKind: what has no meter of its own.
constexpr std::string_view lumps[] = {"usage",     "metered",        "minimum", "commitment",
                                      "shortfall", "prepaid-credit", "credit",  "fee"};
constexpr std::string_view lump_meters[] = {"Usage",     "Usage",  "Minimum", "Commitment",
                                            "Shortfall", "Credit", "Credit",  "Fees"};

// How many of a meter's smallest units one PricingUnit and one ConsumedUnit are.
struct Measure {
  std::int64_t priced = 1;
  std::int64_t consumed = 1;
};

bool by_time(const RatedPart& p) {
  return p.kind != LineKind::metered && p.unit.ends_with("Hours");
}

// Time is priced by the hour and consumed by the second, whatever its price was given for; events
// are priced by as many as the price is for, if that is a power of ten.
Measure measure(const RatedPart& p) {
  if (by_time(p)) {
    const std::int64_t second = p.meter.ends_with("memory") ? 1024 : 1000;
    return {second * 3600, second};
  }
  constexpr std::int64_t one = 1'000'000;
  for (std::int64_t n = one; n <= one * one; n *= 10)
    if (p.per == n) return {n, one};
  return {one, one};
}

bool is_usage(const RatedPart& p) {
  return p.kind == LineKind::usage || p.kind == LineKind::metered ||
         p.commitment != Commitment::none;
}

bool is_purchase_ahead(const RatedPart& p) {
  return p.commitment == Commitment::none &&
         (p.kind == LineKind::commitment || p.kind == LineKind::prepaid);
}

// Amounts that no quantity was multiplied for.
bool is_lump(const RatedPart& p) {
  switch (p.kind) {
    case LineKind::minimum:
    case LineKind::prepaid:
    case LineKind::sla_credit:
    case LineKind::manual:
      return true;
    case LineKind::usage:
    case LineKind::metered:
    case LineKind::commitment:
    case LineKind::shortfall:
      break;
  }
  return p.unit.empty();
}

}  // namespace

bool FocusWriter::is_credit(const RatedPart& p) const {
  const bool turned = invoice_->kind == core::InvoiceKind::credit_note;
  return p.kind == LineKind::sla_credit ||
         (p.kind == LineKind::manual && (turned ? p.minor > 0 : p.minor < 0));
}

const NamedMeter& FocusWriter::meter(const std::string& name) {
  for (const NamedMeter& m : meters_)
    if (m.meter == name) return m;
  meters_.push_back(names_.meter(name));
  return meters_.back();
}

// Who used it, where, and under which names.
void FocusWriter::who(FocusRow& row, const RatedPart& p) {
  if (p.project < names_.projects.size()) {
    row.sub_account_id = names_.projects[p.project].id;
    row.sub_account_name = names_.projects[p.project].name;
    row.sub_account_type = "Project";
  }
  if (p.site < names_.sites.size() && !names_.sites[p.site].region.empty()) {
    const NamedSite& site = names_.sites[p.site];
    row.region_id = site.region;
    row.region_name = site.region_name.empty() ? site.region : site.region_name;
  }
  if (!p.job.is_nil()) {
    if (p.job != resource_of_) {
      resource_ = base::format_id("job", p.job);
      resource_of_ = p.job;
    }
    row.resource_id = resource_;
    row.resource_type = "Job";
    if (names_.job_name) row.resource_name = names_.job_name(p.job);
    row.generation = p.generation;
  }
  if (!p.contract.is_nil()) row.contract = contract_ = base::format_id("ctr", p.contract);
  if (p.kind == LineKind::sla_credit && !p.contract.is_nil()) {
    const core::Contract* contract = names_.contract(p.contract);
    row.resource_id = contract_;
    row.resource_type = "Commitment";
    if (contract) row.resource_name = contract->name;
  }
  row.event = p.event;
  if (!is_usage(p)) return;
  tags_.clear();
  if (p.kind == LineKind::usage) {
    tags_ += R"({"ampacity:class":")";
    (tags_ += word(p.job_class)) += '"';
    row.job_class = word(p.job_class);
  }
  if (p.user < names_.users.size()) {
    tags_ += tags_.empty() ? R"({"ampacity:user":)" : R"(,"ampacity:user":)";
    base::write_json_string(tags_, names_.users[p.user]);
  }
  if (!tags_.empty()) row.tags = tags_ += '}';
}

// The thing sold: service, SKU, meter.
void FocusWriter::what(FocusRow& row, const RatedPart& p) {
  if (p.price_version > 0) row.price_version = p.price_version;
  const NamedSku* sku = p.sku < names_.skus.size() ? &names_.skus[p.sku] : nullptr;
  if (sku && is_usage(p)) row.emulated = sku->emulated;
  const bool lump = is_lump(p);
  if (!p.meter.empty() && p.kind != LineKind::prepaid && p.kind != LineKind::manual) {
    const NamedMeter& m = meter(p.meter);
    row.service = m.service;
    row.service_category = m.category;
    row.service_subcategory = m.subcategory;
    if (!lump) row.sku_meter = m.title;
  }
  if (is_credit(p)) return;
  sku_.clear();
  details_.clear();
  if (lump) {
    const auto kind = static_cast<std::size_t>(p.kind);
    sku_ = lumps[kind];
    sku_meter_ = lump_meters[kind];
    if (!p.meter.empty()) {
      (sku_ += '-') += p.meter;
      sku_meter_ = meter(p.meter).title + " " + sku_meter_;
    }
    row.sku_meter = sku_meter_;
  } else {
    if (sku) (sku_ += sku->name) += '-';
    sku_ += p.meter;
    const char* size = p.meter == "gpu"              ? "GpuCount"
                       : p.meter.ends_with("vcpu")   ? "CoreCount"
                       : p.meter.ends_with("memory") ? "MemorySize"
                                                     : nullptr;
    if (size) details_ = fmt::format(R"({{"{}":1)", size);
    if (size && sku) {
      details_ += R"(,"InstanceSeries":)";
      base::write_json_string(details_, sku->name);
    }
    if (size) row.sku_details = details_ += '}';
  }
  if (sku_.empty()) sku_ = lumps[static_cast<std::size_t>(p.kind)];
  row.sku_id = sku_;
}

void FocusWriter::charge(FocusRow& row, const RatedPart& p) const {
  const auto is = [&](std::string_view category, std::string_view frequency,
                      std::string_view pricing) {
    row.category = category;
    row.frequency = frequency;
    row.pricing_category = pricing;
  };
  if (p.commitment != Commitment::none) return is("Usage", "Usage-Based", "Committed");
  if (is_credit(p)) return is("Credit", "One-Time", "");
  switch (p.kind) {
    case LineKind::usage:
    case LineKind::metered:
      return is("Usage", "Usage-Based",
                p.kind == LineKind::usage && p.job_class == core::JobClass::spot ? "Dynamic"
                                                                                 : "Standard");
    case LineKind::minimum:
      return is("Usage", "Recurring", "Standard");
    case LineKind::shortfall:
      return is("Usage", "One-Time", "Standard");
    case LineKind::commitment:
      return is("Purchase", "Recurring", "Standard");
    case LineKind::prepaid:
    case LineKind::manual:
    case LineKind::sla_credit:
      return is("Purchase", "One-Time", "Standard");
  }
}

// Of one PricingUnit, in the currency: ticks are for `per` smallest units.
std::optional<Decimal> FocusWriter::unit_price(base::Ticks ticks, const RatedPart& p) const {
  const Wide magnitude = ticks < 0 ? -static_cast<Wide>(ticks) : ticks;
  Wide price = 0;
  if (__builtin_mul_overflow(magnitude, static_cast<Wide>(measure(p).priced), &price))
    return std::nullopt;
  return quotient(price, static_cast<Wide>(p.per > 0 ? p.per : 1) * base::ticks_per_unit);
}

void FocusWriter::one_count(FocusRow& row, const RatedPart& p) {
  const int sign = p.minor < 0 ? -1 : 1;
  row.quantity = Decimal{sign, 0};
  row.unit = "Count";
  row.list_price = row.contracted_price = money(sign * p.minor);
  row.list_cost = row.contracted_cost = money(p.minor);
  if (row.category == "Usage") {
    row.consumed = Decimal{0, 0};  // a true value: nothing was used for it
    row.consumed_unit = "Count";
  }
}

// A month's shortfall of committed spend is a share of it, where that is a finite decimal.
bool FocusWriter::share_of_commitment(FocusRow& row, const RatedPart& p) {
  const core::Contract* c = names_.contract(p.contract);
  if (!c || p.kind != LineKind::shortfall || !c->take_or_pay || p.ticks <= 0) return false;
  base::Ticks committed = 0;
  for (const core::RampStep& step : c->ramp)
    if (base::month_plus(c->from, static_cast<int>(step.month)) <= p.month) committed = step.amount;
  if (c->commitment != core::CommitmentKind::spend || committed <= 0) return false;
  if (static_cast<Wide>(p.ticks) * power_of_ten(quotient_scale) % committed != 0) return false;
  const auto share = quotient(p.ticks, committed);
  const auto price = quotient(committed, base::ticks_per_unit);
  const auto cost = share && price ? product(*price, *share, currency_->exponent) : std::nullopt;
  if (!cost) return false;
  row.quantity = share;
  row.list_price = row.contracted_price = price;
  row.list_cost = row.contracted_cost = *cost;
  return true;
}

// Tiers, packages and caps have no one price: what this part came to on average.
std::optional<Decimal> FocusWriter::paid_price(const RatedPart& p) const {
  const std::int64_t per = p.per > 0 ? p.per : 1;
  const Wide gap =
      static_cast<Wide>(p.contracted_price) * p.quantity - static_cast<Wide>(p.ticks) * per;
  const bool plain = p.commitment != Commitment::none || p.quantity == 0 || gap / per == 0;
  if (plain || (p.ticks < 0) != (p.quantity < 0)) return unit_price(p.contracted_price, p);
  Wide paid = 0;
  if (__builtin_mul_overflow(static_cast<Wide>(p.ticks), static_cast<Wide>(measure(p).priced),
                             &paid))
    return std::nullopt;
  const Wide used = static_cast<Wide>(p.quantity) * base::ticks_per_unit;
  return quotient(paid < 0 ? -paid : paid, used < 0 ? -used : used);
}

void FocusWriter::price(FocusRow& row, const RatedPart& p) {
  if (is_lump(p)) {
    one_count(row, p);
    share_of_commitment(row, p);
    return;
  }
  const Measure m = measure(p);
  const auto quantity = quotient(p.quantity, m.priced);
  const auto list = unit_price(p.list_price, p);
  const auto contracted = paid_price(p);
  if (!quantity || !list || !contracted) return fail("an amount is more than this export can hold");
  row.quantity = quantity;
  row.list_price = list;
  row.contracted_price = contracted;
  unit_ = p.unit;
  if (!by_time(p) && m.priced > m.consumed)
    unit_ = fmt::format("{} {}", m.priced / m.consumed, p.unit);
  row.unit = unit_;
  const auto list_cost = product(*list, *quantity, currency_->exponent);
  const auto contracted_cost = product(*contracted, *quantity, currency_->exponent);
  if (!list_cost || !contracted_cost) return fail("a cost is more than this export can hold");
  row.list_cost = *list_cost;
  row.contracted_cost = *contracted_cost;
  if (row.category != "Usage" || p.commitment == Commitment::unused) return;
  row.consumed = p.kind == LineKind::shortfall ? Decimal{0, 0} : *quotient(p.quantity, m.consumed);
  consumed_unit_ = p.unit;
  if (by_time(p)) consumed_unit_.replace(consumed_unit_.size() - 5, 5, "Seconds");
  row.consumed_unit = consumed_unit_;
}

std::int64_t FocusWriter::amortised(const RatedPart& p) {
  Wide& so_far = amortised_[{p.contract, p.month}];
  const base::Ticks each = base::ticks_per_minor(*currency_);
  const std::int64_t before = base::divide_half_up(so_far, each);
  so_far += p.effective_ticks;
  return base::divide_half_up(so_far, each) - before;
}

void FocusWriter::costs(FocusRow& row, const RatedPart& p) {
  row.billed = money(p.minor - p.covered_minor);
  if (p.commitment != Commitment::none)
    row.effective = money(amortised(p));
  else if (is_purchase_ahead(p))
    row.effective = money(0);
  else
    row.effective = money(p.minor);
  if (is_credit(p)) row.effective = row.list_cost = row.contracted_cost = row.billed;
}

void FocusWriter::commitment(FocusRow& row, const RatedPart& p) {
  const bool purchase = p.kind == LineKind::commitment && p.commitment == Commitment::none;
  if (p.contract.is_nil() || (p.commitment == Commitment::none && !purchase)) return;
  const core::Contract* contract = names_.contract(p.contract);
  commitment_ = contract_;
  row.commitment_id = commitment_;
  if (contract) row.commitment_name = contract->name;
  const bool spend =
      contract ? contract->commitment == core::CommitmentKind::spend : row.unit == "Count";
  row.commitment_category = spend ? "Spend" : "Usage";
  row.commitment_type = spend ? "Monthly Spend" : "Monthly GPU-Hours";
  if (spend) {
    row.commitment_quantity = purchase ? money(p.minor) : row.effective;
    row.commitment_unit = row.currency;
  } else {
    row.commitment_quantity = row.quantity;
    row.commitment_unit = row.unit;
  }
  if (p.commitment == Commitment::used) row.commitment_status = "Used";
  if (p.commitment == Commitment::unused) row.commitment_status = "Unused";
  if (p.commitment != Commitment::used) {
    row.resource_id = commitment_;
    row.resource_type = "Commitment";
    row.resource_name = row.commitment_name;
  }
  // Which of several reservations a part used is not told: then none is named.
  if (contract && contract->reservations.size() == 1 && p.commitment != Commitment::none) {
    capacity_ = base::format_id("rsv", contract->reservations.front());
    row.capacity_id = capacity_;
    row.capacity_status = row.commitment_status;
  }
}

void FocusWriter::sku_price(FocusRow& row, const RatedPart& p) {
  std::string_view term = "standard";
  if (p.commitment != Commitment::none)
    term = "committed";
  else if (p.kind == LineKind::usage)
    term = word(p.job_class);
  else if (p.kind == LineKind::commitment)
    term = "commitment";
  sku_price_ = sku_;
  ((((sku_price_ += ':') += term) += ':') += row.currency);
  if (row.list_price) append(sku_price_, *row.list_price);
  row.sku_price_id = sku_price_;
}

}  // namespace ampacity::documents
