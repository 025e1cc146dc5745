// The client's side: whom it believes, and asking a server for its certificate before that.
#include <fmt/core.h>
#include <openssl/err.h>

#include <boost/asio/ssl/stream.hpp>

#include "net/duplex_line.h"
#include "net/tls_openssl.h"
#include "net/tls_socket.h"

namespace ampacity::net {

base::Try<ContextPtr> client_context(const Trust& trust) {
  ERR_clear_error();
  ContextPtr c(SSL_CTX_new(TLS_client_method()));
  if (!c) return base::fault("TLS: " + openssl_reason(), false);
  set_tls_floor(*c);
  const auto failed = [](const std::string& file) {
    return base::fault(fmt::format("{}: {}", file, openssl_reason()), false);
  };
  if (trust.pin.empty()) {
    SSL_CTX_set_verify(c.get(), SSL_VERIFY_PEER, nullptr);
    const int loaded = trust.ca_file.empty()
                           ? SSL_CTX_set_default_verify_paths(c.get())
                           : SSL_CTX_load_verify_locations(c.get(), trust.ca_file.c_str(), nullptr);
    if (loaded != 1) return failed(trust.ca_file);
  }
  if (trust.certificate_file.empty()) return c;
  if (SSL_CTX_use_certificate_chain_file(c.get(), trust.certificate_file.c_str()) != 1)
    return failed(trust.certificate_file);
  if (SSL_CTX_use_PrivateKey_file(c.get(), trust.key_file.c_str(), SSL_FILETYPE_PEM) != 1)
    return failed(trust.key_file);
  return c;
}

bool has_pinned_key(const SSL& connection, const Trust& trust) {
  if (trust.pin.empty()) return true;
  X509* shown = SSL_get0_peer_certificate(&connection);
  return shown != nullptr && pin_of(*shown) == trust.pin;
}

base::Try<CertificateFacts> peer_certificate(const Peer& peer) {
  class Probe final : public DuplexLine {
   public:
    Probe() : DuplexLine({}) {}
    void read() override {}
    void write_front(const std::string&, bool) override {}
    void shut_write() override {}
    void shut() override {}
  };
  Probe line;
  auto socket = line.connect(peer);
  if (!socket) return std::unexpected(socket.error());
  Peer any = peer;
  any.trust.pin = "any";  // the chain is not looked at, and the key is what we came for
  auto greeted = greet(line.io, std::move(*socket), any, /*check_pin=*/false);
  if (!greeted) return std::unexpected(greeted.error());
  X509* shown = SSL_get0_peer_certificate(greeted->native_handle());
  if (shown == nullptr) return base::fault(peer.base_url + " shows no certificate", false);
  return facts_of(*shown);
}

base::Try<TlsSocket> greet(boost::asio::io_context& io, AnySocket socket, const Peer& peer,
                           bool check_pin) {
  auto context = client_context(peer.trust);
  if (!context) return std::unexpected(context.error());
  auto authority = authority_of(peer);
  if (!authority) return std::unexpected(authority.error());
  SSL* ssl = SSL_new(context->get());
  if (ssl == nullptr) return base::fault("TLS: " + openssl_reason(), false);
  TlsSocket stream(std::move(socket), ssl);
  const std::string& host = authority->host;
  const bool is_address = parse_address(host).has_value();
  if (!is_address) SSL_set_tlsext_host_name(ssl, host.c_str());
  if (peer.trust.pin.empty()) {
    X509_VERIFY_PARAM* wanted = SSL_get0_param(ssl);
    if (is_address)
      X509_VERIFY_PARAM_set1_ip_asc(wanted, host.c_str());
    else
      X509_VERIFY_PARAM_set1_host(wanted, host.c_str(), host.size());
  }
  boost::system::error_code ec;
  bool done = false;
  stream.async_handshake(boost::asio::ssl::stream_base::client, [&](boost::system::error_code e) {
    ec = e;
    done = true;
  });
  if (!run_until(io, done, handshake_us)) {
    boost::system::error_code ignored;
    stream.next_layer().close(ignored);
    while (!done) io.run_one();
    ec = boost::asio::error::timed_out;
  }
  if (ec) {
    const long verdict = SSL_get_verify_result(ssl);
    const std::string why =
        verdict == X509_V_OK ? ec.message() : X509_verify_cert_error_string(verdict);
    return base::fault(fmt::format("{}: TLS: {}", peer.base_url, why), verdict == X509_V_OK);
  }
  if (check_pin && !has_pinned_key(*ssl, peer.trust))
    return base::fault(peer.base_url + " shows another key than the one pinned", false);
  return stream;
}

}  // namespace ampacity::net
