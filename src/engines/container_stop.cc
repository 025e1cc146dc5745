// The clean end of a cloud on this host: containers, networks, service, mounts, control groups.
#include <fmt/core.h>

#include "base/log.h"
#include "engines/containers.h"
#include "engines/dialect.h"
#include "engines/host_limits.h"
#include "engines/podman_service.h"
#include "net/http_client.h"

namespace ampacity::engines {
namespace {

net::CallOptions patient() {
  net::CallOptions options;
  options.timeout = base::Duration::seconds(60);
  return options;
}

void remove_all(const Dialect& dialect, net::HttpClient& client, const std::string& cloud) {
  auto answer = client.call(dialect.list(cloud), patient());
  if (!answer || answer->status != 200) {
    base::log_warn("engines: cannot list what to stop");
    return;
  }
  if (auto listed = dialect.parse_list(answer->body)) {
    for (const auto& one : *listed) (void)client.call(dialect.remove(one.name), patient());
  }
  answer = client.call(dialect.list_networks(cloud), patient());
  if (!answer || answer->status != 200) return;
  auto networks = dialect.parse_networks(answer->body);
  if (!networks) return;
  for (const auto& network : *networks) {
    (void)client.call(dialect.remove_network(network.name), patient());
  }
}

}  // namespace

void stop_container_service(const ContainerOptions& options) {
  if (!options.state.is_absolute()) return;
  if (options.dialect == ContainerOptions::Dialect::docker) {
    net::HttpClient client({"http://d", options.docker_socket});
    remove_all(*docker_dialect(), client, options.cloud);
    remove_cgroup(cgroup_of(options.cloud) + "-emulated");
    return;
  }
  std::error_code error;
  if (!std::filesystem::exists(options.state / "podman", error)) return;
  PodmanService service(options);
  if (auto up = service.ensure(); up) {
    net::HttpClient client({"http://d", service.socket()});
    remove_all(*podman_dialect(), client, options.cloud);
  } else {
    base::log_warn("engines: {}", up.error().message);
  }
  service.stop();
  std::string group = cgroup_of(options.cloud);
  remove_cgroup(group);
  remove_cgroup(group + "-emulated");
  service.unmount();
}

}  // namespace ampacity::engines
