#include "engines/container_host.h"

#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "engines/cdi.h"
#include "engines/contained_process.h"
#include "engines/host_limits.h"
#include "engines/podman_service.h"

namespace ampacity::engines {
namespace {

bool any_exists(std::initializer_list<const char*> paths) {
  return std::any_of(paths.begin(), paths.end(),
                     [](const char* path) { return access(path, X_OK) == 0; });
}

class ThisMachine final : public ContainerHost {
 public:
  explicit ThisMachine(const ContainerOptions& options) : options_(options) {
    if (options.dialect == ContainerOptions::Dialect::podman)
      service_ = std::make_unique<PodmanService>(options);
  }

  std::unique_ptr<net::Transport> connect() override {
    return std::make_unique<net::HttpClient>(peer());
  }
  net::Peer peer() const override {
    return {"http://d", service_ ? service_->socket() : options_.docker_socket};
  }
  bool owns_service() const override { return service_ != nullptr; }
  base::Try<void> ensure_service() override {
    return service_ ? service_->ensure() : base::Try<void>{};
  }
  bool service_alive() const override { return !service_ || service_->alive(); }

  HostAllows allows() override {
    HostAllows h;
    h.boot = boot_id();
    h.nofile = own_hard_limit(RLIMIT_NOFILE, 1 << 20);
    h.nproc = own_hard_limit(RLIMIT_NPROC, kMostProcesses);
    if (!service_) return h;
    h.user_namespaces = options_.user_namespaces && user_namespaces_work();
    h.dns = any_exists({"/usr/lib/podman/aardvark-dns", "/usr/libexec/podman/aardvark-dns"});
    h.init = any_exists({"/usr/libexec/podman/catatonit", "/usr/lib/podman/catatonit"});
    h.cdi = !cdi_gpu_names().empty();
    return h;
  }
  base::Try<void> bound_group(const std::string& name) override {
    return bound_cgroup(name, options_.host_cpu_milli, options_.host_memory_mib);
  }
  bool kill_contained(int pid, const std::string& container_id) override {
    return engines::kill_contained(pid, container_id);
  }
  std::vector<Minder> minders() override {
    return service_ ? minders_in(service_->store()) : std::vector<Minder>{};
  }
  void end_minder(const Minder& minder) override {
    if (service_) engines::end_minder(minder, service_->store());
  }
  void give_volume(const std::string& name, std::int64_t user) override {
    if (!service_) return;
    const std::filesystem::path data = service_->store() / "volumes" / name / "_data";
    struct stat of {};
    if (lstat(data.c_str(), &of) != 0 || of.st_uid != 0) return;
    const auto id = static_cast<uid_t>(user);
    (void)lchown(data.c_str(), id, id);
  }
  bool oom_killed(const std::string& container_id) const override {
    return engines::oom_killed(container_id);
  }
  base::Try<void> make_log_directory() override {
    std::error_code error;
    std::filesystem::create_directories(log_directory(options_), error);
    if (error) return base::fault(log_directory(options_).string() + ": " + error.message(), false);
    return {};
  }
  bool has_log(const std::string& path) const override {
    std::error_code error;
    return std::filesystem::exists(path, error);
  }
  base::Try<SpoolEnd> spool_whole(const std::string& path) override {
    return engines::spool_whole(path);
  }
  base::Try<SpoolEnd> spool_end(const std::string& path) override {
    return engines::spool_end(path);
  }
  void add_to_spool(const std::string& path, const std::string& text) override {
    std::ofstream(path, std::ios::app | std::ios::binary) << text;
  }

 private:
  const ContainerOptions options_;
  std::unique_ptr<PodmanService> service_;  // null for docker
};

}  // namespace

std::unique_ptr<ContainerHost> this_machine(const ContainerOptions& options) {
  return std::make_unique<ThisMachine>(options);
}

}  // namespace ampacity::engines
