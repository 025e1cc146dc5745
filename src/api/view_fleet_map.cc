#include <cctype>
#include <map>

#include "api/views.h"

namespace ampacity::api {

FleetMap view_fleet_map(const core::World& w) {
  FleetMap m;
  const core::State& s = w.state();
  for (const core::Site& site : s.sites) m.sites.push_back(site.name);
  for (std::uint32_t k = 0; k < s.skus.size(); ++k) {
    m.skus.push_back(s.skus[k].name);
    if (s.skus[k].emulated) m.emulated.push_back(k);
  }
  std::map<std::pair<core::SiteIx, std::string_view>, std::uint32_t> racks;
  for (const core::Node& node : s.nodes) {
    const auto [at, is_new] = racks.try_emplace({node.site, node.rack}, m.racks.size());
    if (is_new) m.racks.push_back(node.rack);
    m.nodes.push_back(node.name);
    m.site.push_back(node.site);
    m.rack.push_back(at->second);
    m.sku.push_back(node.sku);
    m.gpus.push_back(static_cast<std::uint32_t>(node.gpus.size()));
  }
  return m;
}

namespace {

char node_letter(const core::World& w, core::NodeIx n, Instant now) {
  const core::Node& node = w.state().nodes[n];
  const core::Site& site = w.state().sites[node.site];
  if (node.state == core::NodeState::absent || site.removed) return 'x';
  if (site.unknown_since.us) return 'u';
  if (node.state == core::NodeState::cordoned) return 'c';
  if (const auto holds = w.holds.find(n); holds != w.holds.end())
    for (const core::Hold& h : holds->second)
      if (h.why == core::Hold::Why::window && h.from <= now && now < h.until &&
          w.state().windows[h.owner].kind == core::WindowKind::maintenance)
        return 'm';
  return site.state == core::SiteState::active ? 'a' : 'd';
}

char lease_letter(const core::Job& job) {
  constexpr std::string_view letters = "rosh";  // by class
  const char letter = letters[static_cast<std::size_t>(job.job_class)];
  return job.state == core::JobState::running
             ? letter
             : static_cast<char>(std::toupper(static_cast<unsigned char>(letter)));
}

void mark(std::string& gpus, std::uint64_t mask, char letter) {
  for (std::size_t g = 0; g < gpus.size(); ++g)
    if (mask >> g & 1) gpus[g] = letter;
}

}  // namespace

NodeLetters node_letters(const core::World& w, core::NodeIx n, Instant now) {
  const core::State& s = w.state();
  NodeLetters l{node_letter(w, n, now), std::string(s.nodes[n].gpus.size(), '.')};
  if (const auto holds = w.holds.find(n); holds != w.holds.end())
    for (const core::Hold& h : holds->second)
      if (h.from <= now && now < h.until)
        mark(l.gpus, h.gpu_mask, h.why == core::Hold::Why::window ? 'w' : 'p');
  for (const core::Slot slot : w.use[n].leases) {
    const core::Job& job = s.jobs[slot];
    for (const core::Place& p : job.lease->places)
      if (p.node == n) mark(l.gpus, p.gpu_mask, lease_letter(job));
  }
  return l;
}

}  // namespace ampacity::api
