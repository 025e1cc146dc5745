#include "cli/servers.h"

#include <doctest/doctest.h>

#include <fstream>

#include "cli/fake_cloud.h"
#include "cli/session.h"
#include "net/duplex.h"

namespace ampacity::cli {
namespace {

struct FilesFolder {
  FilesFolder() {
    char name[] = "/tmp/ampacity-servers-XXXXXX";
    path = mkdtemp(name);
  }
  ~FilesFolder() { std::filesystem::remove_all(path); }
  std::filesystem::path path;
};

net::TlsFiles make_files(const FilesFolder& folder, const std::string& name) {
  const auto key = net::make_private_key();
  const auto certificate = net::make_certificate(*key, {"127.0.0.1"}, base::SystemClock().now(),
                                                 base::Duration::seconds(86'400));
  REQUIRE((key && certificate));
  net::TlsFiles files{folder.path / (name + ".pem"), folder.path / (name + ".key"), {}};
  std::ofstream(files.key) << *key;
  std::ofstream(files.certificate) << *certificate;
  return files;
}

std::string whoami() {
  api::WhoAmI me;
  me.user = "ada";
  me.project = "demo";
  me.cloud = "here";
  return base::to_json(me);
}

std::string away_problem() {
  return R"({"type":"t","title":"away","status":503,"code":"unavailable",)"
         R"("detail":"not the leader"})";
}

// A port nobody listens on.
std::string nobody() {
  FakeCloud gone;
  return gone.url();
}

TEST_CASE("several servers: the next is asked when one is away, with the same Idempotency-Key") {
  FakeCloud follower, leader;
  FakeTerminal cli;
  const std::string stopping = base::to_json(sample_job(core::JobState::stopping));
  follower.answer("POST /v1/jobs/train/stop", 503, away_problem());
  leader.answer("POST /v1/jobs/train/stop", 200, stopping);
  cli.env["AMPACITY_URL"] = nobody() + "," + follower.url() + "/, " + leader.url();
  CHECK(cli({"stop", "train"}) == 0);
  CHECK(cli.slept.empty());
  const auto refused = follower.seen("POST /v1/jobs/train/stop");
  const auto taken = leader.seen("POST /v1/jobs/train/stop");
  REQUIRE((refused.size() == 1 && taken.size() == 1));
  CHECK(refused[0].header("Idempotency-Key") == taken[0].header("Idempotency-Key"));
}

TEST_CASE(
    "no server answers: each is asked for a while, then it is said; a takeover is waited for") {
  FakeTerminal cli;
  cli.env["AMPACITY_URL"] = nobody() + "," + nobody();
  CHECK(cli({"stop", "train"}) == exit_unreachable);
  CHECK(cli.err.str().find(", nor the others") != std::string::npos);
  base::Duration waited;
  for (const auto d : cli.slept) waited.us += d.us;
  CHECK(waited.us >= 12'000'000);

  FakeCloud standby;
  standby.answer("POST /v1/jobs/train/stop", 503, away_problem());
  cli.env["AMPACITY_URL"] = nobody() + "," + standby.url();
  cli.slept.clear();
  cli.on_sleep = [&] {
    if (cli.slept.size() == 3)
      standby.answer("POST /v1/jobs/train/stop", 200,
                     base::to_json(sample_job(core::JobState::stopping)));
  };
  CHECK(cli({"stop", "train"}) == 0);
  CHECK(cli.slept.size() == 3);
}

TEST_CASE("DELETE is sent once, to a server that has just answered") {
  FakeCloud lame, well;
  FakeTerminal cli;
  lame.answer("GET /healthz", 503, away_problem());
  well.answer("GET /healthz", 200, "{}");
  well.answer("DELETE /v1/keys/key-1", 200, "{}");
  cli.env["AMPACITY_URL"] = nobody() + "," + lame.url() + "," + well.url();
  cli({"keys", "rm", "key-1"});
  CHECK(lame.seen("DELETE /v1/keys/key-1").empty());
  CHECK(well.seen("DELETE /v1/keys/key-1").size() == 1);
}

TEST_CASE("a log goes on at the next server where it was cut off, without a line twice") {
  FakeCloud first, second;
  FakeTerminal cli;
  const auto job = sample_job(core::JobState::running);
  for (FakeCloud* cloud : {&first, &second})
    cloud->answer("GET /v1/jobs/train", 200, base::to_json(job));
  second.on("GET /v1/jobs/job-06bx1/logs", [&](const net::Request& r, net::Reply reply) {
    CHECK(r.header("Last-Event-ID") == "1");
    reply.send({200, "text/event-stream", log_event(2, "two") + end_event(job), {}});
  });
  cli.env["AMPACITY_URL"] = first.url() + "," + second.url();
  // One line, then the end of the stream without the end of the job; from then on not the leader.
  first.on("GET /v1/jobs/job-06bx1/logs", [n = 0](const net::Request&, net::Reply reply) mutable {
    if (++n == 1) return reply.send({200, "text/event-stream", log_event(1, "one"), {}});
    reply.send({503, "application/json", away_problem(), {}});
  });
  CHECK(cli({"logs", "-f", "train"}) == 0);
  CHECK(cli.out.str() == "one\ntwo\n");
}

TEST_CASE("login over TLS: a given pin is kept; another key is refused and says how to go on") {
  const FilesFolder folder;
  const net::TlsFiles files = make_files(folder, "a"), other = make_files(folder, "b");
  const std::string pin = net::read_certificate(files.certificate)->pin;
  const std::string other_pin = net::read_certificate(other.certificate)->pin;
  FakeCloud cloud(0, *net::TlsIdentity::load(files));
  cloud.answer("GET /v1/whoami", 200, whoami());
  cloud.answer("GET /healthz", 200, "{}");
  FakeTerminal cli;
  cli.env["AMPACITY_CONFIG"] = folder.path / "config.json";
  const auto err_has = [&](const std::string& part) {
    return cli.err.str().find(part) != std::string::npos;
  };
  // Unknown, and nobody to ask: the key is shown, nothing is sent, nothing kept.
  CHECK(cli({"login", "--url", cloud.url(), "--key", "amp_k"}) == exit_not_allowed);
  CHECK(err_has(pin));
  CHECK(cloud.seen().empty());
  CHECK_FALSE(std::filesystem::exists(folder.path / "config.json"));

  CHECK(cli({"login", "--url", cloud.url(), "--key", "amp_k", "--pin", other_pin}) ==
        exit_not_allowed);
  CHECK(cloud.seen().empty());
  CHECK(cli({"login", "--url", cloud.url(), "--key", "amp_k", "--pin", "sha256//x"}) ==
        exit_refused);
  CHECK(cli({"login", "--url", cloud.url(), "--key", "amp_k", "--pin", pin}) == 0);
  cli.env.erase("AMPACITY_KEY");
  CHECK(cli({"whoami"}) == 0);

  cloud.show(*net::TlsIdentity::load(other));
  const std::size_t seen = cloud.seen().size();
  CHECK(cli({"whoami"}) == exit_not_allowed);
  CHECK(err_has("another key than the one pinned"));
  CHECK(err_has("--pin " + other_pin));
  CHECK(cloud.seen().size() == seen);
  CHECK(cli({"login", "--url", cloud.url(), "--key", "amp_k", "--pin", other_pin}) == 0);
  CHECK(cli({"whoami"}) == 0);
}

TEST_CASE("login over TLS: a person may believe what is shown, or name who vouches for it") {
  const FilesFolder folder;
  const net::TlsFiles files = make_files(folder, "a");
  FakeCloud cloud(0, *net::TlsIdentity::load(files));
  cloud.answer("GET /v1/whoami", 200, whoami());
  cloud.answer("GET /healthz", 200, "{}");
  FakeTerminal cli;
  cli.env["AMPACITY_CONFIG"] = folder.path / "config.json";
  cli.terminal.in_is_tty = true;
  cli.in.str("n\n");
  CHECK(cli({"login", "--url", cloud.url(), "--key", "amp_k"}) == exit_not_allowed);
  cli.in.clear();
  cli.in.str("y\n");
  CHECK(cli({"login", "--url", cloud.url(), "--key", "amp_k"}) == 0);
  CHECK(cli({"whoami"}) == 0);
  CHECK(cli({"login", "--url", cloud.url(), "--key", "amp_k", "--ca-file", files.certificate}) ==
        0);
  CHECK(cli({"whoami"}) == 0);
  CHECK(cli.err.str().empty());
}

}  // namespace
}  // namespace ampacity::cli
