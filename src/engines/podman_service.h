// Our own podman service: a private store and socket under the state directory, which outlives us.
// Threads: one at a time may call ensure and stop; the paths are constant.
// 1. The service and its containers are not our children: killing us leaves them.
// 2. A service found alive on our socket is taken back, not doubled.
#pragma once

#include <filesystem>
#include <string>

#include "base/result.h"
#include "engines/containers.h"

namespace ampacity::engines {

class PodmanService {
 public:
  explicit PodmanService(const ContainerOptions& options);

  // Running and answering when this returns without a fault: taken back, or started (bounded).
  base::Try<void> ensure();
  void stop();           // TERM, then KILL
  void unmount() const;  // what podman leaves mounted in its store; once nothing of it runs

  std::filesystem::path store() const { return home_ / "root"; }
  const std::string& socket() const { return socket_; }
  bool alive() const;                              // a process of ours holds the socket
  bool launched() const { return launches_ > 0; }  // by this object, at least once
  int launches() const { return launches_; }

 private:
  base::Try<void> prepare();
  base::Try<void> launch();
  bool answers() const;
  int pid() const;
  void kill_process(int signal) const;
  std::string config() const;

  std::filesystem::path home_;  // state/podman
  std::filesystem::path run_;   // its short-lived part; home_/run points to it
  std::string socket_;
  int launches_ = 0;
};

}  // namespace ampacity::engines
