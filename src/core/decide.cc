#include "core/decide.h"

#include "core/price_book.h"

namespace ampacity::core {
namespace {

// The accounts of every cloud, in this order: 0 cash, 1 and 2 the crossing of both ledgers.
Decision found(const World& world, const Found& c, Instant now) {
  if (!world.state().accounts.empty())
    return base::refuse(base::Code::conflict, "this cloud was founded already");
  PriceBook book = c.book;
  book.version = 1;
  if (book.effective_from.us == 0) book.effective_from = now;
  sort_rules(book);
  if (auto wrong = wrong_with(book); !wrong.empty())
    return std::unexpected(base::refusal_of(std::move(wrong)));
  return std::vector<FactBody>{
      AccountOpened{new_account(ledger::usd_minor, 1000, "cash")},
      AccountOpened{new_account(ledger::usd_minor, 9000, "crossing")},
      AccountOpened{new_account(ledger::usd_tick, 9000, "crossing")},
      PricesSet{std::move(book)},
  };
}

Decision set_prices(const World& world, const SetPrices& c, Instant now) {
  const State& s = world.state();
  PriceBook book = c.book;
  book.version = s.books.back().version + 1;
  if (book.effective_from.us == 0) book.effective_from = now;
  if (book.effective_from < now)
    return base::refuse_field("effective_from",
                              "has passed: prices of the past do not change; leave it out for now");
  if (!c.org.empty()) {
    const auto org = world.find_org(c.org);
    if (!org) return base::refuse_field("org", "there is no org '" + c.org + "'");
    book.org = *org;
  }
  for (const PriceBook& b : s.books)
    if (b.org == book.org && b.currency == book.currency && book.effective_from < b.effective_from)
      return base::refuse_field("effective_from",
                                "version " + std::to_string(b.version) + " is set already for " +
                                    base::format_instant(b.effective_from) + ", which is later");
  sort_rules(book);
  if (auto wrong = wrong_with(book); !wrong.empty())
    return std::unexpected(base::refusal_of(std::move(wrong)));
  return std::vector<FactBody>{PricesSet{std::move(book)}};
}

struct Decider {
  const World& world;
  Instant now;
  Decision operator()(const Found& c) const { return found(world, c, now); }
  Decision operator()(const SetPrices& c) const { return set_prices(world, c, now); }
  Decision operator()(const RegisterSite& c) const { return decide_fleet(world, c); }
  Decision operator()(const AddSite& c) const { return decide_sites(world, c); }
  Decision operator()(const SetSite& c) const { return decide_sites(world, c); }
  Decision operator()(const RemoveSite& c) const { return decide_sites(world, c); }
  Decision operator()(const SeeSite& c) const { return decide_sites(world, c, now); }
  Decision operator()(const ForgetVolume& c) const { return decide_sites(world, c); }
  Decision operator()(const SetNodeState& c) const { return decide_fleet(world, c); }
  Decision operator()(const CreateOrg& c) const { return decide_customers(world, c, now); }
  Decision operator()(const CreateProject& c) const { return decide_customers(world, c, now); }
  Decision operator()(const CreateUser& c) const { return decide_customers(world, c, now); }
  Decision operator()(const CreateKey& c) const { return decide_customers(world, c, now); }
  Decision operator()(const RevokeKey& c) const { return decide_customers(world, c); }
  Decision operator()(const OpenSession& c) const { return decide_sessions(world, c, now); }
  Decision operator()(const CloseSession& c) const { return decide_sessions(world, c); }
  Decision operator()(const SignIn& c) const { return decide_sessions(world, c, now); }
  Decision operator()(const AddCredit& c) const { return decide_customers(world, c); }
  Decision operator()(const SetQuota& c) const { return decide_policy(world, c); }
  Decision operator()(const SetWeight& c) const { return decide_policy(world, c); }
  Decision operator()(const SetPolicy& c) const { return decide_policy(world, c); }
  Decision operator()(const Reserve& c) const { return decide_windows(world, c, now); }
  Decision operator()(const Maintain& c) const { return decide_windows(world, c, now); }
  Decision operator()(const EndWindow& c) const { return decide_windows(world, c); }
  Decision operator()(const NoteCheckpoint& c) const { return decide_checkpoint(world, c); }
  Decision operator()(const SetIssuer& c) const { return decide_billing(world, c); }
  Decision operator()(const SetBilling& c) const { return decide_billing(world, c); }
  Decision operator()(const SetCreditLine& c) const { return decide_billing(world, c); }
  Decision operator()(const SignContract& c) const { return decide_billing(world, c, now); }
  Decision operator()(const EndContract& c) const { return decide_billing(world, c, now); }
  Decision operator()(const AddLine& c) const { return decide_billing(world, c); }
  Decision operator()(const IssueInvoice& c) const { return decide_billing(world, c, now); }
  Decision operator()(const VoidInvoice& c) const { return decide_billing(world, c, now); }
  Decision operator()(const RecordPayment& c) const { return decide_billing(world, c, now); }
  Decision operator()(const SealPeriod& c) const { return decide_billing(world, c, now); }
  Decision operator()(const SetBudget& c) const { return decide_budget(world, c, now); }
  Decision operator()(const RemoveBudget& c) const { return decide_budget(world, c); }
  Decision operator()(const AddWebhook& c) const { return decide_webhook(world, c, now); }
  Decision operator()(const RemoveWebhook& c) const { return decide_webhook(world, c); }
  Decision operator()(const SwitchWebhook& c) const { return decide_webhook(world, c); }
  Decision operator()(const PostTransfers& c) const { return decide_ledger(world, c, now); }
  Decision operator()(const SubmitJob& c) const { return decide_submit(world, c, now); }
  Decision operator()(const StopJob& c) const { return decide_stop(world, c); }
  Decision operator()(const Observe& c) const { return decide_observe(world, c, now); }
  Decision operator()(const Tick&) const { return decide_tick(world, now); }
  Decision operator()(const Advance&) const { return std::vector<FactBody>{}; }  // step's pass
};

}  // namespace

Decision decide(const World& world, const Command& command, Instant now) {
  // Time never goes back in the world, whatever the machine's clock does.
  return std::visit(Decider{world, std::max(now, world.state().now)}, command);
}

}  // namespace ampacity::core
