// A second rating of an invoice, as simple as it can be: what the org's use came to by the facts.
// It shares with the rating that made the invoice the rules and nothing else: no header, function
// or table of core, ledger or billing; of base only calendar months, ids and the JSON reader.
// Threads: one; its database connection belongs to it.
//
// The rules (reference/billing.md §§4, 5; src/billing/rate.h):
// 1. Known is what facts up to `known` say; a lease that had not closed by then runs until the
// period's end. 2. A lease is split at months of UTC: seconds of a part = ⌈time to its end⌉ −
// ⌈time to its begin⌉, at most what was billed. 3. C is cumulative per org, month, book version and
// rule, in the order (started_at, job, generation, step), rounded half up to the tick. 4. A line's
// minor is half up of its series' ticks, over all invoices together. 5. Seconds that a contract's
// service was not there for are metered events of their own; the first step of the contract's
// schedule that the month's uptime lies below gives its part of what the month has come to.
#pragma once

#include <compare>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "audit/checks.h"
#include "audit/history.h"

namespace ampacity::audit {

// What the lines of all invoices of an org add up by.
struct Series {
  Instant month;
  std::string kind;
  std::int64_t project = nobody;
  std::string meter;
  std::int64_t sku = nobody;
  std::int64_t site = nobody;
  std::string job_class = "on_demand";
  std::int64_t version = 0;
  std::int64_t price = 0;  // of the first tier; 0 of what has no unit price
  base::Id contract;
  auto operator<=>(const Series&) const = default;
  bool is_amount() const;  // has no unit price
};
struct Amount {
  Wide quantity = 0;
  Wide ticks = 0;
  Wide minor = 0;
};
using Bill = std::map<Series, Amount>;

struct InvoiceCase {
  base::Id id;
  std::string number;
  std::uint32_t org = 0;
  std::string currency;
  Instant until;
  Instant rated_from;          // the first of a month
  std::uint64_t sequence = 0;  // that issued it
  std::uint64_t known = 0;
  std::uint64_t meter_known = 0;
};

Wide half_up(Wide numerator, Wide denominator);  // away from zero
Wide ticks_of_minor(const std::string& currency);

class Rerater {
 public:
  // `earlier`: lines with a contract that earlier invoices have of months before those rated.
  Rerater(store::Database& db, const History& history, const InvoiceCase& invoice,
          const Bill& earlier);

  // Every series of the months rated, but for manual lines and bought credit. False: the rows could
  // not be read, or more came out than the audit can hold.
  bool run(Bill& bill, std::string& wrong);

 private:
  struct Month {
    Instant from, until;
  };
  struct Stretch {  // of one meter, at one price, inside one month
    std::string kind;
    std::int64_t project, sku, site;
    std::string job_class;
    base::Id reservation;
    std::string meter;
    Instant month, from;
    Wide quantity = 0;
    std::int64_t version = 0;
    std::uint32_t term = 0;
    std::int64_t pinned = 0, per = 1000;
  };
  struct Price {  // a rule of a book, or a price of its own
    const Book* book = nullptr;
    const Rule* rule = nullptr;
    std::int64_t version = 0;
    std::string meter;
    std::int64_t plain = 0, per = 1000;
    auto operator<=>(const Price&) const = default;
  };

  bool leases(std::string& wrong);
  bool events(std::string& wrong);
  void stint(const Stint& stint);
  void take(Stretch stretch);
  bool covers(const Contract& c, const Stretch& s) const;
  void at_price(const Price& price, base::Id contract, const Stretch& s, Wide quantity);
  Price price_of_lease(const Stretch& s) const;
  Price price_of_event(const Stretch& s) const;
  const Rule* rule_in(const Book& book, const Stretch& s) const;
  const Book* in_force(bool list, Instant at) const;
  void minimums();
  void purchases(const Contract& c, Instant month);
  void shortfall(const Contract& c, Instant month);
  bool lost_uptime(const Contract& c, Instant month, std::string& wrong);

  store::Database& db_;
  const History& history_;
  const InvoiceCase& invoice_;
  const Bill& earlier_;
  std::vector<const Book*> books_;  // the public list's and the org's own, as they were set
  std::vector<Contract> contracts_;
  std::vector<Month> months_;
  std::map<std::pair<Instant, Price>, Amount> cumulative_;
  std::map<std::pair<base::Id, Instant>, Wide> committed_used_;  // by contract and month
  Bill bill_;
};

// ---- the price of a quantity, and what is agreed for a month (rerate_price.cc) ------------------

Wide cost_of(const Tariff& tariff, Wide quantity);  // half up to the tick
Instant begins(const Contract& c);
Instant lasts_until(const Contract& c);
Wide committed_in(const Contract& c, Instant month);  // ticks or milli-GPU-seconds
// Hundredths of a percent of the month's bill that are given back for so many seconds of it.
std::int64_t given_back(const Contract& c, Instant month, Wide down_s);

}  // namespace ampacity::audit
