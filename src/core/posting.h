// The transfers of one decision in one currency, and the accounts they need that are not there yet.
// Threads: a value of one decision.
#pragma once

#include <utility>

#include "base/currency.h"
#include "core/settle.h"

namespace ampacity::core {

inline const base::Currency& currency_of(const std::string& code) {
  return *base::find_currency(code);
}

class Posting {
 public:
  Posting(const World& world, const std::string& currency);

  // By code and name; opened if there is none.
  AccountIx minor_account(std::uint16_t code, const std::string& name) {
    return account(minor_ledger_, code, name);
  }
  AccountIx tick_account(std::uint16_t code, const std::string& name) {
    return account(tick_ledger_, code, name);
  }
  // A wallet is its project's own: opened by the same decision.
  AccountIx open_wallet(const std::string& project);
  // Of a contract's prepayment: what is paid and not used yet. The first time it takes what the
  // contract has left: paid at signing.
  AccountIx prepayment(const Contract& contract);
  // A negative amount goes the other way.
  void move(AccountIx debit, AccountIx credit, std::int64_t amount, TransferReason reason);
  // `fact` after the accounts it needs.
  std::vector<FactBody> with(FactBody fact) &&;

  std::vector<FactBody> opened;
  std::vector<Transfer> transfers;

 private:
  std::uint32_t ledger_of(AccountIx ix) const;
  AccountIx account(std::uint32_t ledger, std::uint16_t code, const std::string& name);
  AccountIx find(std::uint32_t ledger, std::uint16_t code, const std::string& name) const;
  AccountIx open(Account account);

  const State& s_;
  Drafter drafter_;
  std::uint32_t minor_ledger_, tick_ledger_;
};

}  // namespace ampacity::core
