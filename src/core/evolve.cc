#include "core/evolve.h"

#include <algorithm>

#include "base/check.h"
#include "core/billing.h"
#include "core/grant.h"
#include "core/place.h"
#include "core/share.h"
#include "ledger/post.h"

namespace ampacity::core {

void close_lease(Job& job, const LeaseClosed& f, Instant at) {
  job.lease.reset();
  job.intervals.push_back(f.interval);
  job.exit_code = f.exit_code;
  job.why = f.why;
  job.attained_s += (f.interval.ended_at - f.interval.started_at).whole_seconds();
  if (f.requeue) {
    job.state = JobState::queued;
    if (requeues(job.stop_reason))
      ++job.preemptions;
    else if (!f.fenced)  // that its site was lost is no try of its own
      --job.retries_left;
    job.stop_reason = StopReason::none;
    return;
  }
  job.state = JobState::ended;
  job.outcome = f.outcome;
  job.ended_at = f.interval.ended_at.us ? f.interval.ended_at : at;
}

void end_job(Job& job, const JobEnded& f, Instant at) {
  job.state = JobState::ended;
  job.outcome = f.outcome;
  job.why = f.why;
  job.ended_at = at;
}

// One function per fact; a friend of World so that nothing else can write it.
struct Evolver {
  World& w;
  Instant at;
  State& s = w.state_;

  void book(const std::vector<Transfer>& transfers) {
    for (const Transfer& t : transfers) {
      Transfer made = t;
      LiveBooks books(s, w.reserves);
      const auto outcome = ledger::apply(books, made, at, ledger::Maker::ledger);
      CHECK_THAT(outcome == ledger::Outcome::created, ledger::name_of(outcome));
    }
  }
  // Takes the job out of what is derived, changes it, puts it back.
  template <typename F>
  void change(Id id, F&& f) {
    const auto at_slot = w.slot_of_.find(id);
    CHECK_THAT(at_slot != w.slot_of_.end(), "a fact about a job that is not alive");
    w.index_job(at_slot->second, -1);
    f(s.jobs[at_slot->second]);
    w.index_job(at_slot->second, +1);
  }

  // The same where only what is due and what budgets count can change: not who holds which cards.
  template <typename F>
  void change_terms(Id id, F&& f) {
    const auto at_slot = w.slot_of_.find(id);
    CHECK_THAT(at_slot != w.slot_of_.end(), "a fact about a job that is not alive");
    Job& job = s.jobs[at_slot->second];
    const auto before = w.deadline_of(job);
    w.budgets.count_lease(s, job, -1);
    f(job);
    w.budgets.count_lease(s, job, +1);
    const auto after = w.deadline_of(job);
    if (before == after) return;
    if (before) w.deadlines.erase({*before, job.queue_order});
    if (after) w.deadlines.emplace(*after, job.queue_order);
  }

