// The one seam to whoever collects money, what its messages say, and how a reported payment is
// judged against the invoice it names. Pure: folders are payment_file_drop.h.
//
//   issued invoice ──request()──▶ provider …… collect() ──▶ deliveries ──judge()──▶ RecordPayment
//                                                              └───────conclude()◀── committed
// 1. request() may be repeated: one invoice is asked for once. 2. A delivery is shown by collect()
// until it is concluded, so what was recorded before a crash is judged again and found recorded:
// the payment's id is made of provider, reference and invoice. 3. More than is open is never
// recorded as payment: the excess is reported. 4. Amounts are decimals in text, never JSON numbers.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "core/bill.h"

namespace ampacity::documents {

// What a provider is asked to collect.
struct PaymentRequest {
  std::string invoice;  // number
  std::string org;
  std::string customer;
  std::string email;
  std::string currency;
  std::string amount;  // "1234.50"
  base::Instant issued_at;
  base::Instant due_at;
  std::string reference;  // the payer is to give
};
BOOST_DESCRIBE_STRUCT(PaymentRequest, (),
                      (invoice, org, customer, email, currency, amount, issued_at, due_at,
                       reference))

// Refused: nothing is open, it is voided or a credit note.
base::Result<PaymentRequest> payment_request(const core::Invoice& invoice,
                                             const core::BillingProfile& profile,
                                             std::string_view org);

// What a provider reports.
struct PaymentResult {
  std::string invoice;  // number
  std::string amount;
  std::optional<std::string> currency;  // absent: the invoice's
  std::string reference;                // the provider's own
  base::Instant paid_at;
};
BOOST_DESCRIBE_STRUCT(PaymentResult, (), (invoice, amount, currency, reference, paid_at))

inline constexpr std::size_t most_results = 10'000;  // in one message
inline constexpr std::size_t most_message_bytes = 1 << 20;

// One object or a list of them; or rows under a header of the same names. Everything wrong is
// named.
base::Result<std::vector<PaymentResult>> parse_results_json(std::string_view text);
base::Result<std::vector<PaymentResult>> parse_results_csv(std::string_view text);

struct Delivery {
  std::string handle;  // the provider's name for it
  std::vector<PaymentResult> results;
};

struct Conclusion {
  bool done = true;    // false: nothing of it, or not all of it, could be recorded
  std::string report;  // for a person; empty: all as expected
};

class PaymentProvider {
 public:
  virtual ~PaymentProvider() = default;
  virtual std::string_view name() const = 0;
  virtual base::Try<void> request(const PaymentRequest& request) = 0;
  // What is to be judged, at most `most` of them, oldest first. What cannot be read is concluded by
  // the provider itself.
  virtual base::Try<std::vector<Delivery>> collect(std::size_t most) = 0;
  virtual base::Try<void> conclude(const std::string& handle, const Conclusion& conclusion) = 0;
};

// ---- judging ------------------------------------------------------------------------------------

enum class Judgement { exact, partial, excess, repeated, refused };
BOOST_DESCRIBE_ENUM(Judgement, exact, partial, excess, repeated, refused)

struct Judged {
  Judgement judgement = Judgement::refused;
  std::optional<core::Payment> payment;  // to be recorded: exact, partial, excess
  std::int64_t open_minor = 0;           // after it
  std::int64_t excess_minor = 0;         // to be given back
  std::string words;                     // for the report; empty: exact
};

// Of the same report always the same.
base::Id payment_id(std::string_view provider, std::string_view invoice,
                    std::string_view reference);

// `invoice`: the one the result names, nullptr: there is none. `recorded`: whether a payment of
// this id was. Several results of one invoice: the invoice as it is after those before.
Judged judge(std::string_view provider, const PaymentResult& result, const core::Invoice* invoice,
             const std::function<bool(const base::Id&)>& recorded, base::Instant now);

}  // namespace ampacity::documents
