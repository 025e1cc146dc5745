// The processes that watch over podman's containers, one conmon each: how ours are found, also
// those that podman itself has forgotten because it was killed in the midst of a start, and how
// they end with what they hold (`runc init`, which waits for ever for a podman that is gone).
// Threads: any; nothing is kept. 1. Ours: whose bundle lies in our own podman's store.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace ampacity::engines {

struct Minder {
  int pid = 0;
  std::string container_id;
  std::string name;  // of the container
};

// `store`: where our podman keeps its containers.
std::vector<Minder> minders_in(const std::filesystem::path& store);

// SIGKILL to it and to all that descend from it. Nothing if it is no longer what it was.
void end_minder(const Minder& minder, const std::filesystem::path& store);

}  // namespace ampacity::engines