  void operator()(const AccountOpened& f) {
    s.accounts.push_back(f.account);
    s.accounts.back().id = ledger::account_at(static_cast<AccountIx>(s.accounts.size() - 1));
    s.accounts.back().timestamp = at;
    for (Sku& sku : s.skus) earns(static_cast<AccountIx>(s.accounts.size() - 1), sku);
  }
  // Is it where use of the SKU is earned in a currency other than USD?
  void earns(AccountIx ix, Sku& sku) {
    const Account& a = s.accounts[ix];
    if (a.code == 4000 && a.ledger != ledger::usd_tick && a.name == "revenue " + sku.name)
      sku.revenues.push_back({a.ledger, ix});
  }
  void operator()(const TransfersPosted& f) { book(f.transfers); }
  void operator()(const ReservesExpired& f) { book(f.transfers); }
  void operator()(const SiteAdded& f) { s.sites.push_back(f.site); }
  void open_or_close_nodes(SiteIx site) {
    for (NodeIx n = 0; n < s.nodes.size(); ++n)
      if (s.nodes[n].site == site) w.open_or_close(n);
  }
  void operator()(const SiteChanged& f) {
    s.sites[f.site] = f.now;
    open_or_close_nodes(f.site);
  }
  void operator()(const SiteContact& f) {  // its leases are due at other times
    std::vector<const Job*> there;
    for (const auto& [order, slot] : w.leased)
      if (const Job& job = s.jobs[slot]; w.site_of(*job.lease) == f.site) there.push_back(&job);
    for (const Job* job : there)
      if (const auto due = w.deadline_of(*job)) w.deadlines.erase({*due, job->queue_order});
    s.sites[f.site].unknown_since = f.unknown_since;
    s.sites[f.site].clearing = f.clearing;
    for (const Job* job : there)
      if (const auto due = w.deadline_of(*job)) w.deadlines.emplace(*due, job->queue_order);
    open_or_close_nodes(f.site);
  }
  // The first use of a volume says where it lives.
  void settle_volumes(const Job& job, SiteIx site) {
    for (const VolumeMount& m : job.spec.volumes) {
      if (w.volume_home(job.project, m.volume)) continue;
      const VolumeHome home{job.project, m.volume, site};
      const auto place = std::lower_bound(
          s.volumes.begin(), s.volumes.end(), home, [](const VolumeHome& a, const VolumeHome& b) {
            return std::tie(a.project, a.name) < std::tie(b.project, b.name);
          });
      s.volumes.insert(place, home);
    }
  }
  void operator()(const VolumeForgotten& f) {
    std::erase_if(s.volumes,
                  [&](const VolumeHome& v) { return v.project == f.project && v.name == f.name; });
  }
  void operator()(const SkuDefined& f) {
    w.all_skus.push_back(static_cast<SkuIx>(s.skus.size()));
    s.skus.push_back(f.sku);
    for (AccountIx ix = 0; ix < s.accounts.size(); ++ix) earns(ix, s.skus.back());
    w.waiting_for_sku.push_back(0);
  }
  void operator()(const NodeJoined& f) {
    s.nodes.push_back(f.node);
    w.add_node(static_cast<NodeIx>(s.nodes.size() - 1));
  }
  void operator()(const NodeChanged& f) {
    std::vector<std::uint32_t> windows;  // what they keep there is a part of what it has
    for (std::uint32_t ix = 0; ix < s.windows.size(); ++ix)
      if (std::any_of(s.windows[ix].places.begin(), s.windows[ix].places.end(),
                      [&](const Place& p) { return p.node == f.node; }))
        windows.push_back(ix);
    for (const std::uint32_t ix : windows) w.index_window(ix, -1);
    w.count_hardware(f.node, -1);
    s.nodes[f.node] = f.now;
    w.count_hardware(f.node, +1);
    for (const std::uint32_t ix : windows) w.index_window(ix, +1);
    w.label(f.node);
    if (w.use[f.node].leases.empty()) w.packer.change(f.node, room_of(f.now));
    w.open_or_close(f.node);
  }
  void operator()(const OrgCreated& f) {
    s.orgs.push_back(f.org);
    w.alive_of_org.emplace_back();
  }
  void operator()(const ProjectCreated& f) {
    const auto ix = static_cast<ProjectIx>(s.projects.size());
    s.projects.push_back(f.project);
    w.burn.push_back(0);
    w.share_rate.push_back(0);
    w.alive_of_project.emplace_back();
    w.queued_of_project.push_back(0);
    w.project_by_name_[f.project.name] = ix;
    w.project_by_name_[base::format_id("prj", f.project.id)] = ix;
  }
  void operator()(const UserCreated& f) { s.users.push_back(f.user); }
  void operator()(const KeyCreated& f) {
    w.key_by_lookup_[f.key.lookup] = static_cast<std::uint32_t>(s.keys.size());
    w.key_by_id_[f.key.id] = static_cast<std::uint32_t>(s.keys.size());
    s.keys.push_back(f.key);
  }
  void operator()(const KeyRevoked& f) {
    for (Key& k : s.keys)
      if (k.id == f.key) {
        k.revoked = true;
        k.lapsed = f.lapsed;
      }
    std::erase_if(s.sessions, [&](const Session& x) { return x.key == f.key; });
  }
  void operator()(const SessionOpened& f) {
    std::erase_if(s.sessions, [&](const Session& x) { return x.until <= at; });
    s.sessions.push_back(f.session);
  }
  void operator()(const SessionClosed& f) {
    std::erase_if(s.sessions, [&](const Session& x) { return x.hash == f.hash; });
  }
  void operator()(const PricesSet& f) {
    s.books.push_back(f.book);
    s.books.back().sequence = s.sequence + 1;
    // Nobody has another price yet.
    if (f.book.effective_from <= at && w.running[static_cast<std::size_t>(JobClass::spot)].empty())
      s.spot_priced_at = std::max(s.spot_priced_at, f.book.effective_from);
  }
  void operator()(const SpotRepriced& f) {
    s.spot_priced_at = f.effective_from;
    for (const Repricing& e : f.entries) {
      book(e.transfers);
      accrue(e.job);
      change(e.job, [&](Job& job) {
        Lease& lease = *job.lease;
        if (e.from_s > 0) lease.steps.push_back({e.from_s, s.sequence + 1, lease.rates});
        lease.rates = e.rates;
        lease.posted_s = e.from_s;
        lease.paid_s = e.paid_s;
        lease.pending_id = e.pending_id;
      });
    }
  }
  void operator()(const CreditAdded& f) {
    book(f.transfers);
    s.projects[f.project].credit_low = false;
    Project& project = s.projects[f.project];
    project.prepaid_minor += f.minor;
    s.orgs[project.org].bought.push_back({f.project, f.minor, at, s.sequence + 1});
  }
  void operator()(const CreditLow& f) { s.projects[f.project].credit_low = true; }

