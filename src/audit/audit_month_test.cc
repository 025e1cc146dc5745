// The audit of a month must pass clean invoices and name each planted fault by its own finding.
// That the second rating is right is proved beside the first one: server/rerate_test.cc.
#include <doctest/doctest.h>

#include <map>

#include "audit/audit.h"
#include "audit/rerate.h"
#include "store/database.h"
#include "store/sample_cloud.h"
#include "store/scratch_store.h"

namespace ampacity::audit {
namespace {

namespace fs = std::filesystem;
using store::Database;
using store::SampleCloud;

const Instant november = *base::parse_month("2023-11");

// What an org's use comes to, as the facts stand.
Bill rerated(const fs::path& file, const SampleCloud& cloud, Instant until) {
  InvoiceCase c;
  c.currency = "USD";
  c.until = until;
  c.rated_from = november;
  c.known = cloud.world.state().sequence;
  auto db = store::open_to_read(store::as_under_test(file));
  REQUIRE(db);
  Tally tally("history");
  const History history = read_history(*db, {{c.known, 0}}, tally);
  CHECK(tally.finding("").holds);
  Bill bill, none;
  std::string wrong;
  CHECK_MESSAGE(Rerater(*db, history, c, none).run(bill, wrong), wrong);
  return bill;
}

Amount amount_of(const Bill& bill, const std::string& meter, Instant month = november) {
  Amount sum;
  for (const auto& [s, a] : bill) {
    if (s.meter != meter || s.month != month) continue;
    sum.ticks += a.ticks;
    sum.quantity += a.quantity;
    sum.minor += a.minor;
  }
  return sum;
}

constexpr std::int64_t gpu_s = 47'800, cpu_s = 16'500 * 278 / 1000, memory_s = 128 * 139;

TEST_CASE("by hand: closed, and running over a month's end") {
  const store::ScratchFolder folder;
  const fs::path file = folder.path / "ampacity.db";
  auto journal = store::open_journal({file});
  REQUIRE(journal);
  SampleCloud cloud(1);
  cloud.submit();
  cloud.start_next();
  cloud.now.us += 99'000'001;  // the second that has begun counts
  cloud.end_next();
  cloud.now = base::month_plus(november, 1) - base::Duration::seconds(30);
  cloud.submit();
  cloud.now.us += 500'000;
  cloud.start_next();
  cloud.now.us += 200'000'000;
  REQUIRE(cloud.commit(**journal));

  const Bill bill = rerated(file, cloud, cloud.now);
  const Amount gpu = amount_of(bill, "gpu"), cpu = amount_of(bill, "vcpu");
  CHECK(gpu.quantity == Wide{1000} * (100 + 30));  // ⌈29.5⌉
  CHECK(gpu.ticks == Wide{gpu_s} * 130);
  CHECK(gpu.minor == 17);  // 17.26
  CHECK(cpu.ticks == Wide{cpu_s} * 130);
  CHECK(amount_of(bill, "memory").ticks == Wide{memory_s} * 130);
  const Amount after = amount_of(bill, "gpu", base::month_plus(november, 1));
  CHECK(after.quantity == Wide{1000} * (200 - 30));
  CHECK(after.ticks == Wide{gpu_s} * 170);
}

TEST_CASE("price functions at their borders") {
  Tariff t;
  t.per = 1;
  t.kind = "graduated";
  t.tiers = {{100, 200, 0}, {500, 180, 0}, {0, 150, 0}};
  CHECK(cost_of(t, 0) == 0);
  CHECK(cost_of(t, 100) == 200'00);
  CHECK(cost_of(t, 501) == 921'50);
  CHECK(cost_of(t, 620) == 1'100'00);
  t.kind = "volume";
  CHECK(cost_of(t, 500) == 900'00);
  CHECK(cost_of(t, 501) == 751'50);
  CHECK(cost_of(t, 620) == 930'00);
  t.maximum = 80'000;
  CHECK(cost_of(t, 620) == 800'00);
  t = {};
  t.kind = "package";
  t.tiers = {{0, 500, 0}};
  t.package = 100;
  t.free = 20;
  CHECK(cost_of(t, 250) == 15'00);
  CHECK(cost_of(t, 20) == 0);
  CHECK(cost_of(t, 21) == 5'00);
  t = {};
  t.per = 1000;
  t.tiers = {{0, 1, 0}};
  CHECK(cost_of(t, 499) == 0);
  CHECK(cost_of(t, 500) == 1);
  CHECK(half_up(-5, 10) == -1);
  CHECK(half_up(-4, 10) == 0);
}

// Two invoices of November, the second taken back, the first paid in part. A job runs on.
class BilledCloud {
 public:
  explicit BilledCloud(const fs::path& db) : file(db) {
    auto opened = store::open_journal({file});
    REQUIRE(opened);
    journal = std::move(*opened);
    core::Party issuer;
    issuer.name = "Amp Cloud Inc.";
    REQUIRE(cloud.run(core::SetIssuer{issuer}));
    core::BillingProfile profile;
    profile.tax_category = "S";
    profile.tax_bp = 1'900;
    REQUIRE(cloud.run(core::SetBilling{"acme", profile}));
    work();
    issue(true);
    REQUIRE(cloud.run(core::RecordPayment{{{9, 1}, {7, 1}, 5'00, "bank", "A", cloud.now}}));
    work();
    const core::Invoice second = issue(false);
    REQUIRE(cloud.run(core::VoidInvoice{negated(second)}));
    commit();
  }

  const fs::path file;
  std::unique_ptr<store::Journal> journal;
  SampleCloud cloud{3};
  std::vector<core::InvoiceLine> earlier;
  std::uint64_t invoices = 0;

 private:
  void commit() { REQUIRE(cloud.commit(*journal)); }

  void work() {
    for (int turn = 0; turn < 6; ++turn) {
      cloud.now.us += 301'000'777 * (1 + turn % 3);
      cloud.run(core::Tick{});
      while (cloud.running.size() > 3) cloud.end_next(turn % 4 == 0);
      while (!cloud.starting.empty()) cloud.start_next();
      for (int i = 0; i < 3; ++i) cloud.submit("job", 1001 + 13 * i);
      cloud.submit("share", 1001, 333);
    }
    commit();
  }

  core::Invoice issue(bool with_credit) {
    core::Invoice i;
    i.id = {7, ++invoices};
    i.from = i.rated_from = november;
    i.until = cloud.now;
    i.sequence = cloud.world.state().sequence;
    for (const auto& [s, a] : rerated(file, cloud, i.until)) {
      core::InvoiceLine l = line(s, a);
      for (const core::InvoiceLine& before : earlier) {
        if (before.meter != l.meter || before.price != l.price || before.kind != l.kind) continue;
        l.quantity -= before.quantity;
        l.ticks -= before.ticks;
        l.minor -= before.minor;
      }
      l.covered_minor = l.minor / 2;
      i.lines.push_back(l);
    }
    if (with_credit) {
      core::InvoiceLine l;
      l.kind = core::LineKind::prepaid;
      l.project = 0;
      l.minor = 2'000'000'000'00;
      l.ticks = l.price = l.minor * base::ticks_per_cent;
      l.month = november;
      i.lines.push_back(l);
      i.prepaid_minor = l.minor;
    }
    earlier.insert(earlier.end(), i.lines.begin(), i.lines.end());
    for (const core::InvoiceLine& l : i.lines) {
      i.lines_minor += l.minor;
      i.covered_minor += l.covered_minor;
    }
    i.net_minor = i.lines_minor - i.covered_minor;
    i.tax_minor = static_cast<std::int64_t>(half_up(Wide{i.net_minor} * 1'900, 10'000));
    i.taxes = {{"S", 1'900, i.net_minor, i.tax_minor}};
    i.total_minor = i.net_minor + i.tax_minor;
    i.payable_minor = i.total_minor - i.prepaid_minor;
    REQUIRE(cloud.run(core::IssueInvoice{i, {}}));
    return i;
  }

  static core::InvoiceLine line(const Series& s, const Amount& a) {
    core::InvoiceLine l;
    l.kind = *base::parse_enum<core::LineKind>(s.kind);
    l.project = static_cast<std::uint32_t>(s.project);
    l.meter = s.meter;
    l.sku = static_cast<std::uint32_t>(s.sku);
    l.site = static_cast<std::uint32_t>(s.site);
    l.job_class = *base::parse_enum<core::JobClass>(s.job_class);
    l.price_version = static_cast<std::uint32_t>(s.version);
    l.month = s.month;
    l.quantity = static_cast<std::int64_t>(a.quantity);
    l.price = s.price;
    l.ticks = static_cast<std::int64_t>(a.ticks);
    l.minor = static_cast<std::int64_t>(a.minor);
    return l;
  }

  static core::Invoice negated(core::Invoice note) {
    note.corrects = note.id;
    note.id = {8, 1};
    note.kind = core::InvoiceKind::credit_note;
    for (core::InvoiceLine& l : note.lines)
      for (std::int64_t* v : {&l.quantity, &l.ticks, &l.minor, &l.covered_minor}) *v = -*v;
    for (core::TaxLine& t : note.taxes) {
      t.base_minor = -t.base_minor;
      t.tax_minor = -t.tax_minor;
    }
    for (std::int64_t* v :
         {&note.lines_minor, &note.covered_minor, &note.net_minor, &note.tax_minor,
          &note.total_minor, &note.prepaid_minor, &note.payable_minor})
      *v = -*v;
    return note;
  }
};

std::map<std::string, Finding> month_by_name(const fs::path& file) {
  std::map<std::string, Finding> out;
  for (Finding& f : check_month(store::as_under_test(file), november)) out[f.check] = f;
  return out;
}

struct PlantedInMonth {
  const char* what;
  const char* sql;
  const char* fails;       // every finding that does not hold, by name
  const char* named = "";  // what the first of them must say
};

#define LINE "invoice = (SELECT id FROM invoices WHERE number = '2023-000001') AND meter = 'gpu'"
constexpr PlantedInMonth planted_in_month[] = {
    {"a line's minor", "UPDATE invoice_lines SET minor = minor + 1 WHERE " LINE " AND n = 0",
     "invoices_add_up invoices_rerated ", "the sum of lines"},
    {"a line's tick", "UPDATE invoice_lines SET ticks = ticks + 1 WHERE " LINE " AND n = 0",
     "invoices_rerated ", "acme, 2023-11: usage of gpu h100 of demo by prices 1, billed up to "},
    {"a line's quantity", "UPDATE invoice_lines SET quantity = quantity + 1 WHERE " LINE,
     "invoices_rerated "},
    {"a line's price", "UPDATE invoice_lines SET price = price + 1 WHERE " LINE,
     "invoices_rerated "},
    {"a line in another month",
     "UPDATE invoice_lines SET month = month - 86400000000 * 30 WHERE " LINE, "invoices_rerated "},
    {"a line of a contract",
     "UPDATE invoice_lines SET contract = x'00000000000000000000000000000001' WHERE " LINE,
     "invoices_rerated "},
    {"an invoice that knew less",
     "UPDATE invoices SET known_sequence = known_sequence / 2 WHERE number = '2023-000001'",
     "invoices_rerated ", "by the facts"},
    {"a shorter period",
     "UPDATE invoices SET period_until = period_until - 1000000 WHERE number = '2023-000001'",
     "invoices_rerated "},
    {"a usage row removed",
     "DELETE FROM usage WHERE started_at = (SELECT min(started_at) FROM usage WHERE billed_s > 0)",
     "invoices_rerated usage_equals_ledger "},
    {"a price in the facts",
     "UPDATE journal SET facts = replace(facts, '\"price\":47800', '\"price\":47801') WHERE "
     "first_sequence = 1",
     "invoices_rerated journal_chain_unbroken "},
    {"a number left out", "UPDATE invoices SET number = '2023-000004' WHERE number = '2023-000003'",
     "invoice_numbers_gapless ", "2023-000004 where 2023-000003 was due"},
    {"tax of a minor more",
     "UPDATE invoices SET tax_minor = tax_minor + 1, total_minor = total_minor + 1, "
     "payable_minor = payable_minor + 1 WHERE number = '2023-000001'",
     "invoices_add_up receivables_equal_invoices ", "2023-000001: the tax is"},
    {"another rate of tax",
     "UPDATE invoices SET body = json_replace(body, '$.taxes[0].rate_bp', 700) WHERE number = "
     "'2023-000001'",
     "invoices_add_up "},
    {"a payment a minor less", "UPDATE payments SET minor = minor - 1",
     "receivables_equal_invoices ", "receivable acme in USD"},
    {"a payment of more than is payable", "UPDATE payments SET minor = minor * 1000000000",
     "payments_within_payable receivables_equal_invoices "},
    {"a payment of what was taken back",
     "UPDATE payments SET minor = 1, invoice = (SELECT id FROM invoices WHERE number = "
     "'2023-000002')",
     "payments_within_payable receivables_equal_invoices ", "paid, and taken back"},
    {"the receivable", "UPDATE accounts SET debits_posted = debits_posted + 1 WHERE code = 1100",
     "counters_equal_transfers debits_equal_credits receivables_equal_invoices "},
    {"the last invoice removed", "DELETE FROM invoices WHERE number = '2023-000003'",
     "receivables_equal_invoices "},
    {"a line of the credit note",
     "UPDATE invoice_lines SET ticks = ticks + 1 WHERE n = 0 AND invoice = (SELECT id FROM "
     "invoices WHERE kind = 'credit_note')",
     "credit_notes_negate ", "its lines are not those of 2023-000002"},
    {"a line of the credit note removed",
     "DELETE FROM invoice_lines WHERE n = 0 AND invoice = (SELECT id FROM invoices WHERE kind = "
     "'credit_note')",
     "credit_notes_negate invoices_add_up "},
    {"rounding beyond half a minor a line",
     "UPDATE accounts SET debits_posted = debits_posted + 360000 * 9000 WHERE code = 9000 AND "
     "scale = 'tick'",
     "counters_equal_transfers debits_equal_credits rounding_bounded "},
    {"a metered event of no commit",
     "INSERT INTO meter_sources VALUES (1, 0, 'disk'); INSERT INTO meter_events VALUES (1, 1, 1, "
     "'a', 0, 'gb', 1, 1, 1, 2, NULL, NULL, '', '', '', zeroblob(32))",
     "metered_events_chain_unbroken "},
};

TEST_CASE(
    "a billed month holds; each planted_in_month fault fails by its own findings, and no others") {
  const store::ScratchFolder folder;
  const fs::path clean = folder.path / "clean.db";
  BilledCloud{clean};
  const auto findings = month_by_name(clean);
  for (const auto& [name, f] : findings) CHECK_MESSAGE(f.holds, name << ": " << f.detail);
  CHECK(findings.at("invoices_rerated").examined == 2);
  CHECK(findings.at("invoices_add_up").examined == 3);
  CHECK(findings.at("credit_notes_negate").examined == 1);
  CHECK(findings.at("invoice_numbers_gapless").examined == 3);
  CHECK(findings.at("payments_within_payable").examined == 1);
  CHECK(findings.at("rounding_bounded").examined > 6);
  CHECK(findings.contains("not_checked"));
  // Of another month there is nothing to rate again.
  for (const Finding& f : check_month(store::as_under_test(clean), *base::parse_month("2024-02"))) {
    CHECK_MESSAGE(f.holds, f.check << ": " << f.detail);
    if (f.check == "invoices_rerated") CHECK(f.examined == 0);
  }

  for (const PlantedInMonth& p : planted_in_month) {
    INFO(std::string(p.what));
    const fs::path file = folder.path / "planted.db";
    fs::copy_file(clean, file, fs::copy_options::overwrite_existing);
    {
      auto db = Database::open(file, Database::Mode::create);
      REQUIRE(db);
      const auto done = db->exec(
          "DROP TRIGGER journal_no_update; DROP TRIGGER usage_no_delete;"
          "DROP TRIGGER invoices_no_update; DROP TRIGGER invoices_no_delete;"
          "DROP TRIGGER invoice_lines_no_update; DROP TRIGGER invoice_lines_no_delete;"
          "DROP TRIGGER payments_no_update;"
          "PRAGMA ignore_check_constraints = ON;" +
          std::string(p.sql));
      REQUIRE_MESSAGE(done, done.error().message);
    }
    std::string failed, said;
    for (const auto& [name, f] : month_by_name(file)) {
      if (f.holds) continue;
      if (said.empty()) said = f.detail;
      failed += name + " ";
    }
    CHECK(failed == p.fails);
    CHECK_MESSAGE(said.find(p.named) != std::string::npos, said);
    for (const char* suffix : {"-wal", "-shm"}) fs::remove(file.string() + suffix);
  }
}

}  // namespace
}  // namespace ampacity::audit
