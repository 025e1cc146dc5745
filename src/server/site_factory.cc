#include "server/site_factory.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdlib>

#include "engines/emulated.h"
#include "engines/slurm.h"
#include "server/catalogue.h"
#include "server/inventory.h"

namespace ampacity::server {
namespace {

using Made = base::Try<std::unique_ptr<engines::Engine>>;
using Wrongs = std::vector<base::Wrong>;

struct Kind {
  std::string_view name;
  std::vector<std::string_view> options;
  bool has_key = false;  // takes a token
  void (*check)(const core::Site&, Wrongs&);
  Made (*make)(const core::Site&, const SiteMaking&, base::Clock&);
};

std::string option(const core::Site& site, std::string_view name) {
  for (const std::string& o : site.options)
    if (o.size() > name.size() && o.starts_with(name) && o[name.size()] == '=')
      return o.substr(name.size() + 1);
  return {};
}

// "file:/etc/token" -> "/etc/token"; empty: it is not of that sort.
std::string key_in(const core::Site& site, std::string_view sort) {
  return site.credential.starts_with(sort) ? site.credential.substr(sort.size()) : std::string();
}

// ---- slurm --------------------------------------------------------------------------------------

engines::SlurmOptions slurm_options(const core::Site& site, const SiteMaking& making) {
  engines::SlurmOptions o;
  o.cloud = making.cloud + "." + site.name;
  o.url = site.url;
  o.state = making.state / "sites" / site.name;
  o.token_file = key_in(site, "file:");
  o.token_env = key_in(site, "env:");
  o.jwt_key_file = option(site, "jwt-key");
  o.user = option(site, "user");
  o.shared = option(site, "shared");
  o.partition = option(site, "partition");
  o.conf = option(site, "conf");
  o.reserve = option(site, "reserve") != "no";
  if (const auto lease = base::parse_duration(option(site, "lease"))) o.lease = *lease;
  o.may_act = making.may_act;
  return o;
}

void check_slurm(const core::Site& site, Wrongs& wrong) {
  const auto fine = engines::check_slurm_options(slurm_options(site, {}));
  if (!fine) wrong.insert(wrong.end(), fine.error().wrong.begin(), fine.error().wrong.end());
  const std::string reserve = option(site, "reserve");
  if (!reserve.empty() && reserve != "yes" && reserve != "no")
    wrong.push_back({"options", "reserve must be yes or no"});
  const std::string lease = option(site, "lease");
  if (!lease.empty() && !base::parse_duration(lease))
    wrong.push_back({"options", "lease must be a duration such as 10m"});
}

Made make_slurm(const core::Site& site, const SiteMaking& making, base::Clock& clock) {
  return engines::make_slurm_engine(slurm_options(site, making), clock);
}

// ---- emulated -----------------------------------------------------------------------------------

constexpr std::string_view emulated_scheme = "emulated:";

void check_emulated(const core::Site& site, Wrongs& wrong) {
  if (!site.url.starts_with(emulated_scheme)) {
    wrong.push_back({"url", "must read like emulated:h100:8x4 (4 nodes of 8)"});
    return;
  }
  const auto e = parse_emulation(site.url.substr(emulated_scheme.size()));
  if (!e)
    wrong.push_back(
        {"url", e.error().wrong.empty() ? e.error().message : e.error().wrong[0].message});
  const std::string run = option(site, "run");
  if (!run.empty() && !base::parse_duration(run))
    wrong.push_back({"options", "run must be a duration such as 90s"});
}

Made make_emulated(const core::Site& site, const SiteMaking&, base::Clock& clock) {
  const auto e = parse_emulation(site.url.substr(emulated_scheme.size()));
  if (!e) return base::fault(e.error().message, false);
  engines::EmulatedOptions o;
  for (auto& member : emulated_machines(*e, "")) o.machines.nodes.push_back(std::move(member));
  if (const auto run = base::parse_duration(option(site, "run"))) o.run_time = *run;
  o.door = option(site, "door");
  o.record = option(site, "record");
  return engines::make_emulated_engine(std::move(o), clock);
}

const std::array<Kind, 2>& kinds() {
  static const std::array<Kind, 2> all = {
      Kind{"slurm",
           {"jwt-key", "user", "shared", "partition", "conf", "reserve", "lease"},
           true,
           check_slurm,
           make_slurm},
      Kind{"emulated", {"run", "door", "record"}, false, check_emulated, make_emulated}};
  return all;
}

const Kind* kind_named(const std::string& name) {
  for (const Kind& k : kinds())
    if (k.name == name) return &k;
  return nullptr;
}

}  // namespace

std::string engine_kinds() {
  std::string names;
  for (const Kind& k : kinds()) names += (names.empty() ? "" : ", ") + std::string(k.name);
  return names;
}

base::Result<void> check_site(const core::Site& site) {
  Wrongs wrong;
  const Kind* kind = kind_named(site.engine);
  if (site.engine == "podman" || site.engine == "docker")
    wrong.push_back({"engine", site.engine + " runs on this machine only: it is the engine of "
                                             "ampacityd's own site (ampacityd --engine)"});
  else if (!kind)
    wrong.push_back({"engine", "there is no engine '" + site.engine.substr(0, 40) + "'; there is " +
                                   engine_kinds()});
  if (!kind) return std::unexpected(base::refusal_of(std::move(wrong)));
  kind->check(site, wrong);
  if (!kind->has_key && !site.credential.empty())
    wrong.push_back({"token_file", site.engine + " takes no token"});
  for (const std::string& o : site.options) {
    const std::string name = o.substr(0, o.find('='));
    if (std::find(kind->options.begin(), kind->options.end(), name) != kind->options.end() &&
        name.size() < o.size())
      continue;
    wrong.push_back(
        {"options", fmt::format("there is no option '{}' of {}; there is {}", name.substr(0, 40),
                                site.engine, fmt::join(kind->options, ", "))});
  }
  if (wrong.empty()) return {};
  return std::unexpected(base::refusal_of(std::move(wrong)));
}

Made make_site_engine(const core::Site& site, const SiteMaking& making, base::Clock& clock) {
  const Kind* kind = kind_named(site.engine);
  if (!kind) return base::fault("there is no engine " + site.engine + " in this release", false);
  if (const std::string file = key_in(site, "file:"); !file.empty()) {
    std::error_code error;
    if (!std::filesystem::is_regular_file(file, error))
      return base::fault("its token's file " + file + " is not there", true);
  }
  if (const std::string name = key_in(site, "env:"); !name.empty() && !std::getenv(name.c_str()))
    return base::fault("ampacityd was started without " + name + ", where its token is to be",
                       false);
  // Its own folder; logs lie with all others.
  std::error_code error;
  const auto own = making.state / "sites" / site.name;
  std::filesystem::create_directories(making.state / "logs", error);
  std::filesystem::create_directories(own, error);
  if (!std::filesystem::exists(own / "logs"))
    std::filesystem::create_directory_symlink("../../logs", own / "logs", error);
  if (error) return base::fault(own.string() + ": " + error.message(), true);
  return kind->make(site, making, clock);
}

}  // namespace ampacity::server
