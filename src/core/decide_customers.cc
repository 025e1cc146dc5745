#include "core/decide.h"

namespace ampacity::core {
namespace {

std::unexpected<base::Refusal> taken(const std::string& kind, const std::string& name) {
  return base::refuse(base::Code::conflict, "there is a " + kind + " named " + name + " already");
}
std::unexpected<base::Refusal> no_such(const std::string& field, const std::string& kind,
                                       const std::string& name) {
  auto r = base::refuse_field(field, "there is no " + kind + " " + name);
  return r;
}

}  // namespace

Decision decide_customers(const World& world, const CreateOrg& c, Instant now) {
  if (world.find_org(c.name)) return taken("org", c.name);
  return std::vector<FactBody>{OrgCreated{{c.id, c.name, now, {}, {}}}};
}

Decision decide_customers(const World& world, const CreateProject& c, Instant now) {
  const auto org = world.find_org(c.org);
  if (!org) return no_such("org", "org", c.org);
  if (world.project(c.name)) return taken("project", c.name);
  Account wallet{LedgerKind::usd_tick, 2300, "wallet " + c.name};
  wallet.debits_must_not_exceed_credits = true;
  const auto account = static_cast<AccountIx>(world.state().accounts.size());
  return std::vector<FactBody>{
      AccountOpened{wallet},
      ProjectCreated{{c.id, *org, c.name, now, account, false, {}, {}, {100, now, 0}}}};
}

Decision decide_customers(const World& world, const CreateUser& c, Instant now) {
  const auto org = world.find_org(c.org);
  if (!org) return no_such("org", "org", c.org);
  if (world.find_user(c.name, *org)) return taken("user", c.name);
  return std::vector<FactBody>{UserCreated{{c.id, *org, c.name, now}}};
}

Decision decide_customers(const World& world, const CreateKey& c, Instant now) {
  Key key = c.key;
  key.created_at = now;
  key.project = key.user = nobody;
  if (key.role == Role::customer) {
    const auto project = world.project(c.project);
    if (!project) return no_such("project", "project", c.project);
    const auto user = world.find_user(c.user, world.state().projects[*project].org);
    if (!user) return no_such("user", "user", c.user + " in the project's org");
    key.project = *project;
    key.user = *user;
  }
  if (world.key_by_lookup(key.lookup))
    return base::refuse(base::Code::conflict, "that key's look-up part is taken: try again");
  return std::vector<FactBody>{KeyCreated{key}};
}

Decision decide_customers(const World& world, const RevokeKey& c) {
  for (const Key& k : world.state().keys) {
    if (k.id != c.key) continue;
    if (k.revoked) return std::vector<FactBody>{};
    return std::vector<FactBody>{KeyRevoked{c.key}};
  }
  return base::refuse(base::Code::not_found, "there is no such key");
}

Decision decide_customers(const World& world, const AddCredit& c) {
  const auto project = world.project(c.project);
  if (!project) return no_such("project", "project", c.project);
  const auto ticks = base::multiply(c.cents, base::ticks_per_cent);
  if (!ticks || c.cents <= 0)
    return base::refuse_field("amount_usd", "must be a positive amount in whole cents");
  const AccountIx cash = 0, crossing_cent = 1, crossing_tick = 2;
  const AccountIx wallet = world.state().projects[*project].wallet;
  std::int64_t sum = 0;
  if (__builtin_add_overflow(world.state().accounts[wallet].credits_posted, *ticks, &sum) ||
      __builtin_add_overflow(world.state().accounts[crossing_tick].debits_posted, *ticks, &sum))
    return base::refuse_field("amount_usd", "is more than a ledger can hold");
  const std::uint64_t id = world.state().next_transfer;
  return std::vector<FactBody>{CreditAdded{
      *project,
      c.note,
      {{id, TransferKind::single, cash, crossing_cent, c.cents, 0, TransferReason::credit},
       {id + 1, TransferKind::single, crossing_tick, wallet, *ticks, 0, TransferReason::credit}}}};
}

}  // namespace ampacity::core
