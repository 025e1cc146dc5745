// Prepayments of contracts, lost uptime, shortfalls of whole terms; and what was said later.
#include <doctest/doctest.h>

#include "billing/invoice.h"
#include "billing/test_usage.h"

namespace ampacity::billing {
namespace {

using namespace test;
using core::LineKind;

const std::vector<core::PriceBook> plain{book(1, {rule("gpu", flat(10'000))})};

Rated rated_of(const Inputs& in, MemoryUsage& usage) {
  auto r = rate_org(in, usage, {});
  if (!r) FAIL(r.error().message);
  return std::move(*r);
}

core::Contract spend_contract(const char* from, std::int64_t prepaid_minor) {
  core::Contract c;
  c.id = {9, 9};
  c.name = "acme";
  c.from = at(from);
  c.months = 3;
  c.prepaid_minor = prepaid_minor;
  return c;
}

// What each fund gave, by line: contract, project.
std::vector<std::pair<std::int64_t, std::int64_t>> covers(const core::Invoice& i) {
  std::vector<std::pair<std::int64_t, std::int64_t>> out;
  for (const core::InvoiceLine& l : i.lines)
    out.emplace_back(l.contract_minor, l.covered_minor - l.contract_minor);
  return out;
}

const core::InvoiceLine* first_of(const core::Invoice& i, LineKind kind) {
  for (const core::InvoiceLine& l : i.lines)
    if (l.kind == kind) return &l;
  return nullptr;
}

}  // namespace

TEST_CASE(
    "a prepayment covers a project's lines, its oldest month first; the project's own the rest") {
  Inputs in = inputs("2026-06-01T00:00:00Z", "2026-08-01T00:00:00Z", plain);
  MemoryUsage usage;
  usage.leases = {lease(1, in.from, 100 * 3600, 1),
                  lease(2, at("2026-07-02T00:00:00Z"), 360'000, 1)};
  in.contracts = {spend_contract("2026-06-01T00:00:00Z", 150'00)};
  in.contract_funds = {{{9, 9}, 150'00}};
  in.project_funds = {{0, 20'00}};
  const Rated r = rated_of(in, usage);
  using Covers = std::vector<std::pair<std::int64_t, std::int64_t>>;
  CHECK(covers(r.invoice) == Covers{{100'00, 0}, {50'00, 20'00}});
  CHECK(r.contract_drawn.at(0).left_minor == 150'00);
  CHECK(r.project_drawn.at(0).left_minor == 20'00);
  CHECK(r.invoice.payable_minor == 30'00);

  // The first was shorter: what the prepayment gave for it comes back to it, and no more.
  Inputs later = inputs("2026-08-01T00:00:00Z", "2026-09-01T00:00:00Z", plain);
  later.rate_from = in.from;
  later.contracts = in.contracts;
  later.contract_funds = {{{9, 9}, 0}};
  later.project_funds = {{0, 0}};
  later.earlier = r.invoice.lines;
  later.billed = {{in.from, in.until, 1'000'000, 1'000'000},
                  {at("2026-07-01T00:00:00Z"), in.until, 1'000'000, 1'000'000}};
  usage.leases[0].billed_s = 10 * 3600;
  usage.leases[0].ended_at = after(in.from, 10 * 3600);
  Rated back = rated_of(later, usage);
  CHECK(covers(back.invoice) == Covers{{-90'00, 0}});
  CHECK(back.contract_drawn.at(0).left_minor == -90'00);
  CHECK(back.invoice.payable_minor == 0);
  usage.leases[1].billed_s = 36;
  usage.leases[1].ended_at = after(usage.leases[1].started_at, 36);
  back = rated_of(later, usage);
  CHECK(covers(back.invoice) == Covers{{-90'00, 0}, {-60'00, -20'00}});
  CHECK(back.contract_drawn.at(0).left_minor == -150'00);
  const core::Invoice note = credit_note(r.invoice, 5, in.until, "void");
  CHECK(covers(note) == Covers{{-100'00, 0}, {-50'00, -20'00}});
}

TEST_CASE("a prepayment is itself a line once, with the contract's name, and paid") {
  Inputs in = inputs("2026-06-01T00:00:00Z", "2026-07-01T00:00:00Z", plain);
  in.profile.tax_category = "S";
  in.profile.tax_bp = 1'900;
  in.contracts = {spend_contract("2026-06-01T00:00:00Z", 100'00)};
  in.bought = {{core::nobody, in.from, 100'00, 100'00, 7, {9, 9}}};
  MemoryUsage usage;
  const core::Invoice i = rated_of(in, usage).invoice;
  REQUIRE(i.lines.size() == 1);
  CHECK(i.lines[0].description == "Prepayment of \"acme\"");
  CHECK(i.lines[0].contract == Id{9, 9});
  CHECK(i.prepaid_minor == 100'00);
  CHECK(i.payable_minor == 19'00);
  in.sequence = 6;
  CHECK(rated_of(in, usage).invoice.lines.empty());
}

TEST_CASE("lost uptime: corrected, late, of another month; no line is made of the event itself") {
  Inputs in = inputs("2026-06-01T00:00:00Z", "2026-07-01T00:00:00Z", plain);
  in.contracts = {spend_contract("2026-06-01T00:00:00Z", 0)};
  MemoryUsage usage;
  usage.leases = {lease(1, in.from, 100 * 3600, 1)};
  MeteredUsage down{.source = "probe", .id = "1", .project = 0};
  down.meter = core::downtime_meter;
  down.from = down.until = in.from;
  down.quantity_micro = 600'000'000;
  usage.events = {down};
  constexpr std::int64_t tenth = 3 * 86'400 + 1, quarter = 86'400 * 3 / 2 + 1;
  in.downtime = {{{9, 9}, after(in.from, 60), tenth, 10, 30},
                 {{9, 9}, after(in.from, 60), quarter, 30, 0},
                 {{9, 9}, in.until, tenth, 5, 0},
                 {{9, 8}, in.from, tenth, 5, 0}};
  const struct {
    std::uint64_t known;
    std::int64_t credit;
  } table[] = {{9, 0}, {10, -50'00}, {29, -50'00}, {30, -25'00}};
  std::string hash;
  for (const auto& row : table) {
    in.meter_sequence = row.known;
    const core::Invoice i = rated_of(in, usage).invoice;
    const core::InvoiceLine* credit = first_of(i, LineKind::sla_credit);
    CHECK((credit ? credit->minor : 0) == row.credit);
    CHECK(i.lines.size() == (credit ? 2 : 1));
    if (credit) CHECK(credit->month == in.from);
    CHECK(i.inputs_hash != hash);
    hash = i.inputs_hash;
  }
  // The next invoice gives the rest, for the month of service.
  in.meter_sequence = 9;
  const core::Invoice june = rated_of(in, usage).invoice;
  Inputs july = inputs("2026-07-01T00:00:00Z", "2026-08-01T00:00:00Z", plain);
  july.contracts = in.contracts;
  july.downtime = in.downtime;
  july.rate_from = in.from;
  july.earlier = june.lines;
  july.billed = {{in.from, in.until, june.sequence, june.meter_sequence}};
  std::int64_t parts = 0;
  const auto rated = rate_org(july, usage, [&](const RatedPart& p) { parts += p.minor; });
  REQUIRE(rated);
  REQUIRE(rated->invoice.lines.size() == 1);
  CHECK(rated->invoice.lines[0].correction);
  CHECK(rated->invoice.lines[0].minor == -25'00);
  CHECK(rated->invoice.lines[0].month == in.from);
  CHECK(parts == -25'00);
}

TEST_CASE("the shortfall of a term counts all that the term's invoices billed") {
  core::Contract c = spend_contract("2026-06-01T00:00:00Z", 0);
  c.commitment = core::CommitmentKind::spend;
  c.take_or_pay = false;
  c.ramp = {{0, usd("100")}};
  MemoryUsage usage;  // 150 USD in June, nothing in July, 30 USD in August
  usage.leases = {lease(1, c.from, 150 * 3600, 1),
                  lease(2, at("2026-08-02T00:00:00Z"), 108'000, 1)};
  std::vector<core::InvoiceLine> all;
  std::int64_t shortfall = 0;
  for (const auto& [from, until] : {std::pair{"2026-06-01T00:00:00Z", "2026-07-01T00:00:00Z"},
                                    std::pair{"2026-07-01T00:00:00Z", "2026-08-01T00:00:00Z"},
                                    std::pair{"2026-08-01T00:00:00Z", "2026-09-01T00:00:00Z"}}) {
    Inputs in = inputs(from, until, plain);
    in.contracts = {c};
    in.earlier = all;
    const core::Invoice i = rated_of(in, usage).invoice;
    if (const auto* line = first_of(i, LineKind::shortfall)) {
      shortfall += line->minor;
      CHECK(base::format_instant(line->from) == base::format_instant(c.from));
      CHECK(base::format_instant(line->until) == "2026-09-01T00:00:00Z");
    }
    all.insert(all.end(), i.lines.begin(), i.lines.end());
  }
  CHECK(shortfall == 120'00);
}

TEST_CASE("books, contracts and ends of later are not looked at") {
  core::PriceFunction storage = flat(usd("1"), 1'000'000);
  storage.minimum = usd("100");
  std::vector books{book(1, {rule("storage", storage)})};
  Inputs in = inputs("2026-06-01T00:00:00Z", "2026-07-01T00:00:00Z", books);
  in.sequence = in.meter_sequence = 100;
  core::Contract hours = spend_contract("2026-06-01T00:00:00Z", 0);
  hours.commitment = core::CommitmentKind::gpu_hours;
  hours.price = 5'000;
  hours.ramp = {{0, 36'000'000}};
  hours.renews = true;
  hours.sequence = 50;
  in.contracts = {hours};
  MemoryUsage usage;
  MeteredUsage e{.source = "disk", .id = "1", .project = 0, .meter = "storage"};
  e.from = e.until = after(in.from, 20 * 86'400);
  e.quantity_micro = 7'000'000;
  e.sequence = 9;
  usage.events = {e};
  const core::Invoice first = rated_of(in, usage).invoice;
  CHECK(first.lines.size() == 4);

  books.push_back(book(2, {rule("storage", flat(usd("9"), 1'000'000))}, after(in.from, 86'400)));
  books.back().sequence = 101;
  in.books = books;
  in.contracts[0].ended = {{{}, 0}, {after(in.from, 86'400), 102}};
  in.contracts[0].ends = in.contracts[0].ended[1].ends;
  core::Contract other = hours;
  other.id = {9, 10};
  other.sequence = 103;
  in.contracts.push_back(other);
  const core::Invoice again = rated_of(in, usage).invoice;
  CHECK(base::to_json(again) == base::to_json(first));
  in.sequence = 101;
  CHECK(base::to_json(rated_of(in, usage).invoice.lines) != base::to_json(first.lines));
}

TEST_CASE("a price that was said and not reached: seen by an interim invoice, gone with the end") {
  Inputs in = inputs("2026-06-01T00:00:00Z", "2026-06-01T01:00:00Z", plain);
  const std::vector books{book(1, {rule("gpu", flat(10'000))}),
                          book(2, {rule("gpu", flat(20'000))})};
  in.books = books;
  LeaseUsage l = lease(1, in.from, 900, 1);
  l.first_sequence = 5;
  l.sequence = 80;
  core::Rates other = l.steps[0].rates;
  other.price_version = 2;
  LeaseUsage undone = lease(1, after(in.from, 1'000), 0, 1, 2);
  undone.first_sequence = 50;
  undone.sequence = 80;
  l.steps.push_back({undone.started_at, {}, 50});
  MemoryUsage usage;
  usage.leases = {l, undone};
  in.sequence = 49;
  CHECK(rated_of(in, usage).invoice.lines_minor == 1'00);
  in.sequence = 79;  // 1,000 s at 1 USD an hour, 2,600 s at 2 USD
  CHECK(rated_of(in, usage).invoice.lines_minor == 28 + 1'44);
  in.sequence = 80;
  CHECK(rated_of(in, usage).invoice.lines_minor == 25);
}

}  // namespace ampacity::billing
