#include <algorithm>
#include <queue>

#include "api/view_operate.h"
#include "api/views.h"
#include "api/when.h"
#include "core/desire.h"
#include "core/order.h"
#include "core/share.h"

namespace ampacity::api {
namespace {

// Class, what its project has used, rank, age: the order of core/order.h. A rank costs a look at
// what was learnt, so only those are ranked that may stand among the first.
struct InLine {
  core::JobClass job_class{};
  std::int64_t share = 0, rank = 0;
  std::uint64_t order = 0;
  const core::Waiters* group = nullptr;
  core::Waiters::const_iterator at;
  bool operator>(const InLine& o) const {
    return std::tie(job_class, share, rank, order) >
           std::tie(o.job_class, o.share, o.rank, o.order);
  }
};

std::string wanted_gpus(const core::World& w, const core::Demand& d) {
  std::string text;
  for (const core::SkuIx s : d.skus) text += (text.empty() ? "" : "|") + w.state().skus[s].name;
  if (d.gpus_per_node == 0) return text;
  text += ":" + std::to_string(d.gpus_per_node);
  return d.nodes > 1 ? text + "x" + std::to_string(d.nodes) : text;
}

// The first `most` of all who wait. Inside a group the order is its own.
std::vector<const core::Job*> first_in_line(const core::World& w,
                                            const std::vector<std::int64_t>& shares,
                                            std::size_t most, Instant now) {
  std::vector<InLine> groups;
  groups.reserve(w.waiting.size());
  for (const auto& [key, waiters] : w.waiting)
    groups.push_back(
        {key.shape.job_class, shares[key.shape.project], 0, 0, &waiters, waiters.begin()});
  std::sort(groups.begin(), groups.end(), [](const InLine& a, const InLine& b) { return b > a; });
  std::priority_queue<InLine, std::vector<InLine>, std::greater<>> line;
  const auto enter = [&](InLine head) {
    const core::Job& job = w.queued(head.order = head.at->second);
    head.rank = core::rank_of(w, job, now);
    line.push(head);
  };
  std::vector<const core::Job*> first;
  std::size_t next = 0;
  while (first.size() < most && (next < groups.size() || !line.empty())) {
    // All groups of one class and share stand in line together.
    if (line.empty()) {
      const std::size_t begin = next;
      while (next < groups.size() && std::tie(groups[next].job_class, groups[next].share) ==
                                         std::tie(groups[begin].job_class, groups[begin].share))
        enter(groups[next++]);
    }
    InLine head = line.top();
    line.pop();
    first.push_back(&w.queued(head.order));
    if (++head.at != head.group->end()) enter(head);
  }
  return first;
}

QueuedJob view_queued(const core::World& w, const core::Job& job, Instant now) {
  QueuedJob q;
  q.job = core::job_name(job.id);
  q.name = job.name;
  q.project = w.state().projects[job.project].name;
  q.job_class = job.job_class;
  q.gpus = wanted_gpus(w, job.demand);
  q.waiting_since = job.intervals.empty() ? job.submitted_at : job.intervals.back().ended_at;
  q.why = why_waiting(w, job, now);
  if (const auto& p = job.promise) q.promise = PromiseView{p->made_at, p->start_by, p->certain};
  if (job.claim) q.claimed_at = job.claim->made_at;
  return q;
}

std::int64_t permille(std::int64_t part, std::int64_t all) {
  return all > 0 ? static_cast<std::int64_t>(static_cast<__int128>(part) * 1000 / all) : 0;
}

std::vector<ProjectStanding> standings(const core::World& w,
                                       const std::vector<std::int64_t>& shares, Instant now) {
  struct Used {
    core::ProjectIx project;
    std::int64_t share, used, gpu_milli;
  };
  const core::State& s = w.state();
  std::vector<Used> all;
  std::int64_t used = 0, weights = 0;
  for (core::ProjectIx p = 0; p < s.projects.size(); ++p) {
    const std::int64_t weight = s.projects[p].share.weight;
    Used u{p, shares[p],
           core::used_at(s.projects[p].share, w.share_rate[p], now, s.policy.half_life_s), 0};
    for (const std::int64_t milli : w.alive_of_project[p].gpu_milli) u.gpu_milli += milli;
    if (u.share == 0 && u.gpu_milli == 0 && w.queued_of_project[p] == 0) continue;
    used += u.used;
    weights += weight;
    all.push_back(u);
  }
  std::stable_sort(all.begin(), all.end(),
                   [](const Used& a, const Used& b) { return a.share < b.share; });
  std::vector<std::int64_t> leased(s.projects.size());
  for (const auto& [order, slot] : w.leased) {
    const core::Job& job = s.jobs[slot];
    leased[job.project] += static_cast<std::int64_t>(job.demand.gpus_per_node) * job.demand.nodes *
                           job.lease->gpu_milli;
  }
  std::vector<ProjectStanding> rows;
  for (const Used& u : all) {
    const core::Project& p = s.projects[u.project];
    rows.push_back({p.name, p.share.weight, permille(u.used, used),
                    permille(p.share.weight, weights), w.queued_of_project[u.project],
                    format_decimal(leased[u.project], 1000)});
  }
  return rows;
}

}  // namespace

QueueView view_queue(const core::World& w, std::size_t limit, Instant now,
                     const std::map<std::uint64_t, Instant>& starts) {
  QueueView v;
  v.waiting = static_cast<std::uint32_t>(w.queue.size());
  const std::vector<std::int64_t> shares = core::shares_at(w, now);
  v.projects = standings(w, shares, now);
  for (std::size_t c = 0; c < 4; ++c) v.classes.push_back({static_cast<core::JobClass>(c), 0, 0});
  for (const auto& [key, waiters] : w.waiting)
    v.classes[static_cast<std::size_t>(key.shape.job_class)].jobs +=
        static_cast<std::uint32_t>(waiters.size());
  for (const auto& [order, slot] : w.promised)
    ++v.classes[static_cast<std::size_t>(w.state().jobs[slot].job_class)].promised;
  for (const core::Job* job : first_in_line(w, shares, limit, now)) {
    QueuedJob q = view_queued(w, *job, now);
    q.place = static_cast<std::uint32_t>(v.items.size() + 1);
    if (const auto at = starts.find(job->queue_order); at != starts.end()) q.expected = at->second;
    v.items.push_back(std::move(q));
  }
  return v;
}

}  // namespace ampacity::api
