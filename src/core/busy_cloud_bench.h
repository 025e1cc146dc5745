// A busy cloud for the benches that look at one: nodes of 8 GPUs of two kinds, full of running work
// (on_demand and spot, cards and gangs, half with time limits, run times learnt from ended jobs),
// and jobs that wait, drawn one by one from 20 projects, 12 names, 9 shapes and 5 limits.
#pragma once

#include <chrono>
#include <cmath>

#include "base/check.h"
#include "base/crypto.h"
#include "base/prng.h"
#include "core/estimate.h"
#include "core/openb_bench.h"
#include "core/price_book.h"
#include "core/step.h"

namespace ampacity::core::bench {

using Clock = std::chrono::steady_clock;

inline constexpr std::uint32_t projects = 20, names = 12, returned = 5;
inline constexpr std::int64_t hour_s = 3600;
inline constexpr std::int64_t limits_s[] = {0, 0, hour_s, 4 * hour_s, 24 * hour_s};

struct BenchShape {
  const char* text;
  std::uint32_t weight;
  std::uint32_t gpu_milli = 1000;
  Together together = Together::any;
};
inline constexpr BenchShape shapes[] = {
    {"1", 30}, {"1", 8, 500}, {"2", 15},  {"4", 15},
    {"8", 18}, {"8x2", 6},    {"8x4", 4}, {"8x4", 2, 1000, Together::leaf},
    {"8x8", 2}};

// What such a bench is asked for: on a command line, over these.
struct Wanted {
  std::int64_t gpus = 0, pending = 0, times = 9;
  bool json = false;
};

inline std::optional<Wanted> wanted(int argc, char** argv, std::string_view times, Wanted w) {
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    std::int64_t* number = word == "--gpus"      ? &w.gpus
                           : word == "--pending" ? &w.pending
                           : word == times       ? &w.times
                                                 : nullptr;
    if (word == "--json")
      w.json = true;
    else if (number && i + 1 < argc)
      *number = std::strtoll(argv[++i], nullptr, 10);
    else
      return std::nullopt;
  }
  if (w.gpus < 800 || w.gpus > 1'000'000 || w.pending < 1 || w.pending > 100'000 || w.times < 1)
    return std::nullopt;
  return w;
}

inline double since_ms(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

class BusyCloud {
 public:
  World world;
  Instant now{1'767'225'600'000'000};

  explicit BusyCloud(std::uint32_t gpus) {
    Policy policy;
    policy.promises_per_class = 0;
    policy.quantum_s = 300 * 86'400;  // no settlement falls due inside the pass
    run(Found{plain_book("bench", {1}, {{"h100", 47'800, 23'900}, {"a100", 20'000, 10'000}}, 0, 0,
                         1, 1)});
    run(SetPolicy{policy});
    RegisterSite site{{"home", "lab", "none"}, {}, {}};
    site.skus = {{"h100", "", 81'920, 8, 16'000, 131'072},
                 {"a100", "", 81'920, 8, 16'000, 131'072}};
    for (std::uint32_t n = 0; n < gpus / 8; ++n) site.nodes.push_back(node(n));
    run(site);
    run(CreateOrg{{1, 1}, "org"});
    run(CreateUser{{1, 2}, "user", "org"});
    for (std::uint32_t p = 0; p < projects; ++p) {
      run(CreateProject{{2, p}, fmt::format("p{}", p), "org"});
      run(AddCredit{fmt::format("p{}", p), 1'000'000'000'000, ""});
    }
  }

  void learn(int jobs) {
    for (int i = 0; i < jobs; ++i) {
      const SubmitJob s = draw(draw_below(2) ? JobClass::spot : JobClass::on_demand);
      if (!start(s)) continue;
      const double octave = static_cast<double>(draw_below(100)) / 10;  // 1 min … 17 h
      now = now + Duration::seconds(static_cast<std::int64_t>(60 * std::exp2(octave)));
      see(s.job.id, RankSeen::State::ended);
    }
  }

  // Running work until none of its class finds room; it began within the last day.
  void fill(JobClass job_class) {
    for (int refused = 0; refused < 200;) {
      now = now + Duration::seconds(20);
      SubmitJob s = draw(job_class);
      s.job.time_limit_s = draw_below(2) ? (48 + draw_below(48)) * hour_s : 0;
      if (refused >= 100) s.gpus = parse(s.gpus->skus, "1");
      if (!start(s)) ++refused;
    }
  }

  void cordon() {
    for (std::uint32_t n = 0; n < returned; ++n)
      run(SetNodeState{world.state().nodes[n * 7].name, NodeState::cordoned});
  }
  // Folded, not stepped: no pass looks at them yet.
  void uncordon() {
    for (std::uint32_t n = 0; n < returned; ++n) {
      Node node = world.state().nodes[n * 7];
      node.state = NodeState::active;
      evolve(world, {now, "bench", NodeChanged{n * 7, node}});
    }
  }
  void wait(std::int64_t pending, std::int64_t every_s) {
    for (std::int64_t i = 0; i < pending; ++i) {
      now = now + Duration::seconds(every_s);
      const SubmitJob s = draw(draw_below(2) ? JobClass::spot : JobClass::on_demand);
      auto job = drafted(world, s, now);
      CHECK_THAT(job, job ? "" : job.error().message);
      evolve(world, {now, "bench", JobSubmitted{std::move(*job)}});
    }
  }
  // Twenty minutes of reviews, with what follows from them; for each that starts another comes.
  void settle(std::int64_t pending) {
    for (int round = 0; round < 20; ++round) {
      now = now + Duration::seconds(60);
      std::vector<Id> told;
      for (const Fact& fact : run(Tick{}))
        if (const auto* stop = std::get_if<StopOrdered>(&fact.body)) told.push_back(stop->job);
      see_starts();
      now = now + Duration::seconds(10);
      for (const Id id : told) see(id, RankSeen::State::ended);
      wait(pending - static_cast<std::int64_t>(world.queue.size()), 0);
    }
  }
  // One job of two GPUs ends: what is told of it, and the pass over the queue that follows.
  double end_ms(World copy) const {
    for (const auto& [order, slot] : copy.leased) {
      const Job& job = copy.state().jobs[slot];
      if (job.demand.nodes > 1 || job.demand.gpus_per_node != 2) continue;
      const Observe seen{{job.id, job.generation, 0, RankSeen::State::ended, {}, now, 0, false, {}},
                         now};
      std::vector<Fact> facts;
      const auto start = Clock::now();
      const auto done = step(copy, seen, now, "bench", facts);
      const double ms = since_ms(start);
      CHECK_THAT(done, "what was seen is not refused");
      return ms;
    }
    return 0;
  }
  // Only now: who is promised a start is for the pass to say.
  void promise(std::int64_t per_class) {
    Policy policy = world.state().policy;
    policy.promises_per_class = per_class;
    fold(SetPolicy{policy});
  }
  std::uint64_t free_gpus() const {
    std::uint64_t free = 0;
    for (NodeIx n = 0; n < world.state().nodes.size(); ++n) free += world.free_gpus(n);
    return free;
  }

 private:
  std::uint64_t draw_below(std::uint64_t n) { return prng_.next() % n; }
  std::vector<Fact> run(const Command& c) {
    std::vector<Fact> facts;
    const auto done = step(world, c, now, "bench", facts);
    CHECK_THAT(done, done ? "" : done.error().message);
    return facts;
  }
  // Without the pass that follows in step().
  void fold(const Command& c) {
    auto facts = decide(world, c, now);
    CHECK_THAT(facts, facts ? "" : facts.error().message);
    for (FactBody& body : *facts) evolve(world, {now, "bench", std::move(body)});
  }
  static RegisterSite::Member node(std::uint32_t n) {
    Node node;
    node.name = fmt::format("n{}", n);
    node.cpu_milli = 128'000;
    node.memory_mib = 1 << 20;
    node.rack = fmt::format("r{}", n / 4);
    node.leaf = fmt::format("l{}", n / 16);
    for (int g = 0; g < 8; ++g) node.gpus.push_back(fmt::format("{}-{}", n, g));
    return {node, n % 5 < 3 ? "h100" : "a100"};
  }
  static GpuRequest parse(const std::vector<std::string>& skus, const char* text) {
    GpuRequest r = *parse_gpu_request("any:" + std::string(text));
    r.skus = skus;
    return r;
  }
  SubmitJob draw(JobClass job_class) {
    std::uint32_t sum = 0;
    for (const BenchShape& s : shapes) sum += s.weight;
    auto at = static_cast<std::uint32_t>(draw_below(sum));
    const BenchShape* shape = shapes;
    for (; at >= shape->weight; ++shape) at -= shape->weight;
    SubmitJob s;
    s.job.id = {3, ids_++};
    s.job.job_class = job_class;
    s.job.project = static_cast<ProjectIx>(draw_below(projects));
    s.job.user = 0;
    s.job.name = fmt::format("work{}-{}", static_cast<char>('a' + draw_below(names)), ids_);
    s.job.spec.image = "none";
    s.job.time_limit_s = limits_s[draw_below(std::size(limits_s))];
    // On demand wants the one kind, spot the other; one in ten takes either.
    std::vector<std::string> skus = {job_class == JobClass::spot ? "a100" : "h100"};
    if (job_class == JobClass::spot && draw_below(10) == 0) skus.push_back("h100");
    s.gpus = parse(skus, shape->text);
    s.gpu_milli = shape->gpu_milli;
    s.together = shape->together;
    return s;
  }
  void see(Id id, RankSeen::State state) {
    const Job* job = world.job(id);
    const std::uint32_t generation = job->generation, nodes = job->demand.nodes;
    for (std::uint32_t rank = 0; rank < nodes; ++rank) {
      RankSeen r{id, generation, rank, state, {}, {}, 0, false, {}};
      r.started_at = state == RankSeen::State::running ? now : Instant{};
      r.ended_at = state == RankSeen::State::ended ? now : Instant{};
      fold(Observe{r, now});
    }
  }
  void see_starts() {
    std::vector<Id> ids;
    for (const auto& [order, slot] : world.leased)
      if (const Job& job = world.state().jobs[slot]; job.state == JobState::starting)
        ids.push_back(job.id);
    for (const Id id : ids) see(id, RankSeen::State::running);
  }
  bool start(const SubmitJob& s) {
    run(s);
    if (world.job(s.job.id)->lease) {
      see(s.job.id, RankSeen::State::running);
      return true;
    }
    run(StopJob{s.job.id, StopReason::asked, ""});
    return false;
  }

  base::SeededPrng prng_{42};
  std::uint64_t ids_ = 1;
};

}  // namespace ampacity::core::bench
