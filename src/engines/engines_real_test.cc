// The container engine against a real podman and a real docker: gangs, exec, and everything that
// goes wrong outside.
#include <fmt/core.h>
#include <signal.h>
#include <sys/resource.h>

#include <algorithm>
#include <fstream>
#include <future>
#include <sstream>
#include <thread>

#include "engines/dialect.h"
#include "engines/host_limits.h"
#include "engines/test_real_lab.h"

using namespace ampacity;
using namespace ampacity::engines;

namespace {

struct Ran {
  std::string out, err, why;
  std::optional<int> code;
};

// Runs a command in a container to its end; `talk` may use the session.
Ran run_in(Watch& watch, const std::string& name, std::vector<std::string> argv, bool tty,
           const std::function<void(ExecSession&)>& talk = {}) {
  Ran ran;
  std::promise<void> ended;
  ExecEvents events;
  events.on_output = [&](std::string_view bytes, bool is_err) {
    (is_err ? ran.err : ran.out).append(bytes);
  };
  events.on_end = [&](std::optional<int> code, std::string why) {
    ran.code = code;
    ran.why = std::move(why);
    ended.set_value();
  };
  auto session = watch.engine->exec(name, std::move(argv), tty, events);
  INFO((session ? std::string() : session.error().message));
  REQUIRE(session);
  if (talk) talk(**session);
  auto future = ended.get_future();
  CHECK(future.wait_for(std::chrono::seconds(20)) == std::future_status::ready);
  session->reset();
  return ran;
}

Ran run_shell(Watch& watch, const std::string& name, const std::string& script) {
  return run_in(watch, name, {"/bin/sh", "-c", script}, false);
}

int mounts_below(const std::string& root) {
  std::ifstream in("/proc/self/mounts");
  int n = 0;
  for (std::string line; std::getline(in, line);) n += line.find(root) != std::string::npos;
  return n;
}

}  // namespace

TEST_CASE_TEMPLATE("real: exec with and without a terminal", Host, Podman, Docker) {
  LAB_OR_SKIP
  Watch watch(*lab);
  auto work = shell(20, "sleep 1000");
  watch.engine->desire_also({work});
  REQUIRE(watch.reaches(20, State::running));
  std::string name = work.container_name();
  auto plain = run_shell(watch, name, "echo out; echo err >&2; exit 5");
  CHECK(plain.out == "out\n");
  CHECK(plain.err == "err\n");
  CHECK(plain.code == 5);
  auto cat = run_in(watch, name, {"/bin/cat"}, false, [](ExecSession& session) {
    session.write("through\n");
    session.close_stdin();
  });
  CHECK(cat.out == "through\n");
  CHECK(cat.code == 0);
  auto tty = run_in(watch, name, {"/bin/sh"}, true, [](ExecSession& session) {
    session.resize(123, 45);
    session.write("stty size; exit 9\n");
  });
  CHECK(tty.out.find("45 123") != std::string::npos);
  CHECK(tty.code == 9);
  CHECK_FALSE(watch.engine->exec("job-none-1-0", {"true"}, false, {}).has_value());
  watch.done(work);
}

TEST_CASE_TEMPLATE("real: a gang's ranks reach each other, and nobody else does", Host, Podman,
                   Docker) {
  LAB_OR_SKIP
  Watch watch(*lab);
  std::vector<core::RankWork> ranks;
  for (std::uint32_t r = 0; r < 2; r++) {
    auto work = shell(21, "echo hello-from-$RANK > /tmp/index.html; httpd -f -p 8000 -h /tmp");
    work.rank = r;
    work.size = 2;
    work.network = "gang-21";
    work.env = {{"RANK", std::to_string(r)}};
    ranks.push_back(work);
  }
  auto stranger = shell(22, "sleep 1000");
  stranger.network = "gang-22";
  ranks.push_back(stranger);
  watch.engine->desire_also(ranks);
  REQUIRE(watch.reaches(21, State::running, 0));
  REQUIRE(watch.reaches(21, State::running, 1));
  REQUIRE(watch.reaches(22, State::running));
  auto ask = [](const std::string& host) {
    return fmt::format(
        "for i in 1 2 3 4 5 6 7 8 9 10; do printf 'GET / HTTP/1.0\\r\\n\\r\\n' | "
        "nc -w 2 {} 8000 && exit 0; sleep 0.2; done; exit 1",
        host);
  };
  auto found = run_shell(watch, ranks[0].container_name(), ask(ranks[1].container_name()));
  CHECK(found.code == 0);
  CHECK(found.out.find("hello-from-1") != std::string::npos);
  auto back = run_shell(watch, ranks[1].container_name(), ask(ranks[0].container_name()));
  CHECK(back.out.find("hello-from-0") != std::string::npos);
  auto address = run_shell(watch, ranks[1].container_name(), "hostname -i");
  std::string ip = address.out.substr(0, address.out.find_first_of(" \n"));
  REQUIRE_FALSE(ip.empty());
  auto by_name = run_shell(watch, stranger.container_name(),
                           fmt::format("nc -w 2 {} 8000 </dev/null", ranks[1].container_name()));
  CHECK(by_name.code != 0);
  auto by_address =
      run_shell(watch, stranger.container_name(), fmt::format("nc -w 2 {} 8000 </dev/null", ip));
  CHECK(by_address.code != 0);
  for (const auto& work : ranks) watch.done(work);
  std::string network =
      "/networks/amp-" + lab->options.cloud + "-gang-21" + (Host::docker ? "" : "/json");
  for (int i = 0; i < 300 && lab->http("GET", network) != 404; i++) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  CHECK(lab->http("GET", network) == 404);
}

