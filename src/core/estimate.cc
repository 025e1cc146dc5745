#include "core/estimate.h"

#include <algorithm>
#include <queue>

#include "core/history.h"
#include "core/meter.h"
#include "core/order.h"

namespace ampacity::core {
namespace {

constexpr Duration horizon = Duration::seconds(60LL * 86'400);
constexpr std::size_t most_events = 400'000;
constexpr std::size_t most_tries = 64;  // kinds of request tried at one instant
constexpr std::int64_t median = 500, cautious = 800;

// What one kind of request waits for, its jobs in order.
struct Kind {
  std::vector<Tier> tiers;
  std::vector<std::pair<std::size_t, const Job*>> jobs;  // (position in the queue, job)
  std::size_t next = 0;
};

struct Running {
  Instant end;
  std::size_t ix = 0;
  bool operator>(const Running& o) const { return std::tie(end, ix) > std::tie(o.end, o.ix); }
};

class Forward {
 public:
  Forward(const World& w, Instant now, std::int64_t permille)
      : w_(w), packer_(w.packer), now_(now), permille_(permille) {
    // Who is promised or claims a place is started by the plan itself; windows stay shut.
    for (const auto& [n, holds] : w.holds)
      if (w.takes_work(n) && std::none_of(holds.begin(), holds.end(),
                                          [](const Hold& h) { return h.why == Hold::Why::window; }))
        packer_.set_open(n, true);
    for (const auto& [order, slot] : w.leased) add_lease(w.state().jobs[slot]);
  }

  void add_waiting(const std::vector<const Job*>& jobs) {
    const bool fair = w_.state().policy.order == Order::fair;
    const auto shares = shares_at(w_, now_);
    using Key = std::tuple<bool, JobClass, std::int64_t, std::int64_t, std::uint64_t>;
    std::vector<std::pair<Key, const Job*>> all;
    for (const Job* job : jobs)
      all.push_back({{!job->claim, job->job_class, fair ? shares[job->project] : 0,
                      rank_of(w_, *job, now_), job->queue_order},
                     job});
    std::sort(all.begin(), all.end());
    for (std::size_t i = 0; i < all.size(); ++i) {
      const Job& job = *all[i].second;
      auto [at, is_new] = kind_of_.try_emplace(shape_of(job), kinds_.size());
      if (is_new) {
        kinds_.push_back({tiers_of(w_, job, now_), {}, 0});
        heads_.emplace(i, at->second);
      }
      kinds_[at->second].jobs.emplace_back(i, &job);
    }
  }

  // So many ends of running work further; true: it is done. Now nobody starts: those who wait were
  // asked and found no place.
  bool play(std::size_t ends, std::uint64_t until) {
    if (packer_.size() > w_.state().nodes.size()) return true;  // that world was not durable
    for (; ends > 0; --ends, ++events_) {
      if (ends_.empty() || heads_.empty() || events_ >= most_events) return true;
      if (until && starts_.contains(until)) return true;
      t_ = std::max(t_, ends_.top().end);
      if (t_ > now_ + horizon) return true;
      while (!ends_.empty() && ends_.top().end <= t_) {
        give_back(ends_.top().ix);
        ends_.pop();
      }
      start_what_fits(t_);
    }
    return false;
  }
  const std::map<std::uint64_t, Instant>& starts() const { return starts_; }

 private:
  struct Taken {
    std::vector<Place> places;
    NodeNeed need;
  };

  void add_lease(const Job& job) {
    const Lease& lease = *job.lease;
    const std::int64_t attained = attained_s(job, now_);
    Instant end = now_ + Duration::seconds(expected_s(w_, job, attained, permille_) - attained);
    if (job.state == JobState::stopping) end = std::max(now_, notice_ends(w_.state().policy, job));
    taken_.push_back(
        {lease.places, need_of(job.demand, lease.cpu_milli, lease.memory_mib, job.project)});
    ends_.push({end, taken_.size() - 1});
  }
  void give_back(std::size_t ix) {
    for (const Place& p : taken_[ix].places)
      packer_.give({p.node, p.gpu_mask, static_cast<std::uint8_t>(p.mig_slices)}, taken_[ix].need);
  }

  // In order; a kind that finds no room is not asked again at this instant.
  void start_what_fits(Instant t) {
    std::size_t tries = 0;
    for (auto head = heads_.begin(); head != heads_.end() && tries < most_tries;) {
      Kind& kind = kinds_[head->second];
      bool fits = true;
      while (fits && kind.next < kind.jobs.size()) {
        const Job& job = *kind.jobs[kind.next].second;
        fits = start(job, kind, t);
        if (!fits) break;
        starts_.emplace(job.queue_order, t);
        ++kind.next;
        // Others may come before the next of this kind.
        if (kind.next < kind.jobs.size() && std::next(head) != heads_.end() &&
            kind.jobs[kind.next].first > std::next(head)->first)
          break;
      }
      tries += !fits;
      const std::size_t ix = head->second;
      if (!fits) {
        ++head;
        continue;
      }
      head = heads_.erase(head);
      if (kind.next < kind.jobs.size()) {
        const auto back = heads_.emplace(kind.jobs[kind.next].first, ix).first;
        if (head == heads_.end() || back->first < head->first) head = back;
      }
    }
  }
  bool start(const Job& job, const Kind& kind, Instant t) {
    for (const Tier& tier : kind.tiers) {
      auto places = place_open(w_, packer_, job, tier);
      if (places.empty()) continue;
      Taken taken{std::move(places),
                  need_of(job.demand, tier.cpu_milli, tier.memory_mib, job.project)};
      for (const Place& p : taken.places)
        packer_.take({p.node, p.gpu_mask, static_cast<std::uint8_t>(p.mig_slices)}, taken.need);
      const std::int64_t run = expected_s(w_, job, job.attained_s, permille_) - job.attained_s;
      taken_.push_back(std::move(taken));
      ends_.push({t + Duration::seconds(run), taken_.size() - 1});
      return true;
    }
    return false;
  }

  const World& w_;
  Packer packer_;
  const Instant now_;
  const std::int64_t permille_;
  Instant t_ = now_;
  std::size_t events_ = 0;
  std::map<std::uint64_t, Instant> starts_;
  std::vector<Taken> taken_;
  std::priority_queue<Running, std::vector<Running>, std::greater<>> ends_;
  std::vector<Kind> kinds_;
  std::map<Shape, std::size_t> kind_of_;
  std::map<std::size_t, std::size_t> heads_;  // position of a kind's next -> kind
};

std::vector<const Job*> waiting_in(const World& w) {
  std::vector<const Job*> jobs;
  for (const auto& [order, slot] : w.queue) jobs.push_back(&w.state().jobs[slot]);
  return jobs;
}

}  // namespace

std::map<std::uint64_t, Instant> forecast(const World& world, Instant now, std::int64_t permille,
                                          const Job* beside, std::uint64_t until) {
  Forward forward(world, now, permille);
  std::vector<const Job*> jobs = waiting_in(world);
  if (beside) jobs.push_back(beside);
  forward.add_waiting(jobs);
  forward.play(most_events, until);
  return forward.starts();
}

// Of its own: the waiting jobs, whose places in the world others may have between two steps.
struct Outlook::Inside {
  std::vector<Job> jobs;
  Forward forward;
};

Outlook::Outlook(const World& world, Instant now, std::int64_t permille)
    : inside_(new Inside{{}, Forward(world, now, permille)}) {
  std::vector<const Job*> jobs = waiting_in(world);
  for (const Job* job : jobs) inside_->jobs.push_back(*job);
  for (std::size_t i = 0; i < jobs.size(); ++i) jobs[i] = &inside_->jobs[i];
  inside_->forward.add_waiting(jobs);
}
Outlook::~Outlook() = default;

bool Outlook::play(std::size_t ends) { return inside_->forward.play(ends, 0); }
const std::map<std::uint64_t, Instant>& Outlook::starts() const {
  return inside_->forward.starts();
}

std::optional<Start> estimate_start(const World& world, const Job& job, Instant now) {
  const bool waits = world.queue.contains(job.queue_order);
  const Job* beside = waits ? nullptr : &job;
  if (!waits && place(world, seeker_of(world, job, now), tiers_of(world, job, now)))
    return Start{now, now};
  const auto expected = forecast(world, now, median, beside, job.queue_order);
  const auto at = expected.find(job.queue_order);
  if (at == expected.end()) return std::nullopt;
  Start start{at->second, at->second};
  if (at->second > now) {
    const auto late = forecast(world, now, cautious, beside, job.queue_order);
    const auto then = late.find(job.queue_order);
    start.likely_by = then == late.end() ? now + horizon : std::max(at->second, then->second);
  }
  if (job.promise) {
    start.likely_by = std::min(start.likely_by, job.promise->start_by);
    start.expected = std::min(start.expected, start.likely_by);
  }
  return start;
}

}  // namespace ampacity::core
