// The auditor of facts: what each may be, by what came before.
#include <algorithm>
#include <bit>

#include "core/desire.h"
#include "core/invariants.h"
#include "core/order.h"
#include "core/settle.h"

namespace ampacity::core {
namespace {

namespace transfer_flag = ledger::transfer_flag;

// Every transfer of a fact, with the job it is for (nil: none).
template <typename Body, typename F>
void each_transfer(const Body& body, F&& f) {
  if constexpr (requires { body.entries; }) {
    for (const auto& e : body.entries)
      for (const Transfer& t : e.transfers) f(e.job, t);
  } else if constexpr (requires {
                         body.transfers;
                         body.job;
                       }) {
    for (const Transfer& t : body.transfers) f(body.job, t);
  } else if constexpr (requires { body.transfers; }) {
    for (const Transfer& t : body.transfers) f(Id{}, t);
  }
}

std::string name_of(const Transfer& t) { return "transfer " + base::format_bare_id(t.id); }

bool same_cards(const Node& a, const Node& b) {
  return a.sku == b.sku && a.site == b.site && a.gpus == b.gpus && a.cpu_milli == b.cpu_milli &&
         a.memory_mib == b.memory_mib && a.name == b.name;
}

}  // namespace

// One fact, and the world it is about to change.
struct FactWitness {
  FactAuditor& a;
  const World& w;
  const Fact& fact;
  const State& s = w.state();
  Findings& found = a.found_;
  using Trail = FactAuditor::Trail;

  // ---- the books --------------------------------------------------------------------------------

  FactAuditor::Counters* account(const Transfer& t, Id id) {
    if (id.high == 0 && id.low >= 1 && id.low <= a.accounts_.size()) {
      a.books_.push_back(static_cast<std::uint32_t>(id.low - 1));
      return &a.accounts_[id.low - 1];
    }
    found.add("I12", name_of(t), "names account ", id.low, " of ", a.accounts_.size());
    return nullptr;
  }
  // The reserve that it resolves.
  void resolve(const Transfer& t, Id job) {
    const auto at = a.open_.find(t.pending_id);
    if (at == a.open_.end()) {
      found.add("I13", name_of(t), "resolves ", base::format_bare_id(t.pending_id),
                ", which is not open");
      return;
    }
    const Transfer& held = at->second;
    auto* debit = account(t, held.debit);
    auto* credit = account(t, held.credit);
    if (debit && credit) {
      debit->debits_pending -= held.amount;
      credit->credits_pending -= held.amount;
      if (t.has(transfer_flag::post_pending)) {
        const std::int64_t posted = t.amount == ledger::all_of_it ? held.amount : t.amount;
        if (posted < 0 || posted > held.amount)
          found.add("I12", name_of(t), "posts ", posted, " of ", held.amount);
        debit->debits_posted += posted;
        credit->credits_posted += posted;
        count_for(job, posted);
      }
    }
    a.open_.erase(at);
  }
  void count_for(Id job, Ticks posted) {
    if (const auto at = a.live_.find(job); at != a.live_.end()) at->second.posted += posted;
  }
  void book(Id job, const Transfer& t) {
    if (t.id.high == 0 && t.id.low != a.next_transfer_)
      found.add("I13", name_of(t), "is not the next, ", a.next_transfer_);
    if (t.id.high == 0) a.next_transfer_ = t.id.low + 1;
    if (t.resolves()) return resolve(t, job);
    if (t.amount < 0) found.add("I12", name_of(t), "is of ", t.amount);
    auto* debit = account(t, t.debit);
    auto* credit = account(t, t.credit);
    if (!debit || !credit) return;
    if (debit == credit || debit->ledger != credit->ledger)
      found.add("I12", name_of(t), "is not between two accounts of one ledger");
    if (t.has(transfer_flag::pending)) {
      if (!a.open_.emplace(t.id, t).second) found.add("I13", name_of(t), "is open already");
      debit->debits_pending += t.amount;
      credit->credits_pending += t.amount;
      return;
    }
    debit->debits_posted += t.amount;
    credit->credits_posted += t.amount;
    if (!job.is_nil()) count_for(job, -t.amount);  // a lease's only single one gives back
  }
  void operator()(const AccountOpened& f) {
    a.books_.push_back(static_cast<std::uint32_t>(a.accounts_.size()));
    a.accounts_.push_back({f.account.ledger, 0, 0, 0, 0});
  }

