// Currencies of ISO 4217: number, decimals of the minor unit, and when one was withdrawn; amounts
// of minor units as text. A tick is 1/36,000,000 of any currency's unit, so a minor unit is a whole
// number of ticks for every exponent there is.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/money.h"
#include "base/time.h"

namespace ampacity::base {

struct Currency {
  std::string_view code;     // "USD"
  std::uint16_t number = 0;  // 840
  std::uint8_t exponent = 2;
  std::uint32_t withdrawn = 0;  // the first day it is no tender any more, yyyymmdd; 0: it is
};

inline constexpr Ticks ticks_per_unit = 36'000'000;

std::span<const Currency> currencies();                // by code, ascending
const Currency* find_currency(std::string_view code);  // nullptr: there is none
const Currency* currency_numbered(std::uint16_t number);
bool in_use(const Currency& currency, Instant at);

// 360,000 with two decimals, 36,000,000 with none, 36,000 with three.
Ticks ticks_per_minor(const Currency& currency);

// 123450 -> "1234.50" (USD), "123450" (JPY), "123.450" (KWD).
std::string format_minor(std::int64_t minor, const Currency& currency);
// Exactly: more decimals than the currency has are refused unless they are zeros. A leading minus
// is understood; a plus, grouping and blanks are not.
std::optional<std::int64_t> parse_minor(std::string_view text, const Currency& currency);

}  // namespace ampacity::base
