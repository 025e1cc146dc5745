// The container engine against a real podman and a real docker: one rank's life, limits, ends.
#include <fmt/core.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <regex>
#include <sstream>
#include <thread>

#include "engines/dialect.h"
#include "engines/host_limits.h"
#include "engines/log_spool.h"
#include "engines/test_real_lab.h"

using namespace ampacity;
using namespace ampacity::engines;
namespace fs = std::filesystem;

namespace {

std::string log_of(Lab& lab, const std::string& name) {
  LogSpool spool(log_directory(lab.options));
  std::string out;
  auto lines = spool.read(name, 0);
  REQUIRE(lines);
  for (const auto& line : *lines) out += line.text + "\n";
  return out;
}

bool log_has(Lab& lab, const std::string& name, const std::string& text) {
  for (int i = 0; i < 500; i++) {
    if (log_of(lab, name).find(text) != std::string::npos) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return false;
}

std::string first_word(const fs::path& path) {
  std::ifstream in(path);
  std::string word;
  in >> word;
  return word;
}

}  // namespace

TEST_CASE_TEMPLATE("real: start, log, exit code, nothing left", Host, Podman, Docker) {
  LAB_OR_SKIP
  Watch watch(*lab);
  auto health = watch.engine->health();
  CHECK(health.kind == (Host::docker ? "docker" : "podman"));
  CAPTURE(health.note);
  if (Host::docker) {
    CHECK(health.version.starts_with("2"));
    CHECK_FALSE(health.user_namespaces);
    CHECK_FALSE(health.hands_over_gpus);
    CHECK(health.note.find("docker maps user ids by daemon") != std::string::npos);
    CHECK(health.note.find("cannot hand over a GPU safely (no CDI)") != std::string::npos);
    CHECK(health.note.find("live-restore") == std::string::npos);
  }
  auto work = shell(1,
                    "echo hello $WHO; echo oops >&2; id -u; cat /proc/self/uid_map; "
                    "grep -E 'CapEff|NoNewPrivs|Seccomp:' /proc/self/status; hostname; exit 7");
  work.env = {{"WHO", "world"}};
  watch.engine->desire_whole({work});
  REQUIRE(watch.reaches(1, State::ended));
  auto end = watch.last(1);
  CHECK(end.exit_code == 7);
  CHECK_FALSE(end.out_of_memory);
  CHECK(end.started_at.us > 0);
  CHECK(end.ended_at >= end.started_at);
  std::string log = log_of(*lab, work.container_name());
  CAPTURE(log);
  CHECK(log.find("hello world\n") != std::string::npos);
  CHECK(log.find("oops\n") != std::string::npos);
  CHECK(std::regex_search(log, std::regex("CapEff:\t0+\n")));
  CHECK(log.find("NoNewPrivs:\t1") != std::string::npos);
  CHECK(log.find("Seccomp:\t2") != std::string::npos);
  CHECK(log.find(work.container_name()) != std::string::npos);
  if (watch.engine->health().user_namespaces) CHECK(log.find("1065536") != std::string::npos);
  // Its end is repeated until the world is done with it; then it goes.
  CHECK(watch.until([&] { return watch.told(1, State::ended) >= 2; }));
  CHECK(lab->http("GET", "/containers/job-r1-1-0/json") == 200);
  watch.done(work);
  CHECK(lab->gone("job-r1-1-0"));
}

TEST_CASE_TEMPLATE("real: a log is followed while it grows, and is whole and in order at the end",
                   Host, Podman, Docker) {
  LAB_OR_SKIP
  Watch watch(*lab);
  auto work = shell(13,
                    "i=0; while [ $i -lt 300 ]; do echo line $i; i=$((i+1)); "
                    "[ $((i%60)) -ne 0 ] || sleep 0.4; done; "
                    "head -c 40000 /dev/zero | tr '\\0' x; echo; printf unfinished");
  watch.engine->desire_also({work});
  REQUIRE(watch.reaches(13, State::running));
  LogSpool spool(log_directory(lab->options));
  std::string text;
  std::int64_t offset = 0;
  int reads_with_news = 0;
  auto read_on = [&] {
    auto lines = spool.read(work.container_name(), offset, 100'000);
    REQUIRE(lines);
    for (const auto& line : *lines) {
      text += line.text + (line.partial ? "" : "\n");
      offset = line.next_offset;
    }
    reads_with_news += !lines->empty();
  };
  for (int i = 0; i < 1000; i++) {
    bool ended = watch.last(13).state == State::ended;
    read_on();
    if (ended) break;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  REQUIRE(watch.last(13).state == State::ended);
  CHECK(reads_with_news >= 3);
  std::string expected;
  for (int i = 0; i < 300; i++) expected += fmt::format("line {}\n", i);
  CHECK((text == expected + std::string(40'000, 'x') + "\nunfinished"));
  watch.done(work);
}

TEST_CASE_TEMPLATE("real: stop with grace, then kill; stopped before it started", Host, Podman,
                   Docker) {
  LAB_OR_SKIP
  Watch watch(*lab);
  auto kind = shell(2, "trap 'echo bye; exit 3' TERM; echo ready; while :; do sleep 0.05; done");
  auto deaf = shell(3, "trap '' TERM; echo ready; while :; do sleep 0.05; done");
  deaf.grace_s = 1;
  watch.engine->desire_also({kind, deaf});
  REQUIRE(watch.reaches(2, State::running));
  REQUIRE(watch.reaches(3, State::running));
  REQUIRE(log_has(*lab, kind.container_name(), "ready"));
  REQUIRE(log_has(*lab, deaf.container_name(), "ready"));
  kind.want = deaf.want = Want::stop;
  kind.confirmed = deaf.confirmed = true;
  watch.engine->desire_also({kind, deaf});
  REQUIRE(watch.reaches(2, State::ended));
  CHECK(watch.last(2).exit_code == 3);
  CHECK(log_of(*lab, kind.container_name()).find("bye") != std::string::npos);
  REQUIRE(watch.reaches(3, State::ended));
  CHECK(watch.last(3).exit_code == 137);
  CHECK_FALSE(watch.last(3).out_of_memory);
  CHECK(watch.last(3).why.find("SIGTERM") != std::string::npos);
  CHECK(watch.last(3).ended_at - watch.last(3).started_at >= base::Duration::seconds(1));

  auto never = shell(4, "echo ran");
  never.want = Want::stop;
  watch.engine->desire_also({never});
  REQUIRE(watch.reaches(4, State::failed_to_start));
  CHECK(watch.last(4).why == "stopped before it started");
  for (const auto& work : {kind, deaf, never}) watch.done(work);
}

// As a GPU driver may keep it for a while: killed, and not dead.
TEST_CASE_TEMPLATE("real: what is killed has ended only when it is dead", Host, Podman) {
  LAB_OR_SKIP
  Watch watch(*lab);
  auto held = shell(70, "exec sleep 1000");
  held.grace_s = 0;
  held.volumes = {{"held", "/data"}};
  watch.engine->desire_also({held});
  REQUIRE(watch.reaches(70, State::running));
  REQUIRE(lab->http("GET", "/containers/job-r70-1-0/json") == 200);
  std::smatch found;
  REQUIRE(std::regex_search(lab->last_body, found, std::regex("\"Pid\":([0-9]+)")));
  const pid_t pid = std::stoi(found[1].str());
  if (ptrace(PTRACE_SEIZE, pid, 0, PTRACE_O_TRACEEXIT) != 0) {
    MESSAGE("SKIPPED: this kernel lets us hold no process at its exit");
    return watch.done(held);
  }
  held.want = Want::stop;
  held.confirmed = true;
  watch.engine->desire_also({held});
  int status = 0;
  REQUIRE(waitpid(pid, &status, __WALL) == pid);
  REQUIRE((status >> 8) == (SIGTRAP | (PTRACE_EVENT_EXIT << 8)));
  CHECK_FALSE(watch.reaches(70, State::ended, 0, 7));  // podman waits for five
  CHECK(watch.engine->remove_volume(1, "held").error().status == 409);
  REQUIRE(ptrace(PTRACE_DETACH, pid, 0, 0) == 0);
  REQUIRE(watch.reaches(70, State::ended));
  CHECK(watch.last(70).exit_code == 137);
  CHECK(watch.last(70).why.find("SIGTERM") != std::string::npos);
  watch.done(held);
  CHECK(watch.engine->remove_volume(1, "held").has_value());
}

TEST_CASE_TEMPLATE("real: out of memory, memory and CPU limits, the emulated nodes' common bound",
                   Host, Podman, Docker) {
  LAB_OR_SKIP
  Watch watch(*lab);
  auto greedy = shell(5, "x=aaaaaaaa; while :; do x=$x$x; done");
  auto modest = shell(6, "sleep 1000");
  modest.emulated = true;
  modest.cpu_milli = 64'000;  // nominal
  modest.memory_mib = 1 << 20;
  modest.gpu_uuids = {"emulated-0"};
  watch.engine->desire_also({greedy, modest});
  REQUIRE(watch.reaches(5, State::ended));
  CHECK(watch.last(5).exit_code == 137);
  CHECK(watch.last(5).out_of_memory);
  REQUIRE(watch.reaches(6, State::running));
  REQUIRE(lab->http("GET", "/containers/job-r6-1-0/json") == 200);
  std::smatch id;
  REQUIRE(std::regex_search(lab->last_body, id, std::regex("\"Id\":\"([0-9a-f]+)\"")));
  std::string group = cgroup_of(lab->options.cloud) + "-emulated";
  std::string leaf = group + (Host::docker ? "/" : "/libpod-") + id[1].str();
  fs::path root = "/sys/fs/cgroup";
  if (pure_cgroup_v2()) {
    CHECK(first_word(root / group / "memory.max") == std::to_string(2048LL << 20));
    CHECK(first_word(root / leaf / "memory.max") == std::to_string(2048LL << 20));
    CHECK(first_word(root / leaf / "cpu.max") == "200000");
  } else {
    CHECK(first_word(root / "memory" / group / "memory.limit_in_bytes") ==
          std::to_string(2048LL << 20));
    CHECK(first_word(root / "memory" / leaf / "memory.limit_in_bytes") ==
          std::to_string(2048LL << 20));
    CHECK(first_word(root / "cpu" / group / "cpu.cfs_quota_us") == "200000");
    CHECK(first_word(root / "cpu" / leaf / "cpu.cfs_quota_us") == "200000");
  }
  watch.done(greedy);
  watch.done(modest);
}

TEST_CASE_TEMPLATE("real: what cannot start says why", Host, Podman, Docker) {
  LAB_OR_SKIP
  Watch watch(*lab);
  auto no_command = shell(7, "");
  no_command.command = {"/bin/no-such-program"};
  auto no_image = shell(8, "true");
  no_image.image = "localhost/ampacity-nothing";
  auto host_path = shell(9, "true");
  host_path.volumes = {{"../../etc", "/mnt"}};
  auto gpu = shell(10, "true");
  gpu.gpu_uuids = {"GPU-00000000-0000-0000-0000-000000000000"};
  watch.engine->desire_also({no_command, no_image, host_path, gpu});
  for (std::uint64_t job : {7, 8, 9, 10}) {
    REQUIRE(watch.reaches(job, State::failed_to_start));
    CHECK_FALSE(watch.last(job).why.empty());
  }
  CAPTURE(watch.last(7).why);
  CHECK(watch.last(7).why.find("/bin/no-such-program") != std::string::npos);
  if (Host::docker) CHECK(watch.last(10).why.find("no CDI") != std::string::npos);
  CHECK(watch.last(8).why.find("ampacity-nothing") != std::string::npos);
  CHECK(watch.last(8).why.find("nothing.tar") != std::string::npos);
  for (const auto& work : {no_command, no_image, host_path, gpu}) watch.done(work);
}

TEST_CASE_TEMPLATE("real: a volume persists, is measured, bounded and removed", Host, Podman,
                   Docker) {
  LAB_OR_SKIP
  Watch watch(*lab);
  auto writer = shell(11, "echo kept > /data/x && head -c 6000000 /dev/zero > /data/big");
  writer.volumes = {{"data", "/data"}};
  writer.read_only_root = true;
  watch.engine->desire_also({writer});
  REQUIRE(watch.reaches(11, State::ended));
  CHECK(watch.last(11).exit_code == 0);
  // As podman leaves it that dies before it gave it to its first user.
  const auto data = lab->store() / "volumes" / volume_name(lab->options.cloud, 1, "data") / "_data";
  if (!lab->docker()) REQUIRE(chown(data.c_str(), 0, 0) == 0);
  auto reader = shell(12,
                      "cat /data/x; echo > /data/y || echo not mine; touch /nope || echo "
                      "read-only; touch /tmp/ok && sleep 1000");
  reader.volumes = writer.volumes;
  reader.read_only_root = true;
  watch.engine->desire_also({reader});
  REQUIRE(watch.reaches(12, State::running));
  REQUIRE(log_has(*lab, reader.container_name(), "read-only"));
  CHECK(log_of(*lab, reader.container_name()).find("kept\n") == 0);
  CHECK(log_of(*lab, reader.container_name()).find("not mine") == std::string::npos);
  CHECK(watch.engine->volumes(2)->empty());
  auto volumes = watch.engine->volumes(1);
  REQUIRE(volumes);
  REQUIRE(volumes->size() == 1);
  CHECK(volumes->at(0).project == 1);
  CHECK(volumes->at(0).name == "data");
  CHECK(volumes->at(0).used_bytes >= 6'000'000);
  CHECK(volumes->at(0).in_use);
  CHECK(watch.until([&] { return !watch.over_limit.empty(); }, 20));
  auto refused = watch.engine->remove_volume(1, "data");
  REQUIRE_FALSE(refused);
  CHECK(refused.error().status == 409);
  watch.done(writer);
  watch.done(reader);
  CHECK(watch.engine->remove_volume(1, "data").has_value());  // once both containers are gone
  CHECK(watch.engine->volumes({})->empty());
  CHECK(watch.engine->remove_volume(1, "data").error().status == 404);
}
