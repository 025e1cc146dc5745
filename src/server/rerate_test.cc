// Two raters that share no code must agree: invoices over random histories as src/billing makes
// them, written down as facts, usage and invoices, and worked out again by src/audit.
#include <doctest/doctest.h>
#include <fmt/core.h>

#include "audit/checks.h"
#include "billing/test_history.h"
#include "core/facts.h"
#include "store/database.h"
#include "store/journal.h"
#include "store/scratch_store.h"

namespace ampacity::server {
namespace {

using namespace billing;
using namespace billing::test;

constexpr std::uint64_t histories = 150;
constexpr std::uint64_t room = 1'000;  // sequences of the store for each of the history's

// A history as a store has it.
class Written {
 public:
  Written(History history, const std::filesystem::path& file)
      : h(std::move(history)), db(open(file)) {
    split_leases();
    terms();
    for (const Whole& w : whole) lease(w);
    for (const MeteredUsage& e : h.usage.events) event(e);
    for (const Downtime& d : h.base.downtime) downtime(d);
    for (const auto& [sequence, text] : facts) {
      REQUIRE(db.run("INSERT INTO journal VALUES (?, ?, 0, ?, zeroblob(32))", sequence, sequence,
                     "[" + text + "]"));
    }
  }

  History h;
  store::Database db;

  // The invoice of (from, until) as known then, and its lines.
  void bill(Instant from, Instant until, std::uint64_t sequence) {
    Inputs in = period(h, from, until, sequence);
    in.earlier = earlier;
    const auto rated = rate_org(in, h.usage, {});
    REQUIRE_MESSAGE(rated, rated.error().message);
    core::Invoice invoice = rated->invoice;
    const Id id{7, ++invoices};
    const std::string body = fmt::format(R"({{"rated_from":"{}","meter_sequence":{}}})",
                                         base::format_instant(h.begin), known(sequence));
    REQUIRE(
        db.run("INSERT INTO invoices VALUES (?, ?, 'invoice', 0, ?, ?, ?, ?, '', ?, ?, 0, 0, "
               "0, 0, 0, 0, 0, NULL, ?, ?)",
               id, std::to_string(invoices), invoice.currency, from, until, known(sequence), until,
               until, known(sequence), body));
    for (std::size_t n = 0; n < invoice.lines.size(); ++n) {
      const core::InvoiceLine& l = invoice.lines[n];
      REQUIRE(
          db.run("INSERT INTO invoice_lines VALUES (?, ?, 0, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, "
                 "?, ?, ?, ?, ?, ?, ?, '', ?, ?)",
                 id, n, base::enum_name(l.kind), l.project, l.meter, l.sku, l.site,
                 base::enum_name(l.job_class), l.price_version, l.contract, l.month, l.from,
                 l.until, l.quantity, l.per, l.price, l.ticks, l.minor, l.covered_minor,
                 l.correction, l.contract_minor, l.paid_ticks));
    }
    earlier.insert(earlier.end(), invoice.lines.begin(), invoice.lines.end());
  }

  audit::Finding audited() {
    std::vector<audit::Finding> findings;
    audit::check_invoices(db, h.begin, findings);
    REQUIRE(findings.at(0).check == "invoices_rerated");
    return findings[0];
  }

  const std::vector<core::InvoiceLine>& lines() const { return earlier; }

 private:
  struct Whole {
    LeaseUsage lease;
    std::optional<LeaseUsage> after;  // at other prices
  };

  static store::Database open(const std::filesystem::path& file) {
    REQUIRE(store::open_journal({file}));
    auto opened = store::Database::open(file, store::Database::Mode::create);
    REQUIRE(opened);
    // The test is of reading, and writes each store once.
    REQUIRE(opened->exec("PRAGMA synchronous = OFF; DELETE FROM journal;"));
    return std::move(*opened);
  }
  static std::uint64_t known(std::uint64_t sequence) { return sequence * room + room - 1; }

  std::uint64_t fact(std::uint64_t sequence, core::FactBody body) {
    std::string text;
    core::write_fact(text, {h.begin, "test", std::move(body)});
    const std::uint64_t at = sequence * room + used[sequence]++;
    REQUIRE(used[sequence] < room);
    facts[at] = std::move(text);
    return at;
  }

