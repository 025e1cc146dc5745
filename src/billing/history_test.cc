// What must hold over any history: seeds are fixed, so a failure is found again.
#include <doctest/doctest.h>

#include "billing/test_history.h"

namespace ampacity::billing {
namespace {

using namespace test;
using core::LineKind;

constexpr std::uint64_t seeds = 400;

struct Sums {
  std::int64_t quantity = 0;
  Ticks ticks = 0;
  std::int64_t minor = 0;
  bool operator==(const Sums&) const = default;
};
using Totals = std::map<std::tuple<Instant, LineKind, core::ProjectIx, std::string, core::SkuIx,
                                   core::SiteIx, core::JobClass, std::uint32_t, Ticks, Id>,
                        Sums>;

void add(Totals& totals, const std::vector<core::InvoiceLine>& lines) {
  for (const core::InvoiceLine& l : lines) {
    const bool amount = l.unit.empty();
    Sums& s = totals[{l.month, l.kind, l.project, l.meter, l.sku, l.site, l.job_class,
                      l.price_version, amount ? 0 : l.price, l.contract}];
    if (!amount) s.quantity += l.quantity;
    s.ticks += l.ticks;
    s.minor += l.minor;
  }
  std::erase_if(totals, [](const auto& t) { return t.second == Sums{}; });
}

struct Parts {
  std::vector<Sums> lines;
  std::vector<std::int64_t> covered;
  std::size_t of_nobody = 0;
  Span billed;  // the invoice's
  bool periods_hold = true;
  std::map<std::pair<Id, Instant>, Ticks> effective;  // of commitments, by contract and month
  std::map<std::pair<Id, Instant>, Ticks> purchases;

  PartSink sink() {
    return [this](const RatedPart& p) {
      if (lines.size() <= p.line) {
        lines.resize(p.line + 1);
        covered.resize(p.line + 1);
      }
      lines[p.line].quantity += p.quantity;
      lines[p.line].ticks += p.ticks;
      lines[p.line].minor += p.minor;
      covered[p.line] += p.covered_minor;
      const bool usage = p.kind == LineKind::usage || p.kind == LineKind::metered;
      periods_hold =
          periods_hold && p.from <= p.until &&
          (p.correction || p.kind != LineKind::usage || p.commitment == Commitment::unused ||
           (billed.from <= p.from && p.until <= std::max(billed.until, p.month)));
      of_nobody += usage && p.commitment != Commitment::unused && p.job.is_nil() && p.event.empty();
      if (p.commitment != Commitment::none) effective[{p.contract, p.month}] += p.effective_ticks;
      if (p.kind == LineKind::commitment) purchases[{p.contract, p.month}] += p.ticks;
    };
  }
  void check(const core::Invoice& invoice) {
    lines.resize(invoice.lines.size());
    covered.resize(invoice.lines.size());
    std::int64_t sum = 0;
    for (std::size_t i = 0; i < lines.size(); ++i) {
      const core::InvoiceLine& l = invoice.lines[i];
      CHECK(lines[i].ticks == l.ticks);
      CHECK(lines[i].minor == l.minor);
      CHECK(covered[i] == l.covered_minor);
      if (!l.unit.empty()) CHECK(lines[i].quantity == l.quantity);
      sum += l.minor;
    }
    CHECK(sum == invoice.lines_minor);
    CHECK(invoice.net_minor == invoice.lines_minor - invoice.covered_minor);
    CHECK(invoice.payable_minor == invoice.net_minor + invoice.tax_minor - invoice.prepaid_minor);
    lines.clear();
    covered.clear();
  }
};

// Bills a history month by month.
struct Biller {
  History h;
  std::vector<core::InvoiceLine> all;
  std::vector<core::Invoice> invoices;
  Parts parts;
  std::vector<std::int64_t> most_left;

  explicit Biller(History history) : h(std::move(history)) {
    for (const ProjectFund& f : h.base.project_funds) most_left.push_back(f.left_minor);
  }

  Inputs next(Instant from, Instant until, std::uint64_t sequence) {
    Inputs in = period(h, from, until, sequence);
    in.earlier = all;
    if (!invoices.empty()) {
      const core::Invoice& last = invoices.back();
      for (Instant m = h.begin; m < last.until; m = base::month_plus(m, 1))
        in.billed.push_back({m, last.until, last.sequence, last.sequence});
    }
    return in;
  }

