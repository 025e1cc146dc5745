// A small cloud driven through the real core, whose facts and rows a journal can be fed with: for
// the tests and benches of store and audit. Not part of any program.
#pragma once

#include <deque>
#include <string>
#include <vector>

#include "base/check.h"
#include "core/price_book.h"
#include "core/step.h"
#include "store/journal.h"

namespace ampacity::store {

class SampleCloud {
 public:
  core::World world;
  Instant now{1'700'000'000'000'000};
  std::vector<core::Fact> facts;
  Rows rows;
  std::deque<Id> starting, running;

  explicit SampleCloud(std::uint32_t nodes, std::uint64_t seed = 1) : prng_(seed) {
    run(core::Found{core::plain_book("test", {1}, {{"h100", 47'800, 23'900}}, 278, 139, 100, 50)});
    core::RegisterSite site{{"home", "lab", "test"}, {}, {}};
    site.skus = {{"h100", "NVIDIA H100", 81920, 8, 16'500, 131'072, true}};
    for (std::uint32_t n = 0; n < nodes; ++n) {
      core::Node node{"h100-" + std::to_string(n), 0, 0, {}, 132'000, 1'048'576, true, false};
      for (int g = 0; g < 8; ++g) node.gpus.push_back("GPU-" + std::to_string(n * 8 + g));
      site.nodes.push_back({node, "h100"});
    }
    run(site);
    run(core::CreateOrg{id(), "acme"});
    run(core::CreateProject{id(), "demo", "acme"});
    run(core::CreateUser{id(), "ann", "acme"});
    run(core::AddCredit{"demo", 2'000'000'000'00, "opening"});
  }

  bool run(const core::Command& command) {
    return step(world, command, now, "key-test", facts,
                [this](const core::World& before, const core::Fact& fact, std::uint64_t sequence) {
                  project(before, fact, sequence, rows);
                })
        .has_value();
  }
  Id id() { return base::make_uuid7(now, prng_); }
  std::uint64_t draw(std::uint64_t below) { return prng_.next() % below; }

  Id submit(const std::string& name = "train", std::int64_t memory_mib = 0,
            std::uint32_t gpu_milli = 1000, core::JobClass job_class = core::JobClass::on_demand) {
    core::SubmitJob c;
    c.job.job_class = job_class;
    c.job.id = id();
    c.job.name = name;
    c.job.user = 0;
    c.job.spec.image = "localhost/ampacity-examples:1";
    c.job.spec.command = {"python3", "train.py", "--epochs", "3"};
    c.gpus = core::GpuRequest{{"h100"}, 0, 1, 1};
    c.memory_mib = memory_mib;
    c.gpu_milli = gpu_milli;
    CHECK_THAT(run(c), "the sample job is refused");
    starting.push_back(c.job.id);
    return c.job.id;
  }
  void seen(Id job, core::RankSeen::State state, std::int32_t exit_code = 0) {
    core::RankSeen r;
    r.job = job;
    r.generation = world.job(job) ? world.job(job)->generation : 1;
    r.state = state;
    r.started_at = state == core::RankSeen::State::running ? now : Instant{};
    r.ended_at = now;
    r.exit_code = exit_code;
    run(core::Observe{r, now});
  }
  void start_next() {
    seen(starting.front(), core::RankSeen::State::running);
    running.push_back(starting.front());
    starting.pop_front();
  }
  void end_next(std::int32_t exit_code = 0) {
    seen(running.front(), core::RankSeen::State::ended, exit_code);
    running.pop_front();
  }

  // What has happened since the last commit, as one batch.
  Batch batch() const {
    Batch b;
    b.first_sequence = world.state().sequence - facts.size() + 1;
    b.facts = facts;
    b.rows = &rows;
    b.after = &world.state();
    return b;
  }
  std::expected<void, AppendFault> commit(Journal& journal) {
    auto r = journal.append(batch());
    if (r) clear();
    return r;
  }
  void clear() {
    facts.clear();
    rows = {};
  }

 private:
  base::SeededPrng prng_;
};

}  // namespace ampacity::store
