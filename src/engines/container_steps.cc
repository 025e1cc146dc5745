// What workers do to one rank at a time.
#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <filesystem>

#include "base/chaos.h"
#include "base/log.h"
#include "engines/container_engine.h"
#include "engines/host_limits.h"
#include "engines/log_copy.h"

namespace ampacity::engines {
namespace {

using State = core::RankSeen::State;
using Signalled = core::RankSeen::Signalled;

constexpr const char* kPull = "pull";      // a create task that fetches the image
constexpr const char* kPulled = "pulled";  // and one after that
constexpr base::Duration kRemovalPause = base::Duration::seconds(3);  // a busy host's removal
constexpr base::Duration kDying = base::Duration::millis(200);
constexpr base::Duration kMeasured = base::Duration::seconds(2);  // how well we know its clock
constexpr int kMostTries = 3;  // of a start the engine refuses for no permanent reason

bool permanent(std::string_view said) {
  constexpr std::array kWords = {"OCI runtime",      "not found",           "no such file",
                                 "ermission denied", "xecutable file",      "invalid",
                                 "unresolvable",     "must be an absolute", "not a directory"};
  return std::any_of(kWords.begin(), kWords.end(), [said](std::string_view word) {
    return said.find(word) != std::string_view::npos;
  });
}

base::Instant clamp(base::Instant t, base::Instant low, base::Instant high) {
  return std::max(low, std::min(t, high));
}

// Only a named volume of the project at a plain absolute path: nothing of the host's.
std::optional<std::string> wrong_mount(const core::VolumeMount& mount) {
  auto fine = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.';
  };
  if (mount.volume.empty() || mount.volume.size() > 100 ||
      !std::all_of(mount.volume.begin(), mount.volume.end(), fine)) {
    return fmt::format("volume name '{}': letters, digits, '-', '_' and '.' only", mount.volume);
  }
  std::filesystem::path path = mount.path;
  bool odd = !path.is_absolute() || path == "/" || path.lexically_normal() != path;
  for (const char* taken : {"/proc", "/sys", "/dev"}) {
    odd = odd || mount.path == taken || mount.path.starts_with(std::string(taken) + "/");
  }
  if (odd) return fmt::format("volume path '{}': a plain absolute path is needed", mount.path);
  return std::nullopt;
}

}  // namespace

void ContainerEngine::enqueue(Task task, bool pull) {
  auto found = ranks_.find(task.name);
  if (found != ranks_.end()) {
    found->second.busy = true;
    found->second.look_again = false;
  }
  (pull ? pulls_ : tasks_).push_back(std::move(task));
  work_ready_.notify_all();
}

void ContainerEngine::work(std::deque<Task>& queue) {
  while (true) {
    Task task;
    {
      base::Lock lock(mutex_);
      work_ready_.wait(lock, [&] { return stopping_ || !queue.empty(); });
      if (stopping_) return;
      task = std::move(queue.front());
      queue.pop_front();
    }
    run_task(task);
  }
}

void ContainerEngine::run_task(const Task& task) {
  if (task.step == Step::remove) return do_remove(task);
  core::RankWork work;
  {
    base::Guard lock(mutex_);
    auto found = ranks_.find(task.name);
    if (found == ranks_.end()) return;
    work = found->second.work;
  }
  switch (task.step) {
    case Step::create:
      if (task.why == kPull) return do_pull(task.name, work);
      return do_create(task.name, work, task.why == kPulled);
    case Step::start:
      return do_start(task.name, work);
    case Step::term:
    case Step::kill:
      return do_signal(task.name, work, task.step);
    case Step::report_unstarted:
      return do_unstarted(task.name, work, task.why);
    default:
      return do_look(task.name, work);
  }
}

// What must follow at once, without waiting for a list. Under the lock; the rank is free.
void ContainerEngine::follow_up(const std::string& name, Rank& rank) {
  RankMemory& memory = rank.memory;
  if (memory.done) {
    if (passed() >= memory.not_before) enqueue({name, Step::remove, {}, false});
    return;
  }
  if (memory.final) return;
  if (rank.look_again) return enqueue({name, Step::look, {}, false});
  bool running = memory.last && memory.last->state == State::running;
  if (rank.work.want != core::RankWork::Want::stop || passed() < memory.not_before) return;
  if (running && memory.term_at.us == 0) {
    enqueue({name, rank.work.grace_s > 0 ? Step::term : Step::kill, {}, false});
  }
}

