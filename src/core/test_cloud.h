// For tests: a small cloud that commands can be run against, with one org, one project and its
// money. Nodes of h100 (8 cards; leaf l0 has the first four nodes, l1 the next), a40 (4) and cpu.
#pragma once

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "core/price_book.h"
#include "core/step.h"

namespace ampacity::core {

struct TestCloud {
  World world;
  Instant now{1'000'000'000'000'000};
  std::vector<Fact> facts;
  std::uint64_t ids = 1;

  base::Result<void> run(const Command& c) { return step(world, c, now, "test", facts); }

  explicit TestCloud(std::uint32_t h100_nodes, std::uint32_t a40_nodes = 0,
                     std::int64_t cents = 100'000'000) {
    REQUIRE(run(Found{plain_book("test", {1}, {{"h100", 47'800, 23'900}, {"a40", 12'800, 6'400}},
                                 100, 50, 100, 50)}));
    RegisterSite site{{"home", "lab", "test"}, {}, {}};
    site.skus = {{"h100", "NVIDIA H100", 81920, 8, 16000, 131072, true},
                 {"a40", "NVIDIA A40", 49152, 1, 8000, 65536, true},
                 {"cpu", "CPU", 0, 1, 1000, 1024, false}};
    for (std::uint32_t n = 0; n < h100_nodes; ++n) add(site, "h100", n, 8);
    for (std::uint32_t n = 0; n < a40_nodes; ++n) add(site, "a40", n, 4);
    Node host;
    host.name = "host";
    host.cpu_milli = 8'000;
    host.memory_mib = 16'384;
    host.rents_cpu = true;
    site.nodes.push_back({host, "cpu"});
    REQUIRE(run(site));
    REQUIRE(run(CreateOrg{{0, ids++}, "acme"}));
    add_project("demo", cents);
    REQUIRE(run(CreateUser{{0, ids++}, "ann", "acme"}));
  }
  void add_project(const std::string& name, std::int64_t cents) {
    REQUIRE(run(CreateProject{{0, ids++}, name, "acme"}));
    if (cents) REQUIRE(run(AddCredit{name, cents, ""}));
  }
  static void add(RegisterSite& site, const std::string& sku, std::uint32_t n, int gpus) {
    Node node;
    node.name = sku + "-" + std::to_string(n);
    node.cpu_milli = gpus * 16'000;
    node.memory_mib = gpus * 131'072;
    node.emulated = true;
    for (int g = 0; g < gpus; ++g) node.gpus.push_back(node.name + "-gpu" + std::to_string(g));
    node.leaf = "l" + std::to_string(n / 4);
    site.nodes.push_back({node, sku});
  }

  SubmitJob request(const char* gpus, std::int64_t time_limit_s = 0) {
    SubmitJob s;
    s.job.id = {1, ids++};
    s.job.name = "job" + std::to_string(ids);
    s.job.user = 0;
    s.job.spec.image = "localhost/tiny";
    s.job.time_limit_s = time_limit_s;
    if (gpus) s.gpus = *parse_gpu_request(gpus);
    return s;
  }
  Id submit(const SubmitJob& s) {
    const auto done = run(s);
    REQUIRE_MESSAGE(done, done.error().message);
    return s.job.id;
  }
  // Submitted, and seen to run.
  Id start(const SubmitJob& s) {
    const Id id = submit(s);
    REQUIRE(world.job(id)->lease);
    for (std::uint32_t rank = 0; rank < world.job(id)->demand.nodes; ++rank)
      seen(id, RankSeen::State::running, rank);
    return id;
  }
  void seen(Id job, RankSeen::State state, std::uint32_t rank = 0) {
    RankSeen r;
    r.job = job;
    r.generation = world.job(job)->generation;
    r.rank = rank;
    r.state = state;
    r.started_at = state == RankSeen::State::running ? now : Instant{};
    r.ended_at = now;
    REQUIRE(run(Observe{r, now}));
  }
  const Job& job(Id id) const {
    REQUIRE(world.job(id));
    return *world.job(id);
  }
  bool waits(Id id) const { return job(id).state == JobState::queued; }
  bool is_leased(Id id) const { return world.job(id) && world.job(id)->lease.has_value(); }
  bool is_stopping(Id id) const {
    return world.job(id) && world.job(id)->state == JobState::stopping;
  }
  // Every rank that has not ended is seen to.
  void end(Id id) {
    const std::uint32_t generation = job(id).generation, ranks = job(id).demand.nodes;
    for (std::uint32_t r = 0; r < ranks; ++r) {
      if (!is_leased(id) || job(id).generation != generation) return;
      seen(id, RankSeen::State::ended, r);
    }
  }
  void run_ranks(Id id) {
    for (std::uint32_t r = 0; r < job(id).demand.nodes; ++r) seen(id, RankSeen::State::running, r);
  }
  // Time passes, then what is due and the queue are looked at until there is nothing to do.
  void tick(std::int64_t after_s = 0) {
    now = now + Duration::seconds(after_s);
    REQUIRE(run(Tick{}));
    std::size_t before = 0;
    for (int i = 0; i < 50 && before != facts.size(); ++i) {
      before = facts.size();
      REQUIRE(run(Advance{}));
    }
    CHECK(before == facts.size());
  }
  template <typename F>
  void set_policy(F&& change) {
    Policy policy = world.state().policy;
    change(policy);
    REQUIRE(run(SetPolicy{policy}));
  }
  // How many were told to stop for that, of all there were.
  int told(StopReason reason) const {
    int n = 0;
    for (const Fact& f : facts)
      if (const auto* s = std::get_if<StopOrdered>(&f.body)) n += s->reason == reason;
    return n;
  }
};

// A request of a class and a project (by its position).
inline SubmitJob in_class(SubmitJob s, JobClass job_class, ProjectIx project = 0) {
  s.job.job_class = job_class;
  s.job.project = project;
  s.by_owner = job_class == JobClass::house;
  return s;
}

// What must hold in every world: no card twice, sums inside the nodes, gangs whole, the books, and
// the derived members as if rebuilt.
void check_world(const World& world);
// The facts, through their JSON, fold to the same state.
void check_refolded(const std::vector<Fact>& facts, const World& world);

}  // namespace ampacity::core
