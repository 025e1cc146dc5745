// Everything the cloud remembers: the fold of its facts. Jobs that ended live in the read models.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/budget_model.h"

namespace ampacity::core {

struct State {
  std::uint64_t sequence = 0;       // facts folded so far
  std::uint64_t next_transfer = 1;  // of those the core makes
  Instant last_transfer_at;         // the ledger's time: strictly growing
  std::uint64_t next_queue_order = 1;
  Instant now;  // of the latest fact; never goes back
  std::vector<Site> sites;
  std::vector<Sku> skus;
  std::vector<Node> nodes;
  std::vector<Org> orgs;
  std::vector<Project> projects;
  std::vector<User> users;
  std::vector<Key> keys;
  std::vector<PriceBook> books;  // by version, ascending
  Instant spot_priced_at;        // running spot leases have the prices in force then
  std::vector<Account> accounts;
  std::vector<Transfer> pending;  // unresolved holds, in slots; a nil id is a free one
  std::vector<Job> jobs;          // slots; a nil id is a free one
  std::vector<Window> windows;    // slots; a nil id is a free one
  std::vector<History> histories;
  Policy policy;
  Party issuer;
  std::vector<Contract> contracts;
  std::vector<Invoice> invoices;       // without lines: the store has them
  std::vector<std::uint32_t> numbers;  // invoices issued, by year from 2020
  std::vector<Id> payments;            // recorded, ascending
  Instant sealed_until;                // months before it are closed
  std::vector<Budget> budgets;         // slots; a nil id is a free one
  std::vector<Webhook> webhooks;       // by age
  std::vector<VolumeHome> volumes;     // by project and name, ascending
  std::vector<Session> sessions;       // by age; of keys that are not revoked
};
BOOST_DESCRIBE_STRUCT(State, (),
                      (sequence, next_transfer, last_transfer_at, next_queue_order, now, sites,
                       skus, nodes, orgs, projects, users, keys, books, spot_priced_at, accounts,
                       pending, jobs, windows, histories, policy, issuer, contracts, invoices,
                       numbers, payments, sealed_until, budgets, webhooks, volumes, sessions))

// Where a project's use of a SKU is earned: in the ledger of its wallet.
inline AccountIx revenue_of(const State& s, ProjectIx project, SkuIx sku) {
  const Project& p = s.projects[project];
  if (p.revenue != nobody) return p.revenue;
  const std::uint32_t ledger = s.accounts[p.wallet].ledger;
  for (const SkuRevenue& r : s.skus[sku].revenues)
    if (r.ledger == ledger) return r.account;
  return s.skus[sku].revenue;
}

// The same for equal states, whatever slots their jobs are in.
std::string state_digest(const State& state);

}  // namespace ampacity::core
