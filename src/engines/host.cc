#include "engines/host.h"

#include <fmt/core.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <string_view>

#include "engines/cdi.h"
#include "engines/nvml.h"

namespace ampacity::engines {
namespace {

std::int64_t memory_total_mib() {
  std::ifstream in("/proc/meminfo");
  std::string word;
  while (in >> word) {
    std::int64_t kib = 0;
    if (word == "MemTotal:" && in >> kib) return kib / 1024;
  }
  return 0;
}

std::int64_t usable_cpus() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof set, &set) == 0) return CPU_COUNT(&set);
  return sysconf(_SC_NPROCESSORS_ONLN);
}

std::vector<std::string> words_of(const std::string& name) {
  std::vector<std::string> words{""};
  for (char c : name) {
    if (c == ' ' || c == '-' || c == '/') {
      words.emplace_back();
    } else {
      words.back() += c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
    }
  }
  return words;
}

}  // namespace

std::string sku_of_gpu_name(const std::string& nvml_name, std::int64_t memory_mib) {
  auto words = words_of(nvml_name);
  auto has = [&words](std::string_view word) {
    return std::find(words.begin(), words.end(), word) != words.end();
  };
  // Variants the catalogue does not price: laptops, two-card NVL boards, restricted exports.
  for (const char* other : {"NVL", "MOBILE", "LAPTOP", "MAX", "ADA", "VGPU", "GRID"}) {
    if (has(other)) return {};
  }
  for (const char* word :
       {"GB300", "GB200", "GH200", "B300", "B200", "H200", "L40S", "L40", "A40"}) {
    if (!has(word)) continue;
    std::string sku = word;
    for (char& c : sku) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
    return sku;
  }
  bool pcie = has("PCIE");
  if (has("H100")) {
    if (memory_mib < 75'000) return {};
    return pcie ? "h100-pcie" : "h100";
  }
  if (has("A100")) {
    std::string sku = memory_mib > 60'000 ? "a100-80" : "a100-40";
    return pcie ? sku + "-pcie" : sku;
  }
  if (has("RTX")) {
    if (has("PRO")) return has("6000") && has("SERVER") ? "rtx-pro-6000" : "";
    for (const char* word : {"A6000", "A5000", "A4000"}) {
      if (has(word)) return std::string("a") + (word + 1);
    }
    if (has("QUADRO") && has("5000")) return "rtx5000";
    if (has("QUADRO") && has("4000")) return "rtx4000";
  }
  if (has("V100") && has("SXM2") && memory_mib < 20'000) return "v100-16";
  return {};
}

HostFound discover_host(const HostOptions& options) {
  HostFound host;
  char name[256] = {};
  if (gethostname(name, sizeof name - 1) == 0) host.hostname = name;
  host.cpu_milli = usable_cpus() * 1000;
  host.memory_mib = memory_total_mib();
  auto gpus = nvml_gpus(options.nvml_library);
  if (!gpus) {
    host.gpu_note = gpus.error().message;
    return host;
  }
  if (gpus->empty()) host.gpu_note = "the NVIDIA driver is here, but no GPU";
  auto cdi = cdi_gpu_names(options.cdi_directories);
  auto say = [&host](const std::string& what) {
    if (!host.gpu_note.empty()) host.gpu_note += "; ";
    host.gpu_note += what;
  };
  for (auto& found : *gpus) {
    GpuFound gpu{found.uuid,
                 found.name,
                 found.memory_mib,
                 found.mig_enabled,
                 sku_of_gpu_name(found.name, found.memory_mib),
                 {}};
    std::string wanted = "nvidia.com/gpu=" + gpu.uuid;
    if (std::binary_search(cdi.begin(), cdi.end(), wanted)) gpu.cdi_name = wanted;
    if (gpu.sku.empty()) say(fmt::format("the catalogue does not know '{}'", gpu.name));
    if (gpu.mig_enabled) say(gpu.uuid + " is in MIG mode: not offered");
    host.gpus.push_back(std::move(gpu));
  }
  bool unnamed = std::any_of(host.gpus.begin(), host.gpus.end(),
                             [](const GpuFound& gpu) { return gpu.cdi_name.empty(); });
  if (unnamed) {
    say("no CDI specification names every GPU by its UUID (nvidia-ctk cdi generate "
        "--device-name-strategy=uuid --output=/etc/cdi/nvidia.yaml)");
  }
  return host;
}

}  // namespace ampacity::engines
