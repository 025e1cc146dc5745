// Instants, months, durations, ids, prices and amounts: what is read is written and read the same.
#include "base/currency.h"
#include "base/fuzz_input.h"
#include "base/id.h"

namespace base = ampacity::base;

namespace {

void times(std::string_view text) {
  if (const auto t = base::parse_instant(text)) {
    const std::string written = base::format_instant(*t);
    CHECK_THAT(written.size() >= 20 && written.size() <= 27, "an instant of another length");
    CHECK_THAT(base::parse_instant(written) == *t, "an instant that changes");
    const base::Instant month = base::month_begin(*t);
    CHECK_THAT(month <= *t && *t < base::month_plus(*t, 1), "an instant outside its month");
    CHECK_THAT(base::parse_month(base::format_month(*t)) == month, "a month that changes");
  }
  if (const auto m = base::parse_month(text))
    CHECK_THAT(base::format_month(*m) == text && base::month_begin(*m) == *m, "no month");
  if (const auto d = base::parse_duration(text)) {
    CHECK_THAT(d->us >= 0 && d->whole_seconds() <= 3'153'600'000, "a duration out of bounds");
    CHECK_THAT(base::parse_duration(std::to_string(d->whole_seconds()) + "s") == *d,
               "a duration that changes");
    CHECK_THAT(base::format_duration(*d).size() <= 16, "a long duration's text");
  }
}

void amounts(std::string_view text) {
  if (const auto p = base::parse_hourly_price(text)) {
    CHECK_THAT(*p >= 0, "a price below zero");
    CHECK_THAT(base::parse_hourly_price(base::format_hourly_price(*p)) == *p,
               "a price that changes");
  }
  if (const auto ticks = base::parse_usd(text)) {
    CHECK_THAT(*ticks >= 0, "dollars below zero");
    CHECK_THAT(base::parse_usd(base::format_usd(*ticks)) == *ticks, "dollars that change");
  }
  for (const char* code : {"USD", "JPY", "KWD", "CLF"}) {
    const base::Currency& currency = *base::find_currency(code);
    const auto minor = base::parse_minor(text, currency);
    if (!minor) continue;
    CHECK_THAT(base::parse_minor(base::format_minor(*minor, currency), currency) == *minor,
               "an amount that changes");
    // A lone minus before zeros is zero; else the sign is kept.
    CHECK_THAT(*minor == 0 || (*minor < 0) == text.starts_with('-'), "another sign");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = base::FuzzInput(data, size).rest();
  times(text);
  amounts(text);
  if (const auto id = base::parse_bare_id(text))
    CHECK_THAT(base::format_bare_id(*id) == text, "an id that changes");
  if (const auto id = base::parse_id("job", text))
    CHECK_THAT(base::format_id("job", *id) == text, "a job's id that changes");
  return 0;
}
