// The nouns of the cloud as plain data. Everything the world remembers is one of these; what can be
// computed from them (who is free, who waits, what is due) is in core/world.h.
// Quantities: cpu in milli-vCPU, memory in MiB, money in ticks, prices in ticks per unit and
// second.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/money.h"
#include "core/bill.h"
#include "core/effects.h"
#include "core/price.h"
#include "core/words.h"
#include "ledger/model.h"

namespace ampacity::core {

using base::Duration;
using base::Id;
using base::Instant;
using base::Ticks;

// Dense indices: they are positions in State's vectors, handed out in order and never reused.
using SiteIx = std::uint32_t;
using SkuIx = std::uint32_t;
using NodeIx = std::uint32_t;
using OrgIx = std::uint32_t;
using ProjectIx = std::uint32_t;
using UserIx = std::uint32_t;
using AccountIx = std::uint32_t;
inline constexpr std::uint32_t nobody = 0xffff'ffff;

// A data centre. This machine's own has no url: the server brings its engine.
struct Site {
  std::string name;
  std::string region;
  std::string engine;
  std::string url{};                   // where its engine answers
  std::string credential{};            // "file:PATH" or "env:NAME": never the secret itself
  std::vector<std::string> options{};  // NAME=VALUE, of its kind of engine
  Ticks power_ticks_per_kwh = 0;       // what a kWh costs
  std::int64_t pue_milli = 1000;       // kWh bought for each that the machines use
  SiteState state = SiteState::active;
  bool removed = false;   // its name may be used again, its place is kept
  Instant unknown_since;  // it was last seen then; zero: it can be reached
  bool clearing = false;  // reached again: what was given up there still runs
  // Dearness of a machine's power.
  Ticks power_cost() const { return power_ticks_per_kwh * pue_milli; }
  bool open() const {
    return !removed && state == SiteState::active && unknown_since.us == 0 && !clearing;
  }
};
BOOST_DESCRIBE_STRUCT(Site, (),
                      (name, region, engine, url, credential, options, power_ticks_per_kwh,
                       pue_milli, state, removed, unknown_since, clearing))

// Where a project's volume lives: the site of its first use.
struct VolumeHome {
  std::uint32_t project = nobody;
  std::string name;
  SiteIx site = 0;
};
BOOST_DESCRIBE_STRUCT(VolumeHome, (), (project, name, site))

// Where use of a SKU is earned in another currency than USD.
struct SkuRevenue {
  std::uint32_t ledger = 0;  // of ticks
  AccountIx account = nobody;
};
BOOST_DESCRIBE_STRUCT(SkuRevenue, (), (ledger, account))

struct Sku {
  std::string name;         // "h100", "cpu"
  std::string description;  // "NVIDIA H100 SXM5"
  std::int64_t gpu_memory_mib = 0;
  std::uint32_t peers = 1;             // GPUs in one NVLink domain
  std::int64_t cpu_milli_per_gpu = 0;  // what a request gets when it does not say
  std::int64_t memory_mib_per_gpu = 0;
  bool emulated = false;
  AccountIx revenue = nobody;        // in USD
  std::vector<SkuRevenue> revenues;  // in other currencies that a project has
};
BOOST_DESCRIBE_STRUCT(Sku, (),
                      (name, description, gpu_memory_mib, peers, cpu_milli_per_gpu,
                       memory_mib_per_gpu, emulated, revenue, revenues))

struct Node {
  std::string name;
  SiteIx site = 0;
  SkuIx sku = 0;
  std::vector<std::string> gpus;  // UUIDs; at most 64
  std::int64_t cpu_milli = 0;
  std::int64_t memory_mib = 0;
  bool emulated = false;
  bool rents_cpu = false;  // takes work without GPUs
  NodeState state = NodeState::active;
  bool held_back = false;  // its site's own scheduler gives it no work now
  // Labels of where it stands; empty: unknown, and then shared with no other node.
  std::string rack;
  std::string leaf;    // the switch its network cards hang on
  std::string nvlink;  // an NVLink domain wider than the node
};
BOOST_DESCRIBE_STRUCT(Node, (),
                      (name, site, sku, gpus, cpu_milli, memory_mib, emulated, rents_cpu, state,
                       held_back, rack, leaf, nvlink))

// ---- limits and shares --------------------------------------------------------------------------

// At most `gpus` GPUs (thousandths of one) of a SKU at once; sku nobody: of all kinds together.
struct GpuLimit {
  SkuIx sku = nobody;
  std::int64_t gpu_milli = 0;
};
BOOST_DESCRIBE_STRUCT(GpuLimit, (), (sku, gpu_milli))

// What a project or org may use. A window is aligned to the epoch: the same for everybody.
struct Quota {
  std::vector<GpuLimit> gpus;
  std::int64_t window_s = 0;      // of the two below; 0: neither is limited
  std::int64_t gpu_milli_s = -1;  // GPU-time in one window; -1: no limit
  Ticks spend = -1;               // in one window; -1: no limit
};
BOOST_DESCRIBE_STRUCT(Quota, (), (gpus, window_s, gpu_milli_s, spend))

// What was used in the window that contains `window` (its start), by leases that have ended.
struct Used {
  Instant window;
  std::int64_t gpu_milli_s = 0;
  Ticks spend = 0;
};
BOOST_DESCRIBE_STRUCT(Used, (), (window, gpu_milli_s, spend))

// The same by calendar days, weeks and months of UTC: what budgets count (core/budget.h).
struct Spent {
  Used day;
  Used week;
  Used month;
};
BOOST_DESCRIBE_STRUCT(Spent, (), (day, week, month))

// Decayed use, in ticks at list price: what fair share compares (core/share.h).
struct Share {
  std::int64_t weight = 100;  // a project of 200 may use twice what one of 100 may
  Instant at;                 // `used` holds then
  std::int64_t used = 0;
};
BOOST_DESCRIBE_STRUCT(Share, (), (weight, at, used))

// An operator's own line for the next invoice: a fee, or, negative, a credit.
struct ManualLine {
  ProjectIx project = nobody;
  std::int64_t minor = 0;
  std::string description;
  std::uint64_t sequence = 0;  // of the fact that added it
};
BOOST_DESCRIBE_STRUCT(ManualLine, (), (project, minor, description, sequence))

// Credit that was bought and is not on an invoice yet: a project's, or a contract's prepayment.
struct BoughtCredit {
  ProjectIx project = nobody;
  std::int64_t minor = 0;
  Instant at;
  std::uint64_t sequence = 0;
  Id contract;
};
BOOST_DESCRIBE_STRUCT(BoughtCredit, (), (project, minor, at, sequence, contract))

struct Org {
  Id id;
  std::string name;
  Instant created_at;
  Quota quota;
  Used used;
  BillingProfile billing;
  std::vector<ManualLine> next_lines;  // these two are on the next invoice
  std::vector<BoughtCredit> bought;
  Spent spent;
};
BOOST_DESCRIBE_STRUCT(Org, (),
                      (id, name, created_at, quota, used, billing, next_lines, bought, spent))

struct Project {
  Id id;
  OrgIx org = 0;
  std::string name;
  Instant created_at;
  AccountIx wallet = nobody;
  bool credit_low = false;  // warned; cleared by credit
  Quota quota;
  Used used;
  Share share;
  AccountIx revenue = nobody;          // one for all SKUs, of before they had their own
  std::int64_t prepaid_minor = 0;      // credit bought and not yet billed against
  std::int64_t credit_line_minor = 0;  // usable without having been bought
  Spent spent;
};
BOOST_DESCRIBE_STRUCT(Project, (),
                      (id, org, name, created_at, wallet, credit_low, quota, used, share, revenue,
                       prepaid_minor, credit_line_minor, spent))

struct User {
  Id id;
  OrgIx org = 0;
  std::string name;
  Instant created_at;
};
BOOST_DESCRIBE_STRUCT(User, (), (id, org, name, created_at))

// What calls. The secret is not here: only its HMAC under the server's pepper; a key that a person
// signs in to by name (`sign_in`) has none.
struct Key {
  Id id;
  std::string lookup;  // 8 characters, safe to show
  std::string hash;    // hex
  Role role = Role::customer;
  ProjectIx project = nobody;
  UserIx user = nobody;
  std::string label;
  Instant created_at;
  bool revoked = false;
  Spent spent;
  std::string sign_in;  // as whom the provider of identities knows its holder
  std::string rule;     // of signing in, that gave it; empty: an operator did
  bool lapsed = false;  // revoked since that rule no longer gives it, not by anybody
};
BOOST_DESCRIBE_STRUCT(Key, (),
                      (id, lookup, hash, role, project, user, label, created_at, revoked, spent,
                       sign_in, rule, lapsed))

// A browser signed in. Its id is in its cookie; here is only the SHA-256, hex.
struct Session {
  std::string hash;
  Id key;
  Instant until;
};
BOOST_DESCRIBE_STRUCT(Session, (), (hash, key, until))

// ---- money ------------------------------------------------------------------------------------

// Accounts are kept by position: AccountIx ix has the id ledger::account_at(ix) (ledger/model.h).
// Ledgers never mix; crossing is two linked transfers.
using ledger::Account;
using ledger::available;
using ledger::Transfer;

enum class TransferKind { single, pending, post, release };
BOOST_DESCRIBE_ENUM(TransferKind, single, pending, post, release)
// A correction returns what was posted past an end that was only learnt later.
// credit_line: usable before it is paid; invoice, tax, payment, sla: core/billing.h.
enum class TransferReason { credit, hold, usage, correction, credit_line, invoice, tax, payment };
BOOST_DESCRIBE_ENUM(TransferReason, credit, hold, usage, correction, credit_line, invoice, tax,
                    payment)

// As AccountOpened has it: its id and time come with the fold.
inline Account new_account(std::uint32_t ledger, std::uint16_t code, std::string name,
                           std::uint16_t flags = 0) {
  return {{}, ledger, code, flags, std::move(name), {}, 0, 0, 0, 0, {}};
}

// A reason is a transfer's code, counted from 1. What a hold is posted or released by has its code:
// they are told apart by their kind.
constexpr std::uint16_t code_of(TransferReason reason) {
  return static_cast<std::uint16_t>(
      1 + static_cast<int>(reason == TransferReason::hold ? TransferReason::usage : reason));
}
TransferKind kind_of(const Transfer& t);
std::string reason_of(const Transfer& t);  // "hold", "usage"…; empty: a code of somebody else's

// Prices from an instant on (core/price_book.h): a public list, or what was agreed with one org.
struct PriceBook {
  std::uint32_t version = 0;
  std::string name;
  std::string currency = "USD";
  OrgIx org = nobody;  // nobody: the public list
  Instant effective_from;
  std::vector<PriceRule> rules;  // by meter
  std::uint64_t sequence = 0;    // of the fact that set it; 0: older than that was kept
};
BOOST_DESCRIBE_STRUCT(PriceBook, (),
                      (version, name, currency, org, effective_from, rules, sequence))

// A lease's prices, pinned, and its quantities over all nodes. Prices are the ceilings of their
// rules (core/price.h), per second of a GPU, vCPU, GiB; a flat is for each calendar month touched.
struct Rates {
  std::uint32_t price_version = 0;
  Ticks gpu_price = 0;
  std::int64_t gpus = 0;
  std::int64_t gpu_milli = 1000;  // of each of them
  Ticks vcpu_price = 0;
  std::int64_t cpu_milli = 0;
  Ticks gib_price = 0;
  std::int64_t memory_mib = 0;
  Ticks gpu_flat = 0;
  Ticks vcpu_flat = 0;
  Ticks gib_flat = 0;
  std::uint32_t host_version = 0;  // of the vCPU's and memory's prices; 0: the same
  std::uint32_t term_months = 0;   // of the contract that its reservation serves
  bool operator==(const Rates&) const = default;
};
BOOST_DESCRIBE_STRUCT(Rates, (),
                      (price_version, gpu_price, gpus, gpu_milli, vcpu_price, cpu_milli, gib_price,
                       memory_mib, gpu_flat, vcpu_flat, gib_flat, host_version, term_months))

// What a spot lease's rates were until its second `until_s`, when others took effect.
struct RateStep {
  std::int64_t until_s = 0;
  std::uint64_t until_sequence = 0;  // of the fact that said so
  Rates rates;
};
BOOST_DESCRIBE_STRUCT(RateStep, (), (until_s, until_sequence, rates))

struct Amounts {
  Ticks gpu = 0;
  Ticks vcpu = 0;
  Ticks memory = 0;
  Ticks total() const { return gpu + vcpu + memory; }
  bool operator==(const Amounts&) const = default;
};
BOOST_DESCRIBE_STRUCT(Amounts, (), (gpu, vcpu, memory))

// ---- workloads --------------------------------------------------------------------------------

BOOST_DESCRIBE_STRUCT(VolumeMount, (), (volume, path))

// What runs. Environment values are sealed beside the facts, never in them.
struct JobSpec {
  std::string image;
  std::vector<std::string> command;
  std::vector<std::string> env_names;
  std::vector<VolumeMount> volumes;
  bool read_only_root = false;
};
BOOST_DESCRIBE_STRUCT(JobSpec, (), (image, command, env_names, volumes, read_only_root))

// What it needs. Zero cpu or memory: the SKU's share for its GPUs.
struct Demand {
  std::vector<SkuIx> skus;  // any one of them
  std::uint32_t nodes = 1;
  std::uint32_t gpus_per_node = 0;
  std::int64_t cpu_milli = 0;      // per node
  std::int64_t memory_mib = 0;     // per node
  std::uint32_t gpu_milli = 1000;  // of each card; below 1000: a share of one card
  std::uint32_t mig = 0;           // memory eighths of one card, as a hard slice; 0: none
  std::vector<SiteIx> sites;       // any one of them; empty: any
  Together together = Together::any;
  std::string apart;     // no two live jobs of the project with this label share a node
  Ticks most_price = 0;  // per GPU-second; 0: any
  Id reservation;        // runs inside it, and nowhere else; nil: none
  bool operator==(const Demand&) const = default;
};
BOOST_DESCRIBE_STRUCT(Demand, (),
                      (skus, nodes, gpus_per_node, cpu_milli, memory_mib, gpu_milli, mig, sites,
                       together, apart, most_price, reservation))

struct Place {
  NodeIx node = 0;
  std::uint64_t gpu_mask = 0;    // bit i: the node's GPU i
  std::uint32_t mig_slices = 0;  // bit i: memory eighth i of that one card
  bool operator==(const Place&) const = default;
};
BOOST_DESCRIBE_STRUCT(Place, (), (node, gpu_mask, mig_slices))

// GPUs that a waiting job was given and that others still use: they stop, and nobody else gets
// them.
struct Claim {
  Instant made_at;
  SkuIx sku = 0;
  std::vector<Place> places;
  std::int64_t cpu_milli = 0;  // per node
  std::int64_t memory_mib = 0;
};
BOOST_DESCRIBE_STRUCT(Claim, (), (made_at, sku, places, cpu_milli, memory_mib))

// When a waiting job starts at the latest, and where. Backfill may not break it.
struct Promise {
  Instant made_at;
  Instant start_by;
  bool certain = false;  // every lease it waits for has a limit; else: likely, by what was learnt
  SkuIx sku = 0;
  std::vector<Place> places;
  std::int64_t cpu_milli = 0;  // per node
  std::int64_t memory_mib = 0;
};
BOOST_DESCRIBE_STRUCT(Promise, (), (made_at, start_by, certain, sku, places, cpu_milli, memory_mib))

// A reservation, or a stretch of maintenance (a drain is one without an end).
struct Window {
  Id id;  // nil: a free slot in State::windows
  WindowKind kind = WindowKind::reservation;
  std::string name;
  ProjectIx project = nobody;
  SkuIx sku = nobody;
  std::uint32_t gpus = 0;
  Instant from;
  Instant until;
  bool release_unused = false;  // give back, at each full hour, what no job of it uses
  std::vector<Place> places;
};
BOOST_DESCRIBE_STRUCT(Window, (),
                      (id, kind, name, project, sku, gpus, from, until, release_unused, places))

// How long work of one kind ran, as counts in half octaves of seconds (core/history.h).
struct History {
  ProjectIx project = nobody;  // nobody: of everybody
  std::string name;            // the job's name without its number, and size; empty: of all
  std::uint32_t runs = 0;      // the sum of the counts
  std::vector<std::uint32_t> counts;
};
BOOST_DESCRIBE_STRUCT(History, (), (project, name, runs, counts))

// What operators set about the queue; the defaults are those of a new cloud.
struct Policy {
  Order order = Order::fair;
  std::int64_t promises_per_class = 8;
  std::int64_t spot_promises = 1;         // of spot and of house: they yield to the others anyway
  std::int64_t half_life_s = 7 * 86'400;  // of a project's past use
  std::int64_t quantum_s = 600;           // of credit held ahead
  std::int64_t spot_grace_s = 30;         // notice before a preempted job is killed, at most
  std::int64_t house_grace_s = 5;
  // Per GPU-second of house work; it runs while it brings in at least what it costs.
  Ticks house_revenue = 0;
  Ticks house_cost = 0;
  std::int64_t restart_cost_s = 60;  // what a preemption is taken to cost its victim
  // Of a site that is not heard of: unknown after so long; and so long after it was last seen what
  // may move is given up there: its lease, and a grace on top.
  std::int64_t site_unknown_s = 30;
  std::int64_t site_lease_s = 120;
  std::int64_t site_grace_s = 60;
};
BOOST_DESCRIBE_STRUCT(Policy, (),
                      (order, promises_per_class, spot_promises, half_life_s, quantum_s,
                       spot_grace_s, house_grace_s, house_revenue, house_cost, restart_cost_s,
                       site_unknown_s, site_lease_s, site_grace_s))

struct Rank {
  RankState state = RankState::pending;
  Instant started_at;  // zero: never ran
  Instant ended_at;
  std::int32_t exit_code = 0;
};
BOOST_DESCRIBE_STRUCT(Rank, (), (state, started_at, ended_at, exit_code))

// The right of one generation to named GPUs, CPU and memory: the unit of placement and of billing.
struct Lease {
  Instant granted_at;
  SkuIx sku = 0;
  std::vector<Place> places;  // one per rank
  std::vector<Rank> ranks;
  std::int64_t cpu_milli = 0;   // per node
  std::int64_t memory_mib = 0;  // per node
  Rates rates;
  std::vector<RateStep> steps;     // before `rates`, ascending
  std::uint32_t gpu_milli = 1000;  // of each card
  std::uint32_t mig = 0;
  Instant checkpoint_at;               // its latest notice of saved work; zero: none
  Instant started_at;                  // of the first rank; zero until seen
  std::int64_t posted_s = 0;           // billed seconds whose transfers are posted
  std::uint64_t started_sequence = 0;  // of the fact that said so
  std::int64_t paid_s = 0;             // seconds since the start that credit is held or posted for
  std::uint64_t pending_id = 0;  // the transfer that holds (posted_s, paid_s]; 0: nothing to hold
};
BOOST_DESCRIBE_STRUCT(Lease, (),
                      (granted_at, sku, places, ranks, cpu_milli, memory_mib, rates, steps,
                       gpu_milli, mig, checkpoint_at, started_at, started_sequence, posted_s,
                       paid_s, pending_id))

// One closed lease of a job: what its receipt shows as an interval.
struct Interval {
  std::uint32_t generation = 1;
  SkuIx sku = 0;
  Instant started_at;
  std::uint64_t started_sequence = 0;  // of the fact that said so
  Instant ended_at;
  std::int64_t billed_s = 0;
  std::int64_t waived_s = 0;
  Rates rates;
  std::vector<RateStep> steps;  // before `rates`, ascending
  // Said while it was thought to run on: `rates` from until_s on, which it did not reach.
  std::vector<RateStep> undone;
  Amounts amounts;  // of all of them
  std::vector<Place> places;
  std::vector<Rank> ranks;  // as they ended
};
BOOST_DESCRIBE_STRUCT(Interval, (),
                      (generation, sku, started_at, started_sequence, ended_at, billed_s, waived_s,
                       rates, steps, undone, amounts, places, ranks))

struct Job {
  Id id;
  std::string name;
  ProjectIx project = 0;
  UserIx user = nobody;
  Id key;  // what submitted it: budgets
  JobClass job_class = JobClass::on_demand;
  JobSpec spec;
  Demand demand;
  std::int64_t time_limit_s = 0;  // 0: none
  std::int64_t grace_s = 30;
  std::int64_t retries_left = 0;
  Instant submitted_at;
  Instant start_by;                 // not started by then: expired; zero: none
  std::int64_t expected_run_s = 0;  // as its owner says; 0: unknown
  IfSiteLost if_site_lost = IfSiteLost::wait;
  bool saves_on_stop = false;     // told to stop, it saves its work: it loses only the restart
  std::uint64_t queue_order = 0;  // place in the queue, kept over generations
  std::int64_t committed_gpu_milli_s = 0;  // the most it may use, for quotas: by its time limit
  Ticks committed_spend = 0;

  JobState state = JobState::queued;
  std::uint32_t generation = 0;  // of the current or latest lease; 0 before the first
  std::optional<Lease> lease;
  std::optional<Claim> claim;      // only while queued
  std::optional<Promise> promise;  // only while queued
  std::int64_t attained_s = 0;     // run in closed leases
  std::uint32_t preemptions = 0;
  StopReason stop_reason = StopReason::none;
  Instant stop_ordered_at;
  std::string why;  // why it waits, stops or ended
  std::vector<Interval> intervals;
  Outcome outcome = Outcome::none;
  std::int32_t exit_code = 0;
  Instant ended_at;
};
BOOST_DESCRIBE_STRUCT(Job, (),
                      (id, name, project, user, key, job_class, spec, demand, time_limit_s, grace_s,
                       retries_left, submitted_at, start_by, expected_run_s, if_site_lost,
                       saves_on_stop, queue_order, committed_gpu_milli_s, committed_spend, state,
                       generation, lease, claim, promise, attained_s, preemptions, stop_reason,
                       stop_ordered_at, why, intervals, outcome, exit_code, ended_at))

}  // namespace ampacity::core
