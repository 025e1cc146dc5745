// For tests: usage in memory, made small books and leases with few words.
#pragma once

#include <algorithm>
#include <string>
#include <tuple>
#include <vector>

#include "billing/rate.h"
#include "core/price_book.h"

namespace ampacity::billing::test {

inline Instant at(const char* text) { return *base::parse_instant(text); }
inline Instant after(Instant t, std::int64_t seconds) {
  return t + base::Duration::seconds(seconds);
}

class MemoryUsage final : public UsageSource {
 public:
  std::vector<LeaseUsage> leases;
  std::vector<MeteredUsage> events;

  void sort() {
    std::ranges::sort(leases, [](const LeaseUsage& a, const LeaseUsage& b) {
      return std::tie(a.started_at, a.job, a.generation) <
             std::tie(b.started_at, b.job, b.generation);
    });
    std::ranges::stable_sort(events, {}, &MeteredUsage::from);
  }
  base::Try<void> each_lease(const LeaseVisit& visit) override {
    for (const LeaseUsage& l : leases)
      if (!visit(l)) break;
    return {};
  }
  base::Try<void> each_metered(const MeteredVisit& visit) override {
    for (const MeteredUsage& e : events)
      if (!visit(e)) break;
    return {};
  }
};

inline Ticks usd(const char* amount) { return *base::parse_usd(amount); }

inline core::PriceRule rule(std::string meter, core::PriceFunction price) {
  core::PriceRule r;
  r.meter = std::move(meter);
  r.price = std::move(price);
  return r;
}
inline core::PriceFunction flat(Ticks price, std::int64_t per = 1000) {
  core::PriceFunction f;
  f.per = per;
  f.tiers = {{0, price, 0}};
  return f;
}

inline core::PriceBook book(std::uint32_t version, std::vector<core::PriceRule> rules,
                            Instant from = {}, core::OrgIx org = core::nobody) {
  core::PriceBook b;
  b.version = version;
  b.org = org;
  b.effective_from = from;
  b.rules = std::move(rules);
  core::sort_rules(b);
  return b;
}

inline LeaseUsage lease(std::uint64_t id, Instant from, std::int64_t seconds, std::int64_t gpus,
                        std::uint32_t version = 1) {
  LeaseUsage l;
  l.job = {1, id};
  l.project = 0;
  l.user = 0;
  l.sku = 0;
  l.site = 0;
  l.started_at = from;
  l.ended_at = after(from, seconds);
  l.billed_s = seconds;
  l.first_sequence = 1;
  l.sequence = 1;
  core::Rates r;
  r.price_version = version;
  r.gpus = gpus;
  l.steps = {{from, r, 0}};
  return l;
}

inline Inputs inputs(const char* from, const char* until,
                     const std::vector<core::PriceBook>& books) {
  Inputs in;
  in.from = at(from);
  in.until = at(until);
  in.sequence = in.meter_sequence = 1'000'000;
  in.issued_at = in.until;
  in.books = books;
  in.names.skus = {"a100", "h100"};
  in.names.sku_titles = {"NVIDIA A100 80GB"};
  in.names.sites = {"fra1", "par1"};
  return in;
}

}  // namespace ampacity::billing::test
