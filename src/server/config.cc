#include "server/config.h"

#include <fmt/core.h>
#include <unistd.h>

#include <CLI/Error.hpp>
#include <charconv>
#include <cstdio>
#include <sstream>

#include "server/options.h"
#include "server/sign_in.h"

namespace ampacity::server {
namespace {

constexpr std::string_view about =
    "ampacityd: the Ampacity server. Its state is one directory; its records are in a file there, "
    "or in PostgreSQL.";

std::string host_name() {
  char host[256] = "cloud";
  gethostname(host, sizeof host - 1);
  return host;
}

// Which stores are meant depends on the verb.
void name_stores(Config& c, const Spoken& spoken, std::vector<std::string>& wrong) {
  const auto parse = [&](const std::string& text, store::StoreAt& at) {
    const bool postgres = text.find("://") != std::string::npos;
    auto parsed = store::parse_store(text, postgres ? spoken.store_password_file : "");
    if (parsed)
      at = std::move(*parsed);
    else
      wrong.push_back(parsed.error().message);
  };
  if (c.verb == Config::Verb::store_copy) {
    parse(spoken.copy_from, c.copy_from);
    parse(spoken.copy_to, c.copy_to);
  } else if (c.verb == Config::Verb::store_reopen) {
    parse(spoken.copy_from, c.copy_from);
  } else if (c.state.empty()) {
    wrong.emplace_back("--state is required: the directory of this cloud's state");
  } else {
    parse(spoken.store.empty() ? (c.state / "ampacity.db").string() : spoken.store, c.store);
  }
}

// What the words mean, once all of them are known.
void settle(Config& c, const Spoken& spoken) {
  c.engine = spoken.engine == "docker" ? EngineChoice::docker
             : spoken.engine == "stub" ? EngineChoice::stub
                                       : EngineChoice::podman;
  c.tls_generate = spoken.tls == "generate";
  for (std::filesystem::path* path : {&c.state, &c.images, &c.backup, &c.log_file})
    if (!path->empty()) *path = std::filesystem::absolute(*path).lexically_normal();
  if (c.cloud.empty()) c.cloud = host_name();
  if (c.public_url.ends_with('/')) c.public_url.pop_back();
}

void examine(Config& c, std::vector<std::string>& wrong) {
  if (c.tls_certificate.empty() != c.tls_key.empty())
    wrong.emplace_back("--tls-cert and --tls-key go together");
  if (c.tls_generate && !c.tls_certificate.empty())
    wrong.emplace_back("--tls generate and --tls-cert exclude each other");
  if (!c.tls() && !c.tls_client_ca.empty())
    wrong.emplace_back("--tls-client-ca needs TLS: --tls generate, or --tls-cert and --tls-key");
  if (!c.tls_generate && !c.tls_names.empty())
    wrong.emplace_back("--tls-name is for --tls generate");
  if (const auto listen = check_listen(c); !listen) wrong.push_back(listen.error().message);
  for (std::string& why : wrong_with_sign_in(c)) wrong.push_back(std::move(why));
}

std::string yaml_text(const std::string& value) {
  if (!value.empty() && value.find_first_of(" :#'\"{}[],&*!|>%@`") == std::string::npos)
    return value;
  std::string out = "'";
  for (const char ch : value) out += ch == '\'' ? "''" : std::string(1, ch);
  return out + "'";
}

bool in_file(const CLI::Option& o) {
  return o.get_configurable() && !o.get_lnames().empty() && o.get_lnames()[0] != "help";
}

std::string in_force(const CLI::App& app) {
  std::string out;
  for (const CLI::Option* o : app.get_options()) {
    if (!in_file(*o)) continue;
    std::vector<std::string> values = o->results();
    if (values.empty() && !o->get_default_str().empty()) values = {o->get_default_str()};
    if (values.empty()) continue;
    out += o->get_lnames()[0] + ":";
    if (o->get_expected_max() <= 1) out += " " + yaml_text(values.back()) + "\n";
    if (o->get_expected_max() <= 1) continue;
    out += "\n";
    for (const std::string& value : values) out += "  - " + yaml_text(value) + "\n";
  }
  return out;
}

std::string wrapped(const std::string& text) {
  constexpr std::size_t columns = 96;
  std::istringstream words(text);
  std::string out, line = "#", word;
  while (words >> word) {
    if (line.size() + 1 + word.size() > columns) out += std::exchange(line, "#") + "\n";
    line += " " + word;
  }
  return out + line + "\n";
}

std::string example_line(const CLI::Option& o) {
  const std::string& name = o.get_lnames()[0];
  if (o.get_expected_max() > 1) return fmt::format("#{}:\n#  - …\n", name);
  const std::string value = o.get_expected_max() == 0     ? "false"
                            : o.get_default_str().empty() ? "…"
                                                          : yaml_text(o.get_default_str());
  return fmt::format("#{}: {}\n", name, value);
}

}  // namespace

bool holds_secret(std::string_view value) {
  if (value.starts_with("amp_")) return true;
  for (const std::string_view word : {"password=", "passwd=", "token="})
    if (value.find(word) != std::string_view::npos) return true;
  const auto scheme = value.find("://");
  if (scheme == std::string_view::npos) return false;
  const std::string_view authority =
      value.substr(scheme + 3, value.find('/', scheme + 3) - scheme - 3);
  const auto at = authority.rfind('@');
  return at != std::string_view::npos &&
         authority.substr(0, at).find(':') != std::string_view::npos;
}

std::string example_config() {
  Config c;
  Spoken spoken;
  CLI::App app;
  describe_options(app, c, spoken);
  std::string out = wrapped(
      "What ampacityd reads by --config FILE. Every line is as it is without one; take the "
      "# away to change it. A flag on the command line goes before this file, a name that is "
      "not known is refused. Secrets never stand here: they are read from files of mode 0600 "
      "or from the environment. `ampacityd --config FILE --check` says what is wrong, and "
      "where. Made by `ampacityd --example-config`; a test compares.");
  for (const CLI::Option* o : app.get_options())
    if (in_file(*o)) out += "\n" + wrapped(o->get_description()) + example_line(*o);
  return out;
}

Told read_config(int argc, const char* const* argv) {
  Told told;
  Config& c = told.config;
  Spoken spoken;
  CLI::App app{std::string(about)};
  describe_options(app, c, spoken);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    told.done = app.exit(e) == 0 ? 0 : 2;
    return told;
  }
  if (spoken.example_config) {
    std::fputs(example_config().c_str(), stdout);
    told.done = 0;
    return told;
  }
  for (const CLI::Option* o : app.get_options())
    for (const std::string& value : o->results())
      if (holds_secret(value))
        told.wrong.push_back(o->get_name() +
                             ": holds a secret, and command lines are seen by all; "
                             "secrets come from files or the environment");
  if (!c.file.empty())
    for (std::string& why : take_file(app, c.file)) told.wrong.push_back(std::move(why));
  settle(c, spoken);
  name_stores(c, spoken, told.wrong);
  examine(c, told.wrong);
  if (spoken.print_config && told.wrong.empty()) {
    std::fputs(in_force(app).c_str(), stdout);
    told.done = 0;
  }
  return told;
}

base::Result<void> check_listen(Config& c) {
  const std::size_t colon = c.listen.rfind(':');
  c.address = c.listen.substr(0, colon);
  if (c.address.starts_with('[') && c.address.ends_with(']'))
    c.address = c.address.substr(1, c.address.size() - 2);
  if (c.address == "localhost") c.address = "127.0.0.1";
  const std::string port = colon == std::string::npos ? "" : c.listen.substr(colon + 1);
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), c.port);
  if (port.empty() || error != std::errc{} || end != port.data() + port.size())
    return base::refuse_field("--listen", "must be address:port, got " + c.listen);
  if (!c.tls() && !c.address.starts_with("127.") && c.address != "::1")
    return base::refuse_field("--listen",
                              c.address +
                                  " is refused: without TLS this server listens on loopback only; "
                                  "say --tls generate, or --tls-cert and --tls-key");
  return {};
}

}  // namespace ampacity::server