void ContainerEngine::finish(const std::string& name,
                             const std::function<void(RankMemory&)>& change,
                             std::optional<core::RankSeen> report) {
  bool compare = false;
  {
    base::Guard lock(mutex_);
    auto found = ranks_.find(name);
    if (found == ranks_.end()) return;
    Rank& rank = found->second;
    rank.memory.touched_at = passed();
    rank.memory.not_before = {};
    if (report) {
      bool goes_on = report->state == State::running || report->state == State::pulling;
      (goes_on ? rank.memory.last : rank.memory.final) = report;
    }
    change(rank.memory);
    rank.busy = false;
    follow_up(name, rank);
    compare = !rank.busy;  // the loop's next wait depends on this rank
  }
  if (compare) changed_.notify_all();
  if (report) emit({std::move(*report)});
}

void ContainerEngine::later(const std::string& name, const base::Fault& fault) {
  if (stopping_) return;
  base::log_warn("engines: {}: {}", name, fault.message);
  finish(name, [](RankMemory& memory) {
    memory.failures = std::min(memory.failures + 1, 7);
    memory.not_before = passed() + base::Duration::millis(200 << memory.failures);
  });
  wake();
}

void ContainerEngine::fail(const std::string& name, const core::RankWork& work, std::string why) {
  finish(
      name, [](RankMemory&) {}, seen_of(work, State::failed_to_start, std::move(why)));
}

bool ContainerEngine::still_wanted(const std::string& name) const {
  base::Guard lock(mutex_);
  auto found = ranks_.find(name);
  return found != ranks_.end() && !found->second.memory.done &&
         found->second.work.want == core::RankWork::Want::run;
}

void ContainerEngine::do_create(const std::string& name, const core::RankWork& work, bool pulled) {
  for (const auto& mount : work.volumes) {
    if (auto wrong = wrong_mount(mount)) return fail(name, work, *wrong);
  }
  if (!work.emulated && !work.gpu_uuids.empty() && !health().hands_over_gpus) {
    return fail(name, work, "this engine cannot hand over a GPU: " + host_note_);
  }
  CreateContext context = context_for(work);
  if (host_->has_log(context.log_path) && !base::planted("started-twice")) {
    // It wrote a log once: if it is not there now it is lost, and must not be started again.
    auto found = call(dialect_->inspect(name), 20);
    if (!found) return later(name, found.error());
    if (found->status == 404) {
      return finish(
          name, [](RankMemory&) {},
          seen_of(work, State::absent, "its log is here, the container is gone"));
    }
  }
  if (auto made = ensure_volumes(work); !made) return later(name, made.error());
  if (auto made = ensure_network(work, context.subnet); !made) return later(name, made.error());
  auto answer = call(dialect_->create(work, context), 60);
  if (!answer) return later(name, answer.error());
  if (answer->status == 503 || answer->status == 429)  // not now: start-up, too busy
    return later(name, base::Fault{dialect_->message(answer->body), true, answer->status});
  switch (dialect_->judge(answer->status, answer->body)) {
    case Verdict::ok:
      return do_start(name, work);
    case Verdict::exists:
      return do_take_over(name, work);
    case Verdict::no_image:
      if (pulled) return fail(name, work, "the image came, but not under its name: " + work.image);
      break;
    default:
      return fail(name, work, dialect_->message(answer->body));
  }
  auto pulling = seen_of(work, State::pulling, "fetching " + work.image);
  {
    base::Guard lock(mutex_);
    auto found = ranks_.find(name);
    if (found == ranks_.end()) return;
    found->second.memory.last = pulling;
    enqueue({name, Step::create, kPull, false}, true);
  }
  emit({pulling});
}

// The name is taken: by us in a life before, or by what is left of a making that podman did not
// survive: then only its storage knows the name, and only removing helps.
void ContainerEngine::do_take_over(const std::string& name, const core::RankWork& work) {
  auto found = call(dialect_->inspect(name), 20);
  if (!found) return later(name, found.error());
  if (found->status != 404) return do_look(name, work);
  PROBE("engine: half made");
  if (auto gone = call(dialect_->remove(name), 60); !gone) return later(name, gone.error());
  later(name, base::Fault{"half made, and removed: it is made again"});
}

