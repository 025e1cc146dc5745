#include "net/destination.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <sys/socket.h>

#include <algorithm>
#include <charconv>
#include <cstring>

#include "net/http_text.h"

namespace ampacity::net {
namespace {

constexpr std::size_t most_url = 2048, most_host = 253, most_label = 63;
constexpr std::uint16_t first_free_port = 1024;

struct Range {
  std::array<unsigned char, 16> bytes;
  int bits;
};
bool is_in(const std::array<unsigned char, 16>& a, const Range& r) {
  for (int bit = 0; bit < r.bits; ++bit) {
    const auto byte = static_cast<std::size_t>(bit / 8);
    const int mask = 0x80 >> (bit % 8);
    if ((a[byte] & mask) != (r.bytes[byte] & mask)) return false;
  }
  return true;
}

// Not for the public, by IANA's IPv4 registry; and one that a cloud's own metadata answers at.
constexpr Range not_public_v4[] = {
    {{0}, 8},                 // this network
    {{10}, 8},                // private
    {{100, 64}, 10},          // carrier-grade NAT
    {{127}, 8},               // loopback
    {{169, 254}, 16},         // link-local, metadata
    {{172, 16}, 12},          // private
    {{192, 0, 0}, 24},        // protocol assignments
    {{192, 0, 2}, 24},        // documentation
    {{192, 31, 196}, 24},     // AS112
    {{192, 52, 193}, 24},     // AMT
    {{192, 88, 99}, 24},      // 6to4 relays
    {{192, 168}, 16},         // private
    {{192, 175, 48}, 24},     // AS112
    {{198, 18}, 15},          // benchmarks
    {{198, 51, 100}, 24},     // documentation
    {{203, 0, 113}, 24},      // documentation
    {{224}, 4},               // multicast
    {{240}, 4},               // reserved, broadcast
    {{168, 63, 129, 16}, 32}  // Azure's host
};
constexpr Range v6_global = {{0x20}, 3};
constexpr Range not_public_v6[] = {
    {{0x20, 0x01, 0x00, 0x00}, 23},  // protocol assignments: Teredo, ORCHID, benchmarks …
    {{0x20, 0x01, 0x0d, 0xb8}, 32},  // documentation
    {{0x20, 0x02}, 16},              // 6to4
    {{0x26, 0x20, 0x00, 0x4f, 0x80, 0x00}, 48},  // AS112
    {{0x3f, 0xff}, 20},                          // documentation
};
constexpr Range v4_mapped = {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff}, 96};

Address v4_inside(const Address& a) {
  Address inner;
  std::copy(a.bytes.begin() + 12, a.bytes.end(), inner.bytes.begin());
  return inner;
}
bool is_mapped(const Address& a) { return a.v6 && is_in(a.bytes, v4_mapped); }

bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::vector<std::string_view> labels_of(std::string_view host) {
  std::vector<std::string_view> labels;
  while (true) {
    const auto dot = host.find('.');
    labels.push_back(host.substr(0, dot));
    if (dot == std::string_view::npos) return labels;
    host.remove_prefix(dot + 1);
  }
}

// Some parsers read a host whose last label is a number, decimal, octal or hexadecimal, as an IPv4
// address, with fewer than four parts, too (WHATWG URL §3.5).
bool ends_in_a_number(std::string_view last) {
  if (std::all_of(last.begin(), last.end(), is_digit)) return true;
  return last.starts_with("0x") && std::all_of(last.begin() + 2, last.end(), [](char c) {
           return is_digit(c) || (c >= 'a' && c <= 'f');
         });
}

bool is_name(const std::vector<std::string_view>& labels) {
  return std::all_of(labels.begin(), labels.end(), [](std::string_view l) {
    return !l.empty() && l.size() <= most_label && l.front() != '-' && l.back() != '-' &&
           std::all_of(l.begin(), l.end(), [](char c) {
             return is_digit(c) || (c >= 'a' && c <= 'z') || c == '-' || c == '_';
           });
  });
}

// Names that mean this machine or this network, whatever they resolve to today.
bool is_inner_name(const std::vector<std::string_view>& labels) {
  const std::string_view last = labels.back();
  return labels.size() == 1 || last == "localhost" || last == "local" || last == "internal" ||
         last == "localdomain" || last == "arpa" || last == "onion";
}

std::unexpected<base::Refusal> wrong(std::string why) {
  return base::refuse_field("url", std::move(why));
}

base::Result<void> read_host(std::string_view text, bool bracketed, Reach reach, Destination& d) {
  d.host.assign(text);
  std::transform(d.host.begin(), d.host.end(), d.host.begin(), lower);
  if (bracketed) {
    d.literal = parse_address(d.host);
    if (!d.literal || !d.literal->v6) return wrong("has something in brackets that is no address");
  } else {
    if (d.host.ends_with('.')) d.host.pop_back();
    const auto labels = labels_of(d.host);
    if (d.host.empty() || d.host.size() > most_host || !is_name(labels))
      return wrong("must name a host, in ASCII (xn--… for others)");
    if (ends_in_a_number(labels.back())) {
      d.literal = parse_address(d.host);
      if (!d.literal) return wrong("must write an IPv4 address as four decimal numbers");
    } else if (reach == Reach::public_only && is_inner_name(labels)) {
      return wrong("must not lead into this network: " + d.host + " is a name inside it");
    }
  }
  if (d.literal && reach == Reach::public_only && !is_public(*d.literal))
    return wrong("must not lead into this network: " + d.host + " is no public address");
  if (d.literal && !d.tls && !is_loopback(*d.literal)) return wrong("must begin with https://");
  return {};
}

base::Result<void> read_port(std::string_view text, Reach reach, Destination& d) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), d.port);
  if (text.empty() || error != std::errc{} || end != text.data() + text.size() || d.port == 0)
    return wrong("has a port that is no number from 1 to 65535");
  // Mail, DNS, SSH …: what answers there does not expect HTTP.
  if (d.port < first_free_port && d.port != 443 && reach == Reach::public_only)
    return wrong("must use port 443 or one above 1023");
  return {};
}

}  // namespace

