// Statement of account: what an org owed at the beginning of a period, every invoice, credit note
// and payment in it, and what it owes at the end, with how long that has been due. CSV and PDF.
// Pure but for the PDF's fonts. 1. opening + Σ rows = closing, and each row shows the balance after
// it. 2. Σ open items = closing. 3. Rows are ordered by time; at one instant invoices, then credit
// notes, then payments; then by number. 4. Invoices of other currencies and orgs are not in it.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "core/bill.h"
#include "documents/sheet.h"

namespace ampacity::documents {

enum class EntryKind { invoice, credit_note, payment };
BOOST_DESCRIBE_ENUM(EntryKind, invoice, credit_note, payment)

struct StatementRow {
  base::Instant at;
  EntryKind kind = EntryKind::invoice;
  std::string number;      // of the invoice; of a payment: the invoice it pays
  std::string reference;   // a payment's
  base::Instant due_at;    // an invoice's
  std::int64_t minor = 0;  // what it adds to what is owed
  std::int64_t balance_minor = 0;
};
BOOST_DESCRIBE_STRUCT(StatementRow, (), (at, kind, number, reference, due_at, minor, balance_minor))

// Of what is owed at the end, by days past due; what was paid or credited too much is `in_favour`.
struct Ageing {
  std::int64_t not_due_minor = 0;
  std::int64_t days_1_30_minor = 0;
  std::int64_t days_31_60_minor = 0;
  std::int64_t days_61_90_minor = 0;
  std::int64_t days_over_90_minor = 0;
  std::int64_t in_favour_minor = 0;  // zero or negative
};
BOOST_DESCRIBE_STRUCT(Ageing, (),
                      (not_due_minor, days_1_30_minor, days_31_60_minor, days_61_90_minor,
                       days_over_90_minor, in_favour_minor))

struct Statement {
  std::uint32_t org = 0;
  std::string currency;
  base::Instant from;
  base::Instant until;
  std::int64_t opening_minor = 0;
  std::int64_t invoiced_minor = 0;
  std::int64_t credited_minor = 0;  // zero or negative
  std::int64_t paid_minor = 0;      // zero or negative
  std::int64_t closing_minor = 0;
  std::vector<StatementRow> rows;
  Ageing ageing;
};
BOOST_DESCRIBE_STRUCT(Statement, (),
                      (org, currency, from, until, opening_minor, invoiced_minor, credited_minor,
                       paid_minor, closing_minor, rows, ageing))

// Invoices and payments since the beginning, in any order. Refused: from after until, a currency
// that is none, a payment of an invoice that is not there, sums beyond 64 bits.
base::Result<Statement> make_statement(std::uint32_t org, std::string_view currency,
                                       base::Instant from, base::Instant until,
                                       std::span<const core::Invoice> invoices,
                                       std::span<const core::Payment> payments);

base::Result<void> statement_csv(const Statement& statement, const TextSink& sink);

inline constexpr std::size_t most_statement_rows = 5'000;  // in a PDF; the CSV has them all

// The same statement gives the same bytes: its date is the end of its period.
base::Result<std::string> statement_pdf(const Statement& statement, const core::Party& issuer,
                                        const core::Party& customer);

}  // namespace ampacity::documents
