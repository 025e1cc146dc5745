// Every sync that fails, every write that fails or finds the disk full, in each step of the
// standard workload: what was acknowledged is kept, what was refused did not happen, and it goes
// on.
#include <doctest/doctest.h>

#include "sim/crash_case.h"

namespace ampacity::sim {
namespace {

// The store just before each step, its log not yet copied: as a killed process leaves it.
const std::vector<std::unique_ptr<Disk>>& stages() {
  static const auto all = [] {
    std::vector<std::unique_ptr<Disk>> out;
    const Disk disk;
    std::unique_ptr<store::Journal> journal;
    for (const StoreStep& step : the_run().steps) {
      out.push_back(disk.clone(out.size() + 1));
      if (!run_step(step, store_on(disk), journal)) out.clear();
    }
    return out;
  }();
  return all;
}

struct Trial {
  std::unique_ptr<Disk> disk;
  store::StoreAt options;
  std::unique_ptr<store::Journal> journal;
  std::size_t done = 0;
  std::string where;
  const StoreStep& step() const { return the_run().steps[done]; }
  std::expected<void, store::AppendFault> run() { return run_step(step(), options, journal); }
};

// For each step and each n: the fault is set, and `judge` does the step and what comes of it.
template <typename Judge>
Found at_each(std::uint64_t DiskFaults::*fault, bool psow, Judge&& judge) {
  Found found;
  for (std::size_t done = 0; done < stages().size(); ++done) {
    for (std::uint64_t n = 1;; ++n) {
      Trial t;
      t.disk = std::make_unique<Disk>(DiskOptions{n * 131 + done, psow, false});
      t.disk->take_files_of(*stages()[done]);
      t.options = store_on(*t.disk);
      t.done = done;
      if (t.step().kind == StoreStep::Kind::settle) t.options.pages_before_checkpoint = 0;
      t.where = "step " + std::to_string(done) + " " + std::string(t.step().word()) + " call " +
                std::to_string(n);
      auto opened = store::open_journal(t.options);
      found.expect(opened.has_value(), t.where, "it cannot be opened");
      if (!opened) break;
      t.journal = std::move(*opened);
      t.disk->faults.*fault = n;
      const auto result = t.run();
      if (t.disk->faults.*fault != 0) break;  // there is no n-th
      ++found.points;
      judge(t, result, found);
    }
  }
  return found;
}

using Result = std::expected<void, store::AppendFault>;

bool holds(const Trial& t, std::size_t steps) {
  const auto contents = contents_digest(t.options);
  return contents && *contents == the_run().contents[steps];
}

// Nothing is written any more on a journal whose sync failed.
void check_stopped(Trial& t, const Result& result, Found& found) {
  if (t.step().kind == StoreStep::Kind::reopen || !t.journal) return;
  if (t.step().acknowledged() && result)
    return found.note(t.where, {"acknowledged without a sync"});
  if (!result) found.expect(!result.error().disk_full(), t.where, "taken for a full disk");
  std::size_t next = t.done;
  while (next < the_run().steps.size() && !the_run().steps[next].acknowledged()) ++next;
  if (next == the_run().steps.size()) return;
  const std::uint64_t changes = t.disk->counts().all_changes();
  const auto again = run_step(the_run().steps[next], t.options, t.journal);
  found.expect(!again && !again.error().disk_full(), t.where, "it goes on after a failed sync");
  found.expect(t.disk->counts().all_changes() == changes, t.where, "it writes after a failed sync");
}

void check_failed_sync(Trial& t, const Result& result, Found& found) {
  check_stopped(t, result, found);
  const std::size_t acknowledged = t.done + (t.step().acknowledged() && result ? 1 : 0);
  t.disk->crash();  // the process ends where it stands, without closing anything
  t.journal.reset();
  // The power fails too; or only the process starts again, goes on, and then the power fails.
  const auto dark = t.disk->after_crash(t.done, Loss::some);
  found.note(t.where + ", power lost",
             check_recovered(store_on(*dark), the_run(), acknowledged, true, 1).wrong);
  t.disk->restart(Loss::nothing);
  auto again = store::open_journal(t.options);
  found.expect(again.has_value(), t.where, "it cannot be started again");
  if (!again) return;
  t.journal = std::move(*again);
  std::size_t now = acknowledged + (holds(t, acknowledged) ? 0 : 1);
  if (!holds(t, now)) return found.note(t.where, {"started again, it holds something else"});
  for (int i = 0; i < 3 && t.journal && now < the_run().steps.size(); ++i, ++now) {
    const auto r = run_step(the_run().steps[now], t.options, t.journal);
    found.expect(r.has_value(), t.where, r ? "" : "started again: " + r.error().message);
  }
  for (const Loss loss : {Loss::everything, Loss::some}) {
    const auto later = t.disk->after_crash(t.done + 1, loss);
    found.note(t.where + ", started again, power lost",
               check_recovered(store_on(*later), the_run(), now, false, 1).wrong);
    ++found.crashes;
  }
}

void check_refused(Trial& t, const Result& result, Found& found) {
  const bool quiet = !t.step().acknowledged();
  if (quiet) {
    t.disk->make_room();
    const auto again = t.run();
    found.expect(again.has_value(), t.where, again ? "" : again.error().message);
  } else if (!result) {
    found.expect(result.error().disk_full(), t.where, result.error().message);
    found.expect(holds(t, t.done), t.where, "it was refused, and happened");
    const auto dark = t.disk->after_crash(t.done, Loss::some);
    found.note(t.where + ", refused, power lost",
               check_recovered(store_on(*dark), the_run(), t.done, false, 1).wrong);
    ++found.crashes;
    t.disk->make_room();
    const auto again = t.run();
    found.expect(again.has_value(), t.where, again ? "" : "with room: " + again.error().message);
  }
  found.expect(holds(t, t.done + 1), t.where, "it did not go on");
}

void say(const Found& found, const Seconds& seconds) {
  CHECK_MESSAGE(found.wrong == 0, found.said());
  CHECK(found.points > 20);
  MESSAGE(found.points << " points in " << seconds.so_far() << " s");
}

}  // namespace

TEST_CASE("a sync fails: the journal stops, and nothing acknowledged is lost, then or later") {
  const Quiet quiet;
  const Seconds seconds;
  REQUIRE(stages().size() == the_run().steps.size());
  say(at_each(&DiskFaults::fail_sync, true, check_failed_sync), seconds);
}

TEST_CASE("the disk is full at a write: refused and nothing changed; with room it goes on") {
  const Quiet quiet;
  const Seconds seconds;
  say(at_each(&DiskFaults::fill_at_write, true, check_refused), seconds);
}

TEST_CASE("a write fails: refused and nothing changed, and it goes on") {
  const Quiet quiet;
  const Seconds seconds;
  say(at_each(&DiskFaults::fail_write, true, check_refused), seconds);
}

}  // namespace ampacity::sim
