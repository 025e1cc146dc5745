#include "server/inventory.h"

#include <fmt/core.h>

#include <algorithm>

#include "core/request.h"
#include "server/catalogue.h"

namespace ampacity::server {
namespace {

// For ampacityd, the engine and the system: not rented.
constexpr std::int64_t kept_for_ourselves_mib = 1024;

// The machine as a node: with its GPUs where the engine can hand them over, for CPU work in any
// case.
void add_machine(const engines::HostFound& host, const engines::EngineHealth& engine,
                 Inventory& out) {
  core::Node node;
  node.name = host.hostname;
  node.cpu_milli = host.cpu_milli;
  node.memory_mib = std::max<std::int64_t>(256, host.memory_mib - kept_for_ourselves_mib);
  node.rents_cpu = true;
  std::string sku = "cpu";
  for (const auto& gpu : host.gpus) {
    if (!engine.hands_over_gpus || gpu.cdi_name.empty() || gpu.mig_enabled || gpu.sku.empty() ||
        (sku != "cpu" && sku != gpu.sku) || node.gpus.size() == 64) {
      out.notes.push_back(fmt::format(
          "{} {} is not offered: {}", gpu.name, gpu.uuid,
          !engine.hands_over_gpus ? "the engine cannot hand over a GPU safely (no CDI)"
          : gpu.cdi_name.empty()  ? "no CDI specification names it (nvidia-ctk cdi generate)"
          : gpu.mig_enabled       ? "it is in MIG mode"
          : gpu.sku.empty()       ? "the catalogue does not know it"
                                  : "a node has GPUs of one kind"));
      continue;
    }
    sku = gpu.sku;
    node.gpus.push_back(gpu.uuid);
  }
  const core::Sku cpu{"cpu", "this machine's CPUs", 0, 1, 1000, 1024, false};
  out.site.skus.push_back(cpu);
  if (sku != "cpu") {
    core::Sku gpu = *catalogue_sku(sku);
    const auto gpus = static_cast<std::int64_t>(node.gpus.size());
    gpu.cpu_milli_per_gpu = std::max<std::int64_t>(1000, node.cpu_milli / gpus / 1000 * 1000);
    gpu.memory_mib_per_gpu = std::max<std::int64_t>(1024, node.memory_mib / gpus / 1024 * 1024);
    out.site.skus.push_back(gpu);
  }
  out.site.nodes.push_back({node, sku});
}

// Emulated racks hold 4 nodes, leaf switches serve 16; each kind begins a rack and a leaf of its
// own. Kinds that share NVLink beyond a node (gb200) get their domains.
struct Floor {
  std::uint32_t racks = 0, leaves = 0, domains = 0;
};
constexpr std::uint32_t nodes_per_rack = 4, nodes_per_leaf = 16, usual_peers = 8;

void stand(core::Node& node, std::uint32_t n, const Floor& floor, const core::Sku& sku,
           std::uint32_t gpus_per_node) {
  node.rack = fmt::format("rack-{}", floor.racks + n / nodes_per_rack + 1);
  node.leaf = fmt::format("leaf-{}", floor.leaves + n / nodes_per_leaf + 1);
  if (sku.peers > usual_peers && sku.peers > gpus_per_node)
    node.nvlink = fmt::format("nvlink-{}", floor.domains + n / (sku.peers / gpus_per_node) + 1);
}

void add_emulated(const Emulation& e, Floor& floor, Inventory& out) {
  core::Sku sku = *catalogue_sku(e.sku);
  sku.emulated = true;
  sku.description += " (emulated)";
  for (std::uint32_t n = 0; n < e.nodes; ++n) {
    core::Node node;
    node.name = fmt::format("emulated-{}-{}", e.sku, n + 1);
    node.emulated = true;
    node.cpu_milli = sku.cpu_milli_per_gpu * e.gpus_per_node;
    node.memory_mib = sku.memory_mib_per_gpu * e.gpus_per_node;
    stand(node, n, floor, sku, e.gpus_per_node);
    for (std::uint32_t g = 0; g < e.gpus_per_node; ++g)
      node.gpus.push_back(fmt::format("{}-gpu{}", node.name, g));
    out.site.nodes.push_back({std::move(node), e.sku});
  }
  floor.racks += (e.nodes + nodes_per_rack - 1) / nodes_per_rack;
  floor.leaves += (e.nodes + nodes_per_leaf - 1) / nodes_per_leaf;
  if (sku.peers > usual_peers)
    floor.domains += (e.nodes * e.gpus_per_node + sku.peers - 1) / sku.peers;
  out.site.skus.push_back(std::move(sku));
}

}  // namespace

std::vector<engines::SiteSeen::Machine> emulated_machines(const Emulation& e,
                                                          const std::string& prefix) {
  Inventory made;
  Floor floor;
  add_emulated(e, floor, made);
  std::vector<engines::SiteSeen::Machine> machines;
  for (auto& member : made.site.nodes) {
    member.node.name = prefix + member.node.name;
    machines.push_back({std::move(member.node), std::move(member.sku)});
  }
  return machines;
}

base::Result<Emulation> parse_emulation(const std::string& text) {
  const auto r = core::parse_gpu_request(text);
  if (!r || r->skus.size() != 1)
    return base::refuse_field("--emulate",
                              "must read like h100:8x4 (4 nodes of 8 GPUs), got " + text);
  if (!catalogue_sku(r->skus[0]))
    return base::refuse_field("--emulate", "there is no GPU " + r->skus[0] +
                                               " in the catalogue; there is " + catalogue_names());
  return Emulation{r->skus[0], r->gpus_per_node, r->nodes};
}

base::Result<Inventory> take_inventory(const engines::HostFound& host,
                                       const engines::EngineHealth& engine,
                                       const std::vector<Emulation>& emulated,
                                       const std::string& site_name) {
  Inventory out;
  out.site.site = {site_name, "local", engine.kind};
  if (!host.gpu_note.empty()) out.notes.push_back(host.gpu_note);
  if (!engine.note.empty()) out.notes.push_back(engine.note);
  add_machine(host, engine, out);
  Floor floor;
  for (const Emulation& e : emulated) {
    for (const core::Sku& s : out.site.skus)
      if (s.name == e.sku)
        return base::refuse_field("--emulate", e.sku + " is there already (really, or twice): " +
                                                   "emulated and real GPUs of one SKU cannot mix");
    add_emulated(e, floor, out);
  }
  return out;
}

}  // namespace ampacity::server
