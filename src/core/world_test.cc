// The invariants of every world, through random interleavings of all there is.
#include <doctest/doctest.h>

#include <algorithm>
#include <bit>

#include "base/prng.h"
#include "core/test_cloud.h"

namespace ampacity::core {
namespace {

void check_books(const State& s) {
  for (const std::uint32_t ledger : {ledger::usd_tick, ledger::usd_minor}) {
    std::int64_t pending = 0, posted = 0;
    for (const Account& a : s.accounts) {
      if (a.ledger != ledger) continue;
      pending += a.debits_pending - a.credits_pending;
      posted += a.debits_posted - a.credits_posted;
      if (a.has(ledger::account_flag::debits_must_not_exceed_credits)) CHECK(available(a) >= 0);
    }
    CHECK(pending == 0);
    CHECK(posted == 0);
  }
}

struct Card {
  std::int64_t milli = 0;
  std::uint32_t slices = 0;
  bool whole = false;
  ProjectIx tenant = nobody;
};

void take_card(Card& card, const Job& job, const Place& p) {
  const Lease& lease = *job.lease;
  if (lease.mig) {
    CHECK(std::popcount(p.mig_slices) == static_cast<int>(lease.mig));
    CHECK((card.slices & p.mig_slices) == 0);
    CHECK(card.milli == 0);
    card.slices |= p.mig_slices;
  } else {
    CHECK(card.slices == 0);
    CHECK((card.tenant == nobody || card.tenant == job.project));
    card.milli += lease.gpu_milli;
    card.tenant = job.project;
    CHECK(card.milli <= 1000);
  }
}

void check_cards(const State& s, const World& w) {
  std::vector<std::vector<Card>> cards(s.nodes.size());
  std::vector<NodeUse> use(s.nodes.size());
  for (std::size_t n = 0; n < cards.size(); ++n) cards[n].resize(s.nodes[n].gpus.size());
  for (const Job& j : s.jobs) {
    if (j.id.is_nil() || !j.lease) continue;
    CHECK(j.lease->places.size() == j.demand.nodes);  // all or nothing
    std::vector<NodeIx> nodes;
    for (const Place& p : j.lease->places) {
      CHECK(std::popcount(p.gpu_mask) == static_cast<int>(j.demand.gpus_per_node));
      for (std::size_t g = 0; g < cards[p.node].size(); ++g)
        if (p.gpu_mask >> g & 1) take_card(cards[p.node][g], j, p);
      use[p.node].cpu_milli += j.lease->cpu_milli;
      use[p.node].memory_mib += j.lease->memory_mib;
      nodes.push_back(p.node);
    }
    std::sort(nodes.begin(), nodes.end());
    CHECK(std::unique(nodes.begin(), nodes.end()) == nodes.end());  // one rank a node
  }
  for (std::size_t n = 0; n < use.size(); ++n) {
    CHECK(use[n].cpu_milli <= s.nodes[n].cpu_milli);
    CHECK(use[n].memory_mib <= s.nodes[n].memory_mib);
    CHECK(use[n].cpu_milli == w.use[n].cpu_milli);
    CHECK(use[n].memory_mib == w.use[n].memory_mib);
  }
}

// Claims and windows are of one each; a claim's cards are of nobody who began after it.
void check_claims(const State& s) {
  std::vector<std::uint64_t> claimed(s.nodes.size());
  for (const Job& j : s.jobs) {
    if (j.id.is_nil() || !j.claim) continue;
    CHECK(j.state == JobState::queued);
    CHECK_FALSE(j.promise);
    CHECK(j.claim->places.size() == j.demand.nodes);
    for (const Place& p : j.claim->places) {
      CHECK((claimed[p.node] & p.gpu_mask) == 0);
      claimed[p.node] |= p.gpu_mask;
    }
  }
  for (const Job& j : s.jobs)
    if (!j.id.is_nil() && j.lease && j.state == JobState::starting)
      for (const Place& p : j.lease->places)
        for (const Job& other : s.jobs)
          if (!other.id.is_nil() && other.claim && other.claim->made_at < j.lease->granted_at)
            for (const Place& q : other.claim->places)
              CHECK((p.node == q.node ? p.gpu_mask & q.gpu_mask : 0) == 0);
}

}  // namespace

void check_world(const World& w) {
  const State& s = w.state();
  check_books(s);
  check_cards(s, w);
  check_claims(s);
  const World again{State{s}};
  CHECK(again.packer == w.packer);
  CHECK(again.use == w.use);
  CHECK(again.holds == w.holds);
  CHECK(again.hardware == w.hardware);
  CHECK(again.alive_of_project == w.alive_of_project);
  CHECK(again.alive_of_org == w.alive_of_org);
  CHECK(again.budgets == w.budgets);
  CHECK(again.share_rate == w.share_rate);
  CHECK(again.running == w.running);
  CHECK(again.leased == w.leased);
  CHECK(again.queue == w.queue);
  CHECK(again.claimed == w.claimed);
  CHECK(again.promised == w.promised);
  CHECK(again.stopping == w.stopping);
  CHECK(again.deadlines == w.deadlines);
  CHECK(again.waiting_for_sku == w.waiting_for_sku);
  CHECK(again.burn == w.burn);
  CHECK(again.queued_of_project == w.queued_of_project);
  CHECK(again.live_jobs == w.live_jobs);
  CHECK(again.all_skus == w.all_skus);
  CHECK(std::equal(again.waiting.begin(), again.waiting.end(), w.waiting.begin(), w.waiting.end(),
                   [](const auto& a, const auto& b) {
                     return !(a.first < b.first) && !(b.first < a.first) && a.second == b.second;
                   }));
  for (NodeIx a = 0; a < s.nodes.size(); ++a)
    for (NodeIx b = 0; b < a; ++b)
      for (const Together t : {Together::nvlink, Together::rack, Together::leaf})
        CHECK((again.domain(a, t) == again.domain(b, t)) == (w.domain(a, t) == w.domain(b, t)));
}

void check_refolded(const std::vector<Fact>& facts, const World& world) {
  World replayed;
  for (const Fact& f : facts) {
    std::string text;
    write_fact(text, f);
    const auto back = read_fact(*base::parse_json(text));
    REQUIRE(back);
    evolve(replayed, *back);
  }
  CHECK(state_digest(replayed.state()) == state_digest(world.state()));
}

// ---- any interleaving
// -----------------------------------------------------------------------------

namespace {

struct Customers {
  TestCloud c{4, 1};
  base::SeededPrng prng;
  std::vector<Id> jobs, windows;

