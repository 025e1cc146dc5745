// How slurmrestd is spoken, in the versions it has had: what we ask to requests, answers to
// structs. Threads: pure.
// 1. Nothing here decides anything. 2. An answer that is cut off or says it failed is a Fault,
// never a shorter list. 3. Only jobs whose comment is ours are kept: a list's memory is what is
// ours. Found by trying with 22.05.8: nodes go as a string, `nodelist` is not in the schema, a
// waiting job takes no signal but KILL, and `requeue: false` is not heard (the wrapper refuses a
// second run).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "net/http.h"

namespace ampacity::engines {

// Tried first to last until one answers; those above 38 differ in how they write numbers.
inline constexpr int slurm_versions[] = {38, 39, 40, 41, 37, 36};

enum class SlurmState {
  waiting,  // pending, or its nodes are being made ready
  running,
  completing,  // its script has ended; how is not said yet
  ended,
};

struct SlurmJob {
  std::uint32_t id = 0;
  std::string name;
  std::string nodes;
  std::string word;       // Slurm's own: "RUNNING", "NODE_FAIL"
  std::string reason;     // why it waits or how it ended
  bool is_stuck() const;  // it waits for what no lease can bring about: held, its node is away
  SlurmState state = SlurmState::waiting;
  bool ran = false;
  std::int32_t exit_code = 0;  // as a shell has it: 128 + signal
  base::Instant started_at;    // zero: did not start
  base::Instant ended_at;      // zero: runs
  std::int64_t limit_min = 0;  // from its start
};

struct SlurmNode {
  std::string name;
  std::string address;
  std::string state;               // "idle"
  std::vector<std::string> flags;  // "DRAIN", "NOT_RESPONDING"
  std::string reason;              // why it was drained
  std::string gres;                // "gpu:h100:8(S:0-1)"
  std::vector<std::string> features;
  std::vector<std::string> partitions;
  std::int64_t cpus = 0;
  std::int64_t memory_mib = 0;
  bool usable() const;                              // takes new work
  bool drained_for(std::string_view reason) const;  // and for nothing else
};

struct SlurmPartition {
  std::string name;
  bool is_default = false;
};

struct SlurmSubmission {
  std::string name, comment, script, partition, node, reservation, directory, output;
  std::string gres;  // "gpu:h100:8"; empty: none
  bool exclusive = false;
  bool singleton = false;  // waits for others of its name: costs a turn of the scheduler
  std::int64_t cpus = 1;
  std::int64_t memory_mib = 0;
  std::int64_t limit_min = 0;  // 0: the partition's
  std::vector<std::pair<std::string, std::string>> env;
};

struct SlurmVersion {
  int api = 38;
  std::string release;  // "22.05.8"
};

class SlurmCodec {
 public:
  explicit SlurmCodec(int api = 38) : api_(api) {}
  int api() const { return api_; }

  net::Request ping() const;
  // Since zero: everything. Nothing changed since: 304.
  net::Request jobs(base::Instant since) const;
  net::Request job(std::uint32_t id) const;
  net::Request submit(const SlurmSubmission& what) const;
  net::Request signal(std::uint32_t id, std::string_view signal) const;  // KILL ends a waiting one
  net::Request limit(std::uint32_t id, std::int64_t limit_min) const;
  net::Request nodes() const;
  net::Request partitions() const;

 private:
  net::Request get(std::string path) const;
  int api_;
};

base::Try<std::string> parse_release(const net::Response& answer);
base::Try<std::vector<SlurmJob>> parse_jobs(const net::Response& answer, std::string_view comment);
base::Try<std::uint32_t> parse_submitted(const net::Response& answer);
base::Try<void> parse_done(const net::Response& answer);
base::Try<std::vector<SlurmNode>> parse_nodes(const net::Response& answer);
base::Try<std::vector<SlurmPartition>> parse_partitions(const net::Response& answer);

// Slurm's own error numbers, in Fault::status where it said one.
inline constexpr int slurm_no_such_job = 2017, slurm_job_finished = 2021,
                     slurm_access_denied = 2002, slurm_no_reservation = 2053;
// Refusals that no waiting mends: what was asked for does not exist there.
bool refused_for_good(const base::Fault& fault);

// "gpu:h100:8(S:0-1),nic:2" -> "h100", 8. The first kind of GPU; a kind without a type is "gpu".
std::pair<std::string, std::uint32_t> gpus_of_gres(std::string_view gres);

}  // namespace ampacity::engines
