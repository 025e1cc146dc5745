// A tiny fleet for some days: the books agree, nobody is forgotten, the same seed does the same.
#include <doctest/doctest.h>

#include <set>

#include "sim/year_money.h"
#include "sim/year_report.h"

using namespace ampacity;
using sim::YearPlan;
using sim::YearResult;

namespace {

YearPlan small_plan(std::uint64_t seed) {
  YearPlan plan;
  plan.seed = seed;
  plan.gpus = 256;
  plan.days = 10;
  plan.failures_per_million_node_days = 300'000;  // 300 per 1,000 node-days
  plan.drain = true;
  return plan;
}

std::uint64_t ended(const YearResult& r) {
  const sim::YearCounts& c = r.counts;
  return c.done + c.failed + c.cancelled + c.cut + c.dry + c.lost + c.given_up;
}

}  // namespace

TEST_CASE("a year's books agree with a model that counts them again") {
  for (const std::uint64_t seed : {1, 2, 3}) {
    const YearResult r = sim::simulate_year(small_plan(seed));
    CAPTURE(seed);
    CHECK(r.money.drift == 0);
    CHECK(r.money.wrong_leases == 0);
    CHECK(r.money.billed == r.money.expected);
    CHECK(r.money.billed > 0);
    CHECK(r.money.closed > 500);
    CHECK(r.money.faulted > 100);
    CHECK(r.counts.price_changes > 0);
    CHECK(r.counts.settlements > 0);
  }
}

TEST_CASE("every job of a year ends, or waits with a reason") {
  const YearResult r = sim::simulate_year(small_plan(4));
  CHECK(r.counts.jobs == ended(r) + r.counts.alive);
  CHECK(r.counts.unexplained == 0);
  CHECK(r.counts.alive == 0);  // nothing came for long enough
  CHECK(r.counts.refused_other == 0);
}

TEST_CASE("failures of a year are counted, and what they cost") {
  const YearResult r = sim::simulate_year(small_plan(5));
  const auto hit = r.counts.node_faults + r.counts.gpu_faults;
  CHECK(hit > 40);  // 96 are expected, fewer are hit while they are mended
  CHECK(hit < 140);
  CHECK(r.counts.repairs > 0);
  CHECK(r.counts.repairs <= hit);
  CHECK(r.counts.jobs_hit > 0);
  CHECK(r.time.lost_to_faults > 0);
  CHECK(r.time.useful < r.time.leased);
  CHECK(r.time.rest() >= 0);
  YearPlan calm = small_plan(5);
  calm.failures_per_million_node_days = 0;
  const YearResult none = sim::simulate_year(calm);
  CHECK(none.counts.node_faults + none.counts.gpu_faults == 0);
  CHECK(none.counts.jobs_hit == 0);
  CHECK(none.time.lost_to_faults == 0);
}

TEST_CASE("the same seed gives the same year, another another") {
  YearPlan plan = small_plan(6);
  plan.days = 3;
  const YearResult first = sim::simulate_year(plan), again = sim::simulate_year(plan);
  CHECK(first.digest == again.digest);
  CHECK(first.money.billed == again.money.billed);
  plan.seed = 7;
  CHECK(sim::simulate_year(plan).digest != first.digest);
}

TEST_CASE("random draws of a year are integers with the right means") {
  sim::Dice dice(1);
  CHECK(sim::exp2_q16(0) == 65'536);
  CHECK(sim::exp2_q16(65'536) == 131'072);
  CHECK(sim::exp2_q16(-65'536) == 32'768);
  CHECK(sim::exp2_q16(32'768) == 92'681);  // √2
  CHECK(sim::minus_log2_q16(1ULL << 63) == 65'536);
  CHECK(sim::minus_log2_q16(1ULL << 60) == 4 * 65'536);
  std::int64_t sum = 0, below = 0;
  for (int i = 0; i < 100'000; ++i) {
    sum += dice.exponential(1'000'000);
    below += dice.lognormal(1'000'000, 512) < 1'000'000;
  }
  CHECK(sum / 100'000 == doctest::Approx(1'000'000).epsilon(0.02));
  CHECK(below == doctest::Approx(50'000).epsilon(0.02));  // the median is one
}

TEST_CASE("a lease's bill is seconds times the price of the day") {
  sim::LeaseBill bill;
  bill.begin(10);
  CHECK(bill.cost(0) == 0);
  CHECK(bill.cost(100) == 1000);
  bill.change(60, 3);
  CHECK(bill.cost(60) == 600);
  CHECK(bill.cost(100) == 600 + 120);
  CHECK(bill.cost(30) == 300);
  bill.change(80, 5);
  CHECK(bill.cost(100) == 600 + 60 + 100);
  bill.change(0, 7);  // it has not begun
  CHECK(bill.cost(100) == 700);
}
