// What operators set about projects and the queue: quotas, weights, the policy.
#include "core/decide.h"

namespace ampacity::core {

using base::Code;

Decision decide_policy(const World& world, const SetQuota& c) {
  QuotaSet set{nobody, nobody, c.quota};
  if (!c.project.empty() == !c.org.empty())
    return base::refuse_field("project", "a quota is of one project or of one org");
  if (!c.project.empty()) {
    const auto project = world.project(c.project);
    if (!project) return base::refuse_field("project", "there is no project " + c.project);
    set.project = *project;
  } else {
    const auto org = world.find_org(c.org);
    if (!org) return base::refuse_field("org", "there is no org " + c.org);
    set.org = *org;
  }
  set.quota.gpus.clear();
  for (const auto& [name, milli] : c.gpu_milli) {
    const auto sku = name.empty() ? std::optional<SkuIx>(nobody) : world.sku(name);
    if (!sku) return base::refuse_field("gpus", "there is no GPU '" + name + "' here");
    if (milli < 0) return base::refuse_field("gpus", "must not be negative");
    set.quota.gpus.push_back({*sku, milli});
  }
  const bool by_window = c.quota.gpu_milli_s >= 0 || c.quota.spend >= 0;
  if (by_window && (c.quota.window_s < 3600 || c.quota.window_s > 366 * 86'400))
    return base::refuse_field("window", "must be between 1h and 366d");
  if (!by_window) set.quota.window_s = 0;
  return std::vector<FactBody>{std::move(set)};
}

Decision decide_policy(const World& world, const SetWeight& c) {
  const auto project = world.project(c.project);
  if (!project) return base::refuse_field("project", "there is no project " + c.project);
  if (c.weight < 1 || c.weight > 1'000'000)
    return base::refuse_field("weight", "must be 1 to 1,000,000; 100 is usual");
  return std::vector<FactBody>{WeightSet{*project, c.weight}};
}

Decision decide_policy(const World&, const SetPolicy& c) {
  const Policy& p = c.policy;
  if (p.promises_per_class < 0 || p.promises_per_class > 64)
    return base::refuse_field("promises_per_class", "must be 0 to 64");
  if (p.spot_promises < 0 || p.spot_promises > 64)
    return base::refuse_field("spot_promises", "must be 0 to 64");
  if (p.half_life_s < 3600 || p.half_life_s > 366 * 86'400)
    return base::refuse_field("half_life", "must be between 1h and 366d");
  if (p.quantum_s < 60 || p.quantum_s > 366 * 86'400)
    return base::refuse_field("quantum", "must be between 1m and 366d");
  if (p.spot_grace_s < 0 || p.spot_grace_s > 600 || p.house_grace_s < 0 || p.house_grace_s > 600)
    return base::refuse_field("grace", "must be 0 to 10m");
  if (p.restart_cost_s < 0 || p.restart_cost_s > 86'400)
    return base::refuse_field("restart_cost", "must be 0 to 1d");
  if (p.site_unknown_s < 5 || p.site_unknown_s > 86'400)
    return base::refuse_field("site_unknown", "must be between 5s and 1d");
  if (p.site_lease_s < p.site_unknown_s || p.site_lease_s > 30 * 86'400)
    return base::refuse_field("site_lease", "must be at least site_unknown, and at most 30d");
  if (p.site_grace_s < 0 || p.site_grace_s > 86'400)
    return base::refuse_field("site_grace", "must be 0 to 1d");
  return std::vector<FactBody>{PolicySet{p}};
}

Decision decide_checkpoint(const World& world, const NoteCheckpoint& c) {
  const Job* job = world.job(c.job);
  if (!job || !job->lease)
    return base::refuse(Code::conflict, "the job does not run: there is nothing to have saved");
  return std::vector<FactBody>{CheckpointNoted{job->id, job->generation}};
}

}  // namespace ampacity::core
