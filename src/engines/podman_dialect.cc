// libpod's API, as podman 4.3 speaks it.
#include <fmt/core.h>

#include <algorithm>
#include <boost/json.hpp>

#include "engines/dialect.h"
#include "engines/fields.h"

namespace ampacity::engines {
namespace {

namespace json = boost::json;

net::Request ask(std::string method, std::string path) {
  return {std::move(method), "/v4.0.0/libpod" + std::move(path), {}, {}};
}
net::Request ask(std::string method, std::string path, const json::value& body) {
  net::Request request = ask(std::move(method), std::move(path));
  request.headers.push_back({"Content-Type", "application/json"});
  request.body = json::serialize(body);
  return request;
}

ContainerState state_of(std::string_view word) {
  if (word == "created" || word == "configured" || word == "initialized") {
    return ContainerState::created;
  }
  if (word == "exited" || word == "stopped" || word == "dead") return ContainerState::ended;
  if (word == "removing") return ContainerState::removing;
  return ContainerState::running;  // running, paused, stopping, unknown
}

json::value id_map(const CreateContext& context, std::uint32_t project) {
  json::object range{
      {"container_id", 0}, {"host_id", first_uid(context, project)}, {"size", 65536}};
  return json::object{{"HostUIDMapping", false},
                      {"HostGIDMapping", false},
                      {"UIDMap", json::array{range}},
                      {"GIDMap", json::array{range}}};
}

json::object limits(const core::RankWork& work, const CreateContext& context) {
  std::int64_t memory = at_most(work.memory_mib, context.host_memory_mib) << 20;
  std::int64_t cpu = at_most(work.cpu_milli, context.host_cpu_milli);
  // The kernel refuses quotas under a millisecond.
  std::int64_t quota = std::max<std::int64_t>(cpu * 100, 1000);
  return {{"memory", json::object{{"limit", memory}, {"swap", memory}}},
          {"cpu", json::object{{"quota", quota}, {"period", 100'000}}},
          {"pids", json::object{{"limit", context.pids_limit}}}};
}

void add_network(json::object& body, const core::RankWork& work, const CreateContext& context) {
  if (work.network.empty()) {
    body["netns"] = json::object{{"nsmode", "none"}};
    return;
  }
  json::object attach{{"aliases", json::array{work.container_name()}}};
  if (!context.subnet.empty()) {
    attach["static_ips"] = json::array{fixed_address(context.subnet, work.rank)};
    json::array hosts;
    for (std::uint32_t r = 0; r < work.size; r++) {
      hosts.emplace_back(fmt::format("{}-{}-{}:{}", work.job_name, work.generation, r,
                                     fixed_address(context.subnet, r)));
    }
    body["hostadd"] = std::move(hosts);
  }
  body["netns"] = json::object{{"nsmode", "bridge"}};
  body["Networks"] = json::object{{network_name(context.cloud, work.network), std::move(attach)}};
}

void add_storage(json::object& body, const core::RankWork& work, const CreateContext& context) {
  json::array volumes;
  for (const auto& v : work.volumes) {
    volumes.push_back(json::object{{"Name", volume_name(context.cloud, work.project, v.volume)},
                                   {"Dest", v.path}});
  }
  if (!volumes.empty()) body["volumes"] = std::move(volumes);
  if (work.read_only_root) {
    body["read_only_filesystem"] = true;
    body["mounts"] =
        json::array{json::object{{"destination", "/tmp"},
                                 {"type", "tmpfs"},
                                 {"source", "tmpfs"},
                                 {"options", json::array{"rw", "size=256m", "mode=1777"}}}};
  }
  body["log_configuration"] = json::object{
      {"driver", "k8s-file"}, {"path", context.log_path}, {"size", context.log_max_bytes}};
}

json::object create_body(const core::RankWork& work, const CreateContext& context) {
  json::object body{
      {"name", work.container_name()},
      {"image", work.image},
      {"hostname", work.container_name()},
      {"cap_drop", json::array{"ALL"}},
      {"no_new_privileges", true},
      {"restart_policy", "no"},
      {"stop_timeout", 0},
      {"terminal", false},
      {"r_limits",
       json::array{
           json::object{{"type", "nofile"}, {"soft", context.nofile}, {"hard", context.nofile}},
           json::object{{"type", "nproc"}, {"soft", context.nproc}, {"hard", context.nproc}}}},
      {"resource_limits", limits(work, context)},
      {"labels", json::object{{kCloudLabel, context.cloud},
                              {kBootLabel, context.boot},
                              {kProjectLabel, std::to_string(work.project)},
                              {"ampacity.job", work.job_name}}},
  };
  if (!work.command.empty()) body["command"] = json::value_from(work.command);
  json::object env;
  for (const auto& [name, value] : work.env) env[name] = value;
  body["env"] = std::move(env);
  if (context.init) body["init"] = true;
  if (!context.cgroup_parent.empty()) body["cgroup_parent"] = context.cgroup_parent;
  if (context.user_namespaces) {
    body["userns"] = json::object{{"nsmode", "private"}};
    body["idmappings"] = id_map(context, work.project);
  }
  if (!work.emulated && !work.gpu_uuids.empty()) {
    json::array devices;
    for (const auto& uuid : work.gpu_uuids) {
      devices.push_back(json::object{{"path", "nvidia.com/gpu=" + uuid}});
    }
    body["devices"] = std::move(devices);
  }
  add_network(body, work, context);
  add_storage(body, work, context);
  return body;
}

class Podman final : public Dialect {
 public:
  std::string kind() const override { return "podman"; }
  net::Request version() const override { return ask("GET", "/version"); }
  std::optional<net::Request> daemon() const override { return std::nullopt; }
  net::Request list(const std::string& cloud) const override {
    return ask("GET", "/containers/json?all=true&" + label_filter(cloud));
  }
  net::Request inspect(const std::string& name) const override {
    return ask("GET", "/containers/" + enc(name) + "/json");
  }
  net::Request create(const core::RankWork& work, const CreateContext& context) const override {
    return ask("POST", "/containers/create", create_body(work, context));
  }
  net::Request start(const std::string& name) const override {
    return ask("POST", "/containers/" + enc(name) + "/start");
  }
  net::Request signal(const std::string& name, std::string_view signal) const override {
    return ask("POST", "/containers/" + enc(name) + "/kill?signal=" + enc(signal));
  }
  net::Request remove(const std::string& name) const override {
    return ask("DELETE", "/containers/" + enc(name) + "?force=true&timeout=0");
  }
  net::Request image_exists(const std::string& image) const override {
    return ask("GET", "/images/" + enc(image) + "/exists");
  }
  net::Request import_image(const std::string& reference) const override {
    net::Request request = ask("POST", "/images/import?reference=" + enc(reference));
    request.headers.push_back({"Content-Type", "application/x-tar"});
    return request;
  }
  net::Request pull(const std::string& image) const override {
    return ask("POST", "/images/pull?policy=missing&reference=" + enc(image));
  }
  net::Request create_network(const std::string& name, const std::string& cloud,
                              bool dns) const override {
    return ask("POST", "/networks/create",
               json::object{{"name", name},
                            {"driver", "bridge"},
                            {"internal", true},
                            {"dns_enabled", dns},
                            {"labels", json::object{{kCloudLabel, cloud}}}});
  }
  net::Request list_networks(const std::string& cloud) const override {
    return ask("GET", "/networks/json?" + label_filter(cloud));
  }
  net::Request remove_network(const std::string& name) const override {
    return ask("DELETE", "/networks/" + enc(name));
  }
  net::Request create_volume(const std::string& cloud, std::uint32_t project,
                             const std::string& name) const override {
    return ask("POST", "/volumes/create",
               json::object{{"Name", volume_name(cloud, project, name)},
                            {"Labels", json::object{{kCloudLabel, cloud},
                                                    {kProjectLabel, std::to_string(project)},
                                                    {kVolumeLabel, name}}}});
  }
  net::Request list_volumes(const std::string& cloud) const override {
    return ask("GET", "/volumes/json?" + label_filter(cloud));
  }
  net::Request remove_volume(const std::string& engine_name) const override {
    return ask("DELETE", "/volumes/" + enc(engine_name));
  }
  net::Request exec_create(const std::string& name, const std::vector<std::string>& argv,
                           bool tty) const override {
    return ask("POST", "/containers/" + enc(name) + "/exec",
               json::object{{"AttachStdin", true},
                            {"AttachStdout", true},
                            {"AttachStderr", true},
                            {"Tty", tty},
                            {"Cmd", json::value_from(argv)}});
  }
  net::Request exec_start(const std::string& id, bool tty) const override {
    return ask("POST", "/exec/" + enc(id) + "/start",
               json::object{{"Detach", false}, {"Tty", tty}});
  }
  net::Request exec_resize(const std::string& id, int columns, int rows) const override {
    return ask("POST", fmt::format("/exec/{}/resize?w={}&h={}", enc(id), columns, rows));
  }
  net::Request exec_inspect(const std::string& id) const override {
    return ask("GET", "/exec/" + enc(id) + "/json");
  }
  std::optional<net::Request> logs(const std::string&, std::int64_t) const override {
    return std::nullopt;
  }
  net::Request events(const std::string& cloud) const override {
    json::object filter{{"type", json::array{"container"}},
                        {"label", json::array{std::string(kCloudLabel) + "=" + cloud}}};
    return ask("GET", "/events?stream=true&filters=" + enc(json::serialize(filter)));
  }

  base::Try<std::string> parse_version(std::string_view body) const override {
    auto value = fields::parse(body, "podman version");
    if (!value) return std::unexpected(value.error());
    return fields::text(*value, "Version");
  }

  base::Try<std::vector<ListedContainer>> parse_list(std::string_view body) const override {
    auto value = fields::parse(body, "podman list");
    if (!value) return std::unexpected(value.error());
    if (!value->is_array()) return base::fault("podman list: not a list");
    std::vector<ListedContainer> out;
    for (const auto& c : fields::list(*value)) {
      ListedContainer one;
      const auto& names = fields::list(fields::at(c, "Names"));
      if (names.empty() || !names[0].is_string()) continue;
      one.name = names[0].as_string();
      one.id = fields::text(c, "Id");
      one.state = state_of(fields::text(c, "State"));
      one.ran = fields::number(c, "StartedAt") > 0;
      one.boot = fields::text(fields::at(c, "Labels"), kBootLabel);
      out.push_back(std::move(one));
    }
    return out;
  }

  base::Try<InspectedContainer> parse_inspect(std::string_view body) const override {
    auto value = fields::parse(body, "podman inspect");
    if (!value) return std::unexpected(value.error());
    const auto& state = fields::at(*value, "State");
    InspectedContainer out;
    out.id = fields::text(*value, "Id");
    out.cloud = fields::text(fields::at(fields::at(*value, "Config"), "Labels"), kCloudLabel);
    out.state = state_of(fields::text(state, "Status"));
    out.started_at = instant_of(fields::text(state, "StartedAt"));
    out.ended_at = instant_of(fields::text(state, "FinishedAt"));
    out.exit_code = static_cast<std::int32_t>(fields::number(state, "ExitCode"));
    out.pid = fields::process(state, "Pid");
    out.out_of_memory = fields::truth(state, "OOMKilled");
    out.error = fields::text(state, "Error");
    if (out.id.empty()) return base::fault("podman inspect: no id");
    return out;
  }

  base::Try<std::vector<ListedVolume>> parse_volumes(std::string_view body) const override {
    auto value = fields::parse(body, "podman volumes");
    if (!value) return std::unexpected(value.error());
    if (!fields::is_list(*value)) return base::fault("podman volumes: not a list");
    std::vector<ListedVolume> out;
    for (const auto& v : fields::list(*value)) {
      const auto& labels = fields::at(v, "Labels");
      std::string project = fields::text(labels, kProjectLabel);
      out.push_back({fields::text(v, "Name"),
                     static_cast<std::uint32_t>(std::strtoul(project.c_str(), nullptr, 10)),
                     fields::text(labels, kVolumeLabel), fields::text(v, "Mountpoint")});
    }
    return out;
  }

  base::Try<std::vector<ListedNetwork>> parse_networks(std::string_view body) const override {
    auto value = fields::parse(body, "podman networks");
    if (!value) return std::unexpected(value.error());
    if (!fields::is_list(*value)) return base::fault("podman networks: not a list");
    std::vector<ListedNetwork> out;
    for (const auto& n : fields::list(*value)) {
      const auto& subnets = fields::list(fields::at(n, "subnets"));
      out.push_back({fields::text(n, "name"),
                     subnets.empty() ? std::string() : fields::text(subnets[0], "subnet")});
    }
    return out;
  }
};

}  // namespace

std::unique_ptr<Dialect> podman_dialect() { return std::make_unique<Podman>(); }

}  // namespace ampacity::engines
