// Every point at which the disk may crash, fail a sync or a write, or be full, in the standard
// workload of the store: one after the other, none left out.
#include <doctest/doctest.h>

#include "sim/crash_case.h"
#include "store/migrations.h"
#include "store/store_file.h"

namespace ampacity::sim {
namespace {

struct Plan {
  DiskOptions disk;
  std::uint64_t images = 2;     // at each point, with other sectors lost
  std::size_t whole_every = 0;  // points: with an audit and a rebuild
  std::size_t on_every = 0;     // points: the next commits are tried
  std::size_t twice_every = 0;  // points: crashes again at each change of the next start
};

// The disk crashes while it is opened again, and while it is closed.
void crash_again(Disk& image, const StoreRun& run, std::size_t done, const std::string& where,
                 Found& found) {
  std::size_t n = 0;
  image.before_change = [&](DiskChange) {
    ++found.crashes;
    const auto second = image.after_crash(++n);
    found.note(where + ", crashed again at " + std::to_string(n),
               check_recovered(second->at(), run, done, true, 0).wrong);
  };
  const auto opened = store::open_journal(image.at());
  found.expect(opened.has_value(), where, "it cannot be opened");
}

// Runs the workload once and looks, before each change of the disk, at what would be found.
Found crash_everywhere(const StoreRun& run, const Plan& plan) {
  Found found;
  Disk disk(plan.disk);
  std::size_t done = 0;
  disk.before_change = [&](DiskChange) {
    ++found.points;
    bool loses = false;
    for (std::uint64_t i = 0; i < plan.images; ++i) {
      const std::uint64_t seed = plan.disk.seed * 1'000'003 + found.points * 31 + i;
      const auto image = disk.after_crash(seed);
      const std::string where =
          "point " + std::to_string(found.points) + " seed " + std::to_string(seed) + " step " +
          std::to_string(done) +
          (done < run.steps.size() ? " " + std::string(run.steps[done].word()) : "");
      if (plan.twice_every != 0 && found.points % plan.twice_every == 7)
        crash_again(*disk.after_crash(seed), run, done, where, found);
      const bool on = i == 0 && plan.on_every != 0 && found.points % plan.on_every == 0;
      const Recovered r = check_recovered(image->at(), run, done, true, on ? 2 : 0);
      found.note(where, r.wrong);
      if (i == 0 && plan.whole_every != 0 && found.points % plan.whole_every == 0)
        found.note(where, check_whole(image->at()));
      loses |= r.lost;
      ++found.crashes;
    }
    found.points_of_loss += loses;
  };
  std::unique_ptr<store::Journal> journal;
  const auto options = store_on(disk);
  for (const StoreStep& step : run.steps) {
    const auto r = run_step(step, options, journal);
    CHECK_MESSAGE(r, r.error().message);
    ++done;
  }
  journal.reset();
  MESSAGE(found.points << " points: " << disk.counts().of(DiskChange::create) << " files made, "
                       << disk.counts().of(DiskChange::write) << " writes, "
                       << disk.counts().of(DiskChange::sync) << " syncs, "
                       << disk.counts().of(DiskChange::sync_folder) << " of the folder, "
                       << disk.counts().of(DiskChange::truncate) << " truncations, "
                       << disk.counts().of(DiskChange::remove) << " removals");
  return found;
}

}  // namespace

TEST_CASE("what was acknowledged survives a crash at every change of the disk") {
  const Quiet quiet;
  for (const bool psow : {false, true}) {
    const Seconds seconds;
    Plan plan;
    plan.disk.power_safe_overwrite = psow;
    plan.images = psow ? 1 : 2;
    plan.whole_every = 30;
    plan.on_every = 4;
    plan.twice_every = psow ? 200 : 400;
    const Found found = crash_everywhere(the_run(), plan);
    CHECK_MESSAGE(found.wrong == 0, found.said());
    CHECK(found.points > 500);
    MESSAGE(found.crashes << " crashes in " << seconds.so_far() << " s");
  }
}

TEST_CASE("planted: with synchronous = NORMAL acknowledged commits are lost, and it is seen") {
  const Quiet quiet;
  Plan plan;
  plan.disk.weaken_synchronous = true;
  plan.images = 1;
  const Found found = crash_everywhere(the_run(), plan);
  CHECK(found.points_of_loss > 100);
  MESSAGE(found.points_of_loss << " of " << found.points << " points lose what was acknowledged");
}

TEST_CASE("a crash in the midst of migrations: the next start goes on where they ended") {
  const Quiet quiet;
  const Seconds seconds;
  Found found;
  for (const std::size_t version : {0U, 3U, 8U, 12U}) {
    Disk older;
    if (version > 0) {
      auto db = store::Database::open(older.at(), store::Database::Mode::create);
      REQUIRE(db);
      REQUIRE(db->exec("PRAGMA page_size = 8192; PRAGMA journal_mode = WAL"));
      REQUIRE(store::migrate(*db, store::migrations().first(version)));
      REQUIRE(db->exec(
          "INSERT INTO usage (job, generation, project_ix, user_ix, sku_ix, job_class, started_at, "
          "ended_at, billed_s, waived_s, price_version, gpu_price, gpus, vcpu_price, cpu_milli, "
          "gib_price, memory_mib, gpu_amount, vcpu_amount, memory_amount) VALUES (zeroblob(16), 1, "
          "0, 0, 0, 'spot', 0, 0, 0, 0, 1, 1, 8, 1, 1, 1, 1, 0, 0, 0)"));
    }
    const auto clean = older.clone(1);
    REQUIRE(store::open_journal(clean->at()));
    const auto contents = contents_digest(clean->at());
    REQUIRE(contents);
    const auto disk = older.clone(version + 1);
    disk->before_change = [&](DiskChange) {
      ++found.points;
      for (std::uint64_t i = 0; i < 2; ++i) {
        const auto image = disk->after_crash(found.points * 31 + i);
        ++found.crashes;
        const std::string where =
            "from " + std::to_string(version) + " point " + std::to_string(found.points);
        const auto opened = store::open_journal(image->at());
        found.expect(opened.has_value(), where, opened ? "" : opened.error().message);
        const auto now = contents_digest(image->at());
        found.expect(now && *now == *contents, where, "it is not what a clean start makes");
        found.note(where, check_sound(image->at()));
      }
    };
    REQUIRE(store::open_journal(disk->at()));
  }
  CHECK_MESSAGE(found.wrong == 0, found.said());
  CHECK(found.points > 300);
  MESSAGE(found.points << " points, " << found.crashes << " crashes in " << seconds.so_far()
                       << " s");
}

}  // namespace ampacity::sim
