// The contract's bodies about billing: who is billed how, contracts, invoices, payments, the proof.
// As api/contract.h: described structs, and everything else follows from them. Amounts are decimals
// of the org's currency in strings, with as many places as it has.
#pragma once

#include "api/contract.h"
#include "core/bill.h"

namespace ampacity::api {

// ---- who bills, who is billed -------------------------------------------------------------------

struct PartyView {
  std::string name, street, city, postal_code, country, tax_id, email, bank;
};
BOOST_DESCRIBE_STRUCT(PartyView, (),
                      (name, street, city, postal_code, country, tax_id, email, bank))

struct PartyChange {  // PATCH /v1/issuer; what is left out stays
  std::optional<std::string> name, street, city, postal_code, country, tax_id, email;
  std::optional<std::string> bank;  // where to pay
};
BOOST_DESCRIBE_STRUCT(PartyChange, (),
                      (name, street, city, postal_code, country, tax_id, email, bank))

struct BillingView {
  std::string org;
  PartyView party;
  std::string currency;
  std::string tax_category;  // S standard, Z zero, E exempt, AE reverse charge, O none
  std::string tax_percent;
  std::string tax_note;
  std::int64_t net_days = 0;
};
BOOST_DESCRIBE_STRUCT(BillingView, (),
                      (org, party, currency, tax_category, tax_percent, tax_note, net_days))

struct BillingChange {  // PATCH /v1/orgs/{org}/billing; what is left out stays
  std::optional<PartyChange> party;
  std::optional<std::string> currency;
  std::optional<std::string> tax_category;
  std::optional<std::string> tax_percent;  // "19", "8.25"
  std::optional<std::string> tax_note;
  std::optional<std::int64_t> net_days;
};
BOOST_DESCRIBE_STRUCT(BillingChange, (),
                      (party, currency, tax_category, tax_percent, tax_note, net_days))

struct CreditLineRequest {  // PUT /v1/projects/{project}/credit-line
  std::string amount;       // usable before it is paid; 0 takes it back
};
BOOST_DESCRIBE_STRUCT(CreditLineRequest, (), (amount))

struct LineRequest {  // POST /v1/orgs/{org}/lines: on its next invoice
  std::optional<std::string> project;
  std::string amount;  // negative: a credit
  std::string description;
};
BOOST_DESCRIBE_STRUCT(LineRequest, (), (project, amount, description))
struct LineView {
  std::string org;
  std::optional<std::string> project;
  std::string amount;
  std::string description;
};
BOOST_DESCRIBE_STRUCT(LineView, (), (org, project, amount, description))

// ---- contracts ----------------------------------------------------------------------------------

struct RampBody {
  std::uint32_t month = 0;  // of the contract, from 0
  std::string amount;       // a month, from then on: money, or GPU-hours
};
BOOST_DESCRIBE_STRUCT(RampBody, (), (month, amount))
struct SlaBody {
  std::string below_percent;   // uptime of the month
  std::string credit_percent;  // of the month's bill
};
BOOST_DESCRIBE_STRUCT(SlaBody, (), (below_percent, credit_percent))

struct ContractRequest {  // POST /v1/contracts
  std::string org;
  std::string name;
  std::string from;  // "2026-12"
  std::uint32_t months = 12;
  std::optional<std::string> spend;           // committed a month
  std::optional<std::string> gpu_hours;       // committed a month, of `sku`; "720"
  std::optional<std::vector<RampBody>> ramp;  // instead, where it changes
  std::optional<std::string> sku;
  std::optional<std::string> price;          // of a committed GPU-hour
  std::optional<std::string> overage_price;  // of one beyond; default: the price book's
  std::optional<bool> take_or_pay;           // default true: a shortfall is billed each month
  std::optional<std::string> prepaid;
  std::optional<std::vector<SlaBody>> sla;  // default: the usual schedule
  std::optional<bool> renews;
  std::optional<std::vector<std::string>> reservations;
};
BOOST_DESCRIBE_STRUCT(ContractRequest, (),
                      (org, name, from, months, spend, gpu_hours, ramp, sku, price, overage_price,
                       take_or_pay, prepaid, sla, renews, reservations))

struct BurnDownView {  // of the month that runs
  std::string unit;    // "USD", "GPU-hours"
  std::string committed;
  std::string used;
  std::string forecast;  // at the month's end, at the present rate
  std::int64_t time_percent = 0;
};
BOOST_DESCRIBE_STRUCT(BurnDownView, (), (unit, committed, used, forecast, time_percent))

struct ContractView {
  std::string id;
  std::string org;
  std::string name;
  std::string state;  // "upcoming", "running", "ended"
  core::CommitmentKind commitment{};
  Instant from;
  Instant until;  // of the term
  bool renews = false;
  bool take_or_pay = false;
  std::optional<std::string> sku, price, overage_price;
  std::string prepaid;
  std::string prepaid_left;                     // after what was invoiced
  std::optional<std::string> prepaid_left_now;  // and after what is not invoiced yet
  std::vector<RampBody> ramp;
  std::vector<SlaBody> sla;
  std::vector<std::string> reservations;
  std::optional<BurnDownView> burn_down;
};
BOOST_DESCRIBE_STRUCT(ContractView, (),
                      (id, org, name, state, commitment, from, until, renews, take_or_pay, sku,
                       price, overage_price, prepaid, prepaid_left, prepaid_left_now, ramp, sla,
                       reservations, burn_down))
struct ContractList {
  std::vector<ContractView> items;
};
BOOST_DESCRIBE_STRUCT(ContractList, (), (items))

// ---- invoices -----------------------------------------------------------------------------------

enum class InvoiceStanding { draft, issued, overdue, paid, voided };
BOOST_DESCRIBE_ENUM(InvoiceStanding, draft, issued, overdue, paid, voided)

struct InvoiceLineView {
  core::LineKind kind{};
  std::optional<std::string> project;
  std::string description;
  std::optional<std::string> sku, site, meter, contract;
  std::optional<core::JobClass> job_class;
  Instant from;
  Instant until;
  std::string quantity;  // of `unit`
  std::string unit;
  std::optional<std::string> unit_price;
  std::string amount;
  std::string covered;      // by credit bought before
  bool correction = false;  // of a month that was invoiced before
  std::int64_t ticks = 0;   // exact
};
BOOST_DESCRIBE_STRUCT(InvoiceLineView, (),
                      (kind, project, description, sku, site, meter, contract, job_class, from,
                       until, quantity, unit, unit_price, amount, covered, correction, ticks))

struct TaxView {
  std::string category;
  std::string percent;
  std::string base;
  std::string tax;
};
BOOST_DESCRIBE_STRUCT(TaxView, (), (category, percent, base, tax))

struct InvoiceView {
  std::string id;      // empty: a draft
  std::string number;  // "2026-000001"; of a draft: "draft"
  core::InvoiceKind kind{};
  std::string org;
  std::string currency;
  InvoiceStanding state{};
  Instant from;
  Instant until;
  std::optional<Instant> issued_at;
  std::optional<Instant> due_at;
  std::vector<InvoiceLineView> lines;  // not in lists
  std::string lines_total;
  std::string covered;
  std::string net;
  std::vector<TaxView> taxes;
  std::string tax;
  std::string total;
  std::string prepaid;  // of the total, paid when it was bought
  std::string payable;
  std::string paid;
  std::string open;
  std::optional<std::string> corrects;  // a credit note's invoice, by number
  std::string note;
  bool emulated = false;       // some of it was used on emulated GPUs
  std::uint64_t sequence = 0;  // the last fact it knows of
  std::string inputs_hash;
};
BOOST_DESCRIBE_STRUCT(InvoiceView, (),
                      (id, number, kind, org, currency, state, from, until, issued_at, due_at,
                       lines, lines_total, covered, net, taxes, tax, total, prepaid, payable, paid,
                       open, corrects, note, emulated, sequence, inputs_hash))
struct InvoiceList {
  std::vector<InvoiceView> items;          // newest first, without lines
  std::optional<std::string> next_cursor;  // ?cursor= for the next page
};
BOOST_DESCRIBE_STRUCT(InvoiceList, (), (items, next_cursor))

struct IssueRequest {  // POST /v1/invoices
  std::string org;
  std::optional<std::string> month;  // "2026-11"; default: the one before this
  std::optional<std::string> until;  // an interim one: "now" or RFC 3339, inside the month
};
BOOST_DESCRIBE_STRUCT(IssueRequest, (), (org, month, until))
struct VoidRequest {  // POST /v1/invoices/{invoice}/void
  std::string why;
};
BOOST_DESCRIBE_STRUCT(VoidRequest, (), (why))
struct PaymentRequest {                  // POST /v1/invoices/{invoice}/payments
  std::optional<std::string> amount;     // default: all that is open
  std::optional<std::string> reference;  // the bank's
  std::optional<Instant> paid_at;        // default: now
};
BOOST_DESCRIBE_STRUCT(PaymentRequest, (), (amount, reference, paid_at))

// ---- proof --------------------------------------------------------------------------------------

struct AuditView {  // GET /v1/audit?month=
  std::string month;
  bool holds = false;
  std::vector<Finding> findings;
  std::optional<Instant> sealed_until;
};
BOOST_DESCRIBE_STRUCT(AuditView, (), (month, holds, findings, sealed_until))
struct CloseRequest {  // POST /v1/close
  std::string month;
};
BOOST_DESCRIBE_STRUCT(CloseRequest, (), (month))
struct CloseView {
  std::string month;
  std::uint32_t invoices = 0;  // issued by this
  std::vector<std::string> numbers;
  AuditView audit;
};
BOOST_DESCRIBE_STRUCT(CloseView, (), (month, invoices, numbers, audit))

}  // namespace ampacity::api
