#include "documents/sheet.h"

#include <array>
#include <charconv>

namespace ampacity::documents {
namespace {

struct Special {
  std::array<bool, 256> is{};
  constexpr Special() { is[','] = is['"'] = is['\n'] = is['\r'] = true; }
};
constexpr Special special;

bool needs_quotes(std::string_view cell) {
  bool any = false;
  for (const char c : cell) any |= special.is[static_cast<unsigned char>(c)];
  return any || cell.front() == ' ' || cell.back() == ' ';
}

void two_digits(char* at, std::int64_t value) {
  at[0] = static_cast<char>('0' + value / 10);
  at[1] = static_cast<char>('0' + value % 10);
}

}  // namespace

void Sheet::text(std::string_view cell) {
  if (!cell.empty() && needs_quotes(cell)) {
    held_ += '"';
    for (const char c : cell) {
      if (c == '"') held_ += '"';
      held_ += c;
    }
    held_ += '"';
  } else {
    held_ += cell;
  }
  held_ += ',';
}

void Sheet::number(std::int64_t value) {
  std::array<char, 24> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  plain({digits.data(), static_cast<std::size_t>(end - digits.data())});
}

// Civil date of days since 1970 (H. Hinnant's algorithm, proleptic Gregorian).
void Sheet::seconds(base::Instant t) {
  std::int64_t s = t.us / 1'000'000 - (t.us % 1'000'000 < 0);
  const std::int64_t days = (s >= 0 ? s : s - 86'399) / 86'400;
  s -= days * 86'400;
  const std::int64_t z = days + 719'468;
  const std::int64_t era = (z >= 0 ? z : z - 146'096) / 146'097;
  const std::int64_t doe = z - era * 146'097;
  const std::int64_t yoe = (doe - doe / 1460 + doe / 36'524 - doe / 146'096) / 365;
  const std::int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
  const std::int64_t mp = (5 * doy + 2) / 153;
  const std::int64_t month = mp < 10 ? mp + 3 : mp - 9;
  const std::int64_t year = yoe + era * 400 + (month <= 2);
  std::array<char, 21> out{"0000-00-00T00:00:00Z"};
  two_digits(&out[0], year / 100);
  two_digits(&out[2], year % 100);
  two_digits(&out[5], month);
  two_digits(&out[8], doy - (153 * mp + 2) / 5 + 1);
  two_digits(&out[11], s / 3600);
  two_digits(&out[14], s / 60 % 60);
  two_digits(&out[17], s % 60);
  plain({out.data(), 20});
}

void Sheet::end_row() {
  if (!held_.empty() && held_.back() == ',') held_.pop_back();
  held_ += "\r\n";
  drain();
}

void Sheet::end_line() {
  held_ += '\n';
  drain();
}

void Sheet::flush() {
  if (!held_.empty()) sink_(held_);
  held_.clear();
}

}  // namespace ampacity::documents
