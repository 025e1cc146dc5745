// A slurmrestd that is not there, for tests: answers at message level as 22.05.8 was recorded to
// (tests/corpus/slurm_answers), keeps jobs, leaves markers as the wrapper does, and fails on
// request. Threads: the engine's threads ask, the test's thread acts.
#pragma once

#include <doctest/doctest.h>
#include <fmt/core.h>
#include <unistd.h>

#include <boost/json.hpp>
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

#include "engines/fields.h"
#include "engines/slurm.h"

namespace ampacity::engines {

class FakeSlurm {
 public:
  struct Job {
    std::uint32_t id = 0;
    std::string name, comment, node, word = "PENDING", dependency, reservation, reason = "None";
    std::int64_t started_s = 0, ended_s = 0, limit_min = 0;
    int raw_exit = 0;
  };

  FakeSlurm() {
    char name[] = "/var/tmp/amp-slurm-XXXXXX";
    root = mkdtemp(name);
    std::filesystem::create_directories(root / "shared");
  }
  ~FakeSlurm() {
    std::error_code error;
    std::filesystem::remove_all(root, error);
  }

  // ---- what it is told to be ----------------------------------------------------------------
  std::filesystem::path root;
  bool starts_at_once = true;  // else a job waits for start()
  bool unreachable = false;    // no connection
  bool throttled = false;      // 503 to everything
  bool cut_lists = false;      // a list ends in the middle
  bool lose_replies = false;   // a submission is done, and its answer never comes
  bool deaf = false;           // says OK to signals and does nothing
  bool no_renewals = false;    // access denied
  int refuse_with = 0;         // every submission, by this error number
  std::int64_t clock_wrong_s = 0;
  bool requires_reservation = false;

  // ---- what befalls it -----------------------------------------------------------------------
  void start(const std::string& name) {
    const std::lock_guard lock(mutex_);
    for (auto& [id, job] : jobs_)
      if (job.name == name && job.word == "PENDING") begin(job);
  }
  void reason(const std::string& name, const std::string& why) {  // why it waits
    const std::lock_guard lock(mutex_);
    for (auto& [id, job] : jobs_)
      if (job.name == name) job.reason = why;
  }
  void end(const std::string& name, int code, bool marker = true) {
    const std::lock_guard lock(mutex_);
    for (auto& [id, job] : jobs_)
      if (job.name == name && job.word == "RUNNING") finish(job, code, marker);
  }
  // Everything it knew is gone, and what ran was killed.
  void lose_state() {
    const std::lock_guard lock(mutex_);
    lost_ = jobs_;
    jobs_.clear();
  }
  // What was lost is back and runs on.
  void resurrect() {
    const std::lock_guard lock(mutex_);
    jobs_.merge(lost_);
  }
  void forget_ended() {  // MinJobAge
    const std::lock_guard lock(mutex_);
    std::erase_if(jobs_, [](const auto& j) { return j.second.ended_s != 0; });
  }
  void add(Job job) {
    const std::lock_guard lock(mutex_);
    job.id = ++last_id_;
    jobs_[job.id] = std::move(job);
  }

  // ---- what truly was -----------------------------------------------------------------------
  int runs(const std::string& name) {  // more than one: started twice
    const std::lock_guard lock(mutex_);
    return runs_[name];
  }
  int submissions(const std::string& name) {
    const std::lock_guard lock(mutex_);
    return submissions_[name];
  }
  std::string word(const std::string& name) {
    const std::lock_guard lock(mutex_);
    for (auto& [id, job] : jobs_)
      if (job.name == name) return job.word;
    return {};
  }
  std::int64_t limit_of(const std::string& name) {
    const std::lock_guard lock(mutex_);
    for (auto& [id, job] : jobs_)
      if (job.name == name) return job.limit_min;
    return 0;
  }
  int lists = 0;

  std::unique_ptr<net::Transport> transport();
  base::Try<net::Response> answer(const net::Request& q) {
    const std::lock_guard lock(mutex_);
    if (unreachable) return base::fault("cannot connect");
    if (throttled) return net::Response{503, "text/plain", "busy", {}};
    return serve(q);
  }

