// The job file: one YAML document, in our spelling, SkyPilot's or dstack's, read as a JobRequest.
// Threads: pure functions.
//
// 1. Every scalar stays the text that was written (`A: 007` is "007"); only the fields that are
//    numbers or truths in JobRequest are converted.
// 2. Whatever is wrong is named with its line; a file that is not YAML, with line and column.
// 3. Text, depth and size after the expansion of aliases are bounded.
//
// Other spellings: class = job_class · envs = env · run: TEXT = [sh, -c, TEXT] · commands: [A, B] =
// [sh, -c, "A && B"] · resources.accelerators: H100:8 = gpus: h100:8 · resources.gpu = gpus ·
// resources.use_spot: true = class: spot · num_nodes, nodes: N = gpus: …xN · max_duration = time.
#pragma once

#include <cstddef>
#include <string_view>

#include "api/contract.h"
#include "base/result.h"

namespace ampacity::api {

inline constexpr std::size_t max_job_file_bytes = 1 << 20;
inline constexpr int max_job_file_depth = 32;

base::Result<JobRequest> parse_job_file(std::string_view yaml);

}  // namespace ampacity::api
