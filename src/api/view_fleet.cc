#include <fmt/core.h>

#include <algorithm>
#include <bit>

#include "api/bind_hooks.h"
#include "api/views.h"
#include "core/desire.h"
#include "core/meter.h"
#include "core/price_book.h"

namespace ampacity::api {
namespace {

std::string availability(const core::World& w, core::SkuIx s, const Offer& o) {
  const std::uint32_t waiting = w.waiting_for_sku[s];
  if (o.nodes == 0) return "no node takes work now";
  if (waiting) return fmt::format("{} job(s) wait", waiting);
  const bool room = o.gpus_total ? o.gpus_free > 0 : o.cpu_milli_free > 0;
  return room ? "now" : "full";
}

void add_prices(const core::World& w, const core::Sku& sku, core::OrgIx org,
                const std::string& currency, Instant now, Offer& o) {
  const bool gpu = sku.name != "cpu";
  const auto rule_for = [&](std::string_view meter, core::JobClass job_class) {
    return core::rule_for(w.state().books, {org, currency, meter, sku.name, {}, job_class, 0, now});
  };
  const auto price = [&](std::string_view meter, core::JobClass job_class, std::int64_t unit) {
    const auto found = rule_for(meter, job_class);
    return found ? core::price_of_second(found->rule->price, unit) : core::Ticks{0};
  };
  const auto hourly = [&](std::string_view meter, core::JobClass job_class, std::int64_t unit) {
    return base::format_hourly_price(price(meter, job_class, unit));
  };
  using core::JobClass;
  o.usd_per_vcpu_hour =
      hourly(gpu ? core::vcpu_meter : core::cpu_vcpu_meter, JobClass::on_demand, 1000);
  o.usd_per_gib_hour =
      hourly(gpu ? core::memory_meter : core::cpu_memory_meter, JobClass::on_demand, 1024);
  if (!gpu || !rule_for(core::gpu_meter, JobClass::on_demand)) return;
  o.on_demand_usd_per_gpu_hour = hourly(core::gpu_meter, JobClass::on_demand, 1000);
  o.spot_usd_per_gpu_hour = hourly(core::gpu_meter, JobClass::spot, 1000);
}

}  // namespace

namespace {

// Absent nodes aside: also those where nothing can begin now.
void add_site(const core::World& w, core::NodeIx n, Offer& o) {
  const core::Node& node = w.state().nodes[n];
  if (node.state == core::NodeState::absent) return;
  const core::Site& site = w.state().sites[node.site];
  auto at = std::find_if(o.sites.begin(), o.sites.end(),
                         [&](const OfferSite& s) { return s.site == site.name; });
  if (at == o.sites.end())
    at = o.sites.insert(at, {site.name, site.region, site.unknown_since.us == 0, 0, 0, 0});
  if (!w.takes_work(n)) return;
  ++at->nodes;
  if (o.sku == "cpu") return;
  at->gpus_total += static_cast<std::uint32_t>(node.gpus.size());
  at->gpus_free += w.free_gpus(n);
}

}  // namespace

OfferList view_offers(const core::World& w, core::OrgIx org, Instant now) {
  OfferList list;
  const core::State& s = w.state();
  std::string currency = "USD";
  if (org != core::nobody)
    currency = s.orgs[org].billing.currency;
  else if (!s.books.empty())
    currency = s.books.front().currency;
  if (currency != "USD") list.currency = currency;
  for (core::SkuIx k = 0; k < s.skus.size(); ++k) {
    const core::Sku& sku = s.skus[k];
    Offer o;
    o.sku = sku.name;
    o.description = sku.description;
    o.emulated = sku.emulated;
    o.gpu_memory_gib = sku.gpu_memory_mib / 1024;
    bool known = false;
    for (core::NodeIx n = 0; n < s.nodes.size(); ++n) {
      const core::Node& node = s.nodes[n];
      if (sku.name == "cpu" ? !node.rents_cpu : node.sku != k) continue;
      known |= node.state != core::NodeState::absent;
      add_site(w, n, o);
      if (!w.takes_work(n)) continue;
      ++o.nodes;
      o.cpu_milli_free += node.cpu_milli - w.use[n].cpu_milli;
      o.memory_mib_free += node.memory_mib - w.use[n].memory_mib;
      if (sku.name == "cpu") continue;
      const auto gpus = static_cast<std::uint32_t>(node.gpus.size());
      o.gpus_per_node = std::max(o.gpus_per_node, gpus);
      o.gpus_total += gpus;
      o.gpus_free += w.free_gpus(n);
      o.largest_gang_free += w.use[n].leases.empty();
    }
    if (!known) continue;
    add_prices(w, sku, org, currency, now, o);
    o.availability = availability(w, k, o);
    list.items.push_back(std::move(o));
  }
  return list;
}

namespace {

// The window that keeps (a part of) the node now.
std::optional<std::string> kept_by(const core::World& w, core::NodeIx n, Instant now) {
  const auto holds = w.holds.find(n);
  if (holds == w.holds.end()) return std::nullopt;
  for (const core::Hold& h : holds->second) {
    if (h.why != core::Hold::Why::window || now < h.from || h.until <= now) continue;
    const core::Window& window = w.state().windows[h.owner];
    if (window.kind == core::WindowKind::reservation) return "reserved: " + window.name;
    return is_drain(window) ? "drain" : "maintenance";
  }
  return std::nullopt;
}

}  // namespace

NodeView view_node(const core::World& w, core::NodeIx n, Instant now) {
  const core::Node& node = w.state().nodes[n];
  NodeView v{node.name,
             w.state().sites[node.site].name,
             w.state().skus[node.sku].name,
             node.emulated,
             node.state,
             static_cast<std::uint32_t>(node.gpus.size()),
             w.free_gpus(n),
             node.cpu_milli,
             node.cpu_milli - w.use[n].cpu_milli,
             node.memory_mib,
             node.memory_mib - w.use[n].memory_mib,
             {},
             {},
             {},
             {},
             kept_by(w, n, now)};
  const auto label = [](const std::string& text, std::optional<std::string>& out) {
    if (!text.empty()) out = text;
  };
  label(node.rack, v.rack);
  label(node.leaf, v.leaf);
  label(node.nvlink, v.nvlink);
  for (const core::Slot slot : w.use[n].leases)
    if (v.jobs.size() < 64) v.jobs.push_back(core::job_name(w.state().jobs[slot].id));
  return v;
}

KeyView view_key(const core::World& w, const core::Key& key) {
  KeyView v;
  v.id = base::format_id("key", key.id);
  if (key.sign_in.empty())
    v.prefix = "amp_" + key.lookup + "…";
  else
    v.sign_in = key.sign_in;
  v.role = key.role;
  if (key.project != core::nobody) v.project = w.state().projects[key.project].name;
  if (key.user != core::nobody) v.user = w.state().users[key.user].name;
  v.label = key.label;
  v.created_at = key.created_at;
  v.revoked = key.revoked;
  return v;
}

namespace {

struct Sentence {
  const core::World& w;
  core::ProjectIx project;
  std::string cost(const core::LeaseClosed& f) const {
    const core::Ticks amount = f.interval.amounts.total();
    if (project == core::nobody) return fmt::format("{} ticks", amount);
    return core::money_text(w.state(), project, amount, 6);
  }
  std::string operator()(const core::JobSubmitted& f) const {
    return "submitted by " +
           (f.job.user == core::nobody ? "owner" : w.state().users[f.job.user].name);
  }
  std::string operator()(const core::LeaseGranted& f) const {
    std::string nodes;
    for (const core::Place& p : f.lease.places)
      nodes += (nodes.empty() ? "" : ", ") + w.state().nodes[p.node].name;
    return fmt::format("generation {} placed on {}{}", f.generation, nodes,
                       w.state().skus[f.lease.sku].emulated ? " (emulated)" : "");
  }
  std::string operator()(const core::RankStarted& f) const {
    return fmt::format("rank {} runs", f.rank);
  }
  std::string operator()(const core::RankEnded& f) const {
    return fmt::format("rank {} ended with exit code {}", f.rank, f.end.exit_code);
  }
  std::string operator()(const core::StopOrdered& f) const { return "stopping: " + f.why; }
  std::string operator()(const core::LeaseClosed& f) const {
    return fmt::format("{}{}, {} s billed, {}{}", base::enum_name(f.outcome),
                       f.why.empty() ? "" : ": " + f.why, f.interval.billed_s, cost(f),
                       f.requeue ? "; queued again" : "");
  }
  std::string operator()(const core::JobEnded& f) const {
    return std::string(base::enum_name(f.outcome)) + (f.why.empty() ? "" : ": " + f.why);
  }
  std::string operator()(const core::CreditAdded& f) const {
    return "credit added to " + w.state().projects[f.project].name;
  }
  std::string operator()(const core::CreditLow& f) const {
    return "credit of " + w.state().projects[f.project].name +
           " is low: " + core::money_text(w.state(), f.project, f.available) + " left, dry at " +
           base::format_instant(f.dry_at);
  }
  std::string operator()(const core::NodeJoined& f) const {
    return "node " + f.node.name + " joined";
  }
  std::string operator()(const core::NodeChanged& f) const {
    return "node " + f.now.name + " is " + std::string(base::enum_name(f.now.state));
  }
  std::string operator()(const core::OrgCreated& f) const { return "org " + f.org.name; }
  std::string operator()(const core::ProjectCreated& f) const {
    return "project " + f.project.name;
  }
  std::string operator()(const core::UserCreated& f) const { return "user " + f.user.name; }
  std::string operator()(const core::AccountOpened& f) const {
    return "account " + std::to_string(f.account.code) + " " + f.account.name;
  }
  std::string operator()(const core::SiteAdded& f) const { return "site " + f.site.name; }
  std::string operator()(const core::SiteChanged& f) const {
    return "site " + f.now.name +
           (f.now.removed ? " was removed" : " is " + std::string(base::enum_name(f.now.state)));
  }
  std::string operator()(const core::SiteContact& f) const {
    const std::string site = "site " + w.state().sites[f.site].name;
    if (f.unknown_since.us)
      return site + " cannot be reached; it was last seen " + base::format_instant(f.unknown_since);
    return site + (f.clearing ? " is reached again; what was given up there is being removed"
                              : " is reached and open");
  }
  std::string operator()(const core::VolumeForgotten& f) const {
    return "volume " + f.name + " was removed";
  }
  std::string operator()(const core::SkuDefined& f) const {
    return "SKU " + f.sku.name + (f.sku.emulated ? " (emulated)" : "");
  }
  std::string operator()(const core::KeyCreated& f) const {
    return (f.key.sign_in.empty() ? "key amp_" + f.key.lookup + "… for "
                                  : "sign-in as " + f.key.sign_in + " for ") +
           (f.key.role == core::Role::owner ? std::string("an operator")
                                            : w.state().projects[f.key.project].name);
  }
  std::string operator()(const core::KeyRevoked& f) const {
    return f.lapsed ? "a key that a rule of signing in gave was taken back" : "a key was revoked";
  }
  std::string operator()(const core::SessionOpened& f) const {
    return "signed in with " + base::format_id("key", f.session.key);
  }
  std::string operator()(const core::SessionClosed&) const { return "signed out"; }
  std::string operator()(const core::PricesSet& f) const {
    return "price book " + std::to_string(f.book.version) + ": " + f.book.name;
  }
  std::string operator()(const core::LeasesSettled& f) const {
    return std::to_string(f.entries.size()) + " lease(s) paid ahead";
  }
  std::string operator()(const core::QuotaSet& f) const {
    return "quota of " +
           (f.project != core::nobody ? "project " + w.state().projects[f.project].name
                                      : "org " + w.state().orgs[f.org].name) +
           " set";
  }
  std::string operator()(const core::WeightSet& f) const {
    return fmt::format("weight of {} is {}", w.state().projects[f.project].name, f.weight);
  }
  std::string operator()(const core::PolicySet&) const { return "the queue's policy was set"; }
  std::string operator()(const core::WindowOpened& f) const {
    const core::Window& x = f.window;
    const std::string when = "from " + base::format_instant(x.from) +
                             (is_drain(x) ? "" : " until " + base::format_instant(x.until));
    if (x.kind == core::WindowKind::reservation)
      return fmt::format("reservation {}: {} {} for {} {}", x.name, x.gpus,
                         w.state().skus[x.sku].name, w.state().projects[x.project].name, when);
    return fmt::format("maintenance {}: {} node(s) {}", x.name, x.places.size(), when);
  }
  std::string operator()(const core::WindowChanged& f) const {
    if (f.places.empty()) return "a reservation or window ended: " + f.why;
    return fmt::format("a reservation keeps {} node(s) now: {}", f.places.size(), f.why);
  }
  std::string operator()(const core::ClaimMade& f) const {
    return fmt::format("given GPUs on {} node(s) that others must leave first",
                       f.claim.places.size());
  }
  std::string operator()(const core::ClaimDropped&) const { return "waits anew"; }
  std::string operator()(const core::PromiseMade& f) const {
    return fmt::format("{} to start by {}", f.promise.certain ? "sure" : "likely",
                       base::format_instant(f.promise.start_by));
  }
  std::string operator()(const core::PromiseDropped& f) const {
    return "its promised start is withdrawn: " + f.why;
  }
  std::string operator()(const core::TransfersPosted& f) const {
    return fmt::format("{} transfers posted{}", f.transfers.size(),
                       f.note.empty() ? "" : ": " + f.note);
  }
  std::string operator()(const core::ReservesExpired& f) const {
    return fmt::format("{} reserves lapsed", f.transfers.size());
  }
  std::string operator()(const core::IssuerSet& f) const {
    return "invoices are issued by " + f.issuer.name;
  }
  std::string operator()(const core::BillingSet& f) const {
    return "how " + w.state().orgs[f.org].name + " is billed was set";
  }
  std::string operator()(const core::CreditLineSet& f) const {
    return "the credit line of " + w.state().projects[f.project].name + " was set";
  }
  std::string operator()(const core::ContractSigned& f) const {
    return "contract " + f.contract.name;
  }
  std::string operator()(const core::ContractEnded& f) const {
    return "a contract ends on " + base::format_day(f.ends);
  }
  std::string operator()(const core::LineAdded& f) const {
    return "on the next invoice of " + w.state().orgs[f.org].name + ": " + f.line.description;
  }
  std::string operator()(const core::InvoiceIssued& f) const {
    return (f.invoice.kind == core::InvoiceKind::invoice ? "invoice " : "credit note ") +
           f.invoice.number;
  }
  std::string operator()(const core::PaymentRecorded&) const { return "a payment came in"; }
  std::string operator()(const core::PeriodSealed& f) const {
    return "everything before " + base::format_day(f.until) + " is closed";
  }
  std::string operator()(const core::CheckpointNoted&) const { return "its work is saved"; }
  // The rest is about the books; `ampacity invoices`, `contracts` and `ledger` show them.
  template <typename T>
  std::string operator()(const T&) const {
    return "the books were changed";
  }
  std::string budget_name(core::Id id) const {
    for (const core::Budget& b : w.state().budgets)
      if (b.id == id) return "budget " + b.name;
    return "a budget";
  }
  std::string operator()(const core::BudgetSet& f) const {
    return fmt::format("budget {}: {} {} a {}", f.budget.name,
                       budget_amount(w.state(), f.budget, f.budget.limit),
                       budget_unit(w.state(), f.budget), base::enum_name(f.budget.window));
  }
  std::string operator()(const core::BudgetRemoved&) const { return "a budget was removed"; }
  std::string operator()(const core::BudgetCrossed& f) const {
    return fmt::format("{} has reached {} % of its limit", budget_name(f.budget), f.percent);
  }
  std::string operator()(const core::BudgetsTurned&) const { return "budgets begin a new window"; }
  std::string operator()(const core::WebhookAdded& f) const {
    return "webhook to " + f.webhook.url.substr(0, f.webhook.url.find('?'));
  }
  std::string operator()(const core::WebhookRemoved&) const { return "a webhook was removed"; }
  std::string operator()(const core::WebhookSwitched& f) const {
    return fmt::format("webhook {} is switched {}{}", base::format_id("whk", f.webhook),
                       f.enabled ? "on" : "off", f.why.empty() ? "" : ": " + f.why);
  }
};

}  // namespace

Event view_event(const core::World& after, const core::Fact& fact, std::uint64_t sequence,
                 core::ProjectIx project) {
  const core::Id id = core::job_of(fact);
  const core::Job* job = after.job(id);
  if (job) project = job->project;
  if (const auto* f = std::get_if<core::JobSubmitted>(&fact.body)) project = f->job.project;
  Event e;
  e.sequence = sequence;
  e.at = fact.at;
  e.kind = std::string(core::kind_of(fact));
  e.text = std::visit(Sentence{after, project}, fact.body);
  if (project != core::nobody) e.project = after.state().projects[project].name;
  if (id.is_nil()) return e;
  e.job = core::job_name(id);
  e.state = job ? job->state : core::JobState::ended;
  return e;
}

}  // namespace ampacity::api
