#include "core/invariants.h"

#include <algorithm>
#include <bit>

#include "core/decide.h"
#include "core/desire.h"
#include "core/history.h"
#include "core/order.h"
#include "core/place.h"
#include "core/settle.h"
#include "ledger/model.h"

namespace ampacity::core {
namespace {

constexpr std::string_view words[] = {"queued", "starting", "running", "stopping", "ended"};
std::string_view word(JobState state) { return words[static_cast<std::size_t>(state)]; }

void check_generations(const Job& job, const std::string& who, Findings& found) {
  std::uint32_t last = 0;
  Instant ended;
  for (const Interval& i : job.intervals) {
    if (i.generation <= last)
      found.add("I6", who, "interval of generation ", i.generation, " after ", last);
    if (i.started_at + a_moment < ended)
      found.add("I10", who, "the interval of generation ", i.generation,
                " begins before the one before it ended");
    last = i.generation;
    ended = i.ended_at;
  }
  if (last > job.generation || (job.lease && last == job.generation))
    found.add("I5", who, "generation ", last, " has ended, and ", job.generation,
              job.lease ? " is leased" : " was the latest");
}

void check_gang(const World& w, const Job& job, const std::string& who, Findings& found) {
  const Lease& lease = *job.lease;
  const Demand& d = job.demand;
  if (lease.places.size() != d.nodes || lease.ranks.size() != d.nodes)
    found.add("I2", who, "has ", lease.places.size(), " places and ", lease.ranks.size(),
              " ranks of ", d.nodes, ": a gang is all or nothing");
  std::vector<NodeIx> nodes;
  for (const Place& p : lease.places) {
    const Node& node = w.state().nodes[p.node];
    nodes.push_back(p.node);
    if (std::popcount(p.gpu_mask) != static_cast<int>(d.gpus_per_node))
      found.add("I2", who, "has ", std::popcount(p.gpu_mask), " GPUs of ", d.gpus_per_node, " on ",
                name_of(node));
    if (d.gpus_per_node && node.sku != lease.sku)
      found.add("I2", who, "is leased as one kind of GPU and stands on another: ", name_of(node));
    if (!d.sites.empty() && std::find(d.sites.begin(), d.sites.end(), node.site) == d.sites.end())
      found.add("I2", who, "stands at a site it does not name: ", name_of(node));
    if (d.together != Together::any &&
        w.domain(p.node, d.together) != w.domain(lease.places[0].node, d.together))
      found.add("I2", who, "is not together: ", name_of(node), " is in another domain");
  }
  std::sort(nodes.begin(), nodes.end());
  if (std::adjacent_find(nodes.begin(), nodes.end()) != nodes.end())
    found.add("I2", who, "has two ranks on one node");
}

// What is held for it is one open reserve, of exactly what its paid stretch costs.
void check_hold(const World& w, const Job& job, const std::string& who, Findings& found) {
  const State& s = w.state();
  const Lease& l = *job.lease;
  if (l.posted_s < 0 || l.posted_s > l.paid_s)
    found.add("I10", who, "is billed up to second ", l.posted_s, " and holds up to ", l.paid_s);
  const Ticks cost = cost_of(l, l.posted_s, l.paid_s);
  if (l.pending_id == 0) {
    if (cost != 0)
      found.add("I12", who, "holds nothing for ", l.paid_s - l.posted_s, " s that cost ", cost);
    return;
  }
  const auto at = w.reserves.slot_of.find(ledger::counted(l.pending_id));
  if (at == w.reserves.slot_of.end() || at->second >= s.pending.size()) {
    found.add("I12", who, "its hold, transfer ", l.pending_id, ", is not open");
    return;
  }
  const Transfer& t = s.pending[at->second];
  if (t.amount != cost)
    found.add("I12", who, "transfer ", l.pending_id, " holds ", t.amount, " for ",
              l.paid_s - l.posted_s, " s that cost ", cost);
  if (t.debit != ledger::account_at(s.projects[job.project].wallet) ||
      t.credit != ledger::account_at(revenue_of(s, job.project, l.sku)) || t.timeout_s)
    found.add("I12", who, "transfer ", l.pending_id, " is not from its wallet to its revenue");
}

// The latest instant at which somebody must look at it again; nullopt: nobody need.
std::optional<Instant> due_at_the_latest(const Job& job) {
  if (job.state == JobState::queued)
    return job.start_by.us ? std::optional(job.start_by) : std::nullopt;
  if (!job.lease || job.state == JobState::stopping) return std::nullopt;
  const Lease& l = *job.lease;
  if (l.started_at.us == 0) return l.granted_at + start_timeout;
  std::optional<Instant> due;
  const auto at = [&](Instant t) { due = due ? std::min(*due, t) : t; };
  if (l.pending_id) at(l.started_at + Duration::seconds(l.paid_s - job.grace_s - confirm_s));
  if (job.time_limit_s) at(l.started_at + Duration::seconds(job.time_limit_s));
  // Of a gang: one that never starts is no less stuck than all of them.
  for (const Rank& r : l.ranks)
    if (r.state == RankState::pending) at(std::max(l.started_at, l.granted_at + start_timeout));
  return due;
}

void check_timer(const World& w, const Job& job, const std::string& who, Findings& found) {
  const auto latest = due_at_the_latest(job);
  const auto due = w.deadline_of(job);
  if (latest && (!due || *due > *latest))
    found.add("I8", who, word(job.state), ", and nobody looks at it again by ",
              base::format_instant(*latest));
  if (due && !w.deadlines.contains({*due, job.queue_order}))
    found.add("I8", who, word(job.state), ", and its timer is not set");
}

bool lists(const std::map<std::uint64_t, Slot>& list, const Job& job, Slot slot) {
  const auto at = list.find(job.queue_order);
  return at != list.end() && at->second == slot;
}

// Where it stands in the indices, and that it stands nowhere else.
void check_places_in_indices(const World& w, const Job& job, Slot slot, const std::string& who,
                             Findings& found) {
  const bool queued = job.state == JobState::queued;
  const auto expect = [&](bool is, bool should, const char* index) {
    if (is != should)
      found.add("index", who, word(job.state), should ? ", is not in " : ", is in ", index);
  };
  expect(lists(w.queue, job, slot), queued, "the queue");
  expect(lists(w.leased, job, slot), job.lease.has_value(), "the list of leases");
  expect(lists(w.claimed, job, slot), job.claim.has_value(), "the list of claims");
  expect(lists(w.promised, job, slot), job.promise.has_value(), "the list of promises");
  for (std::size_t c = 0; c < w.running.size(); ++c)
    expect(lists(w.running[c], job, slot),
           job.lease && c == static_cast<std::size_t>(job.job_class), "a class's list of leases");
  const auto group = w.waiting.find(group_of(w.state().policy, job));
  expect(group != w.waiting.end() &&
             group->second.contains({static_rank(w.state().policy, job), job.queue_order}),
         queued, "its group of the queue");
  if (w.job(job.id) != &job) found.add("index", who, "is not found by its id");
  if (!job.lease) return;
  for (const Place& p : job.lease->places)
    if (!std::binary_search(w.use[p.node].leases.begin(), w.use[p.node].leases.end(), slot))
      found.add("index", who, "is not listed on ", name_of(w.state().nodes[p.node]));
}

}  // namespace

void check_job(const World& w, Slot slot, Findings& found) {
  const Job& job = w.state().jobs[slot];
  const std::string who = job_name(job.id);
  const bool wants_lease = job.state != JobState::queued;
  if (job.state == JobState::ended) found.add("I5", who, "has ended and is alive");
  if (job.lease.has_value() != wants_lease)
    found.add("I5", who, word(job.state), wants_lease ? ", without a lease" : ", with a lease");
  if ((job.lease && (job.claim || job.promise)) || (job.claim && job.promise))
    found.add("I1", who, "has more than one of lease, claim and promise");
  if (job.lease && job.generation == 0) found.add("I6", who, "is leased as generation 0");
  if (job.queue_order == 0 || job.queue_order >= w.state().next_queue_order)
    found.add("I13", who, "has place ", job.queue_order, " in the queue, which nobody was given");
  check_generations(job, who, found);
  check_timer(w, job, who, found);
  check_places_in_indices(w, job, slot, who, found);
  if (!job.lease) return;
  check_gang(w, job, who, found);
  check_hold(w, job, who, found);
  const Lease& l = *job.lease;
  const bool all_seen = std::none_of(l.ranks.begin(), l.ranks.end(),
                                     [](const Rank& r) { return r.state == RankState::pending; });
  if (job.state == JobState::running && !all_seen)
    found.add("I5", who, "runs, and one of its ranks was not seen to start");
  if (l.started_at.us && l.started_at < l.granted_at)
    found.add("I11", who, "started before it was granted");
}

// ---- shape --------------------------------------------------------------------------------------

namespace {

void check_places(const State& s, const std::vector<Place>& places, const std::string& who,
                  Findings& found) {
  for (const Place& p : places)
    if (p.node >= s.nodes.size()) {
      found.add("shape", who, "names node ", p.node, " of ", s.nodes.size());
    } else if (const std::size_t gpus = s.nodes[p.node].gpus.size();
               gpus < 64 && p.gpu_mask >> gpus != 0) {
      found.add("shape", who, "names cards that ", name_of(s.nodes[p.node]), " has not");
    }
}

void check_shape_of(const State& s, const Job& job, Findings& found) {
  const std::string who = job_name(job.id);
  if (job.project >= s.projects.size()) found.add("shape", who, "has no project");
  if (job.demand.skus.empty()) found.add("shape", who, "asks for no kind of node");
  for (const SkuIx k : job.demand.skus)
    if (k >= s.skus.size()) found.add("shape", who, "asks for kind ", k, " of ", s.skus.size());
  if (job.claim) check_places(s, job.claim->places, who, found);
  if (job.promise) check_places(s, job.promise->places, who, found);
  if (!job.lease) return;
  if (job.lease->sku >= s.skus.size() || job.lease->places.empty())
    found.add("shape", who, "has a lease of nothing");
  check_places(s, job.lease->places, who, found);
}

void check_bounds(const World& w, Findings& found) {  // I22
  const State& s = w.state();
  const auto most = [&](const char* what, std::size_t n, std::size_t bound) {
    if (n > bound) found.add("I22", "the world", n, " ", what, ", at most ", bound);
  };
  most("live jobs", w.live_jobs, most_live_jobs);
  // Who is told to make room goes back to the queue, full or not.
  most("waiting jobs", w.queue.size(), most_queued_jobs + most_live_jobs / 10);
  most("histories of run times", s.histories.size(), most_histories);
  most("budgets", s.budgets.size(), most_budgets);
  most("webhooks", s.webhooks.size(), most_webhooks);
  most("sites", s.sites.size(), most_sites);
  most("windows", s.windows.size(), 10'000);
  most("job slots", s.jobs.size(), most_live_jobs);
}

}  // namespace

void check_shape(const World& w, Findings& found) {
  const State& s = w.state();
  for (const Job& job : s.jobs)
    if (!job.id.is_nil()) check_shape_of(s, job, found);
  for (const Project& p : s.projects)
    if (p.org >= s.orgs.size() || p.wallet >= s.accounts.size() ||
        (p.revenue != nobody && p.revenue >= s.accounts.size()))
      found.add("shape", "project " + p.name, "has no org or no accounts");
  for (const Sku& k : s.skus)
    if (k.revenue >= s.accounts.size()) found.add("shape", "SKU " + k.name, "earns nowhere");
  for (const Node& n : s.nodes)
    if (n.sku >= s.skus.size() || n.site >= s.sites.size() || n.gpus.size() > 64)
      found.add("shape", name_of(n), "is of no kind or site, or has too many cards");
  for (const Window& win : s.windows)
    if (!win.id.is_nil()) check_places(s, win.places, "window " + win.name, found);
  if (w.use.size() != s.nodes.size() || w.packer.size() != s.nodes.size())
    found.add("shape", "the world", s.nodes.size(), " nodes, ", w.use.size(), " in use and ",
              w.packer.size(), " in the packer");
  for (const std::size_t n :
       {w.burn.size(), w.share_rate.size(), w.alive_of_project.size(), w.queued_of_project.size()})
    if (n != s.projects.size())
      found.add("shape", "the world", n, " sums by project, of ", s.projects.size());
  if (w.alive_of_org.size() != s.orgs.size() || w.waiting_for_sku.size() != s.skus.size())
    found.add("shape", "the world", "its sums by org or by SKU are of another size");
}

// ---- whole --------------------------------------------------------------------------------------

std::vector<Violation> violations(const World& w, Instant now) {
  Findings found;
  check_shape(w, found);
  if (!found.clean()) return std::move(found.list);
  check_floor(w, found);
  for (Slot slot = 0; slot < w.state().jobs.size(); ++slot)
    if (!w.state().jobs[slot].id.is_nil()) check_job(w, slot, found);
  check_money(w, now, found);
  check_indices(w, found);
  check_sites(w, found);
  check_bounds(w, found);
  return std::move(found.list);
}

std::vector<Violation> overdue(const World& w, Instant now, Duration slack) {
  Findings found;
  for (const auto& [due, order] : w.deadlines) {
    if (due + slack >= now) break;
    const auto late = (now - due).whole_seconds();
    const auto at = w.leased.find(order);
    const auto waiting = w.queue.find(order);
    const Slot slot = at != w.leased.end()       ? at->second
                      : waiting != w.queue.end() ? waiting->second
                                                 : nobody;
    if (slot < w.state().jobs.size())
      found.add("I8", job_name(w.state().jobs[slot].id), "its timer is ", late, " s late");
  }
  return std::move(found.list);
}

}  // namespace ampacity::core