  // What has two prices has two rows, one after the other.
  void split_leases() {
    std::uint64_t n = 0;
    std::vector<LeaseUsage> rows;
    for (LeaseUsage l : h.usage.leases) {
      l.job = {3, ++n};
      Whole w{l, {}};
      w.lease.steps.resize(1);
      if (l.steps.size() == 2) {
        const PriceStep& step = l.steps[1];
        const std::int64_t until_s = (step.from - l.started_at).whole_seconds();
        if (until_s > 0 && until_s < l.billed_s && step.from < l.ended_at &&
            l.first_sequence < step.sequence && step.sequence < l.sequence) {
          w.after = l;
          w.after->steps = {step};
          w.after->started_at = step.from;
          w.after->billed_s = l.billed_s - until_s;
          w.after->first_sequence = step.sequence;
          w.lease.ended_at = step.from;
          w.lease.billed_s = until_s;
          w.lease.sequence = step.sequence;
        }
      }
      rows.push_back(w.lease);
      if (w.after) rows.push_back(*w.after);
      whole.push_back(std::move(w));
    }
    h.usage.leases = std::move(rows);
    h.usage.sort();
  }

  void terms() {
    for (const std::string& sku : h.base.names.skus) fact(0, core::SkuDefined{{sku}});
    for (std::size_t i = 0; i < h.base.names.sites.size(); ++i) {
      fact(0, core::SiteAdded{{h.base.names.sites[i], "", ""}});
      core::Node node;
      node.site = static_cast<core::SiteIx>(i);
      fact(0, core::NodeJoined{node});
    }
    core::Org org;
    org.name = "acme";
    org.created_at = h.base.org_since;
    fact(0, core::OrgCreated{org});
    fact(0, core::BillingSet{0, h.base.profile});
    for (int p = 0; p < 3; ++p) {
      core::Project project;
      project.org = 0;
      fact(0, core::ProjectCreated{project});
    }
    for (const core::PriceBook& b : h.books) fact(0, core::PricesSet{b});
    for (const core::Contract& c : h.base.contracts) fact(0, core::ContractSigned{c, {}});
  }

  void lease(const Whole& w) {
    const LeaseUsage& l = w.lease;
    core::Job job;
    job.id = l.job;
    job.project = l.project;
    job.job_class = l.job_class;
    fact(l.first_sequence, core::JobSubmitted{job});
    core::LeaseGranted granted;
    granted.job = l.job;
    granted.generation = l.generation;
    granted.lease.sku = l.sku;
    granted.lease.places = {{l.site, 1}};
    granted.lease.rates = l.steps[0].rates;
    fact(l.first_sequence, granted);
    const std::uint64_t began =
        fact(l.first_sequence, core::RankStarted{l.job, l.generation, 0, l.started_at});
    std::uint64_t ended = 0;
    if (w.after) {
      core::Repricing entry;
      entry.job = l.job;
      entry.from_s = l.billed_s;
      entry.rates = w.after->steps[0].rates;
      ended = fact(l.sequence, core::SpotRepriced{l.started_at, {entry}});
      usage(l, 0, began, ended);
    }
    core::LeaseClosed closed;
    closed.job = l.job;
    closed.generation = l.generation;
    const LeaseUsage& last = w.after ? *w.after : l;
    const std::uint64_t at = fact(last.sequence, closed);
    usage(last, w.after ? 1 : 0, w.after ? ended : began, at);
  }

  void usage(const LeaseUsage& l, int step, std::uint64_t began, std::uint64_t ended) {
    const core::Rates& r = l.steps[0].rates;
    REQUIRE(
        db.run("INSERT INTO usage VALUES (?, ?, ?, ?, 0, ?, ?, ?, ?, ?, 0, ?, ?, ?, ?, ?, ?, "
               "?, 0, 0, 0, ?, 0, ?, NULL, ?, ?, 0, 0, 0, ?, ?)",
               l.job, l.generation, step, l.project, l.sku, base::enum_name(l.job_class),
               l.started_at, l.ended_at, l.billed_s, r.price_version, r.gpu_price, r.gpus,
               r.vcpu_price, r.cpu_milli, r.gib_price, r.memory_mib, r.gpu_milli, l.site, began,
               ended, r.host_version, r.term_months));
  }