 private:
  static constexpr const char* kHead = R"({"meta":{"Slurm":{"release":"22.05.8"}},"errors":[)";
  static net::Response fine(const std::string& more = "") {
    return {200, "application/json", std::string(kHead) + "]" + more + "}", {}};
  }
  static net::Response no(int number, const std::string& text) {
    return {500,
            "application/json",
            fmt::format(R"({}{{"error_number":{},"error":"{}"}}]}})", kHead, number, text),
            {}};
  }
  std::int64_t seconds() const {
    return std::chrono::duration_cast<std::chrono::seconds>(
               std::chrono::system_clock::now().time_since_epoch())
               .count() +
           clock_wrong_s;
  }
  std::filesystem::path marker(const std::string& name) const {
    return root / "shared" / "markers" / name;
  }
  void begin(Job& job) {
    job.word = "RUNNING";
    job.started_s = seconds();
    if (std::filesystem::exists(marker(job.name))) return finish(job, 113, false);
    ++runs_[job.name];
    std::ofstream(marker(job.name)) << "S " << seconds() << " " << job.id << " n1 0\n";
  }
  void finish(Job& job, int code, bool with_marker) {
    job.ended_s = seconds();
    job.raw_exit = code > 128 ? code - 128 : code << 8;
    job.word = code == 0 ? "COMPLETED" : "FAILED";
    if (with_marker)
      std::ofstream(marker(job.name), std::ios::app) << "E " << seconds() << " " << code << "\n";
  }
  static std::string text_of(const Job& j) {
    return fmt::format(
        R"({{"comment":"{}","end_time":{},"exit_code":{},"job_id":{},"job_state":"{}","name":"{}",)"
        R"("nodes":"{}","start_time":{},"state_reason":"{}","time_limit":{}}})",
        j.comment, j.ended_s != 0 ? j.ended_s : j.started_s + 60 * j.limit_min, j.raw_exit, j.id,
        j.word, j.name, j.started_s != 0 ? j.node : "", j.started_s, j.reason, j.limit_min);
  }
  net::Response list(std::optional<std::uint32_t> only) {
    std::string text;
    for (const auto& [id, job] : jobs_)
      if (!only || *only == id) text += (text.empty() ? "" : ",") + text_of(job);
    if (only && text.empty()) return no(2017, "Invalid job id specified");
    net::Response whole = fine(",\"jobs\":[" + text + "]");
    if (!only) ++lists;
    if (cut_lists && !only) whole.body.resize(whole.body.size() / 2);
    return whole;
  }
  net::Response submit(const boost::json::value& body) {
    const auto& j = fields::at(body, "job");
    Job job;
    job.name = fields::text(j, "name");
    ++submissions_[job.name];
    if (refuse_with != 0) return no(refuse_with, "refused by the test");
    job.reservation = fields::text(j, "reservation");
    job.comment = fields::text(j, "comment");
    job.node = fields::text(j, "nodelist");
    job.dependency = fields::text(j, "dependency");
    job.limit_min = fields::number(j, "time_limit");
    job.id = ++last_id_;
    bool waits = false;
    for (const auto& [id, other] : jobs_)
      waits =
          waits || (job.dependency == "singleton" && other.name == job.name && other.ended_s == 0);
    Job& kept = jobs_[job.id] = job;
    if (starts_at_once && !waits) begin(kept);
    return fine(fmt::format(",\"job_id\":{}", kept.id));
  }
  net::Response signal(Job& job, bool kill) {
    if (job.ended_s != 0) return no(2021, "Job/step already completing or completed");
    if (job.word == "PENDING" && !kill) return no(2020, "Job can not be altered now");
    if (deaf) return fine();
    if (job.word == "PENDING") {
      job.word = "CANCELLED";
      job.ended_s = seconds();
    } else if (kill) {
      finish(job, 137, false);
      job.word = "CANCELLED";
    } else {
      finish(job, 143, true);
    }
    return fine();
  }
  base::Try<net::Response> serve(const net::Request& q) {
    const std::string path = q.target.substr(0, q.target.find('?'));
    const std::string base = "/slurm/v0.0.38/";
    if (!path.starts_with(base)) return net::Response{404, "text/plain", "no", {}};
    const std::string what = path.substr(base.size());
    const auto body = q.body.empty() ? boost::json::value() : *fields::parse(q.body, "test");
    if (what == "ping" || what == "diag") return fine();
    if (what == "jobs") return list({});
    if (what == "partitions") return fine(R"(,"partitions":[{"name":"main","flags":["default"]}])");
    if (what == "nodes")
      return fine(R"(,"nodes":[{"name":"n1","address":"127.0.0.1","state":"idle","state_flags":[],)"
                  R"("gres":"gpu:h100:8","features":"emulated","partitions":["main"],"cpus":128,)"
                  R"("real_memory":1048576}])");
    if (what == "job/submit") {
      net::Response done = submit(body);
      if (lose_replies) return base::fault("connection lost");
      return done;
    }
    const auto job = jobs_.find(static_cast<std::uint32_t>(std::atoi(what.substr(4).c_str())));
    if (job == jobs_.end()) return no(2017, "Invalid job id specified");
    if (q.method == "DELETE") return signal(job->second, q.target.ends_with("KILL"));
    if (q.method == "GET") return list(job->first);
    if (no_renewals) return no(2002, "Access/permission denied");
    job->second.limit_min = fields::number(body, "time_limit");
    return fine();
  }

