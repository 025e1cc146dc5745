// The worked examples of reference/billing.md and focus.md, and each kind of line once.
#include "billing/rate.h"

#include <doctest/doctest.h>

#include "billing/invoice.h"
#include "billing/test_usage.h"

namespace ampacity::billing {
namespace {

using namespace test;
using core::LineKind;

Rated must(const base::Result<Rated>& r) {
  if (!r) FAIL(r.error().message);
  return *r;
}

const core::InvoiceLine* line_of(const core::Invoice& i, LineKind kind,
                                 core::ProjectIx project = core::nobody) {
  for (const core::InvoiceLine& l : i.lines)
    if (l.kind == kind && (project == core::nobody || l.project == project)) return &l;
  return nullptr;
}

TEST_CASE("three windows of an A100 at 2.21: 61, 62, 61 cents, as parts and as invoices") {
  const std::vector books{book(1, {rule("gpu", flat(22'100))})};
  MemoryUsage usage;
  const Instant june = at("2026-06-01T00:00:00Z");
  for (int i = 0; i < 3; ++i)
    usage.leases.push_back(
        lease(static_cast<std::uint64_t>(i) + 1, after(june, i * 1000), 1000, 1));
  Inputs in = inputs("2026-06-01T00:00:00Z", "2026-07-01T00:00:00Z", books);
  std::vector<std::int64_t> minors;
  const Rated all = must(rate_org(in, usage, [&](const RatedPart& p) {
    minors.push_back(p.minor);
    CHECK(p.ticks == 22'100'000);
    CHECK(p.list_price == 22'100);
  }));
  CHECK(minors == std::vector<std::int64_t>{61, 62, 61});
  REQUIRE(all.invoice.lines.size() == 1);
  const core::InvoiceLine& l = all.invoice.lines[0];
  CHECK(l.minor == 184);
  CHECK(l.ticks == 66'300'000);
  CHECK(l.quantity == 3'000'000);
  CHECK(l.unit == "GPU-Hours");
  CHECK(l.description == "NVIDIA A100 80GB, on demand, fra1");
  CHECK(!l.correction);

  // One lease over all of it, billed in three periods inside the month.
  usage.leases = {lease(1, june, 3000, 1)};
  minors.clear();
  std::vector<core::InvoiceLine> earlier;
  for (int i = 0; i < 3; ++i) {
    Inputs part = in;
    part.from = after(june, i * 1000);
    part.until = after(june, (i + 1) * 1000);
    part.earlier = earlier;
    if (i > 0) part.billed = {{june, part.from, part.sequence, part.meter_sequence}};
    const Rated r = must(rate_org(part, usage, {}));
    REQUIRE(r.invoice.lines.size() == 1);
    minors.push_back(r.invoice.lines[0].minor);
    earlier.push_back(r.invoice.lines[0]);
  }
  CHECK(minors == std::vector<std::int64_t>{61, 62, 61});
}

TEST_CASE("a second that a month's end cuts is of the month that it began in; ends not known") {
  const std::vector books{book(1, {rule("gpu", flat(3'600'000'000))})};  // 100.00 a second
  MemoryUsage usage;
  const Instant july = at("2026-07-01T00:00:00Z");
  usage.leases = {lease(1, {july.us - 1'500'000}, 0, 1)};
  LeaseUsage& l = usage.leases[0];
  l.ended_at = {july.us + 1'800'000};
  l.billed_s = 4;  // 3.3
  Inputs in = inputs("2026-06-01T00:00:00Z", "2026-08-01T00:00:00Z", books);
  Rated r = must(rate_org(in, usage, {}));
  REQUIRE(r.invoice.lines.size() == 2);
  CHECK(r.invoice.lines[0].minor == 200'00);
  CHECK(r.invoice.lines[1].minor == 200'00);
  CHECK(r.invoice.lines[1].from == july);
  l.billed_s = 3;  // one was waived
  r = must(rate_org(in, usage, {}));
  CHECK(r.invoice.lines[0].minor == 200'00);
  CHECK(r.invoice.lines[1].minor == 100'00);

  // Known to run: through the end of the period. Not known to have begun: not there.
  l.sequence = in.sequence + 1;
  in.until = {july.us + 10'000'000};
  r = must(rate_org(in, usage, {}));
  CHECK(r.invoice.lines[1].minor == 1'000'00);
  l.first_sequence = in.sequence + 1;
  CHECK(must(rate_org(in, usage, {})).invoice.lines.empty());
  // Found out later that it had ended: the difference, on the next.
  l.first_sequence = 1;
  Inputs next = in;
  next.from = in.until;
  next.until = at("2026-08-01T00:00:00Z");
  next.rate_from = in.from;
  next.sequence = l.sequence;
  next.earlier = r.invoice.lines;
  next.billed = {{in.from, in.until, in.sequence, 0}, {july, in.until, in.sequence, 0}};
  std::vector<RatedPart> parts;
  r = must(rate_org(next, usage, [&](const RatedPart& p) { parts.push_back(p); }));
  REQUIRE(r.invoice.lines.size() == 1);
  CHECK(r.invoice.lines[0].minor == -900'00);
  REQUIRE(parts.size() == 1);
  CHECK(parts[0].minor == -900'00);
  CHECK(parts[0].quantity == -9'000);
  CHECK(parts[0].job == l.job);
}

core::Contract june_reservation() {
  core::Contract c;
  c.id = {7, 7};
  c.name = "one node";
  c.from = at("2026-06-01T00:00:00Z");
  c.months = 12;
  c.commitment = core::CommitmentKind::gpu_hours;
  c.sku = "h100";
  c.price = 336'000;  // 33.60 an hour
  c.ramp = {{0, 720LL * 3600 * 1000}};
  return c;
}

TEST_CASE("June of a one-year reservation: 24,192.00 bought, 20,160 used, 4,032 not used") {
  const std::vector books{book(1, {rule("gpu", flat(492'400))})};
  Inputs in = inputs("2026-06-01T00:00:00Z", "2026-07-01T00:00:00Z", books);
  in.contracts = {june_reservation()};
  MemoryUsage usage;
  usage.leases = {lease(1, in.from, 600 * 3600, 1)};
  usage.leases[0].sku = 1;
  std::vector<RatedPart> parts;
  const Rated r = must(rate_org(in, usage, [&](const RatedPart& p) { parts.push_back(p); }));
  CHECK(r.invoice.lines_minor == 24'192'00);
  const auto* bought = line_of(r.invoice, LineKind::commitment);
  REQUIRE(bought);
  CHECK(bought->minor == 24'192'00);
  CHECK(bought->quantity == 720LL * 3600 * 1000);
  CHECK(bought->price == 336'000);
  Ticks used = 0, unused = 0;
  for (const RatedPart& p : parts) {
    if (p.kind == LineKind::commitment) CHECK(p.effective_ticks == 0);
    if (p.commitment == Commitment::none) continue;
    CHECK(p.minor == 0);
    CHECK(p.list_price == 492'400);
    CHECK(p.contracted_price == 336'000);
    (p.commitment == Commitment::used ? used : unused) += p.effective_ticks;
  }
  CHECK(used == usd("20160"));
  CHECK(unused == usd("4032"));

  // 800 hours: 80 beyond, at the book's price or at the one agreed.
  usage.leases[0].steps[0].rates.gpus = 2;
  usage.leases[0].billed_s = 400 * 3600;
  usage.leases[0].ended_at = after(in.from, 400 * 3600);
  CHECK(must(rate_org(in, usage, {})).invoice.lines_minor == 24'192'00 + 80 * 49'24);
  in.contracts[0].overage_price = 400'000;
  CHECK(must(rate_org(in, usage, {})).invoice.lines_minor == 24'192'00 + 80 * 40'00);
}

TEST_CASE("a minimum of 1,000 for 12 of 30 days tops 310 up by 90") {
  core::PriceFunction storage = flat(usd("1"), 1'000'000);
  storage.minimum = usd("1000");
  const std::vector books{book(1, {rule("storage", storage)}, at("2026-06-19T00:00:00Z"))};
  Inputs in = inputs("2026-06-01T00:00:00Z", "2026-07-01T00:00:00Z", books);
  MemoryUsage usage;
  MeteredUsage e{.source = "disk", .id = "1", .project = 0, .meter = "storage"};
  e.from = e.until = at("2026-06-20T00:00:00Z");
  e.quantity_micro = 310'000'000;
  e.sequence = 5;
  usage.events = {e};
  const Rated r = must(rate_org(in, usage, {}));
  const auto* metered = line_of(r.invoice, LineKind::metered);
  const auto* minimum = line_of(r.invoice, LineKind::minimum);
  REQUIRE(metered);
  REQUIRE(minimum);
  CHECK(metered->minor == 310'00);
  CHECK(minimum->minor == 90'00);
  usage.events[0].quantity_micro = 400'000'000;
  CHECK(must(rate_org(in, usage, {})).invoice.lines_minor == 400'00);
}

TEST_CASE("graduated, volume and package over an org's month, whoever used it") {
  core::PriceFunction graduated = flat(usd("2"), 1'000'000);
  graduated.kind = core::PriceKind::graduated;
  graduated.tiers = {
      {100'000'000, usd("2"), 0}, {500'000'000, usd("1.80"), 0}, {0, usd("1.50"), 0}};
  core::PriceFunction volume = graduated;
  volume.kind = core::PriceKind::volume;
  core::PriceFunction package = flat(usd("5"), 1'000'000);
  package.kind = core::PriceKind::package;
  package.package = 100'000'000;
  package.free = 20'000'000;
  const std::vector books{book(1, {rule("g", graduated), rule("v", volume), rule("p", package)})};
  const struct {
    const char* meter;
    std::int64_t first, second, minor;
  } table[] = {{"g", 100, 520, 1'100'00}, {"g", 500, 1, 921'50},  {"v", 250, 250, 900'00},
               {"v", 500, 1, 751'50},     {"v", 600, 20, 930'00}, {"p", 120, 130, 15'00}};
  for (const auto& row : table) {
    CAPTURE(row.meter);
    MemoryUsage usage;
    MeteredUsage e{.source = "s", .id = "1", .project = 0, .meter = row.meter};
    e.from = e.until = at("2026-06-20T00:00:00Z");
    e.quantity_micro = row.first * 1'000'000;
    usage.events.push_back(e);
    e.id = "2";
    e.project = 1;
    e.quantity_micro = row.second * 1'000'000;
    usage.events.push_back(e);
    const Rated r =
        must(rate_org(inputs("2026-06-01T00:00:00Z", "2026-07-01T00:00:00Z", books), usage, {}));
    CHECK(r.invoice.lines_minor == row.minor);
  }
}

TEST_CASE("take or pay: 228 of 1,200 leave 972, each month or at the end of the term") {
  const std::vector books{book(1, {rule("gpu", flat(10'000))})};
  core::Contract c;
  c.id = {9, 9};
  c.name = "spend";
  c.from = at("2026-06-01T00:00:00Z");
  c.months = 2;
  c.commitment = core::CommitmentKind::spend;
  c.ramp = {{0, usd("1200")}, {1, usd("2000")}};
  MemoryUsage usage;
  usage.leases = {lease(1, c.from, 228 * 3600, 1)};
  Inputs june = inputs("2026-06-01T00:00:00Z", "2026-07-01T00:00:00Z", books);
  june.contracts = {c};
  Rated r = must(rate_org(june, usage, {}));
  REQUIRE(line_of(r.invoice, LineKind::shortfall));
  CHECK(line_of(r.invoice, LineKind::shortfall)->minor == 972'00);
  CHECK(r.invoice.lines_minor == 1'200'00);

  june.contracts[0].take_or_pay = false;
  r = must(rate_org(june, usage, {}));
  CHECK(!line_of(r.invoice, LineKind::shortfall));
  Inputs july = inputs("2026-07-01T00:00:00Z", "2026-08-01T00:00:00Z", books);
  july.contracts = june.contracts;
  july.earlier = r.invoice.lines;
  r = must(rate_org(july, usage, {}));
  REQUIRE(line_of(r.invoice, LineKind::shortfall));
  CHECK(line_of(r.invoice, LineKind::shortfall)->minor == 3'200'00 - 228'00);
}

TEST_CASE("GPU-hours paid as they are used: the shortfall comes at the end of the term") {
  const std::vector books{book(1, {rule("gpu", flat(20'000))})};
  core::Contract c = june_reservation();
  c.sku = "a100";
  c.price = 10'000;
  c.months = 1;
  c.ramp = {{0, 100LL * 3600 * 1000}};
  c.take_or_pay = false;
  Inputs in = inputs("2026-06-01T00:00:00Z", "2026-07-01T00:00:00Z", books);
  in.contracts = {c};
  MemoryUsage usage;
  usage.leases = {lease(1, in.from, 40 * 3600, 1)};
  Rated r = must(rate_org(in, usage, {}));
  CHECK(line_of(r.invoice, LineKind::usage)->minor == 40'00);
  CHECK(line_of(r.invoice, LineKind::shortfall)->minor == 60'00);
  usage.leases[0] = lease(1, in.from, 130 * 3600, 1);
  r = must(rate_org(in, usage, {}));
  CHECK(!line_of(r.invoice, LineKind::shortfall));
  CHECK(r.invoice.lines_minor == 100'00 + 30 * 2'00);
}

TEST_CASE("lost uptime gives back by the schedule, at most half") {
  const std::vector books{book(1, {rule("gpu", flat(10'000))})};
  core::Contract c;
  c.id = {9, 9};
  c.from = at("2026-06-01T00:00:00Z");
  c.months = 1;
  Inputs in = inputs("2026-06-01T00:00:00Z", "2026-07-01T00:00:00Z", books);
  in.contracts = {c};
  MemoryUsage usage;
  usage.leases = {lease(1, in.from, 100 * 3600, 1)};
  const std::int64_t month_s = 30 * 86'400;
  const struct {
    std::int64_t down_s, credit;
  } table[] = {{0, 0},
               {month_s / 100, 0},
               {month_s / 100 + 1, -10'00},
               {month_s / 20 + 1, -25'00},
               {month_s / 10 + 1, -50'00},
               {month_s, -50'00}};
  for (const auto& row : table) {
    in.downtime = {{c.id, in.from, row.down_s, 3}};
    const Rated r = must(rate_org(in, usage, {}));
    const auto* credit = line_of(r.invoice, LineKind::sla_credit);
    CHECK((credit ? credit->minor : 0) == row.credit);
  }
  in.contracts[0].sla = {{1'000'000, 9'000}};
  CHECK(must(rate_org(in, usage, {})).invoice.lines_minor == 50'00);
}

TEST_CASE("tax once on the sum; credit bought covers later use and is paid when bought") {
  const std::vector books{book(1, {rule("gpu", flat(10'000))})};
  Inputs in = inputs("2026-06-01T00:00:00Z", "2026-07-01T00:00:00Z", books);
  in.profile.tax_category = "S";
  in.profile.tax_bp = 1'900;
  in.profile.net_days = 30;
  MemoryUsage usage;
  usage.leases = {lease(1, in.from, 100 * 3600, 1), lease(2, after(in.from, 9), 50 * 3600, 1)};
  usage.leases[1].project = 1;
  in.project_funds = {{0, 70'00}, {1, 70'00}};
  in.bought = {{0, after(in.from, 5), 200'00, 200'00, 4}};
  in.manual = {{core::nobody, -3'33, "goodwill"}};
  std::int64_t covered = 0, minor = 0;
  const Rated r = must(rate_org(in, usage, [&](const RatedPart& p) {
    covered += p.covered_minor;
    minor += p.minor;
  }));
  const core::Invoice& i = r.invoice;
  CHECK(i.lines_minor == 100'00 + 50'00 + 200'00 - 3'33);
  CHECK(minor == i.lines_minor);
  CHECK(i.covered_minor == 120'00);
  CHECK(covered == 120'00);
  CHECK(i.net_minor == 226'67);
  CHECK(i.tax_minor == 43'07);  // 43.0673
  CHECK(i.total_minor == 269'74);
  CHECK(i.prepaid_minor == 200'00);
  CHECK(i.payable_minor == 69'74);
  CHECK(i.due_at == after(i.issued_at, 30 * 86'400));
  CHECK(r.project_drawn[0].left_minor == 70'00);
  CHECK(r.project_drawn[1].left_minor == 50'00);

  const core::Invoice note = credit_note(i, 77, in.until, "wrong party");
  CHECK(note.kind == core::InvoiceKind::credit_note);
  CHECK(note.lines.size() == i.lines.size());
  CHECK(note.payable_minor == -i.payable_minor);
  CHECK(note.tax_minor == -43'07);
  // What was voided is billed again, as it was.
  in.earlier = i.lines;
  in.earlier.insert(in.earlier.end(), note.lines.begin(), note.lines.end());
  const Rated again = must(rate_org(in, usage, {}));
  CHECK(again.invoice.payable_minor == i.payable_minor);
}

TEST_CASE("a contract's prepayment is drawn down by what it bills") {
  const std::vector books{book(1, {rule("gpu", flat(492'400))})};
  Inputs in = inputs("2026-06-01T00:00:00Z", "2026-07-01T00:00:00Z", books);
  in.contracts = {june_reservation()};
  in.contracts[0].prepaid_minor = 30'000'00;
  in.contract_funds = {{in.contracts[0].id, 30'000'00}};
  MemoryUsage usage;
  Rated r = must(rate_org(in, usage, {}));
  CHECK(r.contract_drawn[0].left_minor == 24'192'00);
  CHECK(r.invoice.payable_minor == 0);
  in.from = in.until;
  in.until = at("2026-08-01T00:00:00Z");
  in.contract_funds[0].left_minor -= 24'192'00;
  r = must(rate_org(in, usage, {}));
  CHECK(r.contract_drawn[0].left_minor == 5'808'00);
  CHECK(r.invoice.payable_minor == 2 * 24'192'00 - 30'000'00);
}

TEST_CASE("currencies of no and of three decimals; a term's price; a spot price that moves") {
  core::PriceRule term = rule("gpu", flat(6'500));
  term.term_months = 12;
  core::PriceBook plain = book(1, {rule("gpu", flat(10'001)), term});
  core::PriceBook next = book(2, {rule("gpu", flat(5'000))}, at("2026-06-02T00:00:00Z"));
  plain.currency = next.currency = "JPY";
  std::vector books{plain, next};
  Inputs in = inputs("2026-06-01T00:00:00Z", "2026-07-01T00:00:00Z", books);
  MemoryUsage usage;
  usage.leases = {lease(1, in.from, 10 * 3600, 1)};
  in.profile.currency = "JPY";
  CHECK(must(rate_org(in, usage, {})).invoice.lines_minor == 10);
  in.profile.currency = "KWD";
  CHECK(must(rate_org(in, usage, {})).invoice.lines_minor == 10'001);
  in.profile.currency = "XQX";
  CHECK(!rate_org(in, usage, {}));
  in.profile.currency = "USD";
  in.contracts.resize(1);
  in.contracts[0].id = {3, 3};
  in.contracts[0].from = in.from;
  in.contracts[0].months = 12;
  CHECK(must(rate_org(in, usage, {})).invoice.lines_minor == 6'50);
  in.contracts.clear();

  core::RateStep before{3600, 9, usage.leases[0].steps[0].rates};
  core::Rates later = before.rates;
  later.price_version = 2;
  usage.leases[0].steps = price_steps(usage.leases[0].started_at, {before}, later);
  const Rated moved = must(rate_org(in, usage, {}));
  CHECK(moved.invoice.lines.size() == 2);
  CHECK(moved.invoice.lines_minor == 1'00 + 4'50);
  in.sequence = 8;  // nobody knew of it then
  CHECK(must(rate_org(in, usage, {})).invoice.lines_minor == 10'00);
}

TEST_CASE("256 billion are billed, more is refused; so is a lease shown twice") {
  const std::vector books{book(1, {rule("gpu", flat(usd("10000")))})};
  Inputs in = inputs("2026-06-01T00:00:00Z", "2026-07-01T00:00:00Z", books);
  MemoryUsage usage;
  usage.leases = {lease(1, in.from, 2'500'000, 10)};
  in.profile.tax_bp = 2'000;
  const Rated r = must(rate_org(in, usage, {}));
  CHECK(r.invoice.lines_minor == 250'000'000'000'00);
  CHECK(r.invoice.total_minor == 300'000'000'000'00);
  usage.leases = {lease(1, in.from, 2'500'000, 11)};
  const auto refused = rate_org(in, usage, {});
  REQUIRE(!refused);
  CHECK(refused.error().message.find("256 billion USD") != std::string::npos);
  usage.leases = {lease(1, in.from, 1000, 1), lease(1, in.from, 1000, 1)};
  CHECK(!rate_org(in, usage, {}));
  usage.leases = {lease(2, after(in.from, 9), 1000, 1), lease(1, in.from, 1000, 1)};
  CHECK(!rate_org(in, usage, {}));
}

TEST_CASE("burn-down: what is used, and what it comes to if it goes on so") {
  core::Contract c = june_reservation();
  c.ramp = {{0, 1000}, {3, 4000}};
  const BurnDown b = burn_down(c, 400, at("2026-06-11T00:00:00Z"));
  CHECK(b.committed == 1000);
  CHECK(b.left == 600);
  CHECK(b.used_ppm == 400'000);
  CHECK(b.elapsed_ppm == 333'333);
  CHECK(b.forecast == 1200);
  CHECK(b.forecast_overage == 200);
  CHECK(b.forecast_shortfall == 0);
  c.take_or_pay = false;
  CHECK(burn_down(c, 0, at("2026-06-11T00:00:00Z")).committed == 3 * 1000 + 9 * 4000);

  // Renewed, its last step goes on; ended in the middle of a month, half of it counts.
  CHECK(committed_in(c, at("2027-06-01T00:00:00Z")) == 0);
  c.renews = true;
  CHECK(committed_in(c, at("2027-06-01T00:00:00Z")) == 4000);
  CHECK(term_at(c, at("2027-07-09T00:00:00Z")).from == at("2027-06-01T00:00:00Z"));
  c.ends = at("2027-06-16T00:00:00Z");
  CHECK(committed_in(c, at("2027-06-01T00:00:00Z")) == 2000);
  CHECK(term_ending_in(c, at("2027-06-01T00:00:00Z")).has_value());
  CHECK(committed_in(c, at("2027-07-01T00:00:00Z")) == 0);
}

}  // namespace
}  // namespace ampacity::billing
