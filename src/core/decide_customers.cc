#include "core/decide.h"
#include "core/posting.h"
#include "core/settle.h"

namespace ampacity::core {
namespace {

constexpr std::size_t most_bought = 10'000;

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
  return std::vector<FactBody>{OrgCreated{{c.id, c.name, now, {}, {}, {}, {}, {}, {}}}};
}

Decision decide_customers(const World& world, const CreateProject& c, Instant now) {
  const auto org = world.find_org(c.org);
  if (!org) return no_such("org", "org", c.org);
  if (world.project(c.name)) return taken("project", c.name);
  const std::string& currency = world.state().orgs[*org].billing.currency;
  Posting posting(world, currency);
  Project project{c.id, *org, c.name, now};
  project.wallet = posting.open_wallet(c.name);
  project.share.at = now;
  if (currency != "USD")
    for (const Sku& sku : world.state().skus) posting.tick_account(4000, "revenue " + sku.name);
  return std::move(posting).with(ProjectCreated{std::move(project)});
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
  if (!key.sign_in.empty())
    for (const Key& k : world.state().keys)
      if (k.sign_in == key.sign_in && !k.revoked && k.rule.empty())
        return base::refuse(base::Code::conflict, "whoever signs in as " + key.sign_in + " has " +
                                                      base::format_id("key", k.id) +
                                                      " already: revoke that first");
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
  const Project& p = world.state().projects[*project];
  const std::string& currency = world.state().orgs[p.org].billing.currency;
  const auto ticks = base::multiply(c.minor, base::ticks_per_minor(currency_of(currency)));
  if (!ticks || c.minor <= 0)
    return base::refuse_field("amount", "must be positive, with no more decimals than " + currency +
                                            " has, and no more than a ledger can hold");
  if (world.state().orgs[p.org].bought.size() >= most_bought)
    return base::refuse(base::Code::queue_full, "too many credits wait for the org's next invoice");
  Posting posting(world, currency);
  const AccountIx crossing = posting.tick_account(9000, "crossing");
  for (const AccountIx full : {p.wallet, crossing}) {
    std::int64_t sum = 0;
    if (full < world.state().accounts.size() &&
        (__builtin_add_overflow(world.state().accounts[full].credits_posted, *ticks, &sum) ||
         __builtin_add_overflow(world.state().accounts[full].debits_posted, *ticks, &sum)))
      return base::refuse_field("amount", "is more than a ledger can hold");
  }
  posting.move(posting.minor_account(1000, "cash"), posting.minor_account(9000, "crossing"),
               c.minor, TransferReason::credit);
  posting.move(crossing, p.wallet, *ticks, TransferReason::credit);
  CreditAdded f{*project, c.minor, c.note, std::move(posting.transfers)};
  return std::move(posting).with(std::move(f));
}

}  // namespace ampacity::core
