// For tests with real containers: a private store in a temporary directory, a tiny image, an engine
// and what it reported. Everything is removed at the end.
// Threads: the engine's threads report, the test's thread waits.
#pragma once

#include <doctest/doctest.h>
#include <fmt/core.h>
#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "engines/containers.h"
#include "engines/podman_service.h"
#include "engines/test_docker_daemon.h"
#include "net/http_client.h"

namespace ampacity::engines {

using State = core::RankSeen::State;
using Want = core::RankWork::Want;

// Which engine a case is about.
struct Podman {
  static constexpr bool docker = false;
};
struct Docker {
  static constexpr bool docker = true;
};

class Lab {
 public:
  template <class Host>
  static Lab* open() {  // null: no such engine here
    static std::unique_ptr<Lab> lab = make(Host::docker);
    return lab.get();
  }
  ~Lab() {
    if (docker()) (void)daemon->start();  // if a case left it dead
    stop_container_service(options);
    daemon.reset();
    std::error_code error;
    std::filesystem::remove_all(root_, error);
  }

  bool docker() const { return daemon != nullptr; }
  net::HttpClient client() const { return net::HttpClient({"http://d", socket()}); }
  std::string socket() const {
    return docker() ? daemon->socket() : PodmanService(options).socket();
  }
  // A container past the engine.
  int create(const std::string& name, const std::string& labels) {
    return docker() ? http("POST", "/containers/create?name=" + name,
                           fmt::format(R"({{"Image":"localhost/ampacity-tiny",)"
                                       R"("Cmd":["sleep","999"],"Labels":{{{}}},)"
                                       R"("HostConfig":{{"NetworkMode":"none"}}}})",
                                       labels))
                    : http("POST", "/containers/create",
                           fmt::format(R"({{"name":"{}","image":"localhost/ampacity-tiny",)"
                                       R"("command":["sleep","999"],"labels":{{{}}},)"
                                       R"("netns":{{"nsmode":"none"}}}})",
                                       name, labels));
  }
  bool gone(const std::string& container) {
    for (int i = 0; i < 500; i++) {
      if (http("GET", "/containers/" + container + "/json") == 404) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    return false;
  }
  std::filesystem::path store() const {
    return docker() ? daemon->data() : options.state / "podman" / "root";
  }
  int service_pid() const {
    int pid = 0;
    std::ifstream(options.state / "podman" / "service.pid") >> pid;
    return pid;
  }
  bool kill_service() {
    if (!docker()) return service_pid() > 1 && ::kill(service_pid(), SIGKILL) == 0;
    daemon->end(SIGKILL);
    return true;
  }
  int http(const std::string& method, const std::string& path, const std::string& body = {}) {
    net::HttpClient c = net::HttpClient({"http://d", socket()});
    std::string prefix = docker() ? "/v1.41" : "/v4.0.0/libpod";
    auto answer = c.call({method, prefix + path, {{"Content-Type", "application/json"}}, body});
    last_body = answer ? answer->body : answer.error().message;
    return answer ? answer->status : 0;
  }

  ContainerOptions options;
  std::unique_ptr<DockerDaemon> daemon;  // null for podman
  std::string last_body;
  base::SystemClock clock;

 private:
  static std::unique_ptr<Lab> make(bool docker) {
    std::string find = fmt::format("command -v {} >/dev/null 2>&1", docker ? "dockerd" : "podman");
    if (std::system(find.c_str()) != 0 || geteuid() != 0) return nullptr;
    auto lab = std::make_unique<Lab>();
    char name[] = "/var/tmp/amp-real-XXXXXX";
    lab->root_ = mkdtemp(name);
    lab->options.state = lab->root_ / "state";
    lab->options.cloud = (docker ? "d" : "t") + std::to_string(getpid());
    if (docker) {
      lab->daemon = std::make_unique<DockerDaemon>(lab->root_ / "docker");
      lab->options.dialect = ContainerOptions::Dialect::docker;
      lab->options.docker_socket = lab->daemon->socket();
      if (!lab->daemon->start()) return nullptr;
    }
    lab->options.image_archives = lab->root_ / "images";
    lab->options.period = base::Duration::millis(500);
    lab->options.look_period = base::Duration::millis(200);
    lab->options.host_cpu_milli = 2000;
    lab->options.host_memory_mib = 2048;
    lab->options.volume_limit_bytes = 4 << 20;
    std::string build = std::string(AMPACITY_SOURCE_DIR "/examples/images/build.sh tiny ") +
                        lab->options.image_archives.string() + " >&2";
    if (std::system(build.c_str()) != 0) return nullptr;
    return lab;
  }
  std::filesystem::path root_;
};

// An engine on the lab's state, and what it said.
class Watch {
 public:
  explicit Watch(Lab& lab) : engine(make_container_engine(lab.options, lab.clock)) {
    EngineReports reports;
    reports.seen = [this](std::vector<core::RankSeen> seen) {
      std::lock_guard lock(mutex_);
      for (auto& one : seen) {
        all_[one.job.low].push_back(one);
        last_[{one.job.low, one.rank}] = one;
      }
      changed_.notify_all();
    };
    reports.health = [this](const EngineHealth& health) {
      std::lock_guard lock(mutex_);
      healths_.push_back(health);
      changed_.notify_all();
    };
    reports.volume_over_limit = [this](const core::RankWork&, std::string why) {
      std::lock_guard lock(mutex_);
      over_limit = why;
      changed_.notify_all();
    };
    auto started = engine->start(reports);
    INFO((started ? std::string() : started.error().message));
    REQUIRE(started);
  }

