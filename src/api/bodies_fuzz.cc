// Every other body that is sent: read, written and read again; where its checks need no world,
// those too. The first byte says which body it is.
#include <tuple>

#include "api/bind_billing.h"
#include "api/bind_capacity.h"
#include "api/bind_ledger.h"
#include "api/contract_hooks.h"
#include "api/contract_prices.h"
#include "base/currency.h"
#include "base/fuzz_input.h"

namespace api = ampacity::api;
namespace base = ampacity::base;
namespace core = ampacity::core;

namespace {

constexpr base::Instant now{1'795'348'800'000'000};

using Bodies =
    std::tuple<api::OrgRequest, api::ProjectRequest, api::UserRequest, api::KeyRequest,
               api::CreditRequest, api::NodeChange, api::PartyChange, api::BillingChange,
               api::CreditLineRequest, api::LineRequest, api::ContractRequest, api::IssueRequest,
               api::VoidRequest, api::PaymentRequest, api::CloseRequest, api::ReservationRequest,
               api::MaintenanceRequest, api::QuotaRequest, api::WeightRequest, api::PolicyChange,
               api::BudgetRequest, api::WebhookRequest, api::TransfersRequest,
               api::PriceBookRequest>;

template <typename T>
void judge(const base::Result<T>& bound, std::string_view text) {
  if (!bound) base::check_refusal(bound.error(), text);
}

template <typename T>
void bind(const T& body, std::string_view text) {
  if constexpr (std::is_same_v<T, api::BillingChange>)
    judge(api::changed(core::BillingProfile{}, body), text);
  else if constexpr (std::is_same_v<T, api::PartyChange>)
    (void)api::changed(core::Party{}, body);
  else if constexpr (std::is_same_v<T, api::ContractRequest>)
    judge(api::bind_contract(body, *base::find_currency("EUR")), text);
  else if constexpr (std::is_same_v<T, api::ReservationRequest>)
    judge(api::bind_reservation(body, now), text);
  else if constexpr (std::is_same_v<T, api::MaintenanceRequest>)
    judge(api::bind_maintenance(body, now), text);
  else if constexpr (std::is_same_v<T, api::QuotaRequest>)
    judge(api::bind_quota(body), text);
  else if constexpr (std::is_same_v<T, api::PolicyChange>)
    judge(api::changed(core::Policy{}, body), text);
  else if constexpr (std::is_same_v<T, api::TransfersRequest>)
    judge(api::bind_transfers(body), text);
}

template <typename T>
void one(std::string_view text) {
  const auto body = base::from_json<T>(text);
  if (!body) return base::check_refusal(body.error(), text);
  const std::string written = base::to_json(*body);
  const auto again = base::from_json<T>(written);
  CHECK_THAT(again && base::to_json(*again) == written, "a body that changes");
  bind(*body, text);
}

template <std::size_t... I>
void nth(std::size_t n, std::string_view text, std::index_sequence<I...>) {
  ((n == I ? one<std::tuple_element_t<I, Bodies>>(text) : void()), ...);
}

void decimals(std::string_view text) {
  if (const auto bp = api::parse_percent(text))
    CHECK_THAT(api::parse_percent(api::format_percent(*bp)) == *bp, "a percentage that changes");
  if (const auto hours = api::parse_gpu_hours(text))
    CHECK_THAT(*hours >= 0, "GPU-hours below zero");
  if (const auto id = api::parse_hex_id(text))
    CHECK_THAT(api::parse_hex_id(api::hex_id(*id)) == *id, "an id that changes");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::size_t count = std::tuple_size_v<Bodies>;
  base::FuzzInput input(data, size);
  // 'a' is the first, so that the seeds can be typed; one more: no body, a decimal.
  const std::size_t n = (input.byte() + 256 - 'a') % 256 % (count + 1);
  if (n == count)
    decimals(input.rest());
  else
    nth(n, input.rest(), std::make_index_sequence<count>());
  return 0;
}
