// What comes of a transfer or an account: one enumeration each, ordered by precedence. The first
// that applies is the answer, so that every implementation, retry and test agrees.
// Transient ones could succeed later if the world changed; their ids are burnt, so that a retry
// cannot succeed behind the back of who was told "no".
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/json.h"

namespace ampacity::ledger {

// X(name, transient)
#define AMPACITY_LEDGER_OUTCOMES(X)                       \
  X(created, false)                                       \
  /* the chain */                                         \
  X(linked_event_failed, false)                           \
  X(linked_event_chain_open, false)                       \
  /* time */                                              \
  X(imported_event_expected, false)                       \
  X(imported_event_not_expected, false)                   \
  X(timestamp_must_be_zero, false)                        \
  X(imported_event_timestamp_out_of_range, false)         \
  X(imported_event_timestamp_must_not_advance, false)     \
  /* flags and ids */                                     \
  X(reserved_flag, false)                                 \
  X(id_must_not_be_zero, false)                           \
  X(id_must_not_be_max, false)                            \
  /* seen before */                                       \
  X(exists_with_different_flags, false)                   \
  X(exists_with_different_pending_id, false)              \
  X(exists_with_different_timeout, false)                 \
  X(exists_with_different_debit_account, false)           \
  X(exists_with_different_credit_account, false)          \
  X(exists_with_different_amount, false)                  \
  X(exists_with_different_user_data, false)               \
  X(exists_with_different_ledger, false)                  \
  X(exists_with_different_code, false)                    \
  X(exists, false)                                        \
  X(id_already_failed, false)                             \
  /* its shape */                                         \
  X(flags_are_mutually_exclusive, false)                  \
  X(debit_account_must_not_be_zero, false)                \
  X(debit_account_must_not_be_max, false)                 \
  X(credit_account_must_not_be_zero, false)               \
  X(credit_account_must_not_be_max, false)                \
  X(accounts_must_be_different, false)                    \
  X(pending_id_must_be_zero, false)                       \
  X(pending_id_must_not_be_zero, false)                   \
  X(pending_id_must_not_be_max, false)                    \
  X(pending_id_must_be_different, false)                  \
  X(timeout_reserved_for_pending_transfer, false)         \
  X(closing_transfer_must_be_pending, false)              \
  X(amount_must_not_be_negative, false)                   \
  X(ledger_must_not_be_zero, false)                       \
  X(code_must_not_be_zero, false)                         \
  /* its accounts */                                      \
  X(debit_account_not_found, true)                        \
  X(credit_account_not_found, true)                       \
  X(accounts_must_have_the_same_ledger, false)            \
  X(transfer_must_have_the_ledger_of_its_accounts, false) \
  /* what it resolves */                                  \
  X(pending_transfer_not_found, true)                     \
  X(pending_transfer_not_pending, false)                  \
  X(pending_transfer_has_different_debit_account, false)  \
  X(pending_transfer_has_different_credit_account, false) \
  X(pending_transfer_has_different_ledger, false)         \
  X(pending_transfer_has_different_code, false)           \
  X(exceeds_pending_transfer_amount, false)               \
  X(pending_transfer_has_different_amount, false)         \
  X(pending_transfer_already_posted, false)               \
  X(pending_transfer_already_voided, false)               \
  X(pending_transfer_expired, false)                      \
  /* an import's place in time */                         \
  X(imported_event_timestamp_must_not_regress, false)     \
  X(imported_event_must_postdate_debit_account, false)    \
  X(imported_event_must_postdate_credit_account, false)   \
  X(imported_event_timeout_must_be_zero, false)           \
  /* closed */                                            \
  X(debit_account_already_closed, true)                   \
  X(credit_account_already_closed, true)                  \
  /* counters */                                          \
  X(overflows_debits_pending, false)                      \
  X(overflows_credits_pending, false)                     \
  X(overflows_debits_posted, false)                       \
  X(overflows_credits_posted, false)                      \
  X(overflows_debits, false)                              \
  X(overflows_credits, false)                             \
  X(overflows_timeout, false)                             \
  /* bounds */                                            \
  X(exceeds_credits, true)                                \
  X(exceeds_debits, true)

enum class Outcome : std::uint8_t {
#define X(name, transient) name,
  AMPACITY_LEDGER_OUTCOMES(X)
#undef X
};
#define X(name, transient) +1
inline constexpr int outcomes = 0 AMPACITY_LEDGER_OUTCOMES(X);
#undef X

// The wire name. (More enumerators than Boost.Describe takes.)
std::string_view name_of(Outcome outcome);
std::optional<Outcome> parse_outcome(std::string_view name);
bool is_transient(Outcome outcome);  // "not now"; every other refusal is "never"
// It stands in the books as asked for: made now, or by an equal request before.
constexpr bool stands(Outcome o) { return o == Outcome::created || o == Outcome::exists; }

enum class AccountOutcome : std::uint8_t {
  created,
  linked_event_failed,
  linked_event_chain_open,
  imported_event_expected,
  imported_event_not_expected,
  timestamp_must_be_zero,
  imported_event_timestamp_out_of_range,
  imported_event_timestamp_must_not_advance,
  reserved_flag,
  id_must_not_be_zero,
  id_must_not_be_max,
  exists_with_different_flags,
  exists_with_different_user_data,
  exists_with_different_ledger,
  exists_with_different_code,
  exists,
  flags_are_mutually_exclusive,
  debits_pending_must_be_zero,
  debits_posted_must_be_zero,
  credits_pending_must_be_zero,
  credits_posted_must_be_zero,
  ledger_must_not_be_zero,
  code_must_not_be_zero,
  imported_event_timestamp_must_not_regress,
};
BOOST_DESCRIBE_ENUM(AccountOutcome, created, linked_event_failed, linked_event_chain_open,
                    imported_event_expected, imported_event_not_expected, timestamp_must_be_zero,
                    imported_event_timestamp_out_of_range,
                    imported_event_timestamp_must_not_advance, reserved_flag, id_must_not_be_zero,
                    id_must_not_be_max, exists_with_different_flags,
                    exists_with_different_user_data, exists_with_different_ledger,
                    exists_with_different_code, exists, flags_are_mutually_exclusive,
                    debits_pending_must_be_zero, debits_posted_must_be_zero,
                    credits_pending_must_be_zero, credits_posted_must_be_zero,
                    ledger_must_not_be_zero, code_must_not_be_zero,
                    imported_event_timestamp_must_not_regress)

}  // namespace ampacity::ledger
