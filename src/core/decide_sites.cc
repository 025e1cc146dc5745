// Sites: added, set, removed; heard of or not; and what is given up at one that is not.
#include <algorithm>

#include "core/decide.h"
#include "core/desire.h"
#include "core/settle.h"

namespace ampacity::core {
namespace {

using base::Code;

std::unexpected<base::Refusal> no_site(const World& w, const std::string& name) {
  std::string known;
  for (const Site& s : w.state().sites)
    if (!s.removed) known += (known.empty() ? "" : ", ") + s.name;
  return base::refuse(Code::not_found, "there is no site " + name + "; there is " + known);
}

// Why it is not empty; nullopt: it is.
std::optional<std::string> in_use(const World& w, SiteIx site) {
  const State& s = w.state();
  const auto there = [&](const std::vector<Place>& places) {
    return std::any_of(places.begin(), places.end(),
                       [&](const Place& p) { return s.nodes[p.node].site == site; });
  };
  for (const auto& [order, slot] : w.leased)
    if (const Job& job = s.jobs[slot]; there(job.lease->places))
      return job_name(job.id) + " is leased there; `ampacity fleet site set " + s.sites[site].name +
             " --state draining` lets what runs there end";
  for (const auto& [order, slot] : w.queue)
    if (const auto& named = s.jobs[slot].demand.sites; named == std::vector<SiteIx>{site})
      return job_name(s.jobs[slot].id) + " waits for it and names no other";
  for (const Window& window : s.windows)
    if (!window.id.is_nil() && there(window.places))
      return "reservation or maintenance " + window.name + " is on its nodes";
  for (const VolumeHome& v : s.volumes)
    if (v.site == site)
      return "volume " + v.name + " of project " + s.projects[v.project].name + " lives there";
  return std::nullopt;
}

// Promises and claims on its nodes cannot be kept.
void drop_rights(const World& w, SiteIx site, const std::string& why,
                 std::vector<FactBody>& facts) {
  const State& s = w.state();
  const auto there = [&](const Place& p) { return s.nodes[p.node].site == site; };
  for (const auto& [order, slot] : w.promised)
    if (const Job& job = s.jobs[slot]; std::ranges::any_of(job.promise->places, there))
      facts.push_back(PromiseDropped{job.id, why});
  for (const auto& [order, slot] : w.claimed)
    if (const Job& job = s.jobs[slot]; std::ranges::any_of(job.claim->places, there))
      facts.push_back(ClaimDropped{job.id});
}

// Its ranks as they were when the site was last seen.
std::vector<Rank> as_last_seen(const Lease& lease, Instant seen_at, Instant now) {
  std::vector<Rank> ranks = lease.ranks;
  for (Rank& r : ranks) {
    if (r.state == RankState::ended) continue;
    r.state = RankState::ended;
    const Instant least = r.started_at.us ? r.started_at + Duration{1} : lease.granted_at;
    r.ended_at = std::max(least, std::min(seen_at, now));
  }
  return ranks;
}

LeaseClosed fenced(Drafter& drafter, const World& w, const Job& job, Instant now) {
  const Site& site = w.state().sites[w.site_of(*job.lease)];
  const bool ordered = job.state == JobState::stopping && !requeues(job.stop_reason) &&
                       job.stop_reason != StopReason::rank_failed;
  const std::string lost = "lost: site " + site.name + " was last seen " +
                           base::format_instant(site.unknown_since) + " and is given up for it";
  LeaseClosed f =
      close_of(drafter, w, job, as_last_seen(*job.lease, site.unknown_since, now),
               ordered ? job.why + "; " + lost : lost, !ordered, RankSeen::Signalled::yes);
  f.fenced = true;
  f.requeue = !ordered;
  return f;
}

}  // namespace

Decision decide_sites(const World& world, const AddSite& c) {
  const State& s = world.state();
  if (world.site(c.site.name))
    return base::refuse(Code::conflict, "there is a site " + c.site.name +
                                            " already; `ampacity fleet site set` changes it");
  for (SiteIx ix = 0; ix < s.sites.size(); ++ix)
    if (s.sites[ix].name == c.site.name) return std::vector<FactBody>{SiteChanged{ix, c.site}};
  if (s.sites.size() >= most_sites)
    return base::refuse(Code::conflict, "there are " + std::to_string(most_sites) +
                                            " sites, the most there may be");
  return std::vector<FactBody>{SiteAdded{c.site}};
}

Decision decide_sites(const World& world, const SetSite& c) {
  const auto ix = world.site(c.name);
  if (!ix) return no_site(world, c.name);
  const Site& before = world.state().sites[*ix];
  if (before.url.empty() && (c.url || c.credential || c.options))
    return base::refuse_field("url", c.name +
                                         " is this machine's own site: its engine is set where "
                                         "ampacityd is started");
  Site now = before;
  now.region = c.region.value_or(now.region);
  now.url = c.url.value_or(now.url);
  now.credential = c.credential.value_or(now.credential);
  now.options = c.options.value_or(now.options);
  now.power_ticks_per_kwh = c.power_ticks_per_kwh.value_or(now.power_ticks_per_kwh);
  now.pue_milli = c.pue_milli.value_or(now.pue_milli);
  now.state = c.state.value_or(now.state);
  if (now.state == SiteState::closed && before.state != SiteState::closed)
    if (const auto why = in_use(world, *ix))
      return base::refuse(Code::conflict, c.name + " cannot be closed: " + *why);
  if (base::to_json(now) == base::to_json(before)) return std::vector<FactBody>{};
  std::vector<FactBody> facts;
  if (before.open() && !now.open())
    drop_rights(world, *ix, "site " + c.name + " takes no new work", facts);
  facts.push_back(SiteChanged{*ix, std::move(now)});
  return facts;
}

Decision decide_sites(const World& world, const RemoveSite& c) {
  const auto ix = world.site(c.name);
  if (!ix) return no_site(world, c.name);
  if (const auto why = in_use(world, *ix))
    return base::refuse(Code::conflict, c.name + " is not empty: " + *why);
  const State& s = world.state();
  std::vector<FactBody> facts;
  drop_rights(world, *ix, "site " + c.name + " is removed", facts);
  for (NodeIx n = 0; n < s.nodes.size(); ++n) {
    if (s.nodes[n].site != *ix || s.nodes[n].state == NodeState::absent) continue;
    if (s.sites[*ix].url.empty())
      return base::refuse(Code::conflict, c.name + " is this machine's own site");
    Node gone = s.nodes[n];
    gone.state = NodeState::absent;
    facts.push_back(NodeChanged{n, gone});
  }
  Site removed = s.sites[*ix];
  removed.removed = true;
  removed.unknown_since = {};
  removed.clearing = false;
  facts.push_back(SiteChanged{*ix, std::move(removed)});
  return facts;
}

//             not heard of for site_unknown_s          SeeSite reached, nothing given up runs there
//   ┌────────┐ ────────── SeeSite ──────────▶ ┌─────────┐ ─────────────────────────────────┐
//   │ reached│                                │ unknown │          ┌──────────┐            ▼
//   └────────┘ ◀── SeeSite, no strays left ── └─────────┘ ───────▶ │ clearing │ ────▶ reached
//                                                  │  reached, and strays run└──────────┘
//                 Tick, lease and grace over: what may move is fenced (LeaseClosed)
Decision decide_sites(const World& world, const SeeSite& c, Instant now) {
  const auto ix = world.site(c.name);
  if (!ix) return std::vector<FactBody>{};  // removed meanwhile
  const Site& site = world.state().sites[*ix];
  const bool known = site.unknown_since.us == 0;
  std::vector<FactBody> facts;
  if (!c.reached) {
    if (!known) return facts;
    drop_rights(world, *ix, "site " + c.name + " cannot be reached", facts);
    facts.push_back(
        SiteContact{*ix, {std::max<std::int64_t>(1, std::min(c.seen_at, now).us)}, site.clearing});
    return facts;
  }
  const bool clearing = c.strays > 0 && (!known || site.clearing);
  if (known && site.clearing == clearing) return facts;
  facts.push_back(SiteContact{*ix, {}, clearing});
  return facts;
}

Decision decide_sites(const World& world, const ForgetVolume& c) {
  if (!world.volume_home(c.project, c.name)) return std::vector<FactBody>{};
  return std::vector<FactBody>{VolumeForgotten{c.project, c.name}};
}

std::vector<FactBody> give_up_lost(const World& world, Instant now) {
  std::vector<FactBody> facts;
  Drafter drafter(world);
  for (const auto& [due, order] : world.deadlines) {
    if (due > now) break;
    const auto at = world.leased.find(order);
    if (at == world.leased.end()) continue;
    const Job& job = world.state().jobs[at->second];
    if (const auto fence = world.fence_at(job); fence && *fence <= now)
      facts.push_back(fenced(drafter, world, job, now));
  }
  return facts;
}

base::Result<void> check_sites(const World& world, const Job& job) {
  const State& s = world.state();
  std::optional<SiteIx> home;
  std::string first;
  for (const VolumeMount& m : job.spec.volumes) {
    const auto lives = world.volume_home(job.project, m.volume);
    if (!lives) continue;
    if (home && *home != *lives)
      return base::refuse_field("volumes", "volume " + first + " lives at site " +
                                               s.sites[*home].name + " and " + m.volume + " at " +
                                               s.sites[*lives].name + ": no node could have both");
    home = lives;
    first = m.volume;
  }
  const auto& named = job.demand.sites;
  if (home && !named.empty() && std::find(named.begin(), named.end(), *home) == named.end())
    return base::refuse_field(
        "placement.sites",
        "volume " + first + " lives at site " + s.sites[*home].name + ": name that one, or none");
  if (job.if_site_lost == IfSiteLost::move && !job.spec.volumes.empty())
    return base::refuse_field(
        "if_site_lost", "a job that mounts a volume cannot move: the volume stays where it is");
  return {};
}

}  // namespace ampacity::core
