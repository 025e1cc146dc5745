#include "server/config.h"

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <charconv>

namespace ampacity::server {

namespace {

void add_slurm_options(CLI::App& app, engines::SlurmOptions& o) {
  const auto add = [&app](const char* name, auto& to, const char* what) {
    app.add_option(name, to, what)->group("Slurm, for --engine slurm");
  };
  add("--slurm-url", o.url, "slurmrestd: unix:/path/of/socket or http://host:port");
  add("--slurm-token-file", o.token_file,
      "a file with the token (JWT); read again when it changes");
  add("--slurm-token-env", o.token_env, "a variable with the token");
  add("--slurm-jwt-key", o.jwt_key_file, "the cluster's JWT key: tokens are minted from it");
  add("--slurm-user", o.user, "whom the jobs run as; needed with --slurm-jwt-key");
  add("--slurm-shared", o.shared, "a folder that every node has under this path: output, markers");
  add("--slurm-partition", o.partition, "whose nodes are rented; default: the default partition");
  add("--slurm-conf", o.conf, "slurm.conf for scontrol, the fallback; default: the system's");
  app.add_flag_callback(
         "--slurm-no-reservation", [&o] { o.reserve = false; },
         "let others' jobs land on the same nodes")
      ->group("Slurm, for --engine slurm");
}

}  // namespace

Config parse_config(int argc, char** argv) {
  Config c;
  CLI::App app{"ampacityd: the Ampacity server. One directory of state, one machine, SQLite."};
  app.set_help_flag("-h,--help");
  app.option_defaults()->always_capture_default(false);
  app.add_option("--state", c.state, "directory of this cloud's state (made if it is not there)")
      ->required();
  app.add_option("--listen", c.listen, "address:port; port 0 takes any free one")
      ->capture_default_str();
  app.add_option("--cloud", c.cloud, "a name for this cloud; default: the host's");
  app.add_option("--site", c.site, "a name for this machine's site")->capture_default_str();
  app.add_option(
      "--emulate", c.emulate,
      "add emulated GPU nodes, such as h100:8x4 (4 nodes of 8); may be repeated. 4 nodes "
      "stand in a rack (rack-1…), 16 share a leaf switch (leaf-1…)");
  std::string engine = "podman";
  app.add_option("--engine", engine,
                 "podman, docker, slurm, or stub (runs nothing: for load tests)")
      ->check(CLI::IsMember({"podman", "docker", "slurm", "stub"}))
      ->capture_default_str();
  app.add_option("--stub-run-ms", c.stub_run_ms, "how long the stub engine's ranks run")
      ->check(CLI::Range(1, 86'400'000));
  app.add_option("--docker-socket", c.docker_socket, "docker's API socket")->capture_default_str();
  add_slurm_options(app, c.slurm);
  app.add_option("--images", c.images, "directory of NAME.tar, used as localhost/ampacity-NAME");
  app.add_option("--prices", c.prices, "a price book (YAML) to take effect now")
      ->check(CLI::ExistingFile);
  app.add_option(
      "--owner-key-file", c.owner_key_file,
      "on the first start, write the operator's key here (mode 0600) instead of printing it");
  app.add_option("--port-file", c.port_file, "write the port here once it listens");
  app.add_option("--volume-limit-gib", c.volume_limit_gib, "most a volume may hold")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();
  app.add_option(
      "--payments", c.payments,
      "a folder: invoices to be paid are put in its outbox/, payments taken from inbox/");
  app.add_flag("--webhooks-allow-private", c.webhooks_allow_private,
               "for tests: webhooks may lead into private networks, and to loopback by http");
  app.add_flag("--quiet", c.quiet, "log warnings only");

  const auto verb = [&](const char* name, const char* what, Config::Verb v) {
    app.add_subcommand(name, what)->callback([&c, v] { c.verb = v; });
  };
  verb("stop-engine", "remove every container of this cloud and stop its container service",
       Config::Verb::stop_engine);
  verb("rebuild", "make the read models anew from the facts, and compare", Config::Verb::rebuild);
  verb("doctor", "prove the books and the journal, without a server", Config::Verb::doctor);
  verb("owner-key", "make another operator's key, while no server runs; print it once",
       Config::Verb::owner_key);
  app.require_subcommand(0, 1);
  app.footer("The first start prints the operator's key once. Then: ampacity login");

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    const int code = app.exit(e);
    std::exit(code == 0 ? 0 : 2);
  }
  c.engine = engine == "docker"  ? EngineChoice::docker
             : engine == "stub"  ? EngineChoice::stub
             : engine == "slurm" ? EngineChoice::slurm
                                 : EngineChoice::podman;
  c.state = std::filesystem::absolute(c.state).lexically_normal();
  if (!c.images.empty()) c.images = std::filesystem::absolute(c.images).lexically_normal();
  if (c.cloud.empty()) {
    char host[256] = "cloud";
    gethostname(host, sizeof host - 1);
    c.cloud = host;
  }
  return c;
}

base::Result<void> check_listen(Config& c) {
  const std::size_t colon = c.listen.rfind(':');
  c.address = c.listen.substr(0, colon);
  if (c.address == "localhost") c.address = "127.0.0.1";
  const std::string port = colon == std::string::npos ? "" : c.listen.substr(colon + 1);
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), c.port);
  if (port.empty() || error != std::errc{} || end != port.data() + port.size())
    return base::refuse_field("--listen", "must be address:port, got " + c.listen);
  if (!c.address.starts_with("127.") && c.address != "::1")
    return base::refuse_field("--listen", c.address +
                                              " is refused: this server has no TLS yet, so it "
                                              "listens on loopback only; put a TLS proxy "
                                              "before it");
  return {};
}

}  // namespace ampacity::server
