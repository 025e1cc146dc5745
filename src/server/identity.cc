#include "server/identity.h"

#include <arpa/inet.h>
#include <fmt/core.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <iterator>

#include "net/destination.h"
#include "server/secrets.h"

namespace ampacity::server {
namespace {

namespace fs = std::filesystem;

constexpr base::Duration valid_for = base::Duration::seconds(3650LL * 86'400);
constexpr base::Duration renewed_before = base::Duration::seconds(30LL * 86'400);
constexpr std::size_t addresses_max = 16;

std::string name_of_host() {
  char host[256] = "localhost";
  gethostname(host, sizeof host - 1);
  return host;
}

bool is_wildcard(const std::string& address) { return address == "0.0.0.0" || address == "::"; }

void add_own_addresses(std::vector<std::string>& names) {
  ifaddrs* all = nullptr;
  if (getifaddrs(&all) != 0) return;
  for (const ifaddrs* i = all; i != nullptr && names.size() < addresses_max; i = i->ifa_next) {
    if (i->ifa_addr == nullptr || (i->ifa_flags & IFF_LOOPBACK) != 0) continue;
    char text[INET6_ADDRSTRLEN] = "";
    if (i->ifa_addr->sa_family == AF_INET)
      inet_ntop(AF_INET, &reinterpret_cast<sockaddr_in*>(i->ifa_addr)->sin_addr, text, sizeof text);
    if (text[0] != '\0') names.emplace_back(text);
  }
  freeifaddrs(all);
}

std::vector<std::string> wanted_names(const Config& c) {
  std::vector<std::string> names = {name_of_host(), "localhost", "127.0.0.1", "::1"};
  if (is_wildcard(c.address))
    add_own_addresses(names);
  else
    names.push_back(c.address);
  names.insert(names.end(), c.tls_names.begin(), c.tls_names.end());
  std::ranges::sort(names);
  names.erase(std::ranges::unique(names).begin(), names.end());
  return names;
}

std::string read_text(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

bool still_good(const fs::path& certificate, const std::vector<std::string>& names,
                base::Instant now) {
  auto facts = net::read_certificate(certificate);
  if (!facts) return false;
  std::ranges::sort(facts->names);
  return facts->names == names && facts->not_after - now > renewed_before;
}

base::Try<net::TlsFiles> made_files(const Config& c, base::Instant now) {
  const fs::path folder = c.state / "tls";
  const net::TlsFiles files{folder / "certificate.pem", folder / "key.pem", c.tls_client_ca};
  std::error_code error;
  fs::create_directories(folder, error);
  fs::permissions(folder, fs::perms::owner_all, error);
  if (error) return base::fault(folder.string() + ": " + error.message(), false);
  if (!fs::exists(files.key)) {
    const auto key = net::make_private_key();
    if (!key) return std::unexpected(key.error());
    if (auto r = write_private(files.key, *key); !r) return std::unexpected(r.error());
  }
  const auto names = wanted_names(c);
  if (still_good(files.certificate, names, now)) return files;
  const auto certificate = net::make_certificate(read_text(files.key), names, now, valid_for);
  if (!certificate) return std::unexpected(certificate.error());
  if (auto r = write_private(files.certificate, *certificate); !r)
    return std::unexpected(r.error());
  return files;
}

base::Try<std::shared_ptr<const net::TlsIdentity>> loaded(const net::TlsFiles& files,
                                                          base::Instant now) {
  auto identity = net::TlsIdentity::load(files);
  if (identity && (*identity)->certificate().not_after < now)
    return base::fault(files.certificate.string() + ": it ended at " +
                           base::format_instant((*identity)->certificate().not_after),
                       false);
  return identity;
}

}  // namespace

base::Try<std::shared_ptr<const net::TlsIdentity>> open_identity(const Config& c,
                                                                 base::Clock& clock) {
  if (!c.tls()) return nullptr;
  if (!c.tls_generate) return loaded({c.tls_certificate, c.tls_key, c.tls_client_ca}, clock.now());
  auto files = made_files(c, clock.now());
  if (!files) return std::unexpected(files.error());
  return loaded(*files, clock.now());
}

base::Try<void> check_identity(const Config& c, base::Clock& clock) {
  if (!c.tls()) return {};
  net::TlsFiles files{c.tls_certificate, c.tls_key, c.tls_client_ca};
  if (c.tls_generate) {
    const fs::path folder = c.state / "tls";
    files = {folder / "certificate.pem", folder / "key.pem", c.tls_client_ca};
    if (!fs::exists(files.certificate) || !fs::exists(files.key)) return {};  // made at the start
  }
  auto identity = loaded(files, clock.now());
  if (!identity) return std::unexpected(identity.error());
  return {};
}

net::Trust peer_trust(const Config& c, const net::TlsIdentity* own) {
  net::Trust trust;
  trust.ca_file = c.peer_ca_file;
  if (c.peer_ca_file.empty() && own != nullptr) trust.pin = own->certificate().pin;
  if (c.tls_client_ca.empty()) return trust;
  const fs::path folder = c.state / "tls";
  trust.certificate_file = c.tls_generate ? folder / "certificate.pem" : c.tls_certificate;
  trust.key_file = c.tls_generate ? folder / "key.pem" : c.tls_key;
  return trust;
}

std::string address_for_people(const Config& c, std::uint16_t port) {
  std::string host = is_wildcard(c.address) ? name_of_host() : c.address;
  if (host.find(':') != std::string::npos) host = "[" + host + "]";
  return fmt::format("{}://{}:{}", c.tls() ? "https" : "http", host, port);
}

}  // namespace ampacity::server