  // ---- a job's life -----------------------------------------------------------------------------

  std::string who(Id job) const { return job_name(job); }
  Trail* trail_of(Id job) {
    a.jobs_.push_back(job);
    const auto at = a.live_.find(job);
    if (at != a.live_.end() && w.job(job)) return &at->second;
    found.add("I6", who(job), kind_of(fact), ", and it is not alive");
    return nullptr;
  }
  // Of a fact about the present generation of a lease.
  Trail* leased(Id job, std::uint32_t generation) {
    Trail* t = trail_of(job);
    if (!t) return nullptr;
    if (!t->leased || t->generation != generation || !w.job(job)->lease) {
      found.add("I6", who(job), kind_of(fact), " of generation ", generation, ", and it has ",
                t->leased ? "a lease of " : "no lease, after ", t->generation);
      return nullptr;
    }
    return t;
  }
  void touch(const std::vector<Place>& places) {
    for (const Place& p : places) a.nodes_.push_back(p.node);
  }

  void operator()(const JobSubmitted& f) {
    a.jobs_.push_back(f.job.id);
    if (a.live_.contains(f.job.id) || a.ended_.contains(f.job.id))
      found.add("I13", who(f.job.id), "is submitted a second time");
    if (f.job.queue_order < a.next_queue_order_)
      found.add("I13", who(f.job.id), "has a place in the queue that was given out");
    a.next_queue_order_ = std::max(a.next_queue_order_, f.job.queue_order + 1);
    a.live_[f.job.id] = {};
    check_quota(f.job);
  }
  // I4: by the quotas' GPUs at once, counting it.
  void check_quota(const Job& job) {
    const std::int64_t want =
        std::int64_t{job.demand.nodes} * job.demand.gpus_per_node * job.demand.gpu_milli;
    if (want == 0 || job.project >= s.projects.size()) return;
    const auto check = [&](const Quota& q, const Alive& alive, const std::string& whose) {
      bool some_room = true, limited = false;
      for (const GpuLimit& l : q.gpus) {
        std::int64_t have = 0;
        for (SkuIx k = 0; k < alive.gpu_milli.size(); ++k)
          if (l.sku == nobody || l.sku == k) have += alive.gpu_milli[k];
        if (l.sku == nobody && have + want > l.gpu_milli)
          found.add("I4", who(job.id), "is admitted with ", have + want, " milli-GPUs of ",
                    l.gpu_milli, " of ", whose);
        const auto& skus = job.demand.skus;
        if (skus.size() == 1 && l.sku == skus[0]) {
          limited = true;
          some_room = have + want <= l.gpu_milli;
        }
      }
      if (limited && !some_room)
        found.add("I4", who(job.id), "is admitted beyond the GPUs of its kind of ", whose);
    };
    const Project& p = s.projects[job.project];
    check(p.quota, w.alive_of_project[job.project], "project " + p.name);
    check(s.orgs[p.org].quota, w.alive_of_org[p.org], "org " + s.orgs[p.org].name);
  }

  void operator()(const LeaseGranted& f) {
    Trail* t = trail_of(f.job);
    if (!t) return;
    const Job& job = *w.job(f.job);
    if (t->leased || job.lease)
      found.add("I5", who(f.job), "is leased as generation ", f.generation, ", and ", t->generation,
                " has not ended");
    if (f.generation != t->generation + 1)
      found.add("I6", who(f.job), "generation ", f.generation, " after ", t->generation);
    if (f.lease.granted_at != fact.at || f.lease.granted_at + a_moment < t->last_ended)
      found.add("I10", who(f.job), "is granted at ", base::format_instant(f.lease.granted_at));
    t->generation = f.generation;
    t->leased = true;
    t->stand = stand_of(job, f.lease);
    t->granted_at = f.lease.granted_at;
    t->steps = f.lease.steps;
    t->rates = f.lease.rates;
    t->posted = 0;
    a.floor_.take(s, t->stand, who(f.job), found);
    touch(f.lease.places);
    check_ground(job, f.lease);
    check_first_hold(job, f);
  }
  // I3: where nothing may begin now; and whose the cards are.
  void check_ground(const Job& job, const Lease& lease) {
    for (const Place& p : lease.places) {
      if (p.node >= s.nodes.size()) continue;
      const std::string where = name_of_node(p.node);
      if (!w.takes_work(p.node))
        found.add("I3", who(job.id), "begins on ", where, ", which takes no new work");
      const auto at = w.holds.find(p.node);
      if (at == w.holds.end()) continue;
      for (const Hold& h : at->second) {
        if (!(h.gpu_mask & p.gpu_mask)) continue;
        if (h.why == Hold::Why::claim && h.owner != job.queue_order)
          found.add("I3", who(job.id), "begins on cards of ", where, " that another has claimed");
        if (h.why != Hold::Why::window || h.from > fact.at || h.owner >= s.windows.size()) continue;
        const Window& win = s.windows[h.owner];
        if (win.kind == WindowKind::maintenance)
          found.add("I3", who(job.id), "begins on ", where, " during its maintenance ", win.name);
        else if (win.id != job.demand.reservation && !yields(job.job_class))
          found.add("I3", who(job.id), "begins on cards of ", where, " that ", win.name,
                    " reserves");
      }
    }
  }
  std::string name_of_node(NodeIx n) const { return "node " + s.nodes[n].name; }

