// The one fallback: what slurmrestd 22.05 cannot do and `scontrol` can, as a subprocess, its
// argument list never through a shell. Nothing else: the topology, drain and
// resume, and the reservation that holds others off our nodes. Without scontrol the site works,
// without these. Threads: any; each call blocks for at most kBound.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/result.h"

namespace ampacity::engines {

class Scontrol {
 public:
  explicit Scontrol(std::filesystem::path conf) : conf_(std::move(conf)) {}

  base::Try<std::string> topology() const;
  // Makes it, or changes which nodes it holds. Jobs that run there stay (IGNORE_JOBS).
  base::Try<void> reserve(const std::string& name, const std::string& user,
                          const std::vector<std::string>& nodes) const;
  base::Try<void> drain(const std::string& node, const std::string& reason) const;
  base::Try<void> resume(const std::string& node) const;

 private:
  base::Try<std::string> run(std::vector<std::string> arguments) const;
  std::filesystem::path conf_;  // slurm.conf; empty: the system's
};

}  // namespace ampacity::engines
