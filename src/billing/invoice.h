// From rated lines to an invoice: the difference against what was billed before, what funds
// cover, tax and totals by EN 16931; and its exact opposite, the credit note.
// Threads: pure functions.
//
// 1. Totals are sums of lines; tax is rounded once, on the sum. 2. A credit note is its invoice
// with every amount negated: nothing is worked out again.
#pragma once

#include "billing/rater.h"

namespace ampacity::billing {

// Has no unit price: it is once so much.
bool is_amount(const LineKey& key);

// What earlier invoices and credit notes say of one series, added up.
struct Billed {
  std::int64_t quantity = 0;
  Ticks ticks = 0;
  Ticks paid = 0;
  std::int64_t minor = 0;
  std::int64_t covered_minor = 0;
  std::int64_t contract_minor = 0;  // of it
};
using BilledLines = std::map<LineKey, Billed>;
// Of the months rated; lines of contracts before them go to setting.earlier_terms. False: more
// than 64 bits hold.
bool fold_earlier(Setting& setting, BilledLines& billed);

// Line i of an invoice telescopes by key i; an operator's own lines come after all of these.
struct KeyedLines {
  std::vector<LineKey> keys;
  std::vector<core::InvoiceLine> lines;
};
KeyedLines lines_of(const Setting& setting, const std::map<LineKey, LineState>& now,
                    const BilledLines& billed);
std::string unit_of(const Setting& setting, MeterIx meter);

// Sets covered_minor, contract_minor; says what each fund gave.
void cover_lines(const Setting& setting, const BilledLines& billed, KeyedLines& lines,
                 Rated& rated);

// Lines are there: the rest of the totals. Refused: more than 64 bits hold.
base::Result<void> total(const core::BillingProfile& profile, std::int64_t paid_minor,
                         core::Invoice& invoice);

// Voids `issued`. The caller gives it its id, number and due date.
core::Invoice credit_note(const core::Invoice& issued, std::uint64_t sequence, Instant issued_at,
                          std::string note);

}  // namespace ampacity::billing
