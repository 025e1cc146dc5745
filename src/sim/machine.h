// One ampacityd on its host, as the simulator runs it: the production loop, engine, handlers,
// webhooks and store, on a disk, an engine, a network and a clock that fail. Started, killed, and
// started again.
// Threads: fibres; the object itself is outside the process. 1. What happens between two turns of
// the process's tasks is what a kill -9 could come between.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/prng.h"
#include "core/world.h"
#include "engines/engine.h"
#include "net/http.h"
#include "server/secrets.h"
#include "sim/disk.h"
#include "sim/fibres.h"
#include "sim/receivers.h"

namespace ampacity::server {
class App;
class KeyRing;
class Loop;
struct WebhookOptions;
}  // namespace ampacity::server

namespace ampacity::sim {

struct MachineOptions {
  // The production engine on whatever plays its world (fake_containers.h), for one life.
  using MakeEngine = std::function<std::unique_ptr<engines::Engine>(base::Clock&)>;
  std::vector<std::string> emulated;  // "h100:8x2"
  MakeEngine engine;
  struct Site {
    std::string kind;  // of its engine: "podman", "slurm"
    MakeEngine engine;
  };
  std::map<std::string, Site> sites;  // beside its own, with two nodes of 8 h100 each
  Receivers* receivers = nullptr;     // of webhooks
  std::int64_t webhook_attempts = 20;
  std::uint64_t snapshot_after = 200;  // facts
};

class Machine {
 public:
  Machine(MachineOptions options, Fibres& fibres, Disk& disk, base::Prng& prng);

  // What became of the world: after each commit, and as found at each start.
  std::function<void(const core::World& after, const std::vector<core::Fact>&)> committed;
  std::function<void(const core::World&)> loaded;

  void start();
  void kill(Loss loss);  // SIGKILL, or with a loss: the power
  void stop(base::Instant until) { fibres_.stop(group_, until); }
  bool runs() const { return group_ != 0; }
  bool open() const { return app_ != nullptr; }
  // Of this life: why it could not go on; empty while it can.
  const std::string& died_of() const { return died_of_; }
  void die(std::string why);

  // A request over a connection of its own; no answer if the process dies first.
  void ask(net::Request request, std::function<void(net::Response)> answered);
  const std::string& owner_key() const { return owner_key_; }
  // On the loop's own turn, after what it saw is durable. Only while it is open.
  void look(const std::function<void(const core::World&)>& f);

  base::Duration clock_jump;  // its wall clock, against the world's
  int lives() const { return lives_; }
  store::StoreAt store() const { return disk_.at(); }

 private:
  struct SkewedClock final : base::Clock {
    explicit SkewedClock(Machine& m) : machine(m) {}
    base::Instant now() override { return machine.fibres_.now() + machine.clock_jump; }
    Machine& machine;
  };
  void live();
  base::Result<void> begin(server::Loop& loop, server::KeyRing& keys, base::Clock& clock);
  server::WebhookOptions webhook_options() const;

  const MachineOptions options_;
  Fibres& fibres_;
  Disk& disk_;
  base::Prng& prng_;
  SkewedClock wall_{*this};
  server::Secrets secrets_;
  std::string owner_key_;
  Fibres::Group group_ = 0;
  server::App* app_ = nullptr;
  server::Loop* loop_ = nullptr;
  std::string died_of_;
  int lives_ = 0;
};

}  // namespace ampacity::sim
