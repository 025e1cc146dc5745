#include "base/time.h"

#include <fmt/core.h>
#include <time.h>

#include <charconv>

namespace ampacity::base {
namespace {

constexpr std::int64_t us_per_day = 86'400'000'000;
constexpr Instant first_written{-62'167'219'200'000'000};  // 0000-01-01T00:00:00Z
constexpr Instant last_written{253'402'300'799'999'999};   // 9999-12-31T23:59:59.999999Z

// Proleptic Gregorian day number <-> civil date (Howard Hinnant, "chrono-compatible low-level date
// algorithms").
std::int64_t days_from_civil(std::int64_t y, unsigned m, unsigned d) {
  y -= m <= 2;
  const std::int64_t era = (y >= 0 ? y : y - 399) / 400;
  const auto yoe = static_cast<unsigned>(y - era * 400);
  const unsigned doy = (153 * (m > 2 ? m - 3 : m + 9) + 2) / 5 + d - 1;
  const unsigned doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
  return era * 146097 + static_cast<std::int64_t>(doe) - 719468;
}

struct Civil {
  std::int64_t year;
  unsigned month, day;
};

Civil civil_from_days(std::int64_t z) {
  z += 719468;
  const std::int64_t era = (z >= 0 ? z : z - 146096) / 146097;
  const auto doe = static_cast<unsigned>(z - era * 146097);
  const unsigned yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
  const unsigned doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
  const unsigned mp = (5 * doy + 2) / 153;
  const unsigned d = doy - (153 * mp + 2) / 5 + 1;
  const unsigned m = mp < 10 ? mp + 3 : mp - 9;
  return {static_cast<std::int64_t>(yoe) + era * 400 + (m <= 2), m, d};
}

std::int64_t floor_div(std::int64_t a, std::int64_t b) { return a / b - (a % b < 0); }

// Reads exactly `count` decimal digits at `pos` and moves past them.
std::optional<int> take_digits(std::string_view s, std::size_t& pos, int count) {
  int value = 0;
  for (int i = 0; i < count; ++i, ++pos) {
    if (pos >= s.size() || s[pos] < '0' || s[pos] > '9') return std::nullopt;
    value = value * 10 + (s[pos] - '0');
  }
  return value;
}

bool take(std::string_view s, std::size_t& pos, std::string_view any_of) {
  if (pos >= s.size() || any_of.find(s[pos]) == std::string_view::npos) return false;
  ++pos;
  return true;
}

// "Z" or "+hh:mm" as microseconds east of UTC.
std::optional<std::int64_t> take_offset(std::string_view s, std::size_t& pos) {
  if (take(s, pos, "Zz")) return 0;
  const bool west = pos < s.size() && s[pos] == '-';
  if (!take(s, pos, "+-")) return std::nullopt;
  const auto hours = take_digits(s, pos, 2);
  if (!hours || !take(s, pos, ":")) return std::nullopt;
  const auto minutes = take_digits(s, pos, 2);
  if (!minutes || *hours > 23 || *minutes > 59) return std::nullopt;
  const std::int64_t us = (*hours * 60 + *minutes) * 60'000'000LL;
  return west ? -us : us;
}

}  // namespace

std::string format_day(Instant t) { return format_instant(t).substr(0, 10); }

// By hand: every fact carries an instant, and the journal writes tens of thousands a second.
std::string format_instant(Instant t) {
  const std::int64_t day = floor_div(t.us, us_per_day);
  const std::int64_t in_day = t.us - day * us_per_day;
  const std::int64_t s = in_day / 1'000'000;
  const Civil c = civil_from_days(day);
  char out[32];
  char* p = out;
  const auto put = [&p](std::int64_t value, int width, char after) {
    for (int i = width; i-- > 0; value /= 10) p[i] = static_cast<char>('0' + value % 10);
    p += width;
    *p++ = after;
  };
  put(c.year, 4, '-');
  put(c.month, 2, '-');
  put(c.day, 2, 'T');
  put(s / 3600, 2, ':');
  put(s / 60 % 60, 2, ':');
  put(s % 60, 2, '.');
  put(in_day % 1'000'000, 6, 'Z');
  if (in_day % 1'000'000 == 0) {
    p -= 8;
  } else {
    --p;
    while (p[-1] == '0') --p;
  }
  *p++ = 'Z';
  return {out, p};
}

std::optional<Instant> parse_instant(std::string_view s) {
  std::size_t pos = 0;
  const auto year = take_digits(s, pos, 4);
  if (!year || !take(s, pos, "-")) return std::nullopt;
  const auto month = take_digits(s, pos, 2);
  if (!month || !take(s, pos, "-")) return std::nullopt;
  const auto day = take_digits(s, pos, 2);
  if (!day || !take(s, pos, "Tt ")) return std::nullopt;
  const auto hour = take_digits(s, pos, 2);
  if (!hour || !take(s, pos, ":")) return std::nullopt;
  const auto minute = take_digits(s, pos, 2);
  if (!minute || !take(s, pos, ":")) return std::nullopt;
  const auto second = take_digits(s, pos, 2);
  if (!second) return std::nullopt;
  std::int64_t fraction = 0;
  if (take(s, pos, ".")) {
    int digits = 0;
    for (; pos < s.size() && s[pos] >= '0' && s[pos] <= '9'; ++pos, ++digits)
      if (digits < 6) fraction = fraction * 10 + (s[pos] - '0');
    if (digits == 0 || digits > 9) return std::nullopt;
    for (; digits < 6; ++digits) fraction *= 10;
  }
  const auto offset = take_offset(s, pos);
  if (!offset || pos != s.size()) return std::nullopt;
  if (*month < 1 || *month > 12 || *day < 1 || *day > 31 || *hour > 23 || *minute > 59 ||
      *second > 60)
    return std::nullopt;
  const auto m = static_cast<unsigned>(*month), d = static_cast<unsigned>(*day);
  const std::int64_t days = days_from_civil(*year, m, d);
  const Civil back = civil_from_days(days);
  if (back.month != m || back.day != d) return std::nullopt;  // 31 February
  const std::int64_t seconds = *hour * 3600 + *minute * 60 + *second;
  const Instant t{days * us_per_day + seconds * 1'000'000 + fraction - *offset};
  // An offset or a leap second may lead out of the years that can be written.
  if (t < first_written || t > last_written) return std::nullopt;
  return t;
}

std::optional<Duration> parse_duration(std::string_view text) {
  std::int64_t total_s = 0;
  bool any = false;
  while (!text.empty()) {
    std::int64_t n = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n);
    if (error != std::errc{} || n < 0 || text[0] == '-') return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    std::int64_t unit = 1;
    if (text.empty()) {
      if (any) return std::nullopt;  // "2h30": the last part needs a unit
    } else {
      switch (text[0]) {
        case 's':
          unit = 1;
          break;
        case 'm':
          unit = 60;
          break;
        case 'h':
          unit = 3600;
          break;
        case 'd':
          unit = 86'400;
          break;
        default:
          return std::nullopt;
      }
      text.remove_prefix(1);
    }
    if (n > 100'000'000'000 / unit) return std::nullopt;
    total_s += n * unit;
    any = true;
  }
  if (!any || total_s > 3'153'600'000) return std::nullopt;  // a century
  return Duration::seconds(total_s);
}

std::string format_duration(Duration d) {
  const std::int64_t ms = d.us / 1000;
  if (ms < 1000) return fmt::format("{}ms", ms);
  if (ms < 60'000) return fmt::format("{}.{}s", ms / 1000, ms / 100 % 10);
  const std::int64_t s = ms / 1000;
  if (s < 3600) return fmt::format("{}m {:02}s", s / 60, s % 60);
  if (s < 86'400) return fmt::format("{}h {:02}m", s / 3600, s / 60 % 60);
  return fmt::format("{}d {:02}h", s / 86'400, s / 3600 % 24);
}

Instant SystemClock::now() {
  timespec ts{};
  clock_gettime(CLOCK_REALTIME, &ts);
  return {ts.tv_sec * 1'000'000LL + ts.tv_nsec / 1000};
}

Instant month_plus(Instant t, int months) {
  const Civil c = civil_from_days(floor_div(t.us, us_per_day));
  const std::int64_t n = c.year * 12 + c.month - 1 + months;
  const std::int64_t year = floor_div(n, 12);
  return {days_from_civil(year, static_cast<unsigned>(n - year * 12 + 1), 1) * us_per_day};
}

Instant month_begin(Instant t) { return month_plus(t, 0); }

int year_of(Instant t) {
  return static_cast<int>(civil_from_days(floor_div(t.us, us_per_day)).year);
}

std::string format_month(Instant t) { return format_day(t).substr(0, 7); }

std::optional<Instant> parse_month(std::string_view text) {
  if (text.size() != 7) return std::nullopt;
  return parse_instant(std::string(text) + "-01T00:00:00Z");
}

}  // namespace ampacity::base
