#include "documents/statement.h"

#include <doctest/doctest.h>
#include <fmt/core.h>

#include <algorithm>

#include "documents/invoice_csv.h"
#include "documents/invoice_samples.h"
#include "documents/invoice_words.h"

namespace ampacity::documents {
namespace {

using Rows = std::vector<std::vector<std::string>>;

// RFC 4180, strictly: quotes only where a cell begins and ends, CRLF after every row.
Rows read_csv(std::string_view text) {
  Rows rows;
  std::size_t i = 0;
  while (i < text.size()) {
    auto& row = rows.emplace_back(1);
    for (;;) {
      if (text[i] == '"') {
        for (++i; text[i] != '"' || text[i + 1] == '"'; ++i) {
          if (text[i] == '"') ++i;
          row.back() += text[i];
        }
        ++i;
      } else {
        while (text[i] != ',' && text[i] != '\r') {
          REQUIRE((text[i] != '"' && text[i] != '\n'));
          row.back() += text[i++];
        }
      }
      if (text[i] == '\r') break;
      REQUIRE(text[i] == ',');
      row.emplace_back();
      ++i;
    }
    REQUIRE(text.substr(i, 2) == "\r\n");
    i += 2;
  }
  return rows;
}

std::string csv_of(const Sample& s) {
  std::string csv;
  REQUIRE(invoice_csv(s.source(), [&](std::string_view part) { csv += part; }));
  return csv;
}

std::size_t column(const Rows& rows, std::string_view name) {
  const auto found = std::find(rows.front().begin(), rows.front().end(), name);
  REQUIRE(found != rows.front().end());
  return static_cast<std::size_t>(found - rows.front().begin());
}

struct Book {
  std::vector<core::Invoice> invoices;
  std::vector<core::Payment> payments;
};

core::Invoice entry(std::uint64_t id, core::InvoiceKind kind, std::int64_t minor, base::Instant t) {
  core::Invoice i;
  i.id = {0, id};
  i.kind = kind;
  i.number = fmt::format("2026-{:06}", id);
  i.payable_minor = minor;
  i.issued_at = t;
  i.due_at = t + base::Duration::seconds(15 * 86'400);
  return i;
}

Book random_book(base::Prng& prng) {
  Book b;
  const base::Instant start = at("2026-01-01T00:00:00Z");
  const std::size_t n = prng.next() % 30;
  for (std::size_t k = 0; k < n; ++k) {
    const auto minor = static_cast<std::int64_t>(prng.next() % 1'000'000);
    const auto day = static_cast<std::int64_t>(prng.next() % 365);
    const base::Instant t = start + base::Duration::seconds(day * 86'400);
    const bool note = !b.invoices.empty() && prng.next() % 5 == 0;
    if (note) {
      const core::Invoice& old = b.invoices[prng.next() % b.invoices.size()];
      if (old.kind == core::InvoiceKind::credit_note) continue;
      core::Invoice i = entry(k + 1, core::InvoiceKind::credit_note, -old.payable_minor, t);
      i.corrects = old.id;
      b.invoices.push_back(std::move(i));
    } else {
      b.invoices.push_back(entry(k + 1, core::InvoiceKind::invoice, minor, t));
      if (prng.next() % 8 == 0) b.invoices.back().currency = "EUR";
      if (prng.next() % 8 == 0) b.invoices.back().org = 1;
      const auto part = static_cast<std::int64_t>(prng.next() % (minor + 1));
      if (prng.next() % 2 == 0)
        b.payments.push_back({{1, k},
                              {0, k + 1},
                              part,
                              "bank",
                              fmt::format("r{}", k),
                              t + base::Duration::seconds(20 * 86'400)});
    }
  }
  return b;
}

}  // namespace

TEST_CASE("The CSV of an invoice reads back to its lines") {
  base::SeededPrng prng(7);
  for (int round = 0; round < 200; ++round)
    for (const char* currency : {"USD", "JPY", "KWD"}) {
      const Sample s = random_sample(prng, currency, "S");
      const base::Currency& c = *base::find_currency(currency);
      const Rows rows = read_csv(csv_of(s));
      REQUIRE(rows.size() == s.invoice.lines.size() + 1);
      std::int64_t sum = 0, covered = 0;
      for (std::size_t k = 0; k < s.invoice.lines.size(); ++k) {
        const core::InvoiceLine& l = s.invoice.lines[k];
        const auto& row = rows[k + 1];
        REQUIRE(row.size() == rows.front().size());
        const auto cell = [&](const char* name) { return row[column(rows, name)]; };
        CHECK(cell("number") == s.invoice.number);
        CHECK(cell("description") == line_title(l, s.names));
        CHECK(cell("project") == name_at(s.names.projects, l.project));
        CHECK(base::parse_instant(cell("period_start")) == l.from);
        CHECK(cell("quantity_raw") == std::to_string(l.quantity));
        CHECK(cell("amount_ticks") == std::to_string(l.ticks));
        CHECK((cell("correction") == "true") == l.correction);
        CHECK((cell("emulated") == "true") == is_emulated(s.names, l));
        sum += *base::parse_minor(cell("amount"), c);
        covered += *base::parse_minor(cell("covered_by_credit"), c);
      }
      CHECK(sum == s.invoice.lines_minor);
      CHECK(covered == s.invoice.covered_minor);
    }
  Sample s = showcase();
  s.names.projects[0] = "a\"b,c\r\nd";
  s.invoice.number = "20,26";
  const Rows rows = read_csv(csv_of(s));
  CHECK(rows[1][column(rows, "project")] == "a\"b,c  d");
  CHECK(rows[1][column(rows, "number")] == "20,26");
}

TEST_CASE("A statement adds up, and the next one opens where it closed") {
  base::SeededPrng prng(11);
  for (int round = 0; round < 500; ++round) {
    const Book b = random_book(prng);
    base::Instant from = at("2026-01-01T00:00:00Z");
    std::int64_t closing = 0;
    for (const char* end :
         {"2026-03-01T00:00:00Z", "2026-07-15T00:00:00Z", "2027-03-01T00:00:00Z"}) {
      const auto s = make_statement(0, "USD", from, at(end), b.invoices, b.payments);
      REQUIRE(s);
      CHECK(s->opening_minor == closing);
      std::int64_t now = s->opening_minor;
      for (const StatementRow& row : s->rows) {
        now += row.minor;
        CHECK(row.balance_minor == now);
        CHECK((row.at >= s->from && row.at < s->until));
      }
      CHECK(now == s->closing_minor);
      CHECK(s->opening_minor + s->invoiced_minor + s->credited_minor + s->paid_minor == now);
      const Ageing& a = s->ageing;
      CHECK(a.not_due_minor + a.days_1_30_minor + a.days_31_60_minor + a.days_61_90_minor +
                a.days_over_90_minor + a.in_favour_minor ==
            now);
      std::string csv;
      REQUIRE(statement_csv(*s, [&](std::string_view part) { csv += part; }));
      const Rows rows = read_csv(csv);
      REQUIRE(rows.size() == s->rows.size() + 3);
      CHECK(rows.back().back() == base::format_minor(now, *base::find_currency("USD")));
      closing = s->closing_minor;
      from = s->until;
    }
  }
}

TEST_CASE("What is open is aged from the day it was due") {
  const base::Instant end = at("2026-12-01T00:00:00Z");
  const auto aged = [&](const char* due, std::int64_t paid) {
    core::Invoice i = entry(1, core::InvoiceKind::invoice, 1'000, at("2026-01-01T00:00:00Z"));
    i.due_at = at(due);
    std::vector<core::Payment> payments;
    if (paid != 0) payments.push_back({{1, 1}, i.id, paid, "bank", "r", i.issued_at});
    const auto s = make_statement(0, "USD", i.issued_at, end, {&i, 1}, payments);
    REQUIRE(s);
    return s->ageing;
  };
  CHECK(aged("2026-12-01T00:00:00Z", 0).not_due_minor == 1'000);
  CHECK(aged("2026-11-30T23:59:59Z", 0).days_1_30_minor == 1'000);
  CHECK(aged("2026-11-01T00:00:00Z", 400).days_1_30_minor == 600);
  CHECK(aged("2026-10-31T23:59:59Z", 0).days_31_60_minor == 1'000);
  CHECK(aged("2026-09-20T00:00:00Z", 0).days_61_90_minor == 1'000);
  CHECK(aged("2026-02-01T00:00:00Z", 0).days_over_90_minor == 1'000);
  CHECK(aged("2026-02-01T00:00:00Z", 1'500).in_favour_minor == -500);
}

TEST_CASE("A statement that cannot be is refused") {
  const base::Instant t = at("2026-01-01T00:00:00Z");
  const base::Instant end = at("2026-02-01T00:00:00Z");
  CHECK(!make_statement(0, "XYZ", t, end, {}, {}));
  CHECK(!make_statement(0, "USD", end, t, {}, {}));
  const core::Payment lost{{1, 1}, {0, 5}, 1, "bank", "r", t};
  CHECK(!make_statement(0, "USD", t, end, {}, {&lost, 1}));
  const std::vector<core::Invoice> huge = {entry(1, core::InvoiceKind::invoice, INT64_MAX, t),
                                           entry(2, core::InvoiceKind::invoice, INT64_MAX, t)};
  CHECK(!make_statement(0, "USD", t, end, huge, {}));
}

TEST_CASE("Words of an invoice") {
  CHECK(period_text(at("2026-11-01T00:00:00Z"), at("2026-12-01T00:00:00Z")) ==
        "1 – 30 November 2026");
  CHECK(period_text(at("2026-10-31T05:00:00Z"), at("2026-11-02T00:00:01Z")) ==
        "31 October – 2 November 2026");
  CHECK(period_text(at("2025-12-31T00:00:00Z"), at("2026-01-02T00:00:00Z")) ==
        "31 December 2025 – 1 January 2026");
  CHECK(period_text(at("2026-11-05T00:00:00Z"), at("2026-11-06T00:00:00Z")) == "5 November 2026");
  CHECK(grouped("-1234567.50") == "-1,234,567.50");
  CHECK(grouped("123") == "123");
  CHECK(decimal_text(2, 3, 0, 4) == "0.6667");
  CHECK(decimal_text(-1, 2, 0, 0) == "-1");
  CHECK(decimal_text(-1, 3'000'000, 2, 4) == "0.00");
  CHECK(decimal_text(9'999'999, 10'000'000, 0, 4) == "1");
  CHECK(percent_text(1900) == "19");
  CHECK(percent_text(770) == "7.7");
  const base::Currency& usd = *base::find_currency("USD");
  const core::InvoiceLine l = gpu_line(0, 0, 3600, 47'800, usd);
  CHECK(unit_price_text(l, 2, 10) == "4.78");
  CHECK(quantity_text(l, 0, 9) == "1");
  CHECK(clean_text("a\xff\x80"
                   "b\n\xc2\x85") ==
        "a\xef\xbf\xbd\xef\xbf\xbd"
        "b  ");
}

}  // namespace ampacity::documents
