// What is asked of the core. What a decision needs from outside (a new id, a hash, the time) was
// made by the loop and arrives in the command. Text fields were checked for form by the contract.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "core/books.h"
#include "core/budget_model.h"
#include "core/request.h"
#include "ledger/post.h"

namespace ampacity::core {

// First start: the accounts every cloud has, and the first price book.
struct Found {
  PriceBook book;
};
// This start's inventory of one site. SKUs and nodes are matched by name; what is new joins, what
// is missing becomes absent.
struct RegisterSite {
  Site site;
  std::vector<Sku> skus;  // revenue is ignored
  struct Member {
    Node node;
    std::string sku;
  };  // node.site and node.sku are ignored
  std::vector<Member> nodes;
};
// A site with an engine of its own; its machines come with RegisterSite, as the engine sees them.
struct AddSite {
  Site site;
};
// What is left out stays.
struct SetSite {
  std::string name;
  std::optional<std::string> region, url, credential;
  std::optional<std::vector<std::string>> options;
  std::optional<Ticks> power_ticks_per_kwh;
  std::optional<std::int64_t> pue_milli;
  std::optional<SiteState> state;
};
struct RemoveSite {
  std::string name;
};
// What the edge knows of reaching it, when that changes. `seen_at`: all that runs there was seen
// then, at the latest. `strays`: of those given up there, who ran in the latest list.
struct SeeSite {
  std::string name;
  bool reached = false;
  Instant seen_at;
  std::uint32_t strays = 0;
};
struct ForgetVolume {
  ProjectIx project = 0;
  std::string name;
};
struct SetNodeState {
  std::string node;
  NodeState state = NodeState::active;
};
struct SetPrices {
  PriceBook book;   // version and org are ignored: the next one, and by name
  std::string org;  // whose own prices; empty: the public list
};

struct CreateOrg {
  Id id;
  std::string name;
};
struct CreateProject {
  Id id;
  std::string name;
  std::string org;
};
struct CreateUser {
  Id id;
  std::string name;
  std::string org;
};
struct CreateKey {
  Key key;  // project and user are ignored: by name below
  std::string project;
  std::string user;
};
// A browser is signed in with a key.
struct OpenSession {
  Session session;
};
struct CloseSession {
  std::string hash;
};
// What a rule of the configuration gives whom it fits.
struct Grant {
  Role role = Role::customer;
  std::string project;  // a customer's
  std::string rule;     // "group ml-team", "default"
};
// The same, as a person that somebody else vouches for: with the key an operator made for that
// name, or else the one that a rule gives it. Without a session in the facts: what a rule had given
// is taken back.
struct SignIn {
  std::string name;
  std::optional<Grant> grant;
  Session session;  // its key is decided here
  Key fresh;        // id and look-up part of a key, if one is to be made; a user's id likewise
  Id user;
};
struct RevokeKey {
  Id key;
};
struct AddCredit {
  std::string project;
  std::int64_t minor = 0;
  std::string note;
};

struct SetQuota {
  std::string project;  // one of the two
  std::string org;
  // Empty sku: of all kinds together. Zero GPUs are a limit, too.
  std::vector<std::pair<std::string, std::int64_t>> gpu_milli;
  Quota quota;  // its gpus are ignored: by name above
};
struct SetWeight {
  std::string project;
  std::int64_t weight = 100;  // 1…1,000,000
};
struct SetPolicy {
  Policy policy;
};
struct Reserve {
  Id id;
  std::string name;
  std::string project;
  std::string sku;
  std::uint32_t gpus = 0;  // whole nodes but for the last
  Instant from;
  Instant until;
  bool release_unused = false;
  std::vector<std::string> places;  // sites or regions, any of them; empty: any
  bool across_sites = false;        // may lie at several at once
};
// Nobody's work runs on the node from then on. until zero: until further notice, a drain.
struct Maintain {
  Id id;
  std::string name;
  std::vector<std::string> nodes;
  Instant from;
  Instant until;
};
struct EndWindow {
  Id window;
  std::string why;
};
struct NoteCheckpoint {
  Id job;
};

// Billing (core/billing.h).
struct SetIssuer {
  Party issuer;
};
struct SetBilling {
  std::string org;
  BillingProfile profile;
};
struct SetCreditLine {
  std::string project;
  std::int64_t minor = 0;
};
struct SignContract {
  Contract contract;  // org is ignored: by name
  std::string org;
};
struct EndContract {
  Id contract;
  Instant at;  // with the month it lies in
};
struct AddLine {
  std::string org;
  std::string project;  // may be empty: the org's own
  std::int64_t minor = 0;
  std::string description;
};
// What a lease paid beyond what its month's price function makes of it.
struct Refund {
  ProjectIx project = 0;
  SkuIx sku = 0;
  Ticks ticks = 0;
};
// As rated from the facts up to invoice.sequence; refused if another was issued meanwhile.
struct IssueInvoice {
  Invoice invoice;  // without a number
  std::vector<Refund> refunds;
};
// Takes back a whole invoice: what it billed is billed again by the next one.
struct VoidInvoice {
  Invoice note;  // the credit note: the invoice negated, with its lines
};
struct RecordPayment {
  Payment payment;
};
struct SealPeriod {
  Instant until;
  std::string audit;
};

// Budgets and webhooks (core/budget.h).
struct SetBudget {
  Budget budget;  // its org and name say which; what was counted so far is kept
};
struct RemoveBudget {
  Id budget;
  bool by_owner = false;
};
struct AddWebhook {
  Webhook webhook;
};
struct RemoveWebhook {
  Id webhook;
};
struct SwitchWebhook {
  Id webhook;
  bool enabled = true;
  std::string why;
};

// An operator's transfers, linked or not, made or refused one by one (ledger/post.h).
struct PostTransfers {
  std::vector<Transfer> transfers;
  std::string note;
  Past past;                                            // looked up by the loop
  std::shared_ptr<std::vector<ledger::Posted>> answer;  // outcomes: not facts, but the reply
};

struct SubmitJob {
  Job job;  // id, name, project, user, class, spec, limits; the rest is filled in
  std::optional<GpuRequest> gpus;  // nullopt: cpu
  std::int64_t cpu_milli = 0;      // per node; 0: the SKU's share
  std::int64_t memory_mib = 0;
  std::uint32_t gpu_milli = 1000;
  std::uint32_t mig = 0;
  std::vector<std::string> places;  // sites or regions, any of them; empty: any
  Together together = Together::any;
  std::string apart;
  Ticks most_price = 0;
  Id reservation;
  bool by_owner = false;
};
struct StopJob {
  Id job;
  StopReason reason = StopReason::asked;
  std::string why;
};

// What an engine saw of one rank. `alive_until`: when this server was last known to watch, for a
// rank that vanished while it did not.
struct Observe {
  RankSeen seen;
  Instant alive_until;
};

struct Tick {};     // something in World::deadlines is due
struct Advance {};  // room was made: start the next that waits; repeated until it has no facts

using Command =
    std::variant<Found, RegisterSite, AddSite, SetSite, RemoveSite, SeeSite, ForgetVolume,
                 SetNodeState, SetPrices, CreateOrg, CreateProject, CreateUser, CreateKey,
                 RevokeKey, OpenSession, CloseSession, SignIn, AddCredit, SetQuota, SetWeight,
                 SetPolicy, Reserve, Maintain, EndWindow, NoteCheckpoint, SetIssuer, SetBilling,
                 SetCreditLine, SignContract, EndContract, AddLine, IssueInvoice, VoidInvoice,
                 RecordPayment, SealPeriod, PostTransfers, SetBudget, RemoveBudget, AddWebhook,
                 RemoveWebhook, SwitchWebhook, SubmitJob, StopJob, Observe, Tick, Advance>;

}  // namespace ampacity::core
