// What a TlsIdentity holds: a context of OpenSSL's that never changes. Only for this room's .cc
// files.
#pragma once

#include "net/tls.h"
#include "net/tls_openssl.h"

namespace ampacity::net {

class TlsIdentity::Impl {
 public:
  CertificateFacts facts;
  ContextPtr context;
};

}  // namespace ampacity::net
