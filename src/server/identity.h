// The certificate this server shows: its operator's files, or one made here and kept in state/tls.
// Threads: the main one.
// 1. A made key is never made again while it is there, so that pins hold; its certificate is made
// anew when the names it must be for change, or its end comes near.
#pragma once

#include <memory>

#include "base/result.h"
#include "base/time.h"
#include "net/tls.h"
#include "server/config.h"

namespace ampacity::server {

// Null without TLS. Also at SIGHUP.
base::Try<std::shared_ptr<const net::TlsIdentity>> open_identity(const Config& c,
                                                                 base::Clock& clock);

// Without making anything: what is wrong with the files named.
base::Try<void> check_identity(const Config& c, base::Clock& clock);

// Whom this server believes to be another one of its cloud, and what it shows to it.
net::Trust peer_trust(const Config& c, const net::TlsIdentity* own);

// "https://gpu1:7878": where others reach it.
std::string address_for_people(const Config& c, std::uint16_t port);

}  // namespace ampacity::server
