// What the facts say of prices, contracts, customers, and of leases that ran at given moments: read
// from the journal alone, by types of the audit's own (see rerate.h).
// Threads: one. Memory in proportion to live jobs, books and contracts.
#pragma once

#include <boost/describe.hpp>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "audit/checks.h"
#include "base/id.h"
#include "base/time.h"

namespace ampacity::audit {

using base::Instant;
using Wide = __int128;

inline constexpr std::uint32_t nobody = 0xffff'ffff;

// Absent fields of a fact have these values.
struct Tier {
  std::int64_t up_to = 0, price = 0, flat = 0;
};
BOOST_DESCRIBE_STRUCT(Tier, (), (up_to, price, flat))
struct Tariff {
  std::string kind = "per_unit";
  std::int64_t per = 1000;
  std::vector<Tier> tiers;
  std::int64_t package = 0, free = 0, minimum = 0, maximum = 0;
};
BOOST_DESCRIBE_STRUCT(Tariff, (), (kind, per, tiers, package, free, minimum, maximum))
struct Rule {
  std::string meter, sku, site;
  std::optional<std::string> job_class;
  std::uint32_t term_months = 0;
  Tariff price;
};
BOOST_DESCRIBE_STRUCT(Rule, (), (meter, sku, site, job_class, term_months, price))
struct Book {
  std::int64_t version = 0;
  std::string currency = "USD";
  std::uint32_t org = nobody;
  Instant effective_from;
  std::vector<Rule> rules;
  std::uint64_t sequence = 0;
};
BOOST_DESCRIBE_STRUCT(Book, (), (version, currency, org, effective_from, rules))

struct Ramp {
  std::int64_t month = 0, amount = 0;
};
BOOST_DESCRIBE_STRUCT(Ramp, (), (month, amount))
struct Sla {
  std::int64_t below_ppm = 0, credit_bp = 0;
};
BOOST_DESCRIBE_STRUCT(Sla, (), (below_ppm, credit_bp))
struct Contract {
  base::Id id;
  std::uint32_t org = 0;
  std::string name;
  Instant from;
  std::uint32_t months = 1;
  std::string commitment = "none";
  std::string sku;
  std::vector<Ramp> ramp;
  bool take_or_pay = true;
  std::int64_t price = 0, overage_price = 0;
  std::vector<Sla> sla;
  bool renews = false;
  Instant ends;
  std::vector<base::Id> reservations;
  std::uint64_t sequence = 0;
  std::map<std::uint64_t, Instant> ended;  // by the facts that said so
};
BOOST_DESCRIBE_STRUCT(Contract, (),
                      (id, org, name, from, months, commitment, sku, ramp, take_or_pay, price,
                       overage_price, sla, renews, ends, reservations))

struct Rates {
  std::int64_t price_version = 0, gpu_price = 0, gpus = 0, gpu_milli = 1000, vcpu_price = 0,
               cpu_milli = 0, gib_price = 0, memory_mib = 0, host_version = 0;
  std::uint32_t term_months = 0;
};
BOOST_DESCRIBE_STRUCT(Rates, (),
                      (price_version, gpu_price, gpus, gpu_milli, vcpu_price, cpu_milli, gib_price,
                       memory_mib, host_version, term_months))

struct Tax {
  std::string currency = "USD";
  std::string tax_category = "O";
  std::int64_t tax_bp = 0;
};
BOOST_DESCRIBE_STRUCT(Tax, (), (currency, tax_category, tax_bp))
struct Org {
  std::string name;
  Instant created_at;
  Tax billing;                         // at first
  std::map<std::uint64_t, Tax> taxed;  // by the facts that said so
};
BOOST_DESCRIBE_STRUCT(Org, (), (name, created_at, billing))

// One lease, or the part of it at one price.
struct Stint {
  base::Id job;
  std::int64_t generation = 1;
  std::int64_t project = 0, sku = 0, site = 0;
  std::string job_class;
  base::Id reservation;
  Instant started_at;
  bool ended = false;
  Instant ended_at;
  std::int64_t billed_s = 0;
  Rates rates;
  auto place() const { return std::tuple(started_at, job, generation); }
};

struct History {
  std::vector<std::string> skus, sites;
  std::vector<Org> orgs;
  std::vector<std::uint32_t> org_of_project;
  std::vector<Book> books;
  std::vector<Contract> contracts;
  // What ran in an org when the fact of that sequence had been written, by Stint::place().
  std::map<std::pair<std::uint64_t, std::uint32_t>, std::vector<Stint>> running;

  Tax tax_of(std::uint32_t org, std::uint64_t known) const;
};

// `moments`: sequence and org.
History read_history(store::Database& db,
                     const std::set<std::pair<std::uint64_t, std::uint32_t>>& moments,
                     Tally& tally);

}  // namespace ampacity::audit
