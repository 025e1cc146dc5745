#include "net/tls.h"

#include <fmt/core.h>
#include <openssl/err.h>

#include <cstring>
#include <string_view>
#include <utility>

#include "net/tls_identity.h"

namespace ampacity::net {
namespace {

constexpr unsigned char alpn[] = {8, 'h', 't', 't', 'p', '/', '1', '.', '1'};

// A client that names what it speaks must speak ours; one that names nothing speaks HTTP/1.1.
int choose_protocol(SSL*, const unsigned char** out, unsigned char* size, const unsigned char* in,
                    unsigned int in_size, void*) {
  unsigned char* chosen = nullptr;
  if (SSL_select_next_proto(&chosen, size, alpn, sizeof alpn, in, in_size) !=
      OPENSSL_NPN_NEGOTIATED)
    return SSL_TLSEXT_ERR_ALERT_FATAL;
  *out = chosen;
  return SSL_TLSEXT_ERR_OK;
}

// No terminal to ask at: an encrypted key is a key that cannot be read.
int no_password(char*, int, int, void*) { return 0; }

base::Try<void> trust_clients(SSL_CTX& context, const std::filesystem::path& ca) {
  if (SSL_CTX_load_verify_locations(&context, ca.c_str(), nullptr) != 1)
    return base::fault(fmt::format("{}: {}", ca.string(), openssl_reason()), false);
  SSL_CTX_set_client_CA_list(&context, SSL_load_client_CA_file(ca.c_str()));
  SSL_CTX_set_verify(&context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  return {};
}

}  // namespace

std::string openssl_reason() {
  const unsigned long code = ERR_get_error();
  ERR_clear_error();
  if (ERR_SYSTEM_ERROR(code)) return std::strerror(ERR_GET_REASON(code));
  const char* reason = ERR_reason_error_string(code);
  if (reason != nullptr) return reason;
  return code == 0 ? "not readable" : fmt::format("OpenSSL error {:x}", code);
}

void set_tls_floor(SSL_CTX& context) {
  SSL_CTX_set_min_proto_version(&context, TLS1_2_VERSION);
  SSL_CTX_set_cipher_list(&context, "ECDHE+AESGCM:ECDHE+CHACHA20:!aNULL");
  SSL_CTX_set_options(&context, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION |
                                    SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA |
                                    SSL_OP_IGNORE_UNEXPECTED_EOF);
  SSL_CTX_set_mode(&context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                 SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_default_passwd_cb(&context, no_password);
}

TlsIdentity::TlsIdentity(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
TlsIdentity::~TlsIdentity() = default;
const CertificateFacts& TlsIdentity::certificate() const { return impl_->facts; }

base::Try<std::shared_ptr<const TlsIdentity>> TlsIdentity::load(const TlsFiles& files) {
  ERR_clear_error();
  auto facts = read_certificate(files.certificate);
  if (!facts) return std::unexpected(facts.error());
  auto impl = std::make_unique<Impl>();
  impl->facts = std::move(*facts);
  impl->context.reset(SSL_CTX_new(TLS_server_method()));
  if (!impl->context) return base::fault("TLS: " + openssl_reason(), false);
  SSL_CTX& c = *impl->context;
  set_tls_floor(c);
  SSL_CTX_set_alpn_select_cb(&c, choose_protocol, nullptr);
  constexpr std::string_view session_id = "ampacity";
  SSL_CTX_set_session_id_context(&c, reinterpret_cast<const unsigned char*>(session_id.data()),
                                 session_id.size());
  const auto failed = [](const std::filesystem::path& file) {
    return base::fault(fmt::format("{}: {}", file.string(), openssl_reason()), false);
  };
  if (SSL_CTX_use_certificate_chain_file(&c, files.certificate.c_str()) != 1)
    return failed(files.certificate);
  if (SSL_CTX_use_PrivateKey_file(&c, files.key.c_str(), SSL_FILETYPE_PEM) != 1 ||
      SSL_CTX_check_private_key(&c) != 1)
    return failed(files.key);
  if (!files.client_ca.empty())
    if (auto r = trust_clients(c, files.client_ca); !r) return std::unexpected(r.error());
  return std::make_shared<const TlsIdentity>(std::move(impl));
}

}  // namespace ampacity::net