  // I4, I10: exactly the first stretch is held, no more than a quantum, out of what there is.
  void check_first_hold(const Job& job, const LeaseGranted& f) {
    const Lease& l = f.lease;
    const Ticks cost = cost_of(l, 0, l.paid_s);
    Ticks held = 0;
    for (const Transfer& t : f.transfers) held += t.has(transfer_flag::pending) ? t.amount : 0;
    if (held != cost || (cost != 0) != (l.pending_id != 0) || f.transfers.size() > 1)
      found.add("I10", who(job.id), "holds ", held, " for ", l.paid_s, " s that cost ", cost);
    check_ahead(job, l.paid_s);
    const Account& wallet = s.accounts[s.projects[job.project].wallet];
    if (held > wallet.credits_posted - wallet.debits_posted - wallet.debits_pending)
      found.add("I4", who(job.id), "begins with more than its wallet has");
    if (cost == 0) return;
    for (std::uint32_t ix = 0; ix < s.budgets.size(); ++ix) {
      const Budget& b = s.budgets[ix];
      if (b.id.is_nil() || !b.blocks || !counts_in(b, job)) continue;
      const std::int64_t want =
          b.unit == BudgetUnit::money ? cost : l.paid_s * l.rates.gpus * l.rates.gpu_milli;
      const BudgetUse use = use_at(w, ix, fact.at);
      if (use.counted() + want > b.limit || use.after + want > b.limit)
        found.add("I4", who(job.id), "begins with ", want, " where budget ", b.name, " has ",
                  b.limit - use.counted(), " left");
    }
  }
  bool counts_in(const Budget& b, const Job& job) const {
    if (!b.key.is_nil()) return b.key == job.key;
    return b.project != nobody ? b.project == job.project : b.org == s.projects[job.project].org;
  }
  // Nothing beyond one quantum is held ahead.
  void check_ahead(const Job& job, std::int64_t ahead_s) {
    const std::int64_t most_s =
        std::max<std::int64_t>(s.policy.quantum_s, 2 * (job.grace_s + confirm_s));
    if (ahead_s < 0 || ahead_s > most_s)
      found.add("I10", who(job.id), "holds ", ahead_s, " s ahead, of at most ", most_s);
  }

  void operator()(const RankStarted& f) {
    if (!leased(f.job, f.generation)) return;
    const Lease& l = *w.job(f.job)->lease;
    if (f.rank >= l.ranks.size() || l.ranks[f.rank].state != RankState::pending)
      found.add("I13", who(f.job), "rank ", f.rank, " starts a second time");
    if (f.started_at < l.granted_at || f.started_at > fact.at)
      found.add("I11", who(f.job), "rank ", f.rank, " starts at ",
                base::format_instant(f.started_at), ", outside of what can be");
  }
  void operator()(const RankEnded& f) {
    if (!leased(f.job, f.generation)) return;
    const Lease& l = *w.job(f.job)->lease;
    if (f.rank >= l.ranks.size() || l.ranks[f.rank].state == RankState::ended)
      found.add("I13", who(f.job), "rank ", f.rank, " ends a second time");
    check_end(f.job, f.rank, f.end);
  }
  void check_end(Id job, std::size_t rank, const Rank& r) {
    if (r.state != RankState::ended || r.ended_at > fact.at + a_moment || r.ended_at < r.started_at)
      found.add("I11", who(job), "rank ", rank, " ends before it began, or later than now");
  }
  void operator()(const CheckpointNoted& f) { leased(f.job, f.generation); }
  void operator()(const StopOrdered& f) {
    if (trail_of(f.job) && w.job(f.job)->state == JobState::stopping)
      found.add("I13", who(f.job), "is told to stop a second time");
  }
  void operator()(const JobEnded& f) {
    Trail* t = trail_of(f.job);
    if (!t) return;
    if (t->leased) found.add("I5", who(f.job), "ends while generation ", t->generation, " runs");
    forget(f.job);
  }
  void forget(Id job) {
    a.ended_[job] = a.live_[job].generation;
    a.ended_order_.push_back(job);
    a.live_.erase(job);
    if (a.ended_order_.size() <= most_ended) return;
    a.ended_.erase(a.ended_order_.front());
    a.ended_order_.pop_front();
  }

