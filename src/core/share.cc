#include "core/share.h"

#include <algorithm>
#include <array>

namespace ampacity::core {
namespace {

constexpr std::int64_t one_q32 = 1LL << 32;
constexpr std::int64_t steps = 64;
constexpr std::int64_t bend = 251'886;  // 2^32 · (ln 2 / 64)² / 2

// 2^32 · 2^(−i/64)
constexpr std::array<std::int64_t, steps + 1> powers = {
    4294967296, 4248701965, 4202935003, 4157661043, 4112874773, 4068570940, 4024744348, 3981389855,
    3938502376, 3896076880, 3854108391, 3812591987, 3771522796, 3730896002, 3690706840, 3650950594,
    3611622603, 3572718252, 3534232978, 3496162267, 3458501653, 3421246719, 3384393094, 3347936457,
    3311872529, 3276197082, 3240905930, 3205994934, 3171459999, 3137297074, 3103502151, 3070071267,
    3037000500, 3004285971, 2971923842, 2939910317, 2908241642, 2876914102, 2845924021, 2815267765,
    2784941738, 2754942382, 2725266179, 2695909648, 2666869345, 2638141863, 2609723834, 2581611923,
    2553802834, 2526293303, 2499080105, 2472160047, 2445529972, 2419186755, 2393127307, 2367348571,
    2341847524, 2316621173, 2291666561, 2266980759, 2242560872, 2218404036, 2194507417, 2170868212,
    2147483648};

// 2^32 · 2^(−elapsed / half-life)
std::int64_t factor(Duration elapsed, std::int64_t half_life_s) {
  const std::int64_t half_us = half_life_s * 1'000'000;
  const std::int64_t us = std::max<std::int64_t>(0, elapsed.us);
  const std::int64_t halvings = us / half_us;
  if (halvings >= 62) return 0;
  const base::Wide into = static_cast<base::Wide>(us % half_us) * steps;
  const auto step = static_cast<std::size_t>(into / half_us);
  const base::Wide rest = into % half_us;
  const std::int64_t drop = powers[step] - powers[step + 1];
  // The curve hangs below its chord: without this a short stretch of use would count 0.5 % less.
  const base::Wide part = rest * one_q32 / half_us;  // of the step, of 2^32
  const base::Wide sag = (part * (one_q32 - part) >> 32) * bend >> 32;
  return (powers[step] - static_cast<std::int64_t>(rest * drop / half_us) -
          static_cast<std::int64_t>(sag * powers[step] >> 32)) >>
         halvings;
}

}  // namespace

std::int64_t decayed(std::int64_t value, Duration elapsed, std::int64_t half_life_s) {
  return static_cast<std::int64_t>(static_cast<base::Wide>(value) * factor(elapsed, half_life_s) /
                                   one_q32);
}

std::int64_t used_at(const Share& share, Ticks rate, Instant now, std::int64_t half_life_s) {
  const std::int64_t f = factor(now - share.at, half_life_s);
  const auto before = static_cast<base::Wide>(share.used) * f / one_q32;
  // The integral of the decay: half-life / ln 2 · (1 − f).
  const auto since =
      static_cast<base::Wide>(rate) * half_life_s * 1'442'695 / 1'000'000 * (one_q32 - f) / one_q32;
  return static_cast<std::int64_t>(std::min<base::Wide>(before + since, INT64_MAX / 2));
}

}  // namespace ampacity::core
