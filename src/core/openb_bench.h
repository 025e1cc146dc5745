// The openb trace for the two placement benches: its nodes, its pods, and the machine's keys.
#pragma once

#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "core/packer.h"

namespace ampacity::core::bench {

struct Openb {
  std::vector<NodeRoom> nodes;
  std::vector<NodeNeed> pods;
  std::vector<SkuIx> skus;  // all: the lists name no kind of GPU
};

inline std::string data_folder() {
  const char* set = std::getenv("AMPACITY_DATA");
  return set ? set : "../shared/data";  // from the project's folder
}

[[noreturn]] inline void cannot_run(const std::string& why) {
  fmt::print(stderr, "{}\n", why);
  std::exit(77);
}

inline std::vector<std::vector<std::string>> read_csv(const std::string& path) {
  std::ifstream file(path);
  if (!file) cannot_run("cannot read " + path + " (set AMPACITY_DATA to the folder of the traces)");
  std::vector<std::vector<std::string>> rows;
  std::string line;
  std::getline(file, line);  // names
  while (std::getline(file, line)) {
    std::vector<std::string> row;
    std::stringstream cells(line);
    for (std::string cell; std::getline(cells, cell, ',');) row.push_back(cell);
    rows.push_back(std::move(row));
  }
  return rows;
}

// `list`: default, gpushare40, gpushare100.
inline Openb read_openb(const std::string& list) {
  Openb openb;
  const std::string folder = data_folder() + "/openb/";
  std::map<std::string, SkuIx> kinds;
  for (const auto& row : read_csv(folder + "openb_node_list_gpu_node.csv")) {
    const SkuIx sku = kinds.emplace(row.at(4), static_cast<SkuIx>(kinds.size())).first->second;
    openb.nodes.push_back({sku, static_cast<std::uint32_t>(std::stoul(row.at(3))),
                           std::stoll(row.at(1)), std::stoll(row.at(2)), true});
  }
  for (const auto& row : read_csv(folder + "openb_pod_list_" + list + ".csv")) {
    NodeNeed need;
    need.cpu_milli = std::stoll(row.at(1));
    need.memory_mib = std::stoll(row.at(2));
    need.gpus = static_cast<std::uint32_t>(std::stoul(row.at(3)));
    if (need.gpus) need.gpu_milli = static_cast<std::uint32_t>(std::stoul(row.at(4)));
    openb.pods.push_back(need);
  }
  for (SkuIx s = 0; s < kinds.size(); ++s) openb.skus.push_back(s);
  return openb;
}

inline std::string commit() {
  if (const char* set = std::getenv("AMPACITY_COMMIT")) return set;
  std::string text;
  if (std::FILE* git = popen("git rev-parse --short HEAD 2>/dev/null", "r")) {
    char buffer[64];
    if (std::fgets(buffer, sizeof buffer, git)) text = buffer;
    pclose(git);
  }
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text;
}

// "cpus": …, "compiler": …, "commit": …
inline std::string machine_keys() {
#ifdef __clang__
  const std::string compiler = "clang++ " __clang_version__;
#else
  const std::string compiler = "g++ " __VERSION__;
#endif
  return fmt::format(R"("cpus": {}, "compiler": "{}", "commit": "{}")",
                     std::thread::hardware_concurrency(), compiler, commit());
}

}  // namespace ampacity::core::bench