  // What the project has used so far, before its rate of use changes.
  void accrue(Id job) {
    const ProjectIx p = w.job_at(job)->project;
    Share& share = s.projects[p].share;
    share.used = used_at(share, w.share_rate[p], at, s.policy.half_life_s);
    share.at = at;
  }
  void count(Used& used, const Quota& quota, const Interval& i) const {
    if (quota.window_s == 0) return;
    const Instant start = window_start(quota, at);
    if (used.window != start) used = {start, 0, 0};
    used.gpu_milli_s += i.billed_s * i.rates.gpus * i.rates.gpu_milli;
    used.spend += i.amounts.total();
  }

  // Of a closed lease, for budgets; `refresh_of` follows when it is no longer held.
  void count_spending(const Job& job, const Interval& i) {
    Project& project = s.projects[job.project];
    count_spent(project.spent, i, at);
    count_spent(s.orgs[project.org].spent, i, at);
    if (const auto key = w.key_by_id_.find(job.key); key != w.key_by_id_.end())
      count_spent(s.keys[key->second].spent, i, at);
    w.budgets.count_closed(s, payer_of(job), i);
  }
  Budget* budget(Id id) {
    for (Budget& b : s.budgets)
      if (b.id == id) return &b;
    CHECK_THAT(false, "a fact about a budget that is not there");
  }
  void operator()(const BudgetSet& f) {
    std::uint32_t ix = 0, free = nobody;
    for (; ix < s.budgets.size() && s.budgets[ix].id != f.budget.id; ++ix)
      if (free == nobody && s.budgets[ix].id.is_nil()) free = ix;
    if (ix == s.budgets.size() && free != nobody) ix = free;
    if (ix == s.budgets.size()) s.budgets.emplace_back();
    s.budgets[ix] = f.budget;
    w.budgets.put(s, ix, at);
  }
  void operator()(const BudgetRemoved& f) {
    Budget* b = budget(f.budget);
    w.budgets.remove(s, static_cast<std::uint32_t>(b - s.budgets.data()));
    *b = {};
  }
  void operator()(const BudgetCrossed& f) {
    Budget* b = budget(f.budget);
    if (b->crossed_from != f.from) b->crossed.clear();
    b->crossed_from = f.from;
    b->crossed.insert(std::upper_bound(b->crossed.begin(), b->crossed.end(), f.percent), f.percent);
    w.budgets.refresh(s, static_cast<std::uint32_t>(b - s.budgets.data()));
  }
  void operator()(const BudgetsTurned&) {}  // its instant did it
  void operator()(const WebhookAdded& f) { s.webhooks.push_back(f.webhook); }
  void operator()(const WebhookRemoved& f) {
    std::erase_if(s.webhooks, [&](const Webhook& h) { return h.id == f.webhook; });
  }
  void operator()(const WebhookSwitched& f) {
    for (Webhook& h : s.webhooks)
      if (h.id == f.webhook) {
        h.enabled = f.enabled;
        h.why = f.why;
      }
  }

