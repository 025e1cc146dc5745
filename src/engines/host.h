// What this machine has: CPUs, memory, and NVIDIA GPUs through NVML where its driver is there.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"

namespace ampacity::engines {

struct GpuFound {
  std::string uuid;  // "GPU-…"
  std::string name;  // "NVIDIA H200"
  std::int64_t memory_mib = 0;
  bool mig_enabled = false;
  std::string sku;       // our catalogue id ("h200"), empty if the catalogue does not know it
  std::string cdi_name;  // "nvidia.com/gpu=GPU-…" if a CDI specification names it, else empty
};

struct HostFound {
  std::string hostname;
  std::int64_t cpu_milli = 0;
  std::int64_t memory_mib = 0;
  std::vector<GpuFound> gpus;
  std::string gpu_note;  // why there are none, or none to offer: said to a person
};

struct HostOptions {
  std::string nvml_library = "libnvidia-ml.so.1";  // dlopen'ed; tests give a stub of our own
  std::vector<std::string> cdi_directories = {"/etc/cdi", "/var/run/cdi"};
};

HostFound discover_host(const HostOptions& options = {});

// "NVIDIA H100 80GB HBM3" -> "h100"; empty if unknown.
std::string sku_of_gpu_name(const std::string& nvml_name, std::int64_t memory_mib);

}  // namespace ampacity::engines
