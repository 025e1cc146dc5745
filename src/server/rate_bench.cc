// ./dev bench rate: a month of leases in a store becomes issued invoices, by the production path:
// read, rated, decided, committed, org after org. Then the month is audited.
//   rate_bench [--leases 1000000] [--orgs 1000] [--json]
// The month is made first, by the core and the journal, as if it had been rented: half a minute to
// eight minutes a lease, two SKUs at graduated prices, spot among them, every tenth org under a
// commitment. Making it is not in `seconds`; `rating_s` is the rating alone, of leases in memory.
#include <malloc.h>

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <queue>

#include "audit/audit.h"
#include "billing/made_month_bench.h"
#include "core/openb_bench.h"
#include "engines/stub.h"
#include "server/invoicing.h"
#include "store/scratch_folder.h"

namespace ampacity::server {
namespace {

double seconds_since(std::chrono::steady_clock::time_point begun) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
}
auto now() { return std::chrono::steady_clock::now(); }

// Of what comes after reset_peak().
double peak_rss_mib() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with("VmHWM:")) return std::stod(line.substr(6)) / 1024;
  return 0;
}
void reset_peak() {
  malloc_trim(0);
  std::ofstream("/proc/self/clear_refs") << "5";
}

struct SetClock final : base::Clock {
  base::Instant at;
  base::Instant now() override { return at; }
};

