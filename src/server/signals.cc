#include "server/signals.h"

#include "base/log.h"
#include "base/log_file.h"
#include "server/identity.h"

namespace ampacity::server {
namespace {

// What is named in files is read again; what cannot be read stays as it was.
void read_again(Parts& p, net::HttpServer& server) {
  if (const auto log = open_log(p.config); !log)
    base::log_error("SIGHUP: the log file: {}", log.error().message);
  auto identity = open_identity(p.config, p.clock);
  if (!identity) return base::log_error("SIGHUP: {}", identity.error().message);
  if (*identity) base::log_info("SIGHUP: TLS with {}", (*identity)->certificate().pin);
  server.show(std::move(*identity));
}

}  // namespace

sigset_t awaited_signals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&set, signal);
  return set;
}

base::Try<void> open_log(const Config& c) {
  if (c.log_file.empty()) return {};
  return base::log_to_file({c.log_file, static_cast<std::size_t>(c.log_file_mib) << 20,
                            static_cast<std::size_t>(c.log_files)});
}

bool asked_to_stop(Parts& p, net::HttpServer& server, base::Duration within) {
  const sigset_t set = awaited_signals();
  const timespec time{within.us / 1'000'000, within.us % 1'000'000 * 1'000};
  const int signal = sigtimedwait(&set, nullptr, &time);
  if (signal == SIGHUP) read_again(p, server);
  return signal == SIGTERM || signal == SIGINT;
}

}  // namespace ampacity::server
