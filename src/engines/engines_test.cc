#include <doctest/doctest.h>
#include <fmt/core.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <mutex>

#include "engines/cdi.h"
#include "engines/containers.h"
#include "engines/host.h"
#include "engines/log_spool.h"
#include "engines/minders.h"
#include "engines/reconcile_plan.h"
#include "engines/stub.h"

using namespace ampacity;
using namespace ampacity::engines;
namespace fs = std::filesystem;
using State = core::RankSeen::State;
using Want = core::RankWork::Want;

namespace {

struct Place {
  fs::path path;
  Place() {
    char name[] = "/tmp/amp-unit-XXXXXX";
    path = mkdtemp(name);
  }
  ~Place() {
    std::error_code error;
    fs::remove_all(path, error);
  }
};

ListedContainer listed(ContainerState state, bool ran = true, std::string boot = "b") {
  return {"j-1-0", state, ran, std::move(boot)};
}

}  // namespace

TEST_CASE("log spool: lines, offsets, streams, parts") {
  Place place;
  LogSpool spool(place.path / "logs");
  CHECK(spool.read("j-1-0", 0)->empty());
  std::string text =
      "2026-11-22T13:08:21.912452448+00:00 stdout F hi there\n"
      "2026-11-22T13:08:21.912452449+00:00 stderr P par\n"
      "2026-11-22T13:08:21.912452450+00:00 stdout F \n"
      "not in that form\n";
  std::ofstream(spool.path("j-1-0")) << text << "2026-11-22T13:08:22+00:00 stdout F unfin";
  auto lines = spool.read("j-1-0", 0);
  REQUIRE(lines);
  REQUIRE(lines->size() == 4);
  CHECK((*lines)[0].text == "hi there");
  CHECK((*lines)[0].at == "2026-11-22T13:08:21.912452448+00:00");
  CHECK_FALSE((*lines)[0].is_stderr);
  CHECK((*lines)[1].is_stderr);
  CHECK((*lines)[1].partial);
  CHECK((*lines)[2].text.empty());
  CHECK((*lines)[3].text == "not in that form");
  CHECK((*lines)[3].next_offset == static_cast<std::int64_t>(text.size()));
  auto rest = spool.read("j-1-0", (*lines)[0].next_offset, 1);
  REQUIRE(rest->size() == 1);
  CHECK((*rest)[0].text == "par");
  CHECK(spool.read("j-1-0", (*lines)[3].next_offset)->empty());
  // Beyond the end, or in the middle of a line: it was truncated, so from the start.
  CHECK(spool.read("j-1-0", 100'000)->size() == 4);
  CHECK(spool.read("j-1-0", 7)->size() == 4);
}

TEST_CASE("log spool: many lines by pages, and expiry") {
  Place place;
  LogSpool spool(place.path / "logs");
  {
    std::ofstream out(spool.path("j"));
    for (int i = 0; i < 20'000; i++) out << "2026-11-22T13:08:21Z stdout F line " << i << '\n';
  }
  std::int64_t offset = 0;
  int n = 0;
  while (true) {
    auto lines = spool.read("j", offset, 777);
    REQUIRE(lines);
    if (lines->empty()) break;
    for (const auto& line : *lines) CHECK(line.text == "line " + std::to_string(n++));
    offset = lines->back().next_offset;
  }
  CHECK(n == 20'000);
  CHECK(spool.expire(3600) == 0);
  auto old = fs::last_write_time(spool.path("j")) - std::chrono::hours(2);
  fs::last_write_time(spool.path("j"), old);
  CHECK(spool.expire(3600) == 1);
  CHECK(spool.read("j", 0)->empty());
}

TEST_CASE("plan: what to do about one rank") {
  core::RankWork work;
  RankMemory memory;
  memory.touched_at = {100};
  auto step = [&](const ListedContainer* seen) {
    return plan(work, memory, seen, "b", {200}, {1'000'000}).step;
  };
  auto created = listed(ContainerState::created, false);
  auto running = listed(ContainerState::running);
  auto ended = listed(ContainerState::ended);

  SUBCASE("wanted, new") {
    CHECK(step(nullptr) == Step::create);
    CHECK(step(&created) == Step::start);
    CHECK(step(&running) == Step::look);
    CHECK(step(&ended) == Step::look);
    memory.not_before = {2'000'000};
    CHECK(step(nullptr) == Step::none);
  }
  SUBCASE("wanted, confirmed: absence is loss, never a second start") {
    work.confirmed = true;
    CHECK(step(nullptr) == Step::report_absent);
    CHECK(step(&created) == Step::report_absent);
    memory.touched_at = {200};  // the list may be older than what we did
    CHECK(step(nullptr) == Step::none);
  }
  SUBCASE("seen running by us, not yet confirmed by the world") {
    memory.ran = true;
    CHECK(step(nullptr) == Step::report_absent);
  }
  SUBCASE("a host reboot is told from a loss") {
    work.confirmed = true;
    auto other = listed(ContainerState::created, true, "another boot");
    CHECK(plan(work, memory, &other, "b", {200}, {300}).why == "host rebooted");
    CHECK(plan(work, memory, &created, "b", {200}, {300}).why != "host rebooted");
    work.confirmed = false;
    CHECK(plan(work, memory, &other, "b", {200}, {300}).step == Step::report_absent);
  }
  SUBCASE("stopping") {
    work.want = Want::stop;
    work.grace_s = 1;
    CHECK(step(nullptr) == Step::report_unstarted);
    CHECK(step(&created) == Step::report_unstarted);
    CHECK(step(&running) == Step::look);  // its start is reported first
    memory.last = core::RankSeen{};
    CHECK(step(&running) == Step::term);
    memory.term_at = {500'000};
    CHECK(step(&running) == Step::repeat);
    CHECK(due(work, memory) == base::Instant{1'500'000});
    memory.term_at = {1};
    work.grace_s = 0;
    CHECK(step(&running) == Step::kill);
    memory.kill_at = {900'000};
    CHECK(step(&running) == Step::repeat);
    CHECK(step(&ended) == Step::look);
  }
  SUBCASE("final stays final, until done") {
    memory.final = core::RankSeen{};
    CHECK(step(nullptr) == Step::repeat);
    CHECK(step(&ended) == Step::repeat);
    memory.done = true;
    CHECK(step(&ended) == Step::remove);
    CHECK(step(nullptr) == Step::forget);
  }
}

TEST_CASE("plan: what is being removed, whoever does it, is asked after until it is gone") {
  RankMemory memory;
  const auto removing = listed(ContainerState::removing);
  const auto step = [&] { return plan({}, memory, &removing, "b", {200}, {1'000'000}).step; };
  CHECK(step() == Step::look);
  memory.not_before = {2'000'000};
  CHECK(step() == Step::none);
}

TEST_CASE("GPU names become catalogue ids") {
  struct Row {
    const char* name;
    std::int64_t mib;
    const char* sku;
  };
  const Row rows[] = {
      {"NVIDIA H100 80GB HBM3", 81559, "h100"},
      {"NVIDIA H100 PCIe", 81559, "h100-pcie"},
      {"NVIDIA H100 NVL", 95830, ""},
      {"NVIDIA H200", 143771, "h200"},
      {"NVIDIA H200 NVL", 143771, ""},
      {"NVIDIA GH200 480GB", 97871, "gh200"},
      {"NVIDIA B200", 183359, "b200"},
      {"NVIDIA B300 SXM6 AC", 275040, "b300"},
      {"NVIDIA GB200", 189471, "gb200"},
      {"NVIDIA GB300", 284208, "gb300"},
      {"NVIDIA A100-SXM4-80GB", 81920, "a100-80"},
      {"NVIDIA A100-SXM4-40GB", 40960, "a100-40"},
      {"NVIDIA A100 80GB PCIe", 81920, "a100-80-pcie"},
      {"NVIDIA A100-PCIE-40GB", 40960, "a100-40-pcie"},
      {"NVIDIA L40S", 46068, "l40s"},
      {"NVIDIA L40", 46068, "l40"},
      {"NVIDIA A40", 46068, "a40"},
      {"NVIDIA RTX A6000", 49140, "a6000"},
      {"NVIDIA RTX A5000", 24564, "a5000"},
      {"NVIDIA RTX A4000", 16376, "a4000"},
      {"NVIDIA RTX 6000 Ada Generation", 49140, ""},
      {"NVIDIA RTX PRO 6000 Blackwell Server Edition", 97887, "rtx-pro-6000"},
      {"NVIDIA RTX PRO 6000 Blackwell Max-Q Workstation Edition", 97887, ""},
      {"Tesla V100-SXM2-16GB", 16384, "v100-16"},
      {"Tesla V100-SXM2-32GB", 32768, ""},
      {"Quadro RTX 5000", 16384, "rtx5000"},
      {"Quadro RTX 4000", 8192, "rtx4000"},
      {"NVIDIA GeForce RTX 4090", 24564, ""},
      {"", 0, ""},
  };
  for (const Row& row : rows) {
    CAPTURE(row.name);
    CHECK(sku_of_gpu_name(row.name, row.mib) == row.sku);
  }
}

TEST_CASE("CDI names are read from YAML and JSON") {
  std::string yaml =
      "---\ncdiVersion: 0.5.0\ncontainerEdits:\n  env:\n  - name: not-a-device\ndevices:\n"
      "- containerEdits:\n    deviceNodes:\n    - path: /dev/nvidia0\n  name: \"GPU-a\"\n"
      "- name: GPU-b\n  containerEdits: {}\nkind: nvidia.com/gpu\n";
  CHECK(cdi_devices(yaml, false) == std::vector<std::string>{"GPU-a", "GPU-b"});
  CHECK(cdi_devices("kind: other.com/x\ndevices:\n- name: y\n", false).empty());
  std::string json = R"({"kind":"nvidia.com/gpu","devices":[{"name":"GPU-c"}]})";
  CHECK(cdi_devices(json, true) == std::vector<std::string>{"GPU-c"});
  CHECK(cdi_devices("{", true).empty());
}

TEST_CASE("the host: NVML through a stub library, CDI through a file") {
  Place place;
  std::string source = AMPACITY_SOURCE_DIR "/tests/nvml_stub/nvml_stub.c";
  std::string library = (place.path / "libnvml_stub.so").string();
  std::string command = "cc -shared -fPIC -o " + library + " " + source;
  REQUIRE(std::system(command.c_str()) == 0);
  std::ofstream(place.path / "nvidia.yaml")
      << "kind: nvidia.com/gpu\ndevices:\n- name: GPU-stub-0\n- name: GPU-stub-2\n";
  HostOptions options;
  options.nvml_library = library;
  options.cdi_directories = {place.path.string()};
  auto host = discover_host(options);
  CHECK(host.cpu_milli >= 1000);
  CHECK(host.memory_mib > 100);
  CHECK_FALSE(host.hostname.empty());
  REQUIRE(host.gpus.size() == 3);
  CHECK(host.gpus[0].name == "NVIDIA H100 80GB HBM3");
  CHECK(host.gpus[0].sku == "h100");
  CHECK(host.gpus[0].memory_mib == 81559);
  CHECK(host.gpus[0].cdi_name == "nvidia.com/gpu=GPU-stub-0");
  CHECK(host.gpus[1].mig_enabled);
  CHECK(host.gpus[1].cdi_name.empty());
  CHECK(host.gpus[2].sku.empty());
  CHECK(host.gpu_note.find("MIG") != std::string::npos);
  CHECK(host.gpu_note.find("CDI") != std::string::npos);

  options.nvml_library = "libnothing-of-the-kind.so.1";
  host = discover_host(options);
  CHECK(host.gpus.empty());
  CHECK(host.gpu_note.find("no NVIDIA driver") != std::string::npos);
}

TEST_CASE("a relative state directory is refused, not spun on") {
  base::SystemClock clock;
  ContainerOptions options;
  options.state = "relative/state";
  options.cloud = "x";
  auto engine = make_container_engine(options, clock);
  auto started = engine->start({});
  REQUIRE_FALSE(started);
  CHECK_FALSE(started.error().retryable);
  CHECK(started.error().message.find("absolute") != std::string::npos);
}

TEST_CASE("stub engine: every rank runs and ends once, in batches") {
  constexpr std::uint64_t kRanks = 60'000;
  base::SystemClock clock;
  auto engine = make_stub_engine(base::Duration::millis(300), clock);
  std::mutex mutex;
  std::condition_variable changed;
  std::map<std::uint64_t, int> ran;
  std::size_t ended = 0, batches = 0;
  EngineReports reports;
  reports.seen = [&](std::vector<core::RankSeen> seen) {
    std::lock_guard lock(mutex);
    batches++;
    for (const auto& one : seen) {
      if (one.state == State::running) ran[one.job.low]++;
      if (one.state != State::ended) continue;
      CHECK(one.exit_code == 0);
      CHECK((one.ended_at - one.started_at).us == 300'000);
      ended++;
    }
    changed.notify_all();
  };
  REQUIRE(engine->start(reports));
  auto begin = std::chrono::steady_clock::now();
  for (std::uint64_t i = 0; i < kRanks; i += 100) {
    std::vector<core::RankWork> ranks(100);
    for (std::uint64_t k = 0; k < 100; k++) ranks[k].job = {1, i + k};
    engine->desire_also(ranks);
  }
  std::unique_lock lock(mutex);
  REQUIRE(changed.wait_for(lock, std::chrono::seconds(30), [&] { return ended == kRanks; }));
  std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  MESSAGE("stub engine: ", kRanks, " ranks in ", took.count(), " s, ", batches, " reports");
  CHECK(ran.size() == kRanks);
  CHECK(batches < kRanks / 10);
}

TEST_CASE("stub engine: stop, done, taken back") {
  base::SystemClock clock;
  auto engine = make_stub_engine(base::Duration::seconds(1000), clock);
  std::mutex mutex;
  std::condition_variable changed;
  std::map<std::uint64_t, core::RankSeen> last;
  EngineReports reports;
  reports.seen = [&](std::vector<core::RankSeen> seen) {
    std::lock_guard lock(mutex);
    for (auto& one : seen) last[one.job.low] = one;
    changed.notify_all();
  };
  REQUIRE(engine->start(reports));
  auto reaches = [&](std::uint64_t job, State state) {
    std::unique_lock lock(mutex);
    return changed.wait_for(lock, std::chrono::seconds(10),
                            [&] { return last.contains(job) && last[job].state == state; });
  };
  core::RankWork a, b;
  a.job = {0, 1};
  b.job = {0, 2};
  b.confirmed = true;
  engine->desire_whole({a, b});
  CHECK(reaches(1, State::running));
  CHECK(reaches(2, State::running));  // an earlier process's rank goes on
  a.want = Want::stop;
  engine->desire_also({a});
  CHECK(reaches(1, State::ended));
  CHECK(last[1].exit_code == 143);
  {
    std::lock_guard lock(mutex);
    last.clear();
  }
  engine->desire_whole({a});  // what is not yet done with is said again
  CHECK(reaches(1, State::ended));
}

TEST_CASE("minders: ours by their bundle's place, ended with what they hold, and nobody else") {
  Place place;
  const fs::path program = place.path / "conmon", store = place.path / "root";
  std::ofstream(program) << "#!/bin/sh\nsleep 1000 &\nwait\n";
  fs::permissions(program, fs::perms::owner_all);
  const auto start = [&](const std::string& id, const fs::path& where) {
    const std::string bundle = (where / "overlay-containers" / id / "userdata").string();
    const pid_t child = fork();
    if (child == 0) {
      execl(program.c_str(), "conmon", "-c", id.c_str(), "-b", bundle.c_str(), "-n", "job-x-1-0",
            nullptr);
      _exit(127);
    }
    return child;
  };
  const pid_t ours = start("abc", store), others = start("def", place.path / "rootless");
  const auto children = [](pid_t pid) {
    std::ifstream in(fmt::format("/proc/{0}/task/{0}/children", pid));
    int child = 0;
    return in >> child ? child : 0;
  };
  std::vector<Minder> found;
  while (found.empty() || children(ours) == 0 || children(others) == 0) found = minders_in(store);
  const int held = children(ours);
  REQUIRE(found.size() == 1);
  CHECK(found[0].pid == ours);
  CHECK(found[0].container_id == "abc");
  CHECK(found[0].name == "job-x-1-0");

  end_minder({ours, "other", "job-x-1-0"}, store);  // the number was given to another meanwhile
  CHECK(kill(ours, 0) == 0);
  end_minder(found[0], store);
  int status = 0;
  CHECK(waitpid(ours, &status, 0) == ours);
  CHECK(WIFSIGNALED(status));
  const auto sleeps = [held] {
    std::ifstream in(fmt::format("/proc/{}/comm", held));
    std::string name;
    return static_cast<bool>(in >> name) && name == "sleep";
  };
  while (sleeps()) {  // until whoever inherited it has waited for it, or a zombie is all there is
    std::ifstream in(fmt::format("/proc/{}/stat", held));
    std::string number, name, state;
    if (in >> number >> name >> state && state == "Z") break;
  }
  CHECK(minders_in(store).empty());
  CHECK(minders_in(place.path / "rootless").size() == 1);
  const int other = children(others);
  kill(others, SIGKILL);
  kill(other, SIGKILL);
  waitpid(others, &status, 0);
}
