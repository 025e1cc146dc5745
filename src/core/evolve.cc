#include "core/evolve.h"

#include <algorithm>

#include "base/check.h"
#include "core/grant.h"
#include "core/place.h"
#include "core/share.h"

namespace ampacity::core {

void close_lease(Job& job, const LeaseClosed& f, Instant at) {
  job.lease.reset();
  job.intervals.push_back(f.interval);
  job.exit_code = f.exit_code;
  job.why = f.why;
  job.attained_s += (f.interval.ended_at - f.interval.started_at).whole_seconds();
  if (f.requeue) {
    job.state = JobState::queued;
    if (requeues(job.stop_reason))
      ++job.preemptions;
    else
      --job.retries_left;
    job.stop_reason = StopReason::none;
    return;
  }
  job.state = JobState::ended;
  job.outcome = f.outcome;
  job.ended_at = f.interval.ended_at.us ? f.interval.ended_at : at;
}

void end_job(Job& job, const JobEnded& f, Instant at) {
  job.state = JobState::ended;
  job.outcome = f.outcome;
  job.why = f.why;
  job.ended_at = at;
}

// One function per fact; a friend of World so that nothing else can write it.
struct Evolver {
  World& w;
  Instant at;
  State& s = w.state_;

  void book(const std::vector<Transfer>& transfers) {
    for (const Transfer& t : transfers) {
      const auto outcome = apply({&s.accounts, &s.pending, &s.next_transfer}, t);
      CHECK_THAT(outcome == LedgerOutcome::ok, base::enum_name(outcome));
    }
  }
  // Takes the job out of what is derived, changes it, puts it back.
  template <typename F>
  void change(Id id, F&& f) {
    const auto at_slot = w.slot_of_.find(id);
    CHECK_THAT(at_slot != w.slot_of_.end(), "a fact about a job that is not alive");
    w.index_job(at_slot->second, -1);
    f(s.jobs[at_slot->second]);
    w.index_job(at_slot->second, +1);
  }

  void operator()(const AccountOpened& f) { s.accounts.push_back(f.account); }
  void operator()(const SiteAdded& f) { s.sites.push_back(f.site); }
  void operator()(const SkuDefined& f) {
    w.all_skus.push_back(static_cast<SkuIx>(s.skus.size()));
    s.skus.push_back(f.sku);
    w.waiting_for_sku.push_back(0);
  }
  void operator()(const NodeJoined& f) {
    s.nodes.push_back(f.node);
    w.add_node(static_cast<NodeIx>(s.nodes.size() - 1));
  }
  void operator()(const NodeChanged& f) {
    std::vector<std::uint32_t> windows;  // what they keep there is a part of what it has
    for (std::uint32_t ix = 0; ix < s.windows.size(); ++ix)
      if (std::any_of(s.windows[ix].places.begin(), s.windows[ix].places.end(),
                      [&](const Place& p) { return p.node == f.node; }))
        windows.push_back(ix);
    for (const std::uint32_t ix : windows) w.index_window(ix, -1);
    w.count_hardware(f.node, -1);
    s.nodes[f.node] = f.now;
    w.count_hardware(f.node, +1);
    for (const std::uint32_t ix : windows) w.index_window(ix, +1);
    w.label(f.node);
    if (w.use[f.node].leases.empty()) w.packer.change(f.node, room_of(f.now));
    w.open_or_close(f.node);
  }
  void operator()(const OrgCreated& f) {
    s.orgs.push_back(f.org);
    w.alive_of_org.emplace_back();
  }
  void operator()(const ProjectCreated& f) {
    const auto ix = static_cast<ProjectIx>(s.projects.size());
    s.projects.push_back(f.project);
    w.burn.push_back(0);
    w.share_rate.push_back(0);
    w.alive_of_project.emplace_back();
    w.queued_of_project.push_back(0);
    w.project_by_name_[f.project.name] = ix;
    w.project_by_name_[base::format_id("prj", f.project.id)] = ix;
  }
  void operator()(const UserCreated& f) { s.users.push_back(f.user); }
  void operator()(const KeyCreated& f) {
    w.key_by_lookup_[f.key.lookup] = static_cast<std::uint32_t>(s.keys.size());
    s.keys.push_back(f.key);
  }
  void operator()(const KeyRevoked& f) {
    for (Key& k : s.keys)
      if (k.id == f.key) k.revoked = true;
  }
  void operator()(const PricesSet& f) { s.books.push_back(f.book); }
  void operator()(const CreditAdded& f) {
    book(f.transfers);
    s.projects[f.project].credit_low = false;
  }
  void operator()(const CreditLow& f) { s.projects[f.project].credit_low = true; }

  // What the project has used so far, before its rate of use changes.
  void accrue(Id job) {
    const ProjectIx p = w.job_at(job)->project;
    Share& share = s.projects[p].share;
    share.used = used_at(share, w.share_rate[p], at, s.policy.half_life_s);
    share.at = at;
  }
  void count(Used& used, const Quota& quota, const Interval& i) const {
    if (quota.window_s == 0) return;
    const Instant start = window_start(quota, at);
    if (used.window != start) used = {start, 0, 0};
    used.gpu_milli_s += i.billed_s * i.rates.gpus * i.rates.gpu_milli;
    used.spend += i.amounts.total();
  }

