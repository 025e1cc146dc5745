#include "engines/podman_service.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <functional>
#include <sstream>
#include <thread>
#include <vector>

#include "base/crypto.h"
#include "base/log.h"
#include "engines/host_limits.h"
#include "net/http_client.h"

namespace ampacity::engines {
namespace {

namespace fs = std::filesystem;

constexpr auto kPause = std::chrono::milliseconds(10);

// Podman refuses a runroot of more than 50 characters and the kernel a socket path of more than
// 107, however deep the state directory lies; and what is in it must not outlive a reboot.
fs::path short_run_directory(const fs::path& home) {
  const std::string key = base::to_hex(base::sha256(home.string())).substr(0, 12);
  const char* base = geteuid() == 0 && access("/run", W_OK) == 0 ? "/run" : "/tmp";
  return fmt::format("{}/ampacity-{}-{}", base, geteuid(), key);
}

bool on_path(const char* program) {
  const char* path = std::getenv("PATH");
  std::istringstream parts(path != nullptr ? path : "/usr/sbin:/usr/bin:/sbin:/bin");
  for (std::string dir; std::getline(parts, dir, ':');) {
    if (access((dir + "/" + program).c_str(), X_OK) == 0) return true;
  }
  return false;
}

std::string read_all(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

std::string in_quotes(const std::string& text) { return "\"" + text + "\""; }

// Mounts below `home`, deepest first.
void unmount_below(const fs::path& home) {
  std::ifstream in("/proc/self/mountinfo");
  std::vector<std::string> points;
  for (std::string line; std::getline(in, line);) {
    std::istringstream words(line);
    std::string word;
    for (int i = 0; i < 5; i++) words >> word;  // the fifth is the mount point
    if (word.starts_with(home.string() + "/")) points.push_back(word);
  }
  std::sort(points.begin(), points.end(), [](const auto& a, const auto& b) { return b < a; });
  for (const auto& point : points) umount2(point.c_str(), MNT_DETACH);
}

std::vector<std::string> environment(const fs::path& home) {
  std::vector<std::string> out{"CONTAINERS_CONF=" + (home / "containers.conf").string()};
  for (const char* name : {"PATH", "HOME", "LANG", "http_proxy", "https_proxy", "no_proxy",
                           "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "XDG_RUNTIME_DIR"}) {
    if (const char* value = std::getenv(name)) out.push_back(fmt::format("{}={}", name, value));
  }
  return out;
}

// Runs argv as nobody's child (a shell in between ends at once), with all our descriptors closed.
int run_detached(const std::vector<std::string>& argv, const std::vector<std::string>& env,
                 const std::string& log, const std::string& pid_file) {
  std::vector<std::string> all{"/bin/sh",
                               "-c",
                               "log=$1; pid=$2; shift 2; "
                               "( echo $(exec sh -c 'echo $PPID') >\"$pid\"; exec \"$@\" ) "
                               "</dev/null >>\"$log\" 2>&1 &",
                               "sh",
                               log,
                               pid_file};
  all.insert(all.end(), argv.begin(), argv.end());
  std::vector<char*> words, variables;
  for (auto& word : all) words.push_back(word.data());
  words.push_back(nullptr);
  auto env_copy = env;
  for (auto& variable : env_copy) variables.push_back(variable.data());
  variables.push_back(nullptr);

  posix_spawnattr_t attributes;
  posix_spawn_file_actions_t actions;
  posix_spawnattr_init(&attributes);
  posix_spawn_file_actions_init(&actions);
  sigset_t none, defaults;
  sigemptyset(&none);
  sigfillset(&defaults);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &defaults);
  posix_spawnattr_setflags(
      &attributes,
      static_cast<short>(POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF));
  posix_spawn_file_actions_addclosefrom_np(&actions, 3);
  // conmon leaves a file `oom` where it is.
  posix_spawn_file_actions_addchdir_np(&actions, std::filesystem::path(log).parent_path().c_str());
  pid_t shell = 0;
  int error = posix_spawn(&shell, "/bin/sh", &actions, &attributes, words.data(), variables.data());
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  if (error != 0) return error;
  int status = 0;
  while (waitpid(shell, &status, 0) < 0 && errno == EINTR) {
  }
  return 0;
}

}  // namespace

PodmanService::PodmanService(const ContainerOptions& options)
    : home_(options.state / "podman"),
      run_(short_run_directory(home_)),
      socket_((run_ / "p.sock").string()) {}

std::string PodmanService::config() const {
  // crun 1.8 refuses hybrid control groups; runc takes both.
  std::string runtime = pure_cgroup_v2() && on_path("crun") ? "crun" : "runc";
  if (!on_path(runtime.c_str())) runtime = "crun";
  std::int64_t files = own_hard_limit(RLIMIT_NOFILE, 1 << 20);
  std::int64_t processes = own_hard_limit(RLIMIT_NPROC, kMostProcesses);
  auto path = [&](const char* name) { return in_quotes((home_ / name).string()); };
  // File locks: podman's shared-memory locks are one pool for all stores of a host, and a service
  // that starts frees them all.
  return fmt::format(
      "[containers]\n"
      "default_ulimits = [\"nofile={0}:{0}\", \"nproc={1}:{1}\"]\n"
      "base_hosts_file = \"none\"\n"
      "[network]\n"
      "network_config_dir = {2}\n"
      "[engine]\n"
      "runtime = \"{3}\"\n"
      "cgroup_manager = \"cgroupfs\"\n"
      "events_logger = \"file\"\n"
      "lock_type = \"file\"\n"
      "image_copy_tmp_dir = {4}\n"
      "exit_command_delay = 5\n",
      files, processes, path("networks"), runtime, path("copy"));
}

base::Try<void> PodmanService::prepare() {
  if (!home_.is_absolute()) {
    return base::fault("the state directory must be an absolute path: " + home_.string(), false);
  }
  if (!on_path("podman")) return base::fault("podman is not installed", false);
  std::error_code error;
  // After a reboot podman must not believe the running states it kept.
  std::string boot = boot_id();
  fs::path boot_file = home_ / "boot_id";
  if (read_all(boot_file) != boot) {
    fs::remove_all(run_, error);
  }
  for (const fs::path& path :
       {home_ / "root", home_ / "copy", home_ / "networks", run_ / "run", run_ / "tmp"}) {
    fs::create_directories(path, error);
    if (error) return base::fault(fmt::format("{}: {}", path.string(), error.message()));
  }
  // Podman lets others search it, for containers with users of their own.
  fs::permissions(run_, fs::perms::group_all | fs::perms::others_read | fs::perms::others_write,
                  fs::perm_options::remove, error);
  if (!fs::is_symlink(home_ / "run")) fs::create_directory_symlink(run_, home_ / "run", error);
  std::ofstream(boot_file) << boot;
  std::ofstream(home_ / "containers.conf") << config();
  return {};
}

int PodmanService::pid() const {
  std::ifstream in(home_ / "service.pid");
  int pid = 0;
  in >> pid;
  return pid;
}

bool PodmanService::alive() const {
  int p = pid();
  if (p <= 0) return false;
  // A zombie has no command line; a reused pid has another.
  std::string command = read_all(fmt::format("/proc/{}/cmdline", p));
  return command.find("unix://" + socket_) != std::string::npos;
}

bool PodmanService::answers() const {
  net::HttpClient client({"http://d", socket_});
  net::CallOptions options;
  options.timeout = base::Duration::seconds(3);
  auto response = client.call({"GET", "/_ping", {}, {}}, options);
  return response && response->status == 200;
}

void PodmanService::kill_process(int signal) const {
  if (alive()) ::kill(pid(), signal);
}

base::Try<void> PodmanService::launch() {
  if (auto ready = prepare(); !ready) return ready;
  std::error_code error;
  fs::remove(socket_, error);
  std::vector<std::string> argv{"podman",
                                "--root",
                                (home_ / "root").string(),
                                "--runroot",
                                (run_ / "run").string(),
                                "--tmpdir",
                                (run_ / "tmp").string(),
                                "--storage-driver",
                                "overlay",
                                "system",
                                "service",
                                "--time=0",
                                "unix://" + socket_};
  int failed = run_detached(argv, environment(home_), (home_ / "service.log").string(),
                            (home_ / "service.pid").string());
  if (failed != 0) return base::fault(fmt::format("podman: {}", std::strerror(failed)));
  launches_++;
  for (int i = 0; i < 1000; i++) {  // 10 s
    if (fs::exists(socket_, error) && answers()) return {};
    if (i > 100 && !alive()) break;
    std::this_thread::sleep_for(kPause);
  }
  std::string log = read_all(home_ / "service.log");
  if (log.size() > 400) log.erase(0, log.size() - 400);
  return base::fault("podman's service did not come up: " + log);
}

base::Try<void> PodmanService::ensure() {
  if (!home_.is_absolute()) return prepare();
  if (alive()) {
    for (int i = 0; i < 3; i++) {
      if (answers()) return {};
      if (!alive()) break;
      std::this_thread::sleep_for(kPause * 20);
    }
    if (alive()) {
      base::log_warn("engines: podman's service (process {}) does not answer: ending it", pid());
      kill_process(SIGKILL);
      for (int i = 0; i < 200 && alive(); i++) std::this_thread::sleep_for(kPause);
    }
  }
  return launch();
}

void PodmanService::stop() {
  if (!home_.is_absolute()) return;
  kill_process(SIGTERM);
  for (int i = 0; i < 500 && alive(); i++) std::this_thread::sleep_for(kPause);
  kill_process(SIGKILL);
  for (int i = 0; i < 100 && alive(); i++) std::this_thread::sleep_for(kPause);
  std::error_code error;
  fs::remove(socket_, error);
  fs::remove(home_ / "service.pid", error);
}

void PodmanService::unmount() const {
  if (!home_.is_absolute()) return;
  unmount_below(home_);
  unmount_below(run_);
  std::error_code error;
  fs::remove_all(run_, error);
}

}  // namespace ampacity::engines
