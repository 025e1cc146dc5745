#include "server/billing_views.h"

#include "api/bind_billing.h"
#include "base/currency.h"
#include "billing/contract.h"
#include "core/billing.h"
#include "documents/invoice_words.h"

namespace ampacity::server {
namespace {

const base::Currency& currency_of(const std::string& code) {
  const base::Currency* c = base::find_currency(code);
  return c ? *c : *base::find_currency("USD");
}

api::InvoiceStanding standing_of(const core::Invoice& i, base::Instant now) {
  if (i.number.empty()) return api::InvoiceStanding::draft;
  if (i.state == core::InvoiceState::voided) return api::InvoiceStanding::voided;
  if (i.state == core::InvoiceState::paid) return api::InvoiceStanding::paid;
  return core::is_overdue(i, now) ? api::InvoiceStanding::overdue : api::InvoiceStanding::issued;
}

template <typename List>
std::optional<std::string> name_at(const List& list, std::uint32_t ix) {
  if (ix >= list.size()) return std::nullopt;
  return list[ix].name;
}

api::InvoiceLineView view_line(const core::State& s, const core::InvoiceLine& l,
                               const base::Currency& currency) {
  api::InvoiceLineView v;
  v.kind = l.kind;
  v.project = name_at(s.projects, l.project);
  v.description = l.description;
  v.sku = name_at(s.skus, l.sku);
  v.site = name_at(s.sites, l.site);
  if (!l.meter.empty()) v.meter = l.meter;
  for (const core::Contract& c : s.contracts)
    if (!l.contract.is_nil() && c.id == l.contract) v.contract = c.name;
  if (l.kind == core::LineKind::usage) v.job_class = l.job_class;
  v.from = l.from;
  v.until = l.until;
  v.unit = l.unit;
  if (!l.unit.empty()) {
    v.quantity = documents::quantity_text(l, 0, 6);
    v.unit_price = documents::unit_price_text(l, currency.exponent, 8);
  }
  v.amount = base::format_minor(l.minor, currency);
  v.covered = base::format_minor(l.covered_minor, currency);
  v.correction = l.correction;
  v.ticks = l.ticks;
  return v;
}

std::string committed_text(const core::Contract& c, std::int64_t amount,
                           const base::Currency& currency) {
  if (c.commitment == core::CommitmentKind::gpu_hours) return api::format_gpu_hours(amount);
  return base::format_minor(base::divide_half_up(amount, base::ticks_per_minor(currency)),
                            currency);
}

}  // namespace

api::PartyView view_party(const core::Party& p) {
  return {p.name, p.street, p.city, p.postal_code, p.country, p.tax_id, p.email, p.bank};
}

api::BillingView view_billing(const core::World& w, core::OrgIx ix) {
  const core::Org& org = w.state().orgs[ix];
  const core::BillingProfile& b = org.billing;
  return {org.name,       view_party(b.party),           b.currency,
          b.tax_category, api::format_percent(b.tax_bp), b.tax_note,
          b.net_days};
}

api::ContractView view_contract(const core::World& w, const core::Contract& c,
                                const std::optional<ContractUse>& use, base::Instant now) {
  const core::State& s = w.state();
  const base::Currency& currency = currency_of(s.orgs[c.org].billing.currency);
  api::ContractView v;
  v.id = base::format_id("ctr", c.id);
  v.org = s.orgs[c.org].name;
  v.name = c.name;
  v.state = now < c.from ? "upcoming" : core::contract_runs(c, now) ? "running" : "ended";
  v.commitment = c.commitment;
  v.from = c.from;
  v.until = c.ends.us ? c.ends : base::month_plus(c.from, static_cast<int>(c.months));
  v.renews = c.renews && c.ends.us == 0;
  v.take_or_pay = c.take_or_pay;
  if (!c.sku.empty()) v.sku = c.sku;
  if (c.price) v.price = base::format_hourly_price(c.price);
  if (c.overage_price) v.overage_price = base::format_hourly_price(c.overage_price);
  v.prepaid = base::format_minor(c.prepaid_minor, currency);
  v.prepaid_left = base::format_minor(c.prepaid_minor - c.drawn_minor, currency);
  if (use && c.prepaid_minor > 0)
    v.prepaid_left_now = base::format_minor(use->prepaid_left_minor, currency);
  for (const core::RampStep& r : c.ramp)
    v.ramp.push_back({r.month, committed_text(c, r.amount, currency)});
  for (const core::SlaStep& step : c.sla)
    v.sla.push_back(
        {api::format_percent(step.below_ppm / 100), api::format_percent(step.credit_bp)});
  for (const base::Id id : c.reservations) v.reservations.push_back(base::format_id("rsv", id));
  if (use && c.commitment != core::CommitmentKind::none && v.state == "running") {
    const billing::BurnDown d = billing::burn_down(c, use->used, now);
    const bool hours = c.commitment == core::CommitmentKind::gpu_hours;
    v.burn_down = api::BurnDownView{
        hours ? "GPU-hours" : std::string(currency.code), committed_text(c, d.committed, currency),
        committed_text(c, d.used, currency), committed_text(c, d.forecast, currency),
        d.elapsed_ppm / 10'000};
  }
  return v;
}

api::InvoiceView view_invoice(const core::World& w, const core::Invoice& i, base::Instant now) {
  const core::State& s = w.state();
  const base::Currency& currency = currency_of(i.currency);
  const auto money = [&](std::int64_t minor) { return base::format_minor(minor, currency); };
  api::InvoiceView v;
  if (!i.number.empty()) v.id = base::format_id("inv", i.id);
  v.number = i.number.empty() ? "draft" : i.number;
  v.kind = i.kind;
  v.org = s.orgs[i.org].name;
  v.currency = i.currency;
  v.state = standing_of(i, now);
  v.from = i.from;
  v.until = i.until;
  if (!i.number.empty()) v.issued_at = i.issued_at;
  if (!i.number.empty()) v.due_at = i.due_at;
  for (const core::InvoiceLine& l : i.lines) {
    v.lines.push_back(view_line(s, l, currency));
    v.emulated |= l.sku < s.skus.size() && s.skus[l.sku].emulated;
  }
  v.lines_total = money(i.lines_minor);
  v.covered = money(i.covered_minor);
  v.net = money(i.net_minor);
  for (const core::TaxLine& t : i.taxes)
    v.taxes.push_back(
        {t.category, api::format_percent(t.rate_bp), money(t.base_minor), money(t.tax_minor)});
  v.tax = money(i.tax_minor);
  v.total = money(i.total_minor);
  v.prepaid = money(i.prepaid_minor);
  v.payable = money(i.payable_minor);
  v.paid = money(i.paid_minor);
  const bool settled = v.state != api::InvoiceStanding::issued &&
                       v.state != api::InvoiceStanding::overdue &&
                       v.state != api::InvoiceStanding::draft;
  v.open = money(settled ? 0 : i.payable_minor - i.paid_minor);
  if (!i.corrects.is_nil())
    for (const core::Invoice& other : s.invoices)
      if (other.id == i.corrects) v.corrects = other.number;
  v.note = i.note;
  v.sequence = i.sequence;
  v.inputs_hash = i.inputs_hash;
  return v;
}

documents::InvoiceNames invoice_names(const core::World& w) {
  const core::State& s = w.state();
  documents::InvoiceNames n;
  for (const core::Org& o : s.orgs) n.orgs.push_back(o.name);
  for (const core::Project& p : s.projects) n.projects.push_back(p.name);
  for (std::uint32_t i = 0; i < s.skus.size(); ++i) {
    n.skus.push_back(s.skus[i].name);
    if (s.skus[i].emulated) n.emulated_skus.push_back(i);
  }
  for (const core::Site& site : s.sites) n.sites.push_back(site.name);
  return n;
}

documents::FocusNames export_names(const core::World& w) {
  const core::State& s = w.state();
  documents::FocusNames n;
  if (!s.issuer.name.empty()) n.provider = s.issuer.name;
  if (!s.books.empty()) n.price_book = s.books[0].name;
  for (const core::Org& o : s.orgs) n.orgs.push_back({base::format_id("org", o.id), o.name});
  for (const core::Project& p : s.projects)
    n.projects.push_back({base::format_id("prj", p.id), p.name, p.org});
  for (const core::User& u : s.users) n.users.push_back(u.name);
  for (const core::Sku& k : s.skus) n.skus.push_back({k.name, k.description, k.emulated});
  for (const core::Site& site : s.sites) n.sites.push_back({site.name, site.region, ""});
  n.contracts = s.contracts;
  std::sort(n.contracts.begin(), n.contracts.end(),
            [](const auto& a, const auto& b) { return a.id < b.id; });
  return n;
}

std::vector<documents::BookAccount> book_accounts(const core::World& w) {
  std::vector<documents::BookAccount> out;
  for (const core::Account& a : w.state().accounts) {
    const base::Currency* currency = ledger::currency_of(a.ledger);
    documents::BookAccount b;
    b.code = a.code;
    b.name = a.name;
    b.currency = currency ? std::string(currency->code) : "USD";
    b.ticks = ledger::scale_of(a.ledger) == ledger::Scale::tick;
    b.debits_posted = a.debits_posted;
    b.credits_posted = a.credits_posted;
    b.debits_pending = a.debits_pending;
    b.credits_pending = a.credits_pending;
    out.push_back(std::move(b));
  }
  return out;
}

}  // namespace ampacity::server
