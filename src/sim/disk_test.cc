// The disk itself: what is durable and what is not, that a crash is one, that a seed repeats.
#include "sim/disk.h"

#include <doctest/doctest.h>

#include <set>

#include "sim/crash_case.h"
#include "sim/disk_node.h"

namespace ampacity::sim {
namespace {

std::string filled(char with, std::size_t sectors) {
  return std::string(sectors * sector_bytes, with);
}

// The workload until something fails; how many steps were done.
std::size_t run_until_fault(const Disk& disk, std::unique_ptr<store::Journal>& journal) {
  std::size_t done = 0;
  for (const StoreStep& step : the_run().steps) {
    if (!run_step(step, store_on(disk), journal)) break;
    if (!disk.crashed() || step.acknowledged()) ++done;
    if (disk.crashed()) break;
  }
  return done;
}

}  // namespace

TEST_CASE("unsynced sectors are found old or new, in every mixture; synced ones are kept") {
  DiskFile file;
  file.write(0, filled('a', 4));
  file.sync();
  file.write(sector_bytes, filled('b', 2));
  file.write(2 * sector_bytes, filled('c', 3));
  base::SeededPrng prng(1);
  std::set<std::string> kinds;
  for (int i = 0; i < 2'000; ++i) {
    const std::string found = file.after(Loss::some, false, prng).seen();
    REQUIRE(found.size() >= 4 * sector_bytes);
    std::string kind;
    for (std::size_t at = 0; at < found.size(); at += sector_bytes) {
      REQUIRE(found.substr(at, sector_bytes) == std::string(sector_bytes, found[at]));
      kind += found[at] ? found[at] : '0';
    }
    kinds.insert(kind);
  }
  for (const std::string& kind : kinds) CHECK(kind[0] == 'a');
  for (const char* kind : {"aaaa", "abaa", "aaba", "aaca", "aaac", "abbcc", "abcac", "aaaa0"})
    CHECK_MESSAGE(kinds.contains(kind), kind);
  CHECK(file.after(Loss::everything, true, prng).seen() == filled('a', 4));
  CHECK(file.after(Loss::nothing, true, prng).seen() == file.seen());
  file.fail_sync(prng);
  file.sync();  // says nothing of what the failed one lost
  CHECK(file.after(Loss::some, false, prng).seen() != file.seen());
}

TEST_CASE("a crash is the end of every call until the restart, and of old connections for ever") {
  const Quiet quiet;
  for (std::uint64_t n = 1; n < 2'200; n += 97) {
    Disk disk({n, false, false});
    std::unique_ptr<store::Journal> journal;
    disk.faults.crash_before = n;
    const std::size_t done = run_until_fault(disk, journal);
    REQUIRE(disk.crashed());
    const std::uint64_t changes = disk.counts().all_changes();
    CHECK_FALSE(store::open_journal(disk.at()));
    disk.restart(n % 2 ? Loss::some : Loss::nothing);
    if (journal) CHECK_FALSE(journal->set_meta("a", "b"));
    journal.reset();
    CHECK(disk.counts().all_changes() == changes);
    const Recovered r = check_recovered(disk.at(), the_run(), done, true, 3);
    CHECK_MESSAGE(r.wrong.empty(), (r.wrong.empty() ? "" : r.wrong.front()) << ", crash " << n);
  }
}

TEST_CASE("the same seed makes the same crash, byte for byte; disks do not know of each other") {
  const Quiet quiet;
  const auto image = [](std::uint64_t seed) {
    (void)the_run();  // made once, not in the midst of the first of these
    make_sqlite_repeatable(7);
    Disk disk({seed, false, false});
    const Disk other({seed, false, false});
    std::unique_ptr<store::Journal> journal, beside;
    REQUIRE(run_step(the_run().steps[0], store_on(other), beside));
    disk.faults.crash_before = 700;
    (void)run_until_fault(disk, journal);
    journal.reset();
    disk.restart();
    return disk.find("ampacity.db")->file.seen() + disk.find("ampacity.db-wal")->file.seen();
  };
  CHECK(image(3) == image(3));
  CHECK(image(3) != image(4));
}

}  // namespace ampacity::sim
