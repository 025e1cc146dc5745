#include "core/world.h"

#include <algorithm>
#include <bit>

#include "base/check.h"
#include "base/crypto.h"
#include "core/meter.h"
#include "core/settle.h"

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
  const PriceBook* found = nullptr;
  for (const PriceBook& b : state_.books)
    if (b.effective_from <= t) found = &b;
  return found;
}

std::uint32_t World::free_gpus(NodeIx n) const {
  return static_cast<std::uint32_t>(state_.nodes[n].gpus.size()) -
         static_cast<std::uint32_t>(std::popcount(use[n].gpus_busy));
}

std::optional<Instant> World::deadline_of(const Job& job) {
  if (!job.lease || job.state == JobState::stopping) return std::nullopt;
  const Lease& lease = *job.lease;
  if (lease.started_at.us == 0) return lease.granted_at + start_timeout;
  std::optional<Instant> due;
  if (lease.pending_id != 0)
    due = lease.started_at + Duration::seconds(lease.paid_s) - settle_lead(job);
  if (job.time_limit_s > 0) {
    const Instant limit = lease.started_at + Duration::seconds(job.time_limit_s);
    if (!due || limit < *due) due = limit;
  }
  return due;
}

void World::index_job(Slot slot, int sign) {
  const Job& job = state_.jobs[slot];
  if (job.state == JobState::queued) {
    if (sign > 0)
      queue.emplace(job.queue_order, slot);
    else
      queue.erase(job.queue_order);
    queued_of_project[job.project] += static_cast<std::uint32_t>(sign);
    for (const SkuIx s : job.demand.skus) waiting_for_sku[s] += static_cast<std::uint32_t>(sign);
  }
  if (const auto due = deadline_of(job)) {
    if (sign > 0)
      deadlines.emplace(*due, job.queue_order);
    else
      deadlines.erase({*due, job.queue_order});
  }
  if (!job.lease) return;
  if (sign > 0)
    leased.emplace(job.queue_order, slot);
  else
    leased.erase(job.queue_order);
  burn[job.project] += sign * burn_rate(job.lease->rates);
  for (const Place& p : job.lease->places) {
    index_node(p.node, -1);
    NodeUse& u = use[p.node];
    CHECK_THAT(sign < 0 || (u.gpus_busy & p.gpu_mask) == 0, "a GPU is in two leases");
    u.gpus_busy = sign > 0 ? u.gpus_busy | p.gpu_mask : u.gpus_busy & ~p.gpu_mask;
    u.cpu_milli += sign * job.lease->cpu_milli;
    u.memory_mib += sign * job.lease->memory_mib;
    u.leases += static_cast<std::uint32_t>(sign);
    index_node(p.node, +1);
  }
}

void World::index_node(NodeIx n, int sign) {
  const Node& node = state_.nodes[n];
  if (node.state != NodeState::active) return;
  auto& buckets = by_free_gpus[node.sku];
  if (buckets.size() <= node.gpus.size()) buckets.resize(node.gpus.size() + 1);
  auto& bucket = buckets[free_gpus(n)];
  if (sign > 0)
    bucket.insert(n);
  else
    bucket.erase(n);
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

void World::rebuild() {
  use.assign(state_.nodes.size(), {});
  by_free_gpus.assign(state_.skus.size(), {});
  waiting_for_sku.assign(state_.skus.size(), 0);
  burn.assign(state_.projects.size(), 0);
  queued_of_project.assign(state_.projects.size(), 0);
  for (std::uint32_t k = 0; k < state_.keys.size(); ++k) key_by_lookup_[state_.keys[k].lookup] = k;
  for (std::uint32_t p = 0; p < state_.projects.size(); ++p) {
    project_by_name_[state_.projects[p].name] = p;
    project_by_name_[base::format_id("prj", state_.projects[p].id)] = p;
  }
  for (NodeIx n = 0; n < state_.nodes.size(); ++n) index_node(n, +1);
  for (Slot slot = 0; slot < state_.jobs.size(); ++slot) {
    if (state_.jobs[slot].id.is_nil()) {
      free_slots_.push_back(slot);
      continue;
    }
    slot_of_.emplace(state_.jobs[slot].id, slot);
    index_job(slot, +1);
    ++live_jobs;
  }
}

std::string state_digest(const State& state) {
  State copy = state;
  std::erase_if(copy.jobs, [](const Job& j) { return j.id.is_nil(); });
  std::sort(copy.jobs.begin(), copy.jobs.end(),
            [](const Job& a, const Job& b) { return a.id < b.id; });
  return base::to_hex(base::sha256(base::to_json(copy)));
}

}  // namespace ampacity::core
