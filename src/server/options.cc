#include "server/options.h"

namespace ampacity::server {
namespace {

void describe_place(CLI::App& app, Config& c) {
  app.add_option("--state", c.state, "directory of this cloud's state (made if it is not there)");
  app.add_option("--cloud", c.cloud, "a name for this cloud; default: the host's");
  app.add_option("--site", c.site, "a name for this machine's site")->capture_default_str();
  app.add_option(
      "--owner-key-file", c.owner_key_file,
      "on the first start, write the operator's key here (mode 0600) instead of printing it");
  app.add_option("--prices", c.prices, "a price book (YAML) to take effect now")
      ->check(CLI::ExistingFile);
  app.add_option(
      "--payments", c.payments,
      "a folder: invoices to be paid are put in its outbox/, payments taken from inbox/");
  app.add_flag("--webhooks-allow-private", c.webhooks_allow_private,
               "for tests: webhooks may lead into private networks, and to loopback by http");
}

void describe_store(CLI::App& app, Config& c, Spoken& spoken) {
  app.add_option("--store", spoken.store,
                 "where the state's records are kept: a file, or postgres://user@host/database "
                 "(no password in it); default: ampacity.db in --state");
  app.add_option("--store-password-file", spoken.store_password_file,
                 "its first line is the database's password; otherwise PGPASSFILE or PGPASSWORD")
      ->check(CLI::ExistingFile);
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

void describe_network(CLI::App& app, Config& c, Spoken& spoken) {
  app.add_option("--listen", c.listen,
                 "address:port; port 0 takes any free one. Without TLS: loopback only")
      ->capture_default_str();
  app.add_option("--port-file", c.port_file, "write the port here once it listens");
  app.add_option(
         "--tls", spoken.tls,
         "off, or generate: a key and a certificate are made on the first start and kept in "
         "the state directory; clients pin the key")
      ->check(CLI::IsMember({"off", "generate"}))
      ->capture_default_str();
  app.add_option("--tls-cert", c.tls_certificate,
                 "a certificate of one's own, PEM, the chain after it; read again at SIGHUP");
  app.add_option("--tls-key", c.tls_key, "its private key, PEM, not encrypted");
  app.add_option("--tls-name", c.tls_names,
                 "a host name or address the generated certificate is also for; may be repeated");
  app.add_option("--peer-ca-file", c.peer_ca_file,
                 "who vouches (PEM) for the cloud's other servers when a request is sent on to the "
                 "leader; default: they must show the same key as this one");
  app.add_option("--tls-client-ca", c.tls_client_ca,
                 "mutual TLS: every client must show a certificate that one of these (PEM) vouches "
                 "for, beside its API key");
}

void describe_sign_in(CLI::App& app, Config& c) {
  OidcConfig& o = c.oidc;
  app.add_option("--public-url", c.public_url,
                 "where browsers reach the console, such as https://cloud.example.org, if a proxy "
                 "stands before --listen: cookies and the way back from a provider follow it");
  app.add_option(
      "--oidc-issuer", o.issuer,
      "people may sign in to the console through this OpenID Connect provider: its "
      "issuer, exactly as it writes it; it leads back to PUBLIC-URL/v1/session/oidc/back");
  app.add_option("--oidc-client-id", o.client_id, "as whom the provider knows this cloud");
  app.add_option("--oidc-client-secret-file", o.client_secret_file,
                 "its first line is the client's secret; otherwise AMPACITY_OIDC_CLIENT_SECRET; "
                 "with neither it is a public client")
      ->check(CLI::ExistingFile);
  app.add_option(
         "--oidc-ca-file", o.ca_file,
         "who vouches (PEM) for the provider's certificate; default: whom the system trusts")
      ->check(CLI::ExistingFile);
  app.add_option("--oidc-name", o.name, "the provider's name for people; default: its host");
  app.add_option("--oidc-scopes", o.scopes, "what is asked of the provider")->capture_default_str();
  app.add_option("--oidc-claim", o.claim,
                 "which claim names a person; email counts only if the provider has verified it")
      ->capture_default_str();
  app.add_option("--oidc-groups-claim", o.groups_claim, "which claim lists a person's groups")
      ->capture_default_str();
  app.add_option("--oidc-group", o.groups,
                 "what a group gives: GROUP=owner, or GROUP=PROJECT for customers of it; may be "
                 "repeated, the first that fits counts. A key made for a name (ampacity keys add "
                 "--sign-in NAME) goes before");
  app.add_option("--oidc-default-project", o.default_project,
                 "the project of everybody else whom the provider lets in; default: they are "
                 "refused");
}

void describe_engine(CLI::App& app, Config& c, Spoken& spoken) {
  app.add_option("--engine", spoken.engine,
                 "podman, docker, or stub (runs nothing: for load tests)")
      ->check(CLI::IsMember({"podman", "docker", "stub"}))
      ->capture_default_str();
  app.add_option(
      "--emulate", c.emulate,
      "add emulated GPU nodes, such as h100:8x4 (4 nodes of 8); may be repeated. 4 nodes "
      "stand in a rack (rack-1…), 16 share a leaf switch (leaf-1…)");
  app.add_option("--docker-socket", c.docker_socket, "docker's API socket")->capture_default_str();
  app.add_option("--images", c.images, "directory of NAME.tar, used as localhost/ampacity-NAME");
  app.add_option("--volume-limit-gib", c.volume_limit_gib, "most a volume may hold")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();
  app.add_option("--stub-run-ms", c.stub_run_ms, "how long the stub engine's ranks run")
      ->check(CLI::Range(1, 86'400'000))
      ->capture_default_str();
  app.add_option("--stub-record", c.stub_record,
                 "a file in which the stub engine keeps what it ever started");
}

void describe_log(CLI::App& app, Config& c) {
  app.add_flag("--quiet", c.quiet, "log warnings only");
  app.add_option("--log-file", c.log_file,
                 "log here instead of to standard error; opened again at SIGHUP");
  app.add_option("--log-file-mib", c.log_file_mib, "when it is this large, a new one is begun")
      ->check(CLI::Range(1, 100'000))
      ->capture_default_str();
  app.add_option("--log-files", c.log_files, "how many old ones are kept")
      ->check(CLI::Range(0, 1'000))
      ->capture_default_str();
}

void describe_verbs(CLI::App& app, Config& c, Spoken& spoken) {
  const auto verb = [&](const char* name, const char* what, Config::Verb v) {
    CLI::App* sub = app.add_subcommand(name, what)->fallthrough();
    sub->callback([&c, v] { c.verb = v; });
    return sub;
  };
  verb("stop-engine", "remove every container of this cloud and stop its container service",
       Config::Verb::stop_engine);
  verb("rebuild", "make the read models anew from the facts, and compare", Config::Verb::rebuild);
  verb("doctor", "prove the books and the journal, without a server", Config::Verb::doctor);
  verb("owner-key", "make another operator's key, while no server runs; print it once",
       Config::Verb::owner_key);
  auto* backup = verb("backup", "copy the store into a new folder, while the server runs or not",
                      Config::Verb::backup);
  backup->add_option("FOLDER", c.backup, "made; must not be there yet")->required();
  backup->add_flag("--with-secret", c.with_secret,
                   "the secret too: whoever has the copy can then open sealed values");
  auto* restore = verb("restore", "make the state directory anew from a backup, and prove it",
                       Config::Verb::restore);
  restore->add_option("FOLDER", c.backup, "what `backup` made")->required();
  CLI::App* store = app.add_subcommand("store", "what can be done with a store")->fallthrough();
  CLI::App* copy = store->add_subcommand(
      "copy", "copy a whole store into an empty one, and prove both equal; no server may run");
  copy->add_option("FROM", spoken.copy_from, "a file, or postgres://user@host/database")
      ->required();
  copy->add_option("TO", spoken.copy_to, "the same, empty or not there")->required();
  copy->callback([&c] { c.verb = Config::Verb::store_copy; });
  CLI::App* reopen = store->add_subcommand(
      "reopen", "take back a store that `copy` left: what happened in the other since is given up");
  reopen->add_option("STORE", spoken.copy_from, "a file, or postgres://user@host/database")
      ->required();
  reopen->callback([&c] { c.verb = Config::Verb::store_reopen; });
  store->require_subcommand(1);
}

}  // namespace

void describe_options(CLI::App& app, Config& c, Spoken& spoken) {
  app.set_help_flag("-h,--help");
  app.option_defaults()->always_capture_default(false);
  app.add_option("--config", c.file,
                 "a configuration file (YAML): these names without --; flags go before it")
      ->configurable(false);
  app.add_flag("--check", c.check_only,
               "read and examine everything named, change nothing, say what is wrong and where; "
               "exit 0 or 2")
      ->configurable(false);
  app.add_flag("--print-config", spoken.print_config, "what is in force, as such a file")
      ->configurable(false);
  app.add_flag("--example-config", spoken.example_config, "such a file, commented")
      ->configurable(false);
  describe_place(app, c);
  describe_store(app, c, spoken);
  describe_network(app, c, spoken);
  describe_sign_in(app, c);
  describe_engine(app, c, spoken);
  describe_log(app, c);
  describe_verbs(app, c, spoken);
  app.require_subcommand(0, 1);
  app.footer("The first start prints the operator's key once. Then: ampacity login");
}

}  // namespace ampacity::server
