// Where a stranger's URL may lead: taken apart strictly, resolved by us, and refused wherever it
// does not end at a public address (SSRF). Threads: pure functions but for resolve(), which blocks.
// 1. Only https; plain http is for loopback, in tests (`Reach::anywhere`). 2. No user information,
// no fragment, no host in any of the spellings that only some parsers understand. 3. Every address
// a name has must be public; the caller connects to the one returned and to no other
// (CallOptions::only_address), so a name that changes its answer meanwhile gains nothing.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace ampacity::net {

enum class Reach { public_only, anywhere };

struct Address {
  bool v6 = false;
  std::array<unsigned char, 16> bytes{};  // v4: the first four
  bool operator==(const Address&) const = default;
};
// Only the forms inet_pton knows: four decimal numbers, or IPv6 without brackets and zone.
std::optional<Address> parse_address(std::string_view text);
std::string format_address(const Address& address);

// Globally reachable unicast by IANA's special-purpose registries. IPv4 inside IPv6 (mapped) is
// judged as IPv4; what else embeds one (6to4, NAT64, Teredo, ISATAP-like) is never public.
bool is_public(const Address& address);
bool is_loopback(const Address& address);

struct Destination {
  bool tls = true;
  std::string host;  // lower case, without brackets and without a dot at the end
  std::uint16_t port = 443;
  std::string target;              // path and query, at least "/"
  std::optional<Address> literal;  // the host is an address
  std::string base_url() const;
};
base::Result<Destination> parse_destination(std::string_view url, Reach reach);

using Resolver = std::function<base::Try<std::vector<Address>>(const std::string& host)>;
base::Try<std::vector<Address>> resolve(const std::string& host);

// The address to connect to. A fault that is not retryable: it leads where it may not.
base::Try<Address> address_of(const Destination& destination, Reach reach,
                              const Resolver& resolver = resolve);

}  // namespace ampacity::net