  // ---- its money --------------------------------------------------------------------------------

  // Turned over from what it was to (posted_s, paid_s] at the present or at new rates.
  void check_turn(const Job& job, const Lease& after, const std::vector<Transfer>& transfers,
                  const char* what) {
    const Lease& l = *job.lease;
    if (after.posted_s < l.posted_s || (l.pending_id && after.posted_s > l.paid_s))
      found.add("I10", who(job.id), what, " bills up to second ", after.posted_s, ", out of (",
                l.posted_s, ", ", l.paid_s, "]");
    Ticks posted = 0, held = 0;
    for (const Transfer& t : transfers) {
      posted += t.has(transfer_flag::post_pending) ? t.amount : 0;
      held += t.has(transfer_flag::pending) ? t.amount : 0;
    }
    const Ticks used = l.pending_id ? cost_of(l, l.posted_s, after.posted_s) : 0;
    if (posted != used)
      found.add("I10", who(job.id), what, " posts ", posted, " for ", after.posted_s - l.posted_s,
                " s that cost ", used);
    const Ticks cost = cost_of(after, after.posted_s, after.paid_s);
    if (held != cost)
      found.add("I10", who(job.id), what, " holds ", held, " for ", after.paid_s - after.posted_s,
                " s that cost ", cost);
    check_ahead(job, after.paid_s - after.posted_s);
  }
  void operator()(const LeasesSettled& f) {
    for (const Settlement& e : f.entries) {
      const Trail* t = trail_of(e.job);
      if (!t || !w.job(e.job)->lease) continue;
      Lease after = *w.job(e.job)->lease;
      after.posted_s = e.posted_s;
      after.paid_s = e.paid_s;
      check_turn(*w.job(e.job), after, e.transfers, "a settlement");
    }
  }
  void operator()(const SpotRepriced& f) {
    for (const Repricing& e : f.entries) {
      Trail* t = trail_of(e.job);
      if (!t || !w.job(e.job)->lease) continue;
      Lease after = *w.job(e.job)->lease;
      if (e.from_s > 0) after.steps.push_back({e.from_s, a.sequence_ + 1, after.rates});
      after.rates = e.rates;
      after.posted_s = e.from_s;
      after.paid_s = e.paid_s;
      check_turn(*w.job(e.job), after, e.transfers, "a new price");
      t->steps = after.steps;
      t->rates = after.rates;
    }
  }
  void operator()(const LeaseClosed& f) {
    Trail* t = leased(f.job, f.generation);
    if (!t) return;
    check_fenced(w, f, fact.at, found);
    const Job& job = *w.job(f.job);
    const Lease& l = *job.lease;
    const Interval& i = f.interval;
    if (i.places != t->stand.places || i.ranks.size() != l.ranks.size())
      found.add("I5", who(f.job), "closes another lease than it had");
    for (std::size_t r = 0; r < std::min(i.ranks.size(), l.ranks.size()); ++r) {
      if (i.ranks[r].state != RankState::ended)
        found.add("I5", who(f.job), "gives back its GPUs while rank ", r, " has not ended");
      else
        check_end(f.job, r, i.ranks[r]);
      if (l.ranks[r].state == RankState::ended && l.ranks[r].ended_at != i.ranks[r].ended_at)
        found.add("I13", who(f.job), "rank ", r, " has ended at another instant before");
    }
    check_interval(f, *t, l);
    t->leased = false;
    t->last_ended = i.ended_at;
    a.floor_.give(t->stand);
    touch(t->stand.places);
    if (!f.requeue) forget(f.job);
  }
  // I10, I11, I14: billed + waived = observed, at the prices it was told, and no tick else.
  void check_interval(const LeaseClosed& f, const Trail& t, const Lease& l) {
    const Interval& i = f.interval;
    if (i.generation != f.generation || i.started_at < t.granted_at ||
        i.started_at + a_moment < t.last_ended || i.ended_at < i.started_at ||
        i.ended_at > fact.at + a_moment)
      found.add("I10", who(f.job), "interval [", base::format_instant(i.started_at), ", ",
                base::format_instant(i.ended_at), ") is not inside its lease");
    const std::int64_t us = i.ended_at.us - i.started_at.us;
    const std::int64_t observed_s = us / 1'000'000 + (us % 1'000'000 != 0);
    if (i.billed_s < 0 || i.waived_s < 0 || i.billed_s + i.waived_s != observed_s)
      found.add("I11", who(f.job), "billed ", i.billed_s, " s and waived ", i.waived_s, " of ",
                observed_s);
    if (l.pending_id ? i.billed_s > l.paid_s : i.waived_s != 0)
      found.add("I11", who(f.job), "billed ", i.billed_s, " s, and ", l.paid_s, " s are paid");
    std::vector<Rates> told, billed;
    for (const RateStep& step : t.steps) told.push_back(step.rates);
    told.push_back(t.rates);
    for (const RateStep& step : i.steps) billed.push_back(step.rates);
    billed.push_back(i.rates);
    if (billed.size() > told.size() || !std::equal(billed.begin(), billed.end(), told.begin()))
      found.add("I14", who(f.job), "is billed at prices it was not told");
    const Amounts cost = cost_of(i.steps, i.rates, i.billed_s);
    if (!(cost == i.amounts))
      found.add("I10", who(f.job), "is billed ", i.amounts.total(), " for what costs ",
                cost.total());
    if (t.posted != cost.total())
      found.add("I10", who(f.job), t.posted, " was posted for generation ", f.generation,
                ", which costs ", cost.total());
    if (l.pending_id && a.open_.contains(ledger::counted(l.pending_id)))
      found.add("I12", who(f.job), "has ended, and transfer ", l.pending_id, " still holds for it");
  }

