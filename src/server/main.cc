// ampacityd: reads its command line, finds the machine, then serves or does what a verb says.
#include <signal.h>

#include <cstdio>

#include "base/log.h"
#include "server/inventory.h"
#include "server/offline.h"
#include "server/serve.h"

int main(int argc, char** argv) {
  using namespace ampacity;
  server::Parts p;
  p.arguments.assign(argv, argv + argc);
  p.config = server::parse_config(argc, argv);
  if (const auto listen = server::check_listen(p.config); !listen) {
    std::fprintf(stderr, "ampacityd: %s\n", listen.error().message.c_str());
    return server::usage_error;
  }
  base::set_log_level(p.config.quiet ? base::Level::warn : base::Level::info);
  for (const std::string& text : p.config.emulate)
    if (const auto e = server::parse_emulation(text); !e) {
      std::fprintf(stderr, "ampacityd: %s\n", e.error().message.c_str());
      return server::usage_error;
    }
  if (p.config.verb == server::Config::Verb::store_copy) return server::offline(p);
  std::error_code error;
  if (p.config.verb != server::Config::Verb::serve && !std::filesystem::exists(p.config.state))
    return server::give_up(p.config.state.string() + " is not there: no cloud's state");
  std::filesystem::create_directories(p.config.state, error);
  if (error) return server::give_up(p.config.state.string() + ": " + error.message());
  std::filesystem::permissions(p.config.state, std::filesystem::perms::owner_all, error);
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  signal(SIGPIPE, SIG_IGN);
  p.host = engines::discover_host();
  if (p.config.verb != server::Config::Verb::serve) return server::offline(p);
  return server::serve(p);
}
