// GET /v1/doctor: the invariants of the living world, then engine, store, disk, webhooks, clock.
#include <fmt/format.h>

#include <chrono>

#include "api/contract_doctor.h"
#include "audit/audit.h"
#include "base/onward_clock.h"
#include "core/desire.h"
#include "core/invariants.h"
#include "core/order.h"
#include "server/app.h"
#include "store/deliveries.h"
#include "store/store_file.h"

namespace ampacity::server {
namespace {

using api::CheckState;
using base::Duration;

constexpr Duration late_timer = Duration::seconds(60);
constexpr Duration late_stop = Duration::seconds(120);  // after the kill
constexpr Duration late_delivery = Duration::seconds(600);
constexpr Duration late_fold = Duration::seconds(5);
constexpr Duration clock_slack = Duration::seconds(60);
constexpr std::uint64_t least_disk_bytes = 1ULL << 30;
constexpr std::uint64_t most_facts_to_fold = 200'000;
constexpr std::uint64_t most_facts_since_snapshot = 2'000'000;
constexpr std::size_t most_jobs_to_digest = 10'000;

class Report {
 public:
  api::DoctorReport report;
  void ok(std::string check, std::string detail) {
    report.checks.push_back({std::move(check), CheckState::ok, std::move(detail), {}});
  }
  void bad(std::string check, std::string detail, std::string next) {
    report.clean = false;
    report.checks.push_back(
        {std::move(check), CheckState::bad, std::move(detail), std::move(next)});
  }
  void unknown(std::string check, std::string detail) {
    report.checks.push_back({std::move(check), CheckState::unknown, std::move(detail), {}});
  }
};

const char* const keep_evidence =
    "stop ampacityd, keep a copy of the state directory, start it again: the world is folded anew "
    "from the journal; if it is bad again, send the copy with this line";

// What is asked of the world, in one go on the loop's thread.
struct Look {
  std::vector<core::Violation> broken, late;
  std::size_t jobs = 0, nodes = 0, accounts = 0;
  std::vector<std::string> late_stops;
  std::vector<std::string> sites_open, sites_unknown;  // the latter with since when
  std::vector<core::Webhook> webhooks;
  base::Instant last_fact;
  std::uint64_t sequence = 0;
  std::int64_t took_us = 0;
};

Look look_at(const core::World& w, base::Instant now) {
  const auto began = std::chrono::steady_clock::now();
  const core::State& s = w.state();
  Look look{core::violations(w, std::max(now, s.now)),
            core::overdue(w, now, late_timer),
            w.live_jobs,
            s.nodes.size(),
            s.accounts.size(),
            {},
            {},
            {},
            s.webhooks,
            s.now,
            s.sequence,
            0};
  for (const core::Site& site : s.sites) {
    if (site.removed) continue;
    if (site.unknown_since.us)
      look.sites_unknown.push_back(site.name + ", last seen " +
                                   base::format_instant(site.unknown_since));
    else
      look.sites_open.push_back(site.name);
  }
  for (const auto& [order, slot] : w.leased) {
    const core::Job& job = s.jobs[slot];
    if (s.sites[w.site_of(*job.lease)].unknown_since.us) continue;  // nobody could have told it
    if (job.state == core::JobState::stopping && look.late_stops.size() < 10 &&
        core::notice_ends(s.policy, job) + late_stop < now)
      look.late_stops.push_back(core::job_name(job.id));
  }
  look.took_us = std::chrono::duration_cast<std::chrono::microseconds>(
                     std::chrono::steady_clock::now() - began)
                     .count();
  return look;
}

void say_violations(Report& r, const char* check, const std::vector<core::Violation>& found) {
  for (std::size_t i = 0; i < found.size() && i < 10; ++i)
    r.bad(check, fmt::format("{} {}: {}", found[i].invariant, found[i].where, found[i].what),
          keep_evidence);
  if (found.size() > 10) r.bad(check, fmt::format("and {} more", found.size() - 10), keep_evidence);
}

void check_world(Report& r, const Look& look) {
  if (look.broken.empty())
    r.ok("world", fmt::format("every invariant holds: {} live jobs, {} nodes, {} accounts",
                              look.jobs, look.nodes, look.accounts));
  say_violations(r, "world", look.broken);
  if (look.late.empty())
    r.ok("timers", "none is late");
  else
    r.bad("timers",
          fmt::format("{} late; the first: {} {}", look.late.size(), look.late[0].where,
                      look.late[0].what),
          "the loop does not keep up, or the clock jumped: look at ampacityd's log and `top`");
}

void check_leadership(Report& r, const Leadership& l, bool leads) {
  const auto leader = l.leader();
  if (leads && l.may_act())
    r.ok("leader", fmt::format("this server leads, epoch {}", leader.epoch));
  else if (leads)
    r.bad("leader", "this server's lease is over and it could not be renewed",
          "look at the database: until it answers nothing starts and nothing is changed");
  else if (leader.url.empty())
    r.bad("leader", "nobody leads", "look at the database and at the log of each ampacityd");
  else
    r.ok("leader", fmt::format("this server follows {}, epoch {}", leader.url, leader.epoch));
  const std::string behind = fmt::format("{} ms behind", l.lag().us / 1000);
  if (l.lag() < late_fold)
    r.ok("lag", behind);
  else
    r.bad("lag", behind, "look at the database and at this machine's load: it folds too slowly");
}

void check_engine(Report& r, const Look& look, const engines::EngineHealth& h) {
  const std::string who = h.kind + (h.version.empty() ? "" : " " + h.version);
  if (h.reachable)
    r.ok("engine", who + " answers");
  else
    r.bad("engine", who + " does not answer: " + h.note,
          "start it again; what runs goes on meanwhile, and nothing new starts");
  if (h.listed_at.us == 0)
    r.unknown("strays", "the engine has not listed what runs");
  else if (h.strays == 0)
    r.ok("strays", "nothing of ours runs that nobody wants");
  else
    r.bad("strays", fmt::format("{} run that nobody wants: {}", h.strays, h.note),
          "the engine ends them by itself: ask again in half a minute; if they stay, look at them "
          "on the node with `ps` and `podman ps -a`");
  std::string late;
  for (const std::string& job : look.late_stops) late += (late.empty() ? "" : ", ") + job;
  if (late.empty())
    r.ok("stops", "no job outlives its notice");
  else if (h.reachable)
    r.bad("stops", late + " should have ended",
          "look at its containers on the node; a process that cannot be killed needs a reboot");
  else
    r.unknown("stops", late + " should have ended; the engine does not answer");
}

void check_sites(Report& r, const Look& look) {
  if (look.sites_unknown.empty())
    r.ok("sites", fmt::format("{} reached", fmt::join(look.sites_open, ", ")));
  for (const std::string& site : look.sites_unknown)
    r.bad("sites", site + ": it cannot be reached",
          "mend its engine or the way to it; its leases wait, `ampacity fleet` says until when");
}

void check_books(Report& r, const store::StoreAt& options) {
  auto db = store::open_to_read(options);
  if (!db) {
    r.unknown("store pages", db.error().message);
  } else if (options.on_postgres()) {
    r.ok("store pages", "PostgreSQL looks after its own (pg_amcheck, data checksums)");
  } else {
    std::string said;
    {
      auto rows = db->query("PRAGMA quick_check(3)");
      while (rows.next()) said += (said.empty() ? "" : "; ") + rows.text(0);
      if (rows.fault()) said = rows.fault()->message;
    }
    if (said == "ok")
      r.ok("store pages", "SQLite finds them whole");
    else
      r.bad("store pages", said, "stop ampacityd and bring back the latest copy of the store");
  }
  for (const auto& f : audit::check_ledger(options)) {
    if (f.holds)
      r.ok("books: " + f.check, fmt::format("{} examined; {}", f.examined, f.detail));
    else
      r.bad("books: " + f.check, f.detail,
            "issue no invoice until it is understood: `ampacity ledger check`, and "
            "`ampacityd rebuild` with the server stopped");
  }
}

void check_disk(Report& r, const store::StoreAt& store) {
  if (store.on_postgres())
    return r.unknown("disk", "the store is PostgreSQL's: its disk is not seen from here");
  std::error_code error;
  const auto space = std::filesystem::space(store.file.parent_path(), error);
  if (error) return r.unknown("disk", error.message());
  const std::string free =
      fmt::format("{:.1f} GiB free", static_cast<double>(space.available) / (1 << 30));
  if (space.available < least_disk_bytes)
    r.bad("disk", free, "free some: when it is full every change is refused");
  else
    r.ok("disk", free);
}

std::optional<std::uint64_t> snapshot_at(const store::StoreAt& options) {
  auto db = store::open_to_read(options);
  if (!db) return std::nullopt;
  auto rows = db->query("SELECT coalesce(max(sequence), 0) FROM snapshots");
  if (!rows.next()) return std::nullopt;
  return rows.number(0);
}

void check_clock(Report& r, const Look& look, base::Clock& clock) {
  const Duration ahead = base::ahead_of_wall(clock);
  if (ahead <= clock_slack)
    r.ok("clock", "the latest fact is of " + base::format_instant(look.last_fact));
  else
    r.bad(
        "clock",
        fmt::format("this cloud is {} ahead of its machine's clock, which was set back",
                    base::format_duration(ahead)),
        "if the machine's clock is right, leave it: time goes on here, 1.8 s an hour slower until "
        "they agree; if it is wrong, mend it (chrony, NTP)");
}

void check_webhooks(Report& r, const Look& look, const store::StoreAt& options, base::Instant now) {
  for (const core::Webhook& h : look.webhooks)
    if (!h.enabled)
      r.bad("webhook", h.url + " is switched off: " + h.why,
            "mend the receiver, then `ampacity webhooks enable`");
  auto reader = store::DeliveryReader::open(options);
  if (!reader) return r.unknown("webhooks", reader.error().message);
  std::size_t stuck = 0, waiting = 0;
  for (const auto& d : reader->waiting()) {
    ++waiting;
    stuck += d.next_at + late_delivery < now;
  }
  const std::string figures = fmt::format("{}, {} deliveries wait", look.webhooks.size(), waiting);
  if (stuck == 0)
    r.ok("webhooks", figures);
  else
    r.bad("webhooks", fmt::format("{}, {} of them long due", figures, stuck),
          "the senders do not keep up: `ampacity webhooks deliveries`");
}

}  // namespace

// The fold of the journal beside the living world, where that is cheap.
namespace {

void check_fold(Report& r, Loop& loop, const Look& look, const store::StoreAt& options) {
  const auto at = snapshot_at(options);
  if (!at) return r.unknown("snapshot", "the store cannot be read");
  const std::uint64_t since = look.sequence - std::min(look.sequence, *at);
  const std::string figures = fmt::format("{} facts since the latest snapshot", since);
  if (since > most_facts_since_snapshot)
    r.bad("snapshot", figures, "a start takes long: look for `snapshot:` in ampacityd's log");
  else
    r.ok("snapshot", figures);
  if (since > most_facts_to_fold || look.jobs > most_jobs_to_digest)
    return r.unknown("fold", "too much to fold while people wait: `ampacityd rebuild` offline");
  for (int i = 0; i < 5; ++i) {
    const auto folded = store::fold_snapshot(options);
    if (!folded)
      return r.bad("fold", "the journal does not fold: " + folded.error().message, keep_evidence);
    const auto living = loop.ask([n = folded->sequence](const core::World& w) {
      return w.state().sequence == n ? core::state_digest(w.state()) : std::string();
    });
    if (living.empty()) continue;  // it went on meanwhile
    if (living == folded->digest)
      return r.ok("fold", fmt::format("{} facts fold to the living world", folded->sequence));
    return r.bad("fold", "the journal folds to another world than the living one", keep_evidence);
  }
  r.unknown("fold", "the world changes faster than the journal can be folded: try again");
}

}  // namespace

void App::doctor(Call&, net::Reply& reply) {
  Report r;
  r.report.clean = true;
  const base::Instant now = clock_.now();
  const Look look = loop_.ask([now](const core::World& w) { return look_at(w, now); });
  r.report.loop_us = look.took_us;
  check_world(r, look);
  if (options_.leadership) check_leadership(r, *options_.leadership, loop_.leads());
  if (loop_.leads())
    check_engine(r, look, engine_.health());
  else
    r.unknown("engine", "this server follows: ask the leader");
  check_sites(r, look);
  check_books(r, options_.store);
  check_fold(r, loop_, look, options_.store);
  check_disk(r, options_.store);
  check_webhooks(r, look, options_.store, now);
  check_clock(r, look, clock_);
  reply.send(json_response(base::to_json(r.report)));
}

}  // namespace ampacity::server
