// For tests: a server that answers what each test says, and a terminal whose words can be read.
// Threads: handlers run on the server's thread, one at a time.
#pragma once

#include <cstdio>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <sstream>
#include <string>
#include <vector>

#include "api/contract.h"
#include "base/json.h"
#include "cli/program.h"
#include "net/http_server.h"

namespace ampacity::cli {

class FixedClock final : public base::Clock {
 public:
  base::Instant now() override { return at; }
  base::Instant at = *base::parse_instant("2026-11-22T12:00:00Z");
};

// Runs the program with words; sleeps take no time and may do something instead.
struct FakeTerminal {
  std::ostringstream out, err;
  std::istringstream in;
  FixedClock clock;
  std::map<std::string, std::string> env;
  std::vector<base::Duration> slept;
  std::function<void()> on_sleep;
  Terminal terminal{out, err, in, clock, {}, {}};

  FakeTerminal() {
    terminal.env = [this](std::string_view name) {
      const auto found = env.find(std::string(name));
      return found == env.end() ? std::string() : found->second;
    };
    terminal.sleep = [this](base::Duration d) {
      slept.push_back(d);
      if (on_sleep) on_sleep();
    };
    env["AMPACITY_CONFIG"] = "/nonexistent/ampacity.json";
    env["AMPACITY_KEY"] = "amp_test";
  }
  int operator()(std::vector<std::string> args) {
    out.str("");
    err.str("");
    return run_program(std::move(args), terminal);
  }
};

class FakeCloud {
 public:
  using Route = std::function<void(const net::Request&, net::Reply)>;

  explicit FakeCloud(std::uint16_t port = 0, std::shared_ptr<const net::TlsIdentity> tls = nullptr)
      : secure_(tls != nullptr) {
    net::ServerOptions options;
    options.port = port;
    options.tls = std::move(tls);
    server_ = std::make_unique<net::HttpServer>(
        options,
        [this](net::Request r, net::Reply reply) { handle(std::move(r), std::move(reply)); },
        [](int status, std::string_view) {
          return net::Response{status, "text/plain", "", {}};
        });
    started = server_->start().has_value();
  }
  ~FakeCloud() { stop(); }

  bool started = false;

  std::uint16_t port() const { return server_->port(); }
  std::string url() const {
    return (secure_ ? "https://127.0.0.1:" : "http://127.0.0.1:") + std::to_string(port());
  }
  void show(std::shared_ptr<const net::TlsIdentity> tls) { server_->show(std::move(tls)); }
  void stop() { server_->stop(); }

  void on(const std::string& method_and_path, Route route) {
    const std::lock_guard lock(mutex_);
    routes_[method_and_path] = std::make_shared<Route>(std::move(route));
  }
  void answer(const std::string& method_and_path, int status, std::string body) {
    on(method_and_path, [status, body = std::move(body)](const net::Request&, net::Reply reply) {
      reply.send({status, "application/json", body, {}});
    });
  }
  std::vector<net::Request> seen() const {
    const std::lock_guard lock(mutex_);
    return seen_;
  }
  std::vector<net::Request> seen(const std::string& method_and_path) const {
    std::vector<net::Request> some;
    for (const auto& r : seen())
      if (route_of(r) == method_and_path) some.push_back(r);
    return some;
  }

 private:
  // "GET /v1/jobs/a%2Fb", still encoded.
  static std::string route_of(const net::Request& r) {
    return r.method + " " + r.target.substr(0, r.target.find('?'));
  }
  void handle(net::Request request, net::Reply reply) {
    std::shared_ptr<Route> route;  // shared: what a handler counts, it counts across calls
    {
      const std::lock_guard lock(mutex_);
      seen_.push_back(request);
      const auto found = routes_.find(route_of(request));
      if (found != routes_.end()) route = found->second;
    }
    if (route)
      (*route)(request, std::move(reply));
    else
      reply.send({404,
                  "application/json",
                  R"({"type":"t","title":"Not found","status":404,)"
                  R"("detail":"there is no such thing","code":"not_found"})",
                  {}});
  }

  const bool secure_;
  mutable std::mutex mutex_;
  std::map<std::string, std::shared_ptr<Route>> routes_;
  std::vector<net::Request> seen_;
  std::unique_ptr<net::HttpServer> server_;
};

inline std::string log_event(int id, const std::string& text, std::uint32_t rank = 0,
                             bool is_stderr = false, bool partial = false) {
  return "id: " + std::to_string(id) + "\ndata: " +
         base::to_json(api::LogEvent{rank, "2026-11-22T11:59:59Z", is_stderr, partial, text}) +
         "\n\n";
}
inline std::string end_event(const api::JobView& job) {
  return "event: end\ndata: " + base::to_json(job) + "\n\n";
}

inline api::JobView sample_job(core::JobState state) {
  api::JobView job;
  job.id = "job-06bx1";
  job.name = "train";
  job.project = "demo";
  job.user = "ada";
  job.state = state;
  job.job_class = core::JobClass::on_demand;
  job.image = "tiny";
  job.command = {"true"};
  job.sku = "h100";
  job.gpus_per_node = 8;
  job.cpu_milli = 128'000;
  job.memory_mib = 1 << 20;
  job.emulated = true;
  job.submitted_at = *base::parse_instant("2026-11-22T11:59:00Z");
  job.price_usd_per_hour = "38.24";
  job.cost_usd = "0.00";
  if (state == core::JobState::queued) {
    job.why = "no h100 is free";
    return job;
  }
  job.ranks = {{0, "n1", {"emulated-0"}, core::RankState::running, {}}};
  job.started_at = *base::parse_instant("2026-11-22T11:59:30Z");
  if (state == core::JobState::ended) {
    job.ended_at = *base::parse_instant("2026-11-22T11:59:38.4Z");
    job.outcome = core::Outcome::succeeded;
    job.exit_code = 0;
    job.billed_s = 9;
    job.cost_ticks = 1368;
    job.cost_usd = "0.000038";
  }
  return job;
}

}  // namespace ampacity::cli
