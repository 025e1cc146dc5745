#include "sim/year_fleet.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "base/check.h"
#include "core/price_book.h"

namespace ampacity::sim {
namespace {

constexpr std::uint32_t most_sites = 14, least_site_nodes = 16;
constexpr std::uint32_t fabric_nodes = 512, rack_nodes = 8;
constexpr std::uint32_t reservations_at_most = 3;
constexpr std::uint32_t reserved_percent = 3;
constexpr std::int64_t credit_line_cents = 2'000'000'000'000;  // of all projects together

// Nine of fourteen sites have the newest cards, three those before, two the oldest.
std::uint8_t sku_of_site(std::uint32_t site, std::uint32_t sites) {
  const std::uint32_t of_14 = site * most_sites / sites;
  return static_cast<std::uint8_t>(of_14 < 9 ? 0 : of_14 < 12 ? 1 : 2);
}

core::RegisterSite site_of(const YearFleet& fleet, std::uint32_t site) {
  core::RegisterSite c;
  c.site = {fmt::format("site-{:02}", site), fmt::format("region-{}", site % 5), "simulated"};
  for (std::size_t k = 0; k < year_skus.size(); ++k) {
    core::Sku sku;
    sku.name = sku.description = year_skus[k];
    sku.gpu_memory_mib = k == 2 ? 49'152 : 81'920;
    sku.peers = k == 2 ? 1 : node_gpus;
    sku.cpu_milli_per_gpu = vcpus_per_gpu * 1000;
    sku.memory_mib_per_gpu = gib_per_gpu * 1024;
    c.skus.push_back(sku);
  }
  for (std::uint32_t n = 0; n < fleet.nodes; ++n) {
    if (fleet.site_of_node[n] != site) continue;
    core::Node node;
    node.name = year_node(n);
    node.cpu_milli = 128'000;
    node.memory_mib = 1'048'576;
    node.rack = fmt::format("r{}", fleet.rack_of_node[n]);
    node.leaf = fmt::format("f{}", fleet.leaf_of_node[n]);
    for (std::uint32_t g = 0; g < node_gpus; ++g) node.gpus.push_back(fmt::format("{}-{}", n, g));
    c.nodes.push_back({node, year_skus[fleet.sku_of_node[n]]});
  }
  return c;
}

}  // namespace

YearFleet::YearFleet(std::uint32_t gpus) : nodes(std::max(1U, gpus / node_gpus)) {
  sites = std::clamp(nodes / least_site_nodes, 1U, most_sites);
  projects = std::clamp(gpus / 112, 20U, 400U);
  std::map<std::uint32_t, std::uint32_t> of_site, of_leaf;
  for (std::uint32_t n = 0; n < nodes; ++n) {
    const auto site = static_cast<std::uint32_t>(std::uint64_t{n} * sites / nodes);
    const std::uint32_t at = of_site[site]++;
    site_of_node.push_back(site);
    leaf_of_node.push_back(site * 1000 + at / fabric_nodes);
    rack_of_node.push_back(site * 1000 + at / rack_nodes);
    sku_of_node.push_back(sku_of_site(site, sites));
    ++nodes_of_sku[sku_of_node.back()];
    ++of_leaf[leaf_of_node.back()];
  }
  for (std::uint32_t n = 0; n < nodes; ++n) {
    std::uint32_t& least = least_leaf[sku_of_node[n]];
    // The rest of a site may be a stub: gangs are as large as the full fabrics allow.
    least = std::max(least, of_leaf[leaf_of_node[n]]);
  }
  const std::uint32_t reserved =
      std::min(std::max(2U, nodes * reserved_percent / 100), nodes_of_sku[0] / 3);
  const std::uint32_t count = std::min(reservations_at_most, (reserved + 7) / 8);
  for (std::uint32_t r = 0; r < count; ++r) reservations.push_back({r, 0, reserved / count});
}

core::Policy year_policy() {
  core::Policy p;
  p.quantum_s = 4 * 3600;
  p.promises_per_class = 2;
  p.spot_promises = 1;
  p.restart_cost_s = 120;
  return p;
}

core::PriceBook year_book(const YearPrices& prices) {
  std::vector<core::SkuPrice> gpus;
  for (std::size_t k = 0; k < year_skus.size(); ++k)
    gpus.push_back({year_skus[k], prices.list[k], prices.spot[k]});
  return core::plain_book("simulated", {}, gpus, vcpu_price, gib_price, 350, gib_price);
}

std::string year_project(std::uint32_t project) { return fmt::format("project-{:03}", project); }
std::string year_node(std::uint32_t node) { return fmt::format("node-{:05}", node); }

void found_year(core::World& world, const YearFleet& fleet) {
  std::vector<core::Fact> facts;
  const auto run = [&](const core::Command& command) {
    const auto done = core::step(world, command, year_begin, "sim", facts);
    CHECK_THAT(done, done ? "" : done.error().message);
    facts.clear();
  };
  run(core::Found{year_book({})});
  run(core::SetPolicy{year_policy()});
  for (std::uint32_t s = 0; s < fleet.sites; ++s) run(site_of(fleet, s));
  std::uint64_t id = 0;
  const std::uint32_t orgs = std::max(1U, fleet.projects / 4);
  for (std::uint32_t o = 0; o < orgs; ++o)
    run(core::CreateOrg{{year_ids, ++id}, fmt::format("org-{:03}", o)});
  run(core::CreateUser{{year_ids, ++id}, "sim", "org-000"});
  for (std::uint32_t p = 0; p < fleet.projects; ++p) {
    run(core::CreateProject{{year_ids, ++id}, year_project(p), fmt::format("org-{:03}", p % orgs)});
    if (!fleet.prepaid(p))
      run(core::SetCreditLine{year_project(p),
                              credit_line_cents / static_cast<std::int64_t>(fleet.projects)});
    // A tenth may use a fortieth of the fleet at once, at most.
    if (p % 10 == 4)
      run(core::SetQuota{
          year_project(p), {}, {{"", std::int64_t{fleet.nodes} * node_gpus * 1000 / 40}}, {}});
  }
  for (std::size_t r = 0; r < fleet.reservations.size(); ++r) {
    const YearReservation& res = fleet.reservations[r];
    run(core::Reserve{{year_ids + 2, r + 1},
                      fmt::format("reserved-{}", r),
                      year_project(res.project),
                      year_skus[res.sku],
                      res.nodes * node_gpus,
                      year_begin,
                      year_begin + base::Duration::seconds(1000LL * 86'400)});
  }
}

}  // namespace ampacity::sim
