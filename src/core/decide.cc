#include "core/decide.h"

namespace ampacity::core {
namespace {

// The accounts of every cloud, in this order: 0 cash, 1 and 2 the crossing of both ledgers.
Decision found(const World& world, const Found& c, Instant now) {
  if (!world.state().accounts.empty())
    return base::refuse(base::Code::conflict, "this cloud was founded already");
  PriceBook book = c.book;
  book.version = 1;
  if (book.effective_from.us == 0) book.effective_from = now;
  return std::vector<FactBody>{
      AccountOpened{{LedgerKind::usd_cent, 1000, "cash"}},
      AccountOpened{{LedgerKind::usd_cent, 9000, "crossing"}},
      AccountOpened{{LedgerKind::usd_tick, 9000, "crossing"}},
      PricesSet{std::move(book)},
  };
}

Decision set_prices(const World& world, const SetPrices& c, Instant now) {
  PriceBook book = c.book;
  book.version = world.state().books.back().version + 1;
  if (book.effective_from < now) book.effective_from = now;  // never re-prices the past
  if (book.effective_from < world.state().books.back().effective_from)
    return base::refuse(base::Code::conflict, "a later price book is already set");
  return std::vector<FactBody>{PricesSet{std::move(book)}};
}

struct Decider {
  const World& world;
  Instant now;
  Decision operator()(const Found& c) const { return found(world, c, now); }
  Decision operator()(const SetPrices& c) const { return set_prices(world, c, now); }
  Decision operator()(const RegisterSite& c) const { return decide_fleet(world, c); }
  Decision operator()(const SetNodeState& c) const { return decide_fleet(world, c); }
  Decision operator()(const CreateOrg& c) const { return decide_customers(world, c, now); }
  Decision operator()(const CreateProject& c) const { return decide_customers(world, c, now); }
  Decision operator()(const CreateUser& c) const { return decide_customers(world, c, now); }
  Decision operator()(const CreateKey& c) const { return decide_customers(world, c, now); }
  Decision operator()(const RevokeKey& c) const { return decide_customers(world, c); }
  Decision operator()(const AddCredit& c) const { return decide_customers(world, c); }
  Decision operator()(const SetQuota& c) const { return decide_policy(world, c); }
  Decision operator()(const SetWeight& c) const { return decide_policy(world, c); }
  Decision operator()(const SetPolicy& c) const { return decide_policy(world, c); }
  Decision operator()(const Reserve& c) const { return decide_windows(world, c, now); }
  Decision operator()(const Maintain& c) const { return decide_windows(world, c, now); }
  Decision operator()(const EndWindow& c) const { return decide_windows(world, c); }
  Decision operator()(const NoteCheckpoint& c) const { return decide_checkpoint(world, c); }
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
