#include "ledger/outcome.h"

#include <doctest/doctest.h>

#include <set>

using namespace ampacity::ledger;

TEST_CASE("outcomes have names, and the transient ones are those that can pass") {
  std::set<std::string_view> names, transient;
  for (int i = 0; i < outcomes; ++i) {
    const auto o = static_cast<Outcome>(i);
    names.insert(name_of(o));
    CHECK(parse_outcome(name_of(o)) == o);
    if (is_transient(o)) transient.insert(name_of(o));
  }
  CHECK(names.size() == outcomes);
  CHECK_FALSE(parse_outcome("fine"));
  CHECK(transient == std::set<std::string_view>{
                         "debit_account_not_found", "credit_account_not_found",
                         "pending_transfer_not_found", "debit_account_already_closed",
                         "credit_account_already_closed", "exceeds_credits", "exceeds_debits"});
}
