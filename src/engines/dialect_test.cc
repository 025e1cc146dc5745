#include "engines/dialect.h"

#include <doctest/doctest.h>

#include <fmt/core.h>
#include <unistd.h>

#include <boost/json.hpp>
#include <filesystem>
#include <fstream>

#include "engines/exec_frames.h"
#include "engines/log_copy.h"

using namespace ampacity;
using namespace ampacity::engines;

namespace {

core::RankWork sample() {
  core::RankWork work;
  work.job_name = "job-06bx";
  work.generation = 2;
  work.rank = 1;
  work.size = 2;
  work.project = 3;
  work.image = "localhost/ampacity-tiny";
  work.command = {"/bin/sh", "-c", "echo \"x\""};
  work.env = {{"A", "b c"}, {"AMPACITY_RANK", "1"}};
  work.volumes = {{"data", "/data"}};
  work.cpu_milli = 1500;
  work.memory_mib = 64;
  return work;
}

CreateContext context() {
  CreateContext c;
  c.cloud = "x";
  c.boot = "b1";
  c.log_path = "/s/logs/job-06bx-2-1.log";
  c.nofile = 20000;
  c.nproc = 90000;
  c.host_cpu_milli = 2000;
  c.host_memory_mib = 32;
  return c;
}

// Recorded from podman 4.3.1 (runc, control groups v1).
constexpr const char* kPodmanInspect =
    R"({"Id":"0670cc91","Created":"2026-11-22T13:08:21.646646076Z","State":{)"
    R"("OciVersion":"1.0.2-dev",)"
    R"("Status":"exited","Running":false,"OOMKilled":false,)"
    R"("Pid":0,"ExitCode":7,"Error":"",)"
    R"("StartedAt":"2026-11-22T13:08:21.907006581Z",)"
    R"("FinishedAt":"2026-11-22T13:08:21.932276042Z"},)"
    R"("Name":"t1","Config":{"Hostname":"t1","Labels":{"ampacity.cloud":"x"}}})";
constexpr const char* kPodmanCreated =
    R"({"Id":"0259cde1","State":{"Status":"created","Running":false,"ExitCode":0,)"
    R"("StartedAt":"0001-01-01T00:00:00Z","FinishedAt":"0001-01-01T00:00:00Z"},)"
    R"("Config":{"Labels":null}})";
constexpr const char* kPodmanList =
    R"([{"AutoRemove":false,"Created":"2026-11-22T13:08:21.646646076Z","Exited":true,)"
    R"("ExitedAt":1795352901,"ExitCode":7,"Id":"0670","Labels":{"ampacity.cloud":"x",)"
    R"("ampacity.boot":"b0"},"Names":["t1"],"StartedAt":1795352901,"State":"exited"},)"
    R"({"Names":["t2"],"StartedAt":-62135596800,"State":"created","Labels":{}}])";
constexpr const char* kPodmanDied =
    R"({"status":"died","id":"0670","from":"localhost/ampacity-tiny:latest","Type":"container",)"
    R"("Action":"died","Actor":{"ID":"0670","Attributes":{"ampacity.cloud":"x",)"
    R"("containerExitCode":"7","image":"localhost/ampacity-tiny:latest","name":"t1","podId":""}},)"
    R"("scope":"local","time":1795352901,"timeNano":1795352901981518245})";

}  // namespace

