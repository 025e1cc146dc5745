#include "sim/fake_podman.h"

#include <fmt/core.h>

#include <algorithm>
#include <boost/json.hpp>

#include "engines/dialect.h"

namespace ampacity::sim {
namespace {

namespace json = boost::json;

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

}  // namespace

FakePodman::FakePodman(Fibres& fibres, base::Prng& prng) : fibres_(fibres), prng_(prng) {
  images_.insert("localhost/ampacity-tiny");
}

bool FakePodman::drawn(std::uint32_t of_1000) {
  return of_1000 > 0 && prng_.next() % 1000 < of_1000;
}

std::size_t FakePodman::running() const {
  return static_cast<std::size_t>(std::ranges::count_if(
      containers_, [](const auto& c) { return c.second.state == State::running; }));
}

std::set<std::string> FakePodman::names() const {
  std::set<std::string> all;
  for (const auto& [name, c] : containers_) all.insert(name);
  return all;
}

// ---- one request ------------------------------------------------------------------------------

FakePodman::Answer FakePodman::answer(const net::Request& request) {
  ++requests_;
  const auto half = static_cast<std::int64_t>(
      prng_.next() % static_cast<std::uint64_t>(std::max<std::int64_t>(faults.slowest.us / 2, 2)));
  base::sleep_for({half + 50});
  if (fibres_.now() < unreachable_until_ || drawn(faults.unreachable))
    return base::fault("could not connect to the simulated podman");
  if (drawn(faults.unavailable)) return said(503, "service unavailable");
  net::Response response = serve(request);
  if (trace)
    trace(fmt::format("  podman {} {} -> {}", request.method, request.target.substr(0, 120),
                      response.status));
  base::sleep_for({half + 50});
  if (fibres_.now() < unreachable_until_ || drawn(faults.reply_lost))
    return base::fault("the connection ended before the answer");
  if (request.target.find("/containers/json?") != std::string::npos && drawn(faults.list_cut))
    response.body.resize(response.body.size() / 2);
  return response;
}

net::Response FakePodman::serve(const net::Request& request) {
  const net::Target target = net::parse_target(request.target);
  std::string_view path = target.path;
  if (!path.starts_with(prefix)) return said(404, "no such path");
  path.remove_prefix(prefix.size());
  if (path == "/version") return body_of(json::object{{"Version", "4.3.1"}});
  if (path == "/containers/json") return list();
  if (path == "/containers/create") return create(request.body);
  if (!path.starts_with("/containers/")) return things(request, path);
  path.remove_prefix(12);
  const std::string name(path.substr(0, path.find('/')));
  const std::string_view verb = path.size() > name.size() ? path.substr(name.size() + 1) : "";
  const auto found = containers_.find(name);
  if (request.method == "DELETE" && half_made_.erase(name)) return body_of(json::array{});
  if (found == containers_.end() || found->second.hidden)
    return said(404,
                fmt::format("no container with name or ID \"{}\" found: no such container", name));
  Container& c = found->second;
  if (verb == "json") return inspect(c);
  if (verb == "start") return start(c);
  if (verb == "kill") return kill(c, target.param("signal"));
  if (request.method == "DELETE") {
    if (c.state == State::running) end(name, 137);
    say(c, "remove");
    containers_.erase(found);
    return body_of(json::array{json::object{{"Id", name}}});
  }
  return said(404, "no such path");
}

net::Response FakePodman::list() const {
  json::array all;
  for (const auto& [name, c] : containers_) {
    if (c.hidden) continue;
    const char* state = c.state == State::created   ? "created"
                        : c.state == State::running ? "running"
                                                    : "exited";
    const std::int64_t started =
        c.started_at.us ? its_time(c.started_at).us / 1'000'000 : -62'135'596'800;
    all.push_back(json::object{
        {"Id", c.id},
        {"Names", json::array{name}},
        {"State", state},
        {"StartedAt", started},
        {"Labels", json::object{{engines::kCloudLabel, c.cloud}, {engines::kBootLabel, c.boot}}}});
  }
  return body_of(all);
}

net::Response FakePodman::inspect(const Container& c) const {
  const bool ran = c.started_at.us != 0;
  const char* status = c.state == State::created   ? "created"
                       : c.state == State::running ? "running"
                                                   : "exited";
  return body_of(json::object{
      {"Id", c.id},
      {"Name", c.name},
      {"Config", json::object{{"Labels", json::object{{engines::kCloudLabel, c.cloud}}}}},
      {"State",
       json::object{
           {"Status", status},
           {"Running", c.state == State::running},
           {"Pid", c.pid},
           {"ExitCode", c.exit_code},
           {"OOMKilled", false},
           {"Error", ""},
           {"StartedAt", ran ? base::format_instant(its_time(c.started_at)) : no_time},
           {"FinishedAt",
            c.state == State::exited ? base::format_instant(its_time(c.ended_at)) : no_time}}}});
}

net::Response FakePodman::create(const std::string& body) {
  boost::system::error_code bad;
  const json::value spec = json::parse(body, bad);
  const std::string name = text_at(spec, "name");
  if (bad || name.empty()) return said(500, "invalid container spec");
  if (containers_.contains(name) || half_made_.contains(name))
    return said(
        500, fmt::format("creating container storage: the container name \"{}\" is already "
                         "in use by {}. You have to remove that container to be able to "
                         "reuse that name: that name is already in use",
                         name, containers_.contains(name) ? containers_.at(name).id : "storage"));
  const std::string image = text_at(spec, "image");
  if (!images_.contains(image)) return said(404, image + ": image not known");
  if (drawn(faults.half_made)) {
    half_made_.insert(name);
    return said(503, "podman died");
  }
  Container c;
  c.name = name;
  c.id = fmt::format("{:016x}{:016x}", prng_.next(), lives_ + 1);
  c.image = image;
  if (const auto* labels = spec.as_object().if_contains("labels")) {
    c.cloud = text_at(*labels, engines::kCloudLabel);
    c.boot = text_at(*labels, engines::kBootLabel);
  }
  c.ignores_term = drawn(faults.term_ignored);
  const std::string id = c.id;
  containers_.emplace(name, std::move(c));
  return body_of(json::object{{"Id", id}, {"Warnings", json::array{}}}, 201);
}

net::Response FakePodman::start(Container& c) {
  if (c.state == State::running) return {304, "", "", {}};
  if (drawn(faults.start_refused)) return said(500, "starting the container: resource busy");
  if (drawn(faults.start_idle)) return {204, "", "", {}};
  if (drawn(faults.half_started)) {
    logs_.insert(c.name);
    return said(503, "podman died");
  }
  c.state = State::running;
  c.started_at = fibres_.now();
  c.pid = ++last_pid_;
  c.life = ++lives_;
  logs_.insert(c.name);
  const auto before = std::ranges::find(runs_, c.name, &Run::name);
  if (before != runs_.end()) ++before->starts;
  c.run = runs_.size();
  runs_.push_back({c.name, c.started_at, std::nullopt, 1});
  const auto span = static_cast<std::uint64_t>(longest_run.us - shortest_run.us + 1);
  base::Duration length =
      shortest_run + base::Duration{static_cast<std::int64_t>(prng_.next() % span)};
  const bool dies = drawn(faults.dies);
  if (dies)
    length.us = static_cast<std::int64_t>(prng_.next() % static_cast<std::uint64_t>(length.us));
  fibres_.at(c.started_at + length, [this, name = c.name, life = c.life, dies] {
    const auto found = containers_.find(name);
    if (found != containers_.end() && found->second.life == life) end(name, dies ? 1 : 0);
  });
  return {204, "", "", {}};
}

net::Response FakePodman::kill(Container& c, std::string_view signal) {
  if (c.state != State::running)
    return said(409, "can only kill running containers. " + c.id +
                         " is in state exited: container "
                         "state improper");
  if (signal == "KILL" || !c.ignores_term) {
    const int code = signal == "KILL" ? 137 : 143;
    const auto when =
        fibres_.now() + base::Duration::millis(static_cast<std::int64_t>(prng_.next() % 900));
    fibres_.at(when, [this, name = c.name, life = c.life, code] {
      const auto found = containers_.find(name);
      if (found != containers_.end() && found->second.life == life) end(name, code);
    });
  }
  return {204, "", "", {}};
}

// Images, networks, volumes: only whether they are there.
net::Response FakePodman::things(const net::Request& request, std::string_view path) {
  const net::Target target = net::parse_target(request.target);
  if (path == "/images/pull") {
    if (drawn(faults.pull_fails))
      return {
          200, "application/json", "{\"error\":\"initializing source: registry said no\"}\n", {}};
    images_.insert(std::string(target.param("reference")));
    return body_of(json::object{{"id", "0"}});
  }
  if (path.starts_with("/images/") && path.ends_with("/exists")) {
    path.remove_prefix(8);
    path.remove_suffix(7);
    return images_.contains(std::string(path)) ? net::Response{204, "", "", {}}
                                               : said(404, "image not known");
  }
  boost::system::error_code bad;
  if (path == "/networks/create") {
    const std::string name = text_at(json::parse(request.body, bad), "name");
    if (!networks_.insert(name).second)
      return said(409, "network name " + name + " already used: network already exists");
    return body_of(json::object{{"name", name}});
  }
  if (path == "/networks/json") {
    json::array all;
    for (const std::string& n : networks_)
      all.push_back(json::object{
          {"name", n}, {"subnets", json::array{json::object{{"subnet", "10.89.0.0/24"}}}}});
    return body_of(all);
  }
  if (path.starts_with("/networks/")) {
    path.remove_prefix(10);
    return networks_.erase(std::string(path)) ? body_of(json::array{})
                                              : said(404, "no such network");
  }
  if (path.starts_with("/volumes/"))
    return body_of(json::array{}, path.ends_with("create") ? 201 : 200);
  return said(404, "no such path");
}

// ---- lives ------------------------------------------------------------------------------------

void FakePodman::end(const std::string& name, int exit_code) {
  Container& c = containers_.at(name);
  if (c.state != State::running) return;
  c.state = State::exited;
  c.ended_at = fibres_.now();
  c.exit_code = exit_code;
  c.pid = 0;
  runs_[c.run].until = c.ended_at;
  if (!c.hidden) say(c, "died");
}

void FakePodman::say(const Container& c, const char* action) {
  if (drawn(faults.event_lost)) return;
  const std::string line =
      json::serialize(json::object{
          {"Type", "container"},
          {"Action", action},
          {"Actor", json::object{{"ID", c.id}, {"Attributes", json::object{{"name", c.name}}}}}}) +
      "\n";
  events_.push_back(line);
  if (drawn(faults.event_twice)) events_.push_back(line);
  fibres_.wake(&events_);
}

std::vector<std::string> FakePodman::seen_names() const {
  std::vector<std::string> all;
  for (const auto& [name, c] : containers_)
    if (!c.hidden) all.push_back(name);
  return all;
}

void FakePodman::lose_one() {
  const auto all = seen_names();
  if (all.empty()) return;
  const std::string& name = all[prng_.next() % all.size()];
  end(name, 137);
  containers_.erase(name);
}

void FakePodman::lose_all() {
  for (const std::string& name : seen_names()) end(name, 137);
  containers_.clear();
}

void FakePodman::hide_one(base::Duration how_long) {
  const auto all = seen_names();
  if (all.empty()) return;
  const std::string name = all[prng_.next() % all.size()];
  containers_.at(name).hidden = true;
  fibres_.at(fibres_.now() + how_long, [this, name] {
    const auto found = containers_.find(name);
    if (found != containers_.end()) found->second.hidden = false;
  });
}

void FakePodman::reboot() {
  for (const std::string& name : seen_names()) end(name, 143);
  ++boots_;
}

void FakePodman::stray() {
  Container c;
  if (containers_.empty()) return;
  c = containers_.begin()->second;
  if (c.hidden) return;
  c.name = fmt::format("stray-{}", ++lives_);
  c.id = fmt::format("{:032x}", prng_.next());
  c.state = State::created;
  c.started_at = {};
  c.pid = 0;
  c.life = 0;
  containers_.emplace(c.name, c);
}

void FakePodman::heal() {
  faults = {};
  unreachable_until_ = {};
  for (auto& [name, c] : containers_) c.hidden = false;
}

// ---- the machine ------------------------------------------------------------------------------

class FakeTransport final : public net::Transport {
 public:
  explicit FakeTransport(FakePodman& podman) : podman_(podman) {}
  base::Try<net::Response> call(const net::Request& request, const net::CallOptions& o) override {
    if (o.cancel && *o.cancel) return base::fault("cancelled");
    return podman_.answer(request);
  }
  // The events, until something breaks.
  base::Try<net::Response> stream(const net::Request&,
                                  const std::function<bool(std::string_view)>& on_bytes,
                                  const net::CallOptions& o) override {
    std::size_t next = podman_.events_.size();
    while (!(o.cancel && *o.cancel)) {
      if (podman_.fibres_.now() < podman_.unreachable_until_) return base::fault("cut off");
      if (next < podman_.events_.size()) {
        const std::string line = podman_.events_[next++];
        if (!on_bytes(line)) break;
        continue;
      }
      (void)base::scheduler->park(&podman_.events_, base::Duration::seconds(5));
    }
    return net::Response{};
  }
  base::Try<net::Response> upload(const net::Request& request,
                                  const std::function<std::string()>& next,
                                  const net::CallOptions& o) override {
    while (!next().empty()) {
    }
    return call(request, o);
  }

