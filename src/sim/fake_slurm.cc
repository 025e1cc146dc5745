// The controller: what it knows, when its jobs start and end, what it forgets.
#include "sim/fake_slurm.h"

#include <fmt/core.h>

#include <algorithm>

namespace ampacity::sim {
namespace {

using base::Duration;
constexpr Duration save_every = Duration::seconds(5);

}  // namespace

FakeSlurm::FakeSlurm(Fibres& fibres, base::Prng& prng, std::string cloud)
    : fibres_(fibres), prng_(prng), cloud_(std::move(cloud)) {
  for (const char* name : {"n1", "n2"}) nodes_.push_back({.name = name});
}

bool FakeSlurm::drawn(std::uint32_t of_1000) {
  return of_1000 > 0 && prng_.next() % 1000 < of_1000;
}

Duration FakeSlurm::soon(std::int64_t most_ms) {
  return Duration::millis(
      static_cast<std::int64_t>(prng_.next() % static_cast<std::uint64_t>(most_ms)));
}

FakeSlurm::Node& FakeSlurm::node(const std::string& name) {
  return *std::ranges::find(nodes_, name, &Node::name);
}

SlurmOne* FakeSlurm::find(std::uint32_t id) {
  const auto at = jobs_.find(id);
  return at == jobs_.end() ? nullptr : &at->second;
}

// Also one that it does not know for a while.
SlurmOne* FakeSlurm::of_turn(std::uint32_t id, std::uint64_t turn) {
  for (auto* known : {&jobs_, &hidden_})
    if (const auto at = known->find(id); at != known->end() && at->second.turn == turn)
      return &at->second;
  return nullptr;
}

// Its state is saved now and then, and always some changes late.
void FakeSlurm::changed() {
  changed_at_ = fibres_.now();
  if (fibres_.now() - saved_at_ < save_every) return;
  saved_at_ = fibres_.now();
  saved_ = jobs_;
  saved_last_id_ = last_id_;
}

std::set<std::string> FakeSlurm::names() const {
  std::set<std::string> all;
  for (const auto& [id, job] : jobs_)
    if (!job.over()) all.insert(job.name);
  for (const auto& [life, process] : processes_) all.insert(process.name);
  return all;
}

std::vector<SlurmOne*> FakeSlurm::those_that_run() {
  std::vector<SlurmOne*> all;
  for (auto& [id, job] : jobs_)
    if (job.word == "RUNNING") all.push_back(&job);
  return all;
}

// ---- submitted, started -----------------------------------------------------------------------

std::uint32_t FakeSlurm::submit(SlurmOne draft, int& error) {
  const bool there = std::ranges::find(nodes_, draft.node, &Node::name) != nodes_.end();
  if (!draft.reservation.empty() && draft.reservation != reservation_) error = 2053;
  if (!there) error = 2014;
  if (drawn(faults.refused)) error = 2009;
  if (error) return 0;
  changed();
  draft.id = ++last_id_;
  jobs_[draft.id] = std::move(draft);
  plan_turn();
  return last_id_;
}

void FakeSlurm::plan_turn() {
  if (std::exchange(turn_planned_, true)) return;
  later(Duration::millis(100) + soon(3'000), [this] {
    turn_planned_ = false;
    take_turn();
  });
}

void FakeSlurm::take_turn() {
  if (away()) return;  // who comes back takes one
  bool waits = false;
  for (auto& [id, job] : jobs_) {
    if (job.word != "PENDING" || job.completing) continue;
    if (may_start(job))
      begin(job);
    else
      waits |= fibres_.now() < job.not_before;
  }
  if (waits) plan_turn();
}

bool FakeSlurm::may_start(SlurmOne& job) {
  const Node& on = node(job.node);
  if (fibres_.now() < job.not_before) {
    job.reason = "BeginTime";
    return false;
  }
  const bool not_ours = on.reserved_by_others || job.reservation != reservation_;
  if (on.down || on.drained || not_ours) {
    job.reason = not_ours ? "Reserved" : "ReqNodeNotAvail";
    return false;
  }
  int used = on.others_gpus;
  bool first = true;
  for (const auto& [id, other] : jobs_) {
    if (other.id == job.id || other.node != job.node) continue;
    if (other.holds_node()) used += other.exclusive ? gpus_a_node : other.gpus;
    first &= other.name != job.name || other.over() || other.id > job.id;
  }
  job.reason = job.singleton && !first ? "Dependency" : "Resources";
  if (job.singleton && !first) return false;
  return used + (job.exclusive ? gpus_a_node : job.gpus) <= gpus_a_node;
}

void FakeSlurm::begin(SlurmOne& job) {
  changed();
  job.word = "RUNNING";
  job.reason = "None";
  job.started_at = fibres_.now();
  job.turn = ++turns_;
  // Before it takes a job again, a node cleans up after it.
  later(soon(job.restarts > 0 ? 20'000 : 800),
        [this, id = job.id, turn = job.turn] { run_script(id, turn); });
  if (job.limit_min > 0) check_limit(job.id, job.turn);
}

// It looks twice a minute.
void FakeSlurm::check_limit(std::uint32_t id, std::uint64_t turn) {
  SlurmOne* job = of_turn(id, turn);
  if (!job || job->word != "RUNNING" || job->completing || job->limit_min == 0) return;
  const base::Instant end = job->started_at + Duration::seconds(60 * job->limit_min);
  if (fibres_.now() >= end && !away()) return stop_by(*job, "TIMEOUT");
  const Duration until = std::max(Duration::seconds(1), end - fibres_.now());
  later(until + soon(30'000), [this, id, turn] { check_limit(id, turn); });
}

void FakeSlurm::set_limit(SlurmOne& job, std::int64_t minutes) {
  if (drawn(faults.says_ok_only)) return;
  changed();
  const bool had = job.limit_min > 0;
  job.limit_min = minutes;
  if (!had && minutes > 0) check_limit(job.id, job.turn);
}

// ---- ended, forgotten -------------------------------------------------------------------------

// As its node, or the lack of one, says.
void FakeSlurm::complete(std::uint32_t id, std::uint64_t turn, std::string word, int raw_exit) {
  SlurmOne* job = of_turn(id, turn);
  if (!job || job->word != "RUNNING") return;
  if (away())  // the node says it again
    return later(controller_away_until_ - fibres_.now() + soon(5'000),
                 [this, id, turn, word, raw_exit] { complete(id, turn, word, raw_exit); });
  changed();
  job->word = std::move(word);
  job->raw_exit = raw_exit;
  job->completing = true;
  job->ended_at = fibres_.now();
  heard_late(*job);
  if (job->word == "NODE_FAIL" && !tells_better(job->name)) nothing_tells(turn, {});
  later(soon(400), [this, id, turn] { conclude(id, turn); });
}

void FakeSlurm::conclude(std::uint32_t id, std::uint64_t turn) {
  SlurmOne* job = of_turn(id, turn);
  if (!job || !job->completing) return;
  changed();
  job->completing = false;
  if (job->word == "PENDING") {  // it was requeued
    job->started_at = {};
    job->not_before = fibres_.now() + Duration::seconds(5) + soon(60'000);
  } else {
    forget_later(id, turn);
  }
  plan_turn();
}

void FakeSlurm::forget_later(std::uint32_t id, std::uint64_t turn) {
  later(faults.min_job_age, [this, id, turn] {
    const SlurmOne* old = find(id);
    if (!old || old->turn != turn || !old->over()) return;
    changed();
    forgotten(*old);
    jobs_.erase(id);
  });
}

// Of how it ended.
void FakeSlurm::nothing_tells(std::uint64_t turn, const std::string& rank) {
  if (told_its_end(rank)) return;
  for (TrueRun& run : runs_) run.vanished |= run.life == turn;
}

void FakeSlurm::forgotten(const SlurmOne& job) {
  if (told_its_end(job.name)) return;
  for (TrueRun& run : runs_)
    if (run.life == job.turn && run.until && !run.forgotten_at) run.forgotten_at = fibres_.now();
}

// Its end is told as of when it was heard of; where its marker says nothing better in time. Of one
// that is requeued nothing is told, and it was listed until now.
void FakeSlurm::heard_late(const SlurmOne& job) {
  const bool requeued = job.word == "PENDING" && job.completing;
  if ((!job.over() && !requeued) || tells_better(job.name)) return;
  const base::Instant heard = requeued ? fibres_.now() : job.ended_at;
  for (TrueRun& run : runs_)
    if (run.life == job.turn && run.until) run.late = std::max(run.late, heard - *run.until);
}

void FakeSlurm::stop_by(SlurmOne& job, std::string word) {
  changed();
  job.word = std::move(word);
  job.completing = true;
  if (job.word != "PENDING") job.ended_at = fibres_.now();
  const std::uint64_t turn = job.turn;
  heard_late(job);
  if (!processes_.contains(turn)) {
    if (job.word == "PENDING") nothing_tells(turn, job.name);
    later(soon(400), [this, id = job.id, turn] { conclude(id, turn); });
    return;
  }
  tell(turn, false);
  later(faults.kill_wait, [this, turn] { tell(turn, true); });
}

int FakeSlurm::signal(SlurmOne& job, bool kill) {
  if (job.over() || job.completing) return 2021;
  const bool runs = job.word == "RUNNING";
  if (!runs && !kill) return 2020;
  for (TrueRun& run : runs_)
    if (run.life == job.turn && !run.until && !run.told_to_end_at)
      run.told_to_end_at = fibres_.now();
  if (drawn(faults.says_ok_only)) return 0;
  if (!runs) {
    changed();
    job.word = "CANCELLED";
    job.ended_at = fibres_.now();
    job.completing = true;
    job.turn = ++turns_;
    conclude(job.id, job.turn);
  } else if (kill) {
    stop_by(job, "CANCELLED");
  } else {
    tell(job.turn, false);
  }
  return 0;
}

void FakeSlurm::requeue(SlurmOne& job) {
  ++job.restarts;
  stop_by(job, "PENDING");
}

// ---- what befalls it --------------------------------------------------------------------------

void FakeSlurm::lose_all() {
  for (const auto* known : {&jobs_, &hidden_})
    for (const auto& [id, job] : *known) forgotten(job);
  jobs_.clear();
  hidden_.clear();
  saved_.clear();
  last_id_ = saved_last_id_ = 0;  // its numbers begin anew
  reservation_.clear();
  changed_at_ = fibres_.now();
  kill_orphans(false);
}

void FakeSlurm::lose_one() {
  const auto all = those_that_run();
  if (all.empty()) return;
  const std::uint32_t id = all[prng_.next() % all.size()]->id;
  forgotten(jobs_.at(id));
  jobs_.erase(id);
  changed_at_ = fibres_.now();
  kill_orphans(false);
}

void FakeSlurm::hide_one(Duration how_long) {
  const auto all = those_that_run();
  if (all.empty()) return;
  const std::uint32_t id = all[prng_.next() % all.size()]->id;
  for (TrueRun& run : runs_) run.vanished |= run.life == jobs_.at(id).turn;
  hidden_.insert(jobs_.extract(id));
  changed_at_ = fibres_.now();
  later(how_long, [this, id] {
    if (!jobs_.contains(id) && hidden_.contains(id)) jobs_.insert(hidden_.extract(id));
    hidden_.erase(id);
    changed_at_ = fibres_.now();
    kill_orphans(false);
    plan_turn();
  });
}

// Its nodes register, with ranks of jobs that it does not know: those are ended.
void FakeSlurm::kill_orphans(bool at_once) {
  for (const auto& [life, process] : processes_) {
    if (of_turn(process.job, life)) continue;
    for (TrueRun& run : runs_) run.vanished |= run.life == life;
    later(at_once ? Duration::millis(1) : soon(20'000), [this, life] { tell(life, true); });
  }
}

void FakeSlurm::restart_controller(Duration away, bool with_old_state) {
  controller_away_until_ = fibres_.now() + away;
  later(away, [this, with_old_state] { came_back(with_old_state); });
}

void FakeSlurm::came_back(bool with_old_state) {
  if (away()) return;  // again, meanwhile
  if (with_old_state) {
    for (const auto& [id, job] : jobs_) forgotten(job);
    jobs_ = saved_;
    last_id_ = saved_last_id_;
    for (auto& [id, job] : jobs_) {
      if (job.word == "RUNNING" && !job.completing && !processes_.contains(job.turn))
        later(soon(20'000), [this, id, turn = job.turn] { complete(id, turn, "NODE_FAIL", 0); });
      if (job.completing && !processes_.contains(job.turn))
        later(soon(400), [this, id, t = job.turn] { conclude(id, t); });
      if (job.over() && !job.completing) forget_later(id, job.turn);
    }
  }
  changed_at_ = fibres_.now();
  kill_orphans(false);
  plan_turn();
}

void FakeSlurm::node_down(Duration how_long) {
  Node& chosen = nodes_[prng_.next() % nodes_.size()];
  if (chosen.dead) return;
  lose_power(chosen);
  const Duration noticed = Duration::seconds(5) + soon(60'000);
  later(std::min(noticed, how_long), [this, &chosen] { node_missed(chosen); });
  later(how_long, [this, &chosen] {
    node_missed(chosen);  // at the latest as it registers, booted anew
    chosen.dead = chosen.down = false;
    changed();
    plan_turn();
  });
}

void FakeSlurm::node_missed(Node& missed) {
  if (!missed.dead) return;
  missed.down = true;
  changed();
  for (SlurmOne* job : those_that_run()) {
    if (job->node != missed.name || job->completing || processes_.contains(job->turn)) continue;
    if (drawn(faults.requeue_nodes)) {
      for (TrueRun& run : runs_) {
        if (run.life != job->turn) continue;
        run.vanished = true;
        run.late = fibres_.now() - *run.until;
      }
      requeue(*job);
    } else {
      complete(job->id, job->turn, "NODE_FAIL", 0);
    }
  }
}

void FakeSlurm::drain(Duration how_long) {
  Node& chosen = nodes_[prng_.next() % nodes_.size()];
  chosen.drained = true;
  chosen.reason = "operator";
  changed();
  later(how_long, [this, &chosen] {
    chosen.drained = false;
    changed();
    plan_turn();
  });
}

// Over our reservation, which an administrator may; or our reservation is taken away, and there
// are jobs of theirs.
void FakeSlurm::others_come(Duration how_long) {
  Node& chosen = nodes_[prng_.next() % nodes_.size()];
  if (prng_.next() % 2 == 0) {
    chosen.reserved_by_others = true;
  } else {
    if (!reservation_.empty())
      for (auto& [id, job] : jobs_)
        if (job.word == "PENDING" && !job.completing) job.word = "RESV_DEL_HOLD";
    reservation_.clear();
    int used = 0;
    for (const auto& [id, job] : jobs_)
      if (job.node == chosen.name && job.holds_node())
        used += job.exclusive ? gpus_a_node : job.gpus;
    chosen.others_gpus = gpus_a_node - std::min(used, gpus_a_node);
  }
  changed();
  later(how_long, [this, &chosen] {
    chosen.reserved_by_others = false;
    chosen.others_gpus = 0;
    changed();
    plan_turn();
  });
}

void FakeSlurm::requeue_one() {
  const auto all = those_that_run();
  if (!all.empty()) requeue(*all[prng_.next() % all.size()]);
}

// Nobody's, or a second one of a rank's name.
void FakeSlurm::stray() {
  SlurmOne job;
  job.name = fmt::format("stray-{}", ++lives_);
  if (prng_.next() % 2 && shared && !jobs_.empty()) {
    job.name = jobs_.rbegin()->second.name;
    job.has_gate = jobs_.rbegin()->second.has_gate;
  }
  job.endless = true;
  job.comment = "ampacity:" + cloud_;
  job.node = nodes_[prng_.next() % nodes_.size()].name;
  job.reservation = reservation_;
  job.gpus = 1;
  int error = 0;
  (void)submit(std::move(job), error);
}

void FakeSlurm::heal() {
  const SlurmFaults was = std::exchange(faults, {});
  faults.clock_wrong = was.clock_wrong;  // nobody sets clocks, or mends configurations, for that
  faults.folder_lag = was.folder_lag;
  faults.min_job_age = was.min_job_age;
  faults.kill_wait = was.kill_wait;
  unreachable_until_ = controller_away_until_ = folder_full_until_ = {};
  for (Node& n : nodes_) n = {.name = n.name};
  jobs_.merge(hidden_);
  hidden_.clear();
  for (SlurmOne* job : those_that_run())
    if (!job->completing && !processes_.contains(job->turn) &&
        fibres_.now() - job->started_at > Duration::seconds(1))
      complete(job->id, job->turn, "NODE_FAIL", 0);
  kill_orphans(true);
  changed();
  plan_turn();
}

}  // namespace ampacity::sim
