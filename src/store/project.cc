#include "base/json.h"
#include "core/evolve.h"
#include "core/meter.h"
#include "store/rows.h"

namespace ampacity::store {
namespace {

// One function per fact that makes rows; the others fall to the template.
struct Projector {
  const core::World& before;
  Instant at;
  std::uint64_t sequence;
  Rows& rows;
  const core::State& s = before.state();
  Instant last_transfer = s.last_transfer_at;

  template <typename T>
  void operator()(const T&) {}  // changes nothing that the read models show

  template <typename T>
  static std::uint32_t next_index(const std::vector<T>& v) {
    return static_cast<std::uint32_t>(v.size());
  }
  void name(std::string kind, std::uint32_t ix, std::string id, std::string text) {
    rows.names.push_back({std::move(kind), ix, std::move(id), std::move(text)});
  }
  void transfers(const std::vector<core::Transfer>& made, Id job, std::uint32_t generation) {
    for (core::Transfer& t : core::stamped(made, at, last_transfer)) {
      rows.accounts_touched.push_back(ledger::position_of(t.debit));
      rows.accounts_touched.push_back(ledger::position_of(t.credit));
      rows.transfers.push_back({t, core::reason_of(t), sequence, at, job, generation});
    }
  }
  void ended(const core::Job& job) {
    rows.jobs.push_back({job.id, job.project, job.user, job.name,
                         std::string(base::enum_name(job.outcome)), job.submitted_at, job.ended_at,
                         base::to_sparse_json(job)});
  }

  void operator()(const core::AccountOpened&) {
    rows.accounts_touched.push_back(next_index(s.accounts));
  }
  void operator()(const core::SkuDefined& f) {
    name("sku", next_index(s.skus), f.sku.name, f.sku.name);
  }
  void operator()(const core::NodeJoined& f) {
    name("node", next_index(s.nodes), f.node.name, f.node.name);
  }
  void operator()(const core::NodeChanged& f) { name("node", f.node, f.now.name, f.now.name); }
  void operator()(const core::OrgCreated& f) {
    name("org", next_index(s.orgs), base::format_id("org", f.org.id), f.org.name);
  }
  void operator()(const core::ProjectCreated& f) {
    name("project", next_index(s.projects), base::format_id("prj", f.project.id), f.project.name);
  }
  void operator()(const core::UserCreated& f) {
    name("user", next_index(s.users), base::format_id("user", f.user.id), f.user.name);
  }
  void operator()(const core::CreditAdded& f) { transfers(f.transfers, Id{}, 0); }
  void operator()(const core::TransfersPosted& f) {
    transfers(f.transfers, Id{}, 0);
    for (const core::BurntId& b : f.burnt) rows.burnt.push_back({b.id, b.outcome, sequence, at});
  }
  void operator()(const core::ReservesExpired& f) { transfers(f.transfers, Id{}, 0); }
  void operator()(const core::LeaseGranted& f) { transfers(f.transfers, f.job, f.generation); }
  void operator()(const core::LeasesSettled& f) {
    for (const core::Settlement& e : f.entries) {
      const core::Job* job = before.job(e.job);
      transfers(e.transfers, e.job, job ? job->generation : 0);
    }
  }
  void operator()(const core::SpotRepriced& f) {
    for (const core::Repricing& e : f.entries) {
      const core::Job* job = before.job(e.job);
      transfers(e.transfers, e.job, job ? job->generation : 0);
    }
  }
  void operator()(const core::LeaseClosed& f) {
    transfers(f.transfers, f.job, f.generation);
    const core::Job* job = before.job(f.job);
    if (!job) return;
    add_usage(rows.usage, s, *job, f.interval, sequence);
    if (f.requeue) return;
    core::Job last = *job;
    core::close_lease(last, f, at);
    ended(last);
  }
  void operator()(const core::CreditLineSet& f) { transfers(f.transfers, Id{}, 0); }
  void operator()(const core::ContractSigned& f) { transfers(f.transfers, Id{}, 0); }
  void operator()(const core::InvoiceIssued& f) {
    transfers(f.transfers, Id{}, 0);
    rows.invoices.push_back({f.invoice, sequence});
  }
  void operator()(const core::PaymentRecorded& f) {
    transfers(f.transfers, Id{}, 0);
    rows.payments.push_back({f.payment, sequence});
  }
  void operator()(const core::JobEnded& f) {
    const core::Job* job = before.job(f.job);
    if (!job) return;
    core::Job last = *job;
    core::end_job(last, f, at);
    ended(last);
  }
};

}  // namespace

void add_usage(std::vector<UsageRow>& rows, const core::State& state, const core::Job& job,
               const core::Interval& interval, std::uint64_t sequence) {
  std::uint32_t step = 0;
  for (const core::Interval& i : core::by_rates(interval)) {
    const bool last = step == interval.steps.size();
    rows.push_back({job.id,
                    i.generation,
                    job.project,
                    job.user,
                    i.sku,
                    std::string(base::enum_name(job.job_class)),
                    i.started_at,
                    i.ended_at,
                    i.billed_s,
                    i.waived_s,
                    i.rates,
                    i.amounts,
                    state.projects[job.project].org,
                    state.nodes[i.places[0].node].site,
                    job.demand.reservation,
                    i.started_sequence,
                    last ? sequence : interval.steps[step].until_sequence,
                    step,
                    {},
                    0});
    ++step;
  }
  for (const core::RateStep& undone : interval.undone) {
    UsageRow row = rows.back();
    row.started_at = row.ended_at = interval.started_at + base::Duration::seconds(undone.until_s);
    row.billed_s = row.waived_s = 0;
    row.rates = undone.rates;
    row.amounts = {};
    row.started_sequence = undone.until_sequence;
    row.sequence = sequence;
    row.step = step++;
    rows.push_back(std::move(row));
  }
}

void project(const core::World& before, const core::Fact& fact, std::uint64_t sequence,
             Rows& rows) {
  std::visit(Projector{before, fact.at, sequence, rows}, fact.body);
}

}  // namespace ampacity::store
