#include <fmt/core.h>

#include "base/currency.h"
#include "documents/invoice_flow.h"
#include "documents/invoice_words.h"
#include "documents/statement.h"

namespace ampacity::documents {
namespace {

std::string kind_text(EntryKind kind) {
  switch (kind) {
    case EntryKind::invoice:
      return "Invoice";
    case EntryKind::credit_note:
      return "Credit note";
    case EntryKind::payment:
      return "Payment of";
  }
  return "";
}

void head(PageFlow& f, const Statement& s, const core::Party& issuer, const core::Party& customer) {
  const Style title{22, true, ink_accent};
  f.box(0, 0, page_width, 7, ink_accent);
  f.words_right(right_edge, 64, "STATEMENT", title);
  f.words_right(right_edge, 79, "of account", {10, false, ink_text});
  f.words_within({"", left_edge, 330, false}, 62, issuer.name, {15, true, ink_text});
  f.words_within({"", left_edge, 330, false}, 76, issuer.email, small);
  f.rule(left_edge, 98, full_width);
  f.words(left_edge, 118, "ACCOUNT OF", label);
  f.words_within({"", left_edge, 235, false}, 133, customer.name, {10.5, true, ink_text});
  f.words_within({"", left_edge, 235, false}, 147, customer.email, body);
  const std::pair<const char*, std::string> rows[] = {{"Period", period_text(s.from, s.until)},
                                                      {"Currency", s.currency}};
  double at = 118;
  for (const auto& [what, value] : rows) {
    f.words(318, at, what, {8.5, false, ink_soft});
    f.words_within({"", 408, right_edge - 408, true}, at, value, body);
    at += 14;
  }
  f.y = 166;
}

// Opening, invoiced, credited, paid, closing: five boxes side by side.
void balances(PageFlow& f, const Statement& s, const base::Currency& currency) {
  const std::pair<const char*, std::int64_t> boxes[] = {{"OPENING BALANCE", s.opening_minor},
                                                        {"INVOICED", s.invoiced_minor},
                                                        {"CREDITED", s.credited_minor},
                                                        {"PAID", s.paid_minor},
                                                        {"CLOSING BALANCE", s.closing_minor}};
  const double width = full_width / 5;
  f.box(left_edge, f.y, full_width, 40, ink_fill);
  f.box(left_edge, f.y, 3, 40, ink_accent);
  double x = left_edge;
  for (const auto& [what, minor] : boxes) {
    const bool last = x + width > right_edge - 1;
    f.words(x + 12, f.y + 15, what, label);
    f.words_within({"", x + 12, width - 18, false}, f.y + 30, money_text(minor, currency),
                   {last ? 11.0 : 10.0, last, last ? ink_accent : ink_text});
    x += width;
  }
  f.y += 58;
}

void ageing(PageFlow& f, const Ageing& a, const base::Currency& currency) {
  const std::pair<const char*, std::int64_t> bins[] = {
      {"NOT DUE", a.not_due_minor},           {"1 – 30 DAYS", a.days_1_30_minor},
      {"31 – 60 DAYS", a.days_31_60_minor},   {"61 – 90 DAYS", a.days_61_90_minor},
      {"OVER 90 DAYS", a.days_over_90_minor}, {"IN YOUR FAVOUR", a.in_favour_minor}};
  f.need(70);
  f.y += 14;
  f.words(left_edge, f.y + 10, "What is open, by days past due", {11, true, ink_text});
  f.y += 18;
  f.box(left_edge, f.y, full_width, 17, ink_fill);
  const double width = full_width / 6;
  double x = left_edge;
  for (const auto& [what, minor] : bins) {
    const Column column{"", x + 4, width - 10, true};
    f.words_within(column, f.y + 11.5, what, label);
    f.words_within(column, f.y + 29, money_text(minor, currency), body);
    x += width;
  }
  f.y += 36;
}

}  // namespace

base::Result<std::string> statement_pdf(const Statement& s, const core::Party& issuer,
                                        const core::Party& customer) {
  const base::Currency* currency = base::find_currency(s.currency);
  if (!currency) return base::refuse_field("currency", "must be one of ISO 4217");
  auto type = Typesetter::open();
  if (!type) return std::unexpected(std::move(type.error()));
  Pages pages;
  pages.title = clean_text("Statement of account, " + customer.name);
  pages.author = clean_text(issuer.name);
  pages.subject = period_text(s.from, s.until);
  pages.made_at = s.until;
  PageFlow f(*type, pages);
  head(f, s, issuer, customer);
  balances(f, s, *currency);
  Table table(f, {{"DATE", left_edge + 6, 68, false},
                  {"ENTRY", left_edge + 80, 140, false},
                  {"REFERENCE", left_edge + 226, 70, false},
                  {"DUE", left_edge + 300, 60, false},
                  {"AMOUNT (" + s.currency + ")", right_edge - 140, 66, true},
                  {"BALANCE", right_edge - 70, 64, true}});
  table.head();
  table.row({short_day_text(s.from), "Opening balance", "", "", "",
             money_text(s.opening_minor, *currency)},
            "", body);
  if (s.rows.size() > most_statement_rows) {
    table.row({"", fmt::format("{} entries: see the CSV", s.rows.size()), "", "", "", ""}, "",
              body);
  } else {
    for (const StatementRow& row : s.rows)
      table.row({short_day_text(row.at), kind_text(row.kind) + " " + row.number, row.reference,
                 row.kind == EntryKind::invoice ? short_day_text(row.due_at) : "",
                 money_text(row.minor, *currency), money_text(row.balance_minor, *currency)},
                "", body);
  }
  table.row({short_day_text(last_day(s.from, s.until)), "Closing balance", "", "", "",
             money_text(s.closing_minor, *currency)},
            "", strong);
  ageing(f, s.ageing, *currency);
  f.finish(fmt::format("{}  ·  statement of account of {}  ·  {}", issuer.name, customer.name,
                       period_text(s.from, s.until)));
  return type->pdf(pages);
}

}  // namespace ampacity::documents
