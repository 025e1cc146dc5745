// What ampacityd is told on its command line.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "engines/slurm.h"

namespace ampacity::server {

enum class EngineChoice { podman, docker, slurm, stub };

struct Config {
  enum class Verb { serve, stop_engine, rebuild, doctor, owner_key } verb = Verb::serve;
  std::filesystem::path state;
  std::string listen = "127.0.0.1:7878";
  std::string address;  // of listen
  std::uint16_t port = 0;
  std::string cloud;  // a name for people; default: the host's
  std::string site = "home";
  std::vector<std::string> emulate;
  EngineChoice engine = EngineChoice::podman;
  std::int64_t stub_run_ms = 300;
  std::string docker_socket = "/var/run/docker.sock";
  engines::SlurmOptions slurm;   // but cloud and state
  std::filesystem::path images;  // NAME.tar -> localhost/ampacity-NAME
  std::filesystem::path prices;  // a price book to take effect at start
  std::filesystem::path owner_key_file;
  std::filesystem::path port_file;
  std::int64_t volume_limit_gib = 10;
  std::filesystem::path payments;  // outbox/ and inbox/ of the file-drop provider; empty: none
  bool webhooks_allow_private = false;
  bool quiet = false;
};

// Exits the process for --help and for a wrong command line (code 2), as CLI11 does.
Config parse_config(int argc, char** argv);

// Loopback only until TLS and authentication of the outside are configured (DESIGN §12).
base::Result<void> check_listen(Config& config);

}  // namespace ampacity::server