  void operator()(const QuotaSet& f) {
    if (f.project != nobody)
      s.projects[f.project].quota = f.quota;
    else
      s.orgs[f.org].quota = f.quota;
  }
  void operator()(const WeightSet& f) { s.projects[f.project].share.weight = f.weight; }
  void operator()(const PolicySet& f) {  // it is what the queue is sorted by
    for (Slot j = 0; j < s.jobs.size(); ++j)
      if (!s.jobs[j].id.is_nil()) w.index_job(j, -1);
    s.policy = f.policy;
    for (Slot j = 0; j < s.jobs.size(); ++j)
      if (!s.jobs[j].id.is_nil()) w.index_job(j, +1);
  }
  void operator()(const WindowOpened& f) {
    std::uint32_t ix = 0;
    while (ix < s.windows.size() && !s.windows[ix].id.is_nil()) ++ix;
    if (ix == s.windows.size()) s.windows.emplace_back();
    s.windows[ix] = f.window;
    w.index_window(ix, +1);
  }
  void operator()(const WindowChanged& f) {
    for (std::uint32_t ix = 0; ix < s.windows.size(); ++ix) {
      if (s.windows[ix].id != f.window) continue;
      std::vector<Slot> inside;  // their deadlines depend on it
      for (Slot j = 0; j < s.jobs.size(); ++j)
        if (!s.jobs[j].id.is_nil() && s.jobs[j].demand.reservation == f.window) inside.push_back(j);
      for (const Slot j : inside) w.index_job(j, -1);
      w.index_window(ix, -1);
      if (f.places.empty())
        s.windows[ix] = Window{};
      else
        s.windows[ix].places = f.places;
      w.index_window(ix, +1);
      for (const Slot j : inside) w.index_job(j, +1);
    }
  }
  void operator()(const IssuerSet& f) { s.issuer = f.issuer; }
  void operator()(const BillingSet& f) { s.orgs[f.org].billing = f.profile; }
  void operator()(const CreditLineSet& f) {
    book(f.transfers);
    s.projects[f.project].credit_line_minor = f.minor;
    s.projects[f.project].credit_low = false;
  }
  void operator()(const ContractSigned& f) {
    book(f.transfers);
    s.contracts.push_back(f.contract);
    s.contracts.back().sequence = s.sequence + 1;
    const Contract& c = s.contracts.back();
    if (!f.transfers.empty())
      s.orgs[c.org].bought.push_back({nobody, c.prepaid_minor, at, s.sequence + 1, c.id});
  }
  void operator()(const ContractEnded& f) {
    for (Contract& c : s.contracts) {
      if (c.id != f.contract) continue;
      if (c.ended.empty()) c.ended.push_back({c.ends, 0});
      c.ended.push_back({f.ends, s.sequence + 1});
      c.ends = f.ends;
    }
  }
  void operator()(const LineAdded& f) {
    s.orgs[f.org].next_lines.push_back(f.line);
    s.orgs[f.org].next_lines.back().sequence = s.sequence + 1;
  }
  void operator()(const InvoiceIssued& f) {
    book(f.transfers);
    const Invoice& invoice = f.invoice;
    const int sign = invoice.kind == InvoiceKind::invoice ? 1 : -1;
    for (const InvoiceLine& line : invoice.lines)
      if (line.project != nobody)
        s.projects[line.project].prepaid_minor -= line.covered_minor - line.contract_minor;
    const std::size_t year = series_of(invoice.issued_at);
    if (s.numbers.size() <= year) s.numbers.resize(year + 1);
    ++s.numbers[year];
    Org& org = s.orgs[invoice.org];
    if (sign > 0) {
      std::erase_if(org.next_lines, [&](const auto& x) { return x.sequence <= invoice.sequence; });
      std::erase_if(org.bought, [&](const auto& x) { return x.sequence <= invoice.sequence; });
    } else {  // what it takes back is on the next one again
      for (const InvoiceLine& l : invoice.lines) {
        if (l.kind == LineKind::manual)
          org.next_lines.push_back({l.project, -l.minor, l.description, s.sequence + 1});
        if (l.kind == LineKind::prepaid)
          org.bought.push_back({l.project, -l.minor, l.from, s.sequence + 1, l.contract});
      }
    }
    for (const ContractPart& part : invoice.contract_drawn)
      for (Contract& c : s.contracts)
        if (c.id == part.contract) c.drawn_minor += part.minor;
    for (Invoice& old : s.invoices)
      if (old.id == invoice.corrects) old.state = InvoiceState::voided;
    s.invoices.push_back(invoice);
    s.invoices.back().lines.clear();
  }
  void operator()(const PaymentRecorded& f) {
    book(f.transfers);
    const Payment& p = f.payment;
    s.payments.insert(std::upper_bound(s.payments.begin(), s.payments.end(), p.id), p.id);
    for (Invoice& i : s.invoices) {
      if (i.id != p.invoice) continue;
      i.paid_minor += p.minor;
      if (i.paid_minor >= i.payable_minor) i.state = InvoiceState::paid;
    }
  }
  void operator()(const PeriodSealed& f) { s.sealed_until = f.until; }
  void operator()(const ClaimMade& f) {
    change(f.job, [&](Job& job) {
      job.claim = f.claim;
      job.promise.reset();
    });
  }
  void operator()(const ClaimDropped& f) {
    change(f.job, [](Job& job) { job.claim.reset(); });
  }
  void operator()(const PromiseMade& f) {
    change(f.job, [&](Job& job) { job.promise = f.promise; });
  }
  void operator()(const PromiseDropped& f) {
    change(f.job, [](Job& job) { job.promise.reset(); });
  }
  void operator()(const CheckpointNoted& f) {
    change_terms(f.job, [&](Job& job) { job.lease->checkpoint_at = at; });
  }

