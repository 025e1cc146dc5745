// What the container engine needs of its machine beside what it asks the engine's API: the service
// that answers, what the kernel allows and tells, files. The real one, or the simulator's.
// Threads: any, but ensure_service by one at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/result.h"
#include "engines/containers.h"
#include "engines/log_copy.h"
#include "engines/minders.h"
#include "net/http_client.h"

namespace ampacity::engines {

struct HostAllows {
  std::string boot;  // changes when the machine starts anew
  std::int64_t nofile = 1024;
  std::int64_t nproc = 4096;
  bool user_namespaces = false;
  bool dns = true;    // names in a gang's network
  bool init = false;  // an init as process 1 is at hand
  bool cdi = false;   // GPUs can be handed over
};

class ContainerHost {
 public:
  virtual ~ContainerHost() = default;
  virtual std::unique_ptr<net::Transport> connect() = 0;
  virtual net::Peer peer() const = 0;     // for terminals, which take the line itself
  virtual bool owns_service() const = 0;  // podman's, of our own; docker's daemon is others'
  virtual base::Try<void> ensure_service() = 0;
  virtual bool service_alive() const = 0;
  virtual HostAllows allows() = 0;
  // Bounds what all containers of emulated nodes take together; see host_limits.h.
  virtual base::Try<void> bound_group(const std::string& name) = 0;
  // See contained_process.h.
  virtual bool kill_contained(int pid, const std::string& container_id) = 0;
  // Of the service that is our own; see minders.h.
  virtual std::vector<Minder> minders() = 0;
  virtual void end_minder(const Minder& minder) = 0;
  // Podman notes that it gave a volume to its first user before it does: one that died in between
  // leaves it to the host's root, and nobody could write to it. Then it is this user's.
  virtual void give_volume(const std::string& name, std::int64_t user) = 0;
  virtual bool oom_killed(const std::string& container_id) const = 0;
  virtual base::Try<void> make_log_directory() = 0;
  virtual bool has_log(const std::string& path) const = 0;
  // Where the engine does not write the spool itself; see log_copy.h.
  virtual base::Try<SpoolEnd> spool_end(const std::string& path) = 0;
  virtual base::Try<SpoolEnd> spool_whole(const std::string& path) = 0;
  virtual void add_to_spool(const std::string& path, const std::string& text) = 0;
};

std::unique_ptr<ContainerHost> this_machine(const ContainerOptions& options);

// An engine on a host that is given to it.
std::unique_ptr<Engine> make_container_engine(ContainerOptions options, base::Clock& clock,
                                              std::unique_ptr<ContainerHost> host);

}  // namespace ampacity::engines