TEST_CASE_TEMPLATE("real: strays go, foreign containers stay, removal behind our back is a loss",
                   Host, Podman, Docker) {
  LAB_OR_SKIP
  Watch watch(*lab);
  watch.fetch_image();
  std::string ours = "\"ampacity.cloud\":\"" + lab->options.cloud + "\"";
  REQUIRE(lab->create("stray", ours) == 201);
  REQUIRE(lab->create("foreign", "") == 201);
  REQUIRE(lab->http("POST", "/containers/stray/start") == 204);
  // Made in another boot, and gone with it.
  REQUIRE(lab->create("job-r24-1-0", ours + ",\"ampacity.boot\":\"another\"") == 201);
  auto rebooted = shell(24, "true");
  rebooted.confirmed = true;
  auto work = shell(23, "sleep 1000");
  watch.engine->desire_whole({work, rebooted});
  REQUIRE(watch.reaches(23, State::running));
  REQUIRE(watch.reaches(24, State::absent));
  CHECK(watch.last(24).why == "host rebooted");
  CHECK(lab->gone("stray"));
  CHECK(lab->http("GET", "/containers/foreign/json") == 200);
  const std::string path = "/containers/" + work.container_name();
  int removed = 500;  // podman's unmounting may be busy for a moment
  for (int tries = 0; tries < 20 && removed == 500; ++tries) {
    if (tries > 0) std::this_thread::sleep_for(std::chrono::milliseconds(200));
    removed = lab->http("DELETE", path + "?force=true&timeout=0");
  }
  CAPTURE(lab->last_body);
  CHECK(removed == (Host::docker ? 204 : 200));
  REQUIRE(watch.reaches(23, State::absent, 0, 20));
  CHECK_FALSE(watch.last(23).why.empty());
  CHECK(watch.last(23).started_at.us > 0);
  CHECK(watch.last(23).ended_at.us > 0);  // last seen running
  CHECK(watch.count(23, State::ended) == 0);
  CHECK(lab->http("GET", path + "/json") == 404);
  watch.done(work);
  watch.done(rebooted);
  CHECK(lab->http("DELETE", "/containers/foreign?force=true") < 300);
}

TEST_CASE_TEMPLATE(
    "real: the service is killed: unknown, not lost; it comes back, the ranks never stopped", Host,
    Podman, Docker) {
  LAB_OR_SKIP
  Watch watch(*lab);
  auto work = shell(26, "sleep 1000");
  watch.engine->desire_also({work});
  REQUIRE(watch.reaches(26, State::running));
  auto before = watch.last(26).started_at;
  REQUIRE(lab->kill_service());
  REQUIRE(watch.until([&] { return watch.was_unreachable(); }, 20));
  if (lab->docker()) REQUIRE(lab->daemon->start());
  for (int i = 0; i < 1000 && !watch.engine->health().reachable; i++) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  CHECK(watch.engine->health().reachable);
  CHECK(watch.count(26, State::absent) == 0);
  CHECK(watch.last(26).state == State::running);
  CHECK(watch.last(26).started_at == before);
  work.want = Want::stop;
  work.grace_s = 0;
  work.confirmed = true;
  watch.engine->desire_also({work});
  CHECK(watch.reaches(26, State::ended));
  watch.done(work);
}

