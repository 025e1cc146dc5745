#include "core/billing.h"

#include <cstdlib>
#include <map>

#include "base/currency.h"
#include "base/prng.h"
#include "core/test_cloud.h"

namespace ampacity::core {
namespace {

constexpr Ticks a_cent = base::ticks_per_cent;

std::int64_t half_up(Ticks ticks) { return base::divide_half_up(ticks, a_cent); }

struct BilledCloud : TestCloud {
  std::uint64_t invoices = 0;
  BilledCloud() : TestCloud(4) {
    Party party;
    party.name = "Amp Cloud Inc.";
    REQUIRE(run(SetIssuer{party}));
  }
  ProjectIx project(const std::string& name) const { return *world.project(name); }
  const Account& account(std::uint32_t code, const std::string& name) const {
    for (const Account& a : world.state().accounts)
      if (a.code == code && a.name == name) return a;
    FAIL("no account " << name);
    std::abort();
  }
  // Debits less credits.
  std::int64_t balance(std::uint32_t code, const std::string& name) const {
    for (const Account& a : world.state().accounts)
      if (a.code == code && a.name == name) return a.debits_posted - a.credits_posted;
    return 0;
  }
  Ticks wallet(const std::string& name) const {
    return available(world.state().accounts[world.state().projects[project(name)].wallet]);
  }
  Ticks in_crossing() const {  // of the tick ledger, with what the other holds
    Ticks sum = 0;
    for (const Account& a : world.state().accounts)
      if (a.code == 9000) sum += (a.debits_posted - a.credits_posted) * (is_minor(a) ? a_cent : 1);
    return sum;
  }
  static bool is_minor(const Account& a) { return a.ledger % 10 == 1; }

