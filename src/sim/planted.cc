#include "sim/planted.h"

#include <fmt/format.h>

#include "sim/chaos.h"

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
      {"strays-kept", "containers nobody wants stay", "engines/container_pass.cc"},
      {"bad-list-is-empty", "a list that cannot be read is an empty one",
       "engines/container_pass.cc"},
      {"never-killed", "who ignores SIGTERM is not killed", "engines/reconcile_plan.cc"},
      {"events-counted-twice", "a metered event that comes twice counts twice",
       "store/meter_writer.cc"},
      {"no-sync", "a commit is acknowledged before it is synced",
       "sim/chaos.cc: PRAGMA synchronous=NORMAL"}};
  return all;
}

int find_planted(int) {
  int missed = 0;
  fmt::print("{:<26} {:>5}  {}\n", "BUG", "SEED", "FOUND AS");
  for (const PlantedBug& bug : planted_bugs()) {
    ChaosOptions options;
    options.planted = {std::string(bug.name)};
    ChaosResult r;
    for (options.seed = 1; options.seed <= most_seeds && r.wrong.empty(); ++options.seed)
      r = run_chaos(options);
    if (r.wrong.empty()) {
      ++missed;
      fmt::print("{:<26} {:>5}  NOT FOUND within {} seeds: {}\n", bug.name, "-", most_seeds,
                 bug.what);
    } else {
      fmt::print("{:<26} {:>5}  {:.80}\n", bug.name, options.seed - 1, r.wrong.front());
    }
    std::fflush(stdout);
  }
  fmt::print("{} of {} found\n", planted_bugs().size() - static_cast<std::size_t>(missed),
             planted_bugs().size());
  return missed ? 1 : 0;
}

}  // namespace ampacity::sim
