#include "net/tls_pipe.h"

#include <openssl/err.h>

#include <cctype>

#include "net/tls_identity.h"

namespace ampacity::net {
namespace {
constexpr std::size_t piece_bytes = 4 << 10;
}

void TlsPipe::Free::operator()(ssl_st* s) const { SSL_free(s); }

// The connection keeps the context alive, whatever identity is loaded later.
TlsPipe::TlsPipe(const TlsIdentity& identity) : ssl_(SSL_new(identity.impl().context.get())) {
  if (!ssl_) return;
  BIO* in = BIO_new(BIO_s_mem());
  BIO* out = BIO_new(BIO_s_mem());
  BIO_set_mem_eof_return(in, -1);  // empty means: later
  SSL_set_bio(ssl_.get(), in, out);
  SSL_set_accept_state(ssl_.get());
}

TlsPipe::Met TlsPipe::open(std::string_view sealed, InputBuffer& plain) {
  if (!ssl_) return Met::broken;
  if (!began_ && !sealed.empty()) {
    began_ = true;
    if (std::isupper(static_cast<unsigned char>(sealed[0])) != 0) return Met::not_tls;
  }
  if (BIO_write(SSL_get_rbio(ssl_.get()), sealed.data(), static_cast<int>(sealed.size())) !=
      static_cast<int>(sealed.size()))
    return Met::broken;
  ERR_clear_error();
  if (!established()) {
    const int r = SSL_do_handshake(ssl_.get());
    if (r != 1) return SSL_get_error(ssl_.get(), r) == SSL_ERROR_WANT_READ ? Met::ok : Met::broken;
  }
  return drain(plain);
}

TlsPipe::Met TlsPipe::drain(InputBuffer& plain) {
  for (;;) {
    const InputBuffer::Space space = plain.prepare(piece_bytes);
    const int n = SSL_read(ssl_.get(), space.data, static_cast<int>(space.size));
    if (n > 0) {
      plain.commit(static_cast<std::size_t>(n));
      continue;
    }
    const int error = SSL_get_error(ssl_.get(), n);
    if (error == SSL_ERROR_WANT_READ) return Met::ok;
    return error == SSL_ERROR_ZERO_RETURN ? Met::ended : Met::broken;
  }
}

bool TlsPipe::seal(std::string& bytes, bool last) {
  if (!ssl_ || last_sealed_) return bytes.empty();
  ERR_clear_error();
  for (std::size_t done = 0; done < bytes.size();) {
    const int n = SSL_write(ssl_.get(), bytes.data() + done, static_cast<int>(bytes.size() - done));
    if (n <= 0) return false;
    done += static_cast<std::size_t>(n);
  }
  if (last) {
    last_sealed_ = true;
    SSL_shutdown(ssl_.get());
  }
  char* data = nullptr;
  const long n = BIO_get_mem_data(SSL_get_wbio(ssl_.get()), &data);
  bytes.assign(data, static_cast<std::size_t>(n));
  (void)BIO_reset(SSL_get_wbio(ssl_.get()));
  return true;
}

bool TlsPipe::established() const { return ssl_ && SSL_is_init_finished(ssl_.get()) == 1; }
bool TlsPipe::owes() const { return ssl_ && BIO_pending(SSL_get_wbio(ssl_.get())) > 0; }

TlsPipe::Handle TlsPipe::release() {
  if (!established() || BIO_pending(SSL_get_rbio(ssl_.get())) > 0 ||
      SSL_has_pending(ssl_.get()) == 1)
    return nullptr;
  return std::move(ssl_);
}

}  // namespace ampacity::net
