// The nouns of billing as plain data: who is billed how, contracts, invoices, payments.
// Amounts: ticks (1/36,000,000 of the currency's unit) where exact, minor units (cents, by the
// currency's exponent) where a customer is asked for them. Quantities are in the meter's smallest
// unit (core/price.h). Periods are half-open; a service month is a calendar month of UTC.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/money.h"
#include "core/words.h"

namespace ampacity::core {

// Who issues, who pays. Country: ISO 3166-1 alpha-2.
struct Party {
  std::string name;
  std::string street;
  std::string city;
  std::string postal_code;
  std::string country;
  std::string tax_id;
  std::string email;
  std::string bank;  // the issuer's: where to pay
};
BOOST_DESCRIBE_STRUCT(Party, (), (name, street, city, postal_code, country, tax_id, email, bank))

// How an org is billed.
struct BillingProfile {
  Party party;
  std::string currency = "USD";
  std::string tax_category = "O";  // UNCL 5305: S standard, Z zero, E exempt, AE reverse, O none
  std::int64_t tax_bp = 0;         // hundredths of a percent
  std::int64_t net_days = 15;
  std::string tax_note;  // why nothing is taxed: EN 16931 asks for it with E, AE, O
};
BOOST_DESCRIBE_STRUCT(BillingProfile, (),
                      (party, currency, tax_category, tax_bp, net_days, tax_note))

// ---- contracts ----------------------------------------------------------------------------------

enum class CommitmentKind { none, spend, gpu_hours };
BOOST_DESCRIBE_ENUM(CommitmentKind, none, spend, gpu_hours)

// From the contract's month `month` (0: the first) on, this much is committed a month.
struct RampStep {
  std::uint32_t month = 0;
  std::int64_t amount = 0;  // spend: ticks; gpu_hours: milli-GPU-seconds
};
BOOST_DESCRIBE_STRUCT(RampStep, (), (month, amount))

// Uptime below `below_ppm` of a month gives back `credit_bp` of the month's bill for the service.
struct SlaStep {
  std::int64_t below_ppm = 0;
  std::int64_t credit_bp = 0;
};
BOOST_DESCRIBE_STRUCT(SlaStep, (), (below_ppm, credit_bp))

// As the fact of that sequence said it.
struct ContractEnd {
  base::Instant ends;
  std::uint64_t sequence = 0;
};
BOOST_DESCRIBE_STRUCT(ContractEnd, (), (ends, sequence))

struct Contract {
  base::Id id;
  std::uint32_t org = 0;
  std::string name;
  base::Instant from;  // the first of a month
  std::uint32_t months = 1;
  CommitmentKind commitment = CommitmentKind::none;
  std::string sku;                // of committed GPU-hours
  std::vector<RampStep> ramp;     // by month, ascending
  bool take_or_pay = true;        // a shortfall is billed each month; false: at the end of the term
  base::Ticks price = 0;          // of a committed GPU-second, by gpu_hours
  base::Ticks overage_price = 0;  // of a GPU-second beyond it; 0: the price book's
  std::int64_t prepaid_minor = 0;      // paid at signing, drawn down by the lines of the contract
  std::vector<SlaStep> sla;            // by below_ppm, ascending
  bool renews = false;                 // for another term, until it is ended
  base::Instant ends;                  // zero: with its term
  std::vector<base::Id> reservations;  // that serve it
  std::int64_t drawn_minor = 0;        // of the prepayment, by invoices
  std::uint64_t sequence = 0;          // of the fact that signed it
  std::vector<ContractEnd> ended;      // all that `ends` has been, ascending; empty: never changed
};
BOOST_DESCRIBE_STRUCT(Contract, (),
                      (id, org, name, from, months, commitment, sku, ramp, take_or_pay, price,
                       overage_price, prepaid_minor, sla, renews, ends, reservations, drawn_minor,
                       sequence, ended))

// ---- invoices -----------------------------------------------------------------------------------

enum class InvoiceKind { invoice, credit_note };
BOOST_DESCRIBE_ENUM(InvoiceKind, invoice, credit_note)
enum class InvoiceState {
  issued,
  paid,
  voided
};  // drafts are computed, overdue follows from due_at
BOOST_DESCRIBE_ENUM(InvoiceState, issued, paid, voided)

enum class LineKind {
  usage,       // of leases
  metered,     // of meter events
  minimum,     // what a price's monthly minimum adds
  commitment,  // a contract's monthly purchase
  shortfall,   // what a commitment was not used up by
  prepaid,     // credit bought
  sla_credit,  // negative
  manual       // an operator's own
};
BOOST_DESCRIBE_ENUM(LineKind, usage, metered, minimum, commitment, shortfall, prepaid, sla_credit,
                    manual)

// One series of one service month: minor = R(C) − what earlier invoices billed of it.
struct InvoiceLine {
  LineKind kind = LineKind::usage;
  std::uint32_t project = 0xffff'ffff;  // nobody: the org's own
  std::string meter;                    // "gpu", "vcpu", "memory", a metered event's
  std::string description;
  std::uint32_t sku = 0xffff'ffff;
  std::uint32_t site = 0xffff'ffff;
  JobClass job_class = JobClass::on_demand;
  std::uint32_t price_version = 0;
  base::Id contract;
  base::Instant month;  // of the service
  base::Instant from;   // service period
  base::Instant until;
  std::int64_t quantity = 0;  // meter's smallest units; the change against earlier invoices
  std::int64_t per = 1;       // such units that the price is for: 1000 milli-GPU-s a GPU-s
  std::string unit;           // of quantity / per: "GPU-Hours" counts 3600 of them, see price.h
  base::Ticks price = 0;      // for `per` units, of the first tier
  base::Ticks ticks = 0;      // exact, rounded to the tick: the change
  std::int64_t minor = 0;
  std::int64_t covered_minor = 0;   // of it, paid by credit bought before
  std::int64_t contract_minor = 0;  // of covered_minor, by the prepayment of its contract
  base::Ticks paid_ticks = 0;       // what leases posted for it, at their prices' ceilings
  bool correction = false;          // of a month that was invoiced already
};
BOOST_DESCRIBE_STRUCT(InvoiceLine, (),
                      (kind, project, meter, description, sku, site, job_class, price_version,
                       contract, month, from, until, quantity, per, unit, price, ticks, minor,
                       covered_minor, contract_minor, paid_ticks, correction))

struct TaxLine {
  std::string category;
  std::int64_t rate_bp = 0;
  std::int64_t base_minor = 0;
  std::int64_t tax_minor = 0;  // base × rate, rounded once
};
BOOST_DESCRIBE_STRUCT(TaxLine, (), (category, rate_bp, base_minor, tax_minor))

struct ProjectPart {
  std::uint32_t project = 0;
  base::Ticks ticks = 0;
};
BOOST_DESCRIBE_STRUCT(ProjectPart, (), (project, ticks))
struct ContractPart {
  base::Id contract;
  std::int64_t minor = 0;
};
BOOST_DESCRIBE_STRUCT(ContractPart, (), (contract, minor))

// EN 16931's totals (BT-…) in minor units. It says what facts it was made from: everything up to
// `sequence`, for services before `until`.
struct Invoice {
  base::Id id;
  std::string number;  // "2026-000001": gapless a year
  InvoiceKind kind = InvoiceKind::invoice;
  std::uint32_t org = 0;
  std::string currency = "USD";
  base::Instant from;  // billing period
  base::Instant until;
  base::Instant rated_from;  // the earliest service month it looked at
  std::uint64_t sequence = 0;
  std::uint64_t meter_sequence = 0;  // the same of meter events
  std::uint32_t engine = 1;          // version of the rating
  std::string inputs_hash;           // hex SHA-256 of what was rated
  base::Instant issued_at;
  base::Instant due_at;
  std::vector<InvoiceLine> lines;
  std::int64_t lines_minor = 0;    // BT-106
  std::int64_t covered_minor = 0;  // BT-107: credit bought before
  std::int64_t net_minor = 0;      // BT-109
  std::vector<TaxLine> taxes;
  std::int64_t tax_minor = 0;                // BT-110
  std::int64_t total_minor = 0;              // BT-112
  std::int64_t prepaid_minor = 0;            // BT-113: paid when bought
  std::int64_t payable_minor = 0;            // BT-115
  base::Id corrects;                         // a credit note's invoice
  std::vector<ContractPart> contract_drawn;  // of prepayments
  std::vector<ProjectPart> on_credit;        // used on credit lines: usable again once this is paid
  std::string note;
  Party seller;  // as they were when it was issued
  BillingProfile buyer;
  // Since it was issued:
  InvoiceState state = InvoiceState::issued;
  std::int64_t paid_minor = 0;
};
BOOST_DESCRIBE_STRUCT(Invoice, (),
                      (id, number, kind, org, currency, from, until, rated_from, sequence,
                       meter_sequence, engine, inputs_hash, issued_at, due_at, lines, lines_minor,
                       covered_minor, net_minor, taxes, tax_minor, total_minor, prepaid_minor,
                       payable_minor, corrects, contract_drawn, on_credit, note, seller, buyer,
                       state, paid_minor))

struct Payment {
  base::Id id;
  base::Id invoice;
  std::int64_t minor = 0;
  std::string provider;   // "file-drop", "bank", "manual"
  std::string reference;  // the provider's own
  base::Instant paid_at;
};
BOOST_DESCRIBE_STRUCT(Payment, (), (id, invoice, minor, provider, reference, paid_at))

}  // namespace ampacity::core