void ContainerEngine::do_pull(const std::string& name, const core::RankWork& work) {
  {
    base::Lock lock(mutex_);
    // One fetch per image: the others wait for its end, then find it there.
    stopped_.wait(lock, [&] { return stopping_ || !images_in_hand_.contains(work.image); });
    if (stopping_) return;
    images_in_hand_.insert(work.image);
  }
  auto got = obtain_image(work.image);
  {
    base::Guard lock(mutex_);
    images_in_hand_.erase(work.image);
    if (got) {
      auto found = ranks_.find(name);
      if (found != ranks_.end()) found->second.memory.last.reset();
      enqueue({name, Step::create, kPulled, false});
    }
  }
  stopped_.notify_all();
  if (got || stopping_) return;
  if (!got.error().retryable) return fail(name, work, got.error().message);
  int tries = 0;
  {
    base::Guard lock(mutex_);
    auto found = ranks_.find(name);
    if (found != ranks_.end()) tries = found->second.memory.failures;
  }
  if (tries + 1 >= kMostTries) return fail(name, work, got.error().message);
  later(name, got.error());
}

void ContainerEngine::do_start(const std::string& name, const core::RankWork& work) {
  if (!still_wanted(name)) return do_unstarted(name, work, "stopped before it started");
  if (host_->owns_service() && host_->has_log(context_for(work).log_path) &&
      !base::planted("started-twice")) {
    // A start was made, and podman died over it: it may have run. It must not run twice.
    PROBE("engine: a start that may have been");
    auto alive = kill(name);
    if (!alive || *alive) return later(name, alive ? base::Fault{"still alive"} : alive.error());
    return finish(
        name, [](RankMemory&) {}, seen_of(work, State::absent, "podman lost it while it started"));
  }
  if (const CreateContext context = context_for(work); context.user_namespaces)
    for (const auto& mount : work.volumes)
      host_->give_volume(volume_name(options_.cloud, work.project, mount.volume),
                         first_uid(context, work.project));
  int tries = 0;
  {
    base::Guard lock(mutex_);
    auto found = ranks_.find(name);
    if (found == ranks_.end()) return;
    if (found->second.memory.asked_at.us == 0) {
      found->second.memory.asked_at = now();
      found->second.memory.asked = passed();
    }
    tries = found->second.memory.failures;
  }
  if (!host_->owns_service())
    (void)host_->spool_end(context_for(work).log_path);  // do_create looks for it
  auto answer = call(dialect_->start(name), 60);
  if (!answer) return later(name, answer.error());
  Verdict verdict = dialect_->judge(answer->status, answer->body);
  if (verdict == Verdict::ok) return do_look(name, work);
  std::string said = dialect_->message(answer->body);
  if (verdict != Verdict::absent && (permanent(said) || tries + 1 >= kMostTries)) {
    return fail(name, work, said);
  }
  later(name, base::Fault{said, true, answer->status});
}

void ContainerEngine::do_look(const std::string& name, const core::RankWork& work) {
  if (BUGGIFY("engine: a look comes to nothing"))
    return later(name, base::Fault{"simulated: the look came to nothing"});
  auto answer = call(dialect_->inspect(name), 20);
  if (!answer) return later(name, answer.error());
  if (answer->status == 404) {  // whether it is gone, a list must say
    finish(name, [at = passed() + kDying](RankMemory& memory) { memory.not_before = at; });
    return wake();
  }
  if (answer->status != 200) {
    return later(name, base::Fault{dialect_->message(answer->body), true, answer->status});
  }
  auto found = dialect_->parse_inspect(answer->body);
  if (!found) return later(name, found.error());
  if (found->cloud != options_.cloud) {
    return fail(name, work, "a container of this name is there and is not ours");
  }
  if (found->state == ContainerState::created) {
    bool ran = false;
    {
      base::Guard lock(mutex_);
      auto rank = ranks_.find(name);
      ran = rank == ranks_.end() || rank->second.memory.ran || rank->second.work.confirmed;
    }
    if (!ran && !found->started_at) return do_start(name, work);
    finish(name, [](RankMemory&) {});
    return wake();
  }
  if (found->state == ContainerState::ended && found->exit_code == 137 &&
      !host_->oom_killed(found->id) && may_be_going(name)) {
    return wake();
  }
  report_inspected(name, work, *found);
}

// Killed, and not by us: whoever removes a container kills it first. It is looked at again for a
// while, to see whether it goes.
bool ContainerEngine::may_be_going(const std::string& name) {
  {
    base::Guard lock(mutex_);
    auto found = ranks_.find(name);
    if (found == ranks_.end() || found->second.memory.kill_at.us != 0) return false;
    base::Instant& since = found->second.memory.found_killed;
    if (since.us == 0) since = passed();
    if (passed() - since >= kRemovalPause) return false;
  }
  finish(name, [at = passed() + kDying](RankMemory& memory) { memory.not_before = at; });
  return true;
}

