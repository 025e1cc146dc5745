#include "engines/host_limits.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <linux/magic.h>
#include <sched.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <thread>

namespace ampacity::engines {
namespace {

namespace fs = std::filesystem;

constexpr const char* kCgroups = "/sys/fs/cgroup";
constexpr const char* kControllers[] = {"cpu",     "cpuacct", "cpuset",     "memory",
                                        "pids",    "blkio",   "devices",    "freezer",
                                        "systemd", "unified", "cpu,cpuacct"};

bool write_file(const fs::path& path, const std::string& text) {
  std::ofstream out(path);
  out << text;
  out.flush();
  return out.good();
}

// True once it is gone.
bool remove_group_tree(const fs::path& group) {
  std::error_code error;
  if (!fs::is_directory(group, error)) return true;
  std::ifstream processes(group / "cgroup.procs");
  for (pid_t pid = 0; processes >> pid;) {
    if (pid > 1) ::kill(pid, SIGKILL);
  }
  for (const auto& entry : fs::directory_iterator(group, error)) {
    if (entry.is_directory(error) && !entry.is_symlink(error)) remove_group_tree(entry.path());
  }
  return ::rmdir(group.c_str()) == 0;
}

}  // namespace

std::int64_t own_hard_limit(int resource, std::int64_t most) {
  rlimit limit{};
  if (getrlimit(static_cast<__rlimit_resource_t>(resource), &limit) != 0) return most;
  if (limit.rlim_max == RLIM_INFINITY) return most;
  return std::min<std::int64_t>(static_cast<std::int64_t>(limit.rlim_max), most);
}

std::string boot_id() {
  std::ifstream in("/proc/sys/kernel/random/boot_id");
  std::string id;
  in >> id;
  return id;
}

bool pure_cgroup_v2() {
  struct statfs about {};
  return statfs(kCgroups, &about) == 0 && about.f_type == CGROUP2_SUPER_MAGIC;
}

bool user_namespaces_work() {
  if (geteuid() != 0) return false;  // other users' ids cannot be mapped
  pid_t child = fork();
  if (child < 0) return false;
  if (child == 0) _exit(unshare(CLONE_NEWUSER) == 0 ? 0 : 1);
  int status = 0;
  while (waitpid(child, &status, 0) < 0) {
    if (errno != EINTR) return false;
  }
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

std::string cgroup_of(const std::string& cloud) {
  std::string name = "ampacity-";
  for (char c : cloud) {
    bool fine = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    name += fine ? c : '-';
  }
  return name;
}

base::Try<void> bound_cgroup(const std::string& name, std::int64_t cpu_milli,
                             std::int64_t memory_mib) {
  fs::path root = kCgroups;
  std::error_code error;
  auto failed = [&](const fs::path& path) {
    return base::fault(fmt::format("cannot set {}: {}", path.string(), std::strerror(errno)),
                       false);
  };
  if (pure_cgroup_v2()) {
    write_file(root / "cgroup.subtree_control", "+cpu +memory +pids");
    fs::create_directories(root / name, error);
    fs::path cpu = root / name / "cpu.max";
    fs::path memory = root / name / "memory.max";
    if (!write_file(cpu, fmt::format("{} 100000", cpu_milli * 100))) return failed(cpu);
    if (!write_file(memory, std::to_string(memory_mib << 20))) return failed(memory);
    return {};
  }
  fs::path cpu = root / "cpu" / name;
  fs::path memory = root / "memory" / name;
  fs::create_directories(cpu, error);
  fs::create_directories(memory, error);
  write_file(cpu / "cpu.cfs_period_us", "100000");
  if (!write_file(cpu / "cpu.cfs_quota_us", std::to_string(cpu_milli * 100))) return failed(cpu);
  write_file(memory / "memory.use_hierarchy", "1");
  if (!write_file(memory / "memory.limit_in_bytes", std::to_string(memory_mib << 20))) {
    return failed(memory);
  }
  return {};
}

void remove_cgroup(const std::string& name) {
  if (name.empty() || name.find('/') != std::string::npos) return;
  for (int i = 0; i < 100; i++) {
    bool gone = remove_group_tree(fs::path(kCgroups) / name);
    for (const char* controller : kControllers) {
      gone = remove_group_tree(fs::path(kCgroups) / controller / name) && gone;
    }
    if (gone) return;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
}

bool oom_killed(const std::string& container_id) {
  if (container_id.empty()) return false;
  int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0) return false;
  char record[8192];
  bool found = false;
  // One read gives one record; the kernel's buffer is bounded, and so are we.
  for (int i = 0; i < 200'000 && !found; i++) {
    ssize_t n = read(fd, record, sizeof record);
    if (n < 0 && (errno == EPIPE || errno == EINTR)) continue;  // overwritten: go on
    if (n <= 0) break;
    std::string_view line(record, static_cast<std::size_t>(n));
    std::size_t task = line.find("task_memcg=");
    found = task != std::string_view::npos && line.find("oom-kill:") != std::string_view::npos &&
            line.find(container_id, task) != std::string_view::npos;
  }
  close(fd);
  return found;
}

}  // namespace ampacity::engines
