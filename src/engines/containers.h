// Containers through podman's libpod API (a private service of our own) or docker's API.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include "base/time.h"
#include "engines/engine.h"
#include "engines/log_spool.h"
#include "net/gated_transport.h"

namespace ampacity::engines {

struct ContainerOptions {
  std::filesystem::path state;  // absolute; podman's store, run and tmp, its config, socket, logs
  std::string cloud;            // label value; containers of other clouds are foreign
  enum class Dialect { podman, docker };
  Dialect dialect = Dialect::podman;
  std::string docker_socket = "/var/run/docker.sock";
  std::filesystem::path
      image_archives;  // NAME.tar here is imported as localhost/ampacity-NAME when absent
  base::Duration period = base::Duration::seconds(3);  // between full comparisons
  // Between looks at logs, where we copy them, and, five times rarer, at what volumes hold.
  base::Duration look_period = base::Duration::seconds(1);
  std::int64_t host_cpu_milli = 0;  // what all emulated nodes' containers may take together
  std::int64_t host_memory_mib = 0;
  std::int64_t pids_limit = 4096;
  std::int64_t volume_limit_bytes = 10LL << 30;
  std::uint32_t uid_base = 1'000'000;  // project p gets [base + p·65536, +65536)
  bool user_namespaces = true;         // used where the host allows, see EngineHealth
  net::MayAct may_act;                 // asked before each request
};

std::unique_ptr<Engine> make_container_engine(ContainerOptions options, base::Clock& clock);

// Where this engine's LogSpool lies.
std::filesystem::path log_directory(const ContainerOptions& options);

// Removes all containers and networks of this cloud and, for podman, stops its private service and
// leaves no mounts behind. Volumes, images and logs stay. Blocking, bounded; no Engine may be
// alive.
void stop_container_service(const ContainerOptions& options);

}  // namespace ampacity::engines