  std::mutex mutex_;
  std::map<std::uint32_t, Job> jobs_, lost_;
  std::map<std::string, int> runs_, submissions_;
  std::uint32_t last_id_ = 0;
};

class FakeSlurmTransport final : public net::Transport {
 public:
  explicit FakeSlurmTransport(FakeSlurm& slurm) : slurm_(slurm) {}
  base::Try<net::Response> call(const net::Request& q, const net::CallOptions&) override {
    return slurm_.answer(q);
  }
  base::Try<net::Response> stream(const net::Request&, const std::function<bool(std::string_view)>&,
                                  const net::CallOptions&) override {
    return base::fault("no streams here", false);
  }
  base::Try<net::Response> upload(const net::Request&, const std::function<std::string()>&,
                                  const net::CallOptions&) override {
    return base::fault("no uploads here", false);
  }

 private:
  FakeSlurm& slurm_;
};
inline std::unique_ptr<net::Transport> FakeSlurm::transport() {
  return std::make_unique<FakeSlurmTransport>(*this);
}

// An engine, and what it said; for the fake and for the real cluster.
class SlurmWatch {
 public:
  explicit SlurmWatch(std::unique_ptr<Engine> made) : engine(std::move(made)) {
    EngineReports reports;
    reports.seen = [this](std::vector<core::RankSeen> seen) {
      const std::lock_guard lock(mutex_);
      for (auto& one : seen) {
        auto& all = all_[{one.job.low, one.generation, one.rank}];
        if (all.empty() || all.back().state != one.state) all.push_back(one);
      }
      changed_.notify_all();
    };
    reports.inventory = [this](SiteSeen site) {
      const std::lock_guard lock(mutex_);
      site_ = std::move(site);
      changed_.notify_all();
    };
    const auto started = engine->start(reports);
    REQUIRE(started);
  }

  using State = core::RankSeen::State;
  bool until(const std::function<bool()>& condition, int seconds = 20) {
    std::unique_lock lock(mutex_);
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(seconds);
    while (!condition()) {
      if (std::chrono::steady_clock::now() > end) return false;
      changed_.wait_for(lock, std::chrono::milliseconds(10));
    }
    return true;
  }
  bool reaches(const core::RankWork& work, State state, int seconds = 20) {
    return until(
        [&] {
          const auto& all = all_[{work.job.low, work.generation, work.rank}];
          return !all.empty() && all.back().state == state;
        },
        seconds);
  }
  std::vector<core::RankSeen> said(const core::RankWork& work) {
    const std::lock_guard lock(mutex_);
    return all_[{work.job.low, work.generation, work.rank}];
  }
  core::RankSeen last(const core::RankWork& work) {
    const auto all = said(work);
    return all.empty() ? core::RankSeen{} : all.back();
  }
  SiteSeen site() {
    const std::lock_guard lock(mutex_);
    return site_;
  }
  void done(const core::RankWork& work) {
    engine->done_with({{work.job, work.generation, work.rank}});
  }
  // Two whole comparisons from now on have been made: what would happen has.
  bool two_lists() {
    for (int i = 0; i < 2; ++i) {
      const base::Instant at = base::SystemClock().now();
      if (!until([&] { return engine->health().listed_at > at; }, 60)) return false;
    }
    return true;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::tuple<std::uint64_t, std::uint32_t, std::uint32_t>, std::vector<core::RankSeen>>
      all_;
  SiteSeen site_;

 public:
  std::unique_ptr<Engine> engine;  // last: its threads end first
};

inline core::RankWork slurm_rank(std::uint64_t job, const std::string& script, int gpus = 1) {
  core::RankWork work;
  work.job = {7, job};
  work.job_name = base::format_id("job", work.job);
  work.project = 1;
  work.image = "localhost/ampacity-tiny";
  work.command = {"/bin/sh", "-c", script};
  work.memory_mib = 64;
  work.grace_s = 20;
  work.node = "n1";
  std::string names;
  for (int g = 0; g < gpus; ++g) names += (g == 0 ? "" : ",") + fmt::format("n1-gpu{}", g);
  work.env = {{"AMPACITY_GPUS", names}, {"MASTER_ADDR", "x"}, {"SLURM_PROCID", "7"}};
  return work;
}

}  // namespace ampacity::engines
