// Ranks as jobs of a Slurm cluster, through slurmrestd: one Slurm job a rank, pinned to its node
// and named <job>-<generation>-<rank>. What is mapped to what, and what is not: docs/slurm.md.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include "base/time.h"
#include "engines/engine.h"
#include "net/gated_transport.h"
#include "net/http_client.h"

namespace ampacity::engines {

struct SlurmOptions {
  std::string cloud;            // in each job's comment; jobs of other clouds are foreign
  std::string url;              // unix:/path/of/socket, http://host:port or https://host:port
  std::filesystem::path state;  // this site's own folder: state/logs is its LogSpool

  // The door's key: a token in a file (read again when it changes) or in an environment variable;
  // or minted by us from the cluster's own key. None: a unix socket knows who we are.
  std::filesystem::path token_file;
  std::string token_env;
  std::filesystem::path jwt_key_file;
  std::string user;  // whom the jobs run as; empty: whom slurmrestd says we are

  // A folder that we and every node see under the same path: markers of ends, output. Empty: there
  // is none; then output is not followed, and what ends while we are away longer than MinJobAge is
  // lost.
  std::filesystem::path shared;
  std::string partition;       // whose nodes are the site's; empty: the default one
  net::MayAct may_act;         // asked before each request; empty: always
  std::filesystem::path conf;  // slurm.conf for scontrol, the fallback; empty: the system's
  bool reserve = true;         // keep others off our nodes by a reservation (needs scontrol)
  base::Duration period = base::Duration::seconds(1);   // between comparisons
  base::Duration quiet = base::Duration::seconds(10);   // between lists when nothing waits for one
  base::Duration settle = base::Duration::seconds(20);  // what was asked may still happen so long
  base::Duration lost = base::Duration::seconds(5);     // missing in lists for so long, it is lost
  base::Duration stuck = base::Duration::seconds(30);   // held, or its node away: taken back then
  base::Duration lease = base::Duration::seconds(600);  // unrenewed, a job ends by itself
  base::Duration marker_age = base::Duration::seconds(900);  // of markers no longer needed
};

std::unique_ptr<Engine> make_slurm_engine(SlurmOptions options, base::Clock& clock);

// Over another transport: the simulator's, a test's.
std::unique_ptr<Engine> make_slurm_engine(SlurmOptions options, base::Clock& clock,
                                          std::unique_ptr<net::Transport> transport);

// What is wrong with them, if anything: before a thread is started.
base::Result<void> check_slurm_options(const SlurmOptions& options);

// Where this engine's LogSpool lies.
std::filesystem::path log_directory(const SlurmOptions& options);

}  // namespace ampacity::engines
