// B6 of reference/billing.md, and what holds between invoices: their numbers and credit notes.
#include <map>

#include "audit/checks.h"
#include "audit/rerate.h"
#include "base/json.h"

namespace ampacity::audit {
namespace {

struct TaxLine {
  std::string category;
  std::int64_t rate_bp = 0, base_minor = 0, tax_minor = 0;
};
BOOST_DESCRIBE_STRUCT(TaxLine, (), (category, rate_bp, base_minor, tax_minor))
struct Body {
  std::vector<TaxLine> taxes;
};
BOOST_DESCRIBE_STRUCT(Body, (), (taxes))

std::optional<Body> body_of(std::string_view text) {
  base::JsonReader reader;
  reader.allow_unknown = true;
  reader.defaults_for_missing = true;
  auto body = base::from_json<Body>(text, std::move(reader));
  if (!body) return std::nullopt;
  return std::move(*body);
}

class Totals {
 public:
  Totals(store::Database& db, const History& history) : db_(db), history_(history) {}

  void run(std::vector<Finding>& findings) {
    auto rows = db_.query(
        "SELECT number, kind, org_ix, known_sequence, lines_minor, covered_minor, net_minor, "
        "tax_minor, total_minor, prepaid_minor, payable_minor, body, "
        "(SELECT coalesce(sum(minor), 0) FROM invoice_lines WHERE invoice = i.id), "
        "(SELECT coalesce(sum(covered_minor), 0) FROM invoice_lines WHERE invoice = i.id), "
        "(SELECT coalesce(sum(minor), 0) FROM invoice_lines WHERE invoice = i.id AND "
        "kind = 'prepaid') FROM invoices i ORDER BY sequence");
    while (rows.next()) one(rows);
    tally_.read_to_the_end(rows);
    findings.push_back(
        tally_.finding(fmt::format("{} invoices and credit notes, {} minor payable",
                                   tally_.examined, static_cast<long long>(payable_))));
  }

