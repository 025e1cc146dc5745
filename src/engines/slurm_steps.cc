// What the Slurm engine's workers do, and what it is told to want.
#include <fmt/core.h>

#include <algorithm>

#include "base/chaos.h"
#include "base/log.h"
#include "engines/slurm_engine.h"

namespace ampacity::engines {
namespace {

using base::Duration;
using base::Instant;
using State = core::RankSeen::State;

constexpr int kSlurmWorkers = 6;
constexpr int kMostSubmits = 8;
constexpr Duration kPatience = Duration::seconds(20);
constexpr Duration kLongestBackoff = Duration::seconds(30);

}  // namespace

SlurmEngine::SlurmEngine(SlurmOptions options, base::Clock& clock, SlurmHost host)
    : options_(std::move(options)),
      clock_(clock),
      host_(std::move(host)),
      token_({options_.token_file, options_.token_env, options_.jwt_key_file, options_.user}),
      comment_("ampacity:" + options_.cloud),
      held_reason_("held back by " + comment_),
      partition_(options_.partition) {
  health_.kind = "slurm";
}

SlurmEngine::~SlurmEngine() {
  {
    const base::Guard lock(mutex_);  // nobody is between looking and waiting
    stopping_ = true;
  }
  changed_.notify_all();
  work_ready_.notify_all();
  for (base::Thread& t : threads_) t.join();
}

// A cluster that does not answer now is unknown: the loop goes on asking.
base::Try<void> SlurmEngine::start(EngineReports reports) {
  reports_ = std::move(reports);
  if (auto opened = host_.shared->open(); !opened) return opened;
  (void)meet();
  threads_.emplace_back([this] { loop(); });
  for (int i = 0; i < kSlurmWorkers; ++i) threads_.emplace_back([this] { work(); });
  if (host_.shared->there())
    threads_.emplace_back([this] {
      (void)host_.shared->watch([this](auto names) { marker_written(std::move(names)); },
                                stopping_);
    });
  return {};
}

void SlurmEngine::desire(std::vector<core::RankWork> ranks, bool whole) {
  const base::Guard lock(mutex_);
  const Instant at = now();
  std::set<std::string> wanted;
  for (core::RankWork& work : ranks) {
    const std::string name = work.container_name();
    if (whole) wanted.insert(name);
    auto [found, fresh] = ranks_.try_emplace(name);
    Rank& rank = found->second;
    rank.work = std::move(work);
    if (!fresh) continue;
    names_[{rank.work.job, rank.work.generation, rank.work.rank}] = name;
    rank.memory.wished_at = at;
    // The first whole desire is from before this life; what comes later, nobody can have started.
    rank.memory.fresh = whole_ && !rank.work.confirmed;
    if (whole && rank.work.want == core::RankWork::Want::stop)
      rank.memory.signalled = core::RankSeen::Signalled::perhaps;
    if (whole_ && met_ && rank.memory.fresh && rank.work.want == core::RankWork::Want::run) {
      rank.busy = true;
      enqueue({name, SlurmStep::submit, 0});
    }
  }
  if (!whole) return;
  for (auto& [name, rank] : ranks_)
    if (!wanted.contains(name)) let_go(rank);
  whole_ = want_list_ = true;
}

// Under the lock. One whose end was not heard of is looked for in the next list.
void SlurmEngine::let_go(Rank& rank) {
  SlurmMemory& m = rank.memory;
  const bool ended = m.final || (m.marker && m.marker->ended_at);
  if (!m.done && !ended) {
    m.touched_at = now();
    want_list_ = true;
  }
  m.done = true;
}

void SlurmEngine::desire_whole(std::vector<core::RankWork> ranks) {
  desire(std::move(ranks), true);
  wake();
}
void SlurmEngine::desire_also(std::vector<core::RankWork> ranks) {
  const bool stops = std::ranges::any_of(
      ranks, [](const core::RankWork& w) { return w.want == core::RankWork::Want::stop; });
  desire(std::move(ranks), false);
  if (stops) wake();
}

void SlurmEngine::done_with(std::vector<Done> ranks) {
  const base::Guard lock(mutex_);
  for (const Done& done : ranks) {
    const auto name = names_.find({done.job, done.generation, done.rank});
    if (name == names_.end()) continue;
    const auto found = ranks_.find(name->second);
    let_go(found->second);
    const auto& marker = found->second.memory.marker;
    if (!found->second.busy && marker && marker->ended_at) forget(name->second);
  }
}

void SlurmEngine::hold_back(std::vector<std::string> machines) {
  std::set<std::string> held(machines.begin(), machines.end());
  {
    const base::Guard lock(mutex_);
    if (held_ == held) return;
    held_ = std::move(held);
    look_again_ = true;
  }
  wake();
}

EngineHealth SlurmEngine::health() const {
  const base::Guard lock(mutex_);
  return health_;
}

base::Try<std::unique_ptr<ExecSession>> SlurmEngine::exec(const std::string&,
                                                          std::vector<std::string>, bool,
                                                          ExecEvents) {
  return base::fault("a rank on Slurm cannot be entered: slurmrestd has no terminals", false);
}
base::Try<std::vector<VolumeSeen>> SlurmEngine::volumes(std::optional<std::uint32_t>) {
  return std::vector<VolumeSeen>{};
}
base::Try<void> SlurmEngine::remove_volume(std::uint32_t, const std::string&) {
  return base::fault("a Slurm site has no volumes", false, 404);
}

// Under the lock.
SlurmRules SlurmEngine::rules() const {
  return {host_.shared->there(), host_.shared->news_delay(),
          may_renew_ ? options_.lease : Duration{0}, options_.lost, options_.stuck};
}

void SlurmEngine::enqueue(Task task) {
  tasks_.push_back(std::move(task));
  work_ready_.notify_one();
}

void SlurmEngine::forget(std::string name) {  // a copy: it may be the key of what goes
  const auto found = ranks_.find(name);
  const core::RankWork& work = found->second.work;
  host_.shared->forget_output(name);
  gone_[name] = now();
  names_.erase({work.job, work.generation, work.rank});
  ranks_.erase(found);
}

void SlurmEngine::work() {
  while (true) {
    Task task;
    {
      base::Lock lock(mutex_);
      work_ready_.wait(lock, [this] { return stopping_ || !tasks_.empty(); });
      if (stopping_) return;
      task = std::move(tasks_.front());
      tasks_.pop_front();
    }
    run(task);
  }
}

void SlurmEngine::run(const Task& task) {
  if (task.stray != 0) return do_stray(task);
  core::RankWork work;
  {
    const base::Guard lock(mutex_);
    const auto found = ranks_.find(task.name);
    if (found == ranks_.end()) return;
    work = found->second.work;
  }
  switch (task.step) {
    case SlurmStep::submit:
      return do_submit(task.name, work);
    case SlurmStep::look:
      return do_look(task.name, work);
    case SlurmStep::term:
    case SlurmStep::kill:
      return do_signal(task.name, work, task.step);
    case SlurmStep::renew:
      return do_renew(task.name);
    case SlurmStep::report_ended:
    case SlurmStep::report_absent:
      return do_absent(task.name, work);
    default:
      return finish(task.name, [](SlurmMemory&) {});
  }
}

void SlurmEngine::finish(const std::string& name, const std::function<void(SlurmMemory&)>& change,
                         std::optional<core::RankSeen> report) {
  {
    const base::Guard lock(mutex_);
    const auto found = ranks_.find(name);
    if (found == ranks_.end()) return;
    change(found->second.memory);
    found->second.busy = false;
    if (report && report->state == State::running)
      found->second.memory.last = report;
    else if (report && !found->second.memory.final)
      found->second.memory.final = report;
  }
  if (report) emit({std::move(*report)});
}

void SlurmEngine::later(const std::string& name, const base::Fault& fault) {
  int failures = 0;
  finish(name, [&](SlurmMemory& m) {
    failures = ++m.failures;
    const auto backoff = Duration::millis(100LL << std::min(failures, 10));
    m.not_before = now() + std::min(backoff, kLongestBackoff);
  });
  if (failures == 3) base::log_warn("slurm: {}: {}", name, fault.message);
}

base::Try<net::Response> SlurmEngine::call(net::Request request, Duration timeout,
                                           std::size_t most_bytes) {
  auto headers = token_.headers(now());
  if (!headers) return std::unexpected(headers.error());
  for (net::Header& h : *headers) request.headers.push_back(std::move(h));
  net::CallOptions options;
  options.timeout = timeout;
  options.max_body_bytes = most_bytes;
  options.cancel = &stopping_;
  return host_.transport->call(request, options);
}

base::Try<std::vector<SlurmJob>> SlurmEngine::jobs_in(const net::Response& answer) const {
  auto jobs = parse_jobs(answer, comment_);
  if (!jobs) return jobs;
  for (SlurmJob& job : *jobs)
    for (Instant* at : {&job.started_at, &job.ended_at})
      if (at->us != 0) *at = cluster_clock_.ours(*at);
  return jobs;
}

std::optional<SlurmMarker> SlurmEngine::marker_of(const std::string& rank) const {
  auto marker = host_.shared->marker(rank);
  if (!marker) return marker;
  marker->started_at = cluster_clock_.ours(marker->started_at);
  if (marker->ended_at) marker->ended_at = cluster_clock_.ours(*marker->ended_at);
  return marker;
}

std::optional<std::string> SlurmEngine::cannot_run(const core::RankWork& work) const {
  if (work.command.empty())
    return "there is no command: this Slurm site runs plain processes, and an image's own command "
           "is not known to it";
  if (!work.volumes.empty())
    return "a volume cannot be mounted: this Slurm site runs plain processes; they keep files in "
           "their home folder";
  if (work.gpu_milli < 1000) return "a share of a GPU cannot be had from Slurm through Ampacity";
  if (leased_gpus(work) > 0 && !node_kind_.contains(work.node))
    return "Slurm has no node " + work.node;
  return std::nullopt;
}

std::vector<GangPlace> SlurmEngine::gang_of(const core::RankWork& work) const {
  std::vector<GangPlace> gang;
  if (work.size < 2) return gang;
  for (std::uint32_t r = 0; r < work.size; ++r) {
    core::RankWork peer;
    peer.job_name = work.job_name;
    peer.generation = work.generation;
    peer.rank = r;
    const auto found = ranks_.find(peer.container_name());
    if (found == ranks_.end()) return {};
    const std::string& node = found->second.work.node;
    const auto address = node_address_.find(node);
    gang.push_back({node, address == node_address_.end() ? node : address->second});
  }
  return gang;
}

SlurmSubmission SlurmEngine::submission(const core::RankWork& work, bool again) const {
  const std::string name = work.container_name();
  const WrapperPlan plan{host_.shared->marker_path(name), gang_of(work)};
  SlurmSubmission s;
  s.name = name;
  s.comment = comment_;
  s.script = slurm_wrapper(work, plan);
  s.env = {{"PATH", "/usr/local/bin:/usr/bin:/bin"},
           {"HOME", host_.shared->home_path(work.project)}};
  s.partition = partition_;
  s.reservation = reservation_;
  s.node = work.node;
  s.directory = host_.shared->home_path(work.project);
  s.output = host_.shared->output_path(name);
  if (const std::uint32_t gpus = leased_gpus(work); gpus > 0) {
    const std::string& kind = node_kind_.at(work.node);
    s.gres = kind == "gpu" ? fmt::format("gpu:{}", gpus) : fmt::format("gpu:{}:{}", kind, gpus);
  }
  s.exclusive = work.whole_node;
  s.singleton = again || !host_.shared->there();
  s.cpus = std::max<std::int64_t>(1, (work.cpu_milli + 999) / 1000);
  s.memory_mib = work.memory_mib;
  s.limit_min = rules().lease.whole_seconds() / 60;
  return s;
}

void SlurmEngine::do_submit(const std::string& name, const core::RankWork& work) {
  SlurmSubmission what;
  std::optional<std::string> never;
  bool unwanted = false, make_home = false;
  const Instant asked = now();
  {
    const base::Guard lock(mutex_);
    const auto found = ranks_.find(name);
    if (found == ranks_.end()) return;
    SlurmMemory& m = found->second.memory;
    unwanted = found->second.work.want == core::RankWork::Want::stop || m.done;
    never = cannot_run(work);
    if (!never && !unwanted) {
      what = submission(work, m.asked_at.us != 0 || !m.fresh);
      m.limit_min = what.limit_min;
      m.asked_at = asked;
      make_home = homes_.insert(work.project).second;
    }
  }
  if (unwanted) return finish(name, [](SlurmMemory&) {});
  if (never)
    return finish(
        name, [](SlurmMemory&) {}, slurm_seen(work, State::failed_to_start, *never));
  if (make_home) {
    if (auto made = host_.shared->make_home(work.project); !made)
      base::log_warn("slurm: {}", made.error().message);
  }
  auto answer = call(codec().submit(what), kPatience);
  const auto id =
      answer ? parse_submitted(*answer) : base::Try<std::uint32_t>(std::unexpected(answer.error()));
  const Instant told = now();
  if (id) {
    return finish(name, [&](SlurmMemory& m) {
      m.job_id = *id;
      m.touched_at = told;
      m.unsure_until = {};
      m.failures = 0;
    });
  }
  const base::Fault fault = id.error();
  // Slurm said no: it is not there. Anything else: it may be.
  const bool said_no = answer && answer->status >= 400 && is_refusal(fault);
  int tries = 0;
  {
    const base::Guard lock(mutex_);
    const auto found = ranks_.find(name);
    if (found == ranks_.end()) return;
    SlurmMemory& m = found->second.memory;
    m.touched_at = told;
    reserve_again_ = reserve_again_ || fault.status == slurm_no_reservation;
    if (said_no) {
      m.asked_at = {};
    } else {
      PROBE("slurm: a submission that may have been");
      m.unsure_until = told + options_.settle;
    }
    tries = m.failures;
  }
  if (said_no && (refused_for_good(fault) || tries + 1 >= kMostSubmits))
    return finish(
        name, [](SlurmMemory&) {}, slurm_seen(work, State::failed_to_start, fault.message));
  later(name, fault);
}

// The one job, freshly asked for, and its marker, freshly read.
void SlurmEngine::do_look(const std::string& name, const core::RankWork& work) {
  std::uint32_t id = 0;
  std::optional<SlurmJob> listed;  // its end, before Slurm forgot it
  {
    const base::Guard lock(mutex_);
    const auto found = ranks_.find(name);
    if (found == ranks_.end()) return;
    SlurmMemory& m = found->second.memory;
    id = m.marker ? m.marker->job_id : m.job ? m.job->id : m.job_id;
    if (m.job && m.job->id == id && m.job->state == SlurmState::ended) listed = m.job;
    m.looked_at = now();
  }
  auto answer = call(codec().job(id), kPatience);
  if (!answer) return later(name, answer.error());
  auto jobs = jobs_in(*answer);
  if (!jobs && jobs.error().status != slurm_no_such_job) return later(name, jobs.error());
  const auto marker = marker_of(name);
  if (marker && marker->ended_at) {
    const base::Guard lock(mutex_);
    if (const auto found = ranks_.find(name); found != ranks_.end())
      (void)note_marker(found->second, *marker);
  }
  if (marker && marker->ended_at) return do_absent(name, work);
  if (!jobs) jobs.emplace();
  // A cluster that lost its state numbers its jobs anew.
  std::erase_if(*jobs, [&](const SlurmJob& job) { return job.name != name; });
  if (jobs->empty() && listed) {
    PROBE("slurm: forgotten between a list and a look");
    jobs->push_back(*listed);
  }
  if (jobs->empty()) {
    const base::Guard lock(mutex_);
    want_list_ = true;
    if (const auto found = ranks_.find(name); found != ranks_.end()) {
      found->second.memory.job.reset();
      found->second.memory.touched_at = now();
      found->second.busy = false;
    }
    return;
  }
  const SlurmJob& job = jobs->front();
  std::optional<core::RankSeen> end;
  if (job.state == SlurmState::ended) {
    host_.shared->copy_output(name, now(), true);
    const base::Guard lock(mutex_);
    if (const auto found = ranks_.find(name); found != ranks_.end()) {
      if (marker) found->second.memory.marker = marker;
      end = ended_by_job(found->second.work, found->second.memory, rules(), job, now());
    }
  }
  finish(
      name,
      [&](SlurmMemory& m) {
        m.job = job;
        m.failures = 0;
      },
      end);
}

// An end that the marker tells; or, if it tells none after all, none that anybody can tell.
void SlurmEngine::do_absent(const std::string& name, const core::RankWork& work) {
  const auto marker = marker_of(name);
  host_.shared->copy_output(name, now(), true);
  std::optional<core::RankSeen> end;
  {
    const base::Guard lock(mutex_);
    const auto found = ranks_.find(name);
    if (found == ranks_.end()) return;
    SlurmMemory& m = found->second.memory;
    if (marker) m.marker = marker;
    if (m.marker && m.marker->ended_at) {
      end = ended_by_marker(work, m);
    } else {
      PROBE("slurm: lost");
      end = slurm_seen(work, State::absent,
                       "Slurm no longer knows it, and it left no word of its end: its state was "
                       "lost, or it was killed while nobody watched");
      if (m.marker)
        end->started_at = m.marker->started_at;
      else if (m.last)
        end->started_at = m.last->started_at;
      end->ended_at = m.seen_running_at;  // 0: not seen running in this life
    }
    if (m.final) end = m.final;
  }
  finish(
      name, [](SlurmMemory&) {}, end);
}

// A number is one job's only as long as Slurm keeps its state: then they begin anew. An end that is
// told here may be told for the last time.
base::Try<void> SlurmEngine::still_its(std::uint32_t id, const std::string& name) {
  auto answer = call(codec().job(id), kPatience);
  if (!answer) return std::unexpected(answer.error());
  auto jobs = jobs_in(*answer);
  if (!jobs) return std::unexpected(jobs.error());
  const auto its = std::ranges::find(*jobs, name, &SlurmJob::name);
  if (its == jobs->end() && !base::planted("numbers-believed"))
    return base::fault(fmt::format("Slurm's job {} is another's now", id), false,
                       slurm_no_such_job);
  if (its == jobs->end() || its->state != SlurmState::ended) return {};
  const base::Guard lock(mutex_);
  if (const auto rank = ranks_.find(name); rank != ranks_.end()) rank->second.memory.job = *its;
  return base::fault(fmt::format("Slurm's job {} has ended", id), false, slurm_job_finished);
}

void SlurmEngine::do_signal(const std::string& name, const core::RankWork& work, SlurmStep step) {
  std::uint32_t id = 0;
  {
    const base::Guard lock(mutex_);
    const auto found = ranks_.find(name);
    if (found == ranks_.end()) return;
    SlurmMemory& m = found->second.memory;
    id = m.marker ? m.marker->job_id : m.job ? m.job->id : m.job_id;
  }
  base::Try<void> done = still_its(id, name);
  if (done) {
    {
      const base::Guard lock(mutex_);
      const auto found = ranks_.find(name);
      if (found == ranks_.end()) return;
      // Before it is: a list may tell of its end before the answer is here.
      found->second.memory.signalled = core::RankSeen::Signalled::yes;
    }
    auto answer = call(codec().signal(id, step == SlurmStep::kill ? "KILL" : "TERM"), kPatience);
    done = answer ? parse_done(*answer) : base::Try<void>(std::unexpected(answer.error()));
  }
  const int said = done ? 0 : done.error().status;
  if (!done && said != slurm_no_such_job && said != slurm_job_finished)
    return later(name, done.error());
  {
    const base::Guard lock(mutex_);
    want_list_ = true;
  }
  finish(name, [&, at = now()](SlurmMemory& m) {
    m.failures = 0;
    if (m.term_at.us == 0) m.term_at = at;
    if (step == SlurmStep::kill && done) m.kill_at = at;
    m.taken_back = m.taken_back || (work.want == core::RankWork::Want::run && !m.done);
    m.not_before = at + Duration::millis(200);  // what it comes to, a look says
    m.touched_at = at;
    if (m.job && m.job->state <= SlurmState::running && !(m.marker && step == SlurmStep::term))
      m.job->state = SlurmState::completing;
    if (m.done) m.job.reset();
  });
}

void SlurmEngine::do_renew(const std::string& name) {
  std::uint32_t id = 0;
  std::int64_t minutes = 0;
  {
    const base::Guard lock(mutex_);
    const auto found = ranks_.find(name);
    if (found == ranks_.end()) return;
    const SlurmMemory& m = found->second.memory;
    id = m.marker ? m.marker->job_id : m.job ? m.job->id : m.job_id;
    minutes = lease_limit(m, rules(), now());
  }
  base::Try<void> done = still_its(id, name);
  if (done) {
    auto answer = call(codec().limit(id, minutes), kPatience);
    done = answer ? parse_done(*answer) : base::Try<void>(std::unexpected(answer.error()));
  }
  if (!done && done.error().status == slurm_access_denied) {
    base::log_error(
        "slurm: this user may not extend time limits: running jobs end at theirs, later ones have "
        "none");
    const base::Guard lock(mutex_);
    may_renew_ = false;
  } else if (!done) {
    return later(name, done.error());
  }
  finish(name, [&](SlurmMemory& m) {
    if (done) m.limit_min = minutes;
    m.failures = 0;
  });
}

void SlurmEngine::do_stray(const Task& task) {
  base::log_warn("slurm: ending job {} ({}): nobody wants it", task.stray, task.name);
  (void)call(codec().signal(task.stray, "KILL"), kPatience);
  const base::Guard lock(mutex_);
  want_list_ = true;
  strays_busy_.erase(task.stray);  // if it lives, whatever was answered, the next list has it again
}

}  // namespace ampacity::engines
