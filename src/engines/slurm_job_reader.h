// Reads slurmrestd's list of jobs as it comes: 8,100 jobs are 25 MB, of which some bytes are kept.
// Threads: pure.
#pragma once

#include <string_view>
#include <vector>

#include "base/result.h"
#include "engines/slurm_codec.h"

namespace ampacity::engines {

// Those whose comment is this one; a Fault if the text ends early, has no list, or names an error.
base::Try<std::vector<SlurmJob>> read_slurm_jobs(std::string_view body, std::string_view comment);

}  // namespace ampacity::engines
