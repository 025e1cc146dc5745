// A podman that is not there: parses the requests of podman's libpod API as our engine writes them,
// answers with bodies as podman 4.3 does, and runs containers in virtual time, with faults.
// The bodies' shapes are those of the recorded answers in engines/dialect_test.cc.
// Threads: fibres. 1. What truly ran, when, is kept in `runs()`, for the auditors; nothing else of
// the simulator is asked about it. 2. It outlives the server's process, as podman does.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/prng.h"
#include "engines/container_host.h"
#include "sim/fibres.h"

namespace ampacity::sim {

// Of 1,000 where not said otherwise; drawn by the seed, zero outside the safety phase.
struct PodmanFaults {
  std::uint32_t unreachable = 0;  // no connection
  std::uint32_t unavailable = 0;  // 503
  std::uint32_t reply_lost = 0;   // done, and the answer never came
  std::uint32_t list_cut = 0;     // the list's body ends in the middle
  std::uint32_t event_lost = 0;   // of the events
  std::uint32_t event_twice = 0;
  std::uint32_t start_idle = 0;     // says it started, and did not
  std::uint32_t start_refused = 0;  // for no reason
  std::uint32_t term_ignored = 0;   // of the containers
  std::uint32_t dies = 0;           // of the containers: on their own, early
  std::uint32_t pull_fails = 0;
  std::uint32_t half_made = 0;     // it dies in a create: only its storage knows the name
  std::uint32_t half_started = 0;  // it dies in a start: there is a log, and no process
  base::Duration slowest{20'000};  // an answer takes up to this
  base::Duration clock_wrong;      // its clock, against ours
};

class FakePodman {
 public:
  FakePodman(Fibres& fibres, base::Prng& prng);

  PodmanFaults faults;
  std::function<void(const std::string&)> trace;  // what it was asked
  // How long the next container of this image works; drawn where it is none of these.
  base::Duration shortest_run{base::Duration::seconds(5)},
      longest_run{base::Duration::seconds(300)};

  // The machine, as the engine sees it. Serves one life of the server.
  std::unique_ptr<engines::ContainerHost> host();

  // ---- what befalls it
  // ---------------------------------------------------------------------------
  void lose_all();                         // restarted, and its store is gone: what ran is killed
  void lose_one();                         // one container vanishes from it, dead
  void hide_one(base::Duration how_long);  // … and is back later: it ran all the time
  void reboot();                           // the host: what ran has ended
  void stray();                            // somebody makes a container with our label
  void unreachable_until(base::Instant t) { unreachable_until_ = t; }
  void heal();

  // ---- what truly was
  // ----------------------------------------------------------------------------
  struct Run {
    std::string name;
    base::Instant from;
    std::optional<base::Instant> until;
    int starts = 0;  // more than one: started twice
  };
  const std::vector<Run>& runs() const { return runs_; }
  std::size_t containers() const { return containers_.size(); }
  std::size_t running() const;
  std::set<std::string> names() const;
  std::uint64_t requests() const { return requests_; }

 private:
  friend class FakeHost;
  friend class FakeTransport;
  enum class State { created, running, exited };
  struct Container {
    std::string name, id, image, cloud, boot;
    State state = State::created;
    base::Instant started_at, ended_at;
    int exit_code = 0, pid = 0;
    bool ignores_term = false, hidden = false;
    std::size_t run = 0;  // in runs_
    std::uint64_t life = 0;
  };
  using Answer = base::Try<net::Response>;
  Answer answer(const net::Request& request);
  net::Response serve(const net::Request& request);
  net::Response list() const;
  net::Response inspect(const Container& c) const;
  net::Response create(const std::string& body);
  net::Response start(Container& c);
  net::Response kill(Container& c, std::string_view signal);
  net::Response things(const net::Request& request, std::string_view path);
  void end(const std::string& name, int exit_code);
  void say(const Container& c, const char* action);
  bool drawn(std::uint32_t of_1000);
  base::Instant its_time(base::Instant t) const { return t + faults.clock_wrong; }
  std::vector<std::string> seen_names() const;

  Fibres& fibres_;
  base::Prng& prng_;
  std::map<std::string, Container> containers_;
  std::set<std::string> images_, networks_, logs_, half_made_;
  std::vector<Run> runs_;
  std::vector<std::string> events_;  // all there ever were
  base::Instant unreachable_until_;
  int boots_ = 1, last_pid_ = 1;
  std::uint64_t lives_ = 0, requests_ = 0;
  bool down_ = false;
};

}  // namespace ampacity::sim
