// For benchmarks only: a month of leases of many orgs, made one at a time from their number, rated
// in memory, org after org: lines, totals, inputs' hash and every part (as a cost export takes
// them). Half a minute to two days each, GPUs with CPU and memory, one in eight from the month
// before; each org buys its GPUs by a graduated price of two SKUs, every tenth under a commitment.
#pragma once

#include <string>
#include <vector>

#include "base/prng.h"
#include "billing/rate.h"
#include "core/price_book.h"

namespace ampacity::billing::bench {

inline constexpr std::int64_t month_s = 30 * 86'400;

class MadeUsage final : public UsageSource {
 public:
  MadeUsage(std::uint64_t seed, std::int64_t leases, Instant month)
      : seed_(seed), leases_(leases), month_(month) {}

  base::Try<void> each_lease(const LeaseVisit& visit) override {
    base::SeededPrng prng(seed_);
    const std::int64_t earlier = leases_ / 8;
    LeaseUsage l;
    l.steps.resize(1);
    for (std::int64_t i = 0; i < leases_; ++i) {
      // Ascending: each has its own stretch of time to begin in.
      const bool before = i < earlier;
      const std::int64_t room_us =
          (before ? 86'400 : month_s) * 1'000'000 / (before ? earlier : leases_ - earlier);
      const std::int64_t at = before ? -86'400'000'000 + i * room_us : (i - earlier) * room_us;
      fill(l, prng, i, at, room_us);
      if (!visit(l)) break;
    }
    return {};
  }
  base::Try<void> each_metered(const MeteredVisit&) override { return {}; }

 private:
  void fill(LeaseUsage& l, base::Prng& prng, std::int64_t i, std::int64_t at_us,
            std::int64_t room_us) const {
    const auto upto = [&](std::int64_t most) {
      return static_cast<std::int64_t>(prng.next() % static_cast<std::uint64_t>(most + 1));
    };
    l.job = {seed_, static_cast<std::uint64_t>(i)};
    l.project = static_cast<core::ProjectIx>(upto(3));
    l.user = static_cast<core::UserIx>(upto(9));
    l.sku = static_cast<core::SkuIx>(upto(1));
    l.site = static_cast<core::SiteIx>(upto(1));
    l.job_class = upto(3) == 0 ? core::JobClass::spot : core::JobClass::on_demand;
    l.started_at = {month_.us + at_us + upto(room_us - 1)};
    const base::Duration run{30'000'000 + upto(172'800'000'000)};
    l.ended_at = l.started_at + run;
    l.billed_s = run.seconds_rounded_up();
    l.first_sequence = l.sequence = static_cast<std::uint64_t>(i + 1);
    core::Rates& r = l.steps[0].rates;
    l.steps[0].from = l.started_at;
    r.price_version = 1;
    r.gpus = 1 + upto(7);
    r.cpu_milli = 16'000 * r.gpus;
    r.memory_mib = 131'072 * r.gpus + upto(3) * 100;
  }

  std::uint64_t seed_;
  std::int64_t leases_;
  Instant month_;
};

inline core::PriceBook price_list() {
  core::PriceBook book = core::plain_book(
      "bench", {}, {{"h100", 47'800, 24'000}, {"a100", 22'100, 9'900}}, 50, 3, 400, 50);
  for (core::PriceRule& r : book.rules) {
    if (r.meter != core::gpu_meter || r.price.tiers.empty()) continue;
    r.price.kind = core::PriceKind::graduated;
    const Ticks price = r.price.tiers[0].price;
    r.price.tiers = {{36'000'000'000, price, 0}, {0, price * 9 / 10, 0}};
  }
  book.version = 1;
  core::sort_rules(book);
  return book;
}

inline core::Contract commitment(Instant month) {
  core::Contract c;
  c.id = {1, 1};
  c.name = "committed";
  c.from = month;
  c.months = 12;
  c.commitment = core::CommitmentKind::gpu_hours;
  c.sku = "h100";
  c.price = 30'000;
  c.ramp = {{0, 10'000LL * 3600 * 1000}};
  return c;
}

struct Sum {  // of all orgs
  std::int64_t parts = 0;
  std::int64_t lines = 0;
  base::Wide minor = 0;
  base::Wide parts_minor = 0;
};

// False: it was refused, or parts do not add up to lines.
inline bool rate_made(std::int64_t leases, std::int64_t orgs, Sum& sum) {
  const std::vector books{price_list()};
  const Instant month = *base::parse_month("2026-06");
  for (std::int64_t o = 0; o < orgs; ++o) {
    Inputs in;
    in.org = static_cast<core::OrgIx>(o);
    in.from = month;
    in.until = base::month_plus(month, 1);
    in.issued_at = in.until;
    in.sequence = in.meter_sequence = UINT64_MAX / 2;
    in.books = books;
    in.names.skus = {"h100", "a100"};
    in.names.sites = {"fra1", "par1"};
    if (o % 10 == 0) in.contracts = {commitment(month)};
    MadeUsage usage(static_cast<std::uint64_t>(o) + 1, leases / orgs + (o < leases % orgs), month);
    const auto rated = rate_org(in, usage, [&](const RatedPart& p) {
      ++sum.parts;
      sum.parts_minor += p.minor;
    });
    if (!rated) return false;
    sum.lines += static_cast<std::int64_t>(rated->invoice.lines.size());
    sum.minor += rated->invoice.lines_minor;
  }
  return sum.minor == sum.parts_minor;
}

}  // namespace ampacity::billing::bench
