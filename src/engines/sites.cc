#include "engines/sites.h"

#include <utility>

namespace ampacity::engines {

std::string name_at(const std::string& site, const std::string& machine) {
  return site + ":" + machine;
}

Sites::Sites(std::string home, std::shared_ptr<Engine> engine) : home_(std::move(home)) {
  engines_.emplace(home_, std::move(engine));
}

Sites::~Sites() {
  Engines all;
  {
    const base::Guard lock(mutex_);
    all.swap(engines_);
  }
}

Sites::Engines Sites::engines() const {
  const base::Guard lock(mutex_);
  return engines_;
}

bool Sites::has(const std::string& site) const {
  const base::Guard lock(mutex_);
  return engines_.contains(site);
}

std::shared_ptr<Engine> Sites::at(std::string_view site) {
  const base::Guard lock(mutex_);
  const auto found = engines_.find(site.empty() ? std::string_view(home_) : site);
  return found == engines_.end() ? nullptr : found->second;
}

EngineReports Sites::reports_of(const std::string& site) const {
  EngineReports own = reports_;
  if (reports_.health)
    own.health = [say = reports_.health, site](const EngineHealth& health) {
      EngineHealth named = health;
      named.site = site;
      say(named);
    };
  if (reports_.inventory)
    own.inventory = [say = reports_.inventory, site, home = site == home_](SiteSeen seen) {
      seen.site = site;
      for (auto& machine : seen.nodes)
        if (!home) machine.node.name = name_at(site, machine.node.name);
      say(std::move(seen));
    };
  return own;
}

base::Try<void> Sites::start(EngineReports reports) {
  reports_ = std::move(reports);
  return at(home_)->start(reports_of(home_));
}

base::Try<void> Sites::add(const std::string& site, std::shared_ptr<Engine> engine) {
  if (has(site)) return base::fault("site " + site + " has an engine already", false);
  if (auto started = engine->start(reports_of(site)); !started) return started;
  const base::Guard lock(mutex_);
  engines_.emplace(site, std::move(engine));
  return {};
}

void Sites::remove(const std::string& site) {
  std::shared_ptr<Engine> gone;  // ends outside the lock
  const base::Guard lock(mutex_);
  const auto found = engines_.find(site);
  if (found == engines_.end() || site == home_) return;
  gone = std::move(found->second);
  engines_.erase(found);
}

template <typename T>
std::map<std::string, std::vector<T>> Sites::by_site(std::vector<T> all) const {
  std::map<std::string, std::vector<T>> out;
  for (T& one : all) out[one.site.empty() ? home_ : one.site].push_back(std::move(one));
  return out;
}

namespace {

// By the names the site itself knows.
void name_as_there(std::vector<core::RankWork>& ranks) {
  for (core::RankWork& r : ranks)
    if (r.node.starts_with(r.site + ":")) r.node.erase(0, r.site.size() + 1);
}

}  // namespace

void Sites::desire_whole(std::vector<core::RankWork> ranks) {
  auto of_site = by_site(std::move(ranks));
  for (const auto& [site, engine] : engines()) {
    auto own = std::move(of_site[site]);
    name_as_there(own);
    engine->desire_whole(std::move(own));  // also where there is none: the rest are strays
  }
}

void Sites::desire_also(std::vector<core::RankWork> ranks) {
  auto of_site = by_site(std::move(ranks));
  for (auto& [site, own] : of_site)
    if (const auto engine = at(site)) {
      name_as_there(own);
      engine->desire_also(std::move(own));
    }
}

void Sites::done_with(std::vector<Done> ranks) {
  auto of_site = by_site(std::move(ranks));
  for (auto& [site, own] : of_site)
    if (const auto engine = at(site)) engine->done_with(std::move(own));
}

EngineHealth Sites::health() const {
  const Engines all = engines();
  const auto home = all.find(home_);
  return home == all.end() ? EngineHealth{} : home->second->health();
}

base::Try<std::unique_ptr<ExecSession>> Sites::exec(const std::string& container_name,
                                                    std::vector<std::string> argv, bool tty,
                                                    ExecEvents events) {
  return at(home_)->exec(container_name, std::move(argv), tty, std::move(events));
}

base::Try<std::vector<VolumeSeen>> Sites::volumes(std::optional<std::uint32_t> project) {
  std::vector<VolumeSeen> all;
  for (const auto& [site, engine] : engines()) {
    auto there = engine->volumes(project);
    if (!there) {
      if (site == home_) return std::unexpected(there.error());
      continue;
    }
    for (VolumeSeen& v : *there) {
      v.site = site;
      all.push_back(std::move(v));
    }
  }
  return all;
}

base::Try<void> Sites::remove_volume(std::uint32_t project, const std::string& name) {
  return at(home_)->remove_volume(project, name);
}

}  // namespace ampacity::engines
