// Kills what runs in a container past its engine. podman 4.3 waits five seconds after a SIGKILL and
// then calls the container ended with exit code -1, also where it still runs and holds its GPUs: a
// driver that clears memory, a group with next to no CPU time.
// Threads: any; nothing is kept.
#pragma once

#include <string>

namespace ampacity::engines {

// Sends SIGKILL to the container's first process, with which all others die, and lifts its CPU
// limit, so that dying is quick. False: `pid` is not, or no longer, a process of that container.
bool kill_contained(int pid, const std::string& container_id);

}  // namespace ampacity::engines
