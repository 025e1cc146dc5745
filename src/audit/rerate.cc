#include "audit/rerate.h"

#include <algorithm>

#include "base/currency.h"

namespace ampacity::audit {
namespace {

using base::Id;

// The second that has begun counts as a whole one.
std::int64_t second_of(const Stint& s, Instant t) {
  if (s.ended && t >= s.ended_at) return s.billed_s;
  const std::int64_t us = t.us - s.started_at.us;
  const std::int64_t passed = us / 1'000'000 + (us % 1'000'000 > 0 ? 1 : 0);
  return s.ended ? std::min(passed, s.billed_s) : passed;
}

std::string_view name_of(const std::vector<std::string>& names, std::int64_t ix) {
  const auto at = static_cast<std::size_t>(ix);
  return ix >= 0 && at < names.size() ? std::string_view(names[at]) : std::string_view();
}

std::int64_t index_of(const std::vector<std::string>& names, std::string_view name) {
  for (std::size_t i = 0; !name.empty() && i < names.size(); ++i)
    if (names[i] == name) return static_cast<std::int64_t>(i);
  return nobody;
}

bool costs_nothing(const Tariff& t) {
  return t.minimum == 0 && std::all_of(t.tiers.begin(), t.tiers.end(), [](const Tier& tier) {
           return tier.price == 0 && tier.flat == 0;
         });
}

}  // namespace

bool Series::is_amount() const {
  return kind == "minimum" || kind == "prepaid" || kind == "sla_credit" || kind == "manual" ||
         (kind == "shortfall" && meter.empty());
}

Wide ticks_of_minor(const std::string& currency) {
  Wide ticks = 36'000'000;
  const base::Currency* known = base::find_currency(currency);
  for (int i = 0; i < (known ? known->exponent : 2); ++i) ticks /= 10;
  return ticks;
}

Rerater::Rerater(store::Database& db, const History& history, const InvoiceCase& invoice,
                 const Bill& earlier)
    : db_(db), history_(history), invoice_(invoice), earlier_(earlier) {
  for (const Book& b : history.books)
    if (b.sequence <= invoice.known && (b.org == nobody || b.org == invoice.org))
      books_.push_back(&b);
  for (Contract c : history.contracts) {
    if (c.org != invoice.org || c.sequence > invoice.known) continue;
    for (const auto& [sequence, ends] : c.ended)
      if (sequence <= invoice.known) c.ends = ends;
    contracts_.push_back(std::move(c));
  }
  std::sort(contracts_.begin(), contracts_.end(), [](const Contract& a, const Contract& b) {
    return std::tie(a.from, a.id) < std::tie(b.from, b.id);
  });
  for (Instant m = invoice.rated_from; m < invoice.until; m = base::month_plus(m, 1))
    months_.push_back({m, base::month_plus(m, 1)});
}

bool Rerater::run(Bill& bill, std::string& wrong) {
  if (!leases(wrong) || !events(wrong)) return false;
  minimums();
  for (const Month& m : months_)
    for (const Contract& c : contracts_) {
      if (std::min(m.until, lasts_until(c)) <= std::max(m.from, begins(c))) continue;
      purchases(c, m.from);
      if (!lost_uptime(c, m.from, wrong)) return false;
      shortfall(c, m.from);
    }
  for (auto& [series, amount] : bill_)
    amount.minor = half_up(amount.ticks, ticks_of_minor(invoice_.currency));
  bill = std::move(bill_);
  return true;
}

bool Rerater::leases(std::string& wrong) {
  const auto ran = history_.running.find({invoice_.known, invoice_.org});
  static const std::vector<Stint> none;
  const std::vector<Stint>& running = ran == history_.running.end() ? none : ran->second;
  std::set<std::pair<Id, std::int64_t>> live;  // what of them is closed comes from the facts, too
  for (const Stint& s : running) live.emplace(s.job, s.generation);
  auto next = running.begin();
  auto rows = db_.query(
      "SELECT job, generation, project_ix, sku_ix, site_ix, job_class, reservation, started_at, "
      "ended_at, billed_s, price_version, gpu_price, gpus, gpu_milli, vcpu_price, cpu_milli, "
      "gib_price, memory_mib, host_version, term_months FROM usage WHERE org_ix = ?1 AND "
      "started_at < ?2 AND ended_at > ?3 AND started_sequence BETWEEN 1 AND ?4 AND "
      "sequence <= ?4 ORDER BY started_at, job, generation, step",
      invoice_.org, invoice_.until, invoice_.rated_from, invoice_.known);
  while (rows.next()) {
    Stint s;
    s.job = rows.id(0);
    s.generation = rows.integer(1);
    if (live.contains({s.job, s.generation})) continue;
    s.project = rows.integer(2);
    s.sku = rows.integer(3);
    s.site = rows.integer(4);
    s.job_class = rows.text(5);
    s.reservation = rows.id(6);
    s.started_at = rows.instant(7);
    s.ended = true;
    s.ended_at = rows.instant(8);
    s.billed_s = rows.integer(9);
    s.rates = {rows.integer(10), rows.integer(11), rows.integer(12), rows.integer(13),
               rows.integer(14), rows.integer(15), rows.integer(16), rows.integer(17),
               rows.integer(18), rows.index(19)};
    for (; next != running.end() && next->place() < s.place(); ++next) stint(*next);
    stint(s);
  }
  for (; next != running.end(); ++next) stint(*next);
  if (rows.fault()) wrong = "the usage could not be read: " + rows.fault()->message;
  return !rows.fault();
}

void Rerater::stint(const Stint& lease) {
  if (lease.job_class == "house") return;
  for (const Month& m : months_) {
    Instant end = std::min(m.until, invoice_.until);
    if (lease.ended) end = std::min(end, lease.ended_at);
    const Instant begin = std::max(m.from, lease.started_at);
    if (end <= begin) continue;
    const Wide seconds = second_of(lease, end) - second_of(lease, begin);
    if (seconds <= 0) continue;
    const Rates& r = lease.rates;
    Stretch s{"usage",    lease.project, lease.sku, lease.site, lease.job_class, lease.reservation,
              {},         m.from,        begin,     0,          r.price_version, r.term_months,
              r.gpu_price};
    if (r.gpus > 0 && r.gpu_milli > 0) {
      s.meter = "gpu";
      s.quantity = seconds * r.gpus * r.gpu_milli;
      take(s);
    }
    if (r.host_version != 0) s.version = r.host_version;
    if (r.cpu_milli > 0) {
      s.meter = r.gpus > 0 ? "vcpu" : "cpu_vcpu";
      s.quantity = seconds * r.cpu_milli;
      s.pinned = r.vcpu_price;
      take(s);
    }
    if (r.memory_mib > 0) {
      s.meter = r.gpus > 0 ? "memory" : "cpu_memory";
      s.quantity = seconds * r.memory_mib;
      s.pinned = r.gib_price;
      s.per = 1024;
      take(s);
    }
  }
}

bool Rerater::events(std::string& wrong) {
  struct Event {
    Instant from;
    std::string source, id;
    std::int64_t project, quantity, sequence;
    std::string meter, sku, site;
  };
  std::vector<Event> all;
  for (std::uint32_t project = 0; project < history_.org_of_project.size(); ++project) {
    if (history_.org_of_project[project] != invoice_.org) continue;
    auto rows = db_.query(
        "SELECT e.period_from, s.source, e.id, e.quantity_micro, e.sequence, e.meter, e.sku, "
        "e.site FROM meter_events e JOIN meter_sources s ON s.ix = e.source_ix "
        "WHERE e.project_ix = ?1 AND e.period_from >= ?2 AND e.period_from < ?3 AND "
        "e.sequence <= ?4 AND e.quantity_micro > 0 AND e.meter <> 'sla_downtime_seconds' AND NOT "
        "EXISTS (SELECT 1 FROM meter_events c "
        "WHERE c.corrects_source_ix = e.source_ix AND c.corrects_id = e.id AND c.sequence <= ?4)",
        project, invoice_.rated_from, invoice_.until, invoice_.meter_known);
    while (rows.next())
      all.push_back({rows.instant(0), rows.text(1), rows.text(2), project, rows.integer(3),
                     rows.integer(4), rows.text(5), rows.text(6), rows.text(7)});
    if (rows.fault()) {
      wrong = "metered events could not be read: " + rows.fault()->message;
      return false;
    }
  }
  std::sort(all.begin(), all.end(), [](const Event& a, const Event& b) {
    return std::tie(a.from, a.source, a.id, a.project, a.quantity, a.sequence) <
           std::tie(b.from, b.source, b.id, b.project, b.quantity, b.sequence);
  });
  for (const Event& e : all)
    take({"metered",
          e.project,
          index_of(history_.skus, e.sku),
          index_of(history_.sites, e.site),
          "on_demand",
          {},
          e.meter,
          base::month_begin(e.from),
          e.from,
          e.quantity,
          0,
          0,
          0,
          1'000'000});
  return true;
}

bool Rerater::covers(const Contract& c, const Stretch& s) const {
  if (s.job_class == "spot" || s.from < begins(c) || s.from >= lasts_until(c)) return false;
  if (!c.sku.empty() && c.sku != name_of(history_.skus, s.sku)) return false;
  return c.reservations.empty() ||
         (!s.reservation.is_nil() && std::find(c.reservations.begin(), c.reservations.end(),
                                               s.reservation) != c.reservations.end());
}

// Committed GPU-hours first, then the price agreed beyond them, then the books'.
void Rerater::take(Stretch s) {
  const Contract* of_spend = nullptr;
  const Contract* of_hours = nullptr;
  const Contract* beyond = nullptr;
  for (const Contract& c : contracts_) {
    if (!covers(c, s)) continue;
    s.term = std::max(s.term, c.months);
    if (c.commitment != "gpu_hours") {
      if (!of_spend) of_spend = &c;
      continue;
    }
    if (!of_hours) of_hours = &c;
    if (s.meter != "gpu" || s.kind != "usage") continue;
    Wide& used = committed_used_[{c.id, s.month}];
    const Wide covered = std::min(s.quantity, committed_in(c, s.month) - used);
    if (covered > 0) {
      used += covered;
      s.quantity -= covered;
      if (c.take_or_pay) {  // bought with the month
        Amount& line =
            bill_[{s.month, s.kind, s.project, s.meter, s.sku, s.site, s.job_class, 0, 0, c.id}];
        line.quantity += covered;
      } else {
        at_price({nullptr, nullptr, 0, s.meter, c.price, 1000}, c.id, s, covered);
      }
    }
    if (!beyond && c.overage_price > 0) beyond = &c;
  }
  if (s.quantity == 0) return;
  if (beyond)
    return at_price({nullptr, nullptr, 0, s.meter, beyond->overage_price, 1000}, beyond->id, s,
                    s.quantity);
  const Contract* counts_for = of_spend ? of_spend : of_hours;
  const bool event = s.kind == "metered";
  const Price price = event ? price_of_event(s) : price_of_lease(s);
  if (!event && s.meter != "gpu" &&
      (price.rule ? costs_nothing(price.rule->price) : price.plain == 0))
    return;  // comes with the card
  at_price(price, counts_for ? counts_for->id : Id{}, s, s.quantity);
}

void Rerater::at_price(const Price& price, Id contract, const Stretch& s, Wide quantity) {
  Tariff plain;
  plain.per = price.per;
  plain.tiers = {{0, price.plain, 0}};
  const Tariff& tariff = price.rule ? price.rule->price : plain;
  Amount& c = cumulative_[{s.month, price}];
  const Wide before = c.ticks;
  c.quantity += quantity;
  c.ticks = cost_of(tariff, c.quantity);
  Amount& line = bill_[{s.month, s.kind, s.project, s.meter, s.sku, s.site, s.job_class,
                        price.version, tariff.tiers[0].price, contract}];
  line.quantity += quantity;
  line.ticks += c.ticks - before;
}

// The rule that says most: term, site, SKU, class, in this order.
const Rule* Rerater::rule_in(const Book& book, const Stretch& s) const {
  const Rule* best = nullptr;
  std::tuple<bool, bool, bool, bool, std::uint32_t> most;
  for (const Rule& r : book.rules) {
    if (r.meter != s.meter || r.term_months > s.term) continue;
    if (!r.sku.empty() && r.sku != name_of(history_.skus, s.sku)) continue;
    if (!r.site.empty() && r.site != name_of(history_.sites, s.site)) continue;
    if (r.job_class && *r.job_class != s.job_class) continue;
    const std::tuple says{r.term_months > 0, !r.site.empty(), !r.sku.empty(),
                          r.job_class.has_value(), r.term_months};
    if (best && says <= most) continue;
    best = &r;
    most = says;
  }
  return best && best->price.tiers.empty() ? nullptr : best;
}

Rerater::Price Rerater::price_of_lease(const Stretch& s) const {
  for (const Book* b : books_) {
    if (b->version != s.version) continue;
    if (const Rule* rule = rule_in(*b, s)) return {b, rule, b->version, {}, 0, 0};
    break;
  }
  return {nullptr, nullptr, s.version, s.meter, s.pinned, s.per};
}

const Book* Rerater::in_force(bool list, Instant at) const {
  const Book* latest = nullptr;
  for (const Book* b : books_)
    if ((b->org == nobody) == list && b->effective_from <= at && b->currency == invoice_.currency)
      latest = b;
  return latest;
}

Rerater::Price Rerater::price_of_event(const Stretch& s) const {
  const Book* book = in_force(false, s.from);
  if (!book || !rule_in(*book, s)) book = in_force(true, s.from);
  const Rule* rule = book ? rule_in(*book, s) : nullptr;
  if (rule) return {book, rule, book->version, {}, 0, 0};
  return {nullptr, nullptr, book ? book->version : 0, s.meter, 0, 1'000'000};
}

// Of prices in use, for the time that they were in force in the month.
void Rerater::minimums() {
  for (const auto& [at, c] : cumulative_) {
    const auto& [month, price] = at;
    if (!price.rule || c.quantity == 0 || price.rule->price.minimum <= 0) continue;
    const Instant next = base::month_plus(month, 1);
    Instant from = std::max(month, price.book->effective_from), until = next;
    bool later = false;
    for (const Book* b : books_) {
      if (later && b->org == price.book->org && b->currency == price.book->currency)
        until = std::min(until, b->effective_from);
      later = later || b == price.book;
    }
    from = std::max(from, history_.orgs[invoice_.org].created_at);
    until = std::min(until, invoice_.until);
    if (until <= from) continue;
    const Wide least =
        half_up(Wide{price.rule->price.minimum} * (until.us - from.us), next.us - month.us);
    if (least <= c.ticks) continue;
    const Rule& r = *price.rule;
    bill_[{month,
           "minimum",
           nobody,
           r.meter,
           index_of(history_.skus, r.sku),
           index_of(history_.sites, r.site),
           r.job_class.value_or("on_demand"),
           price.version,
           0,
           {}}]
        .ticks += least - c.ticks;
  }
}

// A month's committed GPU-hours, bought whole, and those of them that nothing was run with.
void Rerater::purchases(const Contract& c, Instant month) {
  const Wide committed = committed_in(c, month);
  if (c.commitment != "gpu_hours" || !c.take_or_pay || committed <= 0) return;
  Series line{month,  "commitment", nobody, "gpu",   index_of(history_.skus, c.sku),
              nobody, "reserved",   0,      c.price, c.id};
  Amount& bought = bill_[line];
  bought.quantity += committed;
  bought.ticks += half_up(committed * c.price, 1000);
  line.kind = "usage";
  line.price = 0;
  bill_[line].quantity += committed - committed_used_[{c.id, month}];
}

// A part of the month's use and purchase, for the time that the service was not there.
bool Rerater::lost_uptime(const Contract& c, Instant month, std::string& wrong) {
  const Instant end = std::min(base::month_plus(month, 1), invoice_.until);
  Wide down_us = 0;
  auto rows = db_.query(
      "SELECT e.project_ix, e.quantity_micro FROM meter_events e WHERE "
      "e.meter = 'sla_downtime_seconds' AND e.resource = ?1 AND e.period_from >= ?2 AND "
      "e.period_from < ?3 AND e.sequence <= ?4 AND NOT EXISTS (SELECT 1 FROM meter_events k "
      "WHERE k.corrects_source_ix = e.source_ix AND k.corrects_id = e.id AND k.sequence <= ?4)",
      c.name, month, end, invoice_.meter_known);
  while (rows.next()) {
    const std::uint32_t project = rows.index(0);
    if (project < history_.org_of_project.size() && history_.org_of_project[project] == c.org)
      down_us += rows.integer(1);
  }
  if (rows.fault()) {
    wrong = "lost uptime could not be read: " + rows.fault()->message;
    return false;
  }
  const std::int64_t bp = given_back(c, month, down_us / 1'000'000);
  Wide bill = 0;
  for (const auto& [s, amount] : bill_)
    if (s.month == month && s.contract == c.id &&
        (s.kind == "usage" || s.kind == "metered" || s.kind == "commitment"))
      bill += amount.ticks;
  if (bp > 0 && bill > 0)
    bill_[{month, "sla_credit", nobody, "", index_of(history_.skus, c.sku), nobody, "on_demand", 0,
           0, c.id}]
        .ticks -= half_up(bill * bp, 10'000);
  return true;
}

// What was committed to and not used: each month's, or at the end of the term all of its months'.
void Rerater::shortfall(const Contract& c, Instant month) {
  const bool spend = c.commitment == "spend";
  if (c.commitment == "none" || (!spend && c.take_or_pay)) return;
  const Instant next = base::month_plus(month, 1);
  if (invoice_.until < std::min(next, lasts_until(c))) return;  // it may be used yet
  Instant from = std::max(month, begins(c));
  Wide committed = committed_in(c, month);
  if (!c.take_or_pay) {
    Instant end = begins(c);
    Instant term = end;
    while (end <= from) {
      term = end;
      end = base::month_plus(end, static_cast<int>(std::max(1u, c.months)));
    }
    if (std::min(end, lasts_until(c)) > next) return;  // not its last month
    from = term;
    committed = 0;
    for (Instant m = base::month_begin(from); m <= month; m = base::month_plus(m, 1))
      committed += committed_in(c, m);
  }
  Wide used = 0;
  const auto count = [&](const Bill& bill) {
    for (const auto& [s, amount] : bill) {
      if (s.contract != c.id || (s.kind != "usage" && s.kind != "metered")) continue;
      if (s.month < base::month_begin(from) || s.month > month) continue;
      if (spend)
        used += amount.ticks;
      else if (s.meter == "gpu" && s.version == 0 && s.price == c.price)
        used += amount.quantity;
    }
  };
  count(earlier_);
  count(bill_);
  const Wide missing = committed - used;
  if (missing <= 0) return;
  Amount& line =
      bill_[{month, "shortfall", nobody, spend ? "" : "gpu", index_of(history_.skus, c.sku), nobody,
             "reserved", 0, spend ? 0 : c.price, c.id}];
  line.quantity += spend ? 1 : missing;
  line.ticks += spend ? missing : half_up(missing * c.price, 1000);
}

}  // namespace ampacity::audit
