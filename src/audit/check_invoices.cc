#include <algorithm>
#include <optional>

#include "audit/checks.h"
#include "audit/rerate.h"
#include "base/json.h"

namespace ampacity::audit {
namespace {

// What of an invoice stands in its body alone.
struct Rated {
  std::optional<Instant> rated_from;
  std::uint64_t meter_sequence = 0;
};
BOOST_DESCRIBE_STRUCT(Rated, (), (rated_from, meter_sequence))

Rated rated_of(std::string_view body) {
  base::JsonReader reader;
  reader.allow_unknown = true;
  reader.defaults_for_missing = true;
  return base::from_json<Rated>(body, std::move(reader)).value_or(Rated{});
}

std::vector<InvoiceCase> cases_of(store::Database& db, Instant month, Tally& tally) {
  const Instant next = base::month_plus(month, 1);
  std::vector<InvoiceCase> cases;
  auto rows = db.query(
      "SELECT id, number, org_ix, currency, period_from, period_until, known_sequence, sequence, "
      "issued_at, body FROM invoices WHERE kind = 'invoice' ORDER BY sequence");
  while (rows.next()) {
    InvoiceCase c;
    c.id = rows.id(0);
    c.number = rows.text(1);
    c.org = rows.index(2);
    c.currency = rows.text(3);
    c.until = rows.instant(5);
    c.known = rows.number(6);
    c.sequence = rows.number(7);
    const Rated rated = rated_of(rows.bytes(9));
    c.meter_known = rated.meter_sequence;
    c.rated_from = base::month_begin(rated.rated_from.value_or(rows.instant(4)));
    const bool bills_it = c.rated_from < next && month < c.until;
    const bool issued_in_it = month <= rows.instant(8) && rows.instant(8) < next;
    if (bills_it || issued_in_it) cases.push_back(std::move(c));
  }
  tally.read_to_the_end(rows);
  return cases;
}

// Of the months that an invoice rates, and of contracts before them.
struct Found {
  Bill rated, earlier;
  std::int64_t given = 0;  // lines taken as they are
};

Found lines_up_to(store::Database& db, const InvoiceCase& c, Tally& tally) {
  Found found;
  auto rows = db.query(
      "SELECT l.month, l.kind, l.project_ix, l.meter, l.sku_ix, l.site_ix, l.job_class, "
      "l.price_version, l.price, l.contract, l.quantity, l.ticks, l.minor FROM invoices i "
      "JOIN invoice_lines l ON l.invoice = i.id WHERE i.org_ix = ? AND i.sequence <= ?",
      c.org, c.sequence);
  while (rows.next()) {
    Series s{rows.instant(0), rows.text(1), rows.integer(2), rows.text(3),    rows.integer(4),
             rows.integer(5), rows.text(6), rows.integer(7), rows.integer(8), rows.id(9)};
    if (s.is_amount()) s.price = 0;
    if (s.kind == "manual" || s.kind == "prepaid") {
      ++found.given;
      continue;
    }
    if (s.month < c.rated_from && s.contract.is_nil()) continue;
    Amount& a = (s.month < c.rated_from ? found.earlier : found.rated)[s];
    a.quantity += rows.integer(10);
    a.ticks += rows.integer(11);
    a.minor += rows.integer(12);
  }
  tally.read_to_the_end(rows);
  return found;
}

class InvoiceAudit {
 public:
  InvoiceAudit(store::Database& db, Instant month) : db_(db), month_(month) {}

  void run(std::vector<Finding>& findings) {
    const auto cases = cases_of(db_, month_, tally_);
    std::set<std::pair<std::uint64_t, std::uint32_t>> moments;
    for (const InvoiceCase& c : cases) moments.emplace(c.known, c.org);
    const History history = read_history(db_, moments, tally_);
    for (const InvoiceCase& c : cases) one(history, c);
    const std::string figures = fmt::format(
        "{} invoices, {} series worked out again, {} ticks; taken as given: {} manual lines and "
        "credit bought, and what credit covers",
        tally_.examined, series_, shown(ticks_), given_);
    findings.push_back(tally_.finding(figures));
    check_totals(db_, history, findings);
  }

 private:
  void one(const History& history, const InvoiceCase& c) {
    ++tally_.examined;
    if (c.org >= history.orgs.size())
      return tally_.wrong(
          fmt::format("invoice {} is of org {}, which is not there", c.number, c.org));
    const Found found = lines_up_to(db_, c, tally_);
    given_ += found.given;
    Bill expected;
    std::string wrong;
    if (!Rerater(db_, history, c, found.earlier).run(expected, wrong)) return tally_.wrong(wrong);
    for (const auto& [series, amount] : expected) {
      const auto at = found.rated.find(series);
      compare(history, c, series, amount, at == found.rated.end() ? Amount{} : at->second);
      ticks_ += amount.ticks;
    }
    for (const auto& [series, amount] : found.rated)
      if (!expected.contains(series)) compare(history, c, series, {}, amount);
  }

  void compare(const History& history, const InvoiceCase& c, const Series& s,
               const Amount& expected, const Amount& found) {
    ++series_;
    if (expected.ticks == found.ticks && expected.minor == found.minor &&
        (s.is_amount() || expected.quantity == found.quantity))
      return;
    const auto sku = static_cast<std::size_t>(s.sku);
    tally_.wrong(fmt::format(
        "{}, {}: {} of {}{}{} by prices {}{}, billed up to {}: {} units, {} ticks, {} minor; by "
        "the facts {}, {}, {}",
        history.orgs[c.org].name, base::format_month(s.month), s.kind,
        s.meter.empty() ? "all" : s.meter,
        s.sku >= 0 && sku < history.skus.size() ? " " + history.skus[sku] : std::string(),
        s.project == nobody ? std::string() : " of " + project(s.project), s.version,
        s.contract.is_nil() ? std::string() : " and contract " + base::format_bare_id(s.contract),
        c.number, shown(found.quantity), shown(found.ticks), shown(found.minor),
        shown(expected.quantity), shown(expected.ticks), shown(expected.minor)));
  }

  std::string project(std::int64_t ix) {
    auto row = db_.query("SELECT name FROM names WHERE kind = 'project' AND ix = ?", ix);
    return row.next() ? row.text(0) : fmt::format("project {}", ix);
  }

  store::Database& db_;
  const Instant month_;
  Tally tally_{"invoices_rerated"};
  std::int64_t series_ = 0, given_ = 0;
  Wide ticks_ = 0;
};

}  // namespace

void check_invoices(store::Database& db, Instant month, std::vector<Finding>& findings) {
  InvoiceAudit(db, month).run(findings);
}

}  // namespace ampacity::audit
