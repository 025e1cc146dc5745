#include "documents/focus_writer.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/check.h"

namespace ampacity::documents {

using billing::Commitment;
using billing::RatedPart;
using core::LineKind;

namespace {

// A part of a line that rating streamed no part of: an operator's own, or a credit note's.
RatedPart whole(const core::InvoiceLine& line, std::size_t at) {
  RatedPart p;
  p.kind = line.kind;
  p.line = at;
  p.project = line.project;
  p.sku = line.sku;
  p.site = line.site;
  p.job_class = line.job_class;
  p.meter = line.meter;
  p.unit = line.unit;
  p.price_version = line.price_version;
  p.month = line.month;
  p.from = line.from;
  p.until = line.until;
  p.quantity = line.quantity;
  p.per = line.per;
  p.list_price = p.contracted_price = line.price;
  p.ticks = line.ticks;
  p.minor = line.minor;
  p.covered_minor = line.covered_minor;
  p.correction = line.correction;
  p.contract = line.contract;
  return p;
}

// Billed to the second, shown to the second: no row is empty, none reaches past its month.
void whole_seconds(FocusRow& row) {
  const auto floor = [](base::Instant t) {
    const std::int64_t rest = ((t.us % 1'000'000) + 1'000'000) % 1'000'000;
    return base::Instant{t.us - rest};
  };
  row.from = floor(row.from);
  row.until = floor(row.until);
  if (!(row.from < row.until)) row.until = row.from + base::Duration::seconds(1);
}

void into_period(FocusRow& row) {
  row.until = std::min(row.until, row.billing_until);
  row.from = std::clamp(row.from, row.billing_from, row.until - base::Duration::seconds(1));
}

// At twelve decimals: what sums of costs are kept in. An overflow was refused when the row was
// made.
Wide at_twelve(Decimal d) {
  for (; d.scale < quotient_scale; ++d.scale) d.value *= 10;
  if (d.scale == quotient_scale) return d.value;
  const Wide unit = power_of_ten(d.scale - quotient_scale);
  const Wide magnitude = d.value < 0 ? -d.value : d.value;
  const Wide rounded = magnitude / unit + (2 * (magnitude % unit) >= unit);
  return d.value < 0 ? -rounded : rounded;
}

}  // namespace

FocusWriter::FocusWriter(const FocusNames& names, TextSink sink)
    : names_(names), sheet_(std::move(sink)) {
  write_focus_header(sheet_);
}

void FocusWriter::fail(std::string why) {
  if (!failed_) failed_ = base::refuse(base::Code::conflict, std::move(why)).error();
}

void FocusWriter::begin(const core::Invoice& invoice) {
  invoice_ = &invoice;
  currency_ = base::find_currency(invoice.currency);
  failed_.reset();
  if (!currency_) fail(fmt::format("currency '{}' is not known", invoice.currency));
  lines_.assign(invoice.lines.size(), {});
  amortised_.clear();
  totals_ = {};
}

void FocusWriter::add(const RatedPart& part) {
  if (failed_) return;
  if (part.line >= lines_.size()) {
    if (part.job_class != core::JobClass::house)
      fail(fmt::format("a part is of line {}, the invoice has {}", part.line, lines_.size()));
    return;
  }
  LineSums& sums = lines_[part.line];
  sums.minor += part.minor;
  sums.covered_minor += part.covered_minor;
  sums.seen = true;
  write_part(part);
}

base::Result<void> FocusWriter::end() {
  CHECK_THAT(invoice_, "end() without begin()");
  std::int64_t billed = 0;
  for (std::size_t i = 0; i < lines_.size() && !failed_; ++i) {
    const core::InvoiceLine& line = invoice_->lines[i];
    if (!lines_[i].seen) add(whole(line, i));
    if (lines_[i].minor != line.minor || lines_[i].covered_minor != line.covered_minor)
      fail(fmt::format("line {} is {} less {}, its parts add up to {} less {}", i, line.minor,
                       line.covered_minor, lines_[i].minor, lines_[i].covered_minor));
    billed += line.minor - line.covered_minor;
  }
  if (!failed_) write_taxes();
  for (const core::TaxLine& t : invoice_->taxes) billed += t.tax_minor;
  if (billed != invoice_->total_minor)
    fail(fmt::format("lines and taxes add up to {}, the invoice to {}", billed,
                     invoice_->total_minor));
  sheet_.flush();
  invoice_ = nullptr;
  if (failed_) return std::unexpected(*failed_);
  return {};
}

FocusRow FocusWriter::blank() const {
  FocusRow row;
  row.currency = invoice_->currency;
  // A billing period is a month, whatever part of it an interim invoice asks for.
  row.billing_from = base::month_begin(invoice_->from);
  row.billing_until = base::month_plus(invoice_->from, 1);
  row.invoice_id = invoice_->number;
  row.issuer = row.provider = row.publisher = names_.provider;
  row.account_type = "Organization";
  if (invoice_->org < names_.orgs.size()) {
    row.account_id = names_.orgs[invoice_->org].id;
    row.account_name = names_.orgs[invoice_->org].name;
  }
  row.service = "Ampacity Account";
  row.service_category = "Other";
  row.service_subcategory = "Other (Other)";
  return row;
}

void FocusWriter::write_part(const RatedPart& part) {
  FocusRow row = blank();
  row.from = part.from;
  row.until = part.until;
  if (!(row.from < row.until)) {
    row.from = part.month;
    row.until = base::month_plus(part.month, 1);
  }
  whole_seconds(row);
  // What belongs to a period before this one comes after its invoice, whatever it is.
  if (invoice_->lines[part.line].correction || row.until <= invoice_->from ||
      invoice_->kind == core::InvoiceKind::credit_note)
    row.charge_class = "Correction";
  else  // a term's shortfall is its last month's; credit bought since is billed with this one
    into_period(row);
  // A credit given before, taken back in part.
  if (part.kind == core::LineKind::sla_credit && part.minor > 0) row.charge_class = "Correction";
  row.description = invoice_->lines[part.line].description;
  who(row, part);
  what(row, part);
  charge(row, part);
  if (!is_credit(part)) price(row, part);
  costs(row, part);
  commitment(row, part);
  if (row.sku_price_id.empty() && !row.sku_id.empty()) sku_price(row, part);
  row.cost_ticks = part.ticks;
  row.line = static_cast<std::int64_t>(part.line);
  if (!failed_) finish(row);
}

void FocusWriter::finish(const FocusRow& row) {
  write(sheet_, row);
  ++rows_;
  if (row.category == "Tax") return;
  totals_.list += at_twelve(row.list_cost);
  totals_.contracted += at_twelve(row.contracted_cost);
  totals_.effective += at_twelve(row.effective);
}

// What tax is on, by each of the costs; where rates differ, by the shares of what was billed.
void FocusWriter::write_taxes() {
  Wide base = 0;
  for (const core::TaxLine& t : invoice_->taxes) base += t.base_minor;
  for (const core::TaxLine& t : invoice_->taxes) {
    if (t.tax_minor == 0 && t.rate_bp == 0) continue;
    FocusRow row = blank();
    row.from = invoice_->from;
    row.until = invoice_->until;
    whole_seconds(row);
    row.category = "Tax";
    row.frequency = "Recurring";
    row.service = "Tax";
    if (invoice_->kind == core::InvoiceKind::credit_note) row.charge_class = "Correction";
    resource_ = fmt::format("Tax {} {}.{:02} %", t.category, t.rate_bp / 100, t.rate_bp % 100);
    resource_of_ = {};
    row.description = resource_;
    row.billed = money(t.tax_minor);
    bool fits = true;
    const auto tax_on = [&](Wide cost) {
      const Wide share = invoice_->taxes.size() == 1 || base == 0 ? 1 : t.base_minor;
      const Wide of = share == 1 ? 1 : base;
      Wide taxed = 0;
      fits &= !__builtin_mul_overflow(cost, share * t.rate_bp, &taxed);
      const Wide unit = of * 10'000;
      const Wide magnitude = taxed < 0 ? -taxed : taxed;
      const Wide size = unit < 0 ? -unit : unit;
      const Wide rounded = magnitude / size + (2 * (magnitude % size) >= size);
      return trimmed({(taxed < 0) != (unit < 0) ? -rounded : rounded, quotient_scale},
                     currency_->exponent);
    };
    row.list_cost = tax_on(totals_.list);
    row.contracted_cost = tax_on(totals_.contracted);
    row.effective = tax_on(totals_.effective);
    if (!fits) return fail("tax on these costs is more than this export can hold");
    finish(row);
  }
}

}  // namespace ampacity::documents
