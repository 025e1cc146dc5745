// NVIDIA's management library, loaded if it is there. Its prototypes are declared by us: there is
// no nvml.h in Debian. Threads: any; loads, asks and unloads within the call.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"

namespace ampacity::engines {

struct NvmlGpu {
  std::string uuid;
  std::string name;
  std::int64_t memory_mib = 0;
  bool mig_enabled = false;
};

// A Fault says what a person should know: no driver, or what NVML answered.
base::Try<std::vector<NvmlGpu>> nvml_gpus(const std::string& library);

}  // namespace ampacity::engines