TEST_CASE("podman: a rank becomes a create body with every bound") {
  auto request = podman_dialect()->create(sample(), context());
  CHECK(request.method == "POST");
  CHECK(request.target == "/v4.0.0/libpod/containers/create");
  auto body = boost::json::parse(request.body);
  CHECK(body.at("name").as_string() == "job-06bx-2-1");
  CHECK(body.at("cap_drop").at(0).as_string() == "ALL");
  CHECK(body.at("no_new_privileges").as_bool());
  CHECK(body.at("netns").at("nsmode").as_string() == "none");
  CHECK(body.at("restart_policy").as_string() == "no");
  CHECK(body.at("r_limits").at(0).at("hard").to_number<int>() == 20000);
  // min(nominal, host)
  CHECK(body.at("resource_limits").at("cpu").at("quota").to_number<int>() == 150'000);
  CHECK(body.at("resource_limits").at("memory").at("limit").to_number<int>() == 32 << 20);
  CHECK(body.at("resource_limits").at("pids").at("limit").to_number<int>() == 4096);
  auto map = body.at("idmappings").at("UIDMap").at(0);
  CHECK(map.at("host_id").to_number<int>() == 1'000'000 + 3 * 65536);
  CHECK(body.at("volumes").at(0).at("Name").as_string() == "amp-x-3-data");
  CHECK(body.at("log_configuration").at("path").as_string() == context().log_path);
  CHECK(body.at("labels").at("ampacity.boot").as_string() == "b1");
  CHECK(body.at("env").at("A").as_string() == "b c");
  CHECK_FALSE(body.as_object().contains("devices"));
  CHECK_FALSE(body.as_object().contains("mounts"));
}

TEST_CASE("podman: exactly the leased GPUs, and none for an emulated rank") {
  auto work = sample();
  work.gpu_uuids = {"GPU-a", "GPU-b"};
  auto body = boost::json::parse(podman_dialect()->create(work, context()).body);
  REQUIRE(body.at("devices").as_array().size() == 2);
  CHECK(body.at("devices").at(1).at("path").as_string() == "nvidia.com/gpu=GPU-b");
  work.emulated = true;
  body = boost::json::parse(podman_dialect()->create(work, context()).body);
  CHECK_FALSE(body.as_object().contains("devices"));
}

TEST_CASE("podman: a gang's network, with and without name service") {
  auto work = sample();
  work.network = "g1";
  auto body = boost::json::parse(podman_dialect()->create(work, context()).body);
  CHECK(body.at("netns").at("nsmode").as_string() == "bridge");
  auto attach = body.at("Networks").at("amp-x-g1");
  CHECK(attach.at("aliases").at(0).as_string() == "job-06bx-2-1");
  CHECK_FALSE(body.as_object().contains("hostadd"));
  auto fixed = context();
  fixed.subnet = "10.89.4.0/24";
  body = boost::json::parse(podman_dialect()->create(work, fixed).body);
  CHECK(body.at("Networks").at("amp-x-g1").at("static_ips").at(0).as_string() == "10.89.4.3");
  CHECK(body.at("hostadd").at(0).as_string() == "job-06bx-2-0:10.89.4.2");
  CHECK(fixed_address("10.89.4.0/24", 251).empty());
  CHECK(fixed_address("nonsense", 0).empty());
}

TEST_CASE("podman: recorded answers become structs") {
  auto dialect = podman_dialect();
  auto ended = dialect->parse_inspect(kPodmanInspect);
  REQUIRE(ended);
  CHECK(ended->state == ContainerState::ended);
  CHECK(ended->exit_code == 7);
  CHECK(ended->cloud == "x");
  CHECK(ended->started_at->us == 1795352901907006);
  CHECK(ended->ended_at->us == 1795352901932276);
  auto created = dialect->parse_inspect(kPodmanCreated);
  REQUIRE(created);
  CHECK(created->state == ContainerState::created);
  CHECK_FALSE(created->started_at.has_value());
  CHECK(created->cloud.empty());
  auto listed = dialect->parse_list(kPodmanList);
  REQUIRE(listed);
  REQUIRE(listed->size() == 2);
  CHECK((*listed)[0].name == "t1");
  CHECK((*listed)[0].ran);
  CHECK((*listed)[0].boot == "b0");
  CHECK((*listed)[0].state == ContainerState::ended);
  CHECK_FALSE((*listed)[1].ran);
  CHECK(dialect->parse_end_event(kPodmanDied) == "t1");
  CHECK_FALSE(dialect->parse_end_event(R"({"Type":"container","Action":"start"})").has_value());
  // What is no list must never be taken for an empty one.
  CHECK_FALSE(dialect->parse_list(R"({"message":"no"})").has_value());
  CHECK_FALSE(dialect->parse_list("").has_value());
  CHECK_FALSE(dialect->parse_list("[{").has_value());
  CHECK_FALSE(dialect->parse_inspect("{}").has_value());
  for (const auto* body : {R"({"message":"no"})", R"("x")", "7"})
    for (const auto& d : {podman_dialect(), docker_dialect()}) {
      CHECK_FALSE(d->parse_volumes(body).has_value());
      CHECK_FALSE(d->parse_networks(body).has_value());
    }
  CHECK(docker_dialect()->parse_volumes(R"({"Volumes":null})")->empty());
}

TEST_CASE("what engines say when they refuse") {
  auto dialect = podman_dialect();
  struct Row {
    int status;
    const char* body;
    Verdict verdict;
  };
  const Row rows[] = {
      {201, R"({"Id":"1"})", Verdict::ok},
      {304, "", Verdict::ok},
      {500,
       R"({"cause":"that name is already in use","message":"creating container storage: the )"
       R"(container name \"t1\" is already in use by 0670.","response":500})",
       Verdict::exists},
      {409, R"({"message":"Conflict. The container name \"/t1\" is already in use by container"})",
       Verdict::exists},
      {500, R"({"cause":"volume already exists","message":"volume with name v already exists"})",
       Verdict::exists},
      {500, R"({"cause":"image not known","message":"localhost/ampacity-nope: image not known"})",
       Verdict::no_image},
      {404, R"({"message":"No such image: nope:latest"})", Verdict::no_image},
      {404,
       R"({"cause":"no such container","message":"no container with name or ID \"t1\" found"})",
       Verdict::absent},
      {500, R"({"message":"runc: runc create failed"})", Verdict::refused},
  };
  for (const Row& row : rows) {
    CAPTURE(row.body);
    CHECK(dialect->judge(row.status, row.body) == row.verdict);
  }
  CHECK(dialect->pull_error("{\"stream\":\"Trying\"}\n{\"error\":\"no such host\"}\n") ==
        "no such host");
  CHECK_FALSE(dialect->pull_error("{\"stream\":\"Trying\"}\n{\"id\":\"1\"}\n").has_value());
}

