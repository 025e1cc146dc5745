#include "core/world.h"

#include <algorithm>
#include <bit>

#include "base/check.h"
#include "base/crypto.h"
#include "core/history.h"
#include "core/meter.h"
#include "core/order.h"
#include "core/place.h"
#include "core/price_book.h"
#include "core/settle.h"
#include "core/share.h"

namespace ampacity::core {

World::World(State from) : state_(std::move(from)) { rebuild(); }

const Job* World::job(Id id) const {
  const auto at = slot_of_.find(id);
  return at == slot_of_.end() ? nullptr : &state_.jobs[at->second];
}

Job* World::job_at(Id id) {
  const auto at = slot_of_.find(id);
  return at == slot_of_.end() ? nullptr : &state_.jobs[at->second];
}

std::optional<SkuIx> World::sku(std::string_view name) const {
  for (SkuIx s = 0; s < state_.skus.size(); ++s)
    if (state_.skus[s].name == name) return s;
  return std::nullopt;
}

std::optional<ProjectIx> World::project(std::string_view id_or_name) const {
  const auto at = project_by_name_.find(id_or_name);
  if (at == project_by_name_.end()) return std::nullopt;
  return at->second;
}

const Key* World::key_by_lookup(std::string_view lookup) const {
  const auto at = key_by_lookup_.find(lookup);
  return at == key_by_lookup_.end() ? nullptr : &state_.keys[at->second];
}

std::optional<OrgIx> World::find_org(std::string_view id_or_name) const {
  for (OrgIx o = 0; o < state_.orgs.size(); ++o)
    if (state_.orgs[o].name == id_or_name ||
        base::format_id("org", state_.orgs[o].id) == id_or_name)
      return o;
  return std::nullopt;
}

std::optional<UserIx> World::find_user(std::string_view id_or_name, OrgIx org) const {
  for (UserIx u = 0; u < state_.users.size(); ++u) {
    const User& user = state_.users[u];
    if (user.org == org &&
        (user.name == id_or_name || base::format_id("user", user.id) == id_or_name))
      return u;
  }
  return std::nullopt;
}

const PriceBook* World::prices_at(Instant t) const {
  if (state_.books.empty()) return nullptr;
  return book_in_force(state_.books, nobody, state_.books.front().currency, t);
}

const Window* World::window(Id id) const {
  for (const Window& w : state_.windows)
    if (w.id == id && !id.is_nil()) return &w;
  return nullptr;
}

std::optional<NodeIx> World::node(std::string_view name) const {
  const auto at = node_by_name_.find(name);
  if (at == node_by_name_.end()) return std::nullopt;
  return at->second;
}

std::optional<SiteIx> World::site(std::string_view name) const {
  for (SiteIx s = 0; s < state_.sites.size(); ++s)
    if (state_.sites[s].name == name && !state_.sites[s].removed) return s;
  return std::nullopt;
}

std::optional<SiteIx> World::volume_home(ProjectIx project, std::string_view name) const {
  const auto at =
      std::lower_bound(state_.volumes.begin(), state_.volumes.end(), std::pair(project, name),
                       [](const VolumeHome& v, const auto& key) {
                         return std::pair(v.project, std::string_view(v.name)) < key;
                       });
  if (at == state_.volumes.end() || at->project != project || at->name != name) return std::nullopt;
  return at->site;
}

// ---- nodes --------------------------------------------------------------------------------------

std::uint32_t World::free_gpus(NodeIx n) const { return packer.whole_free(n); }

void World::add_node(NodeIx n) {
  const Node& node = state_.nodes[n];
  const NodeIx at = packer.add(room_of(node));
  CHECK_THAT(at == n, "the packer counts nodes as the state does");
  use.resize(state_.nodes.size());
  domains_.resize(state_.nodes.size());
  node_by_name_.emplace(node.name, n);
  label(n);
  count_hardware(n, +1);
  open_or_close(n);
}

void World::label(NodeIx n) {
  const Node& node = state_.nodes[n];
  const std::array<const std::string*, 4> labels = {nullptr, &node.nvlink, &node.rack, &node.leaf};
  for (int level = 0; level < 4; ++level) {
    std::uint32_t& id = domains_[n][static_cast<std::size_t>(level)];
    if (!labels[static_cast<std::size_t>(level)] ||
        labels[static_cast<std::size_t>(level)]->empty()) {
      id = next_domain_++;
      continue;
    }
    const auto [at, is_new] = domain_by_label_.try_emplace(
        {level, std::to_string(node.site) + "/" + *labels[static_cast<std::size_t>(level)]},
        next_domain_);
    next_domain_ += is_new;
    id = at->second;
  }
}

void World::count_hardware(NodeIx n, int sign) {
  const Node& node = state_.nodes[n];
  if (node.state == NodeState::absent) return;
  const Hardware kind{node.sku,       node.site,       static_cast<std::uint32_t>(node.gpus.size()),
                      node.cpu_milli, node.memory_mib, node.rents_cpu};
  std::uint32_t& count = hardware[kind];
  count += static_cast<std::uint32_t>(sign);
  if (count == 0) hardware.erase(kind);
}

void World::open_or_close(NodeIx n) { packer.set_open(n, takes_work(n) && !holds.contains(n)); }

// ---- holds --------------------------------------------------------------------------------------

void World::index_holds(const std::vector<Place>& places, const Hold& hold, int sign) {
  for (const Place& p : places) {
    Hold here = hold;
    here.gpu_mask = p.gpu_mask;
    auto& list = holds[p.node];
    const auto at = std::lower_bound(list.begin(), list.end(), here);
    if (sign > 0) {
      list.insert(at, here);
    } else {
      CHECK_THAT(at != list.end() && *at == here, "the hold to take out is not there");
      list.erase(at);
    }
    if (list.empty()) holds.erase(p.node);
    open_or_close(p.node);
  }
}

void World::index_window(std::uint32_t ix, int sign) {
  const Window& w = state_.windows[ix];
  if (w.id.is_nil()) return;
  for (const Place& p : w.places) {
    const Node& node = state_.nodes[p.node];
    // A window on all the cards has all of the node.
    const auto cards = static_cast<std::int64_t>(std::popcount(p.gpu_mask));
    const auto all = static_cast<std::int64_t>(node.gpus.size());
    Hold hold{Hold::Why::window, ix, w.from, w.until, p.gpu_mask, node.cpu_milli, node.memory_mib};
    if (cards < all) {
      hold.cpu_milli = node.cpu_milli * cards / all;
      hold.memory_mib = node.memory_mib * cards / all;
    }
    index_holds({p}, hold, sign);
  }
}

// ---- jobs ---------------------------------------------------------------------------------------

std::optional<Instant> World::fence_at(const Job& job) const {
  if (!job.lease) return std::nullopt;
  const Site& site = state_.sites[site_of(*job.lease)];
  if (site.unknown_since.us == 0) return std::nullopt;
  const Policy& p = state_.policy;
  const Instant given_up = site.unknown_since + Duration::seconds(p.site_lease_s + p.site_grace_s);
  if (job.if_site_lost == IfSiteLost::move) return given_up;
  if (job.state != JobState::stopping || job.stop_reason != StopReason::asked) return std::nullopt;
  return std::max(given_up, job.stop_ordered_at + Duration::seconds(job.grace_s));
}

std::optional<Instant> World::deadline_of(const Job& job) const {
  if (job.state == JobState::queued) {
    if (job.start_by.us == 0) return std::nullopt;
    return job.start_by;
  }
  std::optional<Instant> due = fence_at(job);
  if (!job.lease || job.state == JobState::stopping) return due;
  const Lease& lease = *job.lease;
  if (lease.started_at.us == 0)
    return std::min(due.value_or(forever), lease.granted_at + start_timeout);
  if (lease.pending_id != 0)
    due = std::min(due.value_or(forever),
                   lease.started_at + Duration::seconds(lease.paid_s) - settle_lead(job));
  if (job.time_limit_s > 0) {
    const Instant limit = lease.started_at + Duration::seconds(job.time_limit_s);
    if (!due || limit < *due) due = limit;
  }
  const Instant all_start_by = lease.granted_at + start_timeout;
  if ((!due || all_start_by < *due) && !all_were_seen(lease)) due = all_start_by;
  if (const Window* w = window(job.demand.reservation)) {
    const Instant leave = w->until - Duration::seconds(job.grace_s);
    if (!due || leave < *due) due = leave;
  }
  return due;
}

std::optional<Instant> World::next_wake(Instant now) const {
  std::optional<Instant> wake;
  const auto consider = [&](Instant t) {
    if (!wake || t < *wake) wake = t;
  };
  if (!deadlines.empty()) consider(deadlines.begin()->first);
  if (!reserves.lapses.empty()) consider(reserves.lapses.begin()->first);
  if (budgets.next_until.us) consider(budgets.next_until);
  // Floating prices change; who waits for a lower one may start.
  const bool late = !running[static_cast<std::size_t>(JobClass::spot)].empty();
  for (const PriceBook& b : state_.books)
    if (b.effective_from > now || (late && b.effective_from > state_.spot_priced_at))
      consider(b.effective_from);
  for (const Window& w : state_.windows) {
    if (w.id.is_nil()) continue;
    const Instant notice = w.from - Duration::seconds(state_.policy.spot_grace_s);
    for (const Instant t : {notice, w.from, w.until})
      if (t > now && t.us != forever.us) consider(t);
    if (w.release_unused && w.from <= now) consider(full_hour_after(now));
  }
  return wake;
}

void World::index_job(Slot slot, int sign) {
  const Job& job = state_.jobs[slot];
  if (job.state == JobState::queued) index_queued(job, slot, sign);
  if (job.lease) index_lease(job, slot, sign);
  if (job.lease) budgets.count_lease(state_, job, sign);
  index_alive(job, sign);
  if (const auto due = deadline_of(job)) {
    if (sign > 0)
      deadlines.emplace(*due, job.queue_order);
    else
      deadlines.erase({*due, job.queue_order});
  }
}

void World::index_queued(const Job& job, Slot slot, int sign) {
  const std::pair<std::int64_t, std::uint64_t> waiter{static_rank(state_.policy, job),
                                                      job.queue_order};
  const GroupKey key = group_of(state_.policy, job);
  if (sign > 0) {
    queue.emplace(job.queue_order, slot);
    waiting[key].insert(waiter);
  } else {
    queue.erase(job.queue_order);
    const auto group = waiting.find(key);
    group->second.erase(waiter);
    if (group->second.empty()) waiting.erase(group);
  }
  queued_of_project[job.project] += static_cast<std::uint32_t>(sign);
  for (const SkuIx s : job.demand.skus) waiting_for_sku[s] += static_cast<std::uint32_t>(sign);
  const auto list = [&](std::map<std::uint64_t, Slot>& in) {
    if (sign > 0)
      in.emplace(job.queue_order, slot);
    else
      in.erase(job.queue_order);
  };
  if (const auto& c = job.claim) {
    list(claimed);
    index_holds(
        c->places,
        {Hold::Why::claim, job.queue_order, c->made_at, forever, 0, c->cpu_milli, c->memory_mib},
        sign);
  }
  if (const auto& p = job.promise) {
    list(promised);
    index_holds(
        p->places,
        {Hold::Why::promise, job.queue_order, p->start_by, forever, 0, p->cpu_milli, p->memory_mib},
        sign);
  }
}

void World::index_lease(const Job& job, Slot slot, int sign) {
  const Lease& lease = *job.lease;
  auto& of_class = running[static_cast<std::size_t>(job.job_class)];
  if (sign > 0) {
    leased.emplace(job.queue_order, slot);
    of_class.emplace(job.queue_order, slot);
  } else {
    leased.erase(job.queue_order);
    of_class.erase(job.queue_order);
  }
  if (job.state == JobState::stopping) {
    if (sign > 0)
      stopping.insert(job.queue_order);
    else
      stopping.erase(job.queue_order);
  }
  burn[job.project] += sign * burn_rate(lease.rates);
  share_rate[job.project] += sign * share_of(lease.rates);
  const NodeNeed need = need_of(job.demand, lease.cpu_milli, lease.memory_mib, job.project);
  for (const Place& p : lease.places) {
    const Grip grip{p.node, p.gpu_mask, static_cast<std::uint8_t>(p.mig_slices)};
    NodeUse& u = use[p.node];
    const auto at = std::lower_bound(u.leases.begin(), u.leases.end(), slot);
    if (sign > 0) {
      packer.take(grip, need);
      u.leases.insert(at, slot);
    } else {
      packer.give(grip, need);
      u.leases.erase(at);
    }
    u.cpu_milli += sign * lease.cpu_milli;
    u.memory_mib += sign * lease.memory_mib;
  }
}

void World::index_alive(const Job& job, int sign) {
  const SkuIx sku = job.lease ? job.lease->sku : job.demand.skus[0];
  const std::int64_t milli = gpu_milli_of(job.demand);
  for (Alive* a :
       {&alive_of_project[job.project], &alive_of_org[state_.projects[job.project].org]}) {
    if (a->gpu_milli.size() <= sku) a->gpu_milli.resize(sku + 1);
    a->gpu_milli[sku] += sign * milli;
    while (!a->gpu_milli.empty() && a->gpu_milli.back() == 0) a->gpu_milli.pop_back();
    a->gpu_milli_s += sign * job.committed_gpu_milli_s;
    a->spend += sign * job.committed_spend;
  }
}

Job& World::add_job(Job job) {
  Slot slot = 0;
  if (free_slots_.empty()) {
    slot = static_cast<Slot>(state_.jobs.size());
    state_.jobs.emplace_back();
  } else {
    slot = free_slots_.back();
    free_slots_.pop_back();
  }
  slot_of_.emplace(job.id, slot);
  state_.jobs[slot] = std::move(job);
  know(slot);
  index_job(slot, +1);
  ++live_jobs;
  return state_.jobs[slot];
}

void World::remove_job(Id id) {
  const auto at = slot_of_.find(id);
  CHECK_THAT(at != slot_of_.end(), "the job to remove is not there");
  index_job(at->second, -1);
  state_.jobs[at->second] = Job{};
  free_slots_.push_back(at->second);
  slot_of_.erase(at);
  --live_jobs;
}

// ---- what was learnt ----------------------------------------------------------------------------

std::array<const History*, 4> World::histories_of(const Job& job) const {
  std::array<const History*, 4> found{};
  const std::less<const Job*> before;
  const Job* first = state_.jobs.data();
  if (!before(&job, first) && before(&job, first + state_.jobs.size())) {
    const auto& ix = history_of_slot_[static_cast<std::size_t>(&job - first)];
    for (std::size_t i = 0; i < found.size(); ++i)
      if (ix[i] != nobody) found[i] = &state_.histories[ix[i]];
    return found;
  }
  const auto names = history_names(job);
  for (std::size_t i = 0; i < found.size(); ++i) {
    const auto at = history_by_name_.find(names[i]);
    if (at != history_by_name_.end()) found[i] = &state_.histories[at->second];
  }
  return found;
}

void World::know(Slot slot) {
  history_of_slot_.resize(state_.jobs.size());
  const auto names = history_names(state_.jobs[slot]);
  for (std::size_t i = 0; i < names.size(); ++i) {
    const auto at = history_by_name_.find(names[i]);
    std::uint32_t& ix = history_of_slot_[slot][i];
    if (at != history_by_name_.end()) {
      ix = at->second;
    } else if (state_.histories.size() < most_histories) {
      ix = static_cast<std::uint32_t>(state_.histories.size());
      history_by_name_.emplace(names[i], ix);
      state_.histories.push_back({names[i].first, names[i].second, 0, {}});
    } else {
      ix = nobody;
    }
  }
}

void World::learn(Slot slot, std::int64_t run_s) {
  for (const std::uint32_t ix : history_of_slot_[slot])
    if (ix != nobody) count_run(state_.histories[ix], run_s);
}

void World::rebuild() {
  const State& s = state_;
  waiting_for_sku.assign(s.skus.size(), 0);
  for (SkuIx k = 0; k < s.skus.size(); ++k) all_skus.push_back(k);
  burn.assign(s.projects.size(), 0);
  share_rate.assign(s.projects.size(), 0);
  queued_of_project.assign(s.projects.size(), 0);
  alive_of_project.assign(s.projects.size(), {});
  alive_of_org.assign(s.orgs.size(), {});
  for (std::uint32_t k = 0; k < s.keys.size(); ++k) {
    key_by_lookup_[s.keys[k].lookup] = k;
    key_by_id_[s.keys[k].id] = k;
  }
  for (std::uint32_t p = 0; p < s.projects.size(); ++p) {
    project_by_name_[s.projects[p].name] = p;
    project_by_name_[base::format_id("prj", s.projects[p].id)] = p;
  }
  for (std::uint32_t h = 0; h < s.histories.size(); ++h)
    history_by_name_[{s.histories[h].project, s.histories[h].name}] = h;
  for (NodeIx n = 0; n < s.nodes.size(); ++n) add_node(n);
  for (std::uint32_t w = 0; w < s.windows.size(); ++w) index_window(w, +1);
  for (Slot slot = 0; slot < s.jobs.size(); ++slot) {
    if (s.jobs[slot].id.is_nil()) {
      free_slots_.push_back(slot);
      continue;
    }
    slot_of_.emplace(s.jobs[slot].id, slot);
    know(slot);
    index_job(slot, +1);
    ++live_jobs;
  }
  budgets.rebuild(s, s.now);
  reserves.rebuild(s);
}

std::string state_digest(const State& state) {
  State copy = state;
  std::erase_if(copy.jobs, [](const Job& j) { return j.id.is_nil(); });
  std::erase_if(copy.pending, [](const Transfer& t) { return t.id.is_nil(); });
  std::sort(copy.pending.begin(), copy.pending.end(),
            [](const Transfer& a, const Transfer& b) { return a.id < b.id; });
  std::sort(copy.jobs.begin(), copy.jobs.end(),
            [](const Job& a, const Job& b) { return a.id < b.id; });
  return base::to_hex(base::sha256(base::to_json(copy)));
}

}  // namespace ampacity::core
