// Keys and certificates: made, read, described.
#include <fmt/core.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>

#include <algorithm>
#include <ctime>

#include "base/crypto.h"
#include "net/destination.h"
#include "net/tls_openssl.h"

namespace ampacity::net {
namespace {

constexpr std::string_view pin_begin = "sha256//";
constexpr std::size_t pin_base64 = 44;  // 32 bytes

std::string text_in(BIO& memory) {
  char* data = nullptr;
  const long n = BIO_get_mem_data(&memory, &data);
  return {data, static_cast<std::size_t>(n)};
}

base::Instant instant_of(const ASN1_TIME& t) {
  std::tm parts{};
  if (ASN1_TIME_to_tm(&t, &parts) != 1) return {};
  return {static_cast<std::int64_t>(timegm(&parts)) * 1'000'000};
}

void append_name(std::vector<std::string>& out, const GENERAL_NAME& name) {
  const auto* s = name.type == GEN_DNS ? name.d.dNSName : name.d.iPAddress;
  const auto* data = ASN1_STRING_get0_data(s);
  const auto size = static_cast<std::size_t>(ASN1_STRING_length(s));
  if (name.type == GEN_DNS) out.emplace_back(reinterpret_cast<const char*>(data), size);
  if (name.type != GEN_IPADD || (size != 4 && size != 16)) return;
  Address a{size == 16, {}};
  std::copy_n(data, size, a.bytes.begin());
  out.push_back(format_address(a));
}

std::vector<std::string> names_of(X509& certificate) {
  std::vector<std::string> out;
  using Names = std::unique_ptr<GENERAL_NAMES, Freed<GENERAL_NAMES_free>>;
  const Names all(static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(&certificate, NID_subject_alt_name, nullptr, nullptr)));
  for (int i = 0; all && i < sk_GENERAL_NAME_num(all.get()); ++i)
    append_name(out, *sk_GENERAL_NAME_value(all.get(), i));
  return out;
}

std::string alternative_names(const std::vector<std::string>& names) {
  std::string out;
  for (const std::string& name : names)
    out += fmt::format("{}{}:{}", out.empty() ? "" : ",", parse_address(name) ? "IP" : "DNS", name);
  return out;
}

// Names go into OpenSSL's little language of extensions: nothing but names may.
bool is_name(const std::string& name) {
  return !name.empty() && name.size() <= 253 &&
         name.find_first_not_of(
             "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.:-_") ==
             std::string::npos;
}

bool add_extension(X509& certificate, int id, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, &certificate, &certificate, nullptr, nullptr, 0);
  using Extension = std::unique_ptr<X509_EXTENSION, Freed<X509_EXTENSION_free>>;
  const Extension e(X509V3_EXT_conf_nid(nullptr, &context, id, value.c_str()));
  return e && X509_add_ext(&certificate, e.get(), -1) == 1;
}

bool fill(X509& x, EVP_PKEY& key, const std::vector<std::string>& names, base::Instant now,
          base::Duration valid_for) {
  std::array<unsigned char, 16> serial{};
  RAND_bytes(serial.data(), serial.size());
  serial[0] &= 0x7F;
  using Number = std::unique_ptr<BIGNUM, Freed<BN_free>>;
  const Number number(BN_bin2bn(serial.data(), serial.size(), nullptr));
  if (!number || !BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(&x))) return false;
  constexpr std::int64_t skew_s = 3600;  // clients whose clock is a little behind
  const std::int64_t now_s = now.us / 1'000'000;
  X509_NAME* subject = X509_get_subject_name(&x);
  const auto* cn = reinterpret_cast<const unsigned char*>("ampacityd");
  return X509_set_version(&x, 2) == 1 &&
         ASN1_TIME_set(X509_getm_notBefore(&x), now_s - skew_s) != nullptr &&
         ASN1_TIME_set(X509_getm_notAfter(&x), now_s + valid_for.us / 1'000'000) != nullptr &&
         X509_set_pubkey(&x, &key) == 1 &&
         X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, cn, -1, -1, 0) == 1 &&
         X509_set_issuer_name(&x, subject) == 1 &&
         add_extension(x, NID_basic_constraints, "critical,CA:TRUE,pathlen:0") &&
         add_extension(x, NID_key_usage, "critical,digitalSignature,keyCertSign") &&
         add_extension(x, NID_ext_key_usage, "serverAuth,clientAuth") &&
         add_extension(x, NID_subject_alt_name, alternative_names(names)) &&
         add_extension(x, NID_subject_key_identifier, "hash") &&
         X509_sign(&x, &key, EVP_sha256()) > 0;
}

}  // namespace

bool is_pin(std::string_view text) {
  return text.starts_with(pin_begin) && text.size() == pin_begin.size() + pin_base64 &&
         text.ends_with('=') &&
         text.substr(pin_begin.size(), pin_base64 - 1)
                 .find_first_not_of(
                     "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/") ==
             std::string_view::npos;
}

std::string pin_of(X509& certificate) {
  unsigned char* der = nullptr;
  const int n = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(&certificate), &der);
  if (n <= 0) return {};
  const base::Digest d = base::sha256({reinterpret_cast<char*>(der), static_cast<std::size_t>(n)});
  OPENSSL_free(der);
  return std::string(pin_begin) +
         base::to_base64({reinterpret_cast<const char*>(d.data()), d.size()});
}

CertificateFacts facts_of(X509& certificate) {
  const BioPtr memory(BIO_new(BIO_s_mem()));
  X509_NAME_print_ex(memory.get(), X509_get_subject_name(&certificate), 0, XN_FLAG_RFC2253);
  return {pin_of(certificate), text_in(*memory), names_of(certificate),
          instant_of(*X509_get0_notAfter(&certificate))};
}

base::Try<std::string> make_private_key() {
  const KeyPtr key(EVP_EC_gen("P-256"));
  const BioPtr memory(BIO_new(BIO_s_mem()));
  if (!key ||
      PEM_write_bio_PrivateKey(memory.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) != 1)
    return base::fault("a private key could not be made: " + openssl_reason(), false);
  return text_in(*memory);
}

base::Try<std::string> make_certificate(const std::string& key_pem,
                                        const std::vector<std::string>& names, base::Instant now,
                                        base::Duration valid_for) {
  for (const std::string& name : names)
    if (!is_name(name)) return base::fault("not a host name or an address: " + name, false);
  const BioPtr in(BIO_new_mem_buf(key_pem.data(), static_cast<int>(key_pem.size())));
  const KeyPtr key(PEM_read_bio_PrivateKey(in.get(), nullptr, nullptr, nullptr));
  const CertificatePtr x(X509_new());
  const BioPtr out(BIO_new(BIO_s_mem()));
  if (!key || !x || names.empty() || !fill(*x, *key, names, now, valid_for) ||
      PEM_write_bio_X509(out.get(), x.get()) != 1)
    return base::fault("a certificate could not be made: " + openssl_reason(), false);
  return text_in(*out);
}

base::Try<CertificateFacts> read_certificate(const std::filesystem::path& file) {
  ERR_clear_error();
  const BioPtr in(BIO_new_file(file.c_str(), "r"));
  const CertificatePtr x(in ? PEM_read_bio_X509(in.get(), nullptr, nullptr, nullptr) : nullptr);
  if (!x)
    return base::fault(
        fmt::format("{}: no certificate in PEM: {}", file.string(), openssl_reason()), false);
  return facts_of(*x);
}

}  // namespace ampacity::net
