// An invoice rated again, later, is the invoice that was issued, to the byte: random histories of a
// cloud (seeded) with price changes, contracts and their ends, lost uptime, corrections, leases
// whose true end becomes known late, taxes that change, invoices in between and credit notes.
#include <doctest/doctest.h>

#include <atomic>

#include "base/currency.h"
#include "base/prng.h"
#include "billing/invoice.h"
#include "core/price_book.h"
#include "engines/stub.h"
#include "server/invoicing.h"
#include "store/scratch_store.h"

namespace ampacity::server {
namespace {

constexpr std::uint64_t seeds = 12;
constexpr int steps = 120;

class LateClock final : public base::Clock {
 public:
  base::Instant now() override { return {us.load()}; }
  std::atomic<std::int64_t> us = base::parse_instant("2026-01-20T08:00:00Z")->us;
};

core::PriceBook book_of(const std::string& currency, base::Ticks on_demand, base::Ticks spot) {
  core::PriceBook b = core::plain_book("test", {}, {{"h100", on_demand, spot}}, 100, 50, 100, 50);
  b.currency = currency;
  core::PriceRule tokens;
  tokens.meter = "tokens";
  tokens.price.per = 1'000'000;
  tokens.price.tiers = {{50'000'000, on_demand * 7, 0}, {0, on_demand * 5, 0}};
  tokens.price.kind = core::PriceKind::graduated;
  tokens.price.minimum = on_demand * 10'000;
  b.rules.push_back(tokens);
  core::sort_rules(b);
  return b;
}

// The loop without an engine that runs anything: what ran is said by the test.
struct LateCloud {
  store::ScratchFolder folder;
  LateClock clock;
  store::StoreAt store = store::scratch_store(folder);
  std::unique_ptr<store::Journal> journal = std::move(*store::open_journal(store));
  Secrets secrets = std::move(*Secrets::open_file(folder.path / "secret"));
  std::unique_ptr<engines::Engine> engine =
      engines::make_stub_engine(base::Duration::millis(1), clock);
  std::unique_ptr<Loop> loop;
  base::SeededPrng prng;
  std::string currency;
  std::uint64_t ids = 100;
  std::vector<base::Id> running, contracts;
  std::vector<core::Id> invoices;
  std::vector<std::string> events;
  int undone = 0;

