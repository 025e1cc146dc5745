// A client's socket with TLS over it, for what curl does not carry (WebSockets). Only for this
// room's .cc files. Threads: one.
#pragma once

#include <boost/asio/ssl/stream.hpp>

#include "net/destination.h"
#include "net/duplex_line.h"

namespace ampacity::net {

using TlsSocket = boost::asio::ssl::stream<AnySocket>;

// The handshake on a connected socket, within its time; the peer is believed as peer.trust says.
base::Try<TlsSocket> greet(boost::asio::io_context& io, AnySocket socket, const Peer& peer,
                           bool check_pin = true);

}  // namespace ampacity::net