TEST_CASE("docker: a rank becomes a create body of API v1.41") {
  auto work = sample();
  work.read_only_root = true;
  auto request = docker_dialect()->create(work, context());
  CHECK(request.target == "/v1.41/containers/create?name=job-06bx-2-1");
  auto body = boost::json::parse(request.body);
  auto host = body.at("HostConfig");
  CHECK(host.at("CapDrop").at(0).as_string() == "ALL");
  CHECK(host.at("SecurityOpt").at(0).as_string() == "no-new-privileges");
  CHECK(host.at("NetworkMode").as_string() == "none");
  CHECK(host.at("PidsLimit").to_number<int>() == 4096);
  CHECK(host.at("Memory").to_number<int>() == 32 << 20);
  CHECK(host.at("MemorySwap") == host.at("Memory"));
  CHECK(host.at("CpuQuota").to_number<int>() == 150'000);
  CHECK(host.at("Ulimits").at(0).at("Name").as_string() == "nofile");
  CHECK(host.at("ReadonlyRootfs").as_bool());
  CHECK(host.at("Mounts").at(0).at("Source").as_string() == "amp-x-3-data");
  CHECK(host.at("Mounts").at(0).at("Type").as_string() == "volume");
  CHECK(body.at("Env").at(0).as_string() == "A=b c");
  CHECK(body.at("Cmd").at(2).as_string() == "echo \"x\"");
  CHECK_FALSE(host.as_object().contains("Binds"));
  work.network = "g1";
  body = boost::json::parse(docker_dialect()->create(work, context()).body);
  CHECK(body.at("HostConfig").at("NetworkMode").as_string() == "amp-x-g1");
  CHECK(body.at("NetworkingConfig")
            .at("EndpointsConfig")
            .at("amp-x-g1")
            .at("Aliases")
            .at(0)
            .as_string() == "job-06bx-2-1");
}

TEST_CASE("docker: images, lists, events") {
  auto dialect = docker_dialect();
  CHECK(dialect->pull("alpine").target == "/v1.41/images/create?fromImage=alpine%3Alatest");
  CHECK(dialect->pull("h:5000/a").target == "/v1.41/images/create?fromImage=h%3A5000%2Fa%3Alatest");
  CHECK(dialect->import_image("localhost/ampacity-tiny").target ==
        "/v1.41/images/create?fromSrc=-&repo=localhost%2Fampacity-tiny&tag=latest");
  auto listed = dialect->parse_list(
      R"([{"Id":"1","Names":["/t1"],"State":"running","Labels":{"ampacity.boot":"b"}}])");
  REQUIRE(listed);
  CHECK(listed->at(0).name == "t1");
  CHECK(listed->at(0).state == ContainerState::running);
  auto died = dialect->parse_end_event(
      R"({"status":"die","Type":"container","Action":"die","Actor":{"Attributes":{"name":"t1"}}})");
  CHECK(died == "t1");
  auto volumes = dialect->parse_volumes(
      R"({"Volumes":[{"Name":"amp-x-3-data","Mountpoint":"/v","Labels":{"ampacity.project":"3",)"
      R"("ampacity.volume":"data"}}],"Warnings":null})");
  REQUIRE(volumes);
  CHECK(volumes->at(0).project == 3);
  CHECK(volumes->at(0).name == "data");
}

TEST_CASE("frames: split anywhere, the same bytes come out") {
  std::string wire;
  auto frame = [&wire](char stream, const std::string& text) {
    wire += std::string{stream, 0, 0, 0, 0, 0, 0, static_cast<char>(text.size())} + text;
  };
  frame(1, "hello ");
  frame(2, "err");
  frame(1, "");
  frame(1, "world");
  for (std::size_t piece = 1; piece <= wire.size(); piece++) {
    FrameReader reader;
    std::string out, err;
    for (std::size_t at = 0; at < wire.size(); at += piece) {
      REQUIRE(reader.feed(
          std::string_view(wire).substr(at, piece),
          [&](std::string_view bytes, bool is_err) { (is_err ? err : out).append(bytes); }));
    }
    CHECK(out == "hello world");
    CHECK(err == "err");
  }
  FrameReader reader;
  CHECK_FALSE(reader.feed("HTTP/1.1 200", [](std::string_view, bool) {}));
}

TEST_CASE("docker: a log in frames becomes the spool's lines") {
  std::string wire;
  auto frame = [&wire](char stream, const std::string& text) {
    wire += std::string{stream, 0, 0, 0, 0, 0, 0, static_cast<char>(text.size())} + text;
  };
  frame(1, "2026-11-22T13:08:21.9Z hello there\n");
  frame(2, "2026-11-22T13:08:22Z oops\n");
  frame(1, "2026-11-22T13:08:23Z \n");
  frame(1, "2026-11-22T13:08:24Z long");
  frame(1, "2026-11-22T13:08:24Z  line\n");
  frame(1, "2026-11-22T13:08:25Z unfin");
  CHECK(spool_text(wire) ==
        "2026-11-22T13:08:21.9Z stdout F hello there\n2026-11-22T13:08:22Z stderr F oops\n"
        "2026-11-22T13:08:23Z stdout F \n2026-11-22T13:08:24Z stdout P long\n"
        "2026-11-22T13:08:24Z stdout F  line\n2026-11-22T13:08:25Z stdout P unfin\n");
  CHECK_FALSE(podman_dialect()->logs("j", 0).has_value());
}

TEST_CASE("docker: a spool is continued where it ended") {
  char name[] = "/tmp/amp-spool-XXXXXX";
  std::filesystem::path dir = mkdtemp(name);
  auto line = [](int second, int part, const std::string& text) {
    return fmt::format("2026-11-22T13:08:{:02}.{:09}Z stdout F {}\n", second, part, text);
  };
  auto end = spool_end(dir / "j.log");
  REQUIRE(end);
  CHECK(end->since_s == 0);
  CHECK(spool_news(*end, line(1, 0, "a")) == line(1, 0, "a"));
  std::string old;
  for (int i = 0; i < 5000; i++) old += line(5, i, std::string(50, 'x'));
  // The streams' stamps cross: 8.3 came into the log after 8.5.
  std::string recent = line(7, 1, "b") + line(8, 5, "c") + line(8, 3, "d");
  std::ofstream(dir / "j.log") << old << recent;
  end = spool_end(dir / "j.log");
  REQUIRE(end);
  CHECK(end->window == recent);
  CHECK(end->since_s == base::parse_instant("2026-11-22T13:08:07Z")->us / 1'000'000);
  CHECK(spool_news(*end, recent).empty());
  CHECK(spool_news(*end, recent + line(8, 4, "e")) == line(8, 4, "e"));
  // The engine began its log anew.
  CHECK(spool_news(*end, line(8, 3, "d") + line(9, 0, "f")) == line(9, 0, "f"));
  // Stamps that go back, or that lie ahead, do not tell what is new: then all of it is asked for.
  const auto at = [&line](int s) { return *base::parse_instant(line(s, 0, "").substr(0, 30)); };
  CHECK(in_order(recent, at(9)));
  CHECK(in_order("", at(0)));
  CHECK_FALSE(in_order(recent, at(7)));
  CHECK_FALSE(in_order(recent + line(3, 0, "g"), at(9)));
  const auto all = spool_whole(dir / "j.log");
  REQUIRE(all);
  CHECK(all->since_s == 0);
  CHECK(spool_news(*all, old + recent + line(3, 0, "g")) == line(3, 0, "g"));
  std::filesystem::remove_all(dir);
}

TEST_CASE("docker: how its daemon is set up") {
  auto facts =
      docker_dialect()->parse_daemon(R"({"CgroupDriver":"systemd","LiveRestoreEnabled":false})");
  REQUIRE(facts);
  CHECK_FALSE(facts->cgroups_by_path);
  CHECK_FALSE(facts->live_restore);
  facts =
      docker_dialect()->parse_daemon(R"({"CgroupDriver":"cgroupfs","LiveRestoreEnabled":true})");
  CHECK(facts->cgroups_by_path);
  CHECK(facts->live_restore);
}