  bool reaches(std::uint64_t job, State state, std::uint32_t rank = 0, int seconds = 30) {
    return until(
        [&] {
          auto found = last_.find({job, rank});
          return found != last_.end() && found->second.state == state;
        },
        seconds);
  }
  bool until(const std::function<bool()>& condition, int seconds = 30) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(seconds), condition);
  }
  core::RankSeen last(std::uint64_t job, std::uint32_t rank = 0) {
    std::lock_guard lock(mutex_);
    return last_[{job, rank}];
  }
  int count(std::uint64_t job, State state) {
    std::lock_guard lock(mutex_);
    return told(job, state);
  }
  int told(std::uint64_t job, State state) {  // within until()
    int n = 0;
    for (const auto& one : all_[job]) n += one.state == state;
    return n;
  }
  bool was_unreachable() const {  // within until()
    for (const auto& h : healths_) {
      if (!h.reachable) return true;
    }
    return false;
  }
  void done(const core::RankWork& work) {
    engine->done_with({{work.job, work.generation, work.rank}});
  }

  void fetch_image();  // for those who create containers past the engine

  std::string over_limit;

 private:
  inline static std::uint32_t generation_ = 1;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::uint64_t, std::vector<core::RankSeen>> all_;
  std::map<std::pair<std::uint64_t, std::uint32_t>, core::RankSeen> last_;
  std::vector<EngineHealth> healths_;

 public:
  std::unique_ptr<Engine> engine;  // last: its threads end first
};

inline core::RankWork shell(std::uint64_t job, const std::string& script) {
  core::RankWork work;
  work.job = {7, job};
  work.job_name = "job-r" + std::to_string(job);
  work.project = 1;
  work.image = "localhost/ampacity-tiny";
  work.command = {"/bin/sh", "-c", script};
  work.memory_mib = 64;
  work.grace_s = 20;
  return work;
}

inline void Watch::fetch_image() {
  auto work = shell(1000, "true");
  work.generation = generation_++;
  engine->desire_also({work});
  REQUIRE(reaches(1000, State::ended));
  done(work);
}

}  // namespace ampacity::engines

#define LAB_OR_SKIP                                                   \
  Lab* lab = Lab::open<Host>();                                       \
  if (lab == nullptr) {                                               \
    MESSAGE("SKIPPED: ", Host::docker ? "dockerd" : "podman",         \
            " is not installed, does not start, or we are not root"); \
    return;                                                           \
  }
