// What the world derived, against the state it is derived from.
#include <algorithm>
#include <bit>

#include "core/desire.h"
#include "core/invariants_floor.h"
#include "core/order.h"

namespace ampacity::core {
namespace {

// By project, by org and by SKU.
struct Sums {
  std::vector<Ticks> burn, share_rate;
  std::vector<std::uint32_t> queued, waiting;
  std::vector<Alive> of_project, of_org;
  std::size_t live = 0, queue = 0, leased = 0, claimed = 0, promised = 0, stopping = 0, timers = 0;
};

Ticks up(base::Wide amount, std::int64_t per) {
  return static_cast<Ticks>((amount + per - 1) / per);
}

void count_alive(const Job& job, Alive& a) {
  const SkuIx sku = job.lease ? job.lease->sku : job.demand.skus[0];
  if (a.gpu_milli.size() <= sku) a.gpu_milli.resize(sku + 1);
  a.gpu_milli[sku] +=
      std::int64_t{job.demand.nodes} * job.demand.gpus_per_node * job.demand.gpu_milli;
  a.gpu_milli_s += job.committed_gpu_milli_s;
  a.spend += job.committed_spend;
}

void count(const World& w, const Job& job, Sums& sums) {
  const State& s = w.state();
  ++sums.live;
  sums.claimed += job.claim.has_value();
  sums.promised += job.promise.has_value();
  sums.stopping += job.lease && job.state == JobState::stopping;
  sums.timers += w.deadline_of(job).has_value();
  count_alive(job, sums.of_project[job.project]);
  count_alive(job, sums.of_org[s.projects[job.project].org]);
  if (job.state == JobState::queued) {
    ++sums.queue;
    ++sums.queued[job.project];
    for (const SkuIx k : job.demand.skus) ++sums.waiting[k];
  }
  if (!job.lease) return;
  ++sums.leased;
  const Rates& r = job.lease->rates;
  const base::Wide gpu = static_cast<base::Wide>(r.gpu_price) * r.gpus * r.gpu_milli;
  sums.share_rate[job.project] += static_cast<Ticks>(gpu / 1000);
  sums.burn[job.project] += up(gpu, 1000) +
                            up(static_cast<base::Wide>(r.vcpu_price) * r.cpu_milli, 1000) +
                            up(static_cast<base::Wide>(r.gib_price) * r.memory_mib, 1024);
}

bool same(const Alive& a, const Alive& b) {
  const auto at = [](const Alive& x, std::size_t i) {
    return i < x.gpu_milli.size() ? x.gpu_milli[i] : 0;
  };
  for (std::size_t i = 0; i < std::max(a.gpu_milli.size(), b.gpu_milli.size()); ++i)
    if (at(a, i) != at(b, i)) return false;
  return a.gpu_milli_s == b.gpu_milli_s && a.spend == b.spend;
}

void check_sums(const World& w, Findings& found) {
  const State& s = w.state();
  Sums sums;
  sums.burn.resize(s.projects.size());
  sums.share_rate.resize(s.projects.size());
  sums.queued.resize(s.projects.size());
  sums.of_project.resize(s.projects.size());
  sums.of_org.resize(s.orgs.size());
  sums.waiting.resize(s.skus.size());
  for (const Job& job : s.jobs)
    if (!job.id.is_nil()) count(w, job, sums);
  for (std::size_t p = 0; p < s.projects.size(); ++p) {
    const std::string where = "project " + s.projects[p].name;
    if (sums.burn[p] != w.burn[p] || sums.share_rate[p] != w.share_rate[p])
      found.add("index", where, "burns ", sums.burn[p], " ticks a second, and ", w.burn[p],
                " are counted");
    if (sums.queued[p] != w.queued_of_project[p])
      found.add("index", where, sums.queued[p], " jobs wait, and ", w.queued_of_project[p],
                " are counted");
    if (!same(sums.of_project[p], w.alive_of_project[p]))
      found.add("I4", where, "what is alive is not what its quota counts");
  }
  for (std::size_t o = 0; o < s.orgs.size(); ++o)
    if (!same(sums.of_org[o], w.alive_of_org[o]))
      found.add("I4", "org " + s.orgs[o].name, "what is alive is not what its quota counts");
  if (sums.waiting != w.waiting_for_sku)
    found.add("index", "the queue", "who waits for which SKU is miscounted");
  std::size_t running = 0, waiting = 0;
  for (const auto& of_class : w.running) running += of_class.size();
  for (const auto& [key, group] : w.waiting) waiting += group.size();
  const auto size = [&](const char* index, std::size_t is, std::size_t should) {
    if (is != should) found.add("index", index, "has ", is, " entries of ", should);
  };
  size("the count of live jobs", w.live_jobs, sums.live);
  size("the queue", w.queue.size(), sums.queue);
  size("the queue's groups", waiting, sums.queue);
  size("the list of leases", w.leased.size(), sums.leased);
  size("the lists of leases by class", running, sums.leased);
  size("the list of claims", w.claimed.size(), sums.claimed);
  size("the list of promises", w.promised.size(), sums.promised);
  size("the count of stops", w.stopping.size(), sums.stopping);
  size("the timers", w.deadlines.size(), sums.timers);
}

std::map<NodeIx, std::vector<Hold>> holds_of(const State& s) {
  std::map<NodeIx, std::vector<Hold>> holds;
  const auto add = [&](const Place& p, Hold hold) {
    hold.gpu_mask = p.gpu_mask;
    holds[p.node].push_back(hold);
  };
  for (std::uint32_t ix = 0; ix < s.windows.size(); ++ix) {
    const Window& win = s.windows[ix];
    if (win.id.is_nil()) continue;
    for (const Place& p : win.places) {
      const Node& n = s.nodes[p.node];
      const std::int64_t cards = std::popcount(p.gpu_mask);
      const auto all = static_cast<std::int64_t>(n.gpus.size());
      const bool whole = cards >= all;
      add(p, {Hold::Why::window, ix, win.from, win.until, 0,
              whole ? n.cpu_milli : n.cpu_milli * cards / all,
              whole ? n.memory_mib : n.memory_mib * cards / all});
    }
  }
  for (const Job& job : s.jobs) {
    if (job.id.is_nil() || job.state != JobState::queued) continue;
    if (const auto& c = job.claim)
      for (const Place& p : c->places)
        add(p, {Hold::Why::claim, job.queue_order, c->made_at, forever, 0, c->cpu_milli,
                c->memory_mib});
    if (const auto& p = job.promise)
      for (const Place& at : p->places)
        add(at, {Hold::Why::promise, job.queue_order, p->start_by, forever, 0, p->cpu_milli,
                 p->memory_mib});
  }
  for (auto& [node, list] : holds) std::sort(list.begin(), list.end());
  return holds;
}

void check_timeline(const World& w, Findings& found) {
  const auto holds = holds_of(w.state());
  for (NodeIx n = 0; n < w.state().nodes.size(); ++n) {
    const auto a = holds.find(n);
    const auto b = w.holds.find(n);
    const bool right =
        a == holds.end() ? b == w.holds.end() : b != w.holds.end() && a->second == b->second;
    if (!right)
      found.add("index", name_of(w.state().nodes[n]),
                "its timeline is not that of its claims, promises and windows");
  }
}

void check_names(const World& w, Findings& found) {
  const State& s = w.state();
  std::map<Hardware, std::uint32_t> hardware;
  for (NodeIx n = 0; n < s.nodes.size(); ++n) {
    const Node& node = s.nodes[n];
    if (w.node(node.name) != n) found.add("index", name_of(node), "is not found by its name");
    if (node.state != NodeState::absent)
      ++hardware[{node.sku, node.site, static_cast<std::uint32_t>(node.gpus.size()), node.cpu_milli,
                  node.memory_mib, node.rents_cpu}];
  }
  if (hardware != w.hardware) found.add("index", "the hardware", "is not that of the nodes");
  for (ProjectIx p = 0; p < s.projects.size(); ++p)
    if (w.project(s.projects[p].name) != p ||
        w.project(base::format_id("prj", s.projects[p].id)) != p)
      found.add("index", "project " + s.projects[p].name, "is not found by its name and id");
  for (const Key& k : s.keys)
    if (w.key_by_lookup(k.lookup) != &k)
      found.add("index", base::format_id("key", k.id), "is not found");
  for (const Session& x : s.sessions)
    if (std::none_of(s.keys.begin(), s.keys.end(),
                     [&](const Key& k) { return k.id == x.key && !k.revoked; }))
      found.add("sessions", base::format_id("key", x.key),
                "is revoked, or not there, and signed in");
  if (w.all_skus.size() != s.skus.size())
    found.add("index", "the SKUs", w.all_skus.size(), " are listed of ", s.skus.size());
}

}  // namespace

void check_indices(const World& w, Findings& found) {
  check_sums(w, found);
  check_timeline(w, found);
  check_names(w, found);
  Reserves reserves;
  reserves.rebuild(w.state());
  bool open = reserves == w.reserves;
  for (const auto& [id, slot] : w.reserves.slot_of)
    open = open && slot < w.state().pending.size() && w.state().pending[slot].id == id;
  if (!open) found.add("index", "the reserves", "are not those of the state");
  BudgetIndex budgets;
  budgets.rebuild(w.state(), w.state().now);
  if (!(budgets == w.budgets)) found.add("I4", "the budgets", "do not count what there is");
}

}  // namespace ampacity::core
