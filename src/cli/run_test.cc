// `run`, `logs` and `exec` against a fake server: cuts, resumption, exit codes, Ctrl-C.
#include <doctest/doctest.h>

#include <atomic>
#include <thread>

#include "cli/fake_cloud.h"
#include "cli/log_follow.h"

using namespace ampacity;
using namespace ampacity::cli;
using core::JobState;
using core::Outcome;

namespace {

constexpr const char* logs_path = "GET /v1/jobs/job-06bx1/logs";
const net::Response sse_head{200, "text/event-stream", "", {}};

// Each connection to the log gets the next of these, then its end.
void script_log(FakeCloud& cloud, std::vector<std::string> connections) {
  cloud.on(logs_path, [connections = std::move(connections), n = 0U](const net::Request&,
                                                                     net::Reply reply) mutable {
    auto stream = reply.stream(sse_head);
    if (n < connections.size()) stream->write(connections[n]);
    ++n;
  });
}

void accept_job(FakeCloud& cloud, FakeTerminal& cli, JobState state) {
  cli.env["AMPACITY_URL"] = cloud.url();
  cloud.answer("POST /v1/jobs", 201, base::to_json(sample_job(state)));
}

int count(const std::string& text, std::string_view part) {
  int n = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++n;
  return n;
}

}  // namespace

TEST_CASE("run: the request, placement, live log, one closing line") {
  FakeCloud cloud;
  REQUIRE(cloud.started);
  FakeTerminal cli;
  accept_job(cloud, cli, JobState::starting);
  script_log(cloud, {log_event(5, "hello") + log_event(9, "oops", 0, true) +
                     log_event(12, "50%", 0, false, true) + log_event(15, " 100%") +
                     end_event(sample_job(JobState::ended))});
  CHECK(cli({"run",       "--image",     "tiny",     "--gpus",  "h100:8",    "-e",       "A=1",
             "--env",     "B=c=d",       "--volume", "d:/data", "--retries", "2",        "--class",
             "on-demand", "--read-only", "--",       "sh",      "-c",        "--json -f"}) == 0);
  CHECK(cli.out.str() == "hello\n50% 100%\n");
  CHECK(cli.err.str() ==
        "▸ train · h100 ×8 (emulated) on n1 · 38.24 USD per hour · job-06bx1\n"
        "oops\n"
        "✔ train succeeded · ran 8.4s · billed 9 s · 0.000038 USD · emulated · receipt: ampacity "
        "receipt train\n");
  const auto posts = cloud.seen("POST /v1/jobs");
  REQUIRE(posts.size() == 1);
  CHECK(posts[0].header("Authorization") == "Bearer amp_test");
  CHECK(posts[0].header("Idempotency-Key").size() >= 20);
  CHECK(posts[0].body ==
        R"({"image":"tiny","command":["sh","-c","--json -f"],"resources":{"gpus":"h100:8"},)"
        R"("env":{"A":"1","B":"c=d"},"volumes":["d:/data"],"job_class":"on_demand","retries":2,)"
        R"("read_only_root":true})");
}

TEST_CASE("run: wishes about where and when") {
  FakeCloud cloud;
  FakeTerminal cli;
  accept_job(cloud, cli, JobState::queued);
  CHECK(cli({"run",        "-d",   "--image",    "x",   "--gpus",        "h100:1",
             "--share",    "0.25", "--site",     "lab", "--site",        "west",
             "--together", "rack", "--apart",    "db",  "--max-price",   "3.50",
             "--start-by", "+2h",  "--expected", "3h",  "--reservation", "night"}) == 0);
  CHECK(cloud.seen("POST /v1/jobs")[0].body ==
        R"({"image":"x","command":[],"resources":{"gpus":"h100:1","gpu_share":"0.25"},"env":{},)"
        R"("volumes":[],"placement":{"sites":["lab","west"],"together":"rack","apart":"db"},)"
        R"("max_price":"3.50","start_by":"+2h","expected":"3h","reservation":"night"})");
  CHECK(cli({"run", "-d", "--image", "x", "--gpus", "h100", "--mig", "1g.10gb"}) == 0);
  CHECK(cloud.seen("POST /v1/jobs")[1].body.find(R"("mig":"1g.10gb")") != std::string::npos);
  CHECK(cli({"run", "--image", "x", "--together", "town"}) == exit_refused);
  CHECK(cli.err.str().find("any, nvlink, rack, leaf") != std::string::npos);
}