  void event(const MeteredUsage& e) {
    REQUIRE(db.run("INSERT OR IGNORE INTO meter_sources VALUES (1, 0, ?)", e.source));
    const bool corrects = e.id.ends_with('c');
    const std::uint64_t at = e.sequence * room + used_by_events[e.sequence]++;
    const std::string replaces = corrects ? e.id.substr(0, e.id.size() - 1) : "";
    const std::string name = [](const std::vector<std::string>& names, std::uint32_t ix) {
      return ix < names.size() ? names[ix] : std::string();
    }(h.base.names.skus, e.sku);
    if (corrects)
      REQUIRE(db.run(
          "INSERT INTO meter_events VALUES (?, 0, 1, ?, ?, ?, ?, ?, ?, ?, 1, ?, ?, '', "
          "'', zeroblob(32))",
          at, e.id, e.project, e.meter, e.quantity_micro, e.from, e.from, e.until, replaces, name));
    else
      REQUIRE(
          db.run("INSERT INTO meter_events VALUES (?, 0, 1, ?, ?, ?, ?, ?, ?, ?, NULL, NULL, "
                 "?, '', '', zeroblob(32))",
                 at, e.id, e.project, e.meter, e.quantity_micro, e.from, e.from, e.until, name));
  }

  // As the operator's probe reports it; what was corrected is there, too.
  void downtime(const Downtime& d) {
    REQUIRE(db.run("INSERT OR IGNORE INTO meter_sources VALUES (2, 0, 'probe')"));
    const auto name = [](std::uint64_t sequence) { return "down" + std::to_string(sequence); };
    std::string contract;
    for (const core::Contract& c : h.base.contracts)
      if (c.id == d.contract) contract = c.name;
    const auto put = [&](std::uint64_t sequence, std::int64_t seconds, bool corrects) {
      const std::uint64_t at = sequence * room + used_by_events[sequence]++;
      const std::string id = name(at);
      REQUIRE(
          db.run("INSERT INTO meter_events VALUES (?, 0, 2, ?, 1, 'sla_downtime_seconds', ?, "
                 "?, ?, ?, nullif(?, 0), nullif(?, ''), '', '', ?, zeroblob(32))",
                 at, id, seconds * 1'000'000, d.from, d.from, d.from, corrects ? 2 : 0,
                 corrects ? corrected : std::string(), contract));
      corrected = id;
    };
    put(d.sequence, d.down_s, false);
    if (d.replaced_sequence != 0) put(d.replaced_sequence, 0, true);
  }

  std::string corrected;  // the event that the next correction is of
  std::vector<Whole> whole;
  std::map<std::uint64_t, std::string> facts;
  std::map<std::uint64_t, std::uint64_t> used, used_by_events;
  std::vector<core::InvoiceLine> earlier;
  std::uint64_t invoices = 0;
};

void bill_all(Written& w) {
  for (int m = 0; m + 1 < w.h.months; ++m) {
    const Instant from = w.h.month(m), until = w.h.month(m + 1);
    if (m == 1)  // also one in the middle of the month
      w.bill(from, after(from, 9 * 86'400 + 77), w.h.known_at(after(from, 9 * 86'400 + 77)));
    w.bill(from, until, w.h.known_at(after(until, 3'600)));
  }
}

TEST_CASE("property: the audit's rater agrees with the invoices' over random histories") {
  if (store::on_postgres()) return;  // of arithmetic; audit_test reads the same from there
  std::size_t lines = 0, caught = 0, spoilt = 0;
  std::map<core::LineKind, int> of_kind;
  for (std::uint64_t seed = 1; seed <= histories; ++seed) {
    INFO("seed " << seed);
    const store::ScratchFolder folder;
    Written w(random_history(seed), folder.path / "ampacity.db");
    bill_all(w);
    const audit::Finding f = w.audited();
    CHECK_MESSAGE(f.holds, f.detail);
    CHECK(f.examined == 4);
    lines += w.lines().size();
    for (const core::InvoiceLine& l : w.lines()) ++of_kind[l.kind];
    if (w.lines().empty() || seed % 10 != 0) continue;
    // One tick of one line that is worked out again.
    REQUIRE(
        w.db.exec("DROP TRIGGER invoice_lines_no_update; UPDATE invoice_lines SET ticks = "
                  "ticks - 1 WHERE (invoice, n) = (SELECT invoice, n FROM invoice_lines WHERE "
                  "kind NOT IN ('prepaid', 'manual') ORDER BY minor DESC LIMIT 1)"));
    if (w.db.changes() == 0) continue;
    ++spoilt;
    caught += !w.audited().holds;
  }
  CHECK(lines > 5'000);
  for (const auto kind :
       {core::LineKind::usage, core::LineKind::metered, core::LineKind::minimum,
        core::LineKind::commitment, core::LineKind::shortfall, core::LineKind::sla_credit})
    CHECK_MESSAGE(of_kind[kind] >= 10, std::string(base::enum_name(kind)) << ": " << of_kind[kind]);
  CHECK(spoilt > 5);
  CHECK(caught == spoilt);
}

}  // namespace
}  // namespace ampacity::server
