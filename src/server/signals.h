// The signals ampacityd waits for; at SIGHUP the log file and the TLS identity are read again.
// Threads: the main one; they are blocked in every thread from the start.
#pragma once

#include <signal.h>

#include "base/time.h"
#include "net/http_server.h"
#include "server/parts.h"

namespace ampacity::server {

sigset_t awaited_signals();  // SIGTERM, SIGINT, SIGHUP

base::Try<void> open_log(const Config& c);  // --log-file, if there is one

// Waits so long: true if SIGTERM or SIGINT came; SIGHUP is answered meanwhile.
bool asked_to_stop(Parts& p, net::HttpServer& server, base::Duration within);

}  // namespace ampacity::server
