// The description of every option, for CLI11. Only for config.cc and its neighbours.
// Threads: one.
#pragma once

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <string>

#include "server/config.h"

namespace ampacity::server {

// Words that take effect only when all is read.
struct Spoken {
  std::string engine = "podman";
  std::string tls = "off";
  std::string store, store_password_file, copy_from, copy_to;
  bool print_config = false;
  bool example_config = false;
};

void describe_options(CLI::App& app, Config& c, Spoken& spoken);

// The values of a YAML file for options that the command line did not give; what is wrong with it,
// each with file and line.
std::vector<std::string> take_file(CLI::App& app, const std::filesystem::path& file);

// Whether a value holds a password or a token that belongs in a file.
bool holds_secret(std::string_view value);

}  // namespace ampacity::server
