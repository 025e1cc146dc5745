#include "server/site_watch.h"

#include <algorithm>
#include <sstream>

#include "base/chaos.h"

namespace ampacity::server {
namespace {

constexpr base::Duration look_every = base::Duration::seconds(1);
constexpr base::Duration longest_quiet = base::Duration::seconds(60);  // between lists
constexpr base::Duration slept = base::Duration::seconds(10);

engines::EngineHealth health_at(engines::Engine& engine, const std::string& site) {
  const auto there = engine.at(site);
  return there ? there->health() : engines::EngineHealth{};
}

}  // namespace

base::Instant SiteWatch::mark(const std::string& site) const {
  const auto at = marks_.find(site);
  return at == marks_.end() ? base::Instant{} : at->second;
}

std::vector<core::SeeSite> SiteWatch::look(const core::World& world, engines::Engine& engine,
                                           base::Instant now) {
  std::vector<core::SeeSite> say;
  if (last_look_ <= now && now - last_look_ < look_every) return say;
  const bool anew = now < last_look_ || now - last_look_ > slept;
  last_look_ = now;
  const base::Duration patience = base::Duration::seconds(world.state().policy.site_unknown_s);
  for (const core::Site& site : world.state().sites) {
    if (site.removed || site.state == core::SiteState::closed) {
      contacts_.erase(site.name);
      continue;
    }
    const bool known = site.unknown_since.us == 0;
    auto [at, is_new] = contacts_.try_emplace(site.name);
    Contact& c = at->second;
    if (is_new || anew) c.heard = now;
    if (is_new || anew || known != c.believed_known || site.clearing != c.believed_clearing)
      c.since = now;
    c.believed_known = known;
    c.believed_clearing = site.clearing;
    const engines::EngineHealth health = health_at(engine, site.name);
    base::Instant listed = std::min(health.listed_at, now);
    if (health.reachable && health.listed_at.us == 0) listed = now;  // it does not say
    // Where nothing goes on an engine lists less often; who hangs lists no more at all.
    const bool answers = health.reachable && now - listed < longest_quiet;
    c.heard = std::max(c.heard, answers ? now : listed);
    if (known && now - c.heard > patience) {
      PROBE("sites: one is silent");
      const base::Instant seen = std::max(health.seen_at, mark(site.name));
      say.push_back({site.name, false, seen.us ? std::min(seen, now) : c.heard, 0});
    } else if (listed > c.since && (!known || (site.clearing && health.strays == 0))) {
      PROBE("sites: one is back");
      say.push_back({site.name, true, now, health.strays});
    }
  }
  return say;
}

std::string SiteWatch::marks_text(const core::World& world, engines::Engine& engine,
                                  base::Instant now) {
  std::string text;
  for (const core::Site& site : world.state().sites) {
    if (site.removed) continue;
    const engines::EngineHealth health = health_at(engine, site.name);
    // What this life saw is not believed of what it never saw run (seeds 18, 39): mark() stays.
    const base::Instant mark = std::max(this->mark(site.name), std::min(health.seen_at, now));
    if (mark.us) text += site.name + " " + std::to_string(mark.us) + "\n";
  }
  return text;
}

std::map<std::string, base::Instant> SiteWatch::parse_marks(const std::string& text) {
  std::map<std::string, base::Instant> marks;
  std::istringstream in(text);
  std::string name;
  std::int64_t us = 0;
  while (in >> name >> us) marks[name] = {us};
  return marks;
}

}  // namespace ampacity::server