void ContainerEngine::report_inspected(const std::string& name, const core::RankWork& work,
                                       const InspectedContainer& found) {
  base::Instant observed = now();
  RankMemory memory;
  {
    base::Guard lock(mutex_);
    auto rank = ranks_.find(name);
    if (rank == ranks_.end()) return;
    memory = rank->second.memory;
  }
  if (found.state == ContainerState::removing) {
    // By whoever it was: one that podman died over stays so until it is asked again.
    if (auto gone = call(dialect_->remove(name), 60); !gone) return later(name, gone.error());
    finish(name, [at = passed() + kDying](RankMemory& m) { m.not_before = at; });
    return wake();
  }
  if (!found.started_at) {
    return fail(name, work, found.error.empty() ? "it never started" : found.error);
  }
  if (found.state == ContainerState::running) {
    auto seen = seen_of(work, State::running);
    seen.started_at = clamp(its_clock_.ours(*found.started_at), memory.asked_at, observed);
    return finish(
        name,
        [observed, started = seen.started_at](RankMemory& m) {
          m.ran = true;
          if (m.began.us == 0) m.began = passed() - (observed - started);
          m.failures = 0;
          m.seen_running_at = observed;
          m.last_seen = passed();
          if (m.first_seen.us == 0) m.first_seen = m.last_seen;
        },
        seen);
  }
  auto seen = end_of(work, memory, found, observed);
  const auto copied = copy_log(name);
  const bool gone = !copied && copied.error().status == 404;  // whether it is, a list must say
  if (gone || (!copied && !log_given_up(name, copied.error()))) {
    {
      base::Guard lock(mutex_);
      if (auto rank = ranks_.find(name); rank != ranks_.end()) {
        rank->second.memory.ran = true;
        rank->second.memory.unread = seen;
      }
    }
    return later(name, copied.error());
  }
  finish(
      name, [](RankMemory& m) { m.ran = true; }, seen);
}

core::RankSeen ContainerEngine::end_of(const core::RankWork& work, const RankMemory& memory,
                                       const InspectedContainer& found,
                                       base::Instant observed) const {
  auto seen = seen_of(work, State::ended);
  const base::Instant started =
      clamp(its_clock_.ours(*found.started_at), memory.asked_at, observed);
  const base::Duration ran = ran_for(memory, found, started, observed);
  // An engine whose clock is ahead of ours: it began before it seems to have.
  seen.started_at = std::max(memory.asked_at, std::min(started, observed - ran));
  seen.ended_at = clamp(seen.started_at + ran, seen.started_at, observed);
  if (memory.term_at.us != 0 || memory.kill_at.us != 0)
    seen.signalled = Signalled::yes;
  else if (memory.stopped_before)
    seen.signalled = Signalled::perhaps;
  seen.exit_code = found.exit_code;
  if (found.out_of_memory || (found.exit_code == 137 && host_->oom_killed(found.id))) {
    seen.out_of_memory = true;
    seen.why = fmt::format("out of memory: it needed more than its {} MiB", work.memory_mib);
  } else if (memory.kill_at.us != 0) {
    seen.why = fmt::format("killed: still running {} s after SIGTERM", work.grace_s);
  } else if (memory.term_at.us != 0) {
    seen.why = "stopped";
  } else if (found.exit_code != 0) {
    seen.why = fmt::format("exit code {}", found.exit_code);
  }
  return seen;
}

// How long it ran. By its engine's stamps, unless a clock was set while it ran: then by how long
// ago it ended. Which of the two is right nobody may know; of those that can be (no longer than has
// passed since it was asked for, no less than it was seen to run) the lesser is billed.
base::Duration ContainerEngine::ran_for(const RankMemory& memory, const InspectedContainer& found,
                                        base::Instant started, base::Instant observed) const {
  const base::Instant ended = found.ended_at.value_or(its_clock_.theirs(observed));
  const base::Duration by_stamps = found.ended_at ? ended - *found.started_at : observed - started;
  base::Duration least{0};
  if (memory.first_seen.us) least = memory.last_seen - memory.first_seen;
  const base::Duration most = memory.asked.us ? passed() - memory.asked : base::Duration{INT64_MAX};
  base::Duration ran = by_stamps;
  if (memory.asked.us && memory.began.us) {
    const base::Instant end = passed() - (observed - its_clock_.ours(ended));
    const base::Duration by_age = end - memory.began;
    const bool can_be = by_age >= least && by_age <= most;
    const bool less = by_age < by_stamps || by_stamps < least;
    if (can_be && less && std::abs(by_age.us - by_stamps.us) > kMeasured.us) ran = by_age;
  }
  ran = std::max(least, std::min(ran, most));
  if (ran != by_stamps) PROBE("engine: its clock was stepped");
  return ran;
}

