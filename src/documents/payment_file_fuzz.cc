// What a payment provider reports, as JSON or CSV: what is read is written and read again, and is
// judged to no more than is open.
#include "documents/payment_file.h"

#include "base/fuzz_input.h"

namespace base = ampacity::base;
namespace core = ampacity::core;
namespace documents = ampacity::documents;

namespace {

constexpr base::Instant now{1'795'348'800'000'000};

void check_judged(const documents::PaymentResult& r) {
  core::Invoice invoice;
  invoice.number = r.invoice;
  invoice.currency = "EUR";
  invoice.state = core::InvoiceState::issued;
  invoice.payable_minor = 10'000;
  invoice.paid_minor = 1'000;
  const auto is_new = [](const base::Id&) { return false; };
  const auto j = documents::judge("bank", r, &invoice, is_new, now);
  CHECK_THAT(j.open_minor >= 0 && j.open_minor <= 9'000 && j.excess_minor >= 0, "no amounts");
  CHECK_THAT(j.payment.has_value() || !j.words.empty(), "refused without words");
  if (!j.payment) return;
  CHECK_THAT(j.payment->minor > 0 && j.payment->minor + j.open_minor == 9'000,
             "more or less was taken than is open");
  const auto is_known = [&j](const base::Id& id) { return id == j.payment->id; };
  CHECK_THAT(documents::judge("bank", r, &invoice, is_known, now).judgement ==
                 documents::Judgement::repeated,
             "the same payment twice");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = base::FuzzInput(data, size).rest();
  for (const bool csv : {false, true}) {
    const auto results =
        csv ? documents::parse_results_csv(text) : documents::parse_results_json(text);
    if (!results) {
      base::check_refusal(results.error(), text);
      continue;
    }
    CHECK_THAT(!results->empty() && results->size() <= documents::most_results, "no payments");
    const std::string written = base::to_json(*results);
    const auto again = documents::parse_results_json(written);
    CHECK_THAT(again && again->size() == results->size(), "payments written cannot be read");
    for (std::size_t i = 0; i < results->size(); ++i) {
      const auto &a = (*results)[i], &b = (*again)[i];
      CHECK_THAT(a.invoice == b.invoice && a.amount == b.amount && a.currency == b.currency &&
                     a.reference == b.reference && a.paid_at == b.paid_at,
                 "a payment that changes");
      check_judged(a);
    }
  }
  return 0;
}
