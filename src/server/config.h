// What ampacityd is told: flags, and a configuration file of the same names below them.
// Threads: before there is another.
// 1. Every option is described once, in options.cc: the command line, the file, the example file
// and --print-config all come from there. 2. A flag goes before the file. 3. Secrets come from
// files or the environment: a value that carries one is refused, and never repeated in a message.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "store/store_at.h"

namespace ampacity::server {

enum class EngineChoice { podman, docker, stub };

struct OidcConfig {
  std::string issuer;  // empty: API keys only
  std::string client_id;
  std::filesystem::path client_secret_file;
  std::string ca_file;
  std::string name;  // for people; default: the issuer's host
  std::string scopes = "openid email";
  std::string claim = "email";
  std::string groups_claim = "groups";
  std::vector<std::string> groups;  // "GROUP=owner", "GROUP=PROJECT"
  std::string default_project;      // empty: who is not known is refused
};

struct Config {
  enum class Verb {
    serve,
    stop_engine,
    rebuild,
    doctor,
    owner_key,
    store_copy,
    store_reopen,
    backup,
    restore
  } verb = Verb::serve;
  std::filesystem::path file;  // where some of it is from
  std::filesystem::path state;
  store::StoreAt store;               // default: state/ampacity.db
  store::StoreAt copy_from, copy_to;  // of store_copy; store_reopen's is the first
  std::string listen = "127.0.0.1:7878";
  std::string address;  // of listen
  std::uint16_t port = 0;
  bool tls_generate = false;
  std::filesystem::path tls_certificate, tls_key, tls_client_ca;
  std::vector<std::string> tls_names;
  std::string peer_ca_file;  // who vouches for the cloud's other servers; empty: they show our key
  std::string public_url;    // where browsers reach it, if that is not where it listens
  OidcConfig oidc;
  std::string cloud;  // a name for people; default: the host's
  std::string site = "home";
  std::vector<std::string> emulate;
  EngineChoice engine = EngineChoice::podman;
  std::filesystem::path secret_file;  // default: state/secret; the same for all servers of a cloud
  std::string advertise;              // where other servers and clients reach this one
  std::int64_t lease_ms = 5'000;
  std::int64_t stub_run_ms = 300;
  std::filesystem::path stub_record;  // what it ever started; empty: only in memory
  std::string docker_socket = "/var/run/docker.sock";
  std::filesystem::path images;  // NAME.tar -> localhost/ampacity-NAME
  std::filesystem::path prices;  // a price book to take effect at start
  std::filesystem::path owner_key_file;
  std::filesystem::path port_file;
  std::int64_t volume_limit_gib = 10;
  std::filesystem::path payments;  // outbox/ and inbox/ of the file-drop provider; empty: none
  bool webhooks_allow_private = false;
  bool quiet = false;
  std::filesystem::path log_file;  // empty: standard error
  std::int64_t log_file_mib = 64;
  std::int64_t log_files = 4;
  std::filesystem::path backup;  // the folder that `backup` makes and `restore` reads
  bool with_secret = false;
  bool check_only = false;

  bool tls() const { return tls_generate || !tls_certificate.empty(); }
};

// What was said, or everything that is wrong with it; `done`: the words asked for were printed
// (--help, --example-config, --print-config), or a wrong command line was told.
struct Told {
  Config config;
  std::vector<std::string> wrong;
  std::optional<int> done;
};
Told read_config(int argc, const char* const* argv);

// The commented configuration file: every option there is, as it is without one.
std::string example_config();

// Fills address and port. Loopback only, unless there is TLS (DESIGN §12).
base::Result<void> check_listen(Config& config);

}  // namespace ampacity::server
