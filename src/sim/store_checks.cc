#include "sim/store_checks.h"

#include <algorithm>
#include <functional>

#include "audit/audit.h"
#include "store/store_file.h"
#include "store/tables.h"

namespace ampacity::sim {
namespace {

// Every cell of every row, then its digest: a quick one.
base::Try<void> add_rows(store::Cursor rows, std::string& all) {
  std::string bytes;
  while (rows.next())
    for (int i = 0; i < rows.columns(); ++i) rows.append_to(bytes, i);
  if (rows.fault()) return std::unexpected(store::to_fault(*rows.fault()));
  all += std::to_string(std::hash<std::string>{}(bytes)) + ' ';  // compared in one process only
  return {};
}

// What keys are to be answered after that many steps.
std::vector<const store::Remembered*> answers_after(const StoreRun& run, std::size_t steps) {
  std::vector<const store::Remembered*> out;
  for (std::size_t i = 0; i < steps; ++i) {
    const StoreStep& step = run.steps[i];
    for (const store::Remembered& r : step.remembered) out.push_back(&r);
    if (step.kind == StoreStep::Kind::forget)
      std::erase_if(out, [&](const store::Remembered* r) { return r->at < step.before; });
  }
  return out;
}

// Which number of steps the contents are of: the first that fits, from `from` on. Not found: none.
std::size_t find_steps(const StoreRun& run, const std::string& contents, std::size_t from,
                       std::size_t until) {
  for (std::size_t n = from; n < until; ++n)
    if (run.contents[n] == contents) return n;
  return until;
}

void go_on(const store::StoreAt& store, const StoreRun& run, std::size_t commits,
           std::unique_ptr<store::Journal>& journal, Recovered& r) {
  std::size_t at = r.steps;
  while (commits > 0 && at < run.steps.size()) {
    const StoreStep& step = run.steps[at++];
    if (const auto done = run_step(step, store, journal); !done) {
      r.wrong.push_back("the next " + std::string(step.word()) + " fails: " + done.error().message);
      return;
    }
    commits -= step.kind == StoreStep::Kind::append;
  }
  if (at == r.steps) return;
  const auto contents = contents_digest(store);
  if (!contents || *contents != run.contents[at])
    r.wrong.push_back("after the next commits it holds something else");
}

}  // namespace

base::Try<std::string> contents_digest(const store::StoreAt& options) {
  auto db = store::open_to_read(options);
  if (!db) return std::unexpected(std::move(db.error()));
  std::string all;
  const auto add = [&](store::Literal sql) { return add_rows(db->query(sql), all); };
  if (auto r = add("SELECT type, name, sql FROM sqlite_schema ORDER BY type, name"); !r)
    return std::unexpected(std::move(r.error()));
  if (auto r = add("SELECT * FROM migrations"); !r) return std::unexpected(std::move(r.error()));
  for (const store::Table& table : store::tables)
    if (auto r = add(table.rows); !r) return std::unexpected(std::move(r.error()));
  return all;
}

std::vector<std::string> check_sound(const store::StoreAt& options) {
  std::vector<std::string> wrong;
  auto db = store::open_to_read(options);
  if (!db) return {"it cannot be opened: " + db.error().message};
  auto sound = db->query("PRAGMA integrity_check");
  if (!sound.next() || sound.bytes(0) != "ok")
    wrong.push_back("integrity_check: " + (sound.fault() ? sound.fault()->message : sound.text(0)));
  auto sums = db->query(
      "SELECT ledger FROM accounts GROUP BY ledger HAVING sum(debits_posted) <> "
      "sum(credits_posted) OR sum(debits_pending) <> sum(credits_pending)");
  if (sums.next()) wrong.push_back("ledger " + sums.text(0) + " does not sum to zero");
  if (sums.fault()) wrong.push_back(sums.fault()->message);
  return wrong;
}

std::vector<std::string> check_whole(const store::StoreAt& options) {
  std::vector<std::string> wrong = check_sound(options);
  for (const audit::Finding& f : audit::check_ledger(options))
    if (!f.holds) wrong.push_back("audit: " + f.check + ": " + f.detail);
  if (const auto events = store::verify_meter_events(options); !events)
    wrong.push_back(events.error().message);
  const auto rebuilt = store::rebuild_read_models(options);
  if (!rebuilt)
    wrong.push_back("rebuild: " + rebuilt.error().message);
  else if (rebuilt->before != rebuilt->after)
    wrong.push_back("the read models are not those of the facts");
  return wrong;
}

Recovered check_recovered(const store::StoreAt& options, const StoreRun& run,
                          std::size_t acknowledged, bool in_flight, std::size_t commits_after) {
  Recovered r;
  auto opened = store::open_journal(options);
  if (!opened) {
    r.wrong.push_back("it cannot be opened: " + opened.error().message);
    return r;
  }
  std::unique_ptr<store::Journal> journal = std::move(*opened);
  r.wrong = check_sound(options);
  const auto contents = contents_digest(options);
  if (!contents) {
    r.wrong.push_back("it cannot be read: " + contents.error().message);
    return r;
  }
  const std::size_t until = acknowledged + 1 + (in_flight && acknowledged < run.steps.size());
  r.steps = find_steps(run, *contents, acknowledged, until);
  if (r.steps == until) {
    r.steps = find_steps(run, *contents, 0, acknowledged);
    r.lost = r.steps < acknowledged;
    r.wrong.push_back(r.lost ? "acknowledged steps are lost" : "it holds what it never held");
    return r;
  }
  const auto world = journal->load();
  if (!world)
    r.wrong.push_back("it does not fold: " + world.error().message);
  else if (core::state_digest(world->state()) != run.states[r.steps])
    r.wrong.push_back("it folds to another world");
  for (const store::Remembered* a : answers_after(run, r.steps)) {
    const auto there = journal->recall(a->scope, a->key);
    if (!there || there->body != a->body || there->fingerprint != a->fingerprint)
      r.wrong.push_back("the answer to " + a->key + " is gone");
  }
  go_on(options, run, commits_after, journal, r);
  return r;
}

}  // namespace ampacity::sim
