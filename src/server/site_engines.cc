#include "server/site_engines.h"

#include <algorithm>

#include "base/log.h"
#include "server/catalogue.h"

namespace ampacity::server {
namespace {

constexpr base::Duration compare_every = base::Duration::seconds(1);
constexpr base::Duration tell_every = base::Duration::seconds(60);
constexpr std::int64_t longest_retry_s = 30;

// What an engine is made from: another of it needs another engine.
std::string connection_of(const core::Site& site) {
  std::string text = site.engine + "\n" + site.url + "\n" + site.credential;
  for (const std::string& o : site.options) text += "\n" + o;
  return text;
}

core::Sku sku_named(const engines::SiteSeen& seen, const std::string& name, bool emulated) {
  core::Sku sku;
  sku.name = name;
  for (const core::Sku& s : seen.skus)
    if (s.name == name) sku = s;
  const auto known = catalogue_sku(name);
  if (known && sku.cpu_milli_per_gpu == 0) {
    sku = *known;
  } else if (known) {
    if (sku.description.empty()) sku.description = known->description;
    if (sku.gpu_memory_mib == 0) sku.gpu_memory_mib = known->gpu_memory_mib;
    sku.peers = std::max(sku.peers, known->peers);
  }
  if (sku.description.empty()) sku.description = name;
  if (sku.cpu_milli_per_gpu == 0) sku.cpu_milli_per_gpu = 1000;
  if (sku.memory_mib_per_gpu == 0) sku.memory_mib_per_gpu = 1024;
  sku.emulated = emulated;
  if (emulated && sku.description.find("emulated") == std::string::npos)
    sku.description += " (emulated)";
  return sku;
}

}  // namespace

core::RegisterSite registration_of(const engines::SiteSeen& seen) {
  core::RegisterSite out;
  out.site.name = seen.site;
  const auto sku_of = [&](const std::string& name, bool emulated) -> const core::Sku& {
    for (const core::Sku& s : out.skus)
      if (s.name == name) return s;
    return out.skus.emplace_back(sku_named(seen, name, emulated));
  };
  for (const auto& machine : seen.nodes) {
    core::Node node = machine.node;
    const core::Sku& sku = sku_of(machine.sku, node.emulated);
    const auto gpus = std::max<std::int64_t>(1, static_cast<std::int64_t>(node.gpus.size()));
    if (node.cpu_milli == 0) node.cpu_milli = sku.cpu_milli_per_gpu * gpus;
    if (node.memory_mib == 0) node.memory_mib = sku.memory_mib_per_gpu * gpus;
    // An operator's cordon is ours to keep: that of the site's own scheduler comes and goes.
    node.held_back = node.held_back || node.state != core::NodeState::active;
    node.state = core::NodeState::active;
    if (node.rents_cpu) sku_of("cpu", false);
    out.nodes.push_back({std::move(node), machine.sku});
  }
  return out;
}

SiteEngines::SiteEngines(engines::Sites& sites, Loop& loop, Make make, base::Clock& clock)
    : sites_(sites), loop_(loop), make_(std::move(make)), clock_(clock) {}

void SiteEngines::start() {
  thread_ = base::Thread([this] { run(); });
}

void SiteEngines::stop() {
  {
    const base::Guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void SiteEngines::changed() {
  {
    const base::Guard lock(mutex_);
    changed_ = true;
  }
  wake_.notify_all();
}

void SiteEngines::saw(engines::SiteSeen seen) {
  {
    const base::Guard lock(mutex_);
    Running& site = running_[seen.site];
    site.seen = std::move(seen);
    site.told_at = {};
    changed_ = true;
  }
  wake_.notify_all();
}

std::vector<std::string> SiteEngines::notes(const std::string& site) const {
  const base::Guard lock(mutex_);
  const auto at = running_.find(site);
  if (at == running_.end()) return {};
  std::vector<std::string> notes;
  if (at->second.seen) notes = at->second.seen->notes;
  if (!at->second.trouble.empty()) notes.push_back(at->second.trouble);
  return notes;
}

void SiteEngines::run() {
  while (true) {
    compare();
    tell();
    base::Lock lock(mutex_);
    wake_.wait_for(lock, compare_every, [this] { return changed_ || stopping_; });
    changed_ = false;
    if (stopping_) return;
  }
}

namespace {

// Cordoned, or kept for maintenance now: by the names that their sites know.
std::map<std::string, std::vector<std::string>> held_back(const core::World& w, base::Instant now) {
  std::set<core::NodeIx> nodes;
  for (core::NodeIx n = 0; n < w.state().nodes.size(); ++n)
    if (w.state().nodes[n].state == core::NodeState::cordoned) nodes.insert(n);
  for (const core::Window& x : w.state().windows)
    if (!x.id.is_nil() && x.kind == core::WindowKind::maintenance && x.from <= now && now < x.until)
      for (const core::Place& p : x.places) nodes.insert(p.node);
  std::map<std::string, std::vector<std::string>> held;
  for (const core::NodeIx n : nodes) {
    const core::Node& node = w.state().nodes[n];
    const std::string& site = w.state().sites[node.site].name;
    if (node.name.starts_with(site + ":")) held[site].push_back(node.name.substr(site.size() + 1));
  }
  return held;
}

}  // namespace

void SiteEngines::compare() {
  std::map<std::string, std::vector<std::string>> held;
  const auto wanted = loop_.ask([&](const core::World& w) {
    held = held_back(w, clock_.now());
    std::vector<core::Site> sites;
    for (const core::Site& s : w.state().sites)
      if (!s.url.empty() && !s.removed && s.state != core::SiteState::closed) sites.push_back(s);
    return sites;
  });
  std::vector<std::string> gone;
  {
    const base::Guard lock(mutex_);
    for (const auto& [name, site] : running_) {
      const auto at = std::find_if(wanted.begin(), wanted.end(),
                                   [&](const core::Site& s) { return s.name == name; });
      if (at == wanted.end() || (!site.connection.empty() && site.connection != connection_of(*at)))
        gone.push_back(name);
    }
    for (const std::string& name : gone) running_.erase(name);
  }
  for (const std::string& name : gone) {
    base::log_info("site {}: its engine is let go", name);
    sites_.remove(name);
  }
  for (const core::Site& site : wanted) {
    bring(site);
    if (sites_.has(site.name))
      if (const auto engine = sites_.at(site.name)) engine->hold_back(held[site.name]);
  }
}

void SiteEngines::bring(const core::Site& site) {
  {
    const base::Guard lock(mutex_);
    Running& r = running_[site.name];
    r.connection = connection_of(site);
    if (stopping_ || clock_.now() < r.retry_at) return;
  }
  if (sites_.has(site.name)) return;
  auto engine = make_(site);
  base::Try<void> added;
  if (engine)
    added = sites_.add(site.name, std::shared_ptr<engines::Engine>(std::move(*engine)));
  else
    added = std::unexpected(engine.error());
  {
    const base::Guard lock(mutex_);
    Running& r = running_[site.name];
    r.trouble = added ? "" : added.error().message;
    r.failures = added ? 0 : std::min<std::int64_t>(r.failures + 1, 5);
    const std::int64_t wait_s = std::min<std::int64_t>(1LL << r.failures, longest_retry_s);
    r.retry_at = added ? base::Instant{} : clock_.now() + base::Duration::seconds(wait_s);
  }
  if (!added)
    base::log_warn("site {}: {}", site.name, added.error().message);
  else
    loop_.tell_again();
}

// Of new machines at once; of all again now and then, for what had to wait for leases to end.
void SiteEngines::tell() {
  std::vector<engines::SiteSeen> news;
  const base::Instant now = clock_.now();
  {
    const base::Guard lock(mutex_);
    for (auto& [name, site] : running_) {
      if (!site.seen || (site.told_at.us && site.told_at <= now && now - site.told_at < tell_every))
        continue;
      site.told_at = now;
      news.push_back(*site.seen);
    }
  }
  for (const engines::SiteSeen& seen : news) {
    const auto taken = loop_.run(registration_of(seen), "engine");
    if (!taken) base::log_warn("site {}: {}", seen.site, taken.error().message);
    const base::Guard lock(mutex_);
    const auto at = running_.find(seen.site);
    if (at != running_.end()) at->second.trouble = taken ? "" : taken.error().message;
  }
}

}  // namespace ampacity::server
