// A job's request in JSON: read, checked, written and read again.
#include "api/bind_job.h"
#include "base/fuzz_input.h"

namespace api = ampacity::api;
namespace base = ampacity::base;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = base::FuzzInput(data, size).rest();
  const auto request = base::from_json<api::JobRequest>(text);
  if (!request) {
    base::check_refusal(request.error(), text);
    return 0;
  }
  const std::string written = base::to_json(*request);
  const auto again = base::from_json<api::JobRequest>(written);
  CHECK_THAT(again && base::to_json(*again) == written, "a request that changes");
  const base::Instant now{1'795'348'800'000'000};
  const auto bound = api::bind_job(*request, now);
  if (!bound) {
    base::check_refusal(bound.error(), text);
    return 0;
  }
  const auto& job = bound->submit.job;
  CHECK_THAT(bound->env.size() <= 256 && job.spec.volumes.size() <= 16, "too many things");
  CHECK_THAT(job.spec.image.size() <= 255 && !job.spec.image.empty(), "an image out of bounds");
  CHECK_THAT(job.retries_left >= 0 && job.retries_left <= 10, "retries out of bounds");
  CHECK_THAT(job.grace_s >= 0 && job.grace_s <= 300, "grace out of bounds");
  CHECK_THAT(job.time_limit_s >= 0 && job.time_limit_s <= 365 * 86'400, "time out of bounds");
  CHECK_THAT(bound->submit.cpu_milli <= 1'024'000 && bound->submit.memory_mib <= 64LL << 20,
             "resources out of bounds");
  CHECK_THAT(bound->submit.gpu_milli <= 1000, "more than a whole GPU");
  CHECK_THAT(job.start_by == base::Instant{} || job.start_by > now, "a start that has passed");
  for (const auto& v : job.spec.volumes)
    CHECK_THAT(v.path.starts_with('/') && !v.path.contains(".."), "a path that climbs");
  return 0;
}
