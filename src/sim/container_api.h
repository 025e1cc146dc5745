// How a played container engine speaks: requests as our dialects write them, answers as the real
// ones give them. libpod's are those recorded in engines/dialect_test.cc, of podman 4.3; docker's
// were recorded from dockerd 20.10.24 (container_api_test.cc).
// Threads: fibres. 1. Nothing here decides what is: that is FakeContainers'.
#pragma once

#include <memory>

#include "net/http.h"

namespace ampacity::sim {

class FakeContainers;
struct FakeContainer;

class ContainerApi {
 public:
  virtual ~ContainerApi() = default;
  virtual bool of_our_own_service() const = 0;  // podman's; docker's daemon is others'
  virtual net::Response serve(FakeContainers& engine, const net::Request& request) const = 0;
  virtual net::Response unavailable() const = 0;
  // A line of the events' stream. `end`: its process has ended; else it was removed.
  virtual std::string event(const FakeContainer& c, bool end) const = 0;
};

std::unique_ptr<ContainerApi> libpod_api();
std::unique_ptr<ContainerApi> docker_api();

}  // namespace ampacity::sim
