// The loop: keep the service up, list everything, compare, hand out tasks.
#include <fmt/format.h>

#include <algorithm>

#include "base/chaos.h"
#include "base/log.h"
#include "engines/container_engine.h"

namespace ampacity::engines {
namespace {
constexpr base::Duration kLookForForgotten = base::Duration::seconds(8);
constexpr std::size_t kMostNamed = 5;
}  // namespace

void ContainerEngine::wake() {
  {
    base::Guard lock(mutex_);
    woken_ = true;
  }
  changed_.notify_all();
}

base::Duration ContainerEngine::until_next() const {
  std::int64_t wait = options_.period.us;
  base::Instant at = passed();
  for (const auto& [name, rank] : ranks_) {
    if (rank.busy) continue;
    auto when = due(rank.work, rank.memory);
    if (when && *when > at) wait = std::min(wait, (*when - at).us);
  }
  return {std::max<std::int64_t>(wait, 5'000)};
}

void ContainerEngine::loop() {
  while (!stopping_) {
    pass();
    base::Lock lock(mutex_);
    changed_.wait_for(lock, until_next(), [this] { return woken_ || stopping_; });
    woken_ = false;
  }
}

// Restarts a dead service, at most every 30 s, sooner at first.
bool ContainerEngine::keep_service() {
  if (host_->service_alive()) return true;
  unreachable("podman's service died; containers go on without it");
  if (passed() < service_retry_at_) return false;
  auto up = host_->ensure_service();
  if (up) {
    service_failures_ = 0;
    base::log_warn("engines: podman's service had died: started again");
    return true;
  }
  service_failures_ = std::min(service_failures_ + 1, 5);
  service_retry_at_ = passed() + base::Duration::seconds(std::min(1 << service_failures_, 30));
  unreachable(up.error().message);
  return false;
}

std::optional<std::vector<ListedContainer>> ContainerEngine::list_all() {
  auto answer = call(dialect_->list(options_.cloud), 20);
  if (stopping_) return std::nullopt;
  if (!answer) {
    unreachable(answer.error().message);
    return std::nullopt;
  }
  if (answer->status != 200) {
    unreachable("list: " + dialect_->message(answer->body));
    return std::nullopt;
  }
  auto listed = dialect_->parse_list(answer->body);
  if (!listed && base::planted("bad-list-is-empty")) listed = std::vector<ListedContainer>{};
  if (!listed) {
    unreachable(listed.error().message);
    return std::nullopt;
  }
  EngineHealth found = health();
  found.reachable = true;
  found.note = host_note_;
  set_health(found);
  return std::move(*listed);
}

void ContainerEngine::pass() {
  if (BUGGIFY("engine: a pass is left out")) return;
  if (!keep_service()) return repeat_ends();
  const base::Instant began = passed(), began_by_clock = now();
  {
    base::Guard lock(mutex_);
    gone_since_list_.clear();
  }
  auto listed = list_all();
  if (!listed) return repeat_ends();
  apply_plans(*listed, began, began_by_clock, end_forgotten(*listed));
  bool sweep = false;
  {
    base::Guard lock(mutex_);
    std::swap(sweep, sweep_networks_);
  }
  if (sweep) sweep_networks();
}

// Who is not reached has nothing new to say; but what was seen of it may not be committed yet.
void ContainerEngine::repeat_ends() {
  Seen seen;
  {
    base::Guard lock(mutex_);
    for (const auto& [name, rank] : ranks_)
      if (rank.memory.final && !rank.memory.done) seen.push_back(*rank.memory.final);
  }
  emit(std::move(seen));
}

// Processes whose container podman knows no more, though it did not end them: it was killed in the
// midst of a start. Who is found in two looks, each with a list of its own, has no container: what
// was made after the first list is in the second. Says the names of those found.
std::vector<std::string> ContainerEngine::end_forgotten(
    const std::vector<ListedContainer>& listed) {
  if (!host_->owns_service() || passed() < next_forgotten_) return {};
  next_forgotten_ = passed() + kLookForForgotten;
  std::set<std::string> known, found;
  for (const auto& one : listed) known.insert(one.id);
  std::vector<std::string> names;
  for (const Minder& minder : host_->minders()) {
    // Others' may be in our podman's store, too, without our label: their names are not ours.
    if (known.contains(minder.container_id) || !minder.name.starts_with("job-")) continue;
    names.push_back(minder.name);
    found.insert(minder.container_id);
    if (!forgotten_.contains(minder.container_id)) continue;
    if (base::planted("forgotten-kept")) continue;
    PROBE("engine: podman forgot one");
    base::log_warn("engines: ending what podman has forgotten: {}, process {}", minder.name,
                   minder.pid);
    host_->end_minder(minder);
  }
  forgotten_ = std::move(found);
  return names;
}

// Under the lock. Who runs and is not wanted: never was, or is fenced.
void ContainerEngine::count_strays(const std::vector<ListedContainer>& listed,
                                   std::vector<std::string> forgotten,
                                   base::Instant began_by_clock) {
  std::vector<std::string> strays = std::move(forgotten);
  for (const auto& one : listed) {
    if (one.state != ContainerState::running || gone_since_list_.contains(one.name)) continue;
    const auto rank = ranks_.find(one.name);
    if (rank == ranks_.end() || rank->second.memory.done) strays.push_back(one.name);
  }
  health_.listed_at = began_by_clock;
  health_.strays = static_cast<std::uint32_t>(strays.size());
  if (strays.size() > kMostNamed) strays.resize(kMostNamed);
  if (!strays.empty())
    health_.note += fmt::format("{}runs unwanted: {}", health_.note.empty() ? "" : "; ",
                                fmt::join(strays, ", "));
}

void ContainerEngine::apply_plans(const std::vector<ListedContainer>& listed,
                                  base::Instant list_began, base::Instant began_by_clock,
                                  std::vector<std::string> forgotten) {
  std::map<std::string, const ListedContainer*> by_name;
  for (const auto& one : listed) by_name.emplace(one.name, &one);
  Seen seen;
  {
    base::Guard lock(mutex_);
    base::Instant at = passed();
    if (whole_) count_strays(listed, std::move(forgotten), began_by_clock);
    base::Instant all_ran = whole_ ? began_by_clock : base::Instant{};
    for (auto it = ranks_.begin(); it != ranks_.end();) {
      auto& [name, rank] = *it;
      auto found = by_name.find(name);
      const ListedContainer* one = found == by_name.end() ? nullptr : found->second;
      if (one != nullptr && one->state == ContainerState::running && !rank.memory.final) {
        rank.memory.seen_running_at = began_by_clock;
        rank.memory.last_seen = list_began;
      }
      // Until its end is committed it is thought to run, and did when it was last seen to.
      const bool thought_to_run = (rank.work.confirmed || rank.memory.ran) && !rank.memory.done;
      const bool runs = one != nullptr && one->state == ContainerState::running;
      if (thought_to_run && (!runs || rank.memory.final))
        all_ran = std::min(all_ran, rank.memory.seen_running_at);
      if (rank.busy) {
        ++it;
        continue;
      }
      Planned planned = plan(rank.work, rank.memory, one, allows_.boot, list_began, at);
      if (planned.step == Step::forget) {
        sweep_networks_ = sweep_networks_ || !rank.work.network.empty();
        it = ranks_.erase(it);
        removed_.notify_all();
        continue;
      }
      apply_plan(rank, planned, seen);
      ++it;
    }
    health_.seen_at = std::max(health_.seen_at, all_ran);
    for (const auto& [name, one] : by_name) {
      if (base::planted("strays-kept")) continue;
      if (!whole_ || ranks_.contains(name) || strays_busy_.contains(name)) continue;
      if (gone_since_list_.contains(name)) continue;
      strays_busy_.insert(name);
      tasks_.push_back({name, Step::remove, "stray", true});
      work_ready_.notify_all();  // one might be a puller
    }
  }
  emit(std::move(seen));
}

// Under the lock.
void ContainerEngine::apply_plan(Rank& rank, const Planned& planned, Seen& seen) {
  std::string name = rank.work.container_name();
  switch (planned.step) {
    case Step::none:
    case Step::forget:
      return;
    case Step::repeat:
      if (rank.memory.final) {
        seen.push_back(*rank.memory.final);
      } else if (rank.memory.last) {
        seen.push_back(*rank.memory.last);
      }
      return;
    case Step::report_absent: {
      PROBE("engine: gone");
      if (rank.memory.unread) {  // how it ended was seen
        PROBE("engine: gone before its log was read");
        base::log_warn("engines: {}: the end of its log is lost: its container is gone", name);
        rank.memory.final = rank.memory.unread;
        seen.push_back(*rank.memory.final);
        return;
      }
      auto gone = seen_of(rank.work, core::RankSeen::State::absent, planned.why);
      if (rank.memory.last) gone.started_at = rank.memory.last->started_at;
      gone.ended_at = rank.memory.seen_running_at;  // 0: not seen running in this life
      if (gone.ended_at.us && gone.started_at.us && rank.memory.asked.us)  // no step of the clock
        gone.ended_at =
            std::min(gone.ended_at, gone.started_at + (rank.memory.last_seen - rank.memory.asked));
      rank.memory.final = gone;
      seen.push_back(gone);
      return;
    }
    default:
      enqueue({name, planned.step, planned.why, false});
  }
}

void ContainerEngine::watch_events() {
  int failures = 0;
  while (!stopping_) {
    std::string buffer;
    net::CallOptions options;
    options.timeout = base::Duration{0};
    options.cancel = &stopping_;
    auto answer = client_->stream(
        dialect_->events(options_.cloud),
        [&](std::string_view bytes) {
          failures = 0;
          buffer.append(bytes);
          for (std::size_t end; (end = buffer.find('\n')) != std::string::npos;) {
            on_event_line(std::string_view(buffer).substr(0, end));
            buffer.erase(0, end + 1);
          }
          return !stopping_ && buffer.size() < (1 << 20);
        },
        options);
    if (stopping_) return;
    wake();  // the stream broke: compare at once
    failures = std::min(failures + 1, 6);
    base::Lock lock(mutex_);
    stopped_.wait_for(lock, base::Duration::millis(50 << failures),
                      [this] { return stopping_.load(); });
  }
}

void ContainerEngine::on_event_line(std::string_view line) {
  auto name = dialect_->parse_end_event(line);
  if (!name) return;
  base::Guard lock(mutex_);
  auto found = ranks_.find(*name);
  if (found == ranks_.end()) return;
  Rank& rank = found->second;
  if (rank.memory.final || rank.memory.done) return;
  rank.look_again = true;
  if (!rank.busy) follow_up(*name, rank);
}

}  // namespace ampacity::engines