TEST_CASE("run: a log that is cut is resumed where it was, nothing twice") {
  FakeCloud cloud;
  FakeTerminal cli;
  accept_job(cloud, cli, JobState::running);
  script_log(cloud, {log_event(5, "one") + log_event(9, "two") + "id: 14\ndata: {\"rank\":0", "",
                     ": nothing yet\n\n", log_event(14, "three"),
                     log_event(19, "four") + end_event(sample_job(JobState::ended))});
  CHECK(cli({"run", "--image", "tiny"}) == 0);
  CHECK(cli.out.str() == "one\ntwo\nthree\nfour\n");
  CHECK(count(cli.err.str(), "cut off; resuming") == 2);
  CHECK(count(cli.err.str(), "the log goes on") == 2);
  std::vector<std::string> resumed;
  for (const auto& r : cloud.seen(logs_path)) resumed.emplace_back(r.header("Last-Event-ID"));
  CHECK(resumed == std::vector<std::string>{"", "9", "9", "9", "14"});
}

TEST_CASE("run: the server dies in the middle of the log and comes back") {
  auto cloud = std::make_unique<FakeCloud>();
  FakeTerminal cli;
  const auto port = cloud->port();
  accept_job(*cloud, cli, JobState::running);
  std::atomic<FakeCloud*> dying = cloud.get();
  std::shared_ptr<net::Stream> held;
  cloud->on(logs_path, [&](const net::Request&, net::Reply reply) {
    held = reply.stream(sse_head);
    held->write(log_event(5, "before"));
  });
  std::unique_ptr<FakeCloud> again;
  std::thread killer([&] {
    while (cloud->seen(logs_path).empty()) std::this_thread::yield();
    cloud->stop();
  });
  cli.on_sleep = [&] {
    if (again) return;
    again = std::make_unique<FakeCloud>(port);
    REQUIRE(again->started);
    script_log(*again, {log_event(9, "after") + end_event(sample_job(JobState::ended))});
  };
  CHECK(cli({"run", "--image", "tiny"}) == 0);
  killer.join();
  // The line may have been cut before it was read; then it is not the client's to show.
  CHECK(cli.out.str().ends_with("after\n"));
  REQUIRE(again);
  REQUIRE(again->seen(logs_path).size() == 1);
  const bool read = cli.out.str() == "before\nafter\n";
  CHECK(again->seen(logs_path)[0].header("Last-Event-ID") == (read ? "5" : ""));
}

TEST_CASE("run: attempts without progress are bounded") {
  FakeCloud cloud;
  FakeTerminal cli;
  accept_job(cloud, cli, JobState::running);
  script_log(cloud, {log_event(5, "one")});
  CHECK(cli({"run", "--image", "tiny"}) == exit_unreachable);
  CHECK(cli.err.str().find("the job goes on: ampacity logs -f train") != std::string::npos);
  CHECK(cloud.seen(logs_path).size() == 10);
}

TEST_CASE("run: while it waits it says why, once for each reason") {
  FakeCloud cloud;
  FakeTerminal cli;
  accept_job(cloud, cli, JobState::queued);
  cloud.on("GET /v1/jobs/job-06bx1", [n = 0](const net::Request&, net::Reply reply) mutable {
    auto job = sample_job(++n < 4 ? JobState::queued : JobState::running);
    if (n >= 2) job.why = "one job is before it";
    reply.send({200, "application/json", base::to_json(job), {}});
  });
  script_log(cloud, {end_event(sample_job(JobState::ended))});
  CHECK(cli({"run", "--image", "tiny"}) == 0);
  CHECK(count(cli.err.str(), "queued: no h100 is free\n") == 1);
  CHECK(count(cli.err.str(), "queued: one job is before it\n") == 1);
  CHECK(count(cli.err.str(), "▸ train") == 1);
}

