// For tests: random histories of an org (seeded), and the invoices a cloud would have made of them
// month by month, knowing at each only what had arrived.
#pragma once

#include <map>

#include "base/prng.h"
#include "billing/contract.h"
#include "billing/invoice.h"
#include "billing/test_usage.h"

namespace ampacity::billing::test {

// Sequences are seconds since `begin` at which a thing became known, plus one.
struct History {
  Instant begin;
  int months = 4;
  std::vector<core::PriceBook> books;
  MemoryUsage usage;
  Inputs base;

  Instant month(int i) const { return base::month_plus(begin, i); }
  std::uint64_t known_at(Instant t) const {
    return t <= begin ? 1 : static_cast<std::uint64_t>((t.us - begin.us) / 1'000'000) + 1;
  }
};

struct Dice {
  base::SeededPrng prng;
  explicit Dice(std::uint64_t seed) : prng(seed) {}
  std::int64_t upto(std::int64_t most) {
    return static_cast<std::int64_t>(prng.next() % static_cast<std::uint64_t>(most + 1));
  }
  std::int64_t between(std::int64_t low, std::int64_t high) { return low + upto(high - low); }
  bool one_in(std::int64_t n) { return upto(n - 1) == 0; }
};

inline core::PriceFunction random_function(Dice& dice, std::int64_t unit, std::int64_t scale) {
  core::PriceFunction f = flat(dice.between(1, 90'001), unit);
  const auto kind = dice.upto(5);
  if (kind == 1 || kind == 2) {
    f.kind = kind == 1 ? core::PriceKind::graduated : core::PriceKind::volume;
    f.tiers.clear();
    std::int64_t up_to = 0;
    for (auto n = dice.between(1, 3); n > 0; --n) {
      up_to += dice.between(1, scale);
      f.tiers.push_back(
          {up_to, dice.between(1, 90'001), dice.one_in(3) ? dice.upto(1'000'000) : 0});
    }
    f.tiers.push_back({0, dice.between(1, 90'001), 0});
  } else if (kind == 3) {
    f.kind = core::PriceKind::package;
    f.package = dice.between(1, scale);
    f.free = dice.upto(scale);
    f.tiers[0].price = dice.between(1, 900'000'000);
  }
  if (dice.one_in(4)) f.minimum = dice.upto(90'000'000'000);
  if (dice.one_in(5)) f.maximum = dice.between(1, 90'000'000'000);
  return f;
}

inline void random_books(Dice& dice, History& h) {
  for (std::uint32_t v = 1; v <= 3; ++v) {
    std::vector<core::PriceRule> rules;
    for (const char* meter : {"gpu", "vcpu", "memory", "cpu_vcpu", "cpu_memory"}) {
      const std::int64_t unit = std::string_view(meter).ends_with("memory") ? 1024 : 1000;
      rules.push_back(rule(meter, random_function(dice, unit, 4'000'000'000)));
      if (dice.one_in(2)) {
        rules.push_back(rule(meter, random_function(dice, unit, 4'000'000'000)));
        if (dice.one_in(2)) rules.back().sku = "h100";
        if (dice.one_in(2)) rules.back().site = "fra1";
        if (dice.one_in(3)) rules.back().job_class = core::JobClass::spot;
        if (dice.one_in(3)) rules.back().term_months = static_cast<std::uint32_t>(dice.upto(4));
      }
    }
    rules.push_back(rule("storage", random_function(dice, 1'000'000, 40'000'000'000)));
    const Instant from = v == 1 ? Instant{} : after(h.begin, dice.upto(90 * 86'400));
    h.books.push_back(book(v, std::move(rules), from, v == 3 ? 0 : core::nobody));
  }
}

inline void random_contracts(Dice& dice, History& h) {
  for (auto n = dice.upto(2); n > 0; --n) {
    core::Contract c;
    c.id = {50, static_cast<std::uint64_t>(n)};
    c.name = "c" + std::to_string(n);
    c.from = h.month(static_cast<int>(dice.upto(2)));
    c.months = static_cast<std::uint32_t>(dice.between(1, 3));
    const auto kind = dice.upto(2);
    c.commitment = static_cast<core::CommitmentKind>(kind);
    if (dice.one_in(2)) c.sku = "h100";
    for (std::uint32_t m = 0; m < 3; m += static_cast<std::uint32_t>(dice.between(1, 3)))
      c.ramp.push_back({m, dice.upto(kind == 1 ? 90'000'000'000 : 2'000'000'000)});
    c.take_or_pay = !dice.one_in(3);
    c.price = dice.between(1, 50'001);
    if (dice.one_in(2)) c.overage_price = dice.between(1, 50'001);
    c.prepaid_minor = dice.upto(5'000);
    c.renews = dice.one_in(3);
    if (dice.one_in(3)) c.ends = after(h.month(2), dice.upto(86'400 * 40));
    h.base.contracts.push_back(c);
    h.base.contract_funds.push_back({c.id, c.prepaid_minor});
    if (dice.one_in(2)) {
      const Instant m = h.month(static_cast<int>(dice.upto(2)));
      const auto known = [&] { return h.known_at(after(m, dice.upto(70 * 86'400))); };
      Downtime down{c.id, after(m, dice.upto(27 * 86'400)), dice.upto(300'000), known(), 0};
      if (dice.one_in(3)) down.replaced_sequence = std::max(known(), down.sequence + 1);
      h.base.downtime.push_back(down);
    }
  }
}

inline std::int64_t random_delay(Dice& dice) {
  return dice.one_in(6) ? dice.upto(50 * 86'400) : dice.upto(60);
}

inline void random_leases(Dice& dice, History& h, int count) {
  const std::int64_t span = (h.month(h.months - 1).us - h.begin.us) / 1'000'000;
  for (int i = 0; i < count; ++i) {
    const auto id = static_cast<std::uint64_t>(dice.prng.next() % 1'000'000);
    // Sometimes at one instant with others, sometimes inside a second.
    const Instant from{after(h.begin, dice.one_in(5) ? 3600 : dice.upto(span)).us +
                       (dice.one_in(2) ? dice.upto(999'999) : 0)};
    const std::int64_t run_us =
        dice.upto((dice.one_in(4) ? 40 : 2) * 86'400) * 1'000'000 + dice.upto(999'999);
    LeaseUsage l = lease(id, from, 1, dice.upto(4), static_cast<std::uint32_t>(dice.between(1, 3)));
    l.generation = static_cast<std::uint32_t>(i);
    l.ended_at = from + base::Duration{run_us};
    const std::int64_t observed = base::Duration{run_us}.seconds_rounded_up();
    l.billed_s = dice.one_in(6) ? std::max<std::int64_t>(0, observed - dice.upto(600)) : observed;
    l.project = static_cast<core::ProjectIx>(dice.upto(2));
    l.sku = static_cast<core::SkuIx>(dice.upto(1));
    l.site = static_cast<core::SiteIx>(dice.upto(1));
    l.job_class = static_cast<core::JobClass>(dice.upto(3));
    core::Rates& r = l.steps[0].rates;
    r.cpu_milli = dice.upto(9'000);
    r.memory_mib = dice.upto(9'000);
    if (dice.one_in(4)) r.gpu_milli = dice.between(1, 999);
    l.first_sequence = h.known_at(after(from, random_delay(dice)));
    l.sequence = std::max(l.first_sequence, h.known_at(after(l.ended_at, random_delay(dice))));
    if (dice.one_in(5)) {
      core::RateStep before{dice.upto(100'000), 0, r};
      before.until_sequence = h.known_at(after(from, before.until_s + random_delay(dice)));
      core::Rates later = r;
      later.price_version = static_cast<std::uint32_t>(dice.between(1, 3));
      l.steps = price_steps(from, {before}, later);
    }
    h.usage.leases.push_back(std::move(l));
  }
}

inline void random_events(Dice& dice, History& h, int count) {
  const std::int64_t span = (h.month(h.months - 1).us - h.begin.us) / 1'000'000;
  for (int i = 0; i < count; ++i) {
    MeteredUsage e;
    e.source = "disk";
    e.id = std::to_string(dice.prng.next());
    e.project = static_cast<core::ProjectIx>(dice.upto(2));
    e.meter = dice.one_in(5) ? "unheard_of" : "storage";
    e.from = after(h.begin, dice.upto(span / 86'400) * 86'400);
    e.until = after(e.from, 86'400);
    e.quantity_micro = dice.upto(5'000'000'000);
    e.sequence = h.known_at(after(e.until, random_delay(dice)));
    if (dice.one_in(6)) {
      MeteredUsage corrected = e;
      corrected.id += "c";
      corrected.quantity_micro = dice.upto(5'000'000'000);
      if (dice.one_in(3)) corrected.project = 0;
      corrected.sequence = e.sequence + static_cast<std::uint64_t>(random_delay(dice));
      e.replaced_sequence = corrected.sequence;
      h.usage.events.push_back(corrected);
    }
    h.usage.events.push_back(std::move(e));
  }
}

inline History random_history(std::uint64_t seed, bool contracts = true) {
  Dice dice(seed);
  History h;
  h.begin = at("2026-01-01T00:00:00Z");
  random_books(dice, h);
  h.base.names.skus = {"a100", "h100"};
  h.base.names.sites = {"fra1", "par1"};
  constexpr const char* currencies[] = {"USD", "JPY", "KWD"};
  h.base.profile.currency = currencies[dice.upto(2)];
  h.base.profile.tax_bp = dice.upto(2'500);
  for (core::PriceBook& b : h.books) b.currency = h.base.profile.currency;
  h.base.rate_from = h.begin;
  if (contracts) random_contracts(dice, h);
  random_leases(dice, h, static_cast<int>(dice.between(0, 40)));
  random_events(dice, h, static_cast<int>(dice.between(0, 30)));
  h.usage.sort();
  for (core::ProjectIx p = 0; p < 3; ++p)
    h.base.project_funds.push_back({p, dice.one_in(3) ? 0 : dice.upto(90'000)});
  for (auto n = dice.upto(3); n > 0; --n) {
    const Instant when = after(h.begin, dice.upto(100 * 86'400));
    const std::int64_t minor = dice.upto(9'000);
    h.base.bought.push_back({static_cast<core::ProjectIx>(dice.upto(2)), when, minor, minor,
                             h.known_at(after(when, random_delay(dice)))});
  }
  return h;
}

inline Inputs period(const History& h, Instant from, Instant until, std::uint64_t sequence) {
  Inputs in = h.base;
  in.books = h.books;
  in.from = from;
  in.until = until;
  in.issued_at = until;
  in.sequence = in.meter_sequence = sequence;
  return in;
}

}  // namespace ampacity::billing::test
