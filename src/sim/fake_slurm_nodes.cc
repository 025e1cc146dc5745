// The nodes of the cluster that is not there: scripts, their markers and output.
#include <fmt/core.h>

#include <algorithm>

#include "sim/fake_slurm.h"

namespace ampacity::sim {
namespace {

using base::Duration;
constexpr std::uint64_t most_lines = 6;  // that one writes
constexpr int no_gate = 113;             // engines::slurm_refused_exit

}  // namespace

// As engines/slurm_wrapper.cc writes it.
void FakeSlurm::run_script(std::uint32_t id, std::uint64_t turn) {
  SlurmOne* job = of_turn(id, turn);
  if (!job || job->word != "RUNNING" || job->completing) return;
  const std::string& name = job->name;
  if (node(job->node).dead) {  // it never runs, and for a while Slurm says that it does
    TrueRun none;
    none.name = name;
    none.from = job->started_at;
    none.until = fibres_.now();
    none.life = turn;
    none.vanished = true;
    runs_.push_back(std::move(none));
    return;
  }
  const std::string begins = fmt::format("S {} {} {} \n", its_second(fibres_.now()), id, job->node);
  const bool shut =
      (job->once && job->restarts > 0) || (shared && !write(name, begins, job->has_gate));
  if (shut) {
    later(soon(300), [this, id, turn] { complete(id, turn, "FAILED", no_gate << 8); });
    return;
  }
  Process process{turn, id, name, job->node, runs_.size(), drawn(faults.term_ignored)};
  const auto before = std::ranges::find(runs_, name, &TrueRun::name);
  if (before != runs_.end()) ++before->starts;
  TrueRun run;
  run.name = name;
  run.from = shared ? fibres_.now() : job->started_at;  // without a marker it is Slurm's to say
  run.starts = 1;
  run.life = turn;
  runs_.push_back(std::move(run));
  if (trace) trace(fmt::format("  slurm job {} runs {}", id, name));
  const auto span = static_cast<std::uint64_t>(longest_run.us - shortest_run.us + 1);
  Duration length = shortest_run + Duration{static_cast<std::int64_t>(prng_.next() % span)};
  const bool dies = drawn(faults.dies);
  const bool silently = drawn(faults.killed);
  if (dies || silently)
    length.us = static_cast<std::int64_t>(prng_.next() % static_cast<std::uint64_t>(length.us));
  const auto lines = static_cast<std::int64_t>(prng_.next() % (most_lines + 1));
  for (std::int64_t n = 0; n < lines && shared; ++n)
    later({length.us * n / lines}, [this, turn, n] {
      const auto at = processes_.find(turn);
      if (at == processes_.end()) return;
      const std::string line = fmt::format("line {}\n", n);
      runs_[at->second.run].log.push_back(line);
      outputs_[at->second.name] += line;
    });
  if (!job->endless)
    later(length, [this, turn, dies, silently] {
      exit(turn, silently ? 137 : dies ? 1 : 0, !silently);
    });
  processes_.emplace(turn, std::move(process));
}

void FakeSlurm::exit(std::uint64_t life, int code, bool says_so) {
  const auto at = processes_.find(life);
  if (at == processes_.end()) return;
  const Process process = at->second;
  processes_.erase(at);
  TrueRun& run = runs_[process.run];
  run.until = fibres_.now();
  if (trace)
    trace(fmt::format("  slurm job {} is over: {} {}", process.job, process.name,
                      says_so ? std::to_string(code) : "without a word"));
  if (says_so && shared)
    (void)write(process.name, fmt::format("E {} {}\n", its_second(fibres_.now()), code), false);
  const SlurmOne* job = of_turn(process.job, life);
  if (!job) return;
  if (job->word == "PENDING") nothing_tells(life, process.name);  // requeued
  if (job->completing) {
    if (job->over() && !tells_better(job->name)) run.early = *run.until - job->ended_at;
    later(soon(300), [this, id = process.job, life] { conclude(id, life); });
    return;
  }
  const int raw = says_so ? code << 8 : 9;
  later(soon(300), [this, id = process.job, life, code, raw] {
    complete(id, life, code == 0 ? "COMPLETED" : "FAILED", raw);
  });
}

void FakeSlurm::tell(std::uint64_t life, bool kill) {
  const auto at = processes_.find(life);
  if (at == processes_.end() || (at->second.ignores_term && !kill)) return;
  later(soon(kill ? 200 : 900), [this, life, kill] { exit(life, kill ? 137 : 143, !kill); });
}

void FakeSlurm::lose_power(Node& dead) {
  dead.dead = true;
  std::vector<std::uint64_t> lives;
  for (const auto& [life, process] : processes_)
    if (process.node == dead.name) lives.push_back(life);
  for (const std::uint64_t life : lives) {
    const Process process = processes_.at(life);
    processes_.erase(life);
    runs_[process.run].until = fibres_.now();
    runs_[process.run].taken = true;
    // Who was being ended is over with it; of the others the controller hears later.
    if (const SlurmOne* job = of_turn(process.job, life); job && job->completing)
      later(soon(300), [this, id = process.job, life] { conclude(id, life); });
  }
}

bool FakeSlurm::told_its_end(const std::string& rank) const {
  const auto at = markers_.find(rank);
  return shared && at != markers_.end() && at->second.text.find("\nE ") != std::string::npos;
}

bool FakeSlurm::tells_better(const std::string& rank) const {
  return told_its_end(rank) && faults.folder_lag.us == 0;
}

// False: the folder is full, or who is first finds that it is not.
bool FakeSlurm::write(const std::string& rank, const std::string& line, bool first) {
  if (fibres_.now() < folder_full_until_ || (first && markers_.contains(rank))) return false;
  File& file = markers_[rank];
  file.text += line;
  file.written_at = fibres_.now();
  file.lengths.emplace_back(file.written_at, file.text.size());
  written_.push_back(rank);
  fibres_.wake(&written_);
  return true;
}

const std::string& FakeSlurm::spool(const std::string& rank) const {
  static const std::string none;
  const auto at = spools_.find(rank);
  return at == spools_.end() ? none : at->second;
}

}  // namespace ampacity::sim
