#include "documents/usage_csv.h"

#include <boost/describe/enum_to_string.hpp>

#include "documents/focus_decimal.h"

namespace ampacity::documents {
namespace {

constexpr std::string_view header =
    "invoice,line,org,project,project_id,user,kind,job,job_name,generation,event,contract,"
    "commitment,class,sku,emulated,site,region,meter,from,until,quantity,unit,price_version,"
    "list_price_ticks,price_ticks,price_per,amount_ticks,amount,covered,currency,correction\r\n";

constexpr std::string_view commitments[] = {"", "used", "unused"};

// Time in seconds of the unit, events in the unit itself: exact.
void quantity(Sheet& out, const billing::RatedPart& p) {
  const bool time = p.kind != core::LineKind::metered && p.unit.ends_with("Hours");
  const std::int64_t size = !time ? 1'000'000 : p.meter.ends_with("memory") ? 1024 : 1000;
  const auto q = p.unit.empty() ? std::nullopt : quotient(p.quantity, size);
  append(out.held(), q ? *q : Decimal{p.quantity, 0});
  out.null();
  out.text(time ? p.unit.substr(0, p.unit.size() - 5) + "Seconds" : p.unit);
}

template <typename Things>
std::string_view name_of(const Things& things, std::uint32_t at) {
  if (at >= things.size()) return {};
  return things[at].name;
}

}  // namespace

UsageCsv::UsageCsv(const FocusNames& names, TextSink sink)
    : names_(names), sheet_(std::move(sink)) {
  sheet_.raw(header);
}

void UsageCsv::begin(const core::Invoice& invoice) {
  sheet_.flush();
  invoice_ = &invoice;
  currency_ = base::find_currency(invoice.currency);
}

void UsageCsv::add(const billing::RatedPart& p) {
  Sheet& out = sheet_;
  out.plain(invoice_->number);
  out.number(static_cast<std::int64_t>(p.line));
  out.text(name_of(names_.orgs, invoice_->org));
  out.text(name_of(names_.projects, p.project));
  out.plain(p.project < names_.projects.size() ? names_.projects[p.project].id : "");
  out.text(p.user < names_.users.size() ? names_.users[p.user] : "");
  out.plain(boost::describe::enum_to_string(p.kind, ""));
  out.plain(p.job.is_nil() ? "" : base::format_id("job", p.job));
  out.text(names_.job_name && !p.job.is_nil() ? names_.job_name(p.job) : "");
  p.job.is_nil() ? out.null() : out.number(p.generation);
  out.text(p.event);
  out.plain(p.contract.is_nil() ? "" : base::format_id("ctr", p.contract));
  out.plain(commitments[static_cast<std::size_t>(p.commitment)]);
  out.plain(boost::describe::enum_to_string(p.job_class, ""));
  out.text(name_of(names_.skus, p.sku));
  out.plain(p.sku < names_.skus.size() && names_.skus[p.sku].emulated ? "true" : "false");
  out.text(name_of(names_.sites, p.site));
  out.text(p.site < names_.sites.size() ? names_.sites[p.site].region : "");
  out.text(p.meter);
  out.exact(p.from);
  out.exact(p.until);
  quantity(out, p);
  out.number(p.price_version);
  out.number(p.list_price);
  out.number(p.contracted_price);
  out.number(p.per);
  out.number(p.ticks);
  const int decimals = currency_ ? currency_->exponent : 0;
  append(out.held(), Decimal{p.minor, decimals});
  out.null();
  append(out.held(), Decimal{p.covered_minor, decimals});
  out.null();
  out.plain(invoice_->currency);
  out.plain(p.correction ? "true" : "false");
  out.end_row();
  ++rows_;
}

}  // namespace ampacity::documents
