#include "engines/stub.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <queue>
#include <thread>
#include <tuple>
#include <unordered_map>

#include "engines/engine.h"
#include "engines/stub_record.h"

namespace ampacity::engines {
namespace {

using core::RankSeen;
using core::RankWork;
using Clock = std::chrono::steady_clock;

constexpr auto kTick = std::chrono::milliseconds(4);

struct StubKey {
  base::Id job;
  std::uint32_t generation = 0;
  std::uint32_t rank = 0;
  bool operator==(const StubKey&) const = default;
};
struct StubKeyHash {
  std::size_t operator()(const StubKey& k) const {
    return static_cast<std::size_t>(k.job.low * 0x9e3779b97f4a7c15ULL ^ k.job.high ^
                                    std::uint64_t{k.generation} << 32 ^ k.rank * 0x85ebca6bULL);
  }
};
StubKey key_of(const RankWork& work) { return {work.job, work.generation, work.rank}; }

struct Running {
  base::Instant started_at;
  base::Instant ends_at;
  bool told = false;  // `running` was reported
  bool ended = false;
  bool stopped = false;  // asked to stop: it obeys at once
  RankSeen end;          // repeated on a whole desire
};

// 1. `due_` holds each living rank once or more; a stale entry finds its rank ended and does
// nothing.
class StubEngine final : public Engine {
 public:
  StubEngine(const StubOptions& options, base::Clock& clock)
      : run_time_(options.run_time), clock_(clock) {
    if (!options.record.empty())
      record_ = std::make_unique<StubRecord>(options.record, options.may_act);
  }
  ~StubEngine() override {
    {
      std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    changed_.notify_all();
    if (thread_.joinable()) thread_.join();
  }

  base::Try<void> start(EngineReports reports) override {
    reports_ = std::move(reports);
    if (reports_.health) reports_.health(health());
    thread_ = std::thread([this] { loop(); });
    return {};
  }

  void desire_whole(std::vector<RankWork> ranks) override {
    std::lock_guard lock(mutex_);
    std::unordered_map<StubKey, Running, StubKeyHash> kept;
    for (const RankWork& work : ranks) {
      auto found = ranks_.find(key_of(work));
      if (found == ranks_.end()) continue;
      found->second.told = false;  // said again
      if (found->second.ended) outbox_.push_back(found->second.end);
      kept.insert(ranks_.extract(found));
    }
    ranks_.swap(kept);
    want_all(ranks);
  }

  void desire_also(std::vector<RankWork> ranks) override {
    std::lock_guard lock(mutex_);
    want_all(ranks);
  }

  void done_with(std::vector<Done> ranks) override {
    std::lock_guard lock(mutex_);
    for (const Done& done : ranks) ranks_.erase(StubKey{done.job, done.generation, done.rank});
  }

  EngineHealth health() const override {
    EngineHealth h;
    h.reachable = true;
    h.kind = "stub";
    h.version = "1";
    h.note = "no containers: each rank only waits, then exits 0";
    h.seen_at = h.listed_at = clock_.now();
    return h;
  }

  base::Try<std::unique_ptr<ExecSession>> exec(const std::string&, std::vector<std::string>, bool,
                                               ExecEvents) override {
    return base::fault("the stub engine runs nothing to enter", false);
  }
  base::Try<std::vector<VolumeSeen>> volumes(std::optional<std::uint32_t>) override {
    return std::vector<VolumeSeen>{};
  }
  base::Try<void> remove_volume(std::uint32_t, const std::string&) override {
    return base::fault("the stub engine has no volumes", false, 404);
  }

 private:
  using Due = std::pair<base::Instant, StubKey>;
  struct Later {
    bool operator()(const Due& a, const Due& b) const { return a.first > b.first; }
  };

  // Under the lock.
  void want_all(const std::vector<RankWork>& ranks) {
    if (record_) record_->begin();
    for (const RankWork& work : ranks) want(work);
    if (record_) record_->end();
    changed_.notify_all();
  }

  void want(const RankWork& work) {
    StubKey key = key_of(work);
    auto found = ranks_.find(key);
    const bool fresh = found == ranks_.end();
    const base::Instant now = clock_.now();
    const auto started =
        fresh && record_ ? record_->start(work.container_name(), now) : std::optional(now);
    if (!started) return;
    if (fresh) found = ranks_.emplace(key, Running{}).first;
    Running& rank = found->second;
    if (fresh) {
      rank.started_at = *started;
      rank.ends_at = rank.started_at + run_time_;
      due_.push({rank.ends_at, key});
      starts_.push_back(key);
    } else if (!rank.told && !rank.ended) {
      starts_.push_back(key);
    }
    if (work.want == RankWork::Want::stop && !rank.ended && !rank.stopped) {
      rank.stopped = true;
      rank.ends_at = clock_.now();
      due_.push({rank.ends_at, key});
    }
  }

  static RankSeen seen_of(const StubKey& key, const Running& rank, RankSeen::State state) {
    RankSeen seen;
    seen.job = key.job;
    seen.generation = key.generation;
    seen.rank = key.rank;
    seen.state = state;
    seen.started_at = rank.started_at;
    return seen;
  }

  // Under the lock: everything that is to be said now.
  std::vector<RankSeen> collect(base::Instant now) {
    std::vector<RankSeen> out;
    out.swap(outbox_);
    for (const StubKey& key : starts_) {
      auto found = ranks_.find(key);
      if (found == ranks_.end() || found->second.told || found->second.ended) continue;
      found->second.told = true;
      out.push_back(seen_of(key, found->second, RankSeen::State::running));
    }
    starts_.clear();
    while (!due_.empty() && due_.top().first <= now) {
      auto [at, key] = due_.top();
      due_.pop();
      auto found = ranks_.find(key);
      if (found == ranks_.end() || found->second.ended) continue;
      Running& rank = found->second;
      rank.ended = true;
      rank.end = seen_of(key, rank, RankSeen::State::ended);
      rank.end.ended_at = std::min(rank.ends_at, now);
      rank.end.exit_code = rank.stopped ? 143 : 0;
      if (rank.stopped) rank.end.why = "stopped";
      out.push_back(rank.end);
    }
    return out;
  }

  void loop() {
    std::unique_lock lock(mutex_);
    while (!stopping_) {
      auto out = collect(clock_.now());
      if (!out.empty() && reports_.seen) {
        lock.unlock();
        reports_.seen(std::move(out));
        lock.lock();
        if (stopping_) return;
      }
      // Sleeping a whole tick is what makes batches.
      if (due_.empty() && starts_.empty() && outbox_.empty()) {
        changed_.wait(lock, [this] {
          return stopping_ || !due_.empty() || !starts_.empty() || !outbox_.empty();
        });
      } else {
        changed_.wait_until(lock, Clock::now() + kTick, [this] { return stopping_; });
      }
    }
  }

  base::Duration run_time_;
  base::Clock& clock_;
  EngineReports reports_;
  std::thread thread_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::unordered_map<StubKey, Running, StubKeyHash> ranks_;
  std::priority_queue<Due, std::vector<Due>, Later> due_;
  std::vector<StubKey> starts_;
  std::vector<RankSeen> outbox_;
  std::unique_ptr<StubRecord> record_;
  bool stopping_ = false;
};

}  // namespace

std::unique_ptr<Engine> make_stub_engine(const StubOptions& options, base::Clock& clock) {
  return std::make_unique<StubEngine>(options, clock);
}

std::unique_ptr<Engine> make_stub_engine(base::Duration run_time, base::Clock& clock) {
  return make_stub_engine(StubOptions{run_time, {}, {}}, clock);
}

}  // namespace ampacity::engines
