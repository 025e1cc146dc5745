// What was not known yet is not billed yet; drafts in the middle of a month; whose price it is.
#include <doctest/doctest.h>

#include "billing/invoice.h"
#include "billing/test_usage.h"

namespace ampacity::billing {
namespace {

using namespace test;
using core::LineKind;

core::Invoice invoice_of(const Inputs& in, MemoryUsage& usage) {
  const auto r = rate_org(in, usage, {});
  if (!r) FAIL(r.error().message);
  return r->invoice;
}

std::int64_t minor_of(const core::Invoice& i, LineKind kind) {
  std::int64_t sum = 0;
  for (const core::InvoiceLine& l : i.lines)
    if (l.kind == kind) sum += l.minor;
  return sum;
}

MeteredUsage event(const char* id, Instant at, std::int64_t units, std::uint64_t sequence) {
  MeteredUsage e{.source = "disk", .id = id, .project = 0, .meter = "storage"};
  e.from = e.until = at;
  e.quantity_micro = units * 1'000'000;
  e.sequence = sequence;
  return e;
}

TEST_CASE("events received later, and corrections received later, are not seen") {
  const std::vector books{book(1, {rule("storage", flat(usd("1"), 1'000'000))})};
  Inputs in = inputs("2026-06-01T00:00:00Z", "2026-07-01T00:00:00Z", books);
  MemoryUsage usage;
  usage.events = {event("1", in.from, 5, 10), event("2", in.from, 7, 20)};
  usage.events[0].replaced_sequence = 20;
  in.meter_sequence = 9;
  CHECK(invoice_of(in, usage).lines_minor == 0);
  in.meter_sequence = 19;
  CHECK(invoice_of(in, usage).lines_minor == 5'00);
  in.meter_sequence = 20;
  CHECK(invoice_of(in, usage).lines_minor == 7'00);
}

TEST_CASE("lost uptime, credit and operator's lines of later are for the next invoice") {
  const std::vector books{book(1, {rule("gpu", flat(10'000))})};
  Inputs in = inputs("2026-06-01T00:00:00Z", "2026-07-01T00:00:00Z", books);
  core::Contract c;
  c.id = {9, 9};
  c.from = in.from;
  in.contracts = {c};
  in.downtime = {{c.id, in.from, 86'400 * 2, 50}};
  in.manual = {{core::nobody, 1'00, "set up", 51}};
  in.bought = {{0, in.from, 2'00, 2'00, 52}};
  MemoryUsage usage;
  usage.leases = {lease(1, in.from, 3'600'00, 1)};
  const struct {
    std::uint64_t sequence;
    std::int64_t minor;
  } table[] = {{49, 100'00}, {50, 75'00}, {51, 76'00}, {52, 78'00}};
  for (const auto& row : table) {
    in.sequence = in.meter_sequence = row.sequence;
    CHECK(invoice_of(in, usage).lines_minor == row.minor);
  }
}

TEST_CASE("in the middle of a month: no shortfall yet, half of the minimum, all of the purchase") {
  core::PriceFunction storage = flat(usd("1"), 1'000'000);
  storage.minimum = usd("100");
  const std::vector books{book(1, {rule("gpu", flat(10'000)), rule("storage", storage)})};
  Inputs in = inputs("2026-06-01T00:00:00Z", "2026-06-16T00:00:00Z", books);
  core::Contract spend;
  spend.id = {9, 9};
  spend.from = in.from;
  spend.commitment = core::CommitmentKind::spend;
  spend.ramp = {{0, usd("500")}};
  core::Contract hours = spend;
  hours.id = {9, 10};
  hours.commitment = core::CommitmentKind::gpu_hours;
  hours.sku = "h100";
  hours.price = 10'000;
  hours.ramp = {{0, 36'000'000}};
  in.contracts = {spend, hours};
  MemoryUsage usage;
  usage.events = {event("1", in.from, 10, 1)};
  const core::Invoice half = invoice_of(in, usage);
  CHECK(minor_of(half, LineKind::shortfall) == 0);
  CHECK(minor_of(half, LineKind::minimum) == 40'00);
  CHECK(minor_of(half, LineKind::commitment) == 10'00);
  in.earlier = half.lines;
  in.from = in.until;
  in.until = at("2026-07-01T00:00:00Z");
  const core::Invoice rest = invoice_of(in, usage);
  CHECK(minor_of(rest, LineKind::shortfall) == 490'00);
  CHECK(minor_of(rest, LineKind::minimum) == 50'00);
  CHECK(minor_of(rest, LineKind::commitment) == 0);
}

TEST_CASE("a minimum ends with its version; an org's own book, and beside it the public one") {
  core::PriceFunction storage = flat(usd("1"), 1'000'000);
  storage.minimum = usd("100");
  const Instant later = at("2026-06-16T00:00:00Z");
  std::vector books{book(1, {rule("storage", storage), rule("ip", flat(usd("4"), 1'000'000))}),
                    book(2, {rule("storage", flat(usd("2"), 1'000'000))}, later)};
  Inputs in = inputs("2026-06-01T00:00:00Z", "2026-07-01T00:00:00Z", books);
  MemoryUsage usage;
  usage.events = {event("1", in.from, 10, 1), event("2", later, 10, 1)};
  core::Invoice i = invoice_of(in, usage);
  CHECK(minor_of(i, LineKind::metered) == 30'00);
  CHECK(minor_of(i, LineKind::minimum) == 40'00);

  in.org = 3;
  books = {book(1, {rule("storage", storage), rule("ip", flat(usd("4"), 1'000'000))}),
           book(2, {rule("storage", flat(usd("3"), 1'000'000))}, {}, 3),
           book(3, {rule("storage", flat(usd("9"), 1'000'000))}, {}, 4)};
  in.books = books;
  usage.events = {event("1", in.from, 10, 1), event("2", in.from, 1, 1)};
  usage.events[1].meter = "ip";
  CHECK(invoice_of(in, usage).lines_minor == 30'00 + 4'00);
  // What no book knows is shown, and costs nothing.
  usage.events[0].meter = "unheard of";
  i = invoice_of(in, usage);
  CHECK(i.lines.size() == 2);
  CHECK(i.lines_minor == 4'00);
}

TEST_CASE("CPU and memory of the version that they were pinned by; spot is no committed use") {
  core::PriceRule spot = rule("gpu", flat(7'000));
  spot.job_class = core::JobClass::spot;
  const std::vector books{
      book(1, {rule("gpu", flat(10'000)), spot, rule("vcpu", flat(100)),
               rule("memory", flat(10, 1024))}),
      book(2, {rule("vcpu", flat(200)), rule("memory", flat(30, 1024))}, {}, 0)};
  Inputs in = inputs("2026-06-01T00:00:00Z", "2026-07-01T00:00:00Z", books);
  MemoryUsage usage;
  usage.leases = {lease(1, in.from, 36'000, 1)};
  core::Rates& r = usage.leases[0].steps[0].rates;
  r.cpu_milli = 50'000;
  r.memory_mib = 102'400;
  CHECK(invoice_of(in, usage).lines_minor == 10'00 + 5'00 + 1'00);
  r.host_version = 2;
  CHECK(invoice_of(in, usage).lines_minor == 10'00 + 10'00 + 3'00);
  r.cpu_milli = r.memory_mib = 0;
  core::Contract hours;
  hours.id = {9, 10};
  hours.from = in.from;
  hours.commitment = core::CommitmentKind::gpu_hours;
  hours.price = 5'000;
  hours.ramp = {{0, 36'000'000}};
  in.contracts = {hours};
  CHECK(invoice_of(in, usage).lines_minor == 5'00);
  usage.leases[0].job_class = core::JobClass::spot;
  CHECK(invoice_of(in, usage).lines_minor == 5'00 + 7'00);
  // With reservations of its own it is for work inside them.
  usage.leases[0].job_class = core::JobClass::reserved;
  in.contracts[0].reservations = {{8, 8}};
  CHECK(invoice_of(in, usage).lines_minor == 5'00 + 10'00);
  usage.leases[0].reservation = {8, 8};
  CHECK(invoice_of(in, usage).lines_minor == 5'00);
  usage.leases[0].job_class = core::JobClass::house;
  CHECK(invoice_of(in, usage).lines_minor == 5'00);
}

TEST_CASE("an invoice rated again, later, has the same lines and the same hash") {
  std::vector books{book(1, {rule("gpu", flat(22'100))})};
  Inputs in = inputs("2026-06-01T00:00:00Z", "2026-07-01T00:00:00Z", books);
  in.sequence = 100;
  in.project_funds = {{0, 5'00}};
  core::Contract c;
  c.id = {9, 9};
  c.from = in.from;
  c.months = 12;
  in.contracts = {c};
  MemoryUsage usage;
  usage.leases = {lease(1, in.from, 5000, 1), lease(2, after(in.from, 5), 900'000, 1)};
  usage.leases[1].sequence = 0;
  const core::Invoice first = invoice_of(in, usage);
  CHECK(first.inputs_hash.size() == 64);

  usage.leases[1].sequence = 101;  // its end became known, another's start, a book, an end
  usage.leases.push_back(lease(3, after(in.from, 50), 5, 1));
  usage.leases[2].first_sequence = usage.leases[2].sequence = 102;
  books.push_back(book(2, {rule("gpu", flat(1))}, in.until));
  in.books = books;
  in.contracts[0].ends = at("2026-08-01T00:00:00Z");
  in.project_funds = {{0, first.covered_minor}};
  in.profile.tax_bp = 1'900;
  const core::Invoice again = invoice_of(in, usage);
  CHECK(again.inputs_hash == first.inputs_hash);
  CHECK(base::to_json(again.lines) == base::to_json(first.lines));
  usage.leases[0].billed_s -= 1;
  CHECK(invoice_of(in, usage).inputs_hash != first.inputs_hash);
}

TEST_CASE("what a correction takes off goes back into the credit that had covered it") {
  const std::vector books{book(1, {rule("gpu", flat(10'000))})};
  MemoryUsage usage;
  Inputs june = inputs("2026-06-01T00:00:00Z", "2026-07-01T00:00:00Z", books);
  usage.leases = {lease(1, june.from, 100 * 3600, 1)};
  june.sequence = 10;
  june.project_funds = {{0, 60'00}};
  const core::Invoice first = invoice_of(june, usage);
  CHECK(first.covered_minor == 60'00);
  usage.leases[0] = lease(1, june.from, 10 * 3600, 1);
  Inputs july = inputs("2026-07-01T00:00:00Z", "2026-08-01T00:00:00Z", books);
  july.rate_from = june.from;
  july.earlier = first.lines;
  july.billed = {{june.from, june.until, 10, 10}};
  july.project_funds = {{0, 0}};
  const auto second = rate_org(july, usage, {});
  REQUIRE(second);
  CHECK(second->invoice.lines_minor == -90'00);
  CHECK(second->invoice.covered_minor == -60'00);
  CHECK(second->invoice.payable_minor == -30'00);
  CHECK(second->project_drawn[0].left_minor == -60'00);
}

}  // namespace
}  // namespace ampacity::billing
