// ampacityd: reads its command line, finds the machine, then serves or does what a verb says.
#include <signal.h>

#include <cstdio>
#include <filesystem>

#include "base/log.h"
#include "server/examine.h"
#include "server/inventory.h"
#include "server/offline.h"
#include "server/serve.h"
#include "server/signals.h"

namespace {

// Its owner's alone, but for the right to search it where podman gave that to others: containers
// with users of their own start through it, also at this moment.
std::error_code make_state_directory(const std::filesystem::path& state) {
  namespace fs = std::filesystem;
  std::error_code error;
  if (fs::create_directories(state, error)) {
    fs::permissions(state, fs::perms::owner_all, error);
  } else if (!error) {
    fs::permissions(state, fs::perms::group_all | fs::perms::others_read | fs::perms::others_write,
                    fs::perm_options::remove, error);
  }
  return error;
}

}  // namespace

int main(int argc, char** argv) {
  using namespace ampacity;
  server::Parts p;
  p.arguments.assign(argv, argv + argc);
  server::Told told = server::read_config(argc, argv);
  if (told.done) return *told.done;
  p.config = std::move(told.config);
  if (p.config.check_only) {
    server::Examined examined;
    if (told.wrong.empty()) examined = server::examine_all(p.config, p.clock);
    for (std::string& why : told.wrong) examined.wrong.push_back(std::move(why));
    return server::report_check(examined);
  }
  for (const std::string& text : p.config.emulate)
    if (const auto e = server::parse_emulation(text); !e) told.wrong.push_back(e.error().message);
  for (const std::string& why : told.wrong) std::fprintf(stderr, "ampacityd: %s\n", why.c_str());
  if (!told.wrong.empty()) return server::usage_error;
  base::set_log_level(p.config.quiet ? base::Level::warn : base::Level::info);
  if (const auto log = server::open_log(p.config); !log)
    return server::give_up("--log-file: " + log.error().message);
  using Verb = server::Config::Verb;
  const Verb verb = p.config.verb;
  if (verb == Verb::store_copy || verb == Verb::store_reopen) return server::offline(p);
  std::error_code error;
  if (verb != Verb::serve && verb != Verb::restore && !std::filesystem::exists(p.config.state))
    return server::give_up(p.config.state.string() + " is not there: no cloud's state");
  error = make_state_directory(p.config.state);
  if (error) return server::give_up(p.config.state.string() + ": " + error.message());
  const sigset_t awaited = server::awaited_signals();
  pthread_sigmask(SIG_BLOCK, &awaited, nullptr);
  signal(SIGPIPE, SIG_IGN);
  if (verb == Verb::serve || verb == Verb::stop_engine) p.host = engines::discover_host();
  return verb == Verb::serve ? server::serve(p) : server::offline(p);
}
