// Which GPUs this host's CDI specifications name (JSON or YAML files; only names are read).
// Threads: any.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace ampacity::engines {

// "nvidia.com/gpu=GPU-…", sorted. Later directories add to earlier ones.
std::vector<std::string> cdi_gpu_names(const std::vector<std::string>& directories = {
                                           "/etc/cdi", "/var/run/cdi"});
// Device names of one specification, if it is of kind nvidia.com/gpu.
std::vector<std::string> cdi_devices(std::string_view text, bool is_json);

}  // namespace ampacity::engines
