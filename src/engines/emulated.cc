#include "engines/emulated.h"

#include <charconv>
#include <fstream>
#include <map>
#include <tuple>

#include "base/threads.h"

namespace ampacity::engines {
namespace {

using core::RankSeen;
using core::RankWork;

struct RankKey {
  base::Id job;
  std::uint32_t generation = 0;
  std::uint32_t rank = 0;
  auto operator<=>(const RankKey&) const = default;
};
RankKey rank_key(const RankWork& work) { return {work.job, work.generation, work.rank}; }

struct There {
  std::string name;
  base::Instant started_at;
  base::Instant ends_at;
  base::Instant ended_at;  // zero: it runs
  bool stopped = false;
};

// "sleep 90", also inside `sh -c`: its seconds.
std::optional<base::Duration> sleep_of(const RankWork& work) {
  for (std::size_t i = 0; i < work.command.size(); ++i) {
    std::string_view text = work.command[i];
    if (text == "sleep" && i + 1 < work.command.size())
      text = work.command[i + 1];
    else if (text.starts_with("sleep "))
      text.remove_prefix(6);
    else
      continue;
    std::int64_t seconds = 0;
    const auto [end, wrong] = std::from_chars(text.data(), text.data() + text.size(), seconds);
    if (wrong == std::errc{} && seconds >= 0) return base::Duration::seconds(seconds);
  }
  return std::nullopt;
}

class EmulatedEngine final : public Engine {
 public:
  EmulatedEngine(EmulatedOptions options, base::Clock& clock)
      : options_(std::move(options)), clock_(clock) {}
  ~EmulatedEngine() override {
    {
      const base::Guard lock(mutex_);
      stopping_ = true;
    }
    changed_.notify_all();
    if (thread_.joinable()) thread_.join();
  }

  base::Try<void> start(EngineReports reports) override {
    reports_ = std::move(reports);
    if (reports_.inventory) reports_.inventory(options_.machines);
    thread_ = base::Thread([this] { loop(); });
    return {};
  }

  void desire_whole(std::vector<RankWork> ranks) override {
    const base::Guard lock(mutex_);
    wanted_.clear();
    for (RankWork& r : ranks) wanted_[rank_key(r)] = std::move(r);
    said_.clear();
    whole_ = true;
    changed_.notify_all();
  }
  void desire_also(std::vector<RankWork> ranks) override {
    const base::Guard lock(mutex_);
    for (RankWork& r : ranks) wanted_[rank_key(r)] = std::move(r);
    changed_.notify_all();
  }
  void done_with(std::vector<Done> ranks) override {
    const base::Guard lock(mutex_);
    for (const Done& d : ranks) wanted_.erase(RankKey{d.job, d.generation, d.rank});
    changed_.notify_all();
  }

  EngineHealth health() const override {
    const base::Guard lock(mutex_);
    return health_;
  }
  base::Try<std::unique_ptr<ExecSession>> exec(const std::string&, std::vector<std::string>, bool,
                                               ExecEvents) override {
    return base::fault("an emulated site runs nothing to enter", false);
  }
  base::Try<std::vector<VolumeSeen>> volumes(std::optional<std::uint32_t>) override {
    return std::vector<VolumeSeen>{};
  }
  base::Try<void> remove_volume(std::uint32_t, const std::string&) override {
    return base::fault("an emulated site has no volumes", false, 404);
  }

 private:
  using Seen = std::vector<RankSeen>;

  void loop() {
    base::Lock lock(mutex_);
    while (!stopping_) {
      Seen seen;
      const base::Instant now = clock_.now();
      end_what_is_over(now);
      const bool was = health_.reachable;
      health_ = look(now);
      if (health_.reachable) compare(now, seen);
      const EngineHealth health = health_;
      lock.unlock();
      if (was != health.reachable && reports_.health) reports_.health(health);
      if (!seen.empty() && reports_.seen) reports_.seen(std::move(seen));
      lock.lock();
      if (!stopping_) changed_.wait_for(lock, options_.period);
    }
  }

  // Under the lock, these all.
  EngineHealth look(base::Instant now) {
    EngineHealth h = health_;
    h.kind = "emulated";
    h.version = "1";
    std::error_code error;
    h.reachable = options_.door.empty() || std::filesystem::exists(options_.door, error);
    h.note = h.reachable ? "emulated: nothing is really run there"
                         : "emulated: its door " + options_.door.string() + " is away";
    if (h.reachable && whole_) h.seen_at = h.listed_at = now;
    return h;
  }
  void note(const char* what, const There& one, base::Instant at) {
    if (options_.record.empty()) return;
    std::ofstream(options_.record, std::ios::app)
        << what << ' ' << one.name << ' ' << at.us << '\n';
  }
  void end_what_is_over(base::Instant now) {
    for (auto& [key, one] : there_)
      if (one.ended_at.us == 0 && one.ends_at <= now) {
        one.ended_at = one.ends_at;
        note("end", one, one.ended_at);
      }
  }
  void stop(There& one, base::Instant now) {
    one.stopped = true;
    one.ends_at = one.ended_at = now;
    note("end", one, now);
  }

  static RankSeen seen_of(const RankKey& key, const There& one) {
    RankSeen seen;
    seen.job = key.job;
    seen.generation = key.generation;
    seen.rank = key.rank;
    seen.started_at = one.started_at;
    if (one.ended_at.us == 0) return seen;
    seen.state = RankSeen::State::ended;
    seen.ended_at = one.ended_at;
    seen.exit_code = one.stopped ? 143 : 0;
    if (one.stopped) seen.signalled = core::RankSeen::Signalled::yes;
    return seen;
  }

  void compare(base::Instant now, Seen& seen) {
    std::uint32_t strays = 0;
    for (auto it = there_.begin(); it != there_.end();) {
      if (wanted_.contains(it->first) || !whole_) {
        ++it;
        continue;
      }
      if (it->second.ended_at.us == 0) {
        ++strays;
        stop(it->second, now);
      }
      it = there_.erase(it);
    }
    health_.strays = strays;
    for (auto& [key, work] : wanted_) {
      const auto [at, fresh] = there_.try_emplace(key);
      There& one = at->second;
      if (fresh) {
        one.name = work.container_name();
        one.started_at = now;
        one.ends_at = now + sleep_of(work).value_or(options_.run_time);
        note(work.confirmed ? "adopt" : "start", one, now);
      }
      if (work.want == RankWork::Want::stop && one.ended_at.us == 0) stop(one, now);
      const int state = one.ended_at.us ? 2 : 1;
      if (std::exchange(said_[key], state) != state) seen.push_back(seen_of(key, one));
    }
    std::erase_if(said_, [&](const auto& s) { return !wanted_.contains(s.first); });
  }

  const EmulatedOptions options_;
  base::Clock& clock_;
  EngineReports reports_;
  base::Thread thread_;
  mutable base::Mutex mutex_;
  base::Condition changed_;
  EngineHealth health_;
  std::map<RankKey, RankWork> wanted_;
  std::map<RankKey, There> there_;
  std::map<RankKey, int> said_;  // 1: that it runs, 2: that it ended
  bool whole_ = false;
  bool stopping_ = false;
};

}  // namespace

std::unique_ptr<Engine> make_emulated_engine(EmulatedOptions options, base::Clock& clock) {
  return std::make_unique<EmulatedEngine>(std::move(options), clock);
}

}  // namespace ampacity::engines
