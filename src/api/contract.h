// The contract: every body that crosses HTTP under /v1, as described structs. The OpenAPI document,
// the server's parsing and the command line all come from these lists.
// Money: `…_usd` is an exact decimal string, `…_ticks` an integer of 1/36,000,000 USD; of an org
// that is billed in another currency they are of that one, and `currency` says so.
// Times: RFC 3339 UTC. Durations in requests: "90s", "2h30m"; in answers: whole seconds.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "api/contract_sites.h"
#include "api/contract_when.h"
#include "base/json.h"
#include "core/words.h"

namespace ampacity::api {

using base::Instant;

// ---- jobs -------------------------------------------------------------------------------------

struct Resources {
  std::optional<std::string> gpus;    // "h100:8", "h100:8x4", "a100-80|h100:8", "any>=40GB:2"
  std::optional<std::string> cpus;    // vCPUs per node: "2", "0.5"; default: the SKU's share
  std::optional<std::string> memory;  // per node: "4GiB", "512MiB"
  // Of one GPU: a share of it ("0.25"), or a hard slice ("1g.10gb", or memory eighths: "2/8").
  std::optional<std::string> gpu_share;
  std::optional<std::string> mig;
};
BOOST_DESCRIBE_STRUCT(Resources, (), (gpus, cpus, memory, gpu_share, mig))

// Where it may run: any of these sites or regions; what its nodes must share; and a label: jobs of
// the project with the same one never share a node.
struct Placement {
  std::vector<std::string> sites;
  std::optional<core::Together> together;
  std::optional<std::string> apart;
};
BOOST_DESCRIBE_STRUCT(Placement, (), (sites, together, apart))

// POST /v1/jobs and POST /v1/quotes; also the job file (YAML).
struct JobRequest {
  std::optional<std::string> name;
  std::string image;
  std::vector<std::string> command;  // empty: the image's own
  std::optional<Resources> resources;
  std::map<std::string, std::string> env;
  std::vector<std::string> volumes;         // "name:/path"
  std::optional<std::string> time;          // limit: "10m"
  std::optional<std::string> grace;         // between SIGTERM and SIGKILL, default 30s, at most 5m
  std::optional<core::JobClass> job_class;  // "class" in the job file and on the command line
  std::optional<std::int64_t> retries;      // 0…10: start again when lost or failed
  std::optional<bool> read_only_root;
  std::optional<std::string> project;  // owner keys must say; customer keys have their own
  std::optional<Placement> placement;
  std::optional<std::string> max_price;    // USD per GPU-hour, at most: "3.50"
  std::optional<std::string> start_by;     // RFC 3339, or from now: "+2h"; not started: expired
  std::optional<std::string> expected;     // how long it should run: "3h"; an estimate, no limit
  std::optional<std::string> reservation;  // run inside it: its id or name; the class is reserved
  // Its site cannot be reached for long: wait for it (default), or start again elsewhere.
  std::optional<core::IfSiteLost> if_site_lost;
};
BOOST_DESCRIBE_STRUCT(JobRequest, (),
                      (name, image, command, resources, env, volumes, time, grace, job_class,
                       retries, read_only_root, project, placement, max_price, start_by, expected,
                       reservation, if_site_lost))

struct RankView {
  std::uint32_t rank = 0;
  std::string node;
  std::vector<std::string> gpus;  // UUIDs, or "emulated-…"
  core::RankState state{};
  std::optional<std::int32_t> exit_code;
};
BOOST_DESCRIBE_STRUCT(RankView, (), (rank, node, gpus, state, exit_code))

// The start a waiting job can count on: nobody who comes later takes it away.
struct PromiseView {
  Instant made_at;
  Instant start_by;
  bool certain = false;  // all it waits for has a limit; else likely, by what was learnt
};
BOOST_DESCRIBE_STRUCT(PromiseView, (), (made_at, start_by, certain))

struct JobView {
  std::string id;
  std::string name;
  std::string project;
  std::string user;
  core::JobState state{};
  std::optional<core::Outcome> outcome;  // once ended
  std::optional<std::string> why;        // why it waits, stops or ended: a sentence
  std::uint32_t generation = 1;
  core::JobClass job_class{};
  std::string image;
  std::vector<std::string> command;
  std::string sku;  // "cpu" for jobs without GPUs; the request until placed
  std::uint32_t nodes = 1;
  std::uint32_t gpus_per_node = 0;
  std::int64_t cpu_milli = 0;   // per node
  std::int64_t memory_mib = 0;  // per node
  bool emulated = false;        // on emulated hardware: shown wherever a person looks
  std::vector<RankView> ranks;
  std::vector<std::string> volumes;
  Instant submitted_at;
  std::optional<Instant> started_at;  // of the current generation
  std::optional<Instant> ended_at;
  std::optional<std::int64_t> time_limit_s;
  std::optional<std::int32_t> exit_code;
  std::int64_t retries_left = 0;
  std::string price_usd_per_hour;
  std::int64_t billed_s = 0;    // so far, all generations
  std::int64_t cost_ticks = 0;  // so far, all generations
  std::string cost_usd;
  std::optional<Instant> paid_until;     // what the credit held now covers
  std::optional<std::string> gpu_share;  // of its one GPU: "0.25"
  std::optional<std::string> mig;        // memory eighths of its one GPU: "2/8"
  std::optional<Placement> placement;    // what it asked for
  std::optional<std::string> max_price_usd;
  std::optional<Instant> start_by;
  std::optional<std::int64_t> expected_run_s;
  std::optional<std::string> reservation;  // its name
  std::optional<PromiseView> promise;      // while it waits
  std::optional<Instant> claimed_at;       // it was given GPUs that others must leave first
  std::optional<Instant> checkpoint_at;    // its latest notice of saved work
  std::uint32_t preemptions = 0;
  std::optional<std::string> currency;           // of its money; absent: USD
  std::optional<std::string> site;               // where it is leased
  std::optional<core::IfSiteLost> if_site_lost;  // absent: it waits
};
BOOST_DESCRIBE_STRUCT(JobView, (),
                      (id, name, project, user, state, outcome, why, generation, job_class, image,
                       command, sku, nodes, gpus_per_node, cpu_milli, memory_mib, emulated, ranks,
                       volumes, submitted_at, started_at, ended_at, time_limit_s, exit_code,
                       retries_left, price_usd_per_hour, billed_s, cost_ticks, cost_usd, paid_until,
                       gpu_share, mig, placement, max_price_usd, start_by, expected_run_s,
                       reservation, promise, claimed_at, checkpoint_at, preemptions, currency, site,
                       if_site_lost))

struct JobList {
  std::vector<JobView> items;              // newest first
  std::optional<std::string> next_cursor;  // ?cursor= for the next page
};
BOOST_DESCRIBE_STRUCT(JobList, (), (items, next_cursor))

// One server-sent event of GET /v1/jobs/{id}/logs; its id is the byte offset of the next line, to
// be given back as Last-Event-ID. `event: end` carries the final JobView when the job has ended.
struct LogEvent {
  std::uint32_t rank = 0;
  std::string at;
  bool is_stderr = false;
  bool partial = false;  // no newline yet
  std::string text;
};
BOOST_DESCRIBE_STRUCT(LogEvent, (), (rank, at, is_stderr, partial, text))

// One server-sent event of GET /v1/events; its id is the fact's sequence number.
struct Event {
  std::uint64_t sequence = 0;
  Instant at;
  std::string kind;  // the fact's kind: "job_submitted", "lease_granted", …
  std::optional<std::string> job;
  std::optional<std::string> project;
  std::optional<core::JobState> state;  // of the job, after the fact
  std::string text;                     // one sentence for a person
};
BOOST_DESCRIBE_STRUCT(Event, (), (sequence, at, kind, job, project, state, text))

// ---- what can be had, at what price
// ---------------------------------------------------------------

struct Offer {
  std::string sku;
  std::string description;  // "NVIDIA H100 SXM5 80 GB"
  bool emulated = false;
  std::int64_t gpu_memory_gib = 0;
  std::uint32_t nodes = 0;
  std::uint32_t gpus_per_node = 0;
  std::uint32_t gpus_total = 0;
  std::uint32_t gpus_free = 0;
  std::uint32_t largest_gang_free = 0;  // nodes that are wholly free now
  std::int64_t cpu_milli_free = 0;
  std::int64_t memory_mib_free = 0;
  std::string on_demand_usd_per_gpu_hour;  // empty for cpu
  std::string spot_usd_per_gpu_hour;
  std::string usd_per_vcpu_hour;
  std::string usd_per_gib_hour;
  std::string availability;  // "now", "full: 3 jobs wait", "cordoned: …"
  std::vector<OfferSite> sites;
};
BOOST_DESCRIBE_STRUCT(Offer, (),
                      (sku, description, emulated, gpu_memory_gib, nodes, gpus_per_node, gpus_total,
                       gpus_free, largest_gang_free, cpu_milli_free, memory_mib_free,
                       on_demand_usd_per_gpu_hour, spot_usd_per_gpu_hour, usd_per_vcpu_hour,
                       usd_per_gib_hour, availability, sites))
struct OfferList {
  std::vector<Offer> items;
  std::vector<std::string> notes;       // "docker 20.10 cannot hand over a GPU safely", …
  std::optional<std::string> currency;  // of the prices; absent: USD
};
BOOST_DESCRIBE_STRUCT(OfferList, (), (items, notes, currency))

// ---- money ------------------------------------------------------------------------------------

struct ReceiptLine {
  std::string component;
  std::string quantity;
  std::string unit;
  std::string unit_usd_per_hour;
  std::int64_t seconds = 0;  // billed
  std::int64_t amount_ticks = 0;
  std::string amount_usd;
};
BOOST_DESCRIBE_STRUCT(ReceiptLine, (),
                      (component, quantity, unit, unit_usd_per_hour, seconds, amount_ticks,
                       amount_usd))

struct ReceiptInterval {
  std::uint32_t generation = 1;
  Instant started_at;
  std::optional<Instant> ended_at;  // absent: still running
  std::int64_t observed_s = 0;      // billed_s + waived_s
  std::int64_t billed_s = 0;
  std::int64_t waived_s = 0;  // run past what was paid: the house's cost
  std::uint32_t price_version = 0;
  std::vector<ReceiptLine> lines;
  std::int64_t amount_ticks = 0;
  std::string amount_usd;
};
BOOST_DESCRIBE_STRUCT(ReceiptInterval, (),
                      (generation, started_at, ended_at, observed_s, billed_s, waived_s,
                       price_version, lines, amount_ticks, amount_usd))

struct TransferView {
  std::string id;  // 32 hex digits
  Instant at;
  std::string kind;    // "pending", "post", "void", "single"
  std::string debit;   // "2300 wallet demo"
  std::string credit;  // "4000 revenue h100"
  std::int64_t amount_ticks = 0;
  std::string amount_usd;
  std::string reason;  // "hold", "usage", "release", "credit"
};
BOOST_DESCRIBE_STRUCT(TransferView, (),
                      (id, at, kind, debit, credit, amount_ticks, amount_usd, reason))

struct Receipt {
  std::string job;
  std::string name;
  std::string project;
  core::JobState state{};
  bool emulated = false;
  std::vector<ReceiptInterval> intervals;
  std::vector<TransferView> transfers;
  std::int64_t total_ticks = 0;  // Σ intervals
  std::string total_usd;
  std::int64_t posted_ticks = 0;  // Σ posted transfers; equals total_ticks once ended
  std::int64_t held_ticks = 0;    // pending now
  std::optional<std::string> currency;
};
BOOST_DESCRIBE_STRUCT(Receipt, (),
                      (job, name, project, state, emulated, intervals, transfers, total_ticks,
                       total_usd, posted_ticks, held_ticks, currency))

struct UsageRow {
  std::string key;  // the project, user, SKU or day; "total"
  std::int64_t jobs = 0;
  std::int64_t gpu_seconds = 0;
  std::int64_t vcpu_milliseconds_k = 0;  // vCPU-milli × seconds
  std::int64_t memory_mib_seconds = 0;
  std::int64_t amount_ticks = 0;
  std::string amount_usd;
  std::int64_t gpu_milli_seconds = 0;   // exact where shares were used; gpu_seconds is rounded
  std::optional<std::string> currency;  // of its money; absent: USD
};
BOOST_DESCRIBE_STRUCT(UsageRow, (),
                      (key, jobs, gpu_seconds, vcpu_milliseconds_k, memory_mib_seconds,
                       amount_ticks, amount_usd, gpu_milli_seconds, currency))
struct Usage {  // GET /v1/usage?by=project|user|sku|day&from=&to=
  std::string by;
  std::vector<UsageRow> rows;    // what is in two currencies has a row in each
  std::vector<UsageRow> totals;  // one a currency
};
BOOST_DESCRIBE_STRUCT(Usage, (), (by, rows, totals))

struct Finding {
  std::string check;  // "debits equal credits, ledger USD·tick"
  bool holds = false;
  std::int64_t examined = 0;
  std::string detail;  // figures; what differs where it does not hold
};
BOOST_DESCRIBE_STRUCT(Finding, (), (check, holds, examined, detail))
struct LedgerCheck {  // GET /v1/ledger/check
  bool holds = false;
  std::vector<Finding> findings;
};
BOOST_DESCRIBE_STRUCT(LedgerCheck, (), (holds, findings))

struct AccountView {  // GET /v1/ledger/accounts
  std::uint32_t account = 0;
  std::uint32_t code = 0;
  std::string name;    // "wallet demo"
  std::string ledger;  // "USD·tick", "USD·minor"
  std::int64_t debits_pending = 0;
  std::int64_t debits_posted = 0;
  std::int64_t credits_pending = 0;
  std::int64_t credits_posted = 0;
};
BOOST_DESCRIBE_STRUCT(AccountView, (),
                      (account, code, name, ledger, debits_pending, debits_posted, credits_pending,
                       credits_posted))
struct AccountList {
  std::vector<AccountView> items;
};
BOOST_DESCRIBE_STRUCT(AccountList, (), (items))

// ---- who --------------------------------------------------------------------------------------

struct OrgRequest {
  std::string name;
};
BOOST_DESCRIBE_STRUCT(OrgRequest, (), (name))
struct OrgView {
  std::string id;
  std::string name;
  Instant created_at;
};
BOOST_DESCRIBE_STRUCT(OrgView, (), (id, name, created_at))
struct OrgList {
  std::vector<OrgView> items;
};
BOOST_DESCRIBE_STRUCT(OrgList, (), (items))

struct ProjectRequest {
  std::string name;
  std::string org;
};
BOOST_DESCRIBE_STRUCT(ProjectRequest, (), (name, org))
struct ProjectView {
  std::string id;
  std::string name;
  std::string org;
  Instant created_at;
  std::string wallet_usd;  // available: credit less posted less held
  std::string held_usd;
  std::string spent_usd;
  std::optional<std::string> warning;  // "credit runs out at …"
  std::int64_t weight = 100;           // in the queue: 200 may use twice what 100 may
  std::optional<std::string> currency;
};
BOOST_DESCRIBE_STRUCT(ProjectView, (),
                      (id, name, org, created_at, wallet_usd, held_usd, spent_usd, warning, weight,
                       currency))
struct ProjectList {
  std::vector<ProjectView> items;
};
BOOST_DESCRIBE_STRUCT(ProjectList, (), (items))

struct UserRequest {
  std::string name;
  std::string org;
};
BOOST_DESCRIBE_STRUCT(UserRequest, (), (name, org))
struct UserView {
  std::string id;
  std::string name;
  std::string org;
  Instant created_at;
};
BOOST_DESCRIBE_STRUCT(UserView, (), (id, name, org, created_at))
struct UserList {
  std::vector<UserView> items;
};
BOOST_DESCRIBE_STRUCT(UserList, (), (items))

struct KeyRequest {
  std::optional<core::Role> role;      // default customer
  std::optional<std::string> project;  // required for customer keys
  std::optional<std::string> user;     // required for customer keys
  std::optional<std::string> label;
  // By whom it is used: no secret is made, whoever the OIDC provider knows by this name signs in.
  std::optional<std::string> sign_in;
};
BOOST_DESCRIBE_STRUCT(KeyRequest, (), (role, project, user, label, sign_in))
struct KeyView {
  std::string id;
  std::string prefix;  // what is safe to show: "amp_3fK2…"; empty: it has no secret
  core::Role role{};
  std::optional<std::string> project;
  std::optional<std::string> user;
  std::string label;
  Instant created_at;
  bool revoked = false;
  std::optional<std::string> sign_in;  // as whom its holder signs in
  std::optional<std::string> secret;   // the whole key: only in the answer that makes it
};
BOOST_DESCRIBE_STRUCT(KeyView, (),
                      (id, prefix, role, project, user, label, created_at, revoked, sign_in,
                       secret))
struct KeyList {
  std::vector<KeyView> items;
};
BOOST_DESCRIBE_STRUCT(KeyList, (), (items))

struct CreditRequest {
  std::string project;
  std::string amount;  // of the org's currency
  std::optional<std::string> note;
};
BOOST_DESCRIBE_STRUCT(CreditRequest, (), (project, amount, note))

struct SessionRequest {
  std::string key;
};
BOOST_DESCRIBE_STRUCT(SessionRequest, (), (key))
// How a browser can sign in here, beside an API key.
struct SignInWays {
  std::optional<std::string>
      oidc;  // the provider's name for people: GET /v1/session/oidc leads there
};
BOOST_DESCRIBE_STRUCT(SignInWays, (), (oidc))

struct WhoAmI {
  core::Role role{};
  std::optional<std::string> project;
  std::optional<std::string> org;
  std::optional<std::string> user;
  std::optional<std::string> sign_in;  // as whom the OIDC provider knows the caller
  std::string cloud;
  std::string version;
  std::string engine;  // "podman 4.3.1", "stub: no work is really run"
};
BOOST_DESCRIBE_STRUCT(WhoAmI, (), (role, project, org, user, sign_in, cloud, version, engine))

// ---- fleet ------------------------------------------------------------------------------------

struct NodeView {
  std::string name;
  std::string site;
  std::string sku;
  bool emulated = false;
  core::NodeState state{};
  std::uint32_t gpus = 0;
  std::uint32_t gpus_free = 0;
  std::int64_t cpu_milli = 0;
  std::int64_t cpu_milli_free = 0;
  std::int64_t memory_mib = 0;
  std::int64_t memory_mib_free = 0;
  std::vector<std::string> jobs;
  std::optional<std::string> rack;
  std::optional<std::string> leaf;    // the switch its network cards hang on
  std::optional<std::string> nvlink;  // an NVLink domain wider than the node
  std::optional<std::string> kept;    // now: "maintenance", "drain", "reserved: NAME"
};
BOOST_DESCRIBE_STRUCT(NodeView, (),
                      (name, site, sku, emulated, state, gpus, gpus_free, cpu_milli, cpu_milli_free,
                       memory_mib, memory_mib_free, jobs, rack, leaf, nvlink, kept))
struct NodeList {
  std::vector<NodeView> items;
  std::optional<std::string> next_cursor;
};
BOOST_DESCRIBE_STRUCT(NodeList, (), (items, next_cursor))

// GET /v1/fleet: who stands where, for a picture of all of it; what each does: /v1/fleet/live.
struct FleetMap {
  std::vector<std::string> sites;
  std::vector<std::string> racks;  // "" where that is not known
  std::vector<std::string> skus;
  std::vector<std::string> nodes;       // these four have one entry for each node
  std::vector<std::uint32_t> site;      // its place in `sites`
  std::vector<std::uint32_t> rack;      // in `racks`; two sites' racks of one name are two
  std::vector<std::uint32_t> sku;       // in `skus`
  std::vector<std::uint32_t> gpus;      // how many
  std::vector<std::uint32_t> emulated;  // places in `skus`
};
BOOST_DESCRIBE_STRUCT(FleetMap, (), (sites, racks, skus, nodes, site, rack, sku, gpus, emulated))

// One server-sent event of GET /v1/fleet/live: first everything, then what changed; after nodes
// were added, everything again. A letter for each node, and one for each of its GPUs in order.
//   node: a active, c cordoned, m kept for maintenance or drained, u its site is not heard of,
//         d its site drains or is closed, x absent
//   GPU:  . free, w free and kept by a reservation, p free and promised or claimed;
//         leased to r reserved, o on demand, s spot, h house; in capitals: starting or stopping
struct FleetChange {
  std::uint32_t node = 0;  // from 0, as in FleetMap
  std::string state;
  std::string gpus;
};
BOOST_DESCRIBE_STRUCT(FleetChange, (), (node, state, gpus))
struct FleetEvent {
  std::uint64_t sequence = 0;        // of the world that it shows
  std::optional<std::string> nodes;  // everything: a letter for each node …
  std::optional<std::string> gpus;   // … and for all GPUs, node by node
  std::vector<FleetChange> changes;
};
BOOST_DESCRIBE_STRUCT(FleetEvent, (), (sequence, nodes, gpus, changes))

// GET /v1/job-pages: where each page of GET /v1/jobs begins, so that a list can be read anywhere.
struct JobPages {
  std::int64_t total = 0;
  std::int64_t every = 0;            // rows a page
  std::vector<std::string> cursors;  // the first is empty
};
BOOST_DESCRIBE_STRUCT(JobPages, (), (total, every, cursors))

struct NodeChange {
  core::NodeState state{};
};  // PATCH /v1/nodes/{name}
BOOST_DESCRIBE_STRUCT(NodeChange, (), (state))

struct VolumeView {
  std::string name;
  std::string project;
  std::int64_t used_bytes = 0;
  std::int64_t limit_bytes = 0;
  bool in_use = false;
  std::optional<std::string> site;  // where it lives
};
BOOST_DESCRIBE_STRUCT(VolumeView, (), (name, project, used_bytes, limit_bytes, in_use, site))
struct VolumeList {
  std::vector<VolumeView> items;
};
BOOST_DESCRIBE_STRUCT(VolumeList, (), (items))

// ---- errors: RFC 9457 -------------------------------------------------------------------------

struct Problem {
  std::string type;  // "urn:ampacity:problem:insufficient_credit"
  std::string title;
  int status = 500;
  std::string detail;  // what was wrong, where, and how to mend it
  base::Code code{};
  std::vector<base::Wrong> wrong;
  std::vector<base::Missing> missing;
  std::optional<Instant> earliest;
};
BOOST_DESCRIBE_STRUCT(Problem, (), (type, title, status, detail, code, wrong, missing, earliest))

}  // namespace ampacity::api
