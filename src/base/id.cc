#include "base/id.h"

namespace ampacity::base {
namespace {

constexpr std::string_view crockford = "0123456789abcdefghjkmnpqrstvwxyz";  // Crockford, lower case
constexpr std::size_t length = 26;

constexpr std::array<std::int8_t, 256> make_values() {
  std::array<std::int8_t, 256> values{};
  for (auto& v : values) v = -1;
  for (std::size_t i = 0; i < crockford.size(); ++i)
    values[static_cast<unsigned char>(crockford[i])] = static_cast<std::int8_t>(i);
  return values;
}
constexpr auto values = make_values();

}  // namespace

Id make_uuid7(Instant now, Prng& prng) {
  const std::uint64_t a = prng.next();
  const std::uint64_t b = prng.next();
  const auto ms = static_cast<std::uint64_t>(now.us / 1000);
  // RFC 9562 §5.7: 48 bits of milliseconds, version 7, 12 random, variant 10, 62 random.
  return {(ms << 16) | 0x7000 | (a & 0x0fff), (b & 0x3fff'ffff'ffff'ffffULL) | (2ULL << 62)};
}

std::string format_bare_id(Id id) { return format_id("", id).substr(1); }

std::string format_id(std::string_view prefix, Id id) {
  std::string out(prefix.size() + 1 + length, '-');
  prefix.copy(out.data(), prefix.size());
  unsigned __int128 n = (static_cast<unsigned __int128>(id.high) << 64) | id.low;
  for (std::size_t i = length; i-- > 0; n >>= 5)
    out[prefix.size() + 1 + i] = crockford[static_cast<std::size_t>(n & 31)];
  return out;
}

std::optional<Id> parse_bare_id(std::string_view text) {
  if (text.size() != length) return std::nullopt;
  unsigned __int128 n = 0;
  for (const char c : text) {
    const int v = values[static_cast<unsigned char>(c)];
    if (v < 0 || (n >> 123) != 0) return std::nullopt;
    n = (n << 5) | static_cast<unsigned>(v);
  }
  return Id{static_cast<std::uint64_t>(n >> 64), static_cast<std::uint64_t>(n)};
}

std::optional<Id> parse_id(std::string_view prefix, std::string_view text) {
  if (!text.starts_with(prefix) || text.size() <= prefix.size() || text[prefix.size()] != '-')
    return std::nullopt;
  return parse_bare_id(text.substr(prefix.size() + 1));
}

}  // namespace ampacity::base