  // ---- nodes, and the rest ----------------------------------------------------------------------

  void operator()(const NodeChanged& f) {
    if (f.node >= s.nodes.size())
      return found.add("I20", "node " + std::to_string(f.node), "is none");
    a.nodes_.push_back(f.node);
    const Node& before = s.nodes[f.node];
    if (before.state == NodeState::absent && f.now.state == NodeState::cordoned)
      found.add("I20", name_of_node(f.node), "goes from absent to cordoned");
    if (a.floor_.at(f.node).ranks && !same_cards(before, f.now))
      found.add("I20", name_of_node(f.node), "becomes another machine while work runs on it");
  }
  void operator()(const ClaimMade& f) { claim(f.job, f.claim.places); }
  void operator()(const PromiseMade& f) { claim(f.job, f.promise.places); }
  void operator()(const ClaimDropped& f) { drop(f.job); }
  void operator()(const PromiseDropped& f) { drop(f.job); }
  void claim(Id job, const std::vector<Place>& places) {
    drop(job);
    touch(places);
  }
  void drop(Id id) {
    if (!trail_of(id)) return;
    const Job& job = *w.job(id);
    if (job.lease) found.add("I1", who(id), kind_of(fact), ", and it is leased");
    if (job.claim) touch(job.claim->places);
    if (job.promise) touch(job.promise->places);
  }
  template <typename Body>
  void operator()(const Body&) {}  // its transfers are all there is to it
};

void FactAuditor::see(const World& before, const Fact& fact) {
  if (fact.at < at_)
    found_.add("I23", "fact " + std::to_string(sequence_ + 1), "time goes back, to ",
               base::format_instant(fact.at));
  at_ = std::max(at_, fact.at);
  FactWitness witness{*this, before, fact};
  std::visit(
      [&](const auto& f) {
        each_transfer(f, [&](Id job, const Transfer& t) { witness.book(job, t); });
      },
      fact.body);
  std::visit(witness, fact.body);
  ++sequence_;
}

}  // namespace ampacity::core
