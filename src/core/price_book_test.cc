// Look-up in price books; holds at the ceiling; spot that floats.
#include "core/price_book.h"

#include <doctest/doctest.h>

#include "base/prng.h"
#include "core/meter.h"
#include "core/test_cloud.h"

namespace ampacity::core {
namespace {

PriceRule rule(const char* meter, const char* sku, const char* site, std::optional<JobClass> c,
               std::uint32_t term, Ticks price) {
  return {meter, sku, site, c, term, per_second(price)};
}

Ticks price_of(const std::vector<PriceBook>& books, const PriceQuery& q) {
  const auto found = rule_for(books, q);
  return found ? found->rule->price.tiers[0].price : -1;
}

TEST_CASE("of the rules that match, the one that says most wins") {
  PriceBook book;
  book.rules = {rule("gpu", "", "", {}, 0, 1),
                rule("gpu", "", "", JobClass::spot, 0, 2),
                rule("gpu", "h100", "", {}, 0, 3),
                rule("gpu", "h100", "", JobClass::spot, 0, 4),
                rule("gpu", "", "lab", {}, 0, 5),
                rule("gpu", "h100", "lab", {}, 0, 6),
                rule("gpu", "", "", {}, 12, 7),
                rule("gpu", "h100", "", {}, 12, 8),
                rule("gpu", "h100", "", {}, 36, 9),
                rule("gpu", "h100", "", {}, 36, 99),  // says no more than the one before
                rule("vcpu", "", "", {}, 0, 10)};
  sort_rules(book);
  struct Row {
    const char *sku, *site;
    JobClass job_class;
    std::uint32_t term;
    Ticks price;
  };
  using enum JobClass;
  const Row rows[] = {{"a40", "", on_demand, 0, 1},    {"a40", "", spot, 0, 2},
                      {"h100", "", on_demand, 0, 3},   {"h100", "", spot, 0, 4},
                      {"a40", "lab", spot, 0, 5},      {"h100", "lab", spot, 0, 6},
                      {"h100", "sea", spot, 0, 4},     {"a40", "", reserved, 12, 7},
                      {"a40", "lab", reserved, 24, 7}, {"h100", "lab", reserved, 12, 8},
                      {"h100", "", reserved, 35, 8},   {"h100", "lab", reserved, 36, 9},
                      {"h100", "", reserved, 11, 3}};
  for (const Row& r : rows) {
    CAPTURE(r.price);
    CHECK(price_of({book}, {nobody, "USD", "gpu", r.sku, r.site, r.job_class, r.term, {5}}) ==
          r.price);
  }
  CHECK(price_of({book}, {nobody, "USD", "vcpu", "h100", "", spot, 0, {5}}) == 10);
  CHECK(price_of({book}, {nobody, "USD", "storage", "h100", "", spot, 0, {5}}) == -1);
}

TEST_CASE("an org's own book comes first, and only for what it names; each from its instant") {
  const auto book = [](std::uint32_t version, OrgIx org, const char* currency, std::int64_t from,
                       std::vector<PriceRule> rules) {
    PriceBook b{version, "b", currency, org, {from}, std::move(rules)};
    sort_rules(b);
    return b;
  };
  const std::vector<PriceBook> books = {
      book(1, nobody, "USD", 100, {rule("gpu", "", "", {}, 0, 1), rule("vcpu", "", "", {}, 0, 2)}),
      book(2, 7, "USD", 200, {rule("gpu", "h100", "", {}, 0, 3)}),
      book(3, nobody, "EUR", 100, {rule("gpu", "", "", {}, 0, 4)}),
      book(4, nobody, "USD", 300, {rule("gpu", "", "", {}, 0, 5), rule("vcpu", "", "", {}, 0, 6)})};
  struct Row {
    OrgIx org;
    const char *currency, *meter, *sku;
    std::int64_t at;
    Ticks price;
  };
  const Row rows[] = {{7, "USD", "gpu", "h100", 99, -1}, {7, "USD", "gpu", "h100", 100, 1},
                      {7, "USD", "gpu", "h100", 199, 1}, {7, "USD", "gpu", "h100", 200, 3},
                      {7, "USD", "gpu", "a40", 200, 1},  {7, "USD", "vcpu", "h100", 200, 2},
                      {8, "USD", "gpu", "h100", 200, 1}, {7, "USD", "gpu", "h100", 300, 3},
                      {7, "USD", "gpu", "a40", 300, 5},  {8, "USD", "gpu", "h100", 300, 5},
                      {8, "EUR", "gpu", "h100", 300, 4}, {8, "EUR", "vcpu", "h100", 300, -1},
                      {8, "JPY", "gpu", "h100", 300, -1}};
  for (const Row& r : rows) {
    CAPTURE(r.at);
    CAPTURE(r.org);
    CHECK(
        price_of(books, {r.org, r.currency, r.meter, r.sku, "", JobClass::on_demand, 0, {r.at}}) ==
        r.price);
  }
}

TEST_CASE("what is wrong with a book is said, all of it") {
  PriceBook book;
  book.rules = {rule("gpu", "", "", {}, 0, -1),
                {"gpu", "", "", {}, 0, {PriceKind::graduated, 1000, {{5, 1, 0}, {5, 1, 0}}}},
                {"gpu", "", "", {}, 0, {PriceKind::package, 1000, {{0, 1, 0}}}},
                {"", "", "", {}, 0, {PriceKind::per_unit, 0, {{0, 1, 0}, {0, 1, 0}}}},
                rule("gpu", "", "", {}, 0, dearest_price + 1),
                {"gpu", "", "", {}, 0, {PriceKind::package, 1000, {{0, dearest_price, 0}}, 1}},
                rule("gpu", "", "", {}, 0, dearest_price)};
  std::vector<std::string> fields;
  for (const base::Wrong& w : wrong_with(book)) fields.push_back(w.field);
  CHECK(fields == std::vector<std::string>{"rules[0].tiers[0].price", "rules[1].tiers[1].up_to",
                                           "rules[2].package", "rules[3].meter", "rules[3].tiers",
                                           "rules[3].per", "rules[4]", "rules[5]"});
  // The last tier's bound is asked for and the second's order is wrong, too, had it been another.
  book.rules[1].price.tiers = {{5, 1, 0}, {4, 1, 0}, {0, 1, 0}};
  CHECK(wrong_with(book)[1].field == "rules[1].tiers[1].up_to");
}

TEST_CASE("a book of before it had rules is read as one") {
  const auto json = base::parse_json(
      R"({"kind":"prices_set","v":1,"at":"2026-11-01T00:00:00Z","actor":"x","body":{"book":)"
      R"({"version":1,"name":"old","gpus":[{"sku":"h100","on_demand":47800,"spot":23900}],)"
      R"("vcpu":100,"gib":50,"cpu_vcpu":20,"cpu_gib":10}}})");
  REQUIRE(json);
  const auto fact = read_fact(*json);
  REQUIRE(fact);
  const PriceBook& book = std::get<PricesSet>(fact->body).book;
  const PriceBook plain = plain_book("old", {}, {{"h100", 47'800, 23'900}}, 100, 50, 20, 10);
  CHECK(book.name == "old");
  CHECK(book.rules == plain.rules);
}

// ---- holds --------------------------------------------------------------------------------------

PriceFunction rough_price(base::Prng& prng) {
  const auto below = [&](std::int64_t n) {
    return static_cast<std::int64_t>(prng.next() % static_cast<std::uint64_t>(n));
  };
  PriceFunction p;
  p.kind = static_cast<PriceKind>(below(4));
  p.per = below(2) ? 1000 : 1000LL * 2'628'000;
  const std::int64_t n =
      p.kind == PriceKind::graduated || p.kind == PriceKind::volume ? 1 + below(4) : 1;
  std::int64_t bound = 0;
  for (std::int64_t i = 0; i < n; ++i) {
    bound += 1 + below(4'000'000);
    const Ticks price = p.per == 1000 ? below(60'000) : below(60'000LL * 2'628'000);
    const Ticks flat = below(3) ? 0 : below(base::ticks_per_usd);
    p.tiers.push_back({i + 1 < n ? bound : 0, price, flat});
  }
  if (p.kind == PriceKind::package) {
    p.tiers[0].price = below(5 * base::ticks_per_usd);
    p.package = 100'000 + below(3'000'000);
    p.free = below(900'000);
  }
  return p;
}

TEST_CASE("holds of any leases, however they overlap, are never less than the month's price") {
  base::SeededPrng prng(77);
  for (int i = 0; i < 3000; ++i) {
    PriceBook book;
    book.rules = {{"gpu", "", "", {}, 0, rough_price(prng)}};
    book.version = 1;
    State state;
    state.books = {book};
    state.orgs.resize(1);
    state.projects.resize(1);
    state.skus = {{"h100", ""}};
    Job job;
    job.demand.skus = {0};
    job.demand.gpus_per_node = 1;
    const PriceFunction& price = state.books[0].rules[0].price;
    std::int64_t quantity = 0;
    Ticks posted = 0;
    std::int64_t last_months = 0;
    for (std::uint64_t leases = 1 + prng.next() % 5; leases > 0; --leases) {
      job.demand.gpu_milli = 1 + static_cast<std::uint32_t>(prng.next() % 1000);
      const auto rates = rates_for(state, job, 0, nobody, 0, 0, {1});
      REQUIRE(rates);
      // Posted in stretches, as it runs.
      std::int64_t second = 0;
      for (std::uint64_t k = 1 + prng.next() % 6; k > 0; --k) {
        const auto more = 1 + static_cast<std::int64_t>(prng.next() % 900);
        posted += cost_between(*rates, second, second + more);
        second += more;
        quantity += more * job.demand.gpu_milli;
        CAPTURE(base::to_json(price));
        REQUIRE(posted >= *cost_of(price, quantity));
      }
      last_months = second;
    }
    // A plain price is exact: each lease and component is rounded up by less than a tick.
    if (is_plain(price) && price.per == 1000) CHECK(posted <= *cost_of(price, quantity) + 5);
    CHECK(last_months > 0);
  }
}

// ---- floating -----------------------------------------------------------------------------------

struct SpotCloud : TestCloud {
  SpotCloud(std::int64_t cents = 100'000'000) : TestCloud(1, 1, cents) {}

  Job submit(const char* gpus, JobClass c, Ticks most_price = 0) {
    SubmitJob s = request(gpus);
    s.job.job_class = c;
    s.most_price = most_price;
    REQUIRE(run(s));
    return *world.job(s.job.id);
  }
  void start(const Job& job) {
    const auto& lease = *world.job(job.id)->lease;
    for (std::uint32_t r = 0; r < lease.ranks.size(); ++r) {
      Observe o;
      o.seen.job = job.id;
      o.seen.generation = world.job(job.id)->generation;
      o.seen.rank = r;
      o.seen.state = RankSeen::State::running;
      o.seen.started_at = now;
      REQUIRE(run(o));
    }
  }
  void end(const Job& job, Instant at) {
    Observe o;
    o.seen.job = job.id;
    o.seen.generation = world.job(job.id)->generation;
    o.seen.state = RankSeen::State::ended;
    o.seen.started_at = world.job(job.id)->lease->ranks[0].started_at;
    o.seen.ended_at = at;
    REQUIRE(run(o));
  }
  void set_spot(Ticks price, Instant from = {}) {
    REQUIRE(
        run(SetPrices{plain_book("next", from, {{"h100", 47'800, price}, {"a40", 12'800, 6'400}},
                                 100, 50, 100, 50),
                      {}}));
  }
  void go(std::int64_t seconds) {  // with every Tick that falls due
    const Instant until = now + Duration::seconds(seconds);
    while (const auto wake = world.next_wake(now)) {
      if (*wake > until) break;
      now = std::max(now, *wake);
      REQUIRE(run(Tick{}));
    }
    now = until;
  }
  const Lease& lease(const Job& job) const { return *world.job(job.id)->lease; }
  const Account& wallet() const { return world.state().accounts[world.state().projects[0].wallet]; }
  template <typename F>
  std::size_t count() const {
    std::size_t n = 0;
    for (const Fact& f : facts) n += std::holds_alternative<F>(f.body);
    return n;
  }
  const LeaseClosed& closed() const {
    for (auto f = facts.rbegin(); f != facts.rend(); ++f)
      if (const auto* c = std::get_if<LeaseClosed>(&f->body)) return *c;
    FAIL("no lease was closed");
    return std::get<LeaseClosed>(facts.back().body);
  }
};

// 1 H100 with its 16 vCPU and 128 GiB: 1600 + 6400 ticks a second beside the GPU.
constexpr Ticks beside = 1'600 + 6'400;

TEST_CASE("a spot price that changes holds for running leases from then on, and only for spot") {
  SpotCloud c;
  const Job spot = c.submit("h100:1", JobClass::spot);
  const Job on_demand = c.submit("h100:1", JobClass::on_demand);
  c.start(spot);
  c.start(on_demand);
  c.set_spot(30'000, c.now + Duration::seconds(1000));
  c.go(999);
  CHECK(c.lease(spot).rates.gpu_price == 23'900);
  CHECK(c.count<SpotRepriced>() == 0);
  c.go(1);
  CHECK(c.lease(spot).rates.gpu_price == 30'000);
  CHECK(c.lease(spot).rates.price_version == 2);
  REQUIRE(c.lease(spot).steps.size() == 1);
  CHECK(c.lease(spot).steps[0].until_s == 1000);
  CHECK(c.lease(on_demand).rates.gpu_price == 47'800);
  CHECK(c.lease(on_demand).steps.empty());
  c.go(500);
  c.set_spot(10'000);
  c.go(0);
  c.go(500);
  c.end(spot, c.now);
  const Interval& i = c.closed().interval;
  CHECK(i.billed_s == 2000);
  const Ticks due = 1000 * (23'900 + beside) + 500 * (30'000 + beside) + 500 * (10'000 + beside);
  CHECK(i.amounts.total() == due);
  const auto parts = by_rates(i);
  REQUIRE(parts.size() == 3);
  CHECK(parts[0].rates.gpu_price == 23'900);
  CHECK(parts[1].billed_s == 500);
  CHECK(parts[2].started_at == parts[1].ended_at);
  CHECK(parts[2].ended_at == i.ended_at);
  CHECK(parts[1].started_sequence > parts[0].started_sequence);
  c.end(on_demand, c.now);
  CHECK(c.wallet().debits_posted == due + 2000 * (47'800 + beside));
  CHECK(c.wallet().debits_pending == 0);
  // The journal folds to the same world.
  World again;
  for (const Fact& f : c.facts) evolve(again, f);
  CHECK(state_digest(again.state()) == state_digest(c.world.state()));
  CHECK(state_digest(World{State{c.world.state()}}.state()) == state_digest(c.world.state()));
}

TEST_CASE("a book that changes nothing for a lease leaves it alone; one that waits to start") {
  SpotCloud c;
  const Job running = c.submit("a40:1", JobClass::spot);
  c.start(running);
  const Job starting = c.submit("h100:1", JobClass::spot);
  c.go(10);
  c.set_spot(30'000);
  c.go(0);
  CHECK(c.lease(running).steps.empty());
  CHECK(c.lease(running).rates.price_version == 1);
  CHECK(c.lease(starting).steps.empty());
  CHECK(c.lease(starting).rates.gpu_price == 30'000);
  c.start(starting);
  c.go(100);
  c.end(starting, c.now);
  CHECK(c.closed().interval.amounts.total() == 100 * (30'000 + beside));
}

TEST_CASE("an end before the change is billed without it, and what was posted is given back") {
  SpotCloud c;
  const Job spot = c.submit("h100:1", JobClass::spot);
  c.start(spot);
  const Instant begin = c.now;
  c.set_spot(30'000, c.now + Duration::seconds(300));
  c.go(400);
  REQUIRE(c.lease(spot).steps.size() == 1);
  c.end(spot, begin + Duration::seconds(200));
  CHECK(c.closed().interval.billed_s == 200);
  CHECK(c.closed().interval.steps.empty());
  // Kept aside: an invoice in between may have seen it.
  REQUIRE(c.closed().interval.undone.size() == 1);
  CHECK(c.closed().interval.undone[0].until_s == 300);
  CHECK(c.closed().interval.undone[0].until_sequence > 0);
  CHECK(c.closed().interval.undone[0].rates.gpu_price == 30'000);
  CHECK(c.closed().interval.rates.gpu_price == 23'900);
  CHECK(c.closed().interval.amounts.total() == 200 * (23'900 + beside));
  CHECK(c.wallet().debits_posted - c.wallet().credits_posted ==
        200 * (23'900 + beside) - 100'000'000 * base::ticks_per_cent);
}

TEST_CASE("a late tick: a rise counts from when it is noticed, a fall from when it took effect") {
  for (const bool rise : {true, false}) {
    SpotCloud c;
    const Job spot = c.submit("h100:1", JobClass::spot);
    c.start(spot);
    c.set_spot(rise ? 30'000 : 10'000, c.now + Duration::seconds(100));
    c.now = c.now + Duration::seconds(250);
    REQUIRE(c.run(Tick{}));
    REQUIRE(c.lease(spot).steps.size() == 1);
    CHECK(c.lease(spot).steps[0].until_s == (rise ? 250 : 100));
  }
}

TEST_CASE("above its max price spot is told to go, waits, and comes back when it falls") {
  SpotCloud c;
  const Job spot = c.submit("h100:1", JobClass::spot, 25'000);
  const Job other = c.submit("h100:1", JobClass::spot, 30'000);
  c.start(spot);
  c.start(other);
  c.set_spot(30'000, c.now + Duration::seconds(100));
  c.go(100);
  CHECK(c.world.job(spot.id)->state == JobState::stopping);
  CHECK(c.world.job(spot.id)->stop_reason == StopReason::price);
  CHECK(c.lease(spot).rates.gpu_price == 23'900);  // its notice costs what it was promised
  CHECK(c.lease(other).rates.gpu_price == 30'000);
  c.go(5);
  c.end(spot, c.now);
  CHECK(c.closed().requeue);
  REQUIRE(c.world.job(spot.id));
  CHECK(c.world.job(spot.id)->state == JobState::queued);
  CHECK(c.closed().interval.amounts.total() == 105 * (23'900 + beside));
  c.set_spot(25'000, c.now + Duration::seconds(60));
  c.go(59);
  CHECK(c.world.job(spot.id)->state == JobState::queued);
  c.go(1);
  CHECK(c.world.job(spot.id)->state == JobState::starting);
}

TEST_CASE("a rise that the wallet cannot hold for a notice stops the work inside what is paid") {
  // Ten minutes at the old price are 19,140,000 ticks: 54 cents hold one quantum, no more.
  SpotCloud c(54);
  const Job spot = c.submit("h100:1", JobClass::spot);
  c.start(spot);
  c.set_spot(900'000, c.now + Duration::seconds(500));
  c.go(500);
  CHECK(c.world.job(spot.id)->state == JobState::stopping);
  CHECK(c.world.job(spot.id)->stop_reason == StopReason::credit);
  CHECK(available(c.wallet()) >= 0);
  c.go(30);
  c.end(spot, c.now);
  CHECK(c.closed().interval.billed_s == 530);
  CHECK(c.closed().interval.waived_s == 0);
  CHECK(available(c.wallet()) >= 0);
}

TEST_CASE("prices of the past cannot be set, and not before a later book") {
  SpotCloud c;
  const auto set = [&](Instant from, const char* org) {
    PriceBook book = plain_book("x", from, {{"h100", 1, 1}}, 0, 0, 0, 0);
    return c.run(SetPrices{book, org});
  };
  CHECK_FALSE(set({c.now.us - 1}, ""));
  REQUIRE(set({c.now.us + 1000}, ""));
  CHECK_FALSE(set({c.now.us + 999}, ""));
  CHECK(set({c.now.us + 999}, "acme"));  // a series of its own
  CHECK_FALSE(set({c.now.us + 5000}, "nobody"));
  CHECK(c.world.state().books.back().org == 0);
}

TEST_CASE("site prices: admitted at the dearest, pinned where it stands") {
  TestCloud c(1);
  RegisterSite away{{"away", "sea", "test"}, {{"h100", "", 81920, 8, 16000, 131072, true}}, {}};
  TestCloud::add(away, "h100", 7, 8);
  REQUIRE(c.run(away));
  PriceBook book = plain_book("by site", {}, {{"h100", 47'800, 23'900}}, 0, 0, 0, 0);
  book.rules.push_back(rule("gpu", "h100", "away", JobClass::on_demand, 0, 60'000));
  REQUIRE(c.run(SetPrices{book, {}}));
  for (const bool at_home : {true, false}) {
    SubmitJob s = c.request("h100:8");
    s.places = {at_home ? "home" : "away"};
    REQUIRE(c.run(s));
    REQUIRE(c.world.job(s.job.id)->lease);
    CHECK(c.world.job(s.job.id)->lease->rates.gpu_price == (at_home ? 47'800 : 60'000));
  }
  Job job;
  job.demand.skus = {0};
  job.demand.gpus_per_node = 1;
  CHECK(rates_for(c.world.state(), job, 0, nobody, 0, 0, c.now)->gpu_price == 60'000);
  job.demand.sites = {0};
  CHECK(rates_for(c.world.state(), job, 0, nobody, 0, 0, c.now)->gpu_price == 47'800);
}

// Random leases, prices of every kind, random changes: nothing is ever owed.
TEST_CASE("the wallet is never below zero, whatever the prices do") {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    base::SeededPrng prng(seed);
    SpotCloud c(500 + static_cast<std::int64_t>(prng.next() % 3000));
    std::vector<Job> jobs;
    for (int step = 0; step < 120; ++step) {
      switch (prng.next() % 5) {
        case 0: {
          PriceBook book = plain_book("r", {}, {{"a40", 12'800, 6'400}}, 100, 50, 100, 50);
          book.rules.push_back({"gpu", "h100", "", {}, 0, rough_price(prng)});
          if (prng.next() % 2) book.effective_from = c.now + Duration::seconds(200);
          (void)c.run(SetPrices{book, {}});
          break;
        }
        case 1: {
          SubmitJob s = c.request(prng.next() % 2 ? "h100:1" : "a40:1");
          s.job.job_class = prng.next() % 2 ? JobClass::spot : JobClass::on_demand;
          if (prng.next() % 3 == 0) s.most_price = 20'000;
          if (c.run(s)) jobs.push_back(*c.world.job(s.job.id));
          break;
        }
        case 2:
          for (const Job& j : jobs)
            if (const Job* live = c.world.job(j.id);
                live && live->lease && live->lease->started_at.us == 0)
              c.start(*live);
          break;
        case 3:
          if (jobs.empty()) break;
          if (const Job& j = jobs[prng.next() % jobs.size()];
              c.world.job(j.id) && c.world.job(j.id)->lease &&
              c.world.job(j.id)->lease->started_at.us)
            c.end(j, c.now - Duration::seconds(static_cast<std::int64_t>(prng.next() % 60)));
          break;
        default:
          c.go(static_cast<std::int64_t>(prng.next() % 700));
      }
      CAPTURE(seed);
      REQUIRE(available(c.wallet()) >= 0);
    }
    // What was posted is what the closed leases were billed, to the tick.
    Ticks billed = 0, corrected = 0;
    for (const Fact& f : c.facts)
      if (const auto* e = std::get_if<LeaseClosed>(&f.body)) {
        billed += e->interval.amounts.total();
        Ticks parts = 0;
        for (const Interval& i : by_rates(e->interval)) parts += i.amounts.total();
        CHECK(parts == e->interval.amounts.total());
      }
    for (const auto& [order, slot] : c.world.leased)
      corrected += cost_between(*c.world.state().jobs[slot].lease, 0,
                                c.world.state().jobs[slot].lease->posted_s);
    Ticks revenue = 0;
    for (const Sku& sku : c.world.state().skus) {
      const Account& a = c.world.state().accounts[sku.revenue];
      revenue += a.credits_posted - a.debits_posted;
    }
    CAPTURE(seed);
    CHECK(revenue == billed + corrected);
  }
}

}  // namespace
}  // namespace ampacity::core
