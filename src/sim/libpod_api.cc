#include <fmt/core.h>

#include <boost/json.hpp>

#include "engines/dialect.h"
#include "sim/container_api.h"
#include "sim/fake_containers.h"

namespace ampacity::sim {
namespace {

namespace json = boost::json;
using State = FakeContainer::State;

constexpr std::string_view prefix = "/v4.0.0/libpod";
constexpr const char* no_time = "0001-01-01T00:00:00Z";

net::Response said(int status, const std::string& message) {
  return {
      status,
      "application/json",
      json::serialize(json::object{{"cause", message}, {"message", message}, {"response", status}}),
      {}};
}
net::Response body_of(const json::value& v, int status = 200) {
  return {status, "application/json", json::serialize(v), {}};
}
std::string text_at(const json::value& v, std::string_view key) {
  const json::value* at = v.is_object() ? v.as_object().if_contains(key) : nullptr;
  return at && at->is_string() ? std::string(at->as_string()) : std::string();
}
const char* word(State state) {
  return state == State::created ? "created" : state == State::running ? "running" : "exited";
}

net::Response list(const FakeContainers& engine) {
  json::array all;
  for (const FakeContainer* c : engine.listed()) {
    const std::int64_t started = c->started_at.us ? c->started_at.us / 1'000'000 : -62'135'596'800;
    all.push_back(json::object{{"Id", c->id},
                               {"Names", json::array{c->name}},
                               {"State", word(c->state)},
                               {"StartedAt", started},
                               {"Labels", json::object{{engines::kCloudLabel, c->cloud},
                                                       {engines::kBootLabel, c->boot}}}});
  }
  return body_of(all);
}

net::Response inspect(const FakeContainer& c) {
  const auto written = [](base::Instant t, bool there) {
    return there ? base::format_instant(t) : std::string(no_time);
  };
  return body_of(json::object{
      {"Id", c.id},
      {"Name", c.name},
      {"Config", json::object{{"Labels", json::object{{engines::kCloudLabel, c.cloud}}}}},
      {"State", json::object{{"Status", word(c.state)},
                             {"Running", c.state == State::running},
                             {"Pid", c.pid},
                             {"ExitCode", c.exit_code},
                             {"OOMKilled", false},
                             {"Error", ""},
                             {"StartedAt", written(c.started_at, c.started_at.us != 0)},
                             {"FinishedAt", written(c.ended_at, c.state == State::exited)}}}});
}

net::Response create(FakeContainers& engine, const std::string& body) {
  boost::system::error_code bad;
  const json::value spec = json::parse(body, bad);
  FakeContainer c;
  c.name = text_at(spec, "name");
  if (bad || c.name.empty()) return said(500, "invalid container spec");
  c.image = text_at(spec, "image");
  if (const auto* labels = spec.as_object().if_contains("labels")) {
    c.cloud = text_at(*labels, engines::kCloudLabel);
    c.boot = text_at(*labels, engines::kBootLabel);
  }
  std::string id;
  switch (engine.make(c, id)) {
    case FakeContainers::Made::taken:
      return said(500,
                  fmt::format("creating container storage: the container name \"{}\" is already in "
                              "use by {}. You have to remove that container to be able to reuse "
                              "that name: that name is already in use",
                              c.name, id));
    case FakeContainers::Made::no_image:
      return said(404, c.image + ": image not known");
    case FakeContainers::Made::died:
      return said(503, "podman died");
    case FakeContainers::Made::ok:
      break;
  }
  return body_of(json::object{{"Id", id}, {"Warnings", json::array{}}}, 201);
}

net::Response start(FakeContainers& engine, FakeContainer& c) {
  switch (engine.start(c)) {
    case FakeContainers::Started::already:
      return {304, "", "", {}};
    case FakeContainers::Started::refused:
      return said(500, "starting the container: resource busy");
    case FakeContainers::Started::died:
      return said(503, "podman died");
    case FakeContainers::Started::ok:
      break;
  }
  return {204, "", "", {}};
}

// Images, networks, volumes: only whether they are there.
net::Response things(FakeContainers& engine, const net::Request& request, std::string_view path) {
  const net::Target target = net::parse_target(request.target);
  if (path == "/images/pull") {
    if (engine.pull(std::string(target.param("reference"))))
      return body_of(json::object{{"id", "0"}});
    return {200, "application/json", "{\"error\":\"initializing source: registry said no\"}\n", {}};
  }
  if (path.starts_with("/images/") && path.ends_with("/exists")) {
    path.remove_prefix(8);
    path.remove_suffix(7);
    return engine.images.contains(std::string(path)) ? net::Response{204, "", "", {}}
                                                     : said(404, "image not known");
  }
  boost::system::error_code bad;
  if (path == "/networks/create") {
    const std::string name = text_at(json::parse(request.body, bad), "name");
    if (!engine.networks.insert(name).second)
      return said(409, "network name " + name + " already used: network already exists");
    return body_of(json::object{{"name", name}});
  }
  if (path == "/networks/json") {
    json::array all;
    for (const std::string& n : engine.networks)
      all.push_back(json::object{
          {"name", n}, {"subnets", json::array{json::object{{"subnet", "10.89.0.0/24"}}}}});
    return body_of(all);
  }
  if (path.starts_with("/networks/")) {
    path.remove_prefix(10);
    return engine.networks.erase(std::string(path)) ? body_of(json::array{})
                                                    : said(404, "no such network");
  }
  if (path.starts_with("/volumes/"))
    return body_of(json::array{}, path.ends_with("create") ? 201 : 200);
  return said(404, "no such path");
}

class Libpod final : public ContainerApi {
 public:
  bool of_our_own_service() const override { return true; }
  net::Response unavailable() const override { return said(503, "service unavailable"); }
  net::Response serve(FakeContainers& engine, const net::Request& request) const override {
    const net::Target target = net::parse_target(request.target);
    std::string_view path = target.path;
    if (!path.starts_with(prefix)) return said(404, "no such path");
    path.remove_prefix(prefix.size());
    if (path == "/version") return body_of(json::object{{"Version", "4.3.1"}});
    if (path == "/containers/json") return list(engine);
    if (path == "/containers/create") return create(engine, request.body);
    if (!path.starts_with("/containers/")) return things(engine, request, path);
    path.remove_prefix(12);
    const std::string name(path.substr(0, path.find('/')));
    const std::string_view verb = path.size() > name.size() ? path.substr(name.size() + 1) : "";
    const auto nobody = [&name] {
      return said(
          404, fmt::format("no container with name or ID \"{}\" found: no such container", name));
    };
    if (request.method == "DELETE")
      return engine.remove(name) ? body_of(json::array{json::object{{"Id", name}}}) : nobody();
    FakeContainer* c = engine.find(name);
    if (!c) return nobody();
    if (verb == "json") return inspect(*c);
    if (verb == "start") return start(engine, *c);
    if (verb != "kill") return said(404, "no such path");
    if (engine.signal(*c, target.param("signal"))) return {204, "", "", {}};
    return said(409, "can only kill running containers. " + c->id +
                         " is in state exited: container state improper");
  }
  std::string event(const FakeContainer& c, bool end) const override {
    return json::serialize(json::object{
        {"Type", "container"},
        {"Action", end ? "died" : "remove"},
        {"Actor", json::object{{"ID", c.id}, {"Attributes", json::object{{"name", c.name}}}}}});
  }
};

}  // namespace

std::unique_ptr<ContainerApi> libpod_api() { return std::make_unique<Libpod>(); }

}  // namespace ampacity::sim
