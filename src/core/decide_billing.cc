#include <algorithm>
#include <map>

#include "core/billing.h"
#include "core/posting.h"

namespace ampacity::core {
namespace {

using base::Code;

constexpr std::int64_t most_minor = 100'000'000'000'000;  // of one amount asked for
constexpr std::size_t most_lines_waiting = 1'000;
constexpr std::size_t most_contracts = 10'000;
constexpr std::size_t most_credits_waiting = 10'000;

// What wallets can still give in one decision.
class Wallets {
 public:
  explicit Wallets(const World& w) : s_(w.state()) {}
  void put(ProjectIx project, Ticks amount) { left(project) += amount; }
  // At most so much; what there is.
  Ticks take(ProjectIx project, Ticks amount) {
    Ticks& has = left(project);
    const Ticks given = std::clamp<Ticks>(amount, 0, std::max<Ticks>(0, has));
    has -= given;
    return given;
  }

 private:
  Ticks& left(ProjectIx p) {
    return left_.try_emplace(p, available(s_.accounts[s_.projects[p].wallet])).first->second;
  }
  const State& s_;
  std::map<ProjectIx, Ticks> left_;
};

// What its lines draw from prepayments, by contract.
std::vector<ContractPart> prepaid_of(const Invoice& invoice) {
  std::map<Id, std::int64_t> sums;
  for (const InvoiceLine& line : invoice.lines) sums[line.contract] += line.contract_minor;
  std::vector<ContractPart> parts;
  for (const auto& [contract, minor] : sums)
    if (minor != 0) parts.push_back({contract, minor});
  return parts;
}

// The drawing in core/billing.h; of a credit note, whose amounts are negative, the other way.
// Of an invoice, what is to come back from a wallet that has it no more is unbilled again, and so
// asked for; without `wallets` it must be there.
void post_invoice(Posting& p, const World& w, const Invoice& invoice, Wallets* wallets) {
  const State& s = w.state();
  const std::string& org = s.orgs[invoice.org].name;
  const std::int64_t per_minor = base::ticks_per_minor(currency_of(invoice.currency));
  const AccountIx receivable = p.minor_account(1100, "receivable " + org);
  const AccountIx unbilled = p.tick_account(1200, "unbilled " + org);
  const AccountIx crossing_minor = p.minor_account(9000, "crossing");
  const AccountIx crossing_tick = p.tick_account(9000, "crossing");
  for (const InvoiceLine& line : invoice.lines) {
    if (line.kind == LineKind::usage || line.kind == LineKind::prepaid) continue;
    const bool sla = line.kind == LineKind::sla_credit;
    const AccountIx revenue =
        sla ? p.tick_account(4100, "sla credits")
            : p.tick_account(
                  4000, "revenue " + (line.sku == nobody
                                          ? line.meter.empty() ? std::string("other") : line.meter
                                          : s.skus[line.sku].name));
    p.move(unbilled, revenue, line.ticks, TransferReason::invoice);
  }
  for (const ContractPart& part : prepaid_of(invoice))
    for (const Contract& c : s.contracts)
      if (c.id == part.contract)
        p.move(p.prepayment(c), crossing_minor, part.minor, TransferReason::invoice);
  for (const ProjectBill& b : bills_of(invoice)) {
    const Ticks of_wallet = b.usage_prepaid_minor * per_minor;
    const Ticks of_other = b.other_prepaid_minor * per_minor;
    if (b.project != nobody) {
      const Ticks back =
          wallets && of_wallet < 0 ? wallets->take(b.project, -of_wallet) : -of_wallet;
      p.move(s.projects[b.project].wallet, crossing_tick, back, TransferReason::invoice);
      p.move(unbilled, crossing_tick, -of_wallet - back, TransferReason::invoice);
    }
    p.move(crossing_tick, unbilled, of_other, TransferReason::invoice);
    const Ticks usage = b.usage - of_wallet, other = b.other - of_other;
    const Ticks covered = b.covered_minor * per_minor;
    const std::int64_t asked =
        b.minor - b.covered_minor - b.usage_prepaid_minor - b.other_prepaid_minor;
    if (asked == 0 && other == 0) continue;  // the wallet has paid it, exactly
    // What covers usage was paid by the wallet while it ran; the rest of the cover is now.
    const Ticks of_usage =
        std::clamp(covered, std::min<Ticks>(0, usage), std::max<Ticks>(0, usage));
    const Ticks extra = covered - of_usage;
    if (b.project != nobody)
      p.move(s.projects[b.project].wallet, unbilled, extra, TransferReason::invoice);
    p.move(receivable, crossing_minor, asked, TransferReason::invoice);
    p.move(crossing_tick, unbilled, usage + other - covered, TransferReason::invoice);
  }
  p.move(receivable, p.minor_account(2500, "tax payable"), invoice.tax_minor, TransferReason::tax);
}

const Invoice* find_invoice(const State& s, Id id) {
  for (const Invoice& i : s.invoices)
    if (i.id == id) return &i;
  return nullptr;
}

// Would a chain of transfers be taken? Tried on a copy of the accounts it touches.
base::Result<void> can_post(const State& s, const Posting& p) {
  std::map<AccountIx, std::pair<base::Wide, base::Wide>> net;  // debits, credits
  for (const Transfer& t : p.transfers) {
    net[ledger::position_of(t.debit)].first += t.amount;
    net[ledger::position_of(t.credit)].second += t.amount;
  }
  for (const auto& [ix, sums] : net) {
    if (ix >= s.accounts.size()) continue;
    const Account& a = s.accounts[ix];
    const base::Wide most = INT64_MAX;
    if (a.debits_posted + sums.first > most || a.credits_posted + sums.second > most)
      return base::refuse(Code::conflict, "account " + a.name + " cannot hold so much");
    if (a.has(ledger::account_flag::debits_must_not_exceed_credits) &&
        available(a) + sums.second < sums.first)
      return base::refuse(Code::insufficient_credit, a.name + " has less credit than that");
  }
  return {};
}

base::Result<OrgIx> org_named(const World& w, const std::string& name) {
  const auto org = w.find_org(name);
  if (!org) return base::refuse_field("org", "there is no org " + name);
  return *org;
}

}  // namespace

Decision decide_billing(const World&, const SetIssuer& c) {
  if (c.issuer.name.empty()) return base::refuse_field("name", "must be the issuer's legal name");
  return std::vector<FactBody>{IssuerSet{c.issuer}};
}

Decision decide_billing(const World& w, const SetBilling& c) {
  const auto org = org_named(w, c.org);
  if (!org) return std::unexpected(org.error());
  const BillingProfile& p = c.profile;
  std::vector<base::Wrong> wrong;
  if (!base::find_currency(p.currency))
    wrong.push_back({"currency", "must be an ISO 4217 code such as USD"});
  if (p.tax_bp < 0 || p.tax_bp > 10'000) wrong.push_back({"tax_bp", "must be 0 to 10000"});
  if (p.net_days < 0 || p.net_days > 365) wrong.push_back({"net_days", "must be 0 to 365"});
  const std::string& t = p.tax_category;
  if (t != "S" && t != "Z" && t != "E" && t != "AE" && t != "O")
    wrong.push_back({"tax_category", "must be S, Z, E, AE or O"});
  if (t != "S" && p.tax_bp != 0) wrong.push_back({"tax_bp", "must be 0 with this tax category"});
  if (t == "S" && p.tax_bp == 0) wrong.push_back({"tax_bp", "must not be 0 with category S"});
  if (!wrong.empty()) return std::unexpected(base::refusal_of(std::move(wrong)));
  const bool used = std::any_of(w.state().projects.begin(), w.state().projects.end(),
                                [&](const Project& q) { return q.org == *org; });
  if (used && p.currency != w.state().orgs[*org].billing.currency)
    return base::refuse(Code::conflict, "the org has projects: its currency stays as it is");
  return std::vector<FactBody>{BillingSet{*org, p}};
}

Decision decide_billing(const World& w, const SetCreditLine& c) {
  const auto project = w.project(c.project);
  if (!project) return base::refuse_field("project", "there is no project " + c.project);
  if (c.minor < 0 || c.minor > most_minor)
    return base::refuse_field("amount", "must be zero or more, and at most a trillion");
  const Project& p = w.state().projects[*project];
  const Org& org = w.state().orgs[p.org];
  Posting posting(w, org.billing.currency);
  const Ticks change =
      (c.minor - p.credit_line_minor) * base::ticks_per_minor(currency_of(org.billing.currency));
  posting.move(posting.tick_account(1200, "unbilled " + org.name), p.wallet, change,
               TransferReason::credit_line);
  if (auto r = can_post(w.state(), posting); !r) return std::unexpected(std::move(r.error()));
  auto transfers = posting.transfers;
  return std::move(posting).with(CreditLineSet{*project, c.minor, std::move(transfers)});
}

Decision decide_billing(const World& w, const SignContract& c, Instant) {
  const auto org = org_named(w, c.org);
  if (!org) return std::unexpected(org.error());
  const Contract& k = c.contract;
  std::vector<base::Wrong> wrong;
  if (k.name.empty() || k.name.size() > 64) wrong.push_back({"name", "must be 1 to 64 characters"});
  if (k.from != base::month_begin(k.from))
    wrong.push_back({"from", "must be the first instant of a month, UTC"});
  if (k.months < 1 || k.months > 120) wrong.push_back({"months", "must be 1 to 120"});
  if (k.commitment != CommitmentKind::none && k.ramp.empty())
    wrong.push_back({"ramp", "must say how much is committed a month"});
  if (!k.ramp.empty() && k.ramp[0].month != 0) wrong.push_back({"ramp", "must begin with month 0"});
  for (std::size_t i = 0; i < k.ramp.size(); ++i)
    if (k.ramp[i].amount < 0 || (i && k.ramp[i].month <= k.ramp[i - 1].month))
      wrong.push_back({"ramp." + std::to_string(i), "must be in order, and not negative"});
  if (k.commitment == CommitmentKind::gpu_hours && !w.sku(k.sku))
    wrong.push_back({"sku", "there is no SKU '" + k.sku + "'"});
  if (k.commitment == CommitmentKind::gpu_hours && k.price <= 0)
    wrong.push_back({"price", "must be what a committed GPU-hour costs"});
  for (const Contract& other : w.state().contracts)
    if (other.org == *org && other.name == k.name)
      wrong.push_back({"name", "the org has a contract of this name"});
  for (const SlaStep& s : k.sla)
    if (s.below_ppm < 0 || s.below_ppm > 1'000'000 || s.credit_bp < 0 || s.credit_bp > 10'000)
      wrong.push_back({"sla", "must be uptimes and credits between 0 and 100 %"});
  for (const Id id : k.reservations)
    if (!w.window(id)) wrong.push_back({"reservations", "there is no such reservation"});
  if (k.prepaid_minor < 0 || k.prepaid_minor > most_minor)
    wrong.push_back({"prepaid", "must be zero or more, and at most a trillion"});
  if (k.from < w.state().sealed_until) wrong.push_back({"from", "lies in a month that is closed"});
  if (!wrong.empty()) return std::unexpected(base::refusal_of(std::move(wrong)));
  if (w.state().contracts.size() >= most_contracts)
    return base::refuse(Code::queue_full, "there are too many contracts");
  ContractSigned f{k, {}};
  f.contract.org = *org;
  if (k.prepaid_minor == 0) return std::vector<FactBody>{f};
  const Org& payer = w.state().orgs[*org];
  if (payer.bought.size() >= most_credits_waiting)
    return base::refuse(Code::queue_full, "too many credits wait for the org's next invoice");
  Posting posting(w, payer.billing.currency);
  posting.prepayment(f.contract);
  if (auto r = can_post(w.state(), posting); !r) return std::unexpected(std::move(r.error()));
  f.transfers = posting.transfers;
  return std::move(posting).with(std::move(f));
}

Decision decide_billing(const World& w, const EndContract& c, Instant now) {
  for (const Contract& k : w.state().contracts) {
    if (k.id != c.contract) continue;
    const Instant ends = base::month_plus(std::max(c.at, now), 1);
    if (k.ends.us && k.ends <= ends) return std::vector<FactBody>{};
    const Instant term = base::month_plus(k.from, static_cast<int>(k.months));
    if (ends < term)
      return base::refuse(Code::conflict, "its term ends at " + base::format_instant(term) +
                                              ": it can be ended then, or not renewed");
    return std::vector<FactBody>{ContractEnded{k.id, ends}};
  }
  return base::refuse(Code::not_found, "there is no such contract");
}

Decision decide_billing(const World& w, const AddLine& c) {
  const auto org = org_named(w, c.org);
  if (!org) return std::unexpected(org.error());
  LineAdded f{*org, {nobody, c.minor, c.description, 0}};
  if (!c.project.empty()) {
    const auto project = w.project(c.project);
    if (!project || w.state().projects[*project].org != *org)
      return base::refuse_field("project", "the org has no project " + c.project);
    f.line.project = *project;
  }
  if (c.minor == 0 || std::abs(c.minor) > most_minor)
    return base::refuse_field("amount", "must not be zero, and at most a trillion");
  if (c.description.empty() || c.description.size() > 256)
    return base::refuse_field("description", "must say what it is for, in 1 to 256 characters");
  if (w.state().orgs[*org].next_lines.size() >= most_lines_waiting)
    return base::refuse(Code::queue_full, "too many lines wait for the org's next invoice");
  return std::vector<FactBody>{f};
}

Decision decide_billing(const World& w, const IssueInvoice& c, Instant now) {
  const State& s = w.state();
  Invoice invoice = c.invoice;
  if (s.issuer.name.empty())
    return base::refuse(Code::conflict,
                        "nobody issues invoices yet: `ampacity billing issuer --name …` first");
  for (const Invoice& i : s.invoices)
    if (i.org == invoice.org && i.sequence > invoice.sequence)
      return base::refuse(Code::conflict, "another invoice was issued meanwhile: draft it again");
  if (invoice.until <= s.sealed_until)
    return base::refuse(Code::conflict,
                        "the month is closed: what comes late is on the next month's invoice");
  invoice.number = invoice_number(s, now);
  invoice.issued_at = now;
  invoice.seller = s.issuer;
  invoice.buyer = s.orgs[invoice.org].billing;
  if (invoice.buyer.party.name.empty()) invoice.buyer.party.name = s.orgs[invoice.org].name;
  const Org& org = s.orgs[invoice.org];
  const std::int64_t per_minor = base::ticks_per_minor(currency_of(invoice.currency));
  for (const ProjectBill& b : bills_of(invoice)) {
    const Ticks on_credit = b.usage - (b.covered_minor + b.usage_prepaid_minor) * per_minor;
    if (b.project != nobody && s.projects[b.project].credit_line_minor > 0 && on_credit > 0)
      invoice.on_credit.push_back({b.project, on_credit});
  }
  invoice.due_at = now + base::Duration::seconds(86'400 * org.billing.net_days);
  if (invoice.payable_minor <= 0) invoice.state = InvoiceState::paid;
  Posting posting(w, invoice.currency);
  Wallets wallets(w);
  for (const Refund& r : c.refunds)
    if (r.ticks > 0) {
      posting.move(revenue_of(s, r.project, r.sku), s.projects[r.project].wallet, r.ticks,
                   TransferReason::correction);
      wallets.put(r.project, r.ticks);
    }
  for (const Refund& r : c.refunds)  // leases paid less than the exact price
    if (r.ticks < 0) {
      const AccountIx revenue = revenue_of(s, r.project, r.sku);
      const Ticks paid = wallets.take(r.project, -r.ticks);
      posting.move(s.projects[r.project].wallet, revenue, paid, TransferReason::correction);
      posting.move(posting.tick_account(1200, "unbilled " + org.name), revenue, -r.ticks - paid,
                   TransferReason::correction);
    }
  post_invoice(posting, w, invoice, &wallets);
  if (auto r = can_post(s, posting); !r) return std::unexpected(std::move(r.error()));
  auto transfers = posting.transfers;
  return std::move(posting).with(InvoiceIssued{std::move(invoice), std::move(transfers)});
}

Decision decide_billing(const World& w, const VoidInvoice& c, Instant now) {
  const State& s = w.state();
  const Invoice* old = find_invoice(s, c.note.corrects);
  if (!old || old->kind != InvoiceKind::invoice)
    return base::refuse(Code::not_found, "there is no such invoice");
  if (old->state == InvoiceState::voided)
    return base::refuse(Code::conflict, "invoice " + old->number + " was voided already");
  if (old->paid_minor != 0)
    return base::refuse(
        Code::conflict,
        "invoice " + old->number + " has payments: give the money back as a line of the next one");
  for (const Invoice& i : s.invoices)
    if (i.org == old->org && i.kind == InvoiceKind::invoice && i.state != InvoiceState::voided &&
        i.sequence > old->sequence)
      return base::refuse(Code::conflict, "invoice " + i.number + " builds on it: void that first");
  Invoice note = c.note;
  note.number = invoice_number(s, now);
  note.issued_at = note.due_at = now;
  note.state = InvoiceState::paid;
  note.seller = old->seller;
  note.buyer = old->buyer;
  Posting posting(w, note.currency);
  post_invoice(posting, w, note, nullptr);
  if (auto r = can_post(s, posting); !r) return std::unexpected(std::move(r.error()));
  auto transfers = posting.transfers;
  return std::move(posting).with(InvoiceIssued{std::move(note), std::move(transfers)});
}

Decision decide_billing(const World& w, const RecordPayment& c, Instant now) {
  const State& s = w.state();
  const Payment& p = c.payment;
  if (std::binary_search(s.payments.begin(), s.payments.end(), p.id))
    return std::vector<FactBody>{};  // recorded already
  const Invoice* i = find_invoice(s, p.invoice);
  if (!i) return base::refuse(Code::not_found, "there is no such invoice");
  if (i->state != InvoiceState::issued)
    return base::refuse(Code::conflict, "invoice " + i->number + " is not open");
  if (p.minor <= 0 || p.minor > i->payable_minor - i->paid_minor)
    return base::refuse_field("amount", "must be more than zero and at most what is open, " +
                                            base::format_minor(i->payable_minor - i->paid_minor,
                                                               currency_of(i->currency)));
  if (p.paid_at > now) return base::refuse_field("paid_at", "must not be in the future");
  const Org& org = s.orgs[i->org];
  Posting posting(w, i->currency);
  posting.move(posting.minor_account(1000, "cash"),
               posting.minor_account(1100, "receivable " + org.name), p.minor,
               TransferReason::payment);
  // What credit lines were used up by is usable again, once all is paid.
  if (i->paid_minor + p.minor == i->payable_minor)
    for (const ProjectPart& part : i->on_credit)
      posting.move(posting.tick_account(1200, "unbilled " + org.name),
                   s.projects[part.project].wallet, part.ticks, TransferReason::credit_line);
  if (auto r = can_post(s, posting); !r) return std::unexpected(std::move(r.error()));
  auto transfers = posting.transfers;
  return std::move(posting).with(PaymentRecorded{p, std::move(transfers)});
}

Decision decide_billing(const World& w, const SealPeriod& c, Instant now) {
  if (c.until != base::month_begin(c.until) || c.until > now)
    return base::refuse_field("month", "must be one that is over");
  if (c.until <= w.state().sealed_until)
    return base::refuse(
        Code::conflict,
        "the books are closed until " + base::format_instant(w.state().sealed_until) + " already");
  return std::vector<FactBody>{PeriodSealed{c.until, c.audit}};
}

}  // namespace ampacity::core