std::optional<Address> parse_address(std::string_view text) {
  Address a;
  const std::string z(text);
  if (z.size() != std::strlen(z.c_str())) return std::nullopt;
  if (inet_pton(AF_INET, z.c_str(), a.bytes.data()) == 1) return a;
  a = {};
  a.v6 = true;
  if (inet_pton(AF_INET6, z.c_str(), a.bytes.data()) == 1) return a;
  return std::nullopt;
}

std::string format_address(const Address& a) {
  char text[INET6_ADDRSTRLEN] = "";
  inet_ntop(a.v6 ? AF_INET6 : AF_INET, a.bytes.data(), text, sizeof text);
  return text;
}

bool is_public(const Address& a) {
  if (is_mapped(a)) return is_public(v4_inside(a));
  const auto in = [&](const Range& r) { return is_in(a.bytes, r); };
  if (a.v6)
    return in(v6_global) && std::none_of(std::begin(not_public_v6), std::end(not_public_v6), in);
  return std::none_of(std::begin(not_public_v4), std::end(not_public_v4), in);
}

bool is_loopback(const Address& a) {
  if (is_mapped(a)) return is_loopback(v4_inside(a));
  if (!a.v6) return a.bytes[0] == 127;
  return std::all_of(a.bytes.begin(), a.bytes.end() - 1, [](auto b) { return b == 0; }) &&
         a.bytes[15] == 1;
}

std::string Destination::base_url() const {
  return (tls ? "https://" : "http://") + (literal && literal->v6 ? "[" + host + "]" : host) + ":" +
         std::to_string(port);
}