 private:
  FakePodman& podman_;
};

class FakeHost final : public engines::ContainerHost {
 public:
  explicit FakeHost(FakePodman& podman) : podman_(podman) {}
  std::unique_ptr<net::Transport> connect() override {
    return std::make_unique<FakeTransport>(podman_);
  }
  net::Peer peer() const override { return {"http://simulated", {}}; }
  bool owns_service() const override { return true; }
  base::Try<void> ensure_service() override { return {}; }
  bool service_alive() const override { return true; }
  engines::HostAllows allows() override {
    engines::HostAllows h;
    h.boot = fmt::format("boot-{}", podman_.boots_);
    h.user_namespaces = true;
    return h;
  }
  base::Try<void> bound_group(const std::string&) override { return {}; }
  bool kill_contained(int pid, const std::string& id) override {
    for (const auto& [name, c] : podman_.containers_) {
      if (c.pid != pid || c.id != id || pid == 0) continue;
      podman_.fibres_.at(podman_.fibres_.now() + base::Duration::millis(3),
                         [&podman = podman_, name, life = c.life] {
                           const auto found = podman.containers_.find(name);
                           if (found != podman.containers_.end() && found->second.life == life)
                             podman.end(name, 137);
                         });
      return true;
    }
    return false;
  }
  bool oom_killed(const std::string&) const override { return false; }
  base::Try<void> make_log_directory() override { return {}; }
  bool has_log(const std::string& path) const override {
    const auto slash = path.rfind('/');
    std::string name = path.substr(slash == std::string::npos ? 0 : slash + 1);
    if (name.ends_with(".log")) name.resize(name.size() - 4);
    return podman_.logs_.contains(name);
  }

 private:
  FakePodman& podman_;
};

std::unique_ptr<engines::ContainerHost> FakePodman::host() {
  return std::make_unique<FakeHost>(*this);
}

}  // namespace ampacity::sim