 private:
  void one(const store::Cursor& r) {
    ++tally_.examined;
    const std::string number = r.text(0);
    const auto same = [&](const char* what, Wide stored, Wide derived) {
      if (stored == derived) return;
      tally_.wrong(fmt::format("{}: {} is {} and comes out as {}", number, what,
                               static_cast<long long>(stored), static_cast<long long>(derived)));
    };
    const Wide net = Wide{r.integer(12)} - r.integer(13);
    same("the sum of lines", r.integer(4), r.integer(12));
    same("what credit covers", r.integer(5), r.integer(13));
    same("the net", r.integer(6), net);
    same("what was paid before", r.integer(9), r.integer(14));
    const auto body = body_of(r.bytes(11));
    if (!body) return tally_.wrong(number + ": its body is not readable");
    Wide base = 0, tax = 0;
    for (const TaxLine& t : body->taxes) {
      same("the tax of a rate", t.tax_minor, half_up(Wide{t.base_minor} * t.rate_bp, 10'000));
      base += t.base_minor;
      tax += half_up(Wide{t.base_minor} * t.rate_bp, 10'000);
      if (r.bytes(1) != "invoice") continue;  // a credit note has its invoice's
      const Tax due = history_.tax_of(r.index(2), r.number(3));
      if (due.tax_category != t.category) tally_.wrong(number + ": taxed in another category");
      same("the rate of tax", t.rate_bp, due.tax_bp);
    }
    same("what tax is on", base, net);
    same("the tax", r.integer(7), tax);
    same("the total", r.integer(8), net + tax);
    same("the amount payable", r.integer(10), net + tax - r.integer(14));
    payable_ += r.integer(10);
  }

  store::Database& db_;
  const History& history_;
  Tally tally_{"invoices_add_up"};
  Wide payable_ = 0;
};

// Of a year: 1, 2, 3 …, in the order of issue.
void check_numbers(store::Database& db, std::vector<Finding>& findings) {
  Tally tally("invoice_numbers_gapless");
  std::map<int, int> last;
  Instant before{INT64_MIN};
  auto rows = db.query("SELECT number, issued_at FROM invoices ORDER BY sequence");
  while (rows.next()) {
    ++tally.examined;
    const Instant at = rows.instant(1);
    const int year = base::year_of(at);
    const std::string due = fmt::format("{}-{:06}", year, ++last[year]);
    if (rows.bytes(0) != due) {
      tally.wrong(fmt::format("{} where {} was due", rows.text(0), due));
      const auto dash = rows.text(0).find('-');  // so that one gap is one offender
      const std::string digits = dash == std::string::npos ? "" : rows.text(0).substr(dash + 1);
      if (!digits.empty() && digits.size() < 9 &&
          digits.find_first_not_of("0123456789") == std::string::npos)
        last[year] = std::stoi(digits);
    }
    if (at < before) tally.wrong(rows.text(0) + " is dated before the one before it");
    before = at;
  }
  tally.read_to_the_end(rows);
  std::string figures;
  for (const auto& [year, count] : last)
    figures += fmt::format("{}{}-000001 to {:06}", figures.empty() ? "" : ", ", year, count);
  findings.push_back(tally.finding(figures.empty() ? "no invoices" : figures));
}

// Each amount of its invoice, negated; once.
void check_credit_notes(store::Database& db, std::vector<Finding>& findings) {
  Tally tally("credit_notes_negate");
  std::set<base::Id> corrected;
  auto rows = db.query(
      "SELECT c.id, c.number, c.corrects, coalesce(o.number, ''), coalesce(o.kind, ''), "
      "c.lines_minor = -o.lines_minor AND c.covered_minor = -o.covered_minor AND "
      "c.net_minor = -o.net_minor AND c.tax_minor = -o.tax_minor AND "
      "c.total_minor = -o.total_minor AND c.prepaid_minor = -o.prepaid_minor AND "
      "c.payable_minor = -o.payable_minor AND c.org_ix = o.org_ix AND c.currency = o.currency AND "
      "c.sequence > o.sequence FROM invoices c LEFT JOIN invoices o ON o.id = c.corrects "
      "WHERE c.kind = 'credit_note' ORDER BY c.sequence");
  while (rows.next()) {
    ++tally.examined;
    const std::string number = rows.text(1);
    if (rows.bytes(4) != "invoice") {
      tally.wrong(number + " takes back no invoice");
      continue;
    }
    if (!corrected.insert(rows.id(2)).second)
      tally.wrong(number + " takes back " + rows.text(3) + ", as another did before");
    if (rows.integer(5) == 0) tally.wrong(number + ": its totals are not those of " + rows.text(3));
    auto lines = db.query(
        "SELECT count(*) FROM (SELECT n, kind, project_ix, meter, sku_ix, site_ix, job_class, "
        "price_version, contract, month, per, price, -quantity, -ticks, -minor, -covered_minor "
        "FROM invoice_lines WHERE invoice = ?1 EXCEPT SELECT n, kind, project_ix, meter, sku_ix, "
        "site_ix, job_class, price_version, contract, month, per, price, quantity, ticks, minor, "
        "covered_minor FROM invoice_lines WHERE invoice = ?2) AS other UNION ALL "
        "SELECT (SELECT count(*) FROM invoice_lines WHERE invoice = ?1) - "
        "(SELECT count(*) FROM invoice_lines WHERE invoice = ?2)",
        rows.id(2), rows.id(0));
    while (lines.next())
      if (lines.integer(0) != 0)
        tally.wrong(number + ": its lines are not those of " + rows.text(3));
    tally.read_to_the_end(lines);
  }
  tally.read_to_the_end(rows);
  findings.push_back(tally.finding(fmt::format("{} credit notes", tally.examined)));
}

}  // namespace

void check_totals(store::Database& db, const History& history, std::vector<Finding>& findings) {
  Totals(db, history).run(findings);
  check_numbers(db, findings);
  check_credit_notes(db, findings);
}

}  // namespace ampacity::audit
