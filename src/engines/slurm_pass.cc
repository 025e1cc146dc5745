// The loop: list where it is due, read markers, compare, hand out tasks.
#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "base/chaos.h"
#include "base/log.h"
#include "engines/slurm_engine.h"

namespace ampacity::engines {
namespace {

using base::Duration;
using base::Instant;

constexpr Duration kListTimeout = Duration::seconds(60);
constexpr std::size_t kMostListBytes = 512 << 20;
constexpr Duration kFullList = Duration::seconds(60);  // whatever update_time says
constexpr Duration kClocksApart = Duration::seconds(5);
constexpr std::int64_t kListShare = 20;  // of the time, a list takes at most one part
constexpr Duration kLongestRest = Duration::seconds(10);  // well inside site_unknown
constexpr Duration kExpireEvery = Duration::seconds(60);
constexpr std::size_t kMarkersAPass = 1000, kOutputsAPass = 1000;

}  // namespace

void SlurmEngine::wake() {
  {
    const base::Guard lock(mutex_);
    woken_ = true;
  }
  changed_.notify_all();
}

Duration SlurmEngine::until_next() const {
  std::int64_t wait = options_.period.us;
  const Instant at = clock_.now();
  const SlurmRules r = rules();
  for (const auto& [name, rank] : ranks_) {
    if (rank.busy) continue;
    const auto when = due(rank.work, rank.memory, r);
    if (when && *when > at) wait = std::min(wait, (*when - at).us);
  }
  return {std::max<std::int64_t>(wait, 20'000)};
}

void SlurmEngine::loop() {
  while (!stopping_) {
    pass();
    base::Lock lock(mutex_);
    changed_.wait_for(lock, until_next(), [this] { return woken_ || stopping_; });
    woken_ = false;
  }
}

bool SlurmEngine::meet() {
  {
    const base::Guard lock(mutex_);
    if (met_) return true;
  }
  auto done = negotiate();
  if (done) done = take_inventory();
  if (!done) {
    unreachable(done.error().message);
    return false;
  }
  inventory_at_ = now();
  const base::Guard lock(mutex_);
  met_ = true;
  return true;
}

void SlurmEngine::pass() {
  const bool met = meet();
  read_markers();  // with or without Slurm
  if (met) {
    bool again = false;
    {
      const base::Guard lock(mutex_);
      if (std::exchange(reserve_again_, false)) {
        reserved_.clear();
        again = true;
      }
      again = std::exchange(look_again_, false) || again;
    }
    if (again || now() - inventory_at_ >= kInventoryEvery) {
      inventory_at_ = now();
      if (auto taken = take_inventory(); !taken) unreachable(taken.error().message);
    }
    if (list_due(now())) list();
  }
  compare();
  follow_output();
  if (now() - expired_at_ >= kExpireEvery) {
    expired_at_ = now();
    expire();
    const base::Guard lock(mutex_);
    std::erase_if(gone_,
                  [this, at = now()](const auto& g) { return at - g.second > options_.settle; });
  }
}

// The marker of a rank that is wanted, or may be, is the gate: it stays.
void SlurmEngine::expire() {
  {
    const base::Guard lock(mutex_);
    if (!whole_) return;
  }
  (void)host_.shared->expire(now() - options_.marker_age, [this](const std::string& name) {
    const base::Guard lock(mutex_);
    return ranks_.contains(name);
  });
}

bool SlurmEngine::list_due(Instant at) const {
  if (at < list_not_before_) return false;
  const base::Guard lock(mutex_);
  if (want_list_ || !host_.shared->there() || at - list_asked_at_ >= options_.quiet) return true;
  const SlurmRules r = rules();
  return std::ranges::any_of(ranks_, [&](const auto& one) {
    return awaits_list(one.second.work, one.second.memory, r, list_began_);
  });
}

// Asks only for what changed, but for a whole answer now and then: the clocks may be apart.
void SlurmEngine::list() {
  const Instant began = now();
  const bool full = began - full_list_at_ >= kFullList;
  const Instant since = full || list_asked_at_.us == 0
                            ? Instant{}
                            : list_asked_at_ + cluster_clock_.ahead() - kClocksApart;
  auto answer = call(codec().jobs(since), kListTimeout, kMostListBytes);
  const Duration took = now() - began;
  list_not_before_ = now() + options_.period;
  if (stopping_) return;
  if (!answer) return unreachable(answer.error().message);
  if (answer->status == 404) {  // slurmrestd is another now: asked anew what it speaks
    const base::Guard lock(mutex_);
    met_ = false;
    return;
  }
  if (answer->status != 304) {
    auto jobs = jobs_in(*answer);
    if (!jobs) return unreachable(jobs.error().message);
    listed_ = std::move(*jobs);
    if (full) full_list_at_ = began;
  }
  list_asked_at_ = began;
  list_not_before_ = now() + std::clamp(took * kListShare, options_.period, kLongestRest);
  take_list(listed_, began);
}

// Under the lock: what a list says of one rank. False: it is not the rank, though it has its name.
bool SlurmEngine::take_job(Rank& rank, const SlurmJob& job, Instant began) {
  SlurmMemory& m = rank.memory;
  const bool older = began <= std::max(m.touched_at, m.asked_at);
  if (older && m.job && m.job->id == job.id && m.job->state > job.state) return true;
  m.job = job;
  const bool other = is_other(m, host_.shared->there());
  if (!other)
    m.missing_at = {};
  else if (m.missing_at.us == 0)
    m.missing_at = began;
  if (!job.is_stuck()) {
    m.stuck_since = {};
  } else if (m.stuck_since.us == 0) {
    m.stuck_since = began;
    look_again_ = true;  // its node may be away: nobody else is to be sent there
  }
  if (m.job_id == 0) m.job_id = job.id;
  if (other) return false;
  if (job.state == SlurmState::running && !m.final) m.seen_running_at = began;
  if (job.limit_min > 0) m.limit_min = job.limit_min;
  if (job.state == SlurmState::running) note_running(m, job.started_at);
  return true;
}

// … that has nothing of it. True: it had its end once, which is Slurm's last word of it; what has
// ended is forgotten.
bool SlurmEngine::missed(Rank& rank, Instant began) {
  SlurmMemory& m = rank.memory;
  const bool ended = m.job && m.job->state == SlurmState::ended;
  if (ended && !is_other(m, host_.shared->there())) return true;
  const bool older = began <= std::max(m.touched_at, m.asked_at);
  if (older || rank.busy) return false;  // busy: it may be on its way
  m.job.reset();
  if (m.missing_at.us == 0) m.missing_at = began;
  return false;
}

// Of two jobs of one name, the one that the marker names; else the one that Slurm named to us.
void SlurmEngine::take_list(const std::vector<SlurmJob>& jobs, Instant began) {
  std::map<std::string_view, const SlurmJob*> by_name;
  EngineHealth found = health();
  {
    const base::Guard lock(mutex_);
    want_list_ = false;
    for (const SlurmJob& job : jobs) {
      auto [at, fresh] = by_name.emplace(job.name, &job);
      if (fresh) continue;
      const auto rank = ranks_.find(job.name);
      if (rank == ranks_.end()) continue;
      const SlurmMemory& m = rank->second.memory;
      const std::uint32_t wanted = m.marker ? m.marker->job_id : m.job_id;
      if (job.id == wanted || (at->second->id != wanted && job.id < at->second->id))
        at->second = &job;
    }
    bool all_there = whole_;
    for (auto& [name, rank] : ranks_) {
      const auto at = by_name.find(name);
      const bool there =
          at == by_name.end() ? missed(rank, began) : take_job(rank, *at->second, began);
      const SlurmMemory& m = rank.memory;
      if ((rank.work.confirmed || m.ran) && !m.final && !m.done && !there) all_there = false;
    }
    list_began_ = began;
    if (all_there) found.seen_at = began;
  }
  found.reachable = true;
  found.listed_at = began;
  strays(jobs, began);
  {
    const base::Guard lock(mutex_);
    found.strays = static_cast<std::uint32_t>(strays_busy_.size());
    for (const auto& [name, rank] : ranks_)
      found.strays +=
          rank.memory.done && rank.memory.job && rank.memory.job->state <= SlurmState::running;
  }
  found.note = notes();
  set_health(found);
}

void SlurmEngine::strays(const std::vector<SlurmJob>& jobs, Instant began) {
  const base::Guard lock(mutex_);
  if (!whole_ || base::planted("slurm-strays-kept")) return;
  std::set<std::uint32_t> living;
  for (const SlurmJob& job : jobs) {
    if (job.state > SlurmState::running) continue;
    living.insert(job.id);
    const auto rank = ranks_.find(job.name);
    if (rank != ranks_.end()) {
      // A second job of a rank's name: while it waits it is in nobody's way, but it never may run.
      const SlurmMemory& m = rank->second.memory;
      const bool other = m.job && m.job->id != job.id && m.job->state <= SlurmState::running;
      if (!other) continue;
    }
    const auto gone = gone_.find(job.name);
    if (gone != gone_.end() && began - gone->second < options_.settle) continue;
    if (!strays_busy_.insert(job.id).second) continue;
    enqueue({job.name, SlurmStep::kill, job.id});
  }
  std::erase_if(strays_busy_, [&](std::uint32_t id) { return !living.contains(id); });
}

// Under the lock. Who submitted it itself needs no other clock; `its` is the cluster's word.
void SlurmEngine::note_running(SlurmMemory& m, Instant its) {
  if (m.running_from.us == 0) m.running_from = m.asked_at.us != 0 ? now() : std::min(its, now());
}

// Under the lock.
std::optional<core::RankSeen> SlurmEngine::note_marker(Rank& rank, const SlurmMarker& marker) {
  SlurmMemory& m = rank.memory;
  if (m.final) return std::nullopt;
  const Instant at = now();
  m.marker = marker;
  m.ran = true;
  note_running(m, marker.started_at);
  if (marker.ended_at) return std::nullopt;  // the end is reported when its output is here
  // It says that it began, not that it runs: that is for the lists to say.
  m.seen_running_at = std::max(m.seen_running_at, std::min(marker.started_at, at));
  if (base::planted("marker-is-running")) m.seen_running_at = at;
  if (m.last) return std::nullopt;
  core::RankSeen seen = slurm_seen(rank.work, core::RankSeen::State::running);
  seen.started_at = std::min(marker.started_at, at);
  m.last = seen;
  return seen;
}

void SlurmEngine::marker_written(std::vector<std::string> names) {
  if (!clock_known_) return;  // its instants mean nothing yet; it is read again
  Seen seen;
  for (const std::string& name : names) {
    const auto marker = marker_of(name);
    if (!marker) continue;
    {
      const base::Guard lock(mutex_);
      const auto rank = ranks_.find(name);
      if (rank == ranks_.end() || rank->second.memory.final) continue;
      if (auto one = note_marker(rank->second, *marker)) seen.push_back(std::move(*one));
    }
    if (!marker->ended_at) continue;
    host_.shared->copy_output(name, now(), true);
    const base::Guard lock(mutex_);
    const auto rank = ranks_.find(name);
    if (rank == ranks_.end() || rank->second.memory.final) continue;
    rank->second.memory.final = ended_by_marker(rank->second.work, rank->second.memory);
    seen.push_back(*rank->second.memory.final);
  }
  emit(std::move(seen));
}

// What the watcher did not hear of: a network file system tells nothing, and we may have been away.
void SlurmEngine::read_markers() {
  if (!host_.shared->there()) return;
  std::vector<std::string> names;
  {
    const base::Guard lock(mutex_);
    auto at = ranks_.begin();
    if (ranks_.size() > kMarkersAPass) {
      marker_cursor_ %= ranks_.size();
      std::advance(at, static_cast<std::ptrdiff_t>(marker_cursor_));
      marker_cursor_ += kMarkersAPass;
    }
    for (std::size_t n = std::min(ranks_.size(), kMarkersAPass); n > 0; --n, ++at) {
      if (at == ranks_.end()) at = ranks_.begin();
      const SlurmMemory& m = at->second.memory;
      if (!m.final && !m.done) names.push_back(at->first);
    }
  }
  if (!names.empty()) marker_written(std::move(names));
}

void SlurmEngine::compare() {
  Seen seen;
  {
    const base::Guard lock(mutex_);
    const Instant at = now();
    const SlurmRules r = rules();
    for (auto it = ranks_.begin(); it != ranks_.end();) {
      Rank& rank = it->second;
      const auto here = it++;
      if (rank.busy) continue;
      const SlurmPlanned planned = plan(rank.work, rank.memory, r, list_began_, at);
      if (planned.step == SlurmStep::forget)
        forget(here->first);
      else if (planned.step != SlurmStep::submit || (whole_ && met_))
        apply(rank, planned, seen);
    }
  }
  emit(std::move(seen));
}

// Under the lock.
void SlurmEngine::apply(Rank& rank, const SlurmPlanned& planned, Seen& seen) {
  SlurmMemory& m = rank.memory;
  const std::string name = rank.work.container_name();
  switch (planned.step) {
    case SlurmStep::none:
    case SlurmStep::forget:
      return;
    case SlurmStep::repeat:
      if (m.final)
        seen.push_back(*m.final);
      else if (m.last)
        seen.push_back(*m.last);
      return;
    case SlurmStep::report_running: {
      m.ran = true;
      core::RankSeen running = slurm_seen(rank.work, core::RankSeen::State::running);
      running.started_at = m.marker ? m.marker->started_at : m.job->started_at;
      m.last = running;
      seen.push_back(std::move(running));
      return;
    }
    case SlurmStep::report_unstarted:
      m.final = slurm_seen(rank.work, core::RankSeen::State::failed_to_start, planned.why);
      seen.push_back(*m.final);
      return;
    case SlurmStep::report_ended:
    case SlurmStep::report_absent:
    default:
      rank.busy = true;
      enqueue({name, planned.step, 0});
  }
}

void SlurmEngine::follow_output() {
  if (!host_.shared->there()) return;
  std::vector<std::string> names;
  {
    const base::Guard lock(mutex_);
    std::size_t n = 0;
    for (const auto& [name, rank] : ranks_) {
      const SlurmMemory& m = rank.memory;
      if (!m.marker || m.final) continue;
      if (n++ >= output_cursor_ && names.size() < kOutputsAPass) names.push_back(name);
    }
    output_cursor_ = names.size() == kOutputsAPass ? output_cursor_ + kOutputsAPass : 0;
  }
  for (const std::string& name : names) host_.shared->copy_output(name, now(), false);
}

void SlurmEngine::unreachable(const std::string& why) {
  if (stopping_) return;
  EngineHealth found = health();
  found.reachable = false;
  found.note = why;
  set_health(found);
}

void SlurmEngine::set_health(EngineHealth health) {
  bool told = false;
  {
    const base::Guard lock(mutex_);
    told = health.reachable != health_.reachable || health.note != health_.note ||
           health.version != health_.version;
    health_ = health;
  }
  if (told && reports_.health) reports_.health(health);
}

void SlurmEngine::emit(Seen seen) {
  if (!seen.empty() && reports_.seen) reports_.seen(std::move(seen));
}

}  // namespace ampacity::engines