TEST_CASE("run: exit codes are the job's, or say how it ended") {
  struct Row {
    Outcome outcome;
    std::optional<std::int32_t> exit_code;
    int expected;
  };
  for (const auto& row :
       {Row{Outcome::succeeded, 0, 0}, Row{Outcome::failed, 7, 7}, Row{Outcome::failed, 0, 1},
        Row{Outcome::failed, std::nullopt, 1}, Row{Outcome::failed, 256, 1},
        Row{Outcome::timed_out, 143, 143}, Row{Outcome::cancelled, std::nullopt, 1},
        Row{Outcome::lost, std::nullopt, 1}}) {
    FakeCloud cloud;
    FakeTerminal cli;
    accept_job(cloud, cli, JobState::running);
    auto job = sample_job(JobState::ended);
    job.outcome = row.outcome;
    job.exit_code = row.exit_code;
    job.why = "because";
    script_log(cloud, {end_event(job)});
    CHECK(cli({"run", "--image", "tiny"}) == row.expected);
    CHECK(count(cli.err.str(), row.outcome == Outcome::succeeded ? "✔ train" : ": because") == 1);
  }
}

TEST_CASE("run: Ctrl-C detaches and stops nothing") {
  for (const bool while_queued : {true, false}) {
    FakeCloud cloud;
    FakeTerminal cli;
    accept_job(cloud, cli, while_queued ? JobState::queued : JobState::running);
    std::shared_ptr<net::Stream> held;
    cloud.answer("GET /v1/jobs/job-06bx1", 200, base::to_json(sample_job(JobState::queued)));
    cloud.on(logs_path, [&](const net::Request&, net::Reply reply) {
      held = reply.stream(sse_head);
      held->write(log_event(5, "one"));
      cli.terminal.interrupted = true;
    });
    if (while_queued) cli.on_sleep = [&] { cli.terminal.interrupted = true; };
    CHECK(cli({"run", "--image", "tiny"}) == exit_interrupted);
    CHECK(cli.err.str().find("train goes on. Come back: ampacity logs -f train") !=
          std::string::npos);
    CHECK(cli.err.str().find("error") == std::string::npos);
    for (const auto& r : cloud.seen()) CHECK(r.target.find("stop") == std::string::npos);
  }
}

TEST_CASE("run: detached, and as JSON") {
  FakeCloud cloud;
  FakeTerminal cli;
  accept_job(cloud, cli, JobState::queued);
  CHECK(cli({"run", "-d", "--image", "tiny"}) == 0);
  CHECK(cli.out.str() == "job-06bx1\n");
  CHECK(cli.err.str().find("ampacity logs -f train") != std::string::npos);
  CHECK(cli({"run", "-d", "--json", "--image", "tiny"}) == 0);
  CHECK(cli.out.str() == base::to_json(sample_job(JobState::queued)) + "\n");
  const auto ended = base::to_json(sample_job(JobState::ended));
  cloud.answer("GET /v1/jobs/job-06bx1", 200, ended);
  CHECK(cli({"run", "--json", "--image", "tiny"}) == 0);
  CHECK(cli.out.str() == ended + "\n");
  CHECK(cli.err.str().empty());
}

TEST_CASE("run: a job file, with flags over it") {
  FakeCloud cloud;
  FakeTerminal cli;
  accept_job(cloud, cli, JobState::queued);
  cli.in.str(
      "image: a\nenv: {A: 1, B: 2}\nvolumes: [x:/data, y:/out]\nresources: {cpus: 1, gpus: l4:1}\n"
      "run: echo\n");
  CHECK(cli({"run", "-d", "-f", "-", "--image", "b", "--cpus", "2", "-e", "B=3", "-v",
             "z:/data"}) == 0);
  REQUIRE(cloud.seen("POST /v1/jobs").size() == 1);
  CHECK(cloud.seen("POST /v1/jobs")[0].body ==
        R"({"image":"b","command":["sh","-c","echo"],"resources":{"gpus":"l4:1","cpus":"2"},)"
        R"("env":{"A":"1","B":"3"},"volumes":["y:/out","z:/data"]})");
  cli.in.clear();
  cli.in.str("image: a\nimagee: b\nretries: x\n");
  CHECK(cli({"run", "-f", "-"}) == exit_refused);
  CHECK(cli.err.str().find("imagee") != std::string::npos);
  CHECK(cli.err.str().find("(line 3)") != std::string::npos);
  CHECK(cloud.seen("POST /v1/jobs").size() == 1);
}

