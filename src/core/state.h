// Everything the cloud remembers: the fold of its facts. Jobs that ended live in the read models.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/model.h"

namespace ampacity::core {

struct State {
  std::uint64_t sequence = 0;  // facts folded so far
  std::uint64_t next_transfer = 1;
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
  std::vector<Account> accounts;
  std::vector<Transfer> pending;  // unresolved holds, by id ascending
  std::vector<Job> jobs;          // slots; a nil id is a free one
  std::vector<Window> windows;    // slots; a nil id is a free one
  std::vector<History> histories;
  Policy policy;
};
BOOST_DESCRIBE_STRUCT(State, (),
                      (sequence, next_transfer, next_queue_order, now, sites, skus, nodes, orgs,
                       projects, users, keys, books, accounts, pending, jobs, windows, histories,
                       policy))

// The same for equal states, whatever slots their jobs are in.
std::string state_digest(const State& state);

}  // namespace ampacity::core
