// How one container API is spoken: desired ranks to requests, answers to structs. Pure codecs.
// Threads: stateless after construction; usable from any.
// 1. Every object made carries the label ampacity.cloud. 2. Nothing here decides anything.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "core/effects.h"
#include "net/http.h"

namespace ampacity::engines {

inline constexpr std::string_view kCloudLabel = "ampacity.cloud";
inline constexpr std::string_view kBootLabel = "ampacity.boot";
inline constexpr std::string_view kProjectLabel = "ampacity.project";
inline constexpr std::string_view kVolumeLabel = "ampacity.volume";

enum class ContainerState { created, running, ended, removing };

struct ListedContainer {
  std::string name;
  ContainerState state = ContainerState::running;
  bool ran = false;  // it was started once
  std::string boot;  // the boot it was made in
  std::string id{};
};

struct InspectedContainer {
  std::string id;
  std::string cloud;  // label; empty: foreign
  ContainerState state = ContainerState::running;
  std::optional<base::Instant> started_at;
  std::optional<base::Instant> ended_at;
  std::int32_t exit_code = 0;
  int pid = 0;  // of its first process, on the host; 0: not running
  bool out_of_memory = false;
  std::string error;
};

struct ListedVolume {
  std::string engine_name;
  std::uint32_t project = 0;
  std::string name;
  std::string mountpoint;
};

struct ListedNetwork {
  std::string name;
  std::string subnet;  // "10.89.0.0/24"
};

struct ExecState {
  bool running = false;
  int exit_code = 0;
  int pid = 0;  // on the host; 0: unknown
};

// How somebody else has set up the daemon we use.
struct DaemonFacts {
  bool cgroups_by_path = true;  // not systemd's slices
  bool live_restore = true;     // ranks survive its restart
};

// What this host and this cloud add to a rank.
struct CreateContext {
  std::string cloud;
  std::string boot;
  std::string log_path;
  std::int64_t log_max_bytes = 64 << 20;
  std::int64_t nofile = 1024;
  std::int64_t nproc = 4096;
  std::int64_t pids_limit = 4096;
  bool user_namespaces = true;
  std::uint32_t uid_base = 1'000'000;
  std::int64_t host_cpu_milli = 0;  // 0: no bound known
  std::int64_t host_memory_mib = 0;
  std::string cgroup_parent;  // empty: the engine's own
  bool init = false;          // an init as process 1 is at hand
  std::string subnet;         // set where names must come from fixed addresses
};

// Whom process 1 of a project's containers is on the host.
inline std::int64_t first_uid(const CreateContext& context, std::uint32_t project) {
  return context.uid_base + std::int64_t{project} * 65536;
}

enum class Verdict { ok, exists, absent, no_image, refused };

std::string volume_name(std::string_view cloud, std::uint32_t project, std::string_view name);
std::string network_name(std::string_view cloud, std::string_view network);
// The address of a rank in a gang's network without DNS; empty if the network is too small.
std::string fixed_address(const std::string& subnet, std::uint32_t rank);

class Dialect {
 public:
  virtual ~Dialect() = default;
  virtual std::string kind() const = 0;

  virtual net::Request version() const = 0;
  virtual std::optional<net::Request> daemon() const = 0;  // where it is set up by others
  virtual net::Request list(const std::string& cloud) const = 0;
  virtual net::Request inspect(const std::string& name) const = 0;
  virtual net::Request create(const core::RankWork& work, const CreateContext& context) const = 0;
  virtual net::Request start(const std::string& name) const = 0;
  virtual net::Request signal(const std::string& name, std::string_view signal) const = 0;
  virtual net::Request remove(const std::string& name) const = 0;  // kills it first
  virtual net::Request image_exists(const std::string& image) const = 0;
  virtual net::Request import_image(const std::string& reference) const = 0;  // body: a tar
  virtual net::Request pull(const std::string& image) const = 0;
  virtual net::Request create_network(const std::string& name, const std::string& cloud,
                                      bool dns) const = 0;
  virtual net::Request list_networks(const std::string& cloud) const = 0;
  virtual net::Request remove_network(const std::string& name) const = 0;
  virtual net::Request create_volume(const std::string& cloud, std::uint32_t project,
                                     const std::string& name) const = 0;
  virtual net::Request list_volumes(const std::string& cloud) const = 0;
  virtual net::Request remove_volume(const std::string& engine_name) const = 0;
  virtual net::Request exec_create(const std::string& name, const std::vector<std::string>& argv,
                                   bool tty) const = 0;
  virtual net::Request exec_start(const std::string& id, bool tty) const = 0;
  virtual net::Request exec_resize(const std::string& id, int columns, int rows) const = 0;
  virtual net::Request exec_inspect(const std::string& id) const = 0;
  // All it wrote since then, with timestamps, in frames; nothing where the engine writes the spool
  // itself.
  virtual std::optional<net::Request> logs(const std::string& name, std::int64_t since_s) const = 0;
  virtual net::Request events(const std::string& cloud) const = 0;

  virtual base::Try<std::string> parse_version(std::string_view body) const = 0;
  base::Try<DaemonFacts> parse_daemon(std::string_view body) const;
  virtual base::Try<std::vector<ListedContainer>> parse_list(std::string_view body) const = 0;
  virtual base::Try<InspectedContainer> parse_inspect(std::string_view body) const = 0;
  virtual base::Try<std::vector<ListedVolume>> parse_volumes(std::string_view body) const = 0;
  virtual base::Try<std::vector<ListedNetwork>> parse_networks(std::string_view body) const = 0;

  // The name of the container whose process ended, if this line says that.
  std::optional<std::string> parse_end_event(std::string_view line) const;
  // The last line of a pull's progress that says it failed, if any.
  std::optional<std::string> pull_error(std::string_view body) const;
  base::Try<std::string> parse_exec_id(std::string_view body) const;
  base::Try<ExecState> parse_exec_state(std::string_view body) const;
  Verdict judge(int status, std::string_view body) const;
  std::string message(std::string_view body) const;  // what the engine said, bounded
};

// What both dialects write and read alike.
std::string enc(std::string_view text);  // for a URL
std::string label_filter(const std::string& cloud);
std::int64_t at_most(std::int64_t value, std::int64_t bound);      // 0: no bound
std::optional<base::Instant> instant_of(const std::string& text);  // podman: year 1 is none

// An answer to logs() in the spool's own form: `TIMESTAMP stdout F text`, P where a line goes on.
std::string spool_text(std::string_view framed_log);

std::unique_ptr<Dialect> podman_dialect();
std::unique_ptr<Dialect> docker_dialect();

}  // namespace ampacity::engines
