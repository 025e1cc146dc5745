// What PostgreSQL has in place of the migrations named …_sqlite, by the same numbers.
#pragma once

#include <string_view>

namespace ampacity::store::postgres {

extern const std::string_view facts_view, guards, meter_guards, billing_guards, ledger,
    transfer_guards, ledger_guards, usage_guards, invoicing_reads;
// Guards off and on again, for the length of a transaction.
extern const std::string_view lift, restore;

}  // namespace ampacity::store::postgres
