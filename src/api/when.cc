#include "api/when.h"

#include <fmt/core.h>

#include <charconv>

#include "base/money.h"

namespace ampacity::api {
namespace {

constexpr base::Duration furthest = base::Duration::seconds(10LL * 366 * 86'400);

struct Profile {
  std::string_view name;
  std::uint32_t eighths;  // of the card's memory
};

// 40 and 80 GB, H100 96, H200 and B200 cards. 1g.10gb is an eighth of 80 GB; on a 40 GB card the
// same name means two of them: there, say 2/8.
constexpr Profile profiles[] = {
    {"1g.5gb", 1},  {"2g.10gb", 2}, {"3g.20gb", 4}, {"4g.20gb", 4}, {"7g.40gb", 8},  {"1g.10gb", 1},
    {"1g.20gb", 2}, {"2g.20gb", 2}, {"3g.40gb", 4}, {"4g.40gb", 4}, {"7g.80gb", 8},  {"1g.12gb", 1},
    {"1g.24gb", 2}, {"2g.24gb", 2}, {"3g.48gb", 4}, {"4g.48gb", 4}, {"7g.96gb", 8},  {"1g.18gb", 1},
    {"1g.35gb", 2}, {"2g.35gb", 2}, {"3g.71gb", 4}, {"4g.71gb", 4}, {"7g.141gb", 8}, {"1g.23gb", 1},
    {"1g.45gb", 2}, {"2g.45gb", 2}, {"3g.90gb", 4}, {"4g.90gb", 4}, {"7g.180gb", 8}};

}  // namespace

std::optional<base::Instant> parse_when(std::string_view text, base::Instant now) {
  if (text == "now") return now;
  if (text.starts_with('+')) {
    const auto d = base::parse_duration(text.substr(1));
    return d && *d <= furthest ? std::optional(now + *d) : std::nullopt;
  }
  return base::parse_instant(text);
}

std::optional<std::int64_t> parse_milli(std::string_view text, std::int64_t most) {
  const std::size_t point = text.find('.');
  const std::string_view units = text.substr(0, point);
  std::int64_t whole = 0;
  const auto [end, error] = std::from_chars(units.data(), units.data() + units.size(), whole);
  if (units.starts_with('-') || error != std::errc{} || end != units.data() + units.size())
    return std::nullopt;
  if (whole > most) return std::nullopt;
  std::int64_t milli = whole * 1000;
  if (point == std::string_view::npos) return milli;
  const std::string_view decimals = text.substr(point + 1);
  if (decimals.empty() || decimals.size() > 3) return std::nullopt;
  std::int64_t scale = 100;
  for (const char c : decimals) {
    if (c < '0' || c > '9') return std::nullopt;
    milli += (c - '0') * scale;
    scale /= 10;
  }
  return milli <= most * 1000 ? std::optional(milli) : std::nullopt;
}

std::string format_decimal(std::int64_t value, std::int64_t unit) {
  const std::int64_t milli = base::divide_half_up(static_cast<base::Wide>(value) * 1000, unit);
  std::string text = fmt::format("{}.{:03}", milli / 1000, milli % 1000);
  while (text.back() == '0') text.pop_back();
  if (text.back() == '.') text.pop_back();
  return text;
}

std::optional<std::uint32_t> parse_mig(std::string_view text) {
  for (const Profile& p : profiles)
    if (p.name == text) return p.eighths;
  if (text.ends_with("/8")) text.remove_suffix(2);
  if (text == "1") return 1;
  if (text == "2") return 2;
  if (text == "4") return 4;
  if (text == "8") return 8;
  return std::nullopt;
}

}  // namespace ampacity::api