TEST_CASE("logs: ranks are told apart, and a line is not mixed with another's") {
  FakeCloud cloud;
  FakeTerminal cli;
  cli.env["AMPACITY_URL"] = cloud.url();
  auto job = sample_job(JobState::running);
  job.nodes = 2;
  cloud.answer("GET /v1/jobs/train", 200, base::to_json(job));
  script_log(cloud,
             {log_event(1, "a", 0) + log_event(2, "half", 1, false, true) + log_event(3, "b", 0) +
              log_event(4, "whole", 1) + log_event(5, "open", 1, false, true)});
  CHECK(cli({"logs", "train"}) == 0);
  CHECK(cli.out.str() == "[0] a\n[1] half\n[0] b\n[1] whole\n[1] open\n");
  CHECK(cloud.seen(logs_path)[0].target.find("follow=0") != std::string::npos);
  CHECK(cli({"logs", "nope"}) == exit_refused);
}

TEST_CASE("logs: a follower that is refused is told why") {
  FakeCloud cloud;
  FakeTerminal cli;
  cli.env["AMPACITY_URL"] = cloud.url();
  cloud.answer("GET /v1/jobs/train", 200, base::to_json(sample_job(JobState::running)));
  script_log(cloud, {"event: error\ndata: {\"detail\":\"too many followers\"}\n\n"});
  CHECK(cli({"logs", "-f", "train"}) == exit_unreachable);
  CHECK(cli.err.str() == "error: the log: too many followers\n");
  CHECK(cloud.seen(logs_path).size() == 1);
}

TEST_CASE("events: from where it is told, one line each") {
  FakeCloud cloud;
  FakeTerminal cli;
  cli.env["AMPACITY_URL"] = cloud.url();
  api::Event event;
  event.sequence = 8;
  event.at = cli.clock.at;
  event.kind = "job_submitted";
  event.text = "train was submitted";
  cloud.on("GET /v1/events", [&](const net::Request&, net::Reply reply) {
    reply.stream(sse_head)->write("id: 8\nevent: job_submitted\ndata: " + base::to_json(event) +
                                  "\n\n");
  });
  CHECK(cli({"events", "--since", "7"}) == 0);
  CHECK(cli.out.str() == "2026-11-22T12:00:00.000Z  train was submitted\n");
  REQUIRE(cloud.seen().size() == 1);
  CHECK(cloud.seen()[0].header("Last-Event-ID") == "7");
  CHECK(cli({"events", "--json"}) == 0);
  CHECK(cli.out.str() == base::to_json(event) + "\n");
}

TEST_CASE("exec: output, end of input and the exit code pass through") {
  FakeCloud cloud;
  FakeTerminal cli;
  cli.env["AMPACITY_URL"] = cloud.url();
  std::shared_ptr<net::WebSocket> socket;
  std::string target;
  cloud.on("GET /v1/jobs/train/exec", [&](const net::Request& r, net::Reply reply) {
    target = r.target;
    socket = reply.websocket();
    socket->send(
        "\x01"
        "out",
        false);
    socket->send(
        "\x02"
        "err",
        false);
    socket->send(R"({"exit_code":5})", true);
  });
  CHECK(cli({"exec", "train", "-T", "--", "sh", "-c", "a & b", ""}) == 5);
  CHECK(cli.out.str() == "out");
  CHECK(cli.err.str() == "err");
  CHECK(target == "/v1/jobs/train/exec?rank=0&tty=0&arg=sh&arg=-c&arg=a%20%26%20b&arg=");
  cloud.on("GET /v1/jobs/train/exec", [&](const net::Request&, net::Reply reply) {
    socket = reply.websocket();
    socket->send(R"({"error":"the job is not running"})", true);
  });
  CHECK(cli({"exec", "train", "-T", "--", "sh"}) == exit_failed);
  CHECK(cli.err.str() == "error: the job is not running\n");
  CHECK(cli({"exec", "nope", "-T", "--", "sh"}) == exit_refused);
  CHECK(cli.err.str().find("there is no such thing") != std::string::npos);
}