TEST_CASE_TEMPLATE(
    "real: a second engine adopts what the first left, and learns what ended meanwhile", Host,
    Podman, Docker) {
  LAB_OR_SKIP
  auto stays = shell(27, "sleep 1000");
  auto ends = shell(28, "while [ ! -e /data/go ]; do sleep 0.05; done; exit 4");
  ends.volumes = {{"signal", "/data"}};
  base::Instant started;
  int pid_before = 0;
  {
    Watch first(*lab);
    first.engine->desire_whole({stays, ends});
    REQUIRE(first.reaches(27, State::running));
    REQUIRE(first.reaches(28, State::running));
    started = first.last(27).started_at;
    pid_before = lab->service_pid();
  }
  REQUIRE(lab->http("GET", "/containers/job-r27-1-0/json") == 200);
  std::ofstream(lab->store() / "volumes" / ("amp-" + lab->options.cloud + "-1-signal") / "_data" /
                "go");
  for (int i = 0; i < 500; i++) {
    lab->http("GET", "/containers/job-r28-1-0/json");
    if (lab->last_body.find("\"Status\":\"exited\"") != std::string::npos) break;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  auto restarted_at = lab->clock.now();
  Watch second(*lab);
  CHECK(pid_before == lab->service_pid());  // taken back, not started anew
  ends.confirmed = true;                    // `stays` was not: adopted by its name all the same
  second.engine->desire_whole({stays, ends});
  REQUIRE(second.reaches(27, State::running));
  CHECK(second.last(27).started_at == started);
  REQUIRE(second.reaches(28, State::ended));
  CHECK(second.last(28).exit_code == 4);
  CHECK(second.last(28).ended_at <= restarted_at);
  second.done(stays);
  second.done(ends);
}

// The same body, a kept connection, and nothing else going on. Figures that mean something:
// ./dev bench start.
TEST_CASE_TEMPLATE("real: what we add to the engine's own create and start", Host, Podman, Docker) {
  LAB_OR_SKIP
  Watch watch(*lab);
  watch.fetch_image();
  auto clock = [] { return std::chrono::steady_clock::now(); };
  auto ms = [](auto d) { return std::chrono::duration<double, std::milli>(d).count(); };
  auto dialect = Host::docker ? docker_dialect() : podman_dialect();
  auto client = lab->client();
  CreateContext context;
  context.cloud = "another";  // so that the engine leaves these alone
  context.nofile = own_hard_limit(RLIMIT_NOFILE, 1 << 20);
  context.nproc = own_hard_limit(RLIMIT_NPROC, kMostProcesses);
  context.user_namespaces = watch.engine->health().user_namespaces;
  if (!Host::docker) context.cgroup_parent = "/" + cgroup_of(lab->options.cloud);
  std::vector<double> direct, through;
  for (std::uint64_t i = 0; i < 3; i++) {
    auto own = shell(60 + i, "sleep 999");
    context.log_path = (log_directory(lab->options) / (own.container_name() + ".log")).string();
    auto create = dialect->create(own, context);
    auto start = dialect->start(own.container_name());
    auto begin = clock();
    auto created = client.call(create);
    auto started = client.call(start);
    direct.push_back(ms(clock() - begin));
    REQUIRE(created);
    REQUIRE(created->status == 201);
    REQUIRE(started);
    REQUIRE(started->status == 204);
    REQUIRE(client.call(dialect->remove(own.container_name())));
    REQUIRE(lab->gone(own.container_name()));
    auto work = shell(40 + i, "sleep 999");
    begin = clock();
    watch.engine->desire_also({work});
    REQUIRE(watch.reaches(40 + i, State::running));
    through.push_back(ms(clock() - begin));
    watch.done(work);
    REQUIRE(lab->gone(work.container_name()));
  }
  std::sort(direct.begin(), direct.end());
  std::sort(through.begin(), through.end());
  MESSAGE("create + start, median ms of ", direct.size(), ": ", Host::docker ? "docker" : "podman",
          " alone ", direct[1], ", through the engine, until reported running ", through[1]);
}

TEST_CASE_TEMPLATE("real: the clean end leaves no container, mount, process or group", Host, Podman,
                   Docker) {
  LAB_OR_SKIP {
    Watch watch(*lab);
    auto work = shell(30, "sleep 1000");
    work.network = "gang-30";
    watch.engine->desire_whole({work});
    REQUIRE(watch.reaches(30, State::running));
  }
  std::string store = (Host::docker ? lab->store() / "overlay2" : lab->options.state).string();
  CHECK(mounts_below(store) > 0);
  stop_container_service(lab->options);
  CHECK(mounts_below(store) == 0);
  if (!Host::docker) CHECK_FALSE(PodmanService(lab->options).alive());
  for (const char* group : {"", "-emulated"}) {
    CHECK_FALSE(
        std::filesystem::exists("/sys/fs/cgroup/memory/" + cgroup_of(lab->options.cloud) + group));
  }
  // And it starts again from there.
  Watch watch(*lab);
  auto work = shell(31, "exit 0");
  watch.engine->desire_whole({work});
  CHECK(watch.reaches(31, State::ended));
}
