// B5 and B8 of reference/billing.md: what the books say of invoices, payments and rounding.
#include <map>

#include "audit/checks.h"
#include "audit/rerate.h"

namespace ampacity::audit {
namespace {

void check_payments(store::Database& db, std::vector<Finding>& findings) {
  Tally tally("payments_within_payable");
  Wide sum = 0;
  auto rows = db.query(
      "SELECT coalesce(i.number, ''), coalesce(i.kind, ''), coalesce(i.payable_minor, 0), "
      "sum(p.minor), count(*), EXISTS (SELECT 1 FROM invoices c WHERE c.corrects = p.invoice) "
      "FROM payments p LEFT JOIN invoices i ON i.id = p.invoice "
      "GROUP BY p.invoice, i.number, i.kind, i.payable_minor");
  while (rows.next()) {
    tally.examined += rows.integer(4);
    sum += rows.integer(3);
    if (rows.bytes(1) != "invoice")
      tally.wrong(fmt::format("{} minor were paid for no invoice", rows.integer(3)));
    else if (rows.integer(3) > rows.integer(2))
      tally.wrong(
          fmt::format("{}: {} paid of {} payable", rows.text(0), rows.integer(3), rows.integer(2)));
    if (rows.integer(5) != 0) tally.wrong(rows.text(0) + ": paid, and taken back");
  }
  tally.read_to_the_end(rows);
  findings.push_back(
      tally.finding(fmt::format("{} payments, {} minor", tally.examined, shown(sum))));
}

// Per org and currency: account 1100 = Σ payable − Σ paid; credit notes are payable the other way.
void check_receivable(store::Database& db, std::vector<Finding>& findings) {
  Tally tally("receivables_equal_invoices");
  std::map<std::pair<std::string, std::string>, Wide> due;
  {
    auto rows = db.query(
        "SELECT coalesce(n.name, ''), i.currency, i.payable_minor - (SELECT coalesce(sum(minor), "
        "0) "
        "FROM payments WHERE invoice = i.id) FROM invoices i "
        "LEFT JOIN names n ON n.kind = 'org' AND n.ix = i.org_ix");
    while (rows.next()) due[{"receivable " + rows.text(0), rows.text(1)}] += rows.integer(2);
    tally.read_to_the_end(rows);
  }
  Wide open = 0;
  auto rows = db.query(
      "SELECT name, currency, debits_posted - credits_posted FROM accounts WHERE code = 1100 "
      "ORDER BY ix");
  while (rows.next()) {
    ++tally.examined;
    const auto at = due.find({rows.text(0), rows.text(1)});
    const Wide expected = at == due.end() ? Wide{0} : at->second;
    open += rows.integer(2);
    if (expected != rows.integer(2))
      tally.wrong(fmt::format("{} in {} is {}; invoices less payments are {}", rows.text(0),
                              rows.text(1), rows.integer(2), shown(expected)));
    if (at != due.end()) due.erase(at);
  }
  tally.read_to_the_end(rows);
  for (const auto& [account, minor] : due)
    if (minor != 0)
      tally.wrong(fmt::format("{} minor are due, and there is no account \"{}\" in {}",
                              shown(minor), account.first, account.second));
  findings.push_back(
      tally.finding(fmt::format("{} accounts, {} minor open", tally.examined, shown(open))));
}

// What stays in 9000 of both ledgers of a currency is at most half a minor unit a line.
void check_rounding(store::Database& db, std::vector<Finding>& findings) {
  Tally tally("rounding_bounded");
  std::map<std::string, Wide> left;  // ticks
  {
    auto rows = db.query(
        "SELECT currency, scale, debits_posted - credits_posted FROM accounts WHERE code = 9000");
    while (rows.next())
      left[rows.text(0)] +=
          rows.integer(2) * (rows.bytes(1) == "tick" ? Wide{1} : ticks_of_minor(rows.text(0)));
    tally.read_to_the_end(rows);
  }
  std::map<std::string, std::int64_t> lines;
  auto rows = db.query(
      "SELECT i.currency, count(*) FROM invoice_lines l JOIN invoices i ON i.id = l.invoice "
      "GROUP BY i.currency");
  while (rows.next()) lines[rows.text(0)] = rows.integer(1);
  tally.read_to_the_end(rows);
  std::string figures;
  for (const auto& [currency, ticks] : left) {
    tally.examined += lines[currency];
    const Wide most = ticks_of_minor(currency) * lines[currency];
    if (2 * ticks > most || -2 * ticks > most)
      tally.wrong(fmt::format("{}: {} ticks are more than half a minor unit for each of {} lines",
                              currency, shown(ticks), lines[currency]));
    figures += fmt::format("{}{}: {} ticks for {} lines", figures.empty() ? "" : ", ", currency,
                           shown(ticks), lines[currency]);
  }
  findings.push_back(tally.finding(figures));
}

}  // namespace

void check_receivables(store::Database& db, std::vector<Finding>& findings) {
  check_payments(db, findings);
  check_receivable(db, findings);
  check_rounding(db, findings);
}

}  // namespace ampacity::audit
