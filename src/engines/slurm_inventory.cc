#include "engines/slurm_inventory.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>

namespace ampacity::engines {
namespace {

constexpr std::size_t kMostNames = 100'000;
constexpr std::size_t kMostNotes = 20;

std::string lower(std::string text) {
  std::ranges::transform(text, text.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  });
  return text;
}

bool has(const std::vector<std::string>& words, std::string_view wanted) {
  return std::ranges::find(words, wanted) != words.end();
}

// "1-3,07" with the text before it; zeros in front stay.
bool add_ranges(std::string_view ranges, const std::string& before,
                std::vector<std::string>& names) {
  while (!ranges.empty()) {
    std::size_t end = std::min(ranges.find(','), ranges.size());
    const std::string_view one = ranges.substr(0, end);
    ranges.remove_prefix(std::min(end + 1, ranges.size()));
    const std::size_t dash = one.find('-');
    const std::string_view low = one.substr(0, dash);
    const std::string_view high = dash == std::string_view::npos ? low : one.substr(dash + 1);
    std::uint32_t from = 0, to = 0;
    const auto a = std::from_chars(low.data(), low.data() + low.size(), from);
    const auto b = std::from_chars(high.data(), high.data() + high.size(), to);
    if (a.ec != std::errc{} || a.ptr != low.data() + low.size() || b.ec != std::errc{} ||
        b.ptr != high.data() + high.size() || to < from || names.size() + (to - from) > kMostNames)
      return false;
    for (std::uint32_t n = from; n <= to; ++n)
      names.push_back(before + fmt::format("{:0{}}", n, low.size()));
  }
  return true;
}

std::string_view value_of(std::string_view line, std::string_view key) {
  const std::size_t at = line.find(key);
  if (at == std::string_view::npos) return {};
  line.remove_prefix(at + key.size());
  return line.substr(0, std::min(line.find(' '), line.size()));
}

struct Kind {
  core::Sku sku;
  std::size_t nodes = 0;
};

}  // namespace

std::vector<std::string> names_of_hostlist(std::string_view list) {
  std::vector<std::string> names;
  while (!list.empty()) {
    std::size_t end = 0;
    for (int depth = 0; end < list.size() && (list[end] != ',' || depth > 0); ++end) {
      if (list[end] == '[') ++depth;
      if (list[end] == ']') --depth;
    }
    const std::string_view one = list.substr(0, end);
    list.remove_prefix(std::min(end + 1, list.size()));
    const std::size_t open = one.find('[');
    if (open == std::string_view::npos) {
      if (!one.empty()) names.emplace_back(one);
    } else if (!one.ends_with(']') || !add_ranges(one.substr(open + 1, one.size() - open - 2),
                                                  std::string(one.substr(0, open)), names)) {
      return {};
    }
    if (names.size() > kMostNames) return {};
  }
  return names;
}

std::map<std::string, std::string> leaves_of_topology(std::string_view text) {
  std::map<std::string, std::string> leaves;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (value_of(line, "Level=") != "0") continue;
    for (std::string& node : names_of_hostlist(value_of(line, "Nodes=")))
      leaves.emplace(std::move(node), value_of(line, "SwitchName="));
  }
  return leaves;
}

SiteSeen slurm_site(const std::vector<SlurmNode>& nodes, std::string_view partition,
                    const std::map<std::string, std::string>& leaves,
                    std::string_view held_reason) {
  SiteSeen site;
  std::map<std::string, Kind> kinds;
  const auto note = [&site](std::string text) {
    if (site.notes.size() < kMostNotes) site.notes.push_back(std::move(text));
  };
  for (const SlurmNode& n : nodes) {
    if (!has(n.partitions, partition)) continue;
    std::string flags;
    for (const std::string& f : n.flags) flags += (flags.empty() ? "" : ",") + lower(f);
    const bool takes_work = n.usable() || n.drained_for(held_reason);
    if (!takes_work) {
      note(fmt::format("node {} takes nothing new: Slurm has it as {}{}{}", n.name, n.state,
                       flags.empty() ? "" : "+" + flags, n.reason.empty() ? "" : ": " + n.reason));
    }
    const auto [type, count] = gpus_of_gres(n.gres);
    if (count > 64) {
      note(fmt::format("node {} is not offered: it has {} GPUs, at most 64 are placed", n.name,
                       count));
      continue;
    }
    core::Node node;
    node.name = n.name;
    if (!takes_work) node.state = core::NodeState::cordoned;
    node.emulated = has(n.features, slurm_emulated_feature);
    node.cpu_milli = n.cpus * 1000;
    node.memory_mib = n.memory_mib;
    node.rents_cpu = count == 0;
    if (const auto leaf = leaves.find(n.name); leaf != leaves.end()) node.leaf = leaf->second;
    // Slurm chooses the cards of a job itself: these names are places, as many as it has cards.
    for (std::uint32_t g = 0; g < count; ++g)
      node.gpus.push_back(fmt::format("{}-gpu{}", n.name, g));
    const std::string sku = count == 0 ? (node.emulated ? "cpu-emulated" : "cpu") : lower(type);
    Kind& kind = kinds[sku];
    if (kind.nodes++ == 0) {
      kind.sku.name = sku;
      kind.sku.emulated = node.emulated;
      const std::int64_t parts = std::max<std::uint32_t>(1, count);
      kind.sku.cpu_milli_per_gpu =
          count == 0 ? 1000 : std::max<std::int64_t>(1000, n.cpus / parts * 1000);
      kind.sku.memory_mib_per_gpu =
          count == 0 ? 1024 : std::max<std::int64_t>(1024, n.memory_mib / parts / 1024 * 1024);
      kind.sku.peers = std::max<std::uint32_t>(1, count);
      if (count == 0) kind.sku.description = "a CPU of a Slurm node";
    } else if (kind.sku.emulated != node.emulated) {
      note(fmt::format("node {} is not offered: {} GPUs of this site are {}, this one is {}",
                       n.name, sku, kind.sku.emulated ? "emulated" : "real",
                       node.emulated ? "emulated" : "real"));
      --kind.nodes;
      continue;
    }
    site.nodes.push_back({std::move(node), sku});
  }
  for (auto& [name, kind] : kinds) site.skus.push_back(std::move(kind.sku));
  return site;
}

}  // namespace ampacity::engines
