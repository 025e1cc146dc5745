// For tests with real containers: a private store in a temporary directory, a tiny image, an engine
// and what it reported. Everything is removed at the end.
// Threads: the engine's threads report, the test's thread waits.
#pragma once

#include <doctest/doctest.h>
#include <unistd.h>

#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "engines/containers.h"
#include "engines/podman_service.h"
#include "net/http_client.h"

namespace ampacity::engines {

using State = core::RankSeen::State;
using Want = core::RankWork::Want;

class Lab {
 public:
  static Lab* open() {  // null: no podman here
    static std::unique_ptr<Lab> lab = make();
    return lab.get();
  }
  ~Lab() {
    stop_container_service(options);
    std::error_code error;
    std::filesystem::remove_all(root_, error);
  }

  net::HttpClient client() const { return net::HttpClient({"http://d", socket()}); }
  std::string socket() const { return PodmanService(options).socket(); }
  int http(const std::string& method, const std::string& path, const std::string& body = {}) {
    net::HttpClient c = net::HttpClient({"http://d", socket()});
    auto answer =
        c.call({method, "/v4.0.0/libpod" + path, {{"Content-Type", "application/json"}}, body});
    last_body = answer ? answer->body : answer.error().message;
    return answer ? answer->status : 0;
  }

  ContainerOptions options;
  std::string last_body;
  base::SystemClock clock;

 private:
  static std::unique_ptr<Lab> make() {
    if (std::system("command -v podman >/dev/null 2>&1") != 0 || geteuid() != 0) return nullptr;
    auto lab = std::make_unique<Lab>();
    char name[] = "/tmp/amp-real-XXXXXX";
    lab->root_ = mkdtemp(name);
    lab->options.state = lab->root_ / "state";
    lab->options.cloud = "t" + std::to_string(getpid());
    lab->options.image_archives = lab->root_ / "images";
    lab->options.period = base::Duration::millis(500);
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

#define LAB_OR_SKIP                                           \
  Lab* lab = Lab::open();                                     \
  if (lab == nullptr) {                                       \
    MESSAGE("SKIPPED: podman is not installed, or not root"); \
    return;                                                   \
  }
