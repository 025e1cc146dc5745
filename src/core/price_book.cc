#include "core/price_book.h"

#include <algorithm>

#include "core/meter.h"

namespace ampacity::core {
namespace {

constexpr Ticks dearest_flat = 10'000'000 * base::ticks_per_usd;

bool matches(const std::string& wanted, std::string_view is) {
  return wanted.empty() || wanted == is;
}

int says(const PriceRule& r) {
  return (r.term_months > 0 ? 8 : 0) + (r.site.empty() ? 0 : 4) + (r.sku.empty() ? 0 : 2) +
         (r.job_class ? 1 : 0);
}

auto rules_of_meter(const PriceBook& book, std::string_view meter) {
  return std::ranges::equal_range(book.rules, meter, std::less<std::string_view>{},
                                  [](const PriceRule& r) -> std::string_view { return r.meter; });
}

struct RulesFound {
  const PriceBook* book = nullptr;
  const PriceRule* gpu = nullptr;
  const PriceBook* host_book = nullptr;
  const PriceRule* vcpu = nullptr;
  const PriceRule* memory = nullptr;
};

// The vCPU's and the memory's price are always of one book.
std::optional<RulesFound> rules_for(const PriceBook* own, const PriceBook* list, PriceQuery query,
                                    bool gpus) {
  RulesFound found;
  for (const PriceBook* book : {own, list}) {
    if (!book) continue;
    if (gpus && !found.gpu) {
      query.meter = gpu_meter;
      found.gpu = rule_in(*book, query);
      found.book = book;
    }
    if (found.host_book) continue;
    query.meter = gpus ? vcpu_meter : cpu_vcpu_meter;
    found.vcpu = rule_in(*book, query);
    query.meter = gpus ? memory_meter : cpu_memory_meter;
    found.memory = rule_in(*book, query);
    if (found.vcpu && found.memory) found.host_book = book;
  }
  if (gpus ? !found.gpu : !found.host_book) return std::nullopt;
  if (!found.host_book) found.vcpu = found.memory = nullptr;  // beside a GPU they may be free
  if (!gpus) found.book = found.host_book;
  return found;
}

// A ceiling per second of the meter's whole unit, rounded up.
Ticks second_of(const Ceiling& ceiling, const PriceFunction& price, std::int64_t unit) {
  const base::Wide per = price.per;
  return static_cast<Ticks>((static_cast<base::Wide>(ceiling.price) * unit + per - 1) / per);
}

void pin(const PriceRule* rule, std::int64_t unit, Ticks& price, Ticks& flat) {
  if (!rule) return;
  const Ceiling ceiling = ceiling_of(rule->price);
  price = second_of(ceiling, rule->price, unit);
  flat = ceiling.flat;
}

std::uint32_t term_of(const State& state, OrgIx org, const Job& job, Instant at) {
  const Id reservation = job.demand.reservation;
  if (reservation.is_nil()) return 0;
  std::uint32_t months = 0;
  for (const Contract& c : state.contracts)
    if (c.org == org && c.from <= at && (c.ends.us == 0 || at < c.ends) &&
        std::ranges::find(c.reservations, reservation) != c.reservations.end())
      months = std::max(months, c.months);
  return months;
}

bool names_sites(const PriceBook* book) {
  return book && std::ranges::any_of(book->rules, [](const PriceRule& r) {
           return !r.site.empty() && is_lease_meter(r.meter);
         });
}

// Where work on this SKU may be placed.
std::vector<SiteIx> sites_for(const State& state, const Job& job, SkuIx sku) {
  if (!job.demand.sites.empty()) return job.demand.sites;
  std::vector<bool> there(state.sites.size());
  for (const Node& n : state.nodes)
    if (n.sku == sku || job.demand.gpus_per_node == 0) there[n.site] = true;
  std::vector<SiteIx> sites;
  for (SiteIx s = 0; s < there.size(); ++s)
    if (there[s]) sites.push_back(s);
  return sites;
}

// What is looked up once for a demand, whatever the site.
struct Lookup {
  const PriceBook* own = nullptr;
  const PriceBook* list = nullptr;
  PriceQuery query;
};

Lookup lookup_for(const State& state, const Job& job, SkuIx sku, Instant at) {
  const OrgIx org = state.projects[job.project].org;
  const std::string& currency = state.orgs[org].billing.currency;
  Lookup l{book_in_force(state.books, org, currency, at),
           book_in_force(state.books, nobody, currency, at),
           {org, currency, {}, state.skus[sku].name, {}, job.job_class, 0, at}};
  l.query.term_months = term_of(state, org, job, at);
  return l;
}

Rates pinned(const RulesFound& found, const Rates& quantities) {
  Rates r = quantities;
  r.price_version = found.book->version;
  if (found.host_book && found.host_book != found.book) r.host_version = found.host_book->version;
  pin(found.gpu, 1000, r.gpu_price, r.gpu_flat);
  pin(found.vcpu, 1000, r.vcpu_price, r.vcpu_flat);
  pin(found.memory, 1024, r.gib_price, r.gib_flat);
  return r;
}

Ticks flats_of(const Rates& r) { return r.gpu_flat + r.vcpu_flat + r.gib_flat; }

void check_tiers(const PriceFunction& p, const std::string& path, std::vector<base::Wrong>& wrong) {
  const bool many = p.kind == PriceKind::graduated || p.kind == PriceKind::volume;
  if (p.tiers.empty() || p.tiers.size() > most_tiers || (!many && p.tiers.size() != 1)) {
    wrong.push_back({path + ".tiers", many ? "must be 1 to 100" : "must be one"});
    return;
  }
  std::int64_t below = 0;
  for (std::size_t i = 0; i < p.tiers.size(); ++i) {
    const PriceTier& t = p.tiers[i];
    const std::string at = path + ".tiers[" + std::to_string(i) + "]";
    const bool last = i + 1 == p.tiers.size();
    if (last ? t.up_to != 0 : t.up_to <= below)
      wrong.push_back({at + ".up_to", last ? "must be left out of the last tier"
                                           : "must be more than the tier's before it"});
    if (t.price < 0) wrong.push_back({at + ".price", "must not be negative"});
    if (t.flat < 0 || t.flat > dearest_flat)
      wrong.push_back({at + ".flat", "must be 0 to 10 million"});
    below = t.up_to;
  }
}

void check_price(const PriceFunction& p, std::string_view meter, const std::string& path,
                 std::vector<base::Wrong>& wrong) {
  const std::size_t before = wrong.size();
  check_tiers(p, path, wrong);
  if (p.per <= 0) wrong.push_back({path + ".per", "must be positive"});
  if (p.kind == PriceKind::package && p.package <= 0)
    wrong.push_back({path + ".package", "must be positive"});
  if (p.free < 0 || (p.free > 0 && p.kind != PriceKind::package))
    wrong.push_back({path + ".free", "is of a package"});
  if (p.minimum < 0) wrong.push_back({path + ".minimum", "must not be negative"});
  if (p.maximum < 0) wrong.push_back({path + ".maximum", "must not be negative"});
  if (wrong.size() > before || !is_lease_meter(meter)) return;
  const bool memory = meter == memory_meter || meter == cpu_memory_meter;
  const Ceiling ceiling = ceiling_of(p);
  if (second_of(ceiling, p, memory ? 1024 : 1000) > dearest_price || ceiling.flat > dearest_flat)
    wrong.push_back({path,
                     "may cost more than 10,000 an hour, or 10 million at once: credit "
                     "cannot be held for it"});
}

const PriceBook* book_of(const State& state, std::uint32_t version) {
  for (const PriceBook& b : state.books)
    if (b.version == version) return &b;
  return nullptr;
}

}  // namespace

const PriceBook* book_in_force(const std::vector<PriceBook>& books, OrgIx org,
                               std::string_view currency, Instant at) {
  for (auto b = books.rbegin(); b != books.rend(); ++b)
    if (b->org == org && b->effective_from <= at && b->currency == currency) return &*b;
  return nullptr;
}

const PriceRule* rule_in(const PriceBook& book, const PriceQuery& q) {
  const PriceRule* best = nullptr;
  for (const PriceRule& r : rules_of_meter(book, q.meter)) {
    if (!matches(r.sku, q.sku) || !matches(r.site, q.site) ||
        (r.job_class && *r.job_class != q.job_class) || r.term_months > q.term_months)
      continue;
    if (!best || std::pair(says(r), r.term_months) > std::pair(says(*best), best->term_months))
      best = &r;
  }
  return best;
}

std::optional<FoundRule> rule_for(const std::vector<PriceBook>& books, const PriceQuery& query) {
  for (const OrgIx org : {query.org, nobody}) {
    const PriceBook* book = book_in_force(books, org, query.currency, query.at);
    if (!book) continue;
    if (const PriceRule* rule = rule_in(*book, query)) return FoundRule{book, rule};
  }
  return std::nullopt;
}

bool is_plain(const PriceFunction& p) {
  return p.kind == PriceKind::per_unit && p.tiers.size() == 1 && p.tiers[0].flat == 0 &&
         p.minimum == 0 && p.maximum == 0;
}

PriceFunction per_second(Ticks price, std::int64_t per) {
  return {PriceKind::per_unit, per, {{0, price, 0}}};
}

Ticks price_of_second(const PriceFunction& p, std::int64_t unit) {
  if (p.tiers.empty() || p.per <= 0) return 0;
  if (p.kind == PriceKind::package) return second_of(ceiling_of(p), p, unit);
  return second_of({p.tiers[0].price, 0}, p, unit);
}

bool is_lease_meter(std::string_view meter) {
  return meter == gpu_meter || meter == vcpu_meter || meter == memory_meter ||
         meter == cpu_vcpu_meter || meter == cpu_memory_meter;
}

// ---- books of plain prices ----------------------------------------------------------------------

PriceBook plain_book(std::string name, Instant effective_from, const std::vector<SkuPrice>& gpus,
                     Ticks vcpu, Ticks gib, Ticks cpu_vcpu, Ticks cpu_gib) {
  PriceBook book;
  book.name = std::move(name);
  book.effective_from = effective_from;
  const auto rule = [&](std::string_view meter, const std::string& sku,
                        std::optional<JobClass> job_class, Ticks price, std::int64_t per) {
    book.rules.push_back({std::string(meter), sku, {}, job_class, 0, per_second(price, per)});
  };
  for (const SkuPrice& p : gpus) {
    rule(gpu_meter, p.sku, std::nullopt, p.on_demand, 1000);
    rule(gpu_meter, p.sku, JobClass::spot, p.spot, 1000);
  }
  rule(vcpu_meter, {}, std::nullopt, vcpu, 1000);
  rule(memory_meter, {}, std::nullopt, gib, 1024);
  rule(cpu_vcpu_meter, {}, std::nullopt, cpu_vcpu, 1000);
  rule(cpu_memory_meter, {}, std::nullopt, cpu_gib, 1024);
  sort_rules(book);
  return book;
}

void add_terms(PriceBook& book, std::span<const TermDiscount> terms) {
  constexpr std::int64_t whole_bp = 10'000;
  const std::vector<PriceRule> on_demand = book.rules;
  for (const PriceRule& base : on_demand) {
    if (book.rules.size() > most_rules) return;  // refused anyway; 120 terms of each are gigabytes
    if (!is_lease_meter(base.meter) || base.term_months > 0 || base.job_class == JobClass::spot ||
        base.job_class == JobClass::house)
      continue;
    for (const TermDiscount& term : terms) {
      PriceRule rule = base;
      rule.term_months = term.months;
      const auto less = [&](Ticks& price) {
        price = base::divide_half_up(static_cast<base::Wide>(price) * (whole_bp - term.off_bp),
                                     whole_bp);
      };
      for (PriceTier& tier : rule.price.tiers) {
        less(tier.price);
        less(tier.flat);
      }
      book.rules.push_back(std::move(rule));
    }
  }
  sort_rules(book);
}

void sort_rules(PriceBook& book) { std::ranges::stable_sort(book.rules, {}, &PriceRule::meter); }

std::vector<base::Wrong> wrong_with(const PriceBook& book) {
  std::vector<base::Wrong> wrong;
  if (book.rules.size() > most_rules)
    wrong.push_back({"rules", "are more than " + std::to_string(most_rules)});
  else
    for (std::size_t i = 0; i < book.rules.size(); ++i)
      check_rule(book.rules[i], "rules[" + std::to_string(i) + "]", wrong);
  return wrong;
}

void check_rule(const PriceRule& rule, const std::string& path, std::vector<base::Wrong>& wrong) {
  if (rule.meter.empty()) wrong.push_back({path + ".meter", "is required"});
  check_price(rule.price, rule.meter, path, wrong);
}

// ---- of a job -----------------------------------------------------------------------------------

std::optional<Rates> rates_for(const State& state, const Job& job, SkuIx sku, SiteIx site,
                               std::int64_t cpu_milli, std::int64_t memory_mib, Instant at) {
  const Demand& d = job.demand;
  Rates r;
  r.gpus = static_cast<std::int64_t>(d.nodes) * d.gpus_per_node;
  r.gpu_milli = d.gpu_milli;
  r.cpu_milli = d.nodes * cpu_milli;
  r.memory_mib = d.nodes * memory_mib;
  Lookup l = lookup_for(state, job, sku, at);
  if (!l.own && !l.list) return std::nullopt;
  if (job.job_class == JobClass::house) {  // the operator's own filler costs nothing
    r.price_version = (l.list ? l.list : l.own)->version;
    return r;
  }
  r.term_months = l.query.term_months;
  std::vector<SiteIx> sites{site};
  if (site == nobody && (names_sites(l.own) || names_sites(l.list)))
    sites = sites_for(state, job, sku);
  if (sites.empty()) sites = {nobody};
  std::optional<Rates> dearest;
  for (const SiteIx s : sites) {
    l.query.site = s == nobody ? std::string_view{} : std::string_view(state.sites[s].name);
    const auto found = rules_for(l.own, l.list, l.query, d.gpus_per_node > 0);
    if (!found) continue;
    const Rates here = pinned(*found, r);
    if (!dearest || std::pair(burn_rate(here), flats_of(here)) >
                        std::pair(burn_rate(*dearest), flats_of(*dearest)))
      dearest = here;
  }
  return dearest;
}

bool same_prices(const State& state, const Job& job, SkuIx sku, SiteIx site, const Rates& a,
                 const Rates& b) {
  Rates like = a;
  like.price_version = b.price_version;
  like.host_version = b.host_version;
  if (!(like == b)) return false;
  PriceQuery query = lookup_for(state, job, sku, state.now).query;
  query.site = state.sites[site].name;
  query.term_months = a.term_months;
  const bool gpus = job.demand.gpus_per_node > 0;
  const auto rule = [&](const Rates& r, std::string_view meter) -> const PriceRule* {
    const bool host = meter != gpu_meter && r.host_version != 0;
    const PriceBook* book = book_of(state, host ? r.host_version : r.price_version);
    query.meter = meter;
    return book ? rule_in(*book, query) : nullptr;
  };
  for (const std::string_view meter :
       {gpu_meter, gpus ? vcpu_meter : cpu_vcpu_meter, gpus ? memory_meter : cpu_memory_meter}) {
    if (!gpus && meter == gpu_meter) continue;
    const PriceRule *before = rule(a, meter), *after = rule(b, meter);
    if (!before != !after || (before && !(before->price == after->price))) return false;
  }
  return true;
}

}  // namespace ampacity::core
