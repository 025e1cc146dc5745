// Docker's API v1.41 (docker 20.10 and later).
#include <fmt/core.h>

#include <algorithm>
#include <boost/json.hpp>

#include "engines/dialect.h"
#include "engines/fields.h"

namespace ampacity::engines {
namespace {

namespace json = boost::json;

net::Request ask_docker(std::string method, std::string path) {
  return {std::move(method), "/v1.41" + std::move(path), {}, {}};
}
net::Request ask_docker(std::string method, std::string path, const json::value& body) {
  net::Request request = ask_docker(std::move(method), std::move(path));
  request.headers.push_back({"Content-Type", "application/json"});
  request.body = json::serialize(body);
  return request;
}

ContainerState docker_state(std::string_view word) {
  if (word == "created") return ContainerState::created;
  if (word == "exited" || word == "dead") return ContainerState::ended;
  if (word == "removing") return ContainerState::removing;
  return ContainerState::running;
}

json::object host_config(const core::RankWork& work, const CreateContext& context) {
  std::int64_t memory = at_most(work.memory_mib, context.host_memory_mib) << 20;
  std::int64_t cpu = at_most(work.cpu_milli, context.host_cpu_milli);
  json::object host{
      {"CapDrop", json::array{"ALL"}},
      {"SecurityOpt", json::array{"no-new-privileges"}},
      {"RestartPolicy", json::object{{"Name", "no"}}},
      {"Privileged", false},
      {"Memory", memory},
      {"MemorySwap", memory},
      {"CpuPeriod", 100'000},
      {"CpuQuota", std::max<std::int64_t>(cpu * 100, 1000)},
      {"PidsLimit", context.pids_limit},
      {"NetworkMode",
       work.network.empty() ? std::string("none") : network_name(context.cloud, work.network)},
      {"Ulimits",
       json::array{
           json::object{{"Name", "nofile"}, {"Soft", context.nofile}, {"Hard", context.nofile}},
           json::object{{"Name", "nproc"}, {"Soft", context.nproc}, {"Hard", context.nproc}}}},
      {"LogConfig",
       json::object{{"Type", "json-file"},
                    {"Config", json::object{{"max-size", std::to_string(context.log_max_bytes)},
                                            {"max-file", "1"}}}}},
  };
  if (context.init) host["Init"] = true;
  if (!context.cgroup_parent.empty()) host["CgroupParent"] = context.cgroup_parent;
  if (work.read_only_root) {
    host["ReadonlyRootfs"] = true;
    host["Tmpfs"] = json::object{{"/tmp", "rw,size=256m,mode=1777"}};
  }
  json::array mounts;
  for (const auto& v : work.volumes) {
    mounts.push_back(json::object{{"Type", "volume"},
                                  {"Source", volume_name(context.cloud, work.project, v.volume)},
                                  {"Target", v.path}});
  }
  if (!mounts.empty()) host["Mounts"] = std::move(mounts);
  return host;
}

json::object docker_body(const core::RankWork& work, const CreateContext& context) {
  json::object body{{"Image", work.image},
                    {"Hostname", work.container_name()},
                    {"Tty", false},
                    {"Labels", json::object{{kCloudLabel, context.cloud},
                                            {kBootLabel, context.boot},
                                            {kProjectLabel, std::to_string(work.project)},
                                            {"ampacity.job", work.job_name}}},
                    {"HostConfig", host_config(work, context)}};
  if (!work.command.empty()) {
    // As podman does it: the command replaces the image's, not its entry point.
    body["Cmd"] = json::value_from(work.command);
  }
  json::array env;
  for (const auto& [name, value] : work.env) env.emplace_back(name + "=" + value);
  body["Env"] = std::move(env);
  if (!work.network.empty()) {
    body["NetworkingConfig"] = json::object{
        {"EndpointsConfig",
         json::object{{network_name(context.cloud, work.network),
                       json::object{{"Aliases", json::array{work.container_name()}}}}}}};
  }
  return body;
}

class Docker final : public Dialect {
 public:
  std::string kind() const override { return "docker"; }
  net::Request version() const override { return ask_docker("GET", "/version"); }
  std::optional<net::Request> daemon() const override { return ask_docker("GET", "/info"); }
  net::Request list(const std::string& cloud) const override {
    return ask_docker("GET", "/containers/json?all=true&" + label_filter(cloud));
  }
  net::Request inspect(const std::string& name) const override {
    return ask_docker("GET", "/containers/" + enc(name) + "/json");
  }
  net::Request create(const core::RankWork& work, const CreateContext& context) const override {
    return ask_docker("POST", "/containers/create?name=" + enc(work.container_name()),
                      docker_body(work, context));
  }
  net::Request start(const std::string& name) const override {
    return ask_docker("POST", "/containers/" + enc(name) + "/start");
  }
  net::Request signal(const std::string& name, std::string_view signal) const override {
    return ask_docker("POST", "/containers/" + enc(name) + "/kill?signal=" + enc(signal));
  }
  net::Request remove(const std::string& name) const override {
    return ask_docker("DELETE", "/containers/" + enc(name) + "?force=true");
  }
  net::Request image_exists(const std::string& image) const override {
    return ask_docker("GET", "/images/" + enc(image) + "/json");
  }
  net::Request import_image(const std::string& reference) const override {
    std::size_t slash = reference.rfind('/');
    std::size_t colon = reference.find(':', slash == std::string::npos ? 0 : slash);
    std::string tag = colon == std::string::npos ? "latest" : reference.substr(colon + 1);
    net::Request request =
        ask_docker("POST", "/images/create?fromSrc=-&repo=" + enc(reference.substr(0, colon)) +
                               "&tag=" + enc(tag));
    request.headers.push_back({"Content-Type", "application/x-tar"});
    return request;
  }
  net::Request pull(const std::string& image) const override {
    // Without a tag docker would fetch every one.
    std::size_t slash = image.rfind('/');
    std::size_t colon = image.find_first_of(":@", slash == std::string::npos ? 0 : slash);
    std::string name = colon == std::string::npos ? image + ":latest" : image;
    return ask_docker("POST", "/images/create?fromImage=" + enc(name));
  }
  net::Request create_network(const std::string& name, const std::string& cloud,
                              bool) const override {
    // A bridge without an address: no way through it to the host and to other networks, whatever
    // the daemon's firewall rules are.
    return ask_docker(
        "POST", "/networks/create",
        json::object{{"Name", name},
                     {"Driver", "bridge"},
                     {"Internal", true},
                     {"Options", json::object{{"com.docker.network.bridge.inhibit_ipv4", "true"}}},
                     {"CheckDuplicate", true},
                     {"Labels", json::object{{kCloudLabel, cloud}}}});
  }
  net::Request list_networks(const std::string& cloud) const override {
    return ask_docker("GET", "/networks?" + label_filter(cloud));
  }
  net::Request remove_network(const std::string& name) const override {
    return ask_docker("DELETE", "/networks/" + enc(name));
  }
  net::Request create_volume(const std::string& cloud, std::uint32_t project,
                             const std::string& name) const override {
    return ask_docker("POST", "/volumes/create",
                      json::object{{"Name", volume_name(cloud, project, name)},
                                   {"Labels", json::object{{kCloudLabel, cloud},
                                                           {kProjectLabel, std::to_string(project)},
                                                           {kVolumeLabel, name}}}});
  }
  net::Request list_volumes(const std::string& cloud) const override {
    return ask_docker("GET", "/volumes?" + label_filter(cloud));
  }
  net::Request remove_volume(const std::string& engine_name) const override {
    return ask_docker("DELETE", "/volumes/" + enc(engine_name));
  }
  net::Request exec_create(const std::string& name, const std::vector<std::string>& argv,
                           bool tty) const override {
    return ask_docker("POST", "/containers/" + enc(name) + "/exec",
                      json::object{{"AttachStdin", true},
                                   {"AttachStdout", true},
                                   {"AttachStderr", true},
                                   {"Tty", tty},
                                   {"Cmd", json::value_from(argv)}});
  }
  net::Request exec_start(const std::string& id, bool tty) const override {
    return ask_docker("POST", "/exec/" + enc(id) + "/start",
                      json::object{{"Detach", false}, {"Tty", tty}});
  }
  net::Request exec_resize(const std::string& id, int columns, int rows) const override {
    return ask_docker("POST", fmt::format("/exec/{}/resize?w={}&h={}", enc(id), columns, rows));
  }
  net::Request exec_inspect(const std::string& id) const override {
    return ask_docker("GET", "/exec/" + enc(id) + "/json");
  }
  std::optional<net::Request> logs(const std::string& name, std::int64_t since_s) const override {
    return ask_docker(
        "GET", fmt::format("/containers/{}/logs?stdout=1&stderr=1&timestamps=1&since={}", enc(name),
                           since_s));
  }
  net::Request events(const std::string& cloud) const override {
    json::object filter{{"type", json::array{"container"}},
                        {"label", json::array{std::string(kCloudLabel) + "=" + cloud}}};
    return ask_docker("GET", "/events?filters=" + enc(json::serialize(filter)));
  }

  base::Try<std::string> parse_version(std::string_view body) const override {
    auto value = fields::parse(body, "docker version");
    if (!value) return std::unexpected(value.error());
    return fields::text(*value, "Version");
  }

  base::Try<std::vector<ListedContainer>> parse_list(std::string_view body) const override {
    auto value = fields::parse(body, "docker list");
    if (!value) return std::unexpected(value.error());
    if (!value->is_array()) return base::fault("docker list: not a list");
    std::vector<ListedContainer> out;
    for (const auto& c : fields::list(*value)) {
      ListedContainer one;
      const auto& names = fields::list(fields::at(c, "Names"));
      if (names.empty() || !names[0].is_string()) continue;
      one.name = names[0].as_string();
      if (one.name.starts_with('/')) one.name.erase(0, 1);
      one.id = fields::text(c, "Id");
      one.state = docker_state(fields::text(c, "State"));
      one.ran = one.state != ContainerState::created;
      one.boot = fields::text(fields::at(c, "Labels"), kBootLabel);
      out.push_back(std::move(one));
    }
    return out;
  }

  base::Try<InspectedContainer> parse_inspect(std::string_view body) const override {
    auto value = fields::parse(body, "docker inspect");
    if (!value) return std::unexpected(value.error());
    const auto& state = fields::at(*value, "State");
    InspectedContainer out;
    out.id = fields::text(*value, "Id");
    out.cloud = fields::text(fields::at(fields::at(*value, "Config"), "Labels"), kCloudLabel);
    out.state = docker_state(fields::text(state, "Status"));
    out.started_at = instant_of(fields::text(state, "StartedAt"));
    out.ended_at = instant_of(fields::text(state, "FinishedAt"));
    out.exit_code = static_cast<std::int32_t>(fields::number(state, "ExitCode"));
    out.pid = fields::process(state, "Pid");
    out.out_of_memory = fields::truth(state, "OOMKilled");
    out.error = fields::text(state, "Error");
    if (out.id.empty()) return base::fault("docker inspect: no id");
    return out;
  }

  base::Try<std::vector<ListedVolume>> parse_volumes(std::string_view body) const override {
    auto value = fields::parse(body, "docker volumes");
    if (!value) return std::unexpected(value.error());
    const auto* object = value->if_object();
    if (!object || !object->contains("Volumes") || !fields::is_list(object->at("Volumes")))
      return base::fault("docker volumes: not a list");
    std::vector<ListedVolume> out;
    for (const auto& v : fields::list(object->at("Volumes"))) {
      const auto& labels = fields::at(v, "Labels");
      std::string project = fields::text(labels, kProjectLabel);
      out.push_back({fields::text(v, "Name"),
                     static_cast<std::uint32_t>(std::strtoul(project.c_str(), nullptr, 10)),
                     fields::text(labels, kVolumeLabel), fields::text(v, "Mountpoint")});
    }
    return out;
  }

  base::Try<std::vector<ListedNetwork>> parse_networks(std::string_view body) const override {
    auto value = fields::parse(body, "docker networks");
    if (!value) return std::unexpected(value.error());
    if (!fields::is_list(*value)) return base::fault("docker networks: not a list");
    std::vector<ListedNetwork> out;
    for (const auto& n : fields::list(*value)) out.push_back({fields::text(n, "Name"), {}});
    return out;
  }
};

}  // namespace

std::unique_ptr<Dialect> docker_dialect() { return std::make_unique<Docker>(); }

}  // namespace ampacity::engines
