// Hashes, random bytes and constant-time comparison, all libsodium's; nothing here is home-made.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace ampacity::base {

using Digest = std::array<unsigned char, 32>;

Digest sha256(std::string_view bytes);
// h_n = SHA-256(h_{n-1} ‖ record): the hash chain of journal and ledger.
Digest chain(const Digest& previous, std::string_view record);
Digest hmac_sha256(std::string_view key, std::string_view message);
bool equal_constant_time(const Digest& a, const Digest& b);
std::string to_hex(const Digest& d);
std::string to_base64(std::string_view bytes);     // with padding
std::string to_base64url(std::string_view bytes);  // of RFC 4648 §5, without
std::optional<std::string> from_base64url(std::string_view text);
std::string random_bytes(std::size_t n);
// n characters of [0-9A-Za-z], each log2(62) bits.
std::string random_base62(std::size_t n);
// Six base62 digits of CRC-32/ISO-HDLC: catches a mistyped key before any look-up.
std::string checksum_base62(std::string_view text);

// Authenticated encryption (XSalsa20-Poly1305) under a 32-byte key; the nonce travels in the box.
std::string seal(const std::string& key, const std::string& plain);
std::optional<std::string> unseal(const std::string& key, const std::string& box);

}  // namespace ampacity::base
