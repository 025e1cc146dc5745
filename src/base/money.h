// Money is integers. A tick is 1/36,000,000 USD: an hourly price of up to four decimals is a whole
// number of ticks per second, so price × seconds needs no division (DESIGN §5).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace ampacity::base {

using Ticks = std::int64_t;  // holds ±256 billion USD
using Wide = __int128;       // products

inline constexpr Ticks ticks_per_usd = 36'000'000;
inline constexpr Ticks ticks_per_cent = 360'000;

// "4.78" USD/hour -> 47'800 ticks/second. More than four decimals, signs and junk are refused.
std::optional<Ticks> parse_hourly_price(std::string_view usd_per_hour);
std::string format_hourly_price(Ticks ticks_per_second);  // 47'800 -> "4.78"

// "25.00" USD -> ticks, exactly (up to seven decimals that are whole ticks).
std::optional<Ticks> parse_usd(std::string_view usd);
// Exact when a terminating decimal of ≤ 8 places holds the value, else half-up at `places`.
std::string format_usd(Ticks ticks, int places = 4);

// a × b × c as ticks; nullopt on overflow of 64 bits.
std::optional<Ticks> multiply(std::int64_t a, std::int64_t b, std::int64_t c = 1);

// numerator / denominator, half away from zero (billing: R). denominator > 0.
std::int64_t divide_half_up(Wide numerator, Wide denominator);

}  // namespace ampacity::base
