#include "base/crypto.h"

#include <sodium.h>

#include <boost/crc.hpp>

#include "base/chaos.h"
#include "base/check.h"
#include "base/prng.h"

namespace ampacity::base {
namespace {

constexpr std::string_view base62 =
    "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

const unsigned char* bytes_of(std::string_view s) {
  return reinterpret_cast<const unsigned char*>(s.data());
}

[[maybe_unused]] const bool ready = [] {
  CHECK_THAT(sodium_init() >= 0, "libsodium could not start");
  return true;
}();

}  // namespace

Digest sha256(std::string_view bytes) {
  Digest d;
  crypto_hash_sha256(d.data(), bytes_of(bytes), bytes.size());
  return d;
}

Digest chain(const Digest& previous, std::string_view record) {
  crypto_hash_sha256_state state;
  Digest d;
  crypto_hash_sha256_init(&state);
  crypto_hash_sha256_update(&state, previous.data(), previous.size());
  crypto_hash_sha256_update(&state, bytes_of(record), record.size());
  crypto_hash_sha256_final(&state, d.data());
  return d;
}

Digest hmac_sha256(std::string_view key, std::string_view message) {
  crypto_auth_hmacsha256_state state;
  Digest d;
  crypto_auth_hmacsha256_init(&state, bytes_of(key), key.size());
  crypto_auth_hmacsha256_update(&state, bytes_of(message), message.size());
  crypto_auth_hmacsha256_final(&state, d.data());
  return d;
}

bool equal_constant_time(const Digest& a, const Digest& b) {
  return sodium_memcmp(a.data(), b.data(), a.size()) == 0;
}

std::string to_hex(const Digest& d) {
  std::string out(2 * d.size() + 1, '\0');
  sodium_bin2hex(out.data(), out.size(), d.data(), d.size());
  out.pop_back();
  return out;
}

namespace {

std::string encoded(std::string_view bytes, int variant) {
  std::string out(sodium_base64_encoded_len(bytes.size(), variant), '\0');
  sodium_bin2base64(out.data(), out.size(), bytes_of(bytes), bytes.size(), variant);
  out.pop_back();
  return out;
}

}  // namespace

std::string to_base64(std::string_view bytes) {
  return encoded(bytes, sodium_base64_VARIANT_ORIGINAL);
}

std::string to_base64url(std::string_view bytes) {
  return encoded(bytes, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
}

std::optional<std::string> from_base64url(std::string_view text) {
  std::string out(text.size(), '\0');
  std::size_t n = 0;
  const int done = sodium_base642bin(reinterpret_cast<unsigned char*>(out.data()), out.size(),
                                     text.data(), text.size(), nullptr, &n, nullptr,
                                     sodium_base64_VARIANT_URLSAFE_NO_PADDING);
  if (done != 0) return std::nullopt;
  out.resize(n);
  return out;
}

std::string random_bytes(std::size_t n) {
  std::string out(n, '\0');
  if (chaos)
    for (char& c : out) c = static_cast<char>(chaos->below(256));
  else
    randombytes_buf(out.data(), n);
  return out;
}

std::string random_base62(std::size_t n) {
  std::string out(n, '\0');
  for (char& c : out) c = base62[chaos ? chaos->below(62) : randombytes_uniform(62)];
  return out;
}

std::string checksum_base62(std::string_view text) {
  boost::crc_32_type crc;
  crc.process_bytes(text.data(), text.size());
  std::uint32_t n = crc.checksum();
  std::string out(6, '0');
  for (std::size_t i = 6; i-- > 0; n /= 62) out[i] = base62[n % 62];
  return out;
}

std::string seal(const std::string& key, const std::string& plain) {
  CHECK_THAT(key.size() == crypto_secretbox_KEYBYTES, "a sealing key is 32 bytes");
  std::string box = random_bytes(crypto_secretbox_NONCEBYTES);
  box.resize(box.size() + crypto_secretbox_MACBYTES + plain.size());
  auto* out = reinterpret_cast<unsigned char*>(box.data());
  crypto_secretbox_easy(out + crypto_secretbox_NONCEBYTES, bytes_of(plain), plain.size(), out,
                        bytes_of(key));
  return box;
}

std::optional<std::string> unseal(const std::string& key, const std::string& box) {
  constexpr std::size_t head = crypto_secretbox_NONCEBYTES + crypto_secretbox_MACBYTES;
  if (key.size() != crypto_secretbox_KEYBYTES || box.size() < head) return std::nullopt;
  std::string plain(box.size() - head, '\0');
  if (crypto_secretbox_open_easy(reinterpret_cast<unsigned char*>(plain.data()),
                                 bytes_of(box) + crypto_secretbox_NONCEBYTES,
                                 box.size() - crypto_secretbox_NONCEBYTES, bytes_of(box),
                                 bytes_of(key)) != 0)
    return std::nullopt;
  return plain;
}

// ChaCha20 output, drawn in blocks: a system call per id would be felt at 12,000 jobs/s.
std::uint64_t SystemPrng::next() {
  thread_local std::array<std::uint64_t, 64> block;
  thread_local std::size_t used = block.size();
  if (used == block.size()) {
    randombytes_buf(block.data(), sizeof block);
    used = 0;
  }
  return block[used++];
}

}  // namespace ampacity::base
