// What happened, with its instant: the only way state changes. The journal holds these and nothing
// else; their JSON is read for ever, so a field is never renamed or given a new meaning: a changed
// shape is a new version, lifted by an upcaster in core/fact_json.cc.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "core/budget_model.h"

namespace ampacity::core {

// ---- the operator's ---------------------------------------------------------------------------
struct AccountOpened {
  Account account;
};
struct SiteAdded {
  Site site;
};
// What an operator set of it, or that it is removed.
struct SiteChanged {
  SiteIx site = 0;
  Site now;
};
// Whether it can be reached: as in Site.
struct SiteContact {
  SiteIx site = 0;
  Instant unknown_since;
  bool clearing = false;
};
struct SkuDefined {
  Sku sku;
};
struct NodeJoined {
  Node node;
};
// A node seen again with other hardware or notes, while nothing is leased on it.
struct NodeChanged {
  NodeIx node = 0;
  Node now;
};
struct OrgCreated {
  Org org;
};
struct ProjectCreated {
  Project project;
};
struct UserCreated {
  User user;
};
struct KeyCreated {
  Key key;
};
// Its sessions end with it.
struct KeyRevoked {
  Id key;
  bool lapsed = false;
};
// Those that are over by then are forgotten.
struct SessionOpened {
  Session session;
};
struct SessionClosed {
  std::string hash;
};
struct PricesSet {
  PriceBook book;
};
// Cash in, credit out: linked transfers over both ledgers.
struct CreditAdded {
  ProjectIx project = 0;
  std::int64_t minor = 0;
  std::string note;
  std::vector<Transfer> transfers;
};
// An operator's own, as they were made, and the ids that failed for what could have passed.
struct BurntId {
  Id id;
  std::string outcome;
};
BOOST_DESCRIBE_STRUCT(BurntId, (), (id, outcome))
struct TransfersPosted {
  std::string note;
  std::vector<Transfer> transfers;
  std::vector<BurntId> burnt;
};
struct ReservesExpired {  // voids of those whose time ran out: the fold needs no clock
  std::vector<Transfer> transfers;
};
struct CreditLow {
  ProjectIx project = 0;
  Ticks available = 0;
  Instant dry_at;
};

// It was removed: its next use says where it lives.
struct VolumeForgotten {
  ProjectIx project = 0;
  std::string name;
};

struct QuotaSet {
  ProjectIx project = nobody;  // one of the two
  OrgIx org = nobody;
  Quota quota;
};
struct WeightSet {
  ProjectIx project = 0;
  std::int64_t weight = 100;
};
struct PolicySet {
  Policy policy;
};
struct WindowOpened {
  Window window;
};
// What the window still keeps; nothing: it has ended, or was given up.
struct WindowChanged {
  Id window;
  std::vector<Place> places;
  std::string why;
};

// ---- billing (core/billing.h) -------------------------------------------------------------------
struct IssuerSet {
  Party issuer;
};
struct BillingSet {
  OrgIx org = 0;
  BillingProfile profile;
};
struct CreditLineSet {
  ProjectIx project = 0;
  std::int64_t minor = 0;
  std::vector<Transfer> transfers;
};
struct ContractSigned {
  Contract contract;
  std::vector<Transfer> transfers;  // its prepayment
};
struct ContractEnded {  // at the end of the month of `ends`
  Id contract;
  Instant ends;
};
struct LineAdded {  // for the org's next invoice
  OrgIx org = 0;
  ManualLine line;
};
struct InvoiceIssued {  // also a credit note: what it corrects is voided
  Invoice invoice;
  std::vector<Transfer> transfers;
};
struct PaymentRecorded {
  Payment payment;
  std::vector<Transfer> transfers;
};
struct PeriodSealed {
  Instant until;
  std::string audit;  // hex SHA-256 of the audit's findings
};

// ---- a job's life: the transitions drawn in core/words.h ----------------------------------------
struct JobSubmitted {
  Job job;
};                     // -> queued
struct LeaseGranted {  // queued -> starting; holds the first quantum
  Id job;
  std::uint32_t generation = 1;
  Lease lease;
  std::vector<Transfer> transfers;
};
struct RankStarted {  // starting -> running, at the last of them
  Id job;
  std::uint32_t generation = 1;
  std::uint32_t rank = 0;
  Instant started_at;
};
struct RankEnded {  // one of several; the last is in LeaseClosed
  Id job;
  std::uint32_t generation = 1;
  std::uint32_t rank = 0;
  Rank end;
};
struct StopOrdered {  // queued, starting, running -> stopping
  Id job;
  StopReason reason = StopReason::none;
  std::string why;
};
struct Settlement {
  Id job;
  std::int64_t posted_s = 0;  // now billed up to
  std::int64_t paid_s = 0;    // now held up to
  std::uint64_t pending_id = 0;
  std::vector<Transfer> transfers;
};
struct LeasesSettled {
  std::vector<Settlement> entries;
};  // quanta turned over, all that were due
// Newer prices took effect: running spot leases have them from second `from_s` on.
struct Repricing {
  Id job;
  std::int64_t from_s = 0;
  Rates rates;
  std::int64_t paid_s = 0;       // now held up to; billed up to from_s
  std::uint64_t pending_id = 0;  // 0: nothing to hold
  std::vector<Transfer> transfers;
};
struct SpotRepriced {
  Instant effective_from;  // of the latest book
  std::vector<Repricing> entries;
};
struct LeaseClosed {  // -> ended, or queued again (`requeue`)
  Id job;
  std::uint32_t generation = 1;
  Interval interval;
  std::vector<Transfer> transfers;
  Outcome outcome = Outcome::none;
  std::int32_t exit_code = 0;
  std::string why;
  bool requeue = false;
  bool fenced =
      false;  // given up at a site that cannot be reached: billed to when it was last seen
};
struct JobEnded {
  Id job;
  Outcome outcome = Outcome::none;
  std::string why;
};                  // never got a lease
struct ClaimMade {  // queued: the GPUs are the job's when those who use them have stopped
  Id job;
  Claim claim;
};
struct ClaimDropped {
  Id job;
};
struct PromiseMade {  // queued; also one that is better than the one before
  Id job;
  Promise promise;
};
struct PromiseDropped {  // broken by a failure or outranked: `why` says
  Id job;
  std::string why;
};
struct CheckpointNoted {  // running: what was done until now is safe
  Id job;
  std::uint32_t generation = 1;
};

// ---- budgets and webhooks (core/budget.h) -------------------------------------------------------
struct BudgetSet {  // new, or of the same id as before
  Budget budget;
};
struct BudgetRemoved {
  Id budget;
};
struct BudgetCrossed {  // once in the window that began at `from`
  Id budget;
  Instant from;
  std::uint32_t percent = 0;
  std::int64_t counted = 0;
  std::int64_t limit = 0;
};
struct BudgetsTurned {};  // a window has ended: the next begins
struct WebhookAdded {
  Webhook webhook;
};
struct WebhookRemoved {
  Id webhook;
};
struct WebhookSwitched {
  Id webhook;
  bool enabled = false;
  std::string why;
};

BOOST_DESCRIBE_STRUCT(AccountOpened, (), (account))
BOOST_DESCRIBE_STRUCT(SiteAdded, (), (site))
BOOST_DESCRIBE_STRUCT(SiteChanged, (), (site, now))
BOOST_DESCRIBE_STRUCT(SiteContact, (), (site, unknown_since, clearing))
BOOST_DESCRIBE_STRUCT(VolumeForgotten, (), (project, name))
BOOST_DESCRIBE_STRUCT(SkuDefined, (), (sku))
BOOST_DESCRIBE_STRUCT(NodeJoined, (), (node))
BOOST_DESCRIBE_STRUCT(NodeChanged, (), (node, now))
BOOST_DESCRIBE_STRUCT(OrgCreated, (), (org))
BOOST_DESCRIBE_STRUCT(ProjectCreated, (), (project))
BOOST_DESCRIBE_STRUCT(UserCreated, (), (user))
BOOST_DESCRIBE_STRUCT(KeyCreated, (), (key))
BOOST_DESCRIBE_STRUCT(KeyRevoked, (), (key, lapsed))
BOOST_DESCRIBE_STRUCT(SessionOpened, (), (session))
BOOST_DESCRIBE_STRUCT(SessionClosed, (), (hash))
BOOST_DESCRIBE_STRUCT(PricesSet, (), (book))
BOOST_DESCRIBE_STRUCT(CreditAdded, (), (project, minor, note, transfers))
BOOST_DESCRIBE_STRUCT(TransfersPosted, (), (note, transfers, burnt))
BOOST_DESCRIBE_STRUCT(ReservesExpired, (), (transfers))
BOOST_DESCRIBE_STRUCT(CreditLow, (), (project, available, dry_at))
BOOST_DESCRIBE_STRUCT(JobSubmitted, (), (job))
BOOST_DESCRIBE_STRUCT(LeaseGranted, (), (job, generation, lease, transfers))
BOOST_DESCRIBE_STRUCT(RankStarted, (), (job, generation, rank, started_at))
BOOST_DESCRIBE_STRUCT(RankEnded, (), (job, generation, rank, end))
BOOST_DESCRIBE_STRUCT(StopOrdered, (), (job, reason, why))
BOOST_DESCRIBE_STRUCT(Settlement, (), (job, posted_s, paid_s, pending_id, transfers))
BOOST_DESCRIBE_STRUCT(LeasesSettled, (), (entries))
BOOST_DESCRIBE_STRUCT(Repricing, (), (job, from_s, rates, paid_s, pending_id, transfers))
BOOST_DESCRIBE_STRUCT(SpotRepriced, (), (effective_from, entries))
BOOST_DESCRIBE_STRUCT(LeaseClosed, (),
                      (job, generation, interval, transfers, outcome, exit_code, why, requeue,
                       fenced))
BOOST_DESCRIBE_STRUCT(JobEnded, (), (job, outcome, why))
BOOST_DESCRIBE_STRUCT(QuotaSet, (), (project, org, quota))
BOOST_DESCRIBE_STRUCT(WeightSet, (), (project, weight))
BOOST_DESCRIBE_STRUCT(PolicySet, (), (policy))
BOOST_DESCRIBE_STRUCT(WindowOpened, (), (window))
BOOST_DESCRIBE_STRUCT(WindowChanged, (), (window, places, why))
BOOST_DESCRIBE_STRUCT(IssuerSet, (), (issuer))
BOOST_DESCRIBE_STRUCT(BillingSet, (), (org, profile))
BOOST_DESCRIBE_STRUCT(CreditLineSet, (), (project, minor, transfers))
BOOST_DESCRIBE_STRUCT(ContractSigned, (), (contract, transfers))
BOOST_DESCRIBE_STRUCT(ContractEnded, (), (contract, ends))
BOOST_DESCRIBE_STRUCT(LineAdded, (), (org, line))
BOOST_DESCRIBE_STRUCT(InvoiceIssued, (), (invoice, transfers))
BOOST_DESCRIBE_STRUCT(PaymentRecorded, (), (payment, transfers))
BOOST_DESCRIBE_STRUCT(PeriodSealed, (), (until, audit))
BOOST_DESCRIBE_STRUCT(ClaimMade, (), (job, claim))
BOOST_DESCRIBE_STRUCT(ClaimDropped, (), (job))
BOOST_DESCRIBE_STRUCT(PromiseMade, (), (job, promise))
BOOST_DESCRIBE_STRUCT(PromiseDropped, (), (job, why))
BOOST_DESCRIBE_STRUCT(CheckpointNoted, (), (job, generation))
BOOST_DESCRIBE_STRUCT(BudgetSet, (), (budget))
BOOST_DESCRIBE_STRUCT(BudgetRemoved, (), (budget))
BOOST_DESCRIBE_STRUCT(BudgetCrossed, (), (budget, from, percent, counted, limit))
BOOST_DESCRIBE_STRUCT(BudgetsTurned, (), ())
BOOST_DESCRIBE_STRUCT(WebhookAdded, (), (webhook))
BOOST_DESCRIBE_STRUCT(WebhookRemoved, (), (webhook))
BOOST_DESCRIBE_STRUCT(WebhookSwitched, (), (webhook, enabled, why))

using FactBody =
    std::variant<AccountOpened, SiteAdded, SkuDefined, NodeJoined, NodeChanged, OrgCreated,
                 ProjectCreated, UserCreated, KeyCreated, KeyRevoked, PricesSet, CreditAdded,
                 CreditLow, JobSubmitted, LeaseGranted, RankStarted, RankEnded, StopOrdered,
                 LeasesSettled, LeaseClosed, JobEnded, QuotaSet, WeightSet, PolicySet, WindowOpened,
                 WindowChanged, IssuerSet, BillingSet, CreditLineSet, ContractSigned, ContractEnded,
                 LineAdded, InvoiceIssued, PaymentRecorded, PeriodSealed, ClaimMade, ClaimDropped,
                 PromiseMade, PromiseDropped, CheckpointNoted, SpotRepriced, BudgetSet,
                 BudgetRemoved, BudgetCrossed, BudgetsTurned, WebhookAdded, WebhookRemoved,
                 WebhookSwitched, TransfersPosted, ReservesExpired, SiteChanged, SiteContact,
                 VolumeForgotten, SessionOpened, SessionClosed>;

struct Fact {
  Instant at;
  std::string actor;  // "key-06bx…", "engine", "clock", "owner": who or what made it happen
  FactBody body;
};

// "job_submitted": the fact's name in the journal, in events and in metrics.
std::string_view kind_of(const Fact& fact);
// The job a fact is about, nil if none.
Id job_of(const Fact& fact);

// {"kind":"job_submitted","v":1,"at":"…","actor":"…","body":{…}}, appended to `out`.
void write_fact(std::string& out, const Fact& fact);
base::Result<Fact> read_fact(const boost::json::value& value);

}  // namespace ampacity::core
