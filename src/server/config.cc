#include "server/config.h"

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <charconv>
#include <cstdio>

namespace ampacity::server {
namespace {

struct StoreWords {
  std::string store, from, to, password_file;
};

void add_stores(CLI::App& app, Config& c, StoreWords& words) {
  app.add_option("--store", words.store,
                 "where the state's records are kept: a file, or postgres://user@host/database "
                 "(no password in it); default: ampacity.db in --state");
  app.add_option("--store-password-file", words.password_file,
                 "its first line is the database's password; otherwise PGPASSFILE or PGPASSWORD")
      ->check(CLI::ExistingFile);
  CLI::App* store = app.add_subcommand("store", "what can be done with a store");
  CLI::App* copy = store->add_subcommand(
      "copy", "copy a whole store into an empty one, and prove both equal; no server may run");
  copy->add_option("FROM", words.from, "a file, or postgres://user@host/database")->required();
  copy->add_option("TO", words.to, "the same, empty or not there")->required();
  copy->callback([&c] { c.verb = Config::Verb::store_copy; });
  store->require_subcommand(1);
}

// Of servers that share a store on PostgreSQL: docs/standby.md.
void add_standby(CLI::App& app, Config& c) {
  app.add_option(
      "--secret-file", c.secret_file,
      "the cloud's secret, the same for each of its servers; default: secret in --state");
  app.add_option("--advertise", c.advertise,
                 "the URL at which the cloud's other servers reach this one; default: --listen's");
  app.add_option(
         "--lease-ms", c.lease_ms,
         "how long the leader leads without renewing it, by the database's clock: others take "
         "over after that")
      ->check(CLI::Range(500, 60'000))
      ->capture_default_str();
}

// Which of them there are depends on the verb.
base::Result<void> name_stores(Config& c, const StoreWords& words) {
  const auto parse = [&](const std::string& text, store::StoreAt& at) -> base::Result<void> {
    const bool postgres = text.find("://") != std::string::npos;
    auto parsed = store::parse_store(text, postgres ? words.password_file : "");
    if (!parsed) return std::unexpected(parsed.error());
    at = std::move(*parsed);
    return {};
  };
  if (c.verb == Config::Verb::store_copy) {
    if (auto r = parse(words.from, c.copy_from); !r) return r;
    return parse(words.to, c.copy_to);
  }
  if (c.state.empty())
    return base::refuse_field("--state", "is required: the directory of this cloud's state");
  c.state = std::filesystem::absolute(c.state).lexically_normal();
  return parse(words.store.empty() ? (c.state / "ampacity.db").string() : words.store, c.store);
}

}  // namespace

Config parse_config(int argc, char** argv) {
  Config c;
  CLI::App app{
      "ampacityd: the Ampacity server. Its state is one directory; its records are in a file "
      "there, "
      "or in PostgreSQL."};
  app.set_help_flag("-h,--help");
  app.option_defaults()->always_capture_default(false);
  app.add_option("--state", c.state, "directory of this cloud's state (made if it is not there)");
  StoreWords stores;
  add_stores(app, c, stores);
  app.add_option("--listen", c.listen, "address:port; port 0 takes any free one")
      ->capture_default_str();
  app.add_option("--cloud", c.cloud, "a name for this cloud; default: the host's");
  app.add_option("--site", c.site, "a name for this machine's site")->capture_default_str();
  app.add_option(
      "--emulate", c.emulate,
      "add emulated GPU nodes, such as h100:8x4 (4 nodes of 8); may be repeated. 4 nodes "
      "stand in a rack (rack-1…), 16 share a leaf switch (leaf-1…)");
  std::string engine = "podman";
  app.add_option("--engine", engine, "podman, docker, or stub (runs nothing: for load tests)")
      ->check(CLI::IsMember({"podman", "docker", "stub"}))
      ->capture_default_str();
  app.add_option("--stub-run-ms", c.stub_run_ms, "how long the stub engine's ranks run")
      ->check(CLI::Range(1, 86'400'000));
  add_standby(app, c);
  app.add_option("--stub-record", c.stub_record,
                 "a file in which the stub engine keeps what it ever started");
  app.add_option("--docker-socket", c.docker_socket, "docker's API socket")->capture_default_str();
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
  c.engine = engine == "docker" ? EngineChoice::docker
             : engine == "stub" ? EngineChoice::stub
                                : EngineChoice::podman;
  if (const auto named = name_stores(c, stores); !named) {
    std::fprintf(stderr, "ampacityd: %s\n", named.error().message.c_str());
    std::exit(2);
  }
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
