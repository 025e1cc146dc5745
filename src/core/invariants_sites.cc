// Sites: leases stand at one, where their volumes live; what is given up there was allowed to be.
#include <algorithm>

#include "core/desire.h"
#include "core/invariants_floor.h"

namespace ampacity::core {

void check_sites(const World& w, Findings& found) {
  const State& s = w.state();
  const auto key = [](const VolumeHome& v) { return std::pair(v.project, v.name); };
  for (std::size_t i = 0; i < s.volumes.size(); ++i) {
    const VolumeHome& v = s.volumes[i];
    if (i && key(s.volumes[i - 1]) >= key(v))
      found.add("index", "volume " + v.name, "is listed twice, or out of its place");
    if (v.site >= s.sites.size() || v.project >= s.projects.size())
      found.add("shape", "volume " + v.name, "lives at no site, or is nobody's");
  }
  for (const auto& [order, slot] : w.leased) {
    const Job& job = s.jobs[slot];
    const SiteIx site = w.site_of(*job.lease);
    for (const Place& p : job.lease->places)
      if (s.nodes[p.node].site != site)
        found.add("I2", job_name(job.id), "stands at ", s.sites[site].name, " and at ",
                  s.sites[s.nodes[p.node].site].name);
    for (const VolumeMount& m : job.spec.volumes)
      if (w.volume_home(job.project, m.volume) != site)
        found.add("I2", job_name(job.id), "mounts ", m.volume, " away from where it lives");
  }
  for (const Site& site : s.sites)
    if (site.removed && (site.unknown_since.us || site.clearing))
      found.add("index", "site " + site.name, "is removed and waited for");
}

// I5, I11: before it is folded.
void check_fenced(const World& w, const LeaseClosed& f, Instant at, Findings& found) {
  const Job* job = w.job(f.job);
  if (!f.fenced || !job || !job->lease) return;
  const Site& site = w.state().sites[w.site_of(*job->lease)];
  const std::string who = job_name(f.job);
  const Policy& p = w.state().policy;
  if (site.unknown_since.us == 0) {
    found.add("I5", who, "is given up at site ", site.name, ", which can be reached");
    return;
  }
  if (at < site.unknown_since + Duration::seconds(p.site_lease_s + p.site_grace_s))
    found.add("I5", who, "is given up at site ", site.name, " before its time");
  const bool stopped = job->state == JobState::stopping && job->stop_reason == StopReason::asked;
  if (job->if_site_lost != IfSiteLost::move && !stopped)
    found.add("I5", who, "is given up at site ", site.name, ", and its owner did not allow it");
  if (f.requeue && job->if_site_lost != IfSiteLost::move)
    found.add("I5", who, "moves from site ", site.name, ", and its owner did not allow it");
  for (std::size_t r = 0; r < f.interval.ranks.size(); ++r) {
    const Rank& rank = f.interval.ranks[r];
    const bool ended =
        r < job->lease->ranks.size() && job->lease->ranks[r].state == RankState::ended;
    if (!ended && rank.started_at.us &&
        rank.ended_at > std::max(site.unknown_since, rank.started_at + a_moment))
      found.add("I11", who, "is billed past the instant at which site ", site.name,
                " was last seen");
  }
}

}  // namespace ampacity::core