  void operator()(const JobSubmitted& f) {
    s.next_queue_order = std::max(s.next_queue_order, f.job.queue_order + 1);
    w.packer.saw(f.job.demand.skus, typical_need(w, f.job));
    w.add_job(f.job);
  }
  void operator()(const LeaseGranted& f) {
    book(f.transfers);
    accrue(f.job);
    change(f.job, [&](Job& job) {
      job.state = JobState::starting;
      job.generation = f.generation;
      job.lease = f.lease;
      job.claim.reset();
      job.promise.reset();
      job.why.clear();
    });
    const Job& job = *w.job_at(f.job);
    if (!job.spec.volumes.empty()) settle_volumes(job, w.site_of(f.lease));
  }
  void operator()(const RankStarted& f) {
    change_terms(f.job, [&](Job& job) {
      Lease& lease = *job.lease;
      lease.ranks[f.rank].state = RankState::running;
      if (lease.started_sequence == 0) lease.started_sequence = s.sequence + 1;
      lease.ranks[f.rank].started_at = f.started_at;
      if (lease.started_at.us == 0 || f.started_at < lease.started_at)
        lease.started_at = f.started_at;
      note_running(job);
    });
  }
  // A gang runs when none of it is waited for any more; also one whose last was seen only as ended.
  static void note_running(Job& job) {
    const auto& ranks = job.lease->ranks;
    const bool all = std::all_of(ranks.begin(), ranks.end(),
                                 [](const Rank& r) { return r.state != RankState::pending; });
    if (all && job.state == JobState::starting) job.state = JobState::running;
  }
  void operator()(const RankEnded& f) {
    change_terms(f.job, [&](Job& job) {
      job.lease->ranks[f.rank] = f.end;
      Instant& started = job.lease->started_at;
      if (f.end.started_at.us && (started.us == 0 || f.end.started_at < started))
        started = f.end.started_at;
      if (started.us && job.lease->started_sequence == 0)
        job.lease->started_sequence = s.sequence + 1;
      note_running(job);
    });
  }
  void operator()(const StopOrdered& f) {
    change_terms(f.job, [&](Job& job) {
      CHECK_THAT(job.lease, "told to stop without a lease");
      w.stopping.insert(job.queue_order);
      job.state = JobState::stopping;
      job.stop_reason = f.reason;
      job.stop_ordered_at = at;
      job.why = f.why;
    });
  }
  void operator()(const LeasesSettled& f) {
    for (const Settlement& e : f.entries) {
      book(e.transfers);
      change_terms(e.job, [&](Job& job) {
        job.lease->posted_s = e.posted_s;
        job.lease->paid_s = e.paid_s;
        job.lease->pending_id = e.pending_id;
      });
    }
  }
  void operator()(const LeaseClosed& f) {
    book(f.transfers);
    accrue(f.job);
    const Job& ended = *w.job_at(f.job);
    Project& project = s.projects[ended.project];
    count(project.used, project.quota, f.interval);
    count(s.orgs[project.org].used, s.orgs[project.org].quota, f.interval);
    const Payer payer = payer_of(ended);
    count_spending(ended, f.interval);
    if (f.outcome == Outcome::succeeded || f.outcome == Outcome::failed)
      w.learn(w.slot_of_.at(f.job),
              ended.attained_s + (f.interval.ended_at - f.interval.started_at).whole_seconds());
    if (f.requeue)
      change(f.job, [&](Job& job) { close_lease(job, f, at); });
    else
      w.remove_job(f.job);
    w.budgets.refresh_of(s, payer);
  }
  void operator()(const JobEnded& f) { w.remove_job(f.job); }
};

void evolve(World& world, const Fact& fact) {
  Evolver evolver{world, fact.at};
  if (world.budgets.next_until.us && fact.at >= world.budgets.next_until)
    world.budgets.rebuild(evolver.s, fact.at);
  std::visit(evolver, fact.body);
  ++evolver.s.sequence;
  evolver.s.now = std::max(evolver.s.now, fact.at);
}

}  // namespace ampacity::core
