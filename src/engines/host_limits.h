// What the kernel here allows and tells: resource limits, control groups, boot, OOM, namespaces.
// Threads: any; nothing is kept.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"

namespace ampacity::engines {

// podman 4.3 lowers its own bound to this, and without CAP_SYS_RESOURCE nothing raises it again.
inline constexpr std::int64_t kMostProcesses = 32768;

std::int64_t own_hard_limit(int resource, std::int64_t most);  // RLIMIT_*, bounded by `most`
std::string boot_id();
bool pure_cgroup_v2();
// Forks a child that tries; true if the kernel gives user namespaces and we may map other ids.
bool user_namespaces_work();

// The name of the group of a cloud's containers: labels may hold anything, groups may not.
std::string cgroup_of(const std::string& cloud);

// Makes the parent group `name` (no slashes) and bounds what all inside may take together.
base::Try<void> bound_cgroup(const std::string& name, std::int64_t cpu_milli,
                             std::int64_t memory_mib);
// Kills what is still in the group (monitors that linger) and removes it; waits a little for that.
void remove_cgroup(const std::string& name);

// Whether the kernel's log says it killed something of this container for want of memory.
bool oom_killed(const std::string& container_id);

}  // namespace ampacity::engines