void ContainerEngine::do_signal(const std::string& name, const core::RankWork& work, Step step) {
  base::Try<bool> signalled = false;
  if (step == Step::kill) {
    signalled = kill(name);
  } else if (auto answer = call(dialect_->signal(name, "TERM"), 20)) {
    signalled = answer->status < 400;
  } else {
    signalled = std::unexpected(answer.error());
  }
  if (!signalled) return later(name, signalled.error());
  if (step == Step::kill) PROBE("engine: killed after its grace");
  if (!*signalled) return do_look(name, work);  // it ended meanwhile, and nobody told us
  finish(name, [step, at = passed()](RankMemory& memory) {
    if (memory.term_at.us == 0) memory.term_at = at;
    if (step == Step::kill) memory.kill_at = at;
  });
}

base::Try<bool> ContainerEngine::kill(const std::string& name) {
  if (host_->owns_service()) {
    auto answer = call(dialect_->inspect(name), 20);
    if (!answer) return std::unexpected(answer.error());
    if (answer->status == 404) return false;
    auto found = dialect_->parse_inspect(answer->body);
    if (!found) return std::unexpected(found.error());
    if (found->pid > 1 && host_->kill_contained(found->pid, found->id)) return true;
    if (found->state != ContainerState::running) return false;
  }
  auto answer = call(dialect_->signal(name, "KILL"), 20);
  if (!answer) return std::unexpected(answer.error());
  return answer->status < 400;
}

bool ContainerEngine::known_ended(const std::string& name) const {
  base::Guard lock(mutex_);
  auto found = ranks_.find(name);
  return found != ranks_.end() && found->second.memory.final.has_value();
}

// It never ran and must not any more: what there is of it goes, its name stays ours until done.
void ContainerEngine::do_unstarted(const std::string& name, const core::RankWork& work,
                                   const std::string& why) {
  auto answer = call(dialect_->remove(name), 60);
  if (!answer) return later(name, answer.error());
  Verdict verdict = dialect_->judge(answer->status, answer->body);
  if (verdict != Verdict::ok && verdict != Verdict::absent) {
    return later(name, base::Fault{dialect_->message(answer->body), true, answer->status});
  }
  fail(name, work, why);
}

// A stray's next pass finds it again.
void ContainerEngine::remove_later(const Task& task, const base::Try<bool>& killed) {
  if (task.stray) {
    base::Guard lock(mutex_);
    strays_busy_.erase(task.name);
  } else if (!killed) {
    later(task.name, killed.error());
  } else {
    finish(task.name, [](RankMemory& memory) { memory.not_before = passed() + kDying; });
  }
}

void ContainerEngine::do_remove(const Task& task) {
  if (task.stray) PROBE("engine: a stray");
  if (task.stray) base::log_warn("engines: removing {}: nobody wants it", task.name);
  // podman forgets what it removes, dead or not: only what has ended may be removed.
  base::Try<bool> killed = false;
  if (!known_ended(task.name)) killed = kill(task.name);
  if (!killed || *killed) return remove_later(task, killed);
  auto answer = call(dialect_->remove(task.name), 60);
  if (stopping_) return;
  bool gone = false;
  if (answer) {
    Verdict verdict = dialect_->judge(answer->status, answer->body);
    gone = verdict == Verdict::ok || verdict == Verdict::absent;
  }
  std::string network;
  {
    base::Guard lock(mutex_);
    strays_busy_.erase(task.name);
    if (gone) gone_since_list_.insert(task.name);
    if (task.stray) sweep_networks_ = true;
    auto found = ranks_.find(task.name);
    if (gone && found != ranks_.end() && !task.stray) {
      network = found->second.work.network;
      ranks_.erase(found);
    }
  }
  removed_.notify_all();
  if (!network.empty()) drop_network_if_unused(network);
  if (gone || task.stray) return;
  later(task.name, answer ? base::Fault{dialect_->message(answer->body)} : answer.error());
}

}  // namespace ampacity::engines
