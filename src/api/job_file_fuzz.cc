// A job file: what is read is written as JSON, which is YAML too, and read the same.
#include "api/job_file.h"

#include "base/fuzz_input.h"

namespace api = ampacity::api;
namespace base = ampacity::base;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = base::FuzzInput(data, size).rest();
  const auto request = api::parse_job_file(text);
  if (!request) {
    base::check_refusal(request.error(), text);
    return 0;
  }
  const std::string written = base::to_json(*request);
  const auto body = base::from_json<api::JobRequest>(written);
  CHECK_THAT(body && base::to_json(*body) == written, "a request that changes");
  // YAML's names are shorter than 1,024 characters, and none is `<<` here.
  if (written.size() > 1000 || request->env.contains("<<")) return 0;
  const auto again = api::parse_job_file(written);
  CHECK_THAT(again.has_value(), "a job file written cannot be read");
  CHECK_THAT(base::to_json(*again) == written, "a job file that changes");
  return 0;
}
