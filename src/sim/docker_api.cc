#include <fmt/core.h>

#include <boost/json.hpp>

#include "engines/dialect.h"
#include "sim/container_api.h"
#include "sim/fake_containers.h"

namespace ampacity::sim {
namespace {

namespace json = boost::json;
using State = FakeContainer::State;

constexpr std::string_view docker_prefix = "/v1.41";
constexpr const char* docker_no_time = "0001-01-01T00:00:00Z";

net::Response docker_said(int status, const std::string& message) {
  return {
      status, "application/json", json::serialize(json::object{{"message", message}}) + "\n", {}};
}
net::Response docker_body(const json::value& v, int status = 200) {
  return {status, "application/json", json::serialize(v) + "\n", {}};
}
const net::Response done{204, "", "", {}};

std::string docker_text(const json::value& v, std::string_view key) {
  const json::value* at = v.is_object() ? v.as_object().if_contains(key) : nullptr;
  return at && at->is_string() ? std::string(at->as_string()) : std::string();
}
const char* docker_word(State state) {
  return state == State::created ? "created" : state == State::running ? "running" : "exited";
}
// As it is known without the tag it was asked for by.
std::string without_latest(std::string image) {
  if (image.ends_with(":latest")) image.resize(image.size() - 7);
  return image;
}

json::object labels_of(const FakeContainer& c) {
  return {{engines::kBootLabel, c.boot}, {engines::kCloudLabel, c.cloud}};
}

net::Response docker_list(const FakeContainers& engine) {
  json::array all;
  for (const FakeContainer* c : engine.listed())
    all.push_back(json::object{{"Id", c->id},
                               {"Names", json::array{"/" + c->name}},
                               {"Image", c->image},
                               {"Ports", json::array{}},
                               {"Labels", labels_of(*c)},
                               {"State", docker_word(c->state)},
                               {"Mounts", json::array{}}});
  return docker_body(all);
}

net::Response docker_inspect(const FakeContainer& c) {
  const auto written = [](base::Instant t, bool there) {
    return there ? base::format_instant(t) : std::string(docker_no_time);
  };
  return docker_body(json::object{
      {"Id", c.id},
      {"State", json::object{{"Status", docker_word(c.state)},
                             {"Running", c.state == State::running},
                             {"Paused", false},
                             {"Restarting", false},
                             {"OOMKilled", false},
                             {"Dead", false},
                             {"Pid", c.pid},
                             {"ExitCode", c.exit_code},
                             {"Error", ""},
                             {"StartedAt", written(c.started_at, c.started_at.us != 0)},
                             {"FinishedAt", written(c.ended_at, c.state == State::exited)}}},
      {"Name", "/" + c.name},
      {"Config", json::object{{"Labels", labels_of(c)}}}});
}

net::Response docker_create(FakeContainers& engine, const std::string& name,
                            const std::string& body) {
  boost::system::error_code bad;
  const json::value spec = json::parse(body, bad);
  if (bad || name.size() < 2)
    return docker_said(
        400, "Invalid container name (" + name + "), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed");
  FakeContainer c;
  c.name = name;
  c.image = without_latest(docker_text(spec, "Image"));
  if (const auto* labels = spec.as_object().if_contains("Labels")) {
    c.cloud = docker_text(*labels, engines::kCloudLabel);
    c.boot = docker_text(*labels, engines::kBootLabel);
  }
  std::string id;
  switch (engine.make(c, id)) {
    case FakeContainers::Made::taken:
      return docker_said(
          409, fmt::format("Conflict. The container name \"/{}\" is already in use by container "
                           "\"{}\". You have to remove (or rename) that container to be able to "
                           "reuse that name.",
                           name, id));
    case FakeContainers::Made::no_image:
      return docker_said(404, "No such image: " + c.image + ":latest");
    default:
      break;
  }
  return docker_body(json::object{{"Id", id}, {"Warnings", json::array{}}}, 201);
}

// Of each line a frame, of what it wrote the text behind "STAMP stdout F ".
net::Response logs(const FakeContainers& engine, const FakeContainer& c, std::string_view since) {
  const std::string lines = engine.log_of(c, std::atoll(std::string(since).c_str()));
  std::string framed;
  for (std::size_t at = 0; at < lines.size();) {
    const std::size_t end = lines.find('\n', at);
    std::string line = lines.substr(at, end - at);
    const std::size_t stamp = line.find(' ');
    line = line.substr(0, stamp) + line.substr(line.find(" F ") + 2) + "\n";
    const auto n = static_cast<std::uint32_t>(line.size());
    framed += {1, 0, 0, 0};
    for (int shift = 24; shift >= 0; shift -= 8) framed += static_cast<char>(n >> shift & 0xff);
    framed += line;
    at = end + 1;
  }
  return {200, "application/octet-stream", framed, {}};
}

net::Response images(FakeContainers& engine, const net::Request& request, std::string_view path) {
  const net::Target target = net::parse_target(request.target);
  if (path == "/images/create") {
    const bool pulls = !target.param("fromImage").empty();
    const std::string name =
        pulls ? std::string(target.param("fromImage")) : std::string(target.param("repo"));
    if (engine.pull(without_latest(name)))
      return {200, "application/json", "{\"status\":\"sha256:489af38eed09e83b\"}\r\n", {}};
    return docker_said(500, "Get \"https://registry.example/v2/\": dial tcp: connection refused");
  }
  path.remove_prefix(8);
  path.remove_suffix(5);  // "/json"
  const std::string name = without_latest(std::string(path));
  if (engine.images.contains(name))
    return docker_body(json::object{{"Id", "sha256:489af38eed09e83b"}});
  return docker_said(404, fmt::format("no such image: {0}: No such image: {0}:latest", name));
}

net::Response networks(FakeContainers& engine, const net::Request& request, std::string_view path) {
  boost::system::error_code bad;
  if (path == "/networks/create") {
    const std::string name = docker_text(json::parse(request.body, bad), "Name");
    if (!engine.networks.insert(name).second)
      return docker_said(409, "network with name " + name + " already exists");
    return docker_body(json::object{{"Id", "79620bcb849fef30"}, {"Warning", ""}}, 201);
  }
  if (path == "/networks") {
    json::array all;
    for (const std::string& n : engine.networks)
      all.push_back(json::object{{"Name", n}, {"Id", "79620bcb849fef30"}, {"Driver", "bridge"}});
    return docker_body(all);
  }
  path.remove_prefix(10);
  if (engine.networks.erase(std::string(path))) return done;
  return docker_said(404, fmt::format("network {} not found", path));
}

net::Response volumes(FakeContainers& engine, const net::Request& request, std::string_view path) {
  boost::system::error_code bad;
  if (path == "/volumes/create") {
    const std::string name = docker_text(json::parse(request.body, bad), "Name");
    engine.volumes.insert(name);
    return docker_body(json::object{{"Name", name}, {"Driver", "local"}, {"Scope", "local"}}, 201);
  }
  if (path == "/volumes") {
    json::array all;
    for (const std::string& v : engine.volumes) all.push_back(json::object{{"Name", v}});
    return docker_body(json::object{{"Volumes", all}, {"Warnings", nullptr}});
  }
  path.remove_prefix(9);
  if (engine.volumes.erase(std::string(path))) return done;
  return docker_said(404, fmt::format("get {}: no such volume", path));
}

class Docker final : public ContainerApi {
 public:
  bool of_our_own_service() const override { return false; }
  net::Response unavailable() const override { return docker_said(503, "service unavailable"); }
  net::Response serve(FakeContainers& engine, const net::Request& request) const override {
    const net::Target target = net::parse_target(request.target);
    std::string_view path = target.path;
    if (!path.starts_with(docker_prefix)) return docker_said(404, "page not found");
    path.remove_prefix(docker_prefix.size());
    if (path == "/version") return docker_body(json::object{{"Version", "20.10.24+dfsg1"}});
    if (path == "/info")
      return docker_body(json::object{{"CgroupDriver", "cgroupfs"}, {"LiveRestoreEnabled", true}});
    if (path == "/containers/json") return docker_list(engine);
    if (path == "/containers/create")
      return docker_create(engine, std::string(target.param("name")), request.body);
    if (path.starts_with("/images/")) return images(engine, request, path);
    if (path.starts_with("/networks")) return networks(engine, request, path);
    if (path.starts_with("/volumes")) return volumes(engine, request, path);
    if (!path.starts_with("/containers/")) return docker_said(404, "page not found");
    path.remove_prefix(12);
    const std::string name(path.substr(0, path.find('/')));
    const std::string_view verb = path.size() > name.size() ? path.substr(name.size() + 1) : "";
    return container(engine, request.method, name, verb, target);
  }
  std::string event(const FakeContainer& c, bool end) const override {
    const char* action = end ? "die" : "destroy";
    return json::serialize(json::object{
        {"status", action},
        {"id", c.id},
        {"from", c.image},
        {"Type", "container"},
        {"Action", action},
        {"Actor", json::object{{"ID", c.id}, {"Attributes", json::object{{"name", c.name}}}}},
        {"scope", "local"}});
  }

