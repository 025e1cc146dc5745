// OpenSSL's objects with owners, and its settings that servers and clients share. Only for this
// room's .cc files. Threads: as OpenSSL's: a context may be shared, the rest may not.
#pragma once

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <memory>
#include <string>

#include "net/tls.h"

namespace ampacity::net {

template <auto free>
struct Freed {
  template <typename T>
  void operator()(T* p) const {
    free(p);
  }
};
using ContextPtr = std::unique_ptr<SSL_CTX, Freed<SSL_CTX_free>>;
using BioPtr = std::unique_ptr<BIO, Freed<BIO_free_all>>;
using KeyPtr = std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY_free>>;
using CertificatePtr = std::unique_ptr<X509, Freed<X509_free>>;

// The oldest error OpenSSL has to tell, in its words; the others are dropped.
std::string openssl_reason();
CertificateFacts facts_of(X509& certificate);
std::string pin_of(X509& certificate);

// Versions and ciphers, on either side.
void set_tls_floor(SSL_CTX& context);

// A context that believes as `trust` says. With a pin the chain is not looked at: who uses it
// compares the key after the greeting (has_pinned_key).
base::Try<ContextPtr> client_context(const Trust& trust);
bool has_pinned_key(const SSL& connection, const Trust& trust);

}  // namespace ampacity::net
