// An engine runs ranks: it is told what to want (desired state) and reports what it sees. It
// compares the two at start, on events and every few seconds; losing every event breaks nothing.
// Threads: all methods may be called from any thread and do not block on the engine unless they say
// so; reports come on the engine's own threads.
// 1. Nothing without our cloud's label is ever touched. 2. A name exists once: starting is
// idempotent.
// 3. A rank that left the desired state is removed only then: its end has been committed.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/id.h"
#include "base/result.h"
#include "base/time.h"
#include "core/effects.h"
#include "core/model.h"

namespace ampacity::engines {

struct VolumeSeen {
  std::uint32_t project = 0;
  std::string name;
  std::int64_t used_bytes = 0;
  bool in_use = false;
  std::string site;  // empty: the engine's own
};

struct EngineHealth {
  bool reachable = false;
  std::string kind;  // "podman", "docker", "stub"
  std::string version;
  std::string note;  // what a person should know: "no CDI: GPUs of this node are not offered"
  bool hands_over_gpus = false;  // CDI works here
  bool user_namespaces = false;
  // When the latest list was asked for that lacks nobody who is thought to run; zero: none yet.
  base::Instant seen_at;
  // When the latest complete list was asked for, and who ran in it that is not wanted. Zero: the
  // engine does not say; then it is reached when it is `reachable`.
  base::Instant listed_at;
  std::uint32_t strays = 0;
  std::string site;  // empty: the engine's own
};

// What a site's own scheduler says of its machines: for engines that know them better than we do.
struct SiteSeen {
  std::vector<core::Sku> skus;  // revenue is ignored
  struct Machine {
    core::Node node;  // site and sku are ignored
    std::string sku;
  };
  std::vector<Machine> nodes;
  std::vector<std::string> notes;  // for people: why something is not offered
  std::string site;                // empty: the engine's own
};

// Where reports go. Repeats are allowed: the world ignores what it knows.
struct EngineReports {
  std::function<void(std::vector<core::RankSeen>)> seen;
  std::function<void(const EngineHealth&)> health;  // when it changes
  std::function<void(const core::RankWork&, std::string why)> volume_over_limit;
  std::function<void(SiteSeen)> inventory;  // at start, and when it changes; may be empty
};

// A terminal inside a running rank.
class ExecSession {
 public:
  virtual ~ExecSession() = default;           // ends it
  virtual bool write(std::string bytes) = 0;  // to its stdin
  virtual void close_stdin() = 0;
  virtual void resize(int columns, int rows) = 0;
};
struct ExecEvents {
  std::function<void(std::string_view bytes, bool is_stderr)> on_output;
  std::function<void(std::optional<int> exit_code, std::string why)> on_end;  // once
};

class Engine {
 public:
  virtual ~Engine() = default;  // stops threads; leaves every container as it is

  // Connects (starting the engine's own service where that is ours to do) and begins reconciling.
  virtual base::Try<void> start(EngineReports reports) = 0;

  // The whole desired state: what is not in it is a stray and is removed.
  virtual void desire_whole(std::vector<core::RankWork> ranks) = 0;
  // Additions and changes since; and names whose end is committed, to be removed. Makes it fast.
  virtual void desire_also(std::vector<core::RankWork> ranks) = 0;
  struct Done {
    base::Id job;
    std::uint32_t generation;
    std::uint32_t rank;
    std::string site{};
  };
  virtual void done_with(std::vector<Done> ranks) = 0;

  // Which of its machines an operator of ours holds back: for its own scheduler to know, where it
  // has one. All of them, each time.
  virtual void hold_back(std::vector<std::string> machines);

  virtual EngineHealth health() const = 0;
  // The engine of one site, where this one has several (engines/sites.h); nullptr: it has no such.
  // Whoever holds it keeps it alive.
  virtual std::shared_ptr<Engine> at(std::string_view site);

  // Blocking, bounded; called on worker threads.
  virtual base::Try<std::unique_ptr<ExecSession>> exec(const std::string& container_name,
                                                       std::vector<std::string> argv, bool tty,
                                                       ExecEvents events) = 0;
  // Of one project, or of all; what they hold is measured, which takes its time.
  virtual base::Try<std::vector<VolumeSeen>> volumes(std::optional<std::uint32_t> project) = 0;
  virtual base::Try<void> remove_volume(std::uint32_t project, const std::string& name) = 0;
};

inline void Engine::hold_back(std::vector<std::string>) {}

inline std::shared_ptr<Engine> Engine::at(std::string_view) {
  return {std::shared_ptr<void>{}, this};
}

}  // namespace ampacity::engines
