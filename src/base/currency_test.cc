#include "base/currency.h"

#include <doctest/doctest.h>

#include "base/prng.h"

using namespace ampacity::base;

TEST_CASE("every currency's minor unit is a whole number of ticks") {
  std::string_view before;
  for (const Currency& c : currencies()) {
    CHECK(before < c.code);
    before = c.code;
    CHECK(find_currency(c.code) == &c);
    CHECK(currency_numbered(c.number) == &c);
    Ticks unit = ticks_per_minor(c);
    for (int i = 0; i < c.exponent; ++i) unit *= 10;
    CHECK(unit == ticks_per_unit);
  }
  CHECK(currencies().size() > 150);
  CHECK(find_currency("usd") == nullptr);
  CHECK(find_currency("") == nullptr);
  CHECK(currency_numbered(0) == nullptr);
}

TEST_CASE("exponents, numbers and the day a currency ended") {
  const struct {
    std::string_view code;
    int number, exponent;
    Ticks ticks;
  } rows[] = {{"USD", 840, 2, 360'000},   {"EUR", 978, 2, 360'000},    {"GBP", 826, 2, 360'000},
              {"TWD", 901, 2, 360'000},   {"JPY", 392, 0, 36'000'000}, {"KRW", 410, 0, 36'000'000},
              {"KWD", 414, 3, 36'000},    {"BHD", 48, 3, 36'000},      {"CLF", 990, 4, 3'600},
              {"ISK", 352, 0, 36'000'000}};
  for (const auto& row : rows) {
    CAPTURE(row.code);
    const Currency* c = find_currency(row.code);
    REQUIRE(c);
    CHECK(c->number == row.number);
    CHECK(c->exponent == row.exponent);
    CHECK(ticks_per_minor(*c) == row.ticks);
  }
  const Currency& bgn = *find_currency("BGN");
  CHECK(in_use(bgn, *parse_instant("2025-12-31T23:59:59Z")));
  CHECK_FALSE(in_use(bgn, *parse_instant("2026-01-01T00:00:00Z")));
  CHECK(in_use(*find_currency("EUR"), *parse_instant("2026-01-01T00:00:00Z")));
}

TEST_CASE("minor units as text") {
  const struct {
    std::string_view code;
    std::int64_t minor;
    std::string_view text;
  } both_ways[] = {{"USD", 0, "0.00"},
                   {"USD", 5, "0.05"},
                   {"USD", -123450, "-1234.50"},
                   {"JPY", 123450, "123450"},
                   {"JPY", -7, "-7"},
                   {"KWD", 123450, "123.450"},
                   {"KWD", -1, "-0.001"},
                   {"USD", INT64_MAX, "92233720368547758.07"},
                   {"JPY", INT64_MAX, "9223372036854775807"},
                   {"CLF", 1, "0.0001"}};
  for (const auto& row : both_ways) {
    CAPTURE(row.text);
    const Currency& c = *find_currency(row.code);
    CHECK(format_minor(row.minor, c) == row.text);
    CHECK(parse_minor(row.text, c) == row.minor);
  }
  const Currency& usd = *find_currency("USD");
  const Currency& jpy = *find_currency("JPY");
  CHECK(parse_minor("12", usd) == 1200);
  CHECK(parse_minor("12.5", usd) == 1250);
  CHECK(parse_minor("12.5000", usd) == 1250);
  CHECK(parse_minor("12.00", jpy) == 12);
  for (const std::string_view wrong :
       {"", "-", ".", ".5", "5.", "12.505", "1,000", "+1", " 1", "1 ", "1e3", "--1", "1.2.3",
        "92233720368547758.08", "99999999999999999999999999999999999999999"}) {
    CAPTURE(wrong);
    CHECK_FALSE(parse_minor(wrong, usd));
  }
  CHECK_FALSE(parse_minor("12.5", jpy));
  SeededPrng prng(7);
  for (int i = 0; i < 2'000; ++i) {
    const auto currency = prng.next() % currencies().size();
    const Currency& c = currencies()[currency];
    const auto minor = static_cast<std::int64_t>(prng.next() >> (1 + i % 60));
    CHECK(parse_minor(format_minor(minor, c), c) == minor);
    CHECK(parse_minor(format_minor(-minor, c), c) == -minor);
  }
}
