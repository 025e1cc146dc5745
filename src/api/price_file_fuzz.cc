// A price book as a file: one that is read is sound, is stored and read again the same, and what it
// prices costs more the more there is, and never more than its ceiling.
#include "api/price_file.h"

#include "base/fuzz_input.h"
#include "core/price_book.h"

namespace api = ampacity::api;
namespace base = ampacity::base;
namespace core = ampacity::core;

namespace {

void check_price(const core::PriceFunction& price) {
  const core::Ceiling ceiling = core::ceiling_of(price);
  CHECK_THAT(ceiling.price >= 0 && ceiling.flat >= 0, "a ceiling below zero");
  std::optional<base::Ticks> before = 0;
  for (const std::int64_t quantity : {0LL, 1LL, 999LL, 3'600'000LL, 1'000'000'000'000LL}) {
    const auto cost = core::cost_of(price, quantity);
    if (!cost) return;
    CHECK_THAT(*cost >= 0, "a cost below zero");
    if (price.kind != core::PriceKind::volume) CHECK_THAT(*cost >= *before, "more costs less");
    before = cost;
    const base::Wide most = static_cast<base::Wide>(ceiling.price) * quantity +
                            static_cast<base::Wide>(ceiling.flat) * price.per;
    CHECK_THAT(static_cast<base::Wide>(*cost - 1) * price.per <= most, "a cost over the ceiling");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = base::FuzzInput(data, size).rest();
  const auto prices = api::parse_price_file(text);
  if (!prices) {
    base::check_refusal(prices.error(), text);
    return 0;
  }
  const core::PriceBook& book = prices->book;
  CHECK_THAT(book.rules.size() <= core::most_rules, "too many rules");
  CHECK_THAT(core::wrong_with(book).empty(), "a book that is read and not sound");
  const std::string stored = base::to_sparse_json(book);
  const auto again = base::from_sparse_json<core::PriceBook>(stored);
  CHECK_THAT(again && base::to_sparse_json(*again) == stored, "a book that changes");
  CHECK_THAT(again->rules == book.rules, "a rule that changes");
  for (const core::PriceRule& rule : book.rules) check_price(rule.price);
  return 0;
}
