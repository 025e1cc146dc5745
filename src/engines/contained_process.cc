#include "engines/contained_process.h"

#include <fmt/core.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <fstream>
#include <vector>

namespace ampacity::engines {
namespace {

struct Group {
  std::string controllers;  // "cpu,cpuacct"; empty in version 2
  std::string path;
};

std::vector<Group> groups_of(int pid, const std::string& container_id) {
  std::vector<Group> groups;
  std::ifstream in(fmt::format("/proc/{}/cgroup", pid));
  for (std::string line; std::getline(in, line);) {
    const std::size_t first = line.find(':');
    const std::size_t second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    Group group{line.substr(first + 1, second - first - 1), line.substr(second + 1)};
    if (group.path.find(container_id) != std::string::npos) groups.push_back(std::move(group));
  }
  return groups;
}

void lift_cpu_limit(const Group& group) {
  const std::string root = "/sys/fs/cgroup";
  if (group.controllers.empty()) {
    std::ofstream(root + group.path + "/cpu.max") << "max";
  } else if (("," + group.controllers + ",").find(",cpu,") != std::string::npos) {
    std::ofstream(root + "/" + group.controllers + group.path + "/cpu.cfs_quota_us") << "-1";
  }
}

}  // namespace

bool kill_contained(int pid, const std::string& container_id) {
  if (pid <= 1 || container_id.empty()) return false;
  // The descriptor first: what is then found in the container's groups is what it stands for, or
  // that has ended and the signal goes nowhere.
  const int process = static_cast<int>(syscall(SYS_pidfd_open, pid, 0));
  if (process < 0) return false;
  const std::vector<Group> groups = groups_of(pid, container_id);
  const bool sent =
      !groups.empty() && syscall(SYS_pidfd_send_signal, process, SIGKILL, nullptr, 0) == 0;
  close(process);
  if (sent) {
    for (const Group& group : groups) lift_cpu_limit(group);
  }
  return sent;
}

}  // namespace ampacity::engines