 private:
  static net::Response container(FakeContainers& engine, const std::string& method,
                                 const std::string& name, std::string_view verb,
                                 const net::Target& target) {
    FakeContainer* c = engine.find(name);
    const std::string nobody = "No such container: " + name;
    const std::string why = verb == "kill" ? "Cannot kill container: " + name + ": " : "";
    if (!c) return docker_said(404, why + nobody);
    if (method == "DELETE") {
      if (c->state == State::running && target.param("force") != "true")
        return docker_said(409,
                           "You cannot remove a running container " + c->id +
                               ". Stop the container before attempting removal or force remove");
      engine.remove(name);
      return done;
    }
    if (verb == "json") return docker_inspect(*c);
    if (verb == "logs") return logs(engine, *c, target.param("since"));
    if (verb == "start") {
      const auto started = engine.start(*c);
      if (started == FakeContainers::Started::already) return {304, "", "", {}};
      if (started == FakeContainers::Started::refused) return docker_said(500, "resource busy");
      return done;
    }
    if (verb != "kill") return docker_said(404, "page not found");
    if (engine.signal(*c, target.param("signal"))) return done;
    return docker_said(409, why + "Container " + c->id + " is not running");
  }
};

}  // namespace

std::unique_ptr<ContainerApi> docker_api() { return std::make_unique<Docker>(); }

}  // namespace ampacity::sim
