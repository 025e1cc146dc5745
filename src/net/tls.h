// TLS as other rooms see it: what a server shows, whom a client believes, how a certificate is
// made. Threads: everything here is a value or never changes once made; any thread may use it.
// 1. TLS 1.2 and later, with forward secrecy and authenticated ciphers only. 2. A pin is the
// SHA-256 of a public key, "sha256//BASE64" as curl writes it: a certificate renewed with the same
// key keeps it. 3. Private keys are read from files; none is ever logged or returned.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"

namespace ampacity::net {

struct CertificateFacts {
  std::string pin;                 // of its public key
  std::string subject;             // "CN=…"
  std::vector<std::string> names;  // host names and addresses it is for
  base::Instant not_after;
};
bool is_pin(std::string_view text);

// Whom a client believes over https, and who it says it is itself.
struct Trust {
  std::string pin;      // not empty: the server must have this key; nothing else is asked
  std::string ca_file;  // else: who may vouch for it, in PEM; empty: the system's authorities
  std::string certificate_file;  // shown to servers that ask (mutual TLS), with its key
  std::string key_file;
  bool operator==(const Trust&) const = default;
};

// What a server shows, and of whom it asks the same.
struct TlsFiles {
  std::filesystem::path certificate;  // PEM; the chain after it
  std::filesystem::path key;          // PEM, not encrypted
  // Not empty: clients must show a certificate that one of these vouches for.
  std::filesystem::path client_ca;
};

class TlsIdentity {
 public:
  class Impl;
  // Refuses a key that is not the certificate's, and files it cannot read, by name.
  static base::Try<std::shared_ptr<const TlsIdentity>> load(const TlsFiles& files);
  explicit TlsIdentity(std::unique_ptr<Impl> impl);
  ~TlsIdentity();

  const CertificateFacts& certificate() const;
  const Impl& impl() const { return *impl_; }

 private:
  std::unique_ptr<Impl> impl_;
};

// A new private key (ECDSA P-256), in PEM.
base::Try<std::string> make_private_key();
// A self-signed certificate of `key_pem` for these host names and addresses, in PEM.
base::Try<std::string> make_certificate(const std::string& key_pem,
                                        const std::vector<std::string>& names, base::Instant now,
                                        base::Duration valid_for);
base::Try<CertificateFacts> read_certificate(const std::filesystem::path& file);

}  // namespace ampacity::net