  void bill(Instant from, Instant until, std::uint64_t sequence) {
    const Inputs in = next(from, until, sequence);
    parts.billed = {from, until};
    const auto r = rate_org(in, h.usage, parts.sink());
    if (!r) FAIL(r.error().message);
    parts.check(r->invoice);
    for (std::size_t i = 0; i < in.project_funds.size(); ++i) {
      h.base.project_funds[i].left_minor -= r->project_drawn[i].left_minor;
      CHECK(h.base.project_funds[i].left_minor >= 0);
      // Nothing comes back that was not taken.
      CHECK(h.base.project_funds[i].left_minor <= most_left[i]);
    }
    for (std::size_t i = 0; i < in.contract_funds.size(); ++i) {
      std::int64_t& left = h.base.contract_funds[i].left_minor;
      left -= r->contract_drawn[i].left_minor;
      CHECK(left >= 0);
      CHECK(left <= in.contracts[i].prepaid_minor);
    }
    std::erase_if(h.base.bought, [&](const auto& b) { return b.sequence <= sequence; });
    for (const core::InvoiceLine& l : r->invoice.lines) {
      if (l.kind != LineKind::prepaid)
        CHECK(l.correction == (base::month_plus(l.month, 1) <= from));
      all.push_back(l);
    }
    invoices.push_back(r->invoice);
  }
};

TEST_CASE("late news: the invoices together are what one would have been that knew all") {
  std::size_t corrections = 0, covered = 0, lines = 0;
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    CAPTURE(seed);
    Biller biller(random_history(seed));
    const History& h = biller.h;
    const History whole = h;
    const Instant end = h.month(h.months + 2);
    // By the month, or cut anywhere.
    Dice dice(seed * 7);
    for (Instant from = h.begin; from < end;) {
      const Instant until = seed % 2 ? base::month_plus(from, 1)
                                     : std::min(end, after(from, dice.between(1, 40 * 86'400)));
      biller.bill(from, until, h.known_at(after(until, dice.upto(90'000))));
      from = until;
    }
    const std::uint64_t all_known = UINT64_MAX / 4;
    biller.bill(end, base::month_plus(end, 1), all_known);
    // Again, without news: nothing.
    const Instant later = base::month_plus(end, 1);
    const Inputs again = biller.next(after(later, -1), later, all_known);
    MemoryUsage usage = h.usage;
    const auto quiet = rate_org(again, usage, {});
    REQUIRE(quiet);
    CHECK(quiet->invoice.lines.empty());
    CHECK(quiet->invoice.payable_minor == 0);

    const auto fresh =
        rate_org(period(whole, h.begin, base::month_plus(end, 1), all_known), usage, {});
    REQUIRE(fresh);
    Totals apart, at_once;
    add(apart, biller.all);
    add(at_once, fresh->invoice.lines);
    CHECK(apart == at_once);
    CHECK(biller.parts.of_nobody == 0);
    CHECK(biller.parts.periods_hold);
    for (const auto& [key, ticks] : biller.parts.purchases)
      CHECK(biller.parts.effective[key] == ticks);
    for (const core::InvoiceLine& l : biller.all) {
      corrections += l.correction;
      covered += l.covered_minor != 0;
    }
    lines += biller.all.size();
  }
  MESSAGE(seeds << " histories, " << lines << " lines, " << corrections << " corrections, "
                << covered << " covered");
  CHECK(corrections > seeds);
  CHECK(covered > seeds);
}

TEST_CASE("conservation: a month's usage is C of all that was used by each price") {
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    CAPTURE(seed);
    History h = random_history(seed, false);
    const Inputs in = period(h, h.begin, h.month(6), UINT64_MAX / 4);
    const auto r = rate_org(in, h.usage, {});
    REQUIRE(r);
    // Seconds come out whole: of each lease, as many as were billed.
    std::map<std::pair<core::ProjectIx, std::string>, std::int64_t> used, billed;
    for (const LeaseUsage& l : h.usage.leases) {
      const core::Rates& rates = l.steps[0].rates;
      if (l.job_class == core::JobClass::house) continue;
      used[{l.project, "gpu"}] += l.billed_s * rates.gpus * rates.gpu_milli;
      const bool cards = rates.gpus > 0;
      used[{l.project, cards ? "vcpu" : "cpu_vcpu"}] += l.billed_s * rates.cpu_milli;
      used[{l.project, cards ? "memory" : "cpu_memory"}] += l.billed_s * rates.memory_mib;
    }
    for (const MeteredUsage& e : h.usage.events)
      if (e.replaced_sequence == 0) used[{e.project, e.meter}] += e.quantity_micro;
    for (const core::InvoiceLine& l : r->invoice.lines)
      if (l.kind == LineKind::usage || l.kind == LineKind::metered)
        billed[{l.project, l.meter}] += l.quantity;
    std::erase_if(used, [](const auto& u) { return u.second == 0; });
    CHECK(used == billed);

    // Of each plain rule, ticks are price × quantity, whoever used it.
    std::map<std::tuple<Instant, std::string, std::uint32_t, Ticks>, Sums> by_price;
    for (const core::InvoiceLine& l : r->invoice.lines) {
      if (l.kind != LineKind::usage && l.kind != LineKind::metered) continue;
      Sums& s = by_price[{l.month, l.meter, l.price_version, l.price}];
      s.quantity += l.quantity;
      s.ticks += l.ticks;
    }
    for (const core::PriceBook& b : h.books)
      for (const core::PriceRule& rule : b.rules)
        for (const auto& [key, sums] : by_price)
          if (std::get<1>(key) == rule.meter && std::get<2>(key) == b.version &&
              std::get<3>(key) == rule.price.tiers[0].price)
            CHECK(core::cost_of(rule.price, sums.quantity) == sums.ticks);
  }
}

TEST_CASE("the order of arrival changes nothing, nor does what comes later") {
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    CAPTURE(seed);
    History h = random_history(seed);
    const Inputs in = period(h, h.begin, h.month(5), 1'000'000'000'000);
    const auto first = rate_org(in, h.usage, {});
    REQUIRE(first);
    Dice dice(seed + 99);
    for (LeaseUsage& l : h.usage.leases) {
      l.first_sequence = static_cast<std::uint64_t>(dice.upto(1'000'000'000));
      l.sequence = static_cast<std::uint64_t>(dice.upto(1'000'000'000));
    }
    for (std::size_t i = h.usage.events.size(); i > 1; --i)
      std::swap(
          h.usage.events[i - 1],
          h.usage.events[static_cast<std::size_t>(dice.upto(static_cast<std::int64_t>(i) - 1))]);
    for (MeteredUsage& e : h.usage.events)
      e.sequence = static_cast<std::uint64_t>(dice.upto(1'000'000'000));
    LeaseUsage unknown = lease(1, after(h.begin, 60), 1'000, 1);
    unknown.first_sequence = unknown.sequence = in.sequence + 1;
    h.usage.leases.push_back(unknown);
    h.usage.sort();
    const auto second = rate_org(in, h.usage, {});
    REQUIRE(second);
    CHECK(base::to_json(first->invoice) == base::to_json(second->invoice));
  }
}

TEST_CASE("usage split into two at any second, or events merged: the same amounts") {
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    CAPTURE(seed);
    History h = random_history(seed, false);
    const Inputs in = period(h, h.begin, h.month(6), UINT64_MAX / 4);
    const auto whole = rate_org(in, h.usage, {});
    REQUIRE(whole);
    Dice dice(seed);
    std::vector<LeaseUsage> pieces;
    for (LeaseUsage l : h.usage.leases) {
      const std::int64_t cut_s = dice.upto(std::max<std::int64_t>(0, l.billed_s - 1));
      if (cut_s > 0 && l.steps.size() == 1) {
        LeaseUsage rest = l;
        rest.job.high = 2;
        rest.started_at = rest.steps[0].from = after(l.started_at, cut_s);
        rest.billed_s = l.billed_s - cut_s;
        l.ended_at = rest.started_at;
        l.billed_s = cut_s;
        pieces.push_back(rest);
      }
      pieces.push_back(l);
    }
    h.usage.leases = pieces;
    h.usage.sort();
    const auto split = rate_org(in, h.usage, {});
    REQUIRE(split);
    std::map<std::tuple<Instant, std::string, std::uint32_t>, std::pair<Ticks, std::int64_t>> a, b;
    for (const core::InvoiceLine& l : whole->invoice.lines) {
      a[{l.month, l.meter, l.price_version}].first += l.ticks;
      a[{l.month, l.meter, l.price_version}].second += l.unit.empty() ? 0 : l.quantity;
    }
    for (const core::InvoiceLine& l : split->invoice.lines) {
      b[{l.month, l.meter, l.price_version}].first += l.ticks;
      b[{l.month, l.meter, l.price_version}].second += l.unit.empty() ? 0 : l.quantity;
    }
    CHECK(a == b);
  }
}

TEST_CASE("voided by a credit note: nothing is left, and it is billed again in full") {
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    CAPTURE(seed);
    Biller biller(random_history(seed));
    const History& h = biller.h;
    const History before = h;
    biller.bill(h.month(0), h.month(1), h.known_at(after(h.month(1), 3600)));
    const core::Invoice issued = biller.invoices.back();
    const core::Invoice note = credit_note(issued, issued.sequence + 1, h.month(1), "voided");
    Totals totals;
    add(totals, issued.lines);
    add(totals, note.lines);
    CHECK(totals.empty());
    CHECK(issued.payable_minor + note.payable_minor == 0);
    CHECK(issued.covered_minor + note.covered_minor == 0);
    for (std::size_t i = 0; i < note.lines.size(); ++i)
      CHECK(issued.lines[i].covered_minor + note.lines[i].covered_minor == 0);
    biller.all.insert(biller.all.end(), note.lines.begin(), note.lines.end());
    biller.invoices.clear();  // no month is billed
    biller.h.base.bought = before.base.bought;
    biller.h.base.project_funds = before.base.project_funds;
    biller.h.base.contract_funds = before.base.contract_funds;
    biller.bill(h.month(0), h.month(1), issued.sequence);
    CHECK(biller.invoices.back().payable_minor == issued.payable_minor);
    CHECK(biller.invoices.back().lines.size() == issued.lines.size());
    CHECK(biller.parts.of_nobody == 0);
  }
}

}  // namespace
}  // namespace ampacity::billing
