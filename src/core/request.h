// How people ask for GPUs: "h100:8", "h100:8x4" (4 nodes of 8), "a100-80|h100:8", "any>=40GB:2".
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace ampacity::core {

struct GpuRequest {
  std::vector<std::string> skus;      // alternatives; empty: any
  std::int64_t least_memory_mib = 0;  // of one GPU, for "any>=…"
  std::uint32_t gpus_per_node = 1;    // 1…64
  std::uint32_t nodes = 1;            // 1…4096
};

// The error is a sentence saying what would be right.
std::expected<GpuRequest, std::string> parse_gpu_request(std::string_view text);
std::string format_gpu_request(const GpuRequest& request);

// "2" or "0.5" vCPUs -> milli; "4GiB", "512MiB", "4G" -> MiB. nullopt: not such a thing, or zero.
std::optional<std::int64_t> parse_cpu_milli(std::string_view text);
std::optional<std::int64_t> parse_memory_mib(std::string_view text);

}  // namespace ampacity::core