  void operator()(const QuotaSet& f) {
    if (f.project != nobody)
      s.projects[f.project].quota = f.quota;
    else
      s.orgs[f.org].quota = f.quota;
  }
  void operator()(const WeightSet& f) { s.projects[f.project].share.weight = f.weight; }
  void operator()(const PolicySet& f) {  // it is what the queue is sorted by
    for (Slot j = 0; j < s.jobs.size(); ++j)
      if (!s.jobs[j].id.is_nil()) w.index_job(j, -1);
    s.policy = f.policy;
    for (Slot j = 0; j < s.jobs.size(); ++j)
      if (!s.jobs[j].id.is_nil()) w.index_job(j, +1);
  }
  void operator()(const WindowOpened& f) {
    std::uint32_t ix = 0;
    while (ix < s.windows.size() && !s.windows[ix].id.is_nil()) ++ix;
    if (ix == s.windows.size()) s.windows.emplace_back();
    s.windows[ix] = f.window;
    w.index_window(ix, +1);
  }
  void operator()(const WindowChanged& f) {
    for (std::uint32_t ix = 0; ix < s.windows.size(); ++ix) {
      if (s.windows[ix].id != f.window) continue;
      std::vector<Slot> inside;  // their deadlines depend on it
      for (Slot j = 0; j < s.jobs.size(); ++j)
        if (!s.jobs[j].id.is_nil() && s.jobs[j].demand.reservation == f.window) inside.push_back(j);
      for (const Slot j : inside) w.index_job(j, -1);
      w.index_window(ix, -1);
      if (f.places.empty())
        s.windows[ix] = Window{};
      else
        s.windows[ix].places = f.places;
      w.index_window(ix, +1);
      for (const Slot j : inside) w.index_job(j, +1);
    }
  }
  void operator()(const ClaimMade& f) {
    change(f.job, [&](Job& job) {
      job.claim = f.claim;
      job.promise.reset();
    });
  }
  void operator()(const ClaimDropped& f) {
    change(f.job, [](Job& job) { job.claim.reset(); });
  }
  void operator()(const PromiseMade& f) {
    change(f.job, [&](Job& job) { job.promise = f.promise; });
  }
  void operator()(const PromiseDropped& f) {
    change(f.job, [](Job& job) { job.promise.reset(); });
  }
  void operator()(const CheckpointNoted& f) {
    change(f.job, [&](Job& job) { job.lease->checkpoint_at = at; });
  }

  void operator()(const JobSubmitted& f) {
    s.next_queue_order = std::max(s.next_queue_order, f.job.queue_order + 1);
    w.packer.saw(f.job.demand.skus, typical_need(w, f.job));
    w.add_job(f.job);
  }
  void operator()(const LeaseGranted& f) {
    book(f.transfers);
    accrue(f.job);
    change(f.job, [&](Job& job) {
      job.state = JobState::starting;
      job.generation = f.generation;
      job.lease = f.lease;
      job.claim.reset();
      job.promise.reset();
      job.why.clear();
    });
  }
  void operator()(const RankStarted& f) {
    change(f.job, [&](Job& job) {
      Lease& lease = *job.lease;
      lease.ranks[f.rank].state = RankState::running;
      lease.ranks[f.rank].started_at = f.started_at;
      if (lease.started_at.us == 0 || f.started_at < lease.started_at)
        lease.started_at = f.started_at;
      const bool all = std::all_of(lease.ranks.begin(), lease.ranks.end(),
                                   [](const Rank& r) { return r.state != RankState::pending; });
      if (all && job.state == JobState::starting) job.state = JobState::running;
    });
  }
  void operator()(const RankEnded& f) {
    change(f.job, [&](Job& job) {
      job.lease->ranks[f.rank] = f.end;
      Instant& started = job.lease->started_at;
      if (f.end.started_at.us && (started.us == 0 || f.end.started_at < started))
        started = f.end.started_at;
    });
  }
  void operator()(const StopOrdered& f) {
    change(f.job, [&](Job& job) {
      job.state = JobState::stopping;
      job.stop_reason = f.reason;
      job.stop_ordered_at = at;
      job.why = f.why;
    });
  }
  void operator()(const LeasesSettled& f) {
    for (const Settlement& e : f.entries) {
      book(e.transfers);
      change(e.job, [&](Job& job) {
        job.lease->posted_s = e.posted_s;
        job.lease->paid_s = e.paid_s;
        job.lease->pending_id = e.pending_id;
      });
    }
  }
  void operator()(const LeaseClosed& f) {
    book(f.transfers);
    accrue(f.job);
    const Job& ended = *w.job_at(f.job);
    Project& project = s.projects[ended.project];
    count(project.used, project.quota, f.interval);
    count(s.orgs[project.org].used, s.orgs[project.org].quota, f.interval);
    if (f.outcome == Outcome::succeeded || f.outcome == Outcome::failed)
      w.learn(w.slot_of_.at(f.job),
              ended.attained_s + (f.interval.ended_at - f.interval.started_at).whole_seconds());
    if (f.requeue)
      change(f.job, [&](Job& job) { close_lease(job, f, at); });
    else
      w.remove_job(f.job);
  }
  void operator()(const JobEnded& f) { w.remove_job(f.job); }
};

void evolve(World& world, const Fact& fact) {
  Evolver evolver{world, fact.at};
  std::visit(evolver, fact.body);
  ++evolver.s.sequence;
  evolver.s.now = std::max(evolver.s.now, fact.at);
}

}  // namespace ampacity::core
