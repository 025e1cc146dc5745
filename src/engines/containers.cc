#include "engines/containers.h"

#include <fmt/core.h>

#include <algorithm>
#include <tuple>

#include "base/chaos.h"
#include "base/log.h"
#include "engines/container_engine.h"
#include "engines/host_limits.h"

namespace ampacity::engines {
namespace {

constexpr int kWorkers = 4;
constexpr int kPullers = 2;

}  // namespace

std::unique_ptr<Engine> make_container_engine(ContainerOptions options, base::Clock& clock) {
  auto host = this_machine(options);
  return make_container_engine(std::move(options), clock, std::move(host));
}

std::unique_ptr<Engine> make_container_engine(ContainerOptions options, base::Clock& clock,
                                              std::unique_ptr<ContainerHost> host) {
  return std::make_unique<ContainerEngine>(std::move(options), clock, std::move(host));
}

std::filesystem::path log_directory(const ContainerOptions& options) {
  return options.state / "logs";
}

core::RankSeen seen_of(const core::RankWork& work, core::RankSeen::State state, std::string why) {
  core::RankSeen seen;
  seen.job = work.job;
  seen.generation = work.generation;
  seen.rank = work.rank;
  seen.state = state;
  seen.why = std::move(why);
  return seen;
}

ContainerEngine::ContainerEngine(ContainerOptions options, base::Clock& clock,
                                 std::unique_ptr<ContainerHost> host)
    : options_(std::move(options)),
      clock_(clock),
      dialect_(options_.dialect == ContainerOptions::Dialect::podman ? podman_dialect()
                                                                     : docker_dialect()),
      host_(std::move(host)),
      client_(net::gated(host_->connect(), options_.may_act)) {
  health_.kind = dialect_->kind();
}

ContainerEngine::~ContainerEngine() {
  {
    base::Guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  work_ready_.notify_all();
  stopped_.notify_all();
  removed_.notify_all();
  for (auto& thread : threads_) thread.join();
}

void ContainerEngine::probe_host() {
  allows_ = host_->allows();
  const bool podman = host_->owns_service();
  std::string note;
  auto say = [&note](const std::string& what) { note += (note.empty() ? "" : "; ") + what; };
  if (options_.user_namespaces && !allows_.user_namespaces) {
    say(podman ? "no user namespaces here: root in a container is root's id outside"
               : "docker maps user ids by daemon, not by project");
  }
  if (podman) cgroup_ = "/" + cgroup_of(options_.cloud);
  if (options_.host_cpu_milli > 0 && options_.host_memory_mib > 0) {
    std::string name = cgroup_of(options_.cloud) + "-emulated";
    auto bounded = host_->bound_group(name);
    if (bounded) {
      cgroup_emulated_ = "/" + name;
    } else {
      say("emulated nodes are not bounded together: " + bounded.error().message);
    }
  }
  health_.user_namespaces = allows_.user_namespaces;
  health_.hands_over_gpus = allows_.cdi;
  if (!podman)
    say("docker 20.10 cannot hand over a GPU safely (no CDI)");
  else if (!allows_.cdi)
    say("no CDI specification names a GPU: none can be handed over");
  host_note_ = note;
  health_.note = note;
}

// What a daemon that others set up cannot do for us.
base::Try<void> ContainerEngine::ask_daemon() {
  auto request = dialect_->daemon();
  if (!request) return {};
  auto answer = call(*request, 10);
  if (!answer) return std::unexpected(answer.error());
  auto facts = dialect_->parse_daemon(answer->body);
  if (!facts) return std::unexpected(facts.error());
  if (!facts->live_restore) host_note_ += "; without live-restore its restart ends the ranks";
  if (!facts->cgroups_by_path && !cgroup_emulated_.empty()) {
    cgroup_emulated_.clear();
    host_note_ += "; emulated nodes are not bounded together: docker leaves groups to systemd";
  }
  return {};
}

// The service may be slow on a busy host, and may die once more between its launch and the answer.
base::Try<net::Response> ContainerEngine::ask_version() {
  constexpr int most_tries = 3;
  const base::Duration patience = base::Duration::seconds(60), began = base::elapsed();
  for (int tries = 1;; ++tries) {
    if (auto up = host_->ensure_service(); !up) return std::unexpected(up.error());
    auto answer = call(dialect_->version(), 60);
    if (answer || tries == most_tries || base::elapsed() > began + patience) return answer;
    base::log_warn("engines: {}; asked again", answer.error().message);
  }
}

base::Try<void> ContainerEngine::start(EngineReports reports) {
  if (!options_.state.is_absolute()) {
    return base::fault("the state directory must be an absolute path: " + options_.state.string(),
                       false);
  }
  reports_ = std::move(reports);
  if (auto made = host_->make_log_directory(); !made) return made;
  probe_host();
  auto answer = ask_version();
  if (!answer) return std::unexpected(answer.error());
  auto version = dialect_->parse_version(answer->body);
  if (!version) return std::unexpected(version.error());
  if (auto asked = ask_daemon(); !asked) return asked;
  EngineHealth found = health();
  found.reachable = true;
  found.version = *version;
  found.note = host_note_;
  set_health(found);
  threads_.emplace_back([this] { loop(); });
  threads_.emplace_back([this] { watch_events(); });
  threads_.emplace_back([this] { meter(); });
  for (int i = 0; i < kWorkers; i++) threads_.emplace_back([this] { work(tasks_); });
  for (int i = 0; i < kPullers; i++) threads_.emplace_back([this] { work(pulls_); });
  return {};
}

void ContainerEngine::desire_whole(std::vector<core::RankWork> ranks) {
  {
    base::Guard lock(mutex_);
    std::set<std::string> wanted;
    for (const auto& work : ranks) wanted.insert(work.container_name());
    for (auto& [name, rank] : ranks_) {
      if (wanted.contains(name)) continue;
      rank.memory.done = true;
      rank.memory.touched_at = passed();
    }
    for (auto& work : ranks) {
      auto [found, fresh] = ranks_.try_emplace(work.container_name());
      if (fresh) {
        found->second.memory.touched_at = passed();
        found->second.memory.stopped_before = work.want == core::RankWork::Want::stop;
      }
      found->second.work = std::move(work);
    }
    whole_ = true;
    sweep_networks_ = true;
  }
  wake();
}

void ContainerEngine::desire_also(std::vector<core::RankWork> ranks) {
  bool compare = false;
  {
    base::Guard lock(mutex_);
    for (auto& work : ranks) {
      std::string name = work.container_name();
      auto [found, fresh] = ranks_.try_emplace(name);
      Rank& rank = found->second;
      rank.work = std::move(work);
      if (fresh) {
        rank.memory.touched_at = passed();
        bool is_new = rank.work.want == core::RankWork::Want::run && !rank.work.confirmed;
        if (is_new) enqueue({name, Step::create, {}, false});
        compare = compare || !is_new;
      } else if (!rank.busy) {
        follow_up(name, rank);
        compare = compare || !rank.busy;
      }
    }
  }
  if (compare) wake();
}

void ContainerEngine::done_with(std::vector<Done> ranks) {
  std::set<std::tuple<base::Id, std::uint32_t, std::uint32_t>> ended;
  for (const Done& d : ranks) ended.emplace(d.job, d.generation, d.rank);
  base::Guard lock(mutex_);
  for (auto& [name, rank] : ranks_) {
    if (!ended.contains({rank.work.job, rank.work.generation, rank.work.rank})) continue;
    rank.memory.done = true;
    if (!rank.busy) follow_up(name, rank);
  }
}

EngineHealth ContainerEngine::health() const {
  base::Guard lock(mutex_);
  return health_;
}

void ContainerEngine::set_health(EngineHealth health) {
  {
    base::Guard lock(mutex_);
    bool same = health.reachable == health_.reachable && health.version == health_.version &&
                health.note == health_.note;
    health_ = health;
    if (same) return;
  }
  if (reports_.health) reports_.health(health);
}

void ContainerEngine::unreachable(const std::string& why) {
  EngineHealth found = health();
  if (found.reachable) base::log_warn("engines: {} is not reachable: {}", found.kind, why);
  found.reachable = false;
  found.note = why;
  set_health(found);
}

base::Try<net::Response> ContainerEngine::call(const net::Request& request,
                                               std::int64_t timeout_s) {
  net::CallOptions options;
  options.timeout = base::Duration::seconds(timeout_s);
  options.cancel = &stopping_;
  return call(request, options);
}

// Every answer tells what time it is there.
base::Try<net::Response> ContainerEngine::call(const net::Request& request,
                                               const net::CallOptions& options) {
  const base::Instant asked = now();
  auto answer = client_->call(request, options);
  if (!answer || !its_clock_.heard(answer->header("Date"), asked, now())) return answer;
  PROBE("engine: its clock was set");
  base::Guard lock(mutex_);
  for (auto& [name, rank] : ranks_) rank.memory.log_in_order = false;
  return answer;
}

void ContainerEngine::emit(Seen seen) {
  if (!seen.empty() && reports_.seen && !stopping_) reports_.seen(std::move(seen));
}

CreateContext ContainerEngine::context_for(const core::RankWork& work) const {
  CreateContext context;
  context.cloud = options_.cloud;
  context.boot = allows_.boot;
  context.log_path = (log_directory(options_) / (work.container_name() + ".log")).string();
  context.nofile = allows_.nofile;
  context.nproc = allows_.nproc;
  context.pids_limit = options_.pids_limit;
  context.user_namespaces = allows_.user_namespaces;
  context.uid_base = options_.uid_base;
  context.host_cpu_milli = options_.host_cpu_milli;
  context.host_memory_mib = options_.host_memory_mib;
  context.cgroup_parent = work.emulated && !cgroup_emulated_.empty() ? cgroup_emulated_ : cgroup_;
  context.init = allows_.init;
  return context;
}

}  // namespace ampacity::engines
