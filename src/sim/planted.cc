#include "sim/planted.h"

#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <thread>

#include "sim/chaos.h"
#include "sim/leaders.h"

namespace ampacity::sim {
namespace {
constexpr std::uint64_t most_seeds = 200;
}

const std::vector<PlantedBug>& planted_bugs() {
  static const std::vector<PlantedBug> all = {
      {"no-fence", "reports of a generation that is over are taken", "core/decide_observe.cc"},
      {"lost-billed-on", "a container that vanished is billed until it was missed",
       "core/decide_observe.cc"},
      {"waived-lost", "seconds past the hold are in no sum", "core/decide_observe.cc"},
      {"hold-kept", "a lease that never ran keeps its hold", "core/decide_observe.cc"},
      {"gang-closed-early", "a gang's lease ends with its first rank", "core/decide_observe.cc"},
      {"quantum-off-by-one", "a second more is promised than was held", "core/settle.cc"},
      {"double-posting", "what was posted is posted again", "core/settle.cc"},
      {"generation-reused", "a second start has the number of the first", "core/grant.cc"},
      {"wallet-overdrawn", "work is granted without credit for it", "core/grant.cc"},
      {"freed-before-stopped", "cards are given away before the stop is confirmed",
       "core/decide_jobs.cc"},
      {"deadlines-missed", "what is due at a time is not done", "core/decide_jobs.cc"},
      {"reply-before-commit", "the answer leaves before the disk has it", "server/loop.cc"},
      {"keys-ignored", "an Idempotency-Key is never looked up", "server/loop.cc"},
      {"keys-forgotten", "answers to Idempotency-Keys are not written down", "server/loop.cc"},
      {"goes-on-after-full-disk", "a refused batch stays in memory", "server/loop.cc"},
      {"stops-untold", "the engine hears of stops only at a start", "server/loop.cc"},
      {"started-twice", "what ran once and is gone is made again", "engines/container_steps.cc"},
      {"forgotten-kept", "processes that podman has forgotten stay", "engines/container_pass.cc"},
      {"strays-kept", "containers nobody wants stay", "engines/container_pass.cc"},
      {"bad-list-is-empty", "a list that cannot be read is an empty one",
       "engines/container_pass.cc"},
      {"never-killed", "who ignores SIGTERM is not killed", "engines/reconcile_plan.cc"},
      {"old-list-believed", "absence is believed of a list older than the start",
       "engines/reconcile_plan.cc"},
      {"end-billed-again", "an end that is reported again is billed again",
       "core/decide_observe.cc"},
      {"quota-race", "of two admissions at once both take the last unit of a quota",
       "core/grant.cc"},
      {"unstable-order", "who goes first depends on what no fact says", "core/pass.cc"},
      {"webhook-row-lost", "of several rows for webhooks in a commit the last is not written",
       "server/loop.cc"},
      {"webhooks-forgotten", "what waited for a webhook is not taken up at a start",
       "server/webhooks.cc"},
      {"attempt-forgotten", "what came of a webhook's attempt is lost with a refused batch",
       "server/webhooks.cc"},
      {"failure-is-delivery", "a webhook that answers 500 is taken for told", "server/webhooks.cc"},
      {"events-counted-twice", "a metered event that comes twice counts twice",
       "store/meter_writer.cc"},
      {"no-gate", "a rank's script on Slurm does not look whether it ran already",
       "engines/slurm_wrapper.cc", PlantedBug::World::slurm},
      {"run-again", "… nor, without a folder, whether Slurm runs it again",
       "engines/slurm_wrapper.cc", PlantedBug::World::slurm},
      {"submitted-again", "without a folder, what may have been submitted is, again",
       "engines/slurm_plan.cc", PlantedBug::World::slurm},
      {"requeued-is-same", "a job that Slurm runs again is taken for the rank",
       "engines/slurm_plan.cc", PlantedBug::World::slurm},
      {"marker-is-running", "a marker without an end is taken for news", "engines/slurm_pass.cc",
       PlantedBug::World::slurm},
      {"slurm-strays-kept", "jobs nobody wants stay on Slurm", "engines/slurm_pass.cc",
       PlantedBug::World::slurm},
      {"slurm-clock-ignored", "a cluster's clock is taken for ours", "engines/slurm_site_pass.cc",
       PlantedBug::World::slurm},
      {"commit-unknown-called-failed",
       "a commit whose answer was lost is taken for one that failed", "store/writer_office.cc",
       PlantedBug::World::leaders},
      {"fences-down", "no lock, session or epoch holds back who was succeeded",
       "sim/shared_database.cc", PlantedBug::World::leaders},
      {"acts-after-its-lease", "who led asks engines and answers after its lease",
       "sim/leaders.cc: may_act()", PlantedBug::World::leaders},
      {"no-sync", "a commit is acknowledged before it is synced",
       "sim/chaos.cc: PRAGMA synchronous=NORMAL"}};
  return all;
}

namespace {

bool find_one(const PlantedBug& bug) {
  ChaosOptions options;
  options.planted = {std::string(bug.name)};
  for (options.seed = 1; options.seed <= most_seeds; ++options.seed) {
    if (bug.world == PlantedBug::World::slurm && draw_plan(options).slurm.empty()) continue;
    const bool twice = bug.name == std::string_view("unstable-order");
    const std::vector<std::string> wrong = bug.world == PlantedBug::World::leaders
                                               ? run_leaders(options.seed, options.planted).wrong
                                           : twice ? run_chaos_twice(options).wrong
                                                   : run_chaos(options).wrong;
    if (wrong.empty()) continue;
    fmt::print("{:<28} {:>5}  {:.80}\n", bug.name, options.seed, wrong.front());
    return true;
  }
  fmt::print("{:<28} {:>5}  NOT FOUND within {} seeds: {}\n", bug.name, "-", most_seeds, bug.what);
  return false;
}

}  // namespace

// A process takes the next bug when it is through with one: they take very different times.
int find_planted(const std::string& only, int processes) {
  std::vector<const PlantedBug*> bugs;
  for (const PlantedBug& bug : planted_bugs())
    if (only.empty() ||
        ("," + only + ",").find("," + std::string(bug.name) + ",") != std::string::npos)
      bugs.push_back(&bug);
  fmt::print("{:<28} {:>5}  {}\n", "BUG", "SEED", "FOUND AS");
  const int at_once = processes > 0
                          ? processes
                          : std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
  std::size_t found = 0;
  int running = 0;
  const auto wait_for_one = [&] {
    int status = 0;
    if (wait(&status) > 0) found += status == 0;
    --running;
  };
  for (const PlantedBug* bug : bugs) {
    if (running == at_once) wait_for_one();
    std::fflush(stdout);
    const pid_t child = fork();
    if (child == 0) {
      const bool is_found = find_one(*bug);
      std::fflush(stdout);
      _exit(is_found ? 0 : 1);
    }
    running += child > 0;
  }
  while (running > 0) wait_for_one();
  fmt::print("{} of {} found\n", found, bugs.size());
  return found == bugs.size() && !bugs.empty() ? 0 : 1;
}

}  // namespace ampacity::sim
