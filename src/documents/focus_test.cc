#include <doctest/doctest.h>

#include <algorithm>
#include <functional>
#include <map>

#include "base/prng.h"
#include "documents/focus_sample.h"
#include "documents/usage_csv.h"

namespace ampacity::documents {
namespace {

using Row = std::map<std::string, std::string>;

// A reader of its own: RFC 4180, and nothing of the writer's.
std::vector<std::vector<std::string>> cells_of(const std::string& csv) {
  std::vector<std::vector<std::string>> rows{{""}};
  bool quoted = false;
  for (std::size_t i = 0; i < csv.size(); ++i) {
    const char c = csv[i];
    if (quoted) {
      if (c != '"')
        rows.back().back() += c;
      else if (i + 1 < csv.size() && csv[i + 1] == '"')
        rows.back().back() += csv[++i];
      else
        quoted = false;
    } else if (c == '"') {
      quoted = true;
    } else if (c == ',') {
      rows.back().emplace_back();
    } else if (c == '\n') {
      rows.push_back({""});
    } else if (c != '\r') {
      rows.back().back() += c;
    }
  }
  rows.pop_back();
  return rows;
}

std::vector<Row> rows_of(const std::string& csv) {
  const auto cells = cells_of(csv);
  std::vector<Row> rows;
  for (std::size_t r = 1; r < cells.size(); ++r) {
    REQUIRE(cells[r].size() == cells[0].size());
    for (rows.emplace_back(); rows.back().size() < cells[0].size();) {
      const std::size_t c = rows.back().size();
      // The map sorts by name, as the columns are: insert in order, size counts on.
      rows.back()[cells[0][c]] = cells[r][c];
    }
  }
  return rows;
}

struct Export {
  std::string csv;
  std::size_t longest_piece = 0;
  base::Result<void> done;
};

Export exported(const FocusNames& names, const sample::Bill& bill) {
  Export e;
  {
    FocusWriter out(names, [&](std::string_view piece) {
      e.longest_piece = std::max(e.longest_piece, piece.size());
      e.csv += piece;
    });
    out.begin(bill.invoice);
    for (const billing::RatedPart& p : bill.parts) out.add(p);
    e.done = out.end();
  }
  return e;
}

// Cents of a sum of a column, of the rows that `of` wants.
std::int64_t sum(
    const std::vector<Row>& rows, const std::string& column,
    const std::function<bool(const Row&)>& of = [](const Row&) { return true; }) {
  std::int64_t total = 0;
  const base::Currency& usd = *base::find_currency("USD");
  for (const Row& r : rows) {
    if (!of(r)) continue;
    const auto minor = base::parse_minor(r.at(column), usd);
    REQUIRE_MESSAGE(minor, r.at(column));
    total += *minor;
  }
  return total;
}

TEST_CASE("decimals: as they would be written by hand") {
  CHECK(to_string({0, 0}) == "0");
  CHECK(to_string({0, 2}) == "0.00");
  CHECK(to_string({5, 2}) == "0.05");
  CHECK(to_string({-5, 3}) == "-0.005");
  CHECK(to_string({123'456, 2}) == "1234.56");
  CHECK(to_string({-power_of_ten(30), 12}) ==
        "-1" + std::string(18, '0') + "." + std::string(12, '0'));
  CHECK(to_string(*quotient(1, 3)) == "0.333333333333");
  CHECK(to_string(*quotient(2, 3)) == "0.666666666667");
  CHECK(to_string(*quotient(-2, 3)) == "-0.666666666667");
  CHECK(to_string(*quotient(72'000, 36'000'000)) == "0.002");
  CHECK(to_string(*product({478, 2}, {2'222'222'222'222, 12}, 2)) == "10.62222222222116");
  CHECK(to_string(*product({42, 1}, {5'760, 0}, 2)) == "24192.00");
  CHECK_FALSE(product({power_of_ten(20), 0}, {power_of_ten(20), 0}));
  CHECK_FALSE(quotient(power_of_ten(30), 7));
}

TEST_CASE("decimals: digits put together again are the number") {
  base::SeededPrng prng(11);
  for (int i = 0; i < 20'000; ++i) {
    Wide value = static_cast<Wide>(static_cast<std::int64_t>(prng.next())) *
                 static_cast<std::int64_t>(prng.next() >> (1 + prng.next() % 63));
    const int scale = static_cast<int>(prng.next() % 25);
    const std::string text = to_string({value, scale});
    Wide read = 0;
    int decimals = -1;
    for (const char c : text) {
      if (c == '.') decimals = 0;
      if (c < '0' || c > '9') continue;
      read = read * 10 + (text[0] == '-' ? -(c - '0') : c - '0');
      if (decimals >= 0) ++decimals;
    }
    CHECK(read == value);
    CHECK(std::max(decimals, 0) == scale);
    const Decimal t = trimmed({value, scale});
    CHECK(t.value * power_of_ten(scale - t.scale) == value);
  }
}

TEST_CASE("the worked month: one node reserved, 600 of 720 hours used") {
  const auto bills = sample::bills();
  const Export e = exported(sample::names(), bills[0]);
  REQUIRE_MESSAGE(e.done, (e.done ? "" : e.done.error().message));
  const auto rows = rows_of(e.csv);
  const auto of = [](const char* category, const char* status) {
    return [=](const Row& r) {
      return r.at("ChargeCategory") == category && r.at("CommitmentDiscountStatus") == status &&
             !r.at("CommitmentDiscountId").empty();
    };
  };
  CHECK(sum(rows, "BilledCost", of("Purchase", "")) == 24'192'00);
  CHECK(sum(rows, "EffectiveCost", of("Purchase", "")) == 0);
  CHECK(sum(rows, "EffectiveCost", of("Usage", "Used")) == 20'160'00);
  CHECK(sum(rows, "EffectiveCost", of("Usage", "Unused")) == 4'032'00);
  CHECK(sum(rows, "BilledCost", of("Usage", "Used")) == 0);
  CHECK(sum(rows, "ListCost", of("Usage", "Used")) == 29'544'00);
  CHECK(sum(rows, "BilledCost") == bills[0].invoice.total_minor);
  const auto shortfall = std::find_if(rows.begin(), rows.end(),
                                      [](const Row& r) { return r.at("SkuId") == "shortfall"; });
  REQUIRE(shortfall != rows.end());
  CHECK(shortfall->at("PricingQuantity") == "0.81");
  CHECK(shortfall->at("ListUnitPrice") == "1200");
  CHECK(shortfall->at("ListCost") == "972.00");
  CHECK(shortfall->at("ConsumedQuantity") == "0");
  CHECK(rows.front().at("BillingAccountName") == "Acme, Films");
  CHECK(rows.front().at("Tags") == R"({"ampacity:class":"on_demand","ampacity:user":"ann"})");
  CHECK(e.longest_piece <= Sheet::most_held + 8192);
}

TEST_CASE("what does not add up is refused") {
  const FocusNames names = sample::names();
  const auto bills = sample::bills();
  const auto why = [&](const std::function<void(sample::Bill&)>& plant) {
    sample::Bill b = bills[0];
    plant(b);
    const Export e = exported(names, b);
    return e.done ? std::string() : e.done.error().message;
  };
  CHECK(why([](auto&) {}).empty());
  CHECK(why([](auto& b) { b.parts[1].minor += 1; }).find("line 0 ") == 0);
  CHECK(why([](auto& b) { b.parts[1].covered_minor += 1; }).find("line 0 ") == 0);
  CHECK(why([](auto& b) { b.parts.erase(b.parts.begin()); }).find("line 0 ") == 0);
  CHECK(why([](auto& b) { b.invoice.total_minor += 1; }).find("lines and taxes") == 0);
  CHECK(why([](auto& b) { b.invoice.taxes[0].tax_minor -= 1; }).find("lines and taxes") == 0);
  CHECK(why([](auto& b) { b.parts[0].line = 99; }).find("a part is of line 99") == 0);
  CHECK(why([](auto& b) { b.invoice.currency = "XXX1"; }).find("currency") == 0);
}

TEST_CASE("lines that no part was streamed of are rows all the same") {
  sample::Bill b = sample::bills()[0];
  b.parts.clear();
  const Export e = exported(sample::names(), b);
  REQUIRE_MESSAGE(e.done, (e.done ? "" : e.done.error().message));
  const auto rows = rows_of(e.csv);
  CHECK(rows.size() == b.invoice.lines.size() + 1);
  CHECK(sum(rows, "BilledCost") == b.invoice.total_minor);
}

TEST_CASE("a credit note: every row a correction, its sum the note's") {
  sample::Bill b = sample::bills()[0];
  b.parts.clear();
  b.invoice.kind = core::InvoiceKind::credit_note;
  for (core::InvoiceLine& l : b.invoice.lines) {
    l.quantity = -l.quantity;
    l.ticks = -l.ticks;
    l.minor = -l.minor;
    l.covered_minor = -l.covered_minor;
  }
  for (core::TaxLine& t : b.invoice.taxes) t.tax_minor = -t.tax_minor;
  b.invoice.total_minor = -b.invoice.total_minor;
  const Export e = exported(sample::names(), b);
  REQUIRE_MESSAGE(e.done, (e.done ? "" : e.done.error().message));
  const auto rows = rows_of(e.csv);
  CHECK(sum(rows, "BilledCost") == b.invoice.total_minor);
  for (const Row& r : rows) {
    CHECK(r.at("ChargeClass") == "Correction");
    CHECK(r.at("ListUnitPrice").find('-') == std::string::npos);
  }
}

TEST_CASE("effective cost of used and unused is the purchase, however it is split") {
  base::SeededPrng prng(5);
  const FocusNames names = sample::names();
  for (int round = 0; round < 50; ++round) {
    sample::Bill b(0, "2026-000007");
    billing::RatedPart bought = sample::like(core::LineKind::commitment, core::nobody, "gpu",
                                             "GPU-Hours", 1000, 61'550, 42'001);
    bought.contract = sample::id(21);
    std::vector<billing::RatedPart> used;
    std::int64_t ticks = 0;
    const int n = static_cast<int>(1 + prng.next() % 40);
    for (int i = 0; i < n; ++i) {
      const auto s = static_cast<std::int64_t>(1 + prng.next() % 5'000);
      used.push_back(sample::own("2026-06-01T00:00:00Z", "2026-06-02T00:00:00Z", s * 1000, 0, 7));
      used.back().effective_ticks = s * 42'001;
      used.back().commitment = i + 1 < n ? billing::Commitment::used : billing::Commitment::unused;
      ticks += s * 42'001;
    }
    b.line(bought, "bought",
           {sample::own("2026-06-01T00:00:00Z", "2026-07-01T00:00:00Z", ticks / 42'001 * 1000,
                        ticks)});
    billing::RatedPart covered = bought;
    covered.kind = core::LineKind::usage;
    covered.project = 1;
    b.line(covered, "covered", used);
    b.total(0);
    const Export e = exported(names, b);
    REQUIRE(e.done);
    const auto rows = rows_of(e.csv);
    CHECK(sum(rows, "EffectiveCost") == sum(rows, "BilledCost"));
    CHECK(sum(rows, "BilledCost") == base::divide_half_up(ticks, base::ticks_per_cent));
  }
}

TEST_CASE("the largest amount there is; and what is more is refused, not wrapped") {
  sample::Bill b(0, "2026-000008");
  billing::RatedPart p =
      sample::of(sample::like(core::LineKind::usage, 0, "gpu", "GPU-Hours", 1000, 47'800, 47'800),
                 0, 0, core::JobClass::on_demand, 0);
  const std::int64_t seconds = INT64_MAX / 47'800;
  b.line(p, "a long month",
         {sample::own("2026-06-01T00:00:00Z", "2026-07-01T00:00:00Z", seconds * 1000,
                      seconds * 47'800, 1)});
  b.total(0);
  const Export e = exported(sample::names(), b);
  REQUIRE_MESSAGE(e.done, (e.done ? "" : e.done.error().message));
  CHECK(rows_of(e.csv)[0].at("BilledCost") == "256204778801.52");
  b.parts[0].list_price = INT64_MAX;
  const Export more = exported(sample::names(), b);
  REQUIRE_FALSE(more.done);
  CHECK(more.done.error().message.find("more than this export can hold") != std::string::npos);
}

TEST_CASE("usage as CSV: every part once, its sums the lines'") {
  const auto bills = sample::bills();
  const FocusNames names = sample::names();
  std::string csv;
  std::int64_t parts = 0;
  {
    UsageCsv out(names, [&](std::string_view piece) { csv += piece; });
    for (const sample::Bill& b : bills) {
      out.begin(b.invoice);
      for (const billing::RatedPart& p : b.parts) out.add(p);
      parts += static_cast<std::int64_t>(b.parts.size());
    }
    CHECK(out.rows() == parts);
  }
  const auto rows = rows_of(csv);
  CHECK(static_cast<std::int64_t>(rows.size()) == parts);
  const auto acme = [](const Row& r) { return r.at("invoice") == "2026-000001"; };
  CHECK(sum(rows, "amount", acme) == bills[0].invoice.lines_minor);
  CHECK(sum(rows, "covered", acme) == bills[0].invoice.covered_minor);
  CHECK(rows[0].at("from") == "2026-06-02T08:00:00.25Z");
  CHECK(rows[0].at("quantity") == "8000");
  CHECK(rows[0].at("unit") == "GPU-Seconds");
}

TEST_CASE("the schema names every column of the file") {
  std::string csv;
  const FocusNames names = sample::names();
  {
    FocusWriter out(names, [&](std::string_view piece) { csv += piece; });
  }
  const auto header = cells_of(csv).at(0);
  const std::string schema = focus_schema({});
  CHECK(header.size() == focus_columns().size());
  for (const std::string& c : header) CHECK(schema.find("\"" + c + "\"") != std::string::npos);
  CHECK(schema.find("\"FocusVersion\":\"1.2\"") != std::string::npos);
}

}  // namespace
}  // namespace ampacity::documents