  explicit Customers(std::uint64_t seed) : prng(seed) {
    c.add_project("other", seed % 3 ? 20'000 : 10'000'000);
  }
  std::uint64_t draw(std::uint64_t n) { return prng.next() % n; }
  std::int64_t seconds(std::uint64_t n) { return static_cast<std::int64_t>(draw(n)); }

  void submit() {
    static const char* shapes[] = {"h100:1", "h100:4",     "h100:8", "h100:8x2", "h100:2x3",
                                   "any:2",  "h100|a40:1", "h100:1", "a40:1",    nullptr};
    const std::uint64_t shape = draw(10);
    SubmitJob s = c.request(shapes[shape], draw(2) ? 0 : 300 + seconds(5000));
    static const JobClass classes[] = {JobClass::on_demand, JobClass::on_demand, JobClass::spot,
                                       JobClass::spot, JobClass::house};
    const JobClass job_class = classes[draw(5)];
    s = in_class(s, job_class, static_cast<ProjectIx>(draw(2)));
    s.job.retries_left = seconds(2);
    s.job.saves_on_stop = draw(2);
    s.job.expected_run_s = draw(2) ? 0 : seconds(9000);
    if (draw(8) == 0) s.job.start_by = c.now + Duration::seconds(1 + seconds(3000));
    if (draw(8) == 0) s.apart = "alone";
    if (draw(6) == 0) s.together = Together::leaf;
    if (shape >= 7 && shape <= 8) {
      if (draw(2))
        s.gpu_milli = static_cast<std::uint32_t>(100 + draw(800));
      else
        s.mig = 1U << draw(4);
    }
    if (!windows.empty() && draw(4) == 0) {
      s.reservation = windows[draw(windows.size())];
      s.job.job_class = JobClass::reserved;
    }
    if (c.run(s)) jobs.push_back(s.job.id);
  }
  void observe() {
    if (jobs.empty()) return;
    const Id id = jobs[draw(jobs.size())];
    if (!c.is_leased(id)) return;
    const auto rank = static_cast<std::uint32_t>(draw(c.job(id).demand.nodes));
    static const RankSeen::State states[] = {
        RankSeen::State::running, RankSeen::State::running,         RankSeen::State::ended,
        RankSeen::State::ended,   RankSeen::State::failed_to_start, RankSeen::State::absent};
    c.seen(id, states[draw(6)], rank);
  }
  void window() {
    const Id id{2, c.ids++};
    const Instant from = c.now + Duration::seconds(seconds(3000));
    const Instant until = from + Duration::seconds(1 + seconds(8000));
    const std::uint64_t kind = draw(4);
    if (kind < 2 &&
        c.run(Reserve{id, "r", draw(2) ? "demo" : "other", "h100",
                      static_cast<std::uint32_t>(1 + draw(16)), from, until, draw(2) == 0}))
      windows.push_back(id);
    const std::string node = "h100-" + std::to_string(draw(4));
    if (kind == 2 && c.run(Maintain{id, "m", {node}, draw(2) ? from : Instant{}, until}))
      windows.push_back(id);
    if (kind == 3 && !windows.empty()) (void)c.run(EndWindow{windows[draw(windows.size())], "x"});
  }
  void operate() {
    const std::uint64_t what = draw(5);
    const std::string node = "h100-" + std::to_string(draw(4));
    SetQuota q;
    const bool of_org = draw(2);
    (of_org ? q.org : q.project) = of_org ? "acme" : "demo";
    switch (what) {
      case 0:
        REQUIRE(c.run(SetNodeState{node, draw(3) ? NodeState::active : NodeState::cordoned}));
        break;
      case 1:
        if (draw(2)) q.gpu_milli = {{draw(2) ? "h100" : "", 8000 + seconds(40'000)}};
        if (draw(4) == 0) q.quota = {{}, 86'400, 8000 * seconds(100'000), -1};
        REQUIRE(c.run(q));
        break;
      case 2:
        REQUIRE(c.run(SetWeight{draw(2) ? "demo" : "other", 1 + seconds(1000)}));
        break;
      case 3:
        c.set_policy([&](Policy& p) {
          static const Order orders[] = {Order::fair, Order::fair, Order::fifo, Order::srtf,
                                         Order::srsf};
          p.order = orders[draw(5)];
          p.promises_per_class = seconds(6);
        });
        break;
      default:
        REQUIRE(c.run(AddCredit{"other", 1 + seconds(5000), ""}));
    }
  }
  void one() {
    c.now = c.now + Duration::seconds(seconds(90));
    const std::uint64_t what = draw(24);
    if (what < 9)
      submit();
    else if (what < 16)
      observe();
    else if (what == 16 && !jobs.empty())
      (void)c.run(StopJob{jobs[draw(jobs.size())], StopReason::asked, "x"});
    else if (what == 17 && !jobs.empty())
      (void)c.run(NoteCheckpoint{jobs[draw(jobs.size())]});
    else if (what == 18)
      window();
    else if (what == 19)
      operate();
    else
      c.tick();
  }
};

}  // namespace

TEST_CASE("property: every interleaving keeps cards, books and derived members right") {
  std::array<std::size_t, std::variant_size_v<FactBody>> kinds{};
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    CAPTURE(seed);
    Customers chaos(seed);
    for (int i = 0; i < 300; ++i) {
      CAPTURE(i);
      chaos.one();
      if (i % 10 == 0) check_world(chaos.c.world);
    }
    check_world(chaos.c.world);
    check_refolded(chaos.c.facts, chaos.c.world);
    for (const Fact& f : chaos.c.facts) ++kinds[f.body.index()];
  }
  // It came to everything that these commands can make happen.
  const auto count = [&]<typename Body>(Body) { return kinds[FactBody(Body{}).index()]; };
  CHECK(count(ClaimMade{}) > 50);
  CHECK(count(PromiseMade{}) > 50);
  CHECK(count(WindowOpened{}) > 50);
  CHECK(count(WindowChanged{}) > 20);
  CHECK(count(PolicySet{}) > 20);
  CHECK(count(QuotaSet{}) > 20);
  CHECK(count(NodeChanged{}) > 20);
  CHECK(count(CheckpointNoted{}) > 20);
}

}  // namespace ampacity::core