base::Result<Destination> parse_destination(std::string_view url, Reach reach) {
  Destination d;
  if (url.size() > most_url) return wrong("must be at most 2048 characters");
  for (const char c : url)
    if (c <= ' ' || c >= 0x7f || c == '\\' || c == '"' || c == '<' || c == '>' || c == '#')
      return wrong("must not have blanks, control characters, \\, quotes, angle brackets or a #");
  const auto colon = url.find("://");
  std::string scheme(url.substr(0, colon == std::string_view::npos ? 0 : colon));
  std::transform(scheme.begin(), scheme.end(), scheme.begin(), lower);
  if (scheme != "https" && !(scheme == "http" && reach == Reach::anywhere))
    return wrong("must begin with https://");
  d.tls = scheme == "https";
  d.port = d.tls ? 443 : 80;
  std::string_view rest = url.substr(colon + 3);
  const auto end = rest.find_first_of("/?");
  std::string_view authority = rest.substr(0, end);
  rest = end == std::string_view::npos ? std::string_view{} : rest.substr(end);
  d.target = rest.starts_with('/') ? std::string(rest) : "/" + std::string(rest);
  if (authority.find('@') != std::string_view::npos)
    return wrong("must not have a user or a password");
  const bool bracketed = authority.starts_with('[');
  std::string_view host = authority, port;
  bool has_port = false;
  if (bracketed) {
    const auto close = authority.find(']');
    if (close == std::string_view::npos) return wrong("has no ] after its address");
    host = authority.substr(1, close - 1);
    port = authority.substr(close + 1);
    has_port = port.starts_with(':');
    if (!port.empty() && !has_port) return wrong("has something after its address");
    if (has_port) port.remove_prefix(1);
  } else if (const auto at = authority.rfind(':'); at != std::string_view::npos) {
    host = authority.substr(0, at);
    port = authority.substr(at + 1);
    has_port = true;
  }
  if (has_port)
    if (auto ok = read_port(port, reach, d); !ok) return std::unexpected(std::move(ok.error()));
  if (auto ok = read_host(host, bracketed, reach, d); !ok)
    return std::unexpected(std::move(ok.error()));
  return d;
}

base::Try<std::vector<Address>> resolve(const std::string& host) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* list = nullptr;
  if (const int error = getaddrinfo(host.c_str(), nullptr, &hints, &list); error != 0)
    return base::fault(host + " cannot be resolved: " + gai_strerror(error));
  std::vector<Address> found;
  for (const addrinfo* i = list; i != nullptr; i = i->ai_next) {
    Address a;
    if (i->ai_family == AF_INET) {
      const auto* in = reinterpret_cast<const sockaddr_in*>(i->ai_addr);
      std::memcpy(a.bytes.data(), &in->sin_addr, 4);
    } else if (i->ai_family == AF_INET6) {
      const auto* in = reinterpret_cast<const sockaddr_in6*>(i->ai_addr);
      a.v6 = true;
      std::memcpy(a.bytes.data(), &in->sin6_addr, 16);
    } else {
      continue;
    }
    found.push_back(a);
  }
  freeaddrinfo(list);
  return found;
}

base::Try<Address> address_of(const Destination& d, Reach reach, const Resolver& resolver) {
  std::vector<Address> all;
  if (d.literal) {
    all = {*d.literal};
  } else {
    auto found = resolver(d.host);
    if (!found) return std::unexpected(std::move(found.error()));
    all = std::move(*found);
  }
  if (all.empty()) return base::fault(d.host + " has no address");
  for (const Address& a : all) {
    const bool may = d.tls ? reach == Reach::anywhere || is_public(a)
                           : reach == Reach::anywhere && is_loopback(a);
    if (!may)
      return base::fault(d.host + " leads to " + format_address(a) + ", where nothing is sent",
                         false);
  }
  // IPv4 first: a machine without IPv6 still resolves it.
  const auto v4 = std::find_if(all.begin(), all.end(), [](const Address& a) { return !a.v6; });
  return v4 != all.end() ? *v4 : all.front();
}

}  // namespace ampacity::net
