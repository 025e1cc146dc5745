#include "sim/replay.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <chrono>
#include <cmath>
#include <queue>

#include "core/estimate.h"
#include "sim/cloud.h"

namespace ampacity::sim {
namespace {

using base::Duration;
using base::Instant;
using core::Fact;
using SteadyClock = std::chrono::steady_clock;

constexpr Duration queue_full_retry = Duration::seconds(60);
// With nothing left but the core's own wake-ups, it is given this long to start somebody.
constexpr Duration patience = Duration::seconds(30 * 86'400);

struct Event {
  enum class Kind : std::uint8_t { end, stop, start, resubmit };
  std::int64_t at_us = 0;
  Kind kind = Kind::end;
  std::uint32_t generation = 0;
  std::uint64_t sequence = 0;
  std::uint32_t job = 0;
  bool operator>(const Event& o) const {
    return std::tie(at_us, kind, sequence) > std::tie(o.at_us, o.kind, o.sequence);
  }
};

std::int64_t ns_between(SteadyClock::time_point a, SteadyClock::time_point b) {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(b - a).count();
}

class Replay {
 public:
  Replay(const Trace& trace, const ReplayPlan& plan) : trace_(trace), plan_(plan) {
    found_cloud(world_, trace, plan.policy);
    out_.runs.resize(trace.jobs.size());
    out_.cost_of_project.resize(trace.projects.size());
    if (!trace.jobs.empty()) out_.begin = out_.end = trace.jobs.front().submit;
  }

  ReplayResult run() {
    const auto began = SteadyClock::now();
    while (turn()) {
      if ((++turns_ & 0xfff) == 0 && plan_.progress) show_progress();
    }
    close_books();
    if (plan_.progress && shown_) fmt::print(stderr, "\r\033[K");
    out_.seconds = static_cast<double>(ns_between(began, SteadyClock::now())) / 1e9;
    return std::move(out_);
  }

 private:
  // One event, or one wake-up of the core; false: there is nothing more to come.
  bool turn() {
    const bool more = next_submit_ < trace_.jobs.size();
    std::int64_t next_us = more ? trace_.jobs[next_submit_].submit.us : INT64_MAX;
    const bool event = !events_.empty() && events_.top().at_us <= next_us;
    if (event) next_us = events_.top().at_us;
    if (next_us != now_.us) {
      const std::int64_t wake_us = core_wake_us();
      if (wake_us < next_us) return tick(wake_us, next_us == INT64_MAX);
    }
    if (next_us > plan_.until.us || next_us == INT64_MAX) return false;
    now_.us = next_us;
    last_event_us_ = next_us;
    changed_ = true;
    if (!event) {
      submit(next_submit_++);
      return true;
    }
    const Event e = events_.top();
    events_.pop();
    happen(e);
    return true;
  }

  // When the core next wants a Tick, in microseconds of the trace; INT64_MAX: not at all. At the
  // present instant only if something happened in it.
  std::int64_t core_wake_us() const {
    std::int64_t wake = INT64_MAX;
    if (const auto own = world_.next_wake(at(now_.us))) {
      wake = own->us - trace_begin.us;
      if (wake <= last_tick_us_) wake = last_tick_us_ + 1'000'000;  // the Tick left it due
    }
    if (world_.queue.empty()) return wake;
    if (plan_.review_every.us == 0) return changed_ ? now_.us : wake;
    const std::int64_t period = plan_.review_every.us;
    return std::min(
        wake, std::max(now_.us, (std::max<std::int64_t>(0, last_tick_us_) / period + 1) * period));
  }

  bool tick(std::int64_t wake_us, bool nothing_else) {
    if (wake_us > plan_.until.us) return false;
    if (nothing_else && (world_.queue.empty() ? world_.deadlines.empty() || !limited_left()
                                              : wake_us - last_event_us_ > patience.us))
      return false;
    now_.us = std::max(now_.us, wake_us);
    last_tick_us_ = now_.us;
    changed_ = false;
    step(core::Tick{});
    return true;
  }

  // Does a lease run whose end only its time limit brings?
  bool limited_left() const {
    return std::any_of(world_.leased.begin(), world_.leased.end(), [&](const auto& entry) {
      return world_.state().jobs[entry.second].time_limit_s > 0;
    });
  }

  static Instant at(std::int64_t us) { return {trace_begin.us + us}; }

  // The reply to a command is its facts; they are watched, hashed and forgotten.
  bool step(const core::Command& command) {
    const auto before = SteadyClock::now();
    const auto done = core::step(world_, command, at(now_.us), actor_, facts_);
    out_.steps.add(ns_between(before, SteadyClock::now()));
    if (!done) {
      refusal_ = done.error();
      return false;
    }
    for (const Fact& fact : facts_) watch(fact);
    out_.facts += facts_.size();
    facts_.clear();
    return true;
  }

  void submit(std::size_t position) {
    JobRun& run = out_.runs[position];
    run.state = JobRun::State::waiting;
    if (step(submission(trace_, position, plan_.grace_s, plan_.oracle,
                        plan_.checkpoint_every.us == 0)))
      return estimate(position, run);
    if (refusal_.code == base::Code::queue_full) {
      push(Event::Kind::resubmit, position, 0, queue_full_retry);
      return;
    }
    run.state = JobRun::State::refused;
    run.ended_us = now_.us;
    out_.refused.add(fmt::format("job {}: {}", trace_.jobs[position].name, refusal_.message));
  }

  // What `ampacity why` would have said, asked of some of those who wait.
  void estimate(std::size_t position, JobRun& run) {
    if (run.state != JobRun::State::waiting || waited_++ % plan_.estimate_each != 0) return;
    const core::Job* job = world_.job(job_id(position));
    if (!job) return;
    if (const auto start = core::estimate_start(world_, *job, at(now_.us)))
      run.estimate_us = start->expected.us - trace_begin.us;
  }

  void push(Event::Kind kind, std::size_t job, std::uint32_t generation, Duration in) {
    events_.push({now_.us + in.us, kind, generation, sequence_++, static_cast<std::uint32_t>(job)});
  }

  void happen(const Event& e) {
    if (e.kind == Event::Kind::resubmit) return submit(e.job);
    JobRun& run = out_.runs[e.job];
    if (run.state != JobRun::State::leased || run.generation != e.generation) return;
    switch (e.kind) {
      case Event::Kind::start:
        return start(e.job, run);
      case Event::Kind::end:
        run.kept_us = trace_.jobs[e.job].run.us;
        run.succeeded = true;
        return observe_end(e.job, run, 0);
      case Event::Kind::stop:
        keep_work(e.job, run);
        return observe_end(e.job, run, 143);
      case Event::Kind::resubmit:
        break;
    }
  }

  core::RankSeen seen(std::size_t job, const JobRun& run, std::uint32_t rank) const {
    core::RankSeen s;
    s.job = job_id(job);
    s.generation = run.generation;
    s.rank = rank;
    if (run.started_us >= 0) s.started_at = at(run.started_us);
    return s;
  }

  void start(std::size_t job, JobRun& run) {
    if (run.stopping) return;  // told to stop before it began
    run.started_us = now_.us;
    const TraceJob& t = trace_.jobs[job];
    if (t.ends()) {
      const std::int64_t restart_us = run.restarts ? plan_.restart_delay.us : 0;
      const std::int64_t left_us = restart_us + std::max<std::int64_t>(0, t.run.us - run.kept_us);
      push(Event::Kind::end, job, run.generation, {std::max<std::int64_t>(1, left_us)});
    }
    const std::uint32_t generation = run.generation;
    for (std::uint32_t rank = 0; rank < t.nodes && run.generation == generation; ++rank) {
      core::RankSeen s = seen(job, run, rank);
      s.state = core::RankSeen::State::running;
      step(core::Observe{std::move(s), at(now_.us)});
    }
  }

  void observe_end(std::size_t job, const JobRun& run, std::int32_t exit_code) {
    const std::uint32_t generation = run.generation;
    for (std::uint32_t rank = 0; rank < trace_.jobs[job].nodes; ++rank) {
      if (run.state != JobRun::State::leased || run.generation != generation) return;
      core::RankSeen s = seen(job, run, rank);
      s.state = core::RankSeen::State::ended;
      s.ended_at = at(now_.us);
      s.exit_code = exit_code;
      step(core::Observe{std::move(s), at(now_.us)});
    }
  }

  // What a stop leaves of this generation's work.
  void keep_work(std::size_t job, JobRun& run) const {
    if (run.started_us < 0) return;
    std::int64_t worked = now_.us - run.started_us - (run.restarts ? plan_.restart_delay.us : 0);
    if (plan_.checkpoint_every.us > 0) worked -= worked % plan_.checkpoint_every.us;
    if (worked <= 0) return;
    run.kept_us += worked;
    if (trace_.jobs[job].ends()) run.kept_us = std::min(run.kept_us, trace_.jobs[job].run.us);
  }

  // ---- facts ------------------------------------------------------------------------------------

  void mix(std::uint64_t value) {
    std::uint64_t z = (out_.digest ^ value) + 0x9e3779b97f4a7c15ULL;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    out_.digest = z ^ (z >> 31);
  }
  void mix(const std::vector<core::Place>& places) {
    for (const core::Place& p : places) {
      mix(p.node);
      mix(p.gpu_mask);
    }
  }

  void watch(const Fact& fact) {
    mix(static_cast<std::uint64_t>(fact.at.us));
    mix(fact.body.index());
    const base::Id id = core::job_of(fact);
    mix(id.low);
    if (const auto* granted = std::get_if<core::LeaseGranted>(&fact.body))
      on_granted(job_position(id), *granted);
    else if (const auto* stop = std::get_if<core::StopOrdered>(&fact.body))
      on_stop(job_position(id), *stop);
    else if (const auto* closed = std::get_if<core::LeaseClosed>(&fact.body))
      on_closed(job_position(id), *closed);
    else if (const auto* promised = std::get_if<core::PromiseMade>(&fact.body))
      on_promise(job_position(id), *promised);
    else if (std::holds_alternative<core::JobEnded>(fact.body))
      on_ended(job_position(id), false);
  }

  void on_granted(std::size_t job, const core::LeaseGranted& f) {
    mix(f.lease.places);
    JobRun& run = out_.runs[job];
    run.state = JobRun::State::leased;
    run.generation = f.generation;
    run.granted_us = now_.us;
    run.started_us = -1;
    run.stopping = false;
    if (run.promised_us != INT64_MAX) {
      ++out_.promises;
      out_.promises_kept += now_.us <= run.promised_us;
    }
    if (run.estimate_us >= 0)
      out_.estimate_errors_us.push_back(std::abs(run.estimate_us - now_.us));
    run.promised_us = INT64_MAX;
    run.estimate_us = -1;
    push(Event::Kind::start, job, f.generation, plan_.start_delay);
  }

  void on_promise(std::size_t job, const core::PromiseMade& f) {
    mix(static_cast<std::uint64_t>(f.promise.start_by.us));
    JobRun& run = out_.runs[job];
    const std::int64_t start_by = f.promise.start_by.us - trace_begin.us;
    run.promised_us = std::min(run.promised_us, start_by);
  }

  void on_stop(std::size_t job, const core::StopOrdered& f) {
    mix(static_cast<std::uint64_t>(f.reason));
    JobRun& run = out_.runs[job];
    if (f.reason == core::StopReason::preempted)
      ++out_.preemptions, ++run.preemptions;
    else if (f.reason != core::StopReason::asked)
      ++out_.evictions;
    if (run.state != JobRun::State::leased || run.stopping) return;
    run.stopping = true;
    push(Event::Kind::stop, job, run.generation, plan_.stop_delay);
  }

  void on_closed(std::size_t job, const core::LeaseClosed& f) {
    mix(static_cast<std::uint64_t>(f.interval.billed_s));
    mix(static_cast<std::uint64_t>(f.outcome));
    JobRun& run = out_.runs[job];
    out_.leased_gpu_s += gpus_of(job) * static_cast<double>(now_.us - run.granted_us) / 1e6;
    out_.cost_of_project[trace_.jobs[job].project] += f.interval.amounts.total();
    if (!f.requeue) return on_ended(job, run.succeeded);
    run.state = JobRun::State::waiting;
    run.restarts = run.started_us >= 0 || run.restarts;
    run.succeeded = false;
  }

  void on_ended(std::size_t job, bool succeeded) {
    JobRun& run = out_.runs[job];
    run.state = JobRun::State::ended;
    run.succeeded = succeeded;
    run.ended_us = now_.us;
    out_.end = std::max(out_.end, Duration{now_.us});
    ++ended_;
  }

  double gpus_of(std::size_t job) const {
    const TraceJob& t = trace_.jobs[job];
    return static_cast<double>(t.nodes) * t.gpus_per_node * t.gpu_milli / 1000.0;
  }

  // Leases that are alive at the end, which is the last thing that happened, count up to it.
  void close_books() {
    now_.us = last_event_us_;
    if (ended_ < out_.runs.size()) out_.end = std::max(out_.end, now_);
    for (std::size_t job = 0; job < out_.runs.size(); ++job) {
      JobRun& run = out_.runs[job];
      if (run.state == JobRun::State::leased) {
        out_.leased_gpu_s += gpus_of(job) * static_cast<double>(now_.us - run.granted_us) / 1e6;
        keep_work(job, run);
      }
      out_.worked_gpu_s += gpus_of(job) * static_cast<double>(run.kept_us) / 1e6;
    }
  }

  void show_progress() {
    const auto now = SteadyClock::now();
    if (ns_between(shown_at_, now) < 1'000'000'000) return;
    shown_at_ = now;
    shown_ = true;
    fmt::print(stderr, "\r\033[Kday {:.1f}: {} of {} jobs done, {} running, {} waiting",
               static_cast<double>(now_.us) / 86.4e9, ended_, out_.runs.size(),
               world_.leased.size(), world_.queue.size());
  }

  const Trace& trace_;
  const ReplayPlan& plan_;
  core::World world_;
  ReplayResult out_;
  std::priority_queue<Event, std::vector<Event>, std::greater<>> events_;
  std::vector<Fact> facts_;
  const std::string actor_ = "sim";
  base::Refusal refusal_;
  Duration now_{-1};
  std::int64_t last_tick_us_ = -1;
  std::int64_t last_event_us_ = 0;
  std::size_t next_submit_ = 0;
  std::uint64_t sequence_ = 0;
  std::uint64_t turns_ = 0;
  std::uint64_t waited_ = 0;
  std::size_t ended_ = 0;
  bool changed_ = false;  // something happened since the last Tick
  bool shown_ = false;
  SteadyClock::time_point shown_at_ = SteadyClock::now();
};

}  // namespace

void StepTimes::add(std::int64_t ns) {
  ++count_;
  total_ns_ += ns;
  const auto v = static_cast<std::uint64_t>(std::max<std::int64_t>(ns, 16));
  const auto octave = static_cast<std::size_t>(std::bit_width(v)) - 5;  // 16…31 is the first
  ++buckets_[std::min(octave * 16 + ((v >> octave) - 16), buckets_.size() - 1)];
}

double StepTimes::quantile_us(double q) const {
  const auto rank = static_cast<std::uint64_t>(std::ceil(q * static_cast<double>(count_)));
  std::uint64_t seen = 0;
  for (std::size_t b = 0; b < buckets_.size(); ++b)
    if ((seen += buckets_[b]) >= rank && seen > 0)
      return static_cast<double>((b % 16 + 17) << (b / 16)) / 1000.0;
  return 0;
}

ReplayResult replay(const Trace& trace, const ReplayPlan& plan) {
  return Replay(trace, plan).run();
}

}  // namespace ampacity::sim
