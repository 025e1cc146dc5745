#include "sim/chaos_command.h"

#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <chrono>
#include <sstream>
#include <thread>

#include "sim/chaos.h"
#include "sim/leaders.h"
#include "sim/planted.h"

namespace ampacity::sim {
namespace {

// Rare branches of production code (PROBE, base/chaos.h) that a night's seeds must reach.
constexpr std::array<std::string_view, 34> rare = {"loop: a key is looked up",
                                                   "loop: the disk is full",
                                                   "loop: a snapshot is made",
                                                   "observe: posted too much, given back",
                                                   "observe: of another generation",
                                                   "observe: lost",
                                                   "engine: half made",
                                                   "engine: a start that may have been",
                                                   "engine: killed after its grace",
                                                   "engine: a stray",
                                                   "engine: gone",
                                                   "engine: podman forgot one",
                                                   "engine: a log is copied",
                                                   "engine: a log is refused",
                                                   "engine: its clock was stepped",
                                                   "engine: its clock was set",
                                                   "engine: a log's stamps went back",
                                                   "engine: gone before its log was read",
                                                   "sites: one is silent",
                                                   "sites: one is back",
                                                   "webhooks: again later",
                                                   "webhooks: an attempt is not written",
                                                   "webhooks: given up",
                                                   "webhooks: switched off",
                                                   "store: checkpoints early",
                                                   "slurm: a submission that may have been",
                                                   "slurm: forgotten between a list and a look",
                                                   "engine: its clock is not ours",
                                                   "slurm: its clock was set, or ours",
                                                   "slurm: lost",
                                                   "slurm: run again",
                                                   "store: a lost commit took place",
                                                   "store: a lost commit did not take place",
                                                   "store: a commit that nobody can tell of"};

constexpr std::uint64_t twice_every = 15;  // seeds: must be the same run again

struct ChaosFlags {
  bool on = false, shrink = false, trace = false, planted = false, nightly = false, leaders = false;
  std::uint64_t seed = 0;  // one; 0: `seeds` of them
  std::string seeds;       // "1000", "200..400"
  std::string without;     // faults, by comma
  std::vector<std::string> plant;
  std::int64_t minutes = 0;
  int processes = 0;  // 0: as many as there are cores
};

using Seconds = std::chrono::duration<double>;

double seconds_since(std::chrono::steady_clock::time_point t) {
  return Seconds(std::chrono::steady_clock::now() - t).count();
}

// "1000" -> 1..1000, "200..400".
bool parse_seeds(const std::string& text, std::uint64_t& first, std::uint64_t& last) {
  std::istringstream in(text);
  first = 1;
  if (!(in >> last) || last == 0) return false;
  if (in.eof()) return true;
  first = last;
  char a = 0, b = 0;
  return in >> a >> b >> last && a == '.' && b == '.' && last >= first && in.peek() == EOF;
}

bool options_of(const ChaosFlags& flags, ChaosOptions& options) {
  options.minutes = flags.minutes;
  options.trace = flags.trace;
  options.planted = {flags.plant.begin(), flags.plant.end()};
  std::istringstream in(flags.without);
  for (std::string word_; std::getline(in, word_, ',');) {
    int f = 0;
    while (f < faults_in_all && word(static_cast<Fault>(f)) != word_) ++f;
    if (f == faults_in_all) {
      fmt::print(stderr, "ampacity-sim: --without: no fault '{}'; there are:", word_);
      for (int g = 0; g < faults_in_all; ++g)
        fmt::print(stderr, " {}", word(static_cast<Fault>(g)));
      fmt::print(stderr, "\n");
      return false;
    }
    options.without.insert(static_cast<Fault>(f));
  }
  return true;
}

void say_wrong(const ChaosOptions& options, const ChaosResult& result) {
  fmt::print("seed {}: FAILED\n", options.seed);
  for (const std::string& w : result.wrong) fmt::print("  {}\n", w);
  fmt::print("  again: {}\n", repro(options));
}

int say_leaders(std::uint64_t seed, const LeadersResult& r) {
  fmt::print(
      "leaders, seed {}: {}; {} acknowledged, {} acts, {} epochs, {} lives, digest {:016x}\n", seed,
      r.wrong.empty() ? "nothing wrong" : "FAILED", r.acknowledged, r.acts, r.epochs, r.lives,
      r.digest);
  for (const std::string& w : r.wrong) fmt::print("  {}\n", w);
  if (!r.wrong.empty()) fmt::print("  again: ampacity-sim --chaos --leaders --seed {}\n", seed);
  return r.wrong.empty() ? 0 : 1;
}

int run_one(const ChaosFlags& flags, ChaosOptions options) {
  options.seed = flags.seed;
  const auto began = std::chrono::steady_clock::now();
  const ChaosResult r = run_chaos(options);
  if (!r.wrong.empty()) {
    say_wrong(options, r);
    if (flags.shrink) {
      const ChaosOptions small = shrink(options);
      fmt::print("  least: {} --trace\n", repro(small));
    }
    return 1;
  }
  fmt::print(
      "seed {}: nothing wrong; {} simulated, {} facts in {} commits, {} leases closed, {} "
      "answers,\n"
      "  {} engine requests, {} faults, {} lives of the server, digest {:016x}, {:.2f} s\n",
      options.seed, base::format_duration(r.simulated), r.facts, r.commits, r.leases_closed,
      r.answers, r.engine_requests, r.faults, r.lives, r.digest, seconds_since(began));
  return 0;
}

// What a process of several says at its end, on its pipe.
struct Sum {
  std::uint64_t seeds = 0, failed = 0, facts = 0, commits = 0, leases = 0, faults = 0, lives = 0,
                simulated_s = 0, digest = 0;
  std::array<std::uint64_t, rare.size()> reached{};
};

void count_reached(Sum& sum,
                   std::initializer_list<const std::map<std::string, std::uint64_t>*> all) {
  for (std::size_t i = 0; i < rare.size(); ++i)
    for (const auto* counts : all)
      if (const auto at = counts->find(std::string(rare[i])); at != counts->end())
        sum.reached[i] += at->second;
}

Sum run_some(ChaosOptions options, std::uint64_t first, std::uint64_t last, std::uint64_t every) {
  Sum sum;
  for (std::uint64_t seed = first; seed <= last; seed += every) {
    options.seed = seed;
    const ChaosResult r = seed % twice_every == 0 ? run_chaos_twice(options) : run_chaos(options);
    ++sum.seeds;
    sum.failed += !r.wrong.empty();
    sum.facts += r.facts;
    sum.commits += r.commits;
    sum.leases += r.leases_closed;
    sum.faults += r.faults;
    sum.lives += static_cast<std::uint64_t>(r.lives);
    sum.simulated_s += static_cast<std::uint64_t>(r.simulated.whole_seconds());
    sum.digest ^= r.digest * (2 * seed + 1);
    count_reached(sum, {&r.probes, &r.misbehaved});
    if (!r.wrong.empty()) say_wrong(options, r);
    const LeadersResult leaders = run_leaders(seed);
    sum.failed += !leaders.wrong.empty();
    sum.digest ^= leaders.digest * (2 * seed + 1);
    count_reached(sum, {&leaders.probes});
    if (!leaders.wrong.empty()) say_leaders(seed, leaders);
    std::fflush(stdout);
    if (sum.failed >= 5) break;
  }
  return sum;
}

// Seeds are independent: one process a core, each with every n-th of them.
int run_many(const ChaosFlags& flags, const ChaosOptions& options) {
  std::uint64_t first = 1, last = 0;
  if (!parse_seeds(flags.seeds, first, last)) {
    fmt::print(stderr, "ampacity-sim: --seeds takes a number or FIRST..LAST, not '{}'\n",
               flags.seeds);
    return 2;
  }
  const auto began = std::chrono::steady_clock::now();
  const int cores = static_cast<int>(std::thread::hardware_concurrency());
  const int processes = flags.processes > 0 ? flags.processes : std::max(cores, 1);
  std::vector<std::pair<pid_t, int>> children;
  std::fflush(stdout);
  for (int i = 0; i < processes; ++i) {
    int ends[2];
    if (pipe(ends) != 0) return 2;
    const pid_t child = fork();
    if (child < 0) return 2;
    if (child == 0) {
      close(ends[0]);
      const Sum sum = run_some(options, first + static_cast<std::uint64_t>(i), last,
                               static_cast<std::uint64_t>(processes));
      const bool told = write(ends[1], &sum, sizeof sum) == sizeof sum;
      std::fflush(stdout);
      _exit(told ? 0 : 1);
    }
    close(ends[1]);
    children.emplace_back(child, ends[0]);
  }
  Sum all;
  bool died = false;
  for (const auto& [child, end] : children) {
    Sum sum;
    const bool heard = read(end, &sum, sizeof sum) == sizeof sum;
    close(end);
    int status = 0;
    waitpid(child, &status, 0);
    died |= !heard || status != 0;
    all.seeds += sum.seeds;
    all.failed += sum.failed;
    all.facts += sum.facts;
    all.commits += sum.commits;
    all.leases += sum.leases;
    all.faults += sum.faults;
    all.lives += sum.lives;
    all.simulated_s += sum.simulated_s;
    all.digest ^= sum.digest;
    for (std::size_t i = 0; i < rare.size(); ++i) all.reached[i] += sum.reached[i];
  }
  bool unseen = false;
  for (std::size_t i = 0; flags.nightly && i < rare.size(); ++i) {
    fmt::print("{:<40} {:>10}{}\n", rare[i], all.reached[i],
               all.reached[i] ? "" : "  NEVER REACHED");
    unseen |= all.reached[i] == 0;
  }
  fmt::print(
      "{} seeds, {} failed{}; {} simulated, {} facts, {} commits, {} leases closed, {} faults, {} "
      "lives, digest {:016x}, {:.1f} s\n",
      all.seeds, all.failed, died ? ", A PROCESS DIED" : "",
      base::format_duration(base::Duration::seconds(static_cast<std::int64_t>(all.simulated_s))),
      all.facts, all.commits, all.leases, all.faults, all.lives, all.digest, seconds_since(began));
  return all.failed || died || unseen ? 1 : 0;
}

void add_flags(CLI::App& app, ChaosFlags& f) {
  app.add_flag("--chaos", f.on, "the whole control plane among simulated faults");
  app.add_flag("--leaders", f.leaders, "of one seed: only who leads a store that servers share");
  app.add_option("--seed", f.seed, "one seed")->option_text("S");
  app.add_option("--seeds", f.seeds, "many seeds: the first N, or FIRST..LAST")->option_text("N");
  app.add_flag("--shrink", f.shrink, "of a failing seed: fewer faults, less time");
  app.add_flag("--trace", f.trace, "say what happens, on stderr");
  app.add_option("--without", f.without, "faults to leave out, by comma")->option_text("FAULTS");
  app.add_option("--minutes", f.minutes, "how long things go wrong; 0: drawn")
      ->check(CLI::Range(0, 1'000));
  app.add_option("--plant", f.plant, "switch a planted bug on")->option_text("BUG");
  app.add_flag("--nightly", f.nightly, "of many seeds: fails if a rare branch is never reached");
  app.add_flag("--planted", f.planted,
               "find every planted bug (or those of --plant), and print the table");
  app.add_option("--processes", f.processes, "for many seeds; 0: one a core")
      ->check(CLI::Range(0, 256));
}

}  // namespace

int chaos_program(int argc, char** argv) {
  CLI::App app{
      "The whole control plane among simulated faults, from a seed.\n"
      "  ampacity-sim --chaos --seeds 1000\n"
      "  ampacity-sim --chaos --seed 7 --shrink\n"
      "What it simulates: docs/simulation.md. Exit codes: 0 nothing wrong, 1 something was, 2 bad "
      "flags."};
  ChaosFlags flags;
  add_flags(app, flags);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? 0 : 2;
  }
  ChaosOptions options;
  if (!options_of(flags, options)) return 2;
  if (flags.planted) {
    std::string only;
    for (const std::string& bug : flags.plant) only += (only.empty() ? "" : ",") + bug;
    return find_planted(only, flags.processes);
  }
  if (!flags.seeds.empty()) return run_many(flags, options);
  if (flags.seed && flags.leaders)
    return say_leaders(flags.seed, run_leaders(flags.seed, options.planted, options.trace));
  if (flags.seed) return run_one(flags, options);
  fmt::print(stderr, "ampacity-sim: --chaos needs --seed S or --seeds N\n");
  return 2;
}

}  // namespace ampacity::sim
