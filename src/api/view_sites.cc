// Sites as the contract shows them: what can be reached, and what happens next where it cannot.
#include <fmt/core.h>

#include <algorithm>

#include "api/views.h"
#include "api/when.h"

namespace ampacity::api {
namespace {

constexpr std::size_t most_volumes_shown = 100;

// 1250 -> "1.25"
std::string format_milli(std::int64_t milli) { return format_decimal(milli, 1000); }

// "1 job waits", "2 jobs wait"
std::string jobs(std::uint32_t n, const char* do_it) {
  return fmt::format("{} job{} {}{}", n, n == 1 ? "" : "s", do_it, n == 1 ? "s" : "");
}

std::optional<std::string> next_of(const core::Site& site, const SiteView& v, Instant now) {
  if (v.unknown_since) {
    const std::uint32_t stay = v.jobs - v.jobs_moving;
    std::string text = "nothing new begins there";
    if (v.jobs_moving)
      text += fmt::format("; at {} {} again elsewhere unless it is heard of",
                          clock_text(*v.fenced_at, now), jobs(v.jobs_moving, "start"));
    if (stay) text += fmt::format("; {} for it", jobs(stay, "wait"));
    return text;
  }
  if (v.clearing) return "what was given up there is removed; then it is open again";
  if (site.state == core::SiteState::draining)
    return v.jobs ? jobs(v.jobs, "run") + " on; nothing new begins there"
                  : "it is empty: `ampacity fleet site rm " + site.name + "`";
  if (site.state == core::SiteState::closed) return "its engine is let go";
  return std::nullopt;
}

}  // namespace

SiteView view_site(const core::World& w, core::SiteIx ix, Instant now) {
  const core::State& s = w.state();
  const core::Site& site = s.sites[ix];
  SiteView v;
  v.name = site.name;
  v.region = site.region;
  v.engine = site.engine;
  v.state = site.state;
  v.emulated = true;
  for (core::NodeIx n = 0; n < s.nodes.size(); ++n) {
    const core::Node& node = s.nodes[n];
    if (node.site != ix || node.state == core::NodeState::absent) continue;
    ++v.nodes;
    v.emulated &= node.emulated;
    v.gpus += static_cast<std::uint32_t>(node.gpus.size());
    if (w.takes_work(n)) v.gpus_free += w.free_gpus(n);
  }
  v.emulated &= v.nodes > 0;
  for (const auto& [order, slot] : w.leased) {
    const core::Job& job = s.jobs[slot];
    if (w.site_of(*job.lease) != ix) continue;
    ++v.jobs;
    v.jobs_moving += job.if_site_lost == core::IfSiteLost::move;
  }
  if (site.unknown_since.us) {
    v.unknown_since = site.unknown_since;
    v.fenced_at =
        site.unknown_since + base::Duration::seconds(s.policy.site_lease_s + s.policy.site_grace_s);
  }
  v.clearing = site.clearing;
  v.reachable = site.unknown_since.us == 0;
  v.next = next_of(site, v, now);
  if (!site.url.empty()) v.url = site.url;
  if (site.credential.starts_with("file:")) v.token_file = site.credential.substr(5);
  if (site.credential.starts_with("env:")) v.token_env = site.credential.substr(4);
  v.options = site.options;
  v.power_usd_per_kwh = base::format_usd(site.power_ticks_per_kwh, 4);
  v.pue = format_milli(site.pue_milli);
  for (const core::VolumeHome& volume : s.volumes)
    if (volume.site == ix && v.volumes.size() < most_volumes_shown)
      v.volumes.push_back(s.projects[volume.project].name + "/" + volume.name);
  return v;
}

std::string lost_site(const core::World& w, const core::Job& job, Instant now) {
  if (!job.lease) return {};
  const core::Site& site = w.state().sites[w.site_of(*job.lease)];
  if (site.unknown_since.us == 0) return {};
  const std::string text = fmt::format("site {} cannot be reached, it was last seen {}", site.name,
                                       clock_text(site.unknown_since, now));
  const auto fence = w.fence_at(job);
  if (!fence) return text + "; the job waits for it";
  if (job.state == core::JobState::stopping)
    return text + "; it is taken for ended at " + clock_text(*fence, now);
  return text + "; not heard of by " + clock_text(*fence, now) + ", the job starts again elsewhere";
}

}  // namespace ampacity::api
