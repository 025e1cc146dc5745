#include "engines/slurm_scontrol.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>

namespace ampacity::engines {
namespace {

constexpr auto kBound = std::chrono::seconds(15);
constexpr std::size_t kMostBytes = 16 << 20;

// All it writes until it closes its end or the bound is over; then it is killed.
std::string drain_pipe(int fd, pid_t child) {
  std::string out;
  std::array<char, 16 << 10> bytes{};
  const auto end = std::chrono::steady_clock::now() + kBound;
  while (out.size() < kMostBytes) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        end - std::chrono::steady_clock::now());
    pollfd ready{fd, POLLIN, 0};
    if (left.count() <= 0 || poll(&ready, 1, static_cast<int>(left.count())) <= 0) {
      kill(child, SIGKILL);
      break;
    }
    const ssize_t n = read(fd, bytes.data(), bytes.size());
    if (n <= 0) break;
    out.append(bytes.data(), static_cast<std::size_t>(n));
  }
  return out;
}

std::string joined(const std::vector<std::string>& names) {
  std::string all;
  for (const std::string& n : names) all += (all.empty() ? "" : ",") + n;
  return all;
}

}  // namespace

base::Try<std::string> Scontrol::run(std::vector<std::string> arguments) const {
  arguments.insert(arguments.begin(), "scontrol");
  std::vector<char*> argv;
  for (std::string& a : arguments) argv.push_back(a.data());
  argv.push_back(nullptr);
  std::vector<std::string> environment = {"PATH=/usr/local/bin:/usr/bin:/bin"};
  if (!conf_.empty()) environment.push_back("SLURM_CONF=" + conf_.string());
  std::vector<char*> envp;
  for (std::string& e : environment) envp.push_back(e.data());
  envp.push_back(nullptr);
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return base::fault("scontrol: no pipe");
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&files, ends[1], 1);
  posix_spawn_file_actions_adddup2(&files, ends[1], 2);
  posix_spawnattr_t attributes;  // ampacityd blocks signals that a child must hear
  posix_spawnattr_init(&attributes);
  sigset_t none;
  sigemptyset(&none);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
  pid_t child = 0;
  const int error = posix_spawnp(&child, "scontrol", &files, &attributes, argv.data(), envp.data());
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&files);
  close(ends[1]);
  if (error != 0) {
    close(ends[0]);
    return base::fault(fmt::format("scontrol: {}", std::strerror(error)), false);
  }
  std::string out = drain_pipe(ends[0], child);
  close(ends[0]);
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  while (!out.empty() && out.back() == '\n') out.pop_back();
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
    return base::fault("scontrol: " + (out.empty() ? "it failed" : out.substr(0, 300)));
  return out;
}

base::Try<std::string> Scontrol::topology() const { return run({"-o", "show", "topology"}); }

base::Try<void> Scontrol::reserve(const std::string& name, const std::string& user,
                                  const std::vector<std::string>& nodes) const {
  if (auto changed = run({"update", "ReservationName=" + name, "Nodes=" + joined(nodes)}))
    return {};
  auto made =
      run({"create", "reservation", "ReservationName=" + name, "StartTime=now",
           "Duration=UNLIMITED", "Users=" + user, "Nodes=" + joined(nodes), "Flags=IGNORE_JOBS"});
  if (!made) return std::unexpected(made.error());
  return {};
}

base::Try<void> Scontrol::drain(const std::string& node, const std::string& reason) const {
  auto done = run({"update", "NodeName=" + node, "State=DRAIN", "Reason=" + reason});
  if (!done) return std::unexpected(done.error());
  return {};
}

base::Try<void> Scontrol::resume(const std::string& node) const {
  auto done = run({"update", "NodeName=" + node, "State=RESUME"});
  if (!done) return std::unexpected(done.error());
  return {};
}

}  // namespace ampacity::engines