  // As rating would make it: sums by the drawing in core/billing.h.
  Invoice draft(std::vector<InvoiceLine> lines, std::int64_t tax_minor = 0) {
    Invoice i;
    i.id = {7, ++invoices};
    i.org = 0;
    i.lines = std::move(lines);
    i.sequence = world.state().sequence;
    i.until = now;
    i.rated_from = base::month_begin(now);
    for (const InvoiceLine& l : i.lines) {
      i.lines_minor += l.minor;
      i.covered_minor += l.covered_minor;
      if (l.kind == LineKind::prepaid) i.prepaid_minor += l.minor;
    }
    i.tax_minor = tax_minor;
    i.net_minor = i.lines_minor - i.covered_minor;
    i.total_minor = i.net_minor + i.tax_minor;
    i.payable_minor = i.total_minor - i.prepaid_minor;
    return i;
  }
  Invoice negated(const Invoice& of) {
    Invoice note = of;
    note.id = {8, ++invoices};
    note.kind = InvoiceKind::credit_note;
    note.corrects = of.id;
    for (InvoiceLine& l : note.lines) {
      l.ticks = -l.ticks;
      l.minor = -l.minor;
      l.covered_minor = -l.covered_minor;
    }
    for (std::int64_t* v :
         {&note.lines_minor, &note.covered_minor, &note.tax_minor, &note.net_minor,
          &note.total_minor, &note.prepaid_minor, &note.payable_minor})
      *v = -*v;
    return note;
  }
};

InvoiceLine usage(ProjectIx project, Ticks ticks, std::int64_t covered) {
  InvoiceLine l;
  l.kind = LineKind::usage;
  l.project = project;
  l.meter = "gpu";
  l.sku = 0;
  l.ticks = ticks;
  l.minor = half_up(ticks);
  l.covered_minor = std::min(covered, std::max<std::int64_t>(l.minor, 0));
  return l;
}
InvoiceLine other(LineKind kind, ProjectIx project, Ticks ticks, std::int64_t covered = 0) {
  InvoiceLine l = usage(project, ticks, covered);
  l.kind = kind;
  l.sku = nobody;
  l.meter = kind == LineKind::metered ? "storage" : "";
  return l;
}

}  // namespace

TEST_CASE("an invoice on a credit line: asked for, paid, usable again") {
  BilledCloud c;
  c.add_project("big", 0);
  REQUIRE(c.run(SetCreditLine{"big", 1'000'00}));
  const Ticks line = 1'000'00 * a_cent;
  CHECK(c.wallet("big") == line);

  SubmitJob job = c.request("h100:8");
  job.job.project = c.project("big");
  const Id id = c.start(job);
  for (int i = 0; i < 10; ++i) c.tick(360);
  c.end(id);
  const Ticks used = line - c.wallet("big");
  CHECK(used == 3600 * (8 * 47'800 + 128 * 100 + 1024 * 50));  // 44.64 USD
  CHECK(half_up(used) == 44'64);

  REQUIRE(c.run(IssueInvoice{c.draft({usage(c.project("big"), used, 0)}), {}}));
  CHECK(c.balance(1100, "receivable acme") == 44'64);
  CHECK(c.balance(1200, "unbilled acme") == line - used);
  CHECK(c.world.state().invoices[0].number == "2001-000001");
  CHECK(c.world.state().invoices[0].state == InvoiceState::issued);
  CHECK(c.world.state().invoices[0].lines.empty());
  CHECK(is_overdue(c.world.state().invoices[0], c.now + base::Duration::seconds(16 * 86'400)));

  const Id invoice = c.world.state().invoices[0].id;
  CHECK_FALSE(c.run(RecordPayment{{{9, 1}, invoice, 44'65, "bank", "", c.now}}));
  REQUIRE(c.run(RecordPayment{{{9, 2}, invoice, 40'00, "bank", "", c.now}}));
  CHECK(c.wallet("big") == line - used);
  REQUIRE(c.run(RecordPayment{{{9, 3}, invoice, 4'64, "bank", "", c.now}}));
  REQUIRE(c.run(RecordPayment{{{9, 3}, invoice, 4'64, "bank", "", c.now}}));  // again: nothing
  CHECK(c.wallet("big") == line);
  CHECK(c.balance(1100, "receivable acme") == 0);
  CHECK(c.world.state().invoices[0].state == InvoiceState::paid);
  CHECK_FALSE(c.run(VoidInvoice{c.negated(c.draft({}))}));
  check_world(c.world);
  check_refolded(c.facts, c.world);
}

TEST_CASE("bought credit covers usage, then what is metered, and never goes below zero") {
  BilledCloud c;
  c.add_project("small", 10'00);
  const ProjectIx p = c.project("small");
  CHECK(c.world.state().projects[p].prepaid_minor == 10'00);
  REQUIRE(c.world.state().orgs[0].bought.size() == 2);

  const Ticks metered = 3'456 * a_cent / 10;  // 3.456 USD
  InvoiceLine bought = other(LineKind::prepaid, p, 0);
  bought.minor = 10'00;
  REQUIRE(c.run(IssueInvoice{c.draft({bought, other(LineKind::metered, p, metered, 10'00)}), {}}));
  CHECK(c.world.state().projects[p].prepaid_minor == 10'00 - 3'46);
  CHECK(c.wallet("small") == 10'00 * a_cent - 3'46 * a_cent);
  CHECK(c.balance(1100, "receivable acme") == 0);
  CHECK(c.world.state().orgs[0].bought.empty());
  CHECK(c.world.state().invoices[0].state == InvoiceState::paid);  // nothing is left to pay

  // More than there is.
  const auto refused =
      c.run(IssueInvoice{c.draft({other(LineKind::metered, p, 100'00 * a_cent, 100'00)}), {}});
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == base::Code::insufficient_credit);
  check_world(c.world);
  check_refolded(c.facts, c.world);
}

TEST_CASE("void after issue leaves zero, and what waited waits again") {
  BilledCloud c;
  REQUIRE(c.run(AddLine{"acme", "", -5'00, "goodwill"}));
  const auto before = c.world.state().accounts.size();
  InvoiceLine manual = other(LineKind::manual, nobody, -5'00 * a_cent);
  manual.description = "goodwill";
  const Invoice first = c.draft({manual, usage(0, 12'345 * a_cent / 10, 0)}, 2'35);
  REQUIRE(c.run(IssueInvoice{first, {}}));
  CHECK(c.world.state().accounts.size() > before);
  CHECK(c.world.state().orgs[0].next_lines.empty());
  CHECK(c.balance(1100, "receivable acme") == 12'35 - 5'00 + 2'35);
  CHECK(c.balance(2500, "tax payable") == -2'35);

  REQUIRE(c.run(VoidInvoice{c.negated(first)}));
  for (const auto& [code, name] : {std::pair<std::uint32_t, const char*>{1100, "receivable acme"},
                                   {1200, "unbilled acme"},
                                   {2500, "tax payable"},
                                   {4000, "revenue other"}})
    CHECK(c.balance(code, name) == 0);
  CHECK(c.in_crossing() == -100'000'000 * a_cent + 100'000'000 * a_cent);
  REQUIRE(c.world.state().orgs[0].next_lines.size() == 1);
  CHECK(c.world.state().orgs[0].next_lines[0].minor == -5'00);
  CHECK(c.world.state().invoices[0].state == InvoiceState::voided);
  CHECK(c.world.state().invoices[1].number == "2001-000002");
  CHECK_FALSE(c.run(VoidInvoice{c.negated(first)}));  // once
  check_world(c.world);
  check_refolded(c.facts, c.world);
}

TEST_CASE("property: receivables are what invoices ask for less payments; rounding stays small") {
  base::SeededPrng prng(4711);
  const auto below = [&prng](std::uint64_t n) { return prng.next() % n; };
  BilledCloud c;
  c.add_project("b", 500'00);
  REQUIRE(c.run(SetCreditLine{"demo", 3'000'00}));
  std::int64_t asked = 0, paid = 0, lines = 0, tax = 0;
  std::uint64_t payments = 0;
  for (int round = 0; round < 200; ++round) {
    std::vector<InvoiceLine> all;
    const std::uint64_t n = 1 + below(8);
    for (std::uint64_t i = 0; i < n; ++i) {
      const auto ticks = static_cast<Ticks>(below(50 * a_cent)) - 5 * a_cent;
      const auto p = static_cast<ProjectIx>(below(2));
      const auto kind = below(3);
      if (kind == 0)
        all.push_back(usage(p, ticks, 0));
      else
        all.push_back(other(kind == 1 ? LineKind::metered : LineKind::sla_credit, p,
                            kind == 1 ? ticks : -std::abs(ticks)));
    }
    const auto tax_now = static_cast<std::int64_t>(below(500));
    const Invoice i = c.draft(all, tax_now);
    REQUIRE(c.run(IssueInvoice{i, {}}));
    asked += i.payable_minor;
    tax += tax_now;
    lines += static_cast<std::int64_t>(all.size());
    const Invoice head = c.world.state().invoices.back();
    CHECK(head.number.ends_with(std::to_string(c.world.state().invoices.size())));
    const auto what = below(3);
    if (what == 0 && head.payable_minor > 0) {
      const auto part =
          1 + static_cast<std::int64_t>(below(static_cast<std::uint64_t>(head.payable_minor)));
      REQUIRE(c.run(RecordPayment{{{9, ++payments}, head.id, part, "bank", "", c.now}}));
      paid += part;
    } else if (what == 1) {
      REQUIRE(c.run(VoidInvoice{c.negated(i)}));
      asked -= i.payable_minor;
      tax -= tax_now;
      lines += static_cast<std::int64_t>(all.size());
    }
    REQUIRE(c.balance(1100, "receivable acme") == asked - paid);
    REQUIRE(c.balance(2500, "tax payable") == -tax);
    const Ticks rounding = c.in_crossing();
    REQUIRE(std::abs(rounding) <= lines * a_cent / 2);
    c.now = c.now + base::Duration::seconds(3600);
  }
  check_world(c.world);
  check_refolded(c.facts, c.world);
}

TEST_CASE("a contract's prepayment: paid at signing, drawn by lines, back by a credit note") {
  BilledCloud c;
  c.add_project("big", 0);
  REQUIRE(c.run(SetCreditLine{"big", 1'000'00}));
  const ProjectIx big = c.project("big");
  Contract k;
  k.id = {3, 3};
  k.name = "gold";
  k.from = base::month_begin(c.now);
  k.prepaid_minor = -1;
  CHECK_FALSE(c.run(SignContract{k, "acme"}));
  k.prepaid_minor = 100'00;
  const std::int64_t cash = c.balance(1000, "cash");
  REQUIRE(c.run(SignContract{k, "acme"}));
  const std::string account = "prepayment " + base::format_id("ctr", k.id);
  CHECK(c.balance(1000, "cash") == cash + 100'00);
  CHECK(c.balance(2400, account) == -100'00);
  REQUIRE(c.world.state().orgs[0].bought.size() == 2);  // that of "demo", too
  CHECK(c.world.state().orgs[0].bought[1].contract == k.id);

  SubmitJob job = c.request("h100:8");
  job.job.project = big;
  const Id id = c.start(job);
  for (int i = 0; i < 10; ++i) c.tick(360);
  c.end(id);
  const Ticks used = 1'000'00 * a_cent - c.wallet("big");  // 44.64 USD
  const auto by_contract = [&](InvoiceLine l, std::int64_t minor) {
    l.contract = k.id;
    l.contract_minor = minor;
    l.covered_minor = minor;
    return l;
  };
  // Of the usage 30.00, of a metered line 10.00 of 25.00; a purchase of nobody's whole.
  Invoice i = c.draft({by_contract(usage(big, used, 0), 30'00),
                       by_contract(other(LineKind::metered, big, 25'00 * a_cent), 10'00),
                       by_contract(other(LineKind::commitment, nobody, 20'00 * a_cent), 20'00)});
  i.contract_drawn = {{k.id, 60'00}};
  REQUIRE(c.run(IssueInvoice{i, {}}));
  CHECK(c.world.state().orgs[0].bought.empty());
  CHECK(c.balance(2400, account) == -40'00);
  CHECK(c.world.state().contracts[0].drawn_minor == 60'00);
  CHECK(c.wallet("big") == 1'000'00 * a_cent - used + 30'00 * a_cent);
  CHECK(c.world.state().projects[big].prepaid_minor == 0);
  CHECK(c.balance(1100, "receivable acme") == half_up(used) + 45'00 - 60'00);
  CHECK(std::abs(c.in_crossing()) <= a_cent);
  const Invoice issued = c.world.state().invoices.back();
  REQUIRE(issued.on_credit.size() == 1);
  CHECK(issued.on_credit[0].ticks == used - 30'00 * a_cent);

  // More than is left: the ledger itself refuses.
  Invoice more = c.draft({by_contract(usage(big, 50'00 * a_cent, 0), 50'00)});
  CHECK_FALSE(c.run(IssueInvoice{more, {}}));

  Invoice note = c.negated(i);
  for (InvoiceLine& l : note.lines) l.contract_minor = -l.contract_minor;
  note.contract_drawn = {{k.id, -60'00}};
  note.corrects = issued.id;
  REQUIRE(c.run(VoidInvoice{note}));
  CHECK(c.balance(2400, account) == -100'00);
  CHECK(c.world.state().contracts[0].drawn_minor == 0);
  CHECK(c.wallet("big") == 1'000'00 * a_cent - used);
  CHECK(c.balance(1100, "receivable acme") == 0);
  CHECK(c.in_crossing() == 0);
  check_world(c.world);
  check_refolded(c.facts, c.world);
}

TEST_CASE("in another currency each SKU earns into an account of its own, later ones too") {
  BilledCloud c;
  for (const char* currency : {"JPY", "KWD"}) {
    CAPTURE(currency);
    REQUIRE(c.run(CreateOrg{{0, c.ids++}, currency}));
    BillingProfile profile;
    profile.currency = currency;
    REQUIRE(c.run(SetBilling{currency, profile}));
    PriceBook book = plain_book("other", {}, {{"h100", 10'000, 5'000}}, 100, 50, 100, 50);
    book.currency = currency;
    REQUIRE(c.run(SetPrices{book, ""}));
    const std::string name = std::string("p-") + currency;
    REQUIRE(c.run(CreateProject{{0, c.ids++}, name, currency}));
    REQUIRE(c.run(AddCredit{name, 100'000, ""}));
    const ProjectIx p = c.project(name);
    CHECK(c.world.state().projects[p].revenue == nobody);
    const AccountIx revenue = revenue_of(c.world.state(), p, 0);
    const std::uint32_t ledger =
        c.world.state().accounts[c.world.state().projects[p].wallet].ledger;
    CHECK(c.world.state().accounts[revenue].name == "revenue h100");
    CHECK(c.world.state().accounts[revenue].ledger == ledger);
    CHECK(revenue_of(c.world.state(), p, 1) != revenue);
    SubmitJob job = c.request("h100:1");
    job.job.project = p;
    const Id id = c.start(job);
    c.tick(360);
    c.end(id);
    const Account& earned = c.world.state().accounts[revenue];
    CHECK(earned.credits_posted - earned.debits_posted == 360 * (10'000 + 16 * 100 + 128 * 50));
    CHECK(earned.credits_pending == 0);
  }
  RegisterSite more{{"far", "lab", "test"}, {}, {}};
  more.skus = {{"b200", "NVIDIA B200", 196'608, 8, 16000, 131072, true}};
  REQUIRE(c.run(more));
  const SkuIx b200 = *c.world.sku("b200");
  CHECK(c.world.state().skus[b200].revenues.size() == 2);
  const AccountIx one = revenue_of(c.world.state(), c.project("p-JPY"), b200);
  const AccountIx other = revenue_of(c.world.state(), c.project("p-KWD"), b200);
  CHECK(one != other);
  CHECK(c.world.state().accounts[one].name == "revenue b200");
  CHECK(revenue_of(c.world.state(), 0, b200) == c.world.state().skus[b200].revenue);
  check_world(c.world);
  check_refolded(c.facts, c.world);
}

TEST_CASE("what is refused about billing, and what is kept") {
  TestCloud c(1);
  BilledCloud b;
  Invoice i = b.draft({usage(0, 100 * a_cent, 0)});
  CHECK_FALSE(c.run(IssueInvoice{i, {}}));  // nobody issues invoices yet
  REQUIRE(b.run(IssueInvoice{i, {}}));
  Invoice stale = b.draft({usage(0, 100 * a_cent, 0)});
  stale.sequence = 1;
  CHECK_FALSE(b.run(IssueInvoice{stale, {}}));  // another was issued meanwhile

  BillingProfile p;
  p.currency = "XXQ";
  p.tax_category = "Q";
  p.net_days = 400;
  const auto refused = b.run(SetBilling{"acme", p});
  REQUIRE_FALSE(refused);
  CHECK(refused.error().wrong.size() == 3);
  p = {};
  p.currency = "JPY";
  CHECK_FALSE(b.run(SetBilling{"acme", p}));  // it has projects
  p = {};
  p.tax_category = "S";
  CHECK_FALSE(b.run(SetBilling{"acme", p}));
  p.tax_bp = 1900;
  REQUIRE(b.run(SetBilling{"acme", p}));

  Contract k;
  k.name = "c1";
  k.from = b.now;
  k.months = 0;
  k.commitment = CommitmentKind::gpu_hours;
  k.sku = "none";
  const auto wrong = b.run(SignContract{k, "acme"});
  REQUIRE_FALSE(wrong);
  CHECK(wrong.error().wrong.size() == 5);
  k.from = base::month_plus(b.now, 1);
  k.months = 2;
  k.sku = "h100";
  k.price = 40'000;
  k.ramp = {{0, 720LL * 3'600'000}};
  k.id = {3, 3};
  REQUIRE(b.run(SignContract{k, "acme"}));
  CHECK_FALSE(b.run(SignContract{k, "acme"}));
  CHECK_FALSE(b.run(EndContract{k.id, b.now}));  // its term
  REQUIRE(b.run(EndContract{k.id, base::month_plus(k.from, 1)}));
  CHECK_FALSE(b.run(SealPeriod{base::month_plus(b.now, 1), ""}));
  REQUIRE(b.run(SealPeriod{base::month_begin(b.now), ""}));
  CHECK_FALSE(b.run(SealPeriod{base::month_begin(b.now), ""}));
  check_refolded(b.facts, b.world);
}

}  // namespace ampacity::core
