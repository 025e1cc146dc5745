// What the outside world is asked to do. Effects are derived (desired minus observed), never a
// queue that can be lost: an engine is told what to want, compares it with what is there, and
// reports.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/id.h"
#include "base/time.h"

namespace ampacity::core {

struct VolumeMount {
  std::string volume;  // the project's own name for it
  std::string path;    // absolute, inside the container
  bool operator==(const VolumeMount&) const = default;
};

// One rank of one generation of a workload, as an engine should have it.
struct RankWork {
  base::Id job;
  std::uint32_t generation = 1;
  std::uint32_t rank = 0;
  std::uint32_t size = 1;  // ranks in the gang

  enum class Want {
    run,   // create and start it if it is not there; report what is seen
    stop,  // SIGTERM, after grace_s SIGKILL; report the end
  };
  Want want = Want::run;
  bool confirmed = false;  // the world has seen it run: if it is absent now, it is lost, not new
  std::int64_t grace_s = 30;

  std::string job_name;       // "job-06bx…"; the container is <job_name>-<generation>-<rank>
  std::uint32_t project = 0;  // dense: one user-id range and one volume name space each
  std::string project_name;
  std::string image;
  std::vector<std::string> command;                      // empty: the image's own
  std::vector<std::pair<std::string, std::string>> env;  // complete: ours and the user's
  std::vector<VolumeMount> volumes;
  std::int64_t cpu_milli = 1000;
  std::int64_t memory_mib = 1024;
  std::uint32_t gpu_milli = 1000;  // of its one card, when it has a share
  bool read_only_root = false;
  bool emulated = false;  // nominal CPU and memory: shares the emulated nodes' parent limit
  std::vector<std::string> gpu_uuids;  // exactly the leased ones; handed over by CDI name
  std::string network;                 // the gang's own network; empty: none
  std::string site;                    // whose engine runs it, and on which of its nodes
  std::string node;
  bool whole_node = false;  // the lease has all GPUs of the node

  std::string container_name() const {
    return job_name + "-" + std::to_string(generation) + "-" + std::to_string(rank);
  }
};

// What an engine saw of one rank. Instants are the engine's, clamped between our request and our
// observation (DESIGN §12).
struct RankSeen {
  base::Id job;
  std::uint32_t generation = 1;
  std::uint32_t rank = 0;
  enum class State {
    running,          // started_at holds
    ended,            // started_at, ended_at, exit_code hold
    failed_to_start,  // never ran: `why` says what the engine said
    absent,           // confirmed before, now not in a list the engine vouches for; `why`
    pulling,          // still fetching the image; informational
  };
  State state = State::running;
  base::Instant started_at;
  base::Instant ended_at;
  std::int32_t exit_code = 0;
  bool out_of_memory = false;
  // It ended after the engine told it to; never ran: it was taken back. Perhaps: an earlier life of
  // the engine's may have told it.
  enum class Signalled { no, perhaps, yes };
  Signalled signalled = Signalled::no;
  std::string why;
};

}  // namespace ampacity::core
