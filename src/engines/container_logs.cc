// Logs, where the engine does not write our spool itself (docker): copied, each second, and to the
// end before an end is told. Most of it by stamps: asked for are the lines since the last one.
// Where stamps went back, or may have (a clock that was set; before this life), all of it.
#include "base/chaos.h"
#include "base/log.h"
#include "engines/container_engine.h"
#include "engines/log_copy.h"

namespace ampacity::engines {
namespace {

constexpr std::size_t kMostLog = 256 << 20;
constexpr base::Duration kWholePeriod = base::Duration::seconds(30);  // of one that is copied whole
constexpr int kMostLogRefusals = 8;  // with later()'s pauses: within two minutes

bool no_answer(const base::Fault& fault) { return fault.retryable && fault.status < 300; }

}  // namespace

// By the lock of logs_mutex_.
base::Try<void> ContainerEngine::copy_log(const std::string& name, bool by_stamps) {
  const std::string path = (log_directory(options_) / (name + ".log")).string();
  auto end = by_stamps ? host_->spool_end(path) : host_->spool_whole(path);
  if (!end) {
    base::log_warn("engines: {}", end.error().message);
    return {};
  }
  net::CallOptions options;
  options.timeout = base::Duration::seconds(60);
  options.max_body_bytes = kMostLog;
  options.cancel = &stopping_;
  auto answer = call(*dialect_->logs(name, end->since_s), options);
  if (!answer) return std::unexpected(answer.error());
  if (answer->status != 200)
    return base::fault("its log: " + dialect_->message(answer->body), true, answer->status);
  PROBE("engine: a log is copied");
  const std::string news = spool_news(*end, spool_text(answer->body));
  host_->add_to_spool(path, news);
  const bool ordered = by_stamps || in_order(end->window + news, its_clock_.theirs(now()));
  base::Guard lock(mutex_);
  const auto rank = ranks_.find(name);
  if (rank == ranks_.end()) return {};
  RankMemory& memory = rank->second.memory;
  if (by_stamps && !memory.log_in_order)
    return base::fault("its log: the engine's clock was set meanwhile");
  memory.log_in_order = ordered;
  if (!ordered) PROBE("engine: a log's stamps went back");
  memory.log_not_before = passed() + (ordered ? base::Duration{0} : kWholePeriod);
  return {};
}

base::Try<void> ContainerEngine::copy_log(const std::string& name) {
  if (host_->owns_service()) return {};
  base::Guard logs(logs_mutex_);
  bool by_stamps = false;
  {
    base::Guard lock(mutex_);
    const auto rank = ranks_.find(name);
    by_stamps = rank != ranks_.end() && rank->second.memory.log_in_order;
  }
  return copy_log(name, by_stamps);
}

// A log that will never be shown (501: of a driver that cannot be read) must not hide an end.
bool ContainerEngine::log_given_up(const std::string& name, const base::Fault& fault) {
  if (stopping_ || no_answer(fault)) return false;
  PROBE("engine: a log is refused");
  {
    base::Guard lock(mutex_);
    auto found = ranks_.find(name);
    if (found == ranks_.end()) return true;
    const bool for_good = fault.status == 501 || (fault.status < 500 && fault.status != 429);
    if (++found->second.memory.log_refusals < kMostLogRefusals && !for_good) return false;
  }
  base::log_warn("engines: {}: the end of its log is lost: {}", name, fault.message);
  return true;
}

void ContainerEngine::copy_logs() {
  std::vector<std::string> names;
  {
    base::Guard lock(mutex_);
    for (const auto& [name, rank] : ranks_) {
      const RankMemory& memory = rank.memory;
      if (memory.ran && !memory.final && passed() >= memory.log_not_before) names.push_back(name);
    }
  }
  for (const auto& name : names) {
    auto copied = copy_log(name);
    if (!copied && no_answer(copied.error())) return;  // the next round has it all
  }
}

}  // namespace ampacity::engines