// The cloud of the month: what was rented is in the store, as it would be.
class MadeCloud {
 public:
  MadeCloud(store::Journal& journal, std::uint32_t orgs) : journal_(journal), orgs_(orgs) {
    now_ = month_ - base::Duration::seconds(86'400);
    run(core::Found{billing::bench::price_list()});
    run(core::SetIssuer{{"Amp Cloud", "1 Main St", "Berlin", "10115", "DE", "DE1", "", "IBAN"}});
    run(fleet());
    for (std::uint32_t o = 0; o < orgs; ++o) {
      const std::string name = fmt::format("org{}", o), project = fmt::format("p{}", o);
      run(core::CreateOrg{id(), name});
      run(core::CreateProject{id(), project, name});
      run(core::CreateUser{id(), fmt::format("u{}", o), name});
      run(core::AddCredit{project, 10'000'000'00, "bench"});
      if (o % 10 == 0) run(core::SignContract{commitment(), name});
      commit_if_due();
    }
  }

  void rent(std::int64_t leases) {
    const std::int64_t room_us = billing::bench::month_s * 1'000'000 / leases;
    for (std::int64_t i = 0; i < leases; ++i) {
      const base::Instant at{month_.us + i * room_us};
      while (!ends_.empty() && ends_.top().first <= at) end_next();
      now_ = at;
      begin(i);
      commit_if_due();
    }
    while (!ends_.empty()) end_next();
    commit();
  }

  base::Instant month() const { return month_; }
  core::World take_world() && { return std::move(world_); }

 private:
  using End = std::pair<base::Instant, base::Id>;

  core::Contract commitment() {
    core::Contract c = billing::bench::commitment(*base::parse_month("2026-06"));
    c.id = id();
    c.ramp = {{0, 20LL * 3600 * 1000}};
    return c;
  }
  static core::RegisterSite fleet() {
    core::RegisterSite site{{"fra1", "lab", "test"}, {}, {}};
    for (const char* sku : {"h100", "a100"}) {
      site.skus.push_back({sku, sku, 81'920, 8, 16'000, 131'072, true});
      for (int n = 0; n < 64; ++n) {
        core::Node node;
        node.name = fmt::format("{}-{}", sku, n);
        node.cpu_milli = 128'000;
        node.memory_mib = 1'048'576;
        node.emulated = true;
        for (int g = 0; g < 8; ++g) node.gpus.push_back(fmt::format("{}-{}", node.name, g));
        site.nodes.push_back({node, sku});
      }
    }
    return site;
  }

  void begin(std::int64_t i) {
    core::SubmitJob s;
    s.job.id = id();
    s.job.name = "train";
    s.job.project = static_cast<core::ProjectIx>(i * 7919 % orgs_);
    s.job.user = s.job.project;
    s.job.spec.image = "localhost/ampacity-train";
    s.job.job_class = upto(3) ? core::JobClass::on_demand : core::JobClass::spot;
    s.gpus = core::GpuRequest{
        {upto(1) ? "h100" : "a100"}, 0, 1 + static_cast<std::uint32_t>(upto(1)), 1};
    run(s);
    see(s.job.id, core::RankSeen::State::running, now_);
    // Less than what credit is held for at first: no other turns it over.
    ends_.emplace(now_ + base::Duration{30'000'000 + upto(450'000'000)}, s.job.id);
  }
  void end_next() {
    const auto [at, job] = ends_.top();
    ends_.pop();
    now_ = at;
    see(job, core::RankSeen::State::ended, at);
  }
  void see(base::Id job, core::RankSeen::State state, base::Instant at) {
    core::RankSeen r;
    r.job = job;
    r.generation = 1;
    r.state = state;
    if (state == core::RankSeen::State::running) r.started_at = at;
    r.ended_at = at;
    run(core::Observe{r, at});
  }

  void run(const core::Command& command) {
    const auto done = core::step(
        world_, command, now_, "bench", facts_,
        [this](const core::World& before, const core::Fact& fact, std::uint64_t sequence) {
          store::project(before, fact, sequence, rows_);
        });
    CHECK_THAT(done, "the made month is refused something");
  }
  void commit_if_due() {
    if (facts_.size() >= 4'000) commit();
  }
  void commit() {
    store::Batch batch;
    batch.first_sequence = world_.state().sequence - facts_.size() + 1;
    batch.facts = facts_;
    batch.rows = &rows_;
    batch.after = &world_.state();
    CHECK_THAT(journal_.append(batch), "the made month cannot be written");
    journal_.settle();
    facts_.clear();
    rows_ = {};
  }

  base::Id id() { return base::make_uuid7(now_, prng_); }
  std::int64_t upto(std::int64_t most) {
    return static_cast<std::int64_t>(prng_.next() % static_cast<std::uint64_t>(most + 1));
  }

  store::Journal& journal_;
  const std::uint32_t orgs_;
  const base::Instant month_ = *base::parse_month("2026-06");
  base::Instant now_;
  core::World world_;
  std::vector<core::Fact> facts_;
  store::Rows rows_;
  std::priority_queue<End, std::vector<End>, std::greater<>> ends_;
  base::SeededPrng prng_{1};
};

struct Figures {
  double made_s = 0, seconds = 0, audit_s = 0, rating_s = 0, rss_mib = 0, store_mib = 0;
  std::int64_t invoices = 0, lines = 0;
  base::Wide minor = 0;
};

bool invoice_all(Loop& loop, const store::StoreAt& store, SetClock& clock, std::uint32_t orgs,
                 Figures& f) {
  base::SeededPrng prng(2);
  Invoicing invoicing(loop, store, clock);
  const Period month = month_period(base::month_plus(clock.at, -1));
  for (core::OrgIx org = 0; org < orgs; ++org) {
    const auto issued = invoicing.issue(org, month, base::make_uuid7(clock.at, prng), "bench");
    if (!issued || !*issued) {
      fmt::print(stderr, "{}\n", issued ? "an org has no invoice" : issued.error().message);
      return false;
    }
    ++f.invoices;
    f.lines += static_cast<std::int64_t>((*issued)->lines.size());
    f.minor += (*issued)->lines_minor;
  }
  return true;
}

// Every check but what was said of those that are none.
bool audited(const store::StoreAt& store, base::Instant month) {
  bool holds = true;
  for (const audit::Finding& finding : audit::check_month(store, month)) {
    holds &= finding.holds;
    if (!finding.holds) fmt::print(stderr, "{}: {}\n", finding.check, finding.detail);
  }
  return holds;
}

bool measure(std::int64_t leases, std::uint32_t orgs, Figures& f) {
  const store::ScratchFolder folder;
  const store::StoreAt store{folder.path / "ampacity.db"};
  auto journal = store::open_journal(store);
  auto secrets = Secrets::open_file(folder.path / "secret");
  if (!journal || !secrets) return false;
  auto begun = now();
  SetClock clock;
  core::World world;
  base::Instant month;
  {
    MadeCloud cloud(**journal, orgs);
    cloud.rent(leases);
    month = cloud.month();
    world = std::move(cloud).take_world();
  }
  f.made_s = seconds_since(begun);
  f.store_mib = static_cast<double>(std::filesystem::file_size(store.file)) / (1 << 20);
  clock.at = base::month_plus(month, 1) + base::Duration::seconds(3'600);
  const auto engine = engines::make_stub_engine(base::Duration::millis(1), clock);
  LoopOptions options;
  options.store = store;
  options.snapshot_when_quiet = options.snapshot_in_any_case = UINT64_MAX;
  reset_peak();
  Loop loop(options, journal->get(), std::move(world), *engine, *secrets, clock);
  loop.start();
  begun = now();
  const bool good = invoice_all(loop, store, clock, orgs, f);
  f.seconds = seconds_since(begun);
  f.rss_mib = peak_rss_mib();
  begun = now();
  const bool holds = good && audited(store, month);
  f.audit_s = seconds_since(begun);
  loop.stop();
  return holds;
}

int main_of(int argc, char** argv) {
  std::int64_t leases = 1'000'000, orgs = 1'000;
  bool json = false, good = true;
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    if (word == "--json")
      json = true;
    else if (word == "--leases" && i + 1 < argc)
      leases = std::strtoll(argv[++i], nullptr, 10);
    else if (word == "--orgs" && i + 1 < argc)
      orgs = std::strtoll(argv[++i], nullptr, 10);
    else
      good = false;
  }
  if (!good || orgs <= 0 || orgs > 1'000'000 || leases < orgs * 8) {
    fmt::print(stderr, "usage: rate_bench [--leases N] [--orgs N] [--json]\n");
    return 2;
  }
  Figures f;
  fmt::print(stderr, "making a month of {} leases first …\n", leases);
  if (!measure(leases, static_cast<std::uint32_t>(orgs), f)) return 1;
  billing::bench::Sum sum;
  const auto begun = now();
  if (!billing::bench::rate_made(leases, orgs, sum)) {
    fmt::print(stderr, "parts do not add up to the lines\n");
    return 1;
  }
  f.rating_s = seconds_since(begun);
  if (json)
    fmt::print(R"({{"bench": "rate", "seconds": {:.2f}, "rows": {}, "orgs": {}, "invoices": {}, )"
               R"("lines": {}, "minor": {}, "rss_mib": {:.1f}, "made_s": {:.1f}, )"
               R"("store_mib": {:.0f}, "audit_s": {:.2f}, "rating_s": {:.3f}, {}}})"
               "\n",
               f.seconds, leases, orgs, f.invoices, f.lines, static_cast<std::int64_t>(f.minor),
               f.rss_mib, f.made_s, f.store_mib, f.audit_s, f.rating_s,
               core::bench::machine_keys());
  else
    fmt::print(
        "{} leases, {} invoices issued: {:.1f} s, {:.0f} MiB (made in {:.0f} s); audited in "
        "{:.1f} s; rating alone {:.1f} s\n",
        leases, f.invoices, f.seconds, f.rss_mib, f.made_s, f.audit_s, f.rating_s);
  return 0;
}

}  // namespace
}  // namespace ampacity::server

int main(int argc, char** argv) { return ampacity::server::main_of(argc, argv); }
