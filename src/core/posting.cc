#include "core/posting.h"

namespace ampacity::core {

Posting::Posting(const World& world, const std::string& currency)
    : s_(world.state()),
      drafter_(world),
      minor_ledger_(ledger::ledger_of(currency_of(currency), ledger::Scale::minor)),
      tick_ledger_(ledger::ledger_of(currency_of(currency), ledger::Scale::tick)) {}

void Posting::move(AccountIx debit, AccountIx credit, std::int64_t amount, TransferReason reason) {
  if (amount == 0) return;
  if (amount < 0) std::swap(debit, credit);
  transfers.push_back(drafter_.make(TransferKind::single, reason, debit, credit,
                                    amount < 0 ? -amount : amount, 0, ledger_of(debit)));
}

std::vector<FactBody> Posting::with(FactBody fact) && {
  std::vector<FactBody> facts = std::move(opened);
  facts.push_back(std::move(fact));
  return facts;
}

std::uint32_t Posting::ledger_of(AccountIx ix) const {
  return ix < s_.accounts.size()
             ? s_.accounts[ix].ledger
             : std::get<AccountOpened>(opened[ix - s_.accounts.size()]).account.ledger;
}

AccountIx Posting::account(std::uint32_t ledger, std::uint16_t code, const std::string& name) {
  const AccountIx known = find(ledger, code, name);
  return known == nobody ? open(new_account(ledger, code, name)) : known;
}

AccountIx Posting::find(std::uint32_t ledger, std::uint16_t code, const std::string& name) const {
  const auto same = [&](const Account& a) {
    return a.ledger == ledger && a.code == code && a.name == name;
  };
  for (std::size_t i = 0; i < s_.accounts.size(); ++i)
    if (same(s_.accounts[i])) return static_cast<AccountIx>(i);
  for (std::size_t i = 0; i < opened.size(); ++i)
    if (same(std::get<AccountOpened>(opened[i]).account))
      return static_cast<AccountIx>(s_.accounts.size() + i);
  return nobody;
}

AccountIx Posting::open(Account account) {
  opened.push_back(AccountOpened{std::move(account)});
  return static_cast<AccountIx>(s_.accounts.size() + opened.size() - 1);
}

AccountIx Posting::open_wallet(const std::string& project) {
  return open(new_account(tick_ledger_, 2300, "wallet " + project,
                          ledger::account_flag::debits_must_not_exceed_credits));
}

AccountIx Posting::prepayment(const Contract& c) {
  const std::string name = "prepayment " + base::format_id("ctr", c.id);
  const AccountIx known = find(minor_ledger_, 2400, name);
  if (known != nobody) return known;
  const AccountIx opened_now = open(
      new_account(minor_ledger_, 2400, name, ledger::account_flag::debits_must_not_exceed_credits));
  move(minor_account(1000, "cash"), opened_now, c.prepaid_minor - c.drawn_minor,
       TransferReason::credit);
  return opened_now;
}

}  // namespace ampacity::core
