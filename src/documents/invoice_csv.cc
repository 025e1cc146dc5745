#include "documents/invoice_csv.h"

#include "base/currency.h"
#include "documents/invoice_words.h"

namespace ampacity::documents {
namespace {

constexpr std::string_view csv_columns[] = {
    "document",    "number",   "currency",      "line",         "kind",
    "project",     "service",  "description",   "sku",          "site",
    "class",       "contract", "service_month", "period_start", "period_end",
    "quantity",    "unit",     "unit_price",    "amount",       "covered_by_credit",
    "correction",  "emulated", "price_version", "quantity_raw", "quantity_raw_per_unit",
    "amount_ticks"};

void write_line(Sheet& out, const InvoiceSource& from, const base::Currency& currency,
                std::size_t number, const core::InvoiceLine& l) {
  const core::Invoice& i = from.invoice;
  const InvoiceNames& names = from.names;
  out.plain(base::enum_name(i.kind));
  out.text(i.number);
  out.plain(i.currency);
  out.number(static_cast<std::int64_t>(number));
  out.plain(base::enum_name(l.kind));
  out.text(clean_text(name_at(names.projects, l.project)));
  out.text(service_text(l));
  out.text(line_title(l, names));
  out.text(clean_text(name_at(names.skus, l.sku)));
  out.text(clean_text(name_at(names.sites, l.site)));
  out.plain(l.kind == core::LineKind::usage ? base::enum_name(l.job_class) : "");
  out.plain(l.contract.is_nil() ? "" : base::format_id("contract", l.contract));
  out.plain(base::format_month(l.month));
  out.exact(l.from);
  out.exact(l.until);
  out.plain(quantity_text(l, 0, 9));
  out.text(clean_text(l.unit));
  out.plain(l.price == 0 ? "" : unit_price_text(l, 2, 10));
  out.plain(base::format_minor(l.minor, currency));
  out.plain(base::format_minor(l.covered_minor, currency));
  out.plain(l.correction ? "true" : "false");
  out.plain(is_emulated(names, l) ? "true" : "false");
  out.number(l.price_version);
  out.number(l.quantity);
  out.number(unit_size(l));
  out.number(l.ticks);
  out.end_row();
}

}  // namespace

base::Result<void> invoice_csv(const InvoiceSource& source, const TextSink& sink) {
  const base::Currency* currency = base::find_currency(source.invoice.currency);
  if (!currency) return base::refuse_field("currency", "must be one of ISO 4217");
  Sheet out(sink);
  for (const std::string_view name : csv_columns) out.plain(name);
  out.end_row();
  for (std::size_t i = 0; i < source.invoice.lines.size(); ++i)
    write_line(out, source, *currency, i + 1, source.invoice.lines[i]);
  return {};
}

}  // namespace ampacity::documents
