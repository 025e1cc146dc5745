// What people ask for: GPUs, vCPUs, memory.
#include "core/request.h"

#include "base/fuzz_input.h"

namespace base = ampacity::base;
namespace core = ampacity::core;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = base::FuzzInput(data, size).rest();
  if (const auto r = core::parse_gpu_request(text)) {
    CHECK_THAT(r->gpus_per_node >= 1 && r->gpus_per_node <= 64, "GPUs out of bounds");
    CHECK_THAT(r->nodes >= 1 && r->nodes <= 4096 && r->skus.size() <= 16, "nodes out of bounds");
    const std::string written = core::format_gpu_request(*r);
    const auto again = core::parse_gpu_request(written);
    CHECK_THAT(again.has_value(), "a request written cannot be read");
    CHECK_THAT(again->skus == r->skus && again->nodes == r->nodes &&
                   again->gpus_per_node == r->gpus_per_node &&
                   again->least_memory_mib == r->least_memory_mib,
               "a request that changes");
  } else {
    CHECK_THAT(!r.error().empty() && r.error().size() < 300, "a refusal without words");
  }
  if (const auto milli = core::parse_cpu_milli(text))
    CHECK_THAT(*milli > 0 && *milli <= 100'001'000, "vCPUs out of bounds");
  if (const auto mib = core::parse_memory_mib(text)) {
    CHECK_THAT(*mib > 0, "memory out of bounds");
    CHECK_THAT(core::parse_memory_mib(std::to_string(*mib) + "MiB") == *mib, "memory that changes");
  }
  return 0;
}