  explicit LateCloud(std::uint64_t seed) : prng(seed) {
    constexpr const char* currencies[] = {"USD", "JPY", "KWD"};
    currency = currencies[seed % 3];
    LoopOptions options;
    options.store = store;
    loop = std::make_unique<Loop>(options, *journal, std::move(*journal->load()), *engine, secrets,
                                  clock);
    loop->start();
    must(core::Found{book_of("USD", 47'800, 23'900)});
    core::RegisterSite site{{"home", "lab", "test"}, {}, {}};
    site.skus = {{"h100", "NVIDIA H100", 81920, 8, 16000, 131072, true}};
    for (int n = 0; n < 4; ++n) {
      core::Node node;
      node.name = "n" + std::to_string(n);
      node.cpu_milli = 128'000;
      node.memory_mib = 1'048'576;
      node.emulated = true;
      for (int g = 0; g < 8; ++g) node.gpus.push_back(node.name + "-" + std::to_string(g));
      site.nodes.push_back({node, "h100"});
    }
    must(site);
    core::Party issuer;
    issuer.name = "Amp Cloud";
    must(core::SetIssuer{issuer});
    must(core::CreateOrg{{0, ids++}, "acme"});
    if (currency != "USD") {
      core::BillingProfile profile;
      profile.currency = currency;
      must(core::SetBilling{"acme", profile});
      clock.us += 1'000'000;
      must(core::SetPrices{book_of(currency, 47'800, 23'900), ""});
    }
    must(core::CreateProject{{0, ids++}, "a", "acme"});
    must(core::CreateProject{{0, ids++}, "b", "acme"});
    must(core::CreateUser{{0, ids++}, "ann", "acme"});
    must(core::AddCredit{"a", 900'000, ""});
    must(core::SetCreditLine{"b", 900'000'00});
  }
  ~LateCloud() { loop->stop(); }

  void must(core::Command command) {
    const auto done = loop->run(std::move(command), "test");
    REQUIRE_MESSAGE(done, done.error().message);
  }
  std::int64_t upto(std::int64_t most) {
    return static_cast<std::int64_t>(prng.next() % static_cast<std::uint64_t>(most + 1));
  }
  base::Instant month() { return base::month_begin(clock.now()); }

  void pass(std::int64_t seconds) {
    for (; seconds > 0; seconds -= 300) {
      clock.us += std::min<std::int64_t>(seconds, 300) * 1'000'000;
      (void)loop->run(core::Tick{}, "test");
    }
  }
  void start() {
    core::SubmitJob s;
    s.job.id = {1, ids++};
    s.job.name = "job" + std::to_string(ids);
    s.job.user = 0;
    s.job.project = static_cast<core::ProjectIx>(upto(1));
    s.job.spec.image = "localhost/tiny";
    s.job.job_class = upto(1) ? core::JobClass::spot : core::JobClass::on_demand;
    s.gpus = *core::parse_gpu_request("h100:" + std::to_string(1 + upto(3)));
    if (!loop->run(s, "test")) return;
    see(s.job.id, core::RankSeen::State::running, clock.now());
    running.push_back(s.job.id);
  }
  void end() {
    if (running.empty()) return;
    const auto at = static_cast<std::size_t>(upto(static_cast<std::int64_t>(running.size()) - 1));
    const base::Id id = running[at];
    running.erase(running.begin() + static_cast<std::ptrdiff_t>(at));
    see(id, core::RankSeen::State::ended, {clock.us - upto(1'500) * 1'000'000});
  }
  void see(base::Id id, core::RankSeen::State state, base::Instant at) {
    core::RankSeen seen;
    const bool leased = loop->ask([&](const core::World& w) {
      const core::Job* job = w.job(id);
      if (!job || !job->lease) return false;
      seen.generation = job->generation;
      if (job->lease->started_at.us != 0) at = std::max(at, job->lease->started_at);
      return true;
    });
    if (!leased) return;
    seen.job = id;
    seen.state = state;
    seen.started_at = state == core::RankSeen::State::running ? at : base::Instant{};
    seen.ended_at = at;
    (void)loop->run(core::Observe{seen, clock.now()}, "test");
  }
  void prices() {
    const base::Ticks price = 10'000 + upto(60'000);
    (void)loop->run(core::SetPrices{book_of(currency, price, price / 2), upto(2) ? "" : "acme"},
                    "test");
    pass(1 + upto(5));
  }
  void sign() {
    core::Contract c;
    c.id = {5, ids++};
    c.name = "c" + std::to_string(contracts.size());
    c.from = month();
    c.months = static_cast<std::uint32_t>(1 + upto(2));
    c.commitment = static_cast<core::CommitmentKind>(upto(2));
    c.sku = c.commitment == core::CommitmentKind::gpu_hours ? "h100" : "";
    c.price = 20'000 + upto(20'000);
    c.overage_price = upto(1) * 30'000;
    c.ramp = {{0, upto(c.sku.empty() ? 9'000'000'000 : 400'000'000)}};
    c.take_or_pay = upto(1);
    c.renews = upto(1);
    c.prepaid_minor = upto(1) * upto(40'000);
    if (loop->run(core::SignContract{c, "acme"}, "test")) contracts.push_back(c.id);
  }
  void finish() {
    if (!contracts.empty())
      (void)loop->run(core::EndContract{contracts[static_cast<std::size_t>(
                                            upto(static_cast<std::int64_t>(contracts.size()) - 1))],
                                        clock.now()},
                      "test");
  }
  void tax() {
    core::BillingProfile p;
    p.currency = currency;
    p.tax_category = "S";
    p.tax_bp = 1 + upto(2'500);
    must(core::SetBilling{"acme", p});
  }
  void event() {
    store::MeterEvent e;
    e.key = {core::nobody, "probe", "e" + std::to_string(ids++)};
    e.project = static_cast<core::ProjectIx>(upto(1));
    const bool down = !contracts.empty() && upto(1);
    e.meter = down ? std::string(core::downtime_meter) : "tokens";
    if (down)
      e.resource = "c" + std::to_string(upto(static_cast<std::int64_t>(contracts.size()) - 1));
    e.quantity_micro = upto(down ? 90'000 : 90) * 1'000'000;
    e.time = e.from = e.until = {clock.us - upto(9 * 86'400) * 1'000'000};
    if (!events.empty() && upto(2) == 0) {
      e.corrects = {core::nobody, "probe", events.back()};
      events.pop_back();
    }
    e.hash = store::payload_hash(e);
    events.push_back(e.key.id);
    Work work;
    work.meter = std::make_unique<MeterWork>();
    work.meter->batch.events.push_back(std::move(e));
    work.meter->resolve = [](const core::World&, store::MeterBatch&) {};
    work.meter->respond = [](const store::MeterBatch&) { return net::Response{}; };
    loop->push(std::move(work));
    loop->ask([](const core::World&) { return 0; });
  }
  void issue() {
    Period p =
        upto(2) == 0 ? month_period(base::month_plus(month(), -1)) : Period{month(), clock.now()};
    if (p.until <= p.from || p.until > clock.now()) return;
    Invoicing invoicing(*loop, store, clock);
    std::int64_t parts = 0;
    auto draft = invoicing.draft(
        0, p, [&](const billing::RatedPart& part) { parts += part.minor - part.covered_minor; });
    REQUIRE_MESSAGE(draft, draft.error().message);
    CHECK(parts == draft->invoice.net_minor);
    if (draft->invoice.lines.empty()) return;
    draft->invoice.id = {9, ids++};
    const auto done = loop->run(core::IssueInvoice{draft->invoice, draft->refunds}, "test");
    CHECK_MESSAGE(done, done.error().message);
    if (done) invoices.push_back(draft->invoice.id);
  }
  void take_back() {
    const auto last = loop->ask([](const core::World& w) {
      for (auto i = w.state().invoices.rbegin(); i != w.state().invoices.rend(); ++i)
        if (i->kind == core::InvoiceKind::invoice && i->state != core::InvoiceState::voided)
          return std::pair(i->id, w.state().sequence);
      return std::pair(base::Id{}, std::uint64_t{0});
    });
    if (last.first.is_nil()) return;
    const auto issued = (*store::open_reader(store))->invoice(last.first);
    REQUIRE(issued);
    core::Invoice note = billing::credit_note(*issued, last.second, clock.now(), "test");
    note.id = {8, ids++};
    (void)loop->run(core::VoidInvoice{note}, "test");  // paid ones stay
  }

  // Every invoice, as it is in the store, rated again.
  std::size_t check() {
    Invoicing invoicing(*loop, store, clock);
    std::size_t lines = 0;
    for (const base::Id id : invoices) {
      const auto issued = (*store::open_reader(store))->invoice(id);
      REQUIRE(issued);
      const auto again = invoicing.again(*issued, {});
      REQUIRE_MESSAGE(again, again.error().message);
      CHECK(base::to_json(again->lines) == base::to_json(issued->lines));
      CHECK(again->inputs_hash == issued->inputs_hash);
      CHECK(again->payable_minor == issued->payable_minor);
      lines += issued->lines.size();
    }
    return lines;
  }
};

TEST_CASE("property: an invoice rated again is what was issued, whatever came later") {
  std::size_t lines = 0, invoices = 0;
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    CAPTURE(seed);
    LateCloud c(seed);
    for (int i = 0; i < steps; ++i) {
      CAPTURE(i);
      const auto what = c.upto(19);
      if (what < 4)
        c.start();
      else if (what < 7)
        c.end();
      else if (what < 10)
        c.pass(60 + c.upto(3) * c.upto(12 * 3'600));
      else if (what < 12)
        c.prices();
      else if (what == 12)
        c.sign();
      else if (what == 13)
        c.finish();
      else if (what == 14)
        c.tax();
      else if (what < 17)
        c.event();
      else if (what < 19)
        c.issue();
      else
        c.take_back();
      c.pass(1);
    }
    lines += c.check();
    invoices += c.invoices.size();
  }
  MESSAGE(seeds << " histories, " << invoices << " invoices, " << lines << " lines");
  CHECK(lines > 10 * seeds);
}

}  // namespace
}  // namespace ampacity::server
