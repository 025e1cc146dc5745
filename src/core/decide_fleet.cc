#include <algorithm>
#include <set>

#include "core/decide.h"

namespace ampacity::core {
namespace {

std::optional<SiteIx> find_site(const State& s, const std::string& name) {
  for (SiteIx i = 0; i < s.sites.size(); ++i)
    if (s.sites[i].name == name) return i;
  return std::nullopt;
}

std::optional<NodeIx> find_node(const State& s, const std::string& name) {
  for (NodeIx i = 0; i < s.nodes.size(); ++i)
    if (s.nodes[i].name == name) return i;
  return std::nullopt;
}

bool same_hardware(const Node& a, const Node& b) {
  return a.sku == b.sku && a.gpus == b.gpus && a.cpu_milli == b.cpu_milli &&
         a.memory_mib == b.memory_mib && a.emulated == b.emulated && a.rents_cpu == b.rents_cpu &&
         a.rack == b.rack && a.leaf == b.leaf && a.nvlink == b.nvlink;
}

// Of ticks, of the wallets of projects in other currencies than USD; ascending.
std::set<std::uint32_t> other_ledgers(const State& s) {
  std::set<std::uint32_t> out;
  for (const Project& p : s.projects) out.insert(s.accounts[p.wallet].ledger);
  out.erase(ledger::usd_tick);
  return out;
}

bool has_account(const State& s, std::uint32_t ledger, const std::string& name) {
  return std::any_of(s.accounts.begin(), s.accounts.end(), [&](const Account& a) {
    return a.ledger == ledger && a.code == 4000 && a.name == name;
  });
}

}  // namespace

Decision decide_fleet(const World& world, const RegisterSite& c) {
  const State& s = world.state();
  std::vector<FactBody> facts;
  const auto known_site = find_site(s, c.site.name);
  if (!known_site) facts.push_back(SiteAdded{c.site});
  if (known_site && s.sites[*known_site].removed) {
    if (!s.sites[*known_site].url.empty()) return facts;  // it says so too late
    facts.push_back(SiteChanged{*known_site, c.site});
  }
  const SiteIx site = known_site.value_or(static_cast<SiteIx>(s.sites.size()));

  std::vector<std::string> skus;  // by index, the new ones after the known
  for (const Sku& k : s.skus) skus.push_back(k.name);
  auto next_account = static_cast<AccountIx>(s.accounts.size());
  for (Sku sku : c.skus) {
    if (const auto known = world.sku(sku.name)) {
      if (s.skus[*known].emulated != sku.emulated)
        return base::refuse(base::Code::conflict,
                            "SKU " + sku.name + " is known here as " +
                                (sku.emulated ? "real" : "emulated") +
                                " hardware; emulate another one, or use another state directory");
      continue;
    }
    facts.push_back(AccountOpened{new_account(ledger::usd_tick, 4000, "revenue " + sku.name)});
    sku.revenue = next_account++;
    skus.push_back(sku.name);
    facts.push_back(SkuDefined{sku});
    for (const std::uint32_t ledger : other_ledgers(s)) {
      if (has_account(s, ledger, "revenue " + sku.name)) continue;
      facts.push_back(AccountOpened{new_account(ledger, 4000, "revenue " + sku.name)});
      ++next_account;
    }
  }

  std::vector<bool> listed(s.nodes.size(), false);
  for (const auto& member : c.nodes) {
    Node node = member.node;
    node.site = site;
    node.sku = static_cast<SkuIx>(std::find(skus.begin(), skus.end(), member.sku) - skus.begin());
    if (node.sku == skus.size())
      return base::refuse(base::Code::invalid, "node " + node.name + " has no SKU " + member.sku);
    const auto known = find_node(s, node.name);
    if (!known) {
      facts.push_back(NodeJoined{node});
      continue;
    }
    listed[*known] = true;
    const Node& before = s.nodes[*known];
    node.state = before.state == NodeState::absent ? NodeState::active : before.state;
    const bool leased = !world.use[*known].leases.empty();
    if (leased && !same_hardware(before, node)) {  // the hardware when its leases have ended
      const Node seen = node;
      node = before;
      node.state = seen.state;
      node.held_back = seen.held_back;
    }
    if (node.state != before.state || node.held_back != before.held_back ||
        !same_hardware(before, node))
      facts.push_back(NodeChanged{*known, node});
  }
  for (NodeIx n = 0; n < s.nodes.size(); ++n) {
    if (s.nodes[n].site != site || listed[n] || s.nodes[n].state == NodeState::absent) continue;
    Node gone = s.nodes[n];
    gone.state = NodeState::absent;
    facts.push_back(NodeChanged{n, gone});
  }
  return facts;
}

Decision decide_fleet(const World& world, const SetNodeState& c) {
  const auto n = find_node(world.state(), c.node);
  if (!n) return base::refuse(base::Code::not_found, "there is no node " + c.node);
  if (c.state == NodeState::absent)
    return base::refuse_field("state", "must be active or cordoned");
  Node node = world.state().nodes[*n];
  if (node.state == c.state) return std::vector<FactBody>{};
  if (node.state == NodeState::absent)
    return base::refuse(base::Code::conflict, "node " + c.node +
                                                  " is absent: it was not registered "
                                                  "when the server started");
  node.state = c.state;
  return std::vector<FactBody>{NodeChanged{*n, node}};
}

}  // namespace ampacity::core
