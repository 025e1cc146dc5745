// The script that a rank's Slurm job runs, and the marker it leaves on the shared folder: the gate
// that lets a name run once, and the end that outlives Slurm's memory.
// Threads: pure.
//   the script begins -> the marker is made, only if there is none (O_EXCL): `S second job node
//   gpus` the command ends  -> a line is added:                                    `E second
//   exit-code`
// Without a shared folder only Slurm's own word that it runs a job again holds it back.
// 1. Who finds the marker there runs nothing: exit code 113. So neither a job submitted twice, nor
// one that Slurm runs again, nor one back from an old state ever starts a rank twice.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "core/effects.h"

namespace ampacity::engines {

inline constexpr std::int32_t slurm_refused_exit = 113;

// Where a gang's ranks stand, as its processes reach them; parallel to their rank numbers.
struct GangPlace {
  std::string node;
  std::string address;
};

struct WrapperPlan {
  std::string marker;  // path; empty: there is no shared folder, and no gate
  std::vector<GangPlace> gang;
};

std::string slurm_wrapper(const core::RankWork& work, const WrapperPlan& plan);

// What the command gets: ours and the user's, but nothing that Slurm itself says. Set in the
// script, past the gate, so that none of it can change what the gate's shell does.
std::vector<std::pair<std::string, std::string>> slurm_environment(const core::RankWork& work,
                                                                   const WrapperPlan& plan);

// The leased GPUs of a rank, real or emulated: their names are in its environment.
std::uint32_t leased_gpus(const core::RankWork& work);

struct SlurmMarker {
  base::Instant started_at;
  std::uint32_t job_id = 0;
  std::string node;
  std::string gpus;  // Slurm's own choice: "0,1,5"
  std::optional<base::Instant> ended_at;
  std::int32_t exit_code = 0;
};
// Nothing: there is no whole first line yet.
std::optional<SlurmMarker> parse_slurm_marker(std::string_view text);

}  // namespace ampacity::engines
