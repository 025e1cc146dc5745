// How many jobs a second the journal makes durable: whole lives (submitted, granted, started,
// closed) with their rows, in commits of 256, on a disk; then how long a restart takes.
//   journal_bench [jobs] [folder]
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>

#include "store/sample_cloud.h"

using namespace ampacity;
using Steady = std::chrono::steady_clock;

namespace {

constexpr int per_commit = 256;

double seconds_since(Steady::time_point t) {
  return std::chrono::duration<double>(Steady::now() - t).count();
}
double cpu_seconds() {
  timespec t{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) * 1e-9;
}

struct Appended {
  double seconds = 0;
  double cpu_s = 0;
  double project_s = 0;  // core and projection, for comparison
  std::vector<double> commit_ms;
};

// One commit: some jobs arrive and start, those of the commit before run, those before it end.
void one_turn(store::SampleCloud& cloud, bool arrive, bool end) {
  cloud.now.us += 10'000;
  while (!cloud.running.empty() && end) cloud.end_next();
  while (!cloud.starting.empty()) cloud.start_next();
  for (int i = 0; i < per_commit && arrive; ++i) cloud.submit();
}

Appended append_lives(store::SampleCloud& cloud, store::Journal& journal, int jobs) {
  Appended out;
  for (int done = 0; done < jobs + 2 * per_commit; done += per_commit) {
    const auto made = Steady::now();
    one_turn(cloud, done < jobs, true);
    out.project_s += seconds_since(made);
    if (cloud.facts.empty()) continue;
    const auto begun = Steady::now();
    const double cpu = cpu_seconds();
    const auto r = cloud.commit(journal);
    if (!r) {
      std::fprintf(stderr, "append: %s\n", r.error().message.c_str());
      std::exit(1);
    }
    out.cpu_s += cpu_seconds() - cpu;
    out.commit_ms.push_back(seconds_since(begun) * 1e3);
    out.seconds += out.commit_ms.back() / 1e3;
  }
  std::sort(out.commit_ms.begin(), out.commit_ms.end());
  return out;
}

double timed_load(const store::StoreAt& options, std::string& digest) {
  const auto begun = Steady::now();
  auto journal = store::open_journal(options);
  auto world = journal ? (*journal)->load() : std::unexpected(journal.error());
  if (!world) {
    std::fprintf(stderr, "load: %s\n", world.error().message.c_str());
    std::exit(1);
  }
  const double seconds = seconds_since(begun);
  digest = state_digest(world->state());
  return seconds;
}

}  // namespace

int main(int argc, char** argv) {
  const int jobs = argc > 1 ? std::atoi(argv[1]) : 100'000;
  std::string folder = argc > 2 ? argv[2] : "/var/tmp";
  folder += "/ampacity-journal-bench-XXXXXX";
  if (!mkdtemp(folder.data())) {
    std::perror("mkdtemp");
    return 1;
  }
  const store::StoreAt options{std::filesystem::path(folder) / "ampacity.db"};
  store::SampleCloud cloud(1'250);  // 10,000 GPUs
  auto journal = store::open_journal(options);
  if (!journal) {
    std::fprintf(stderr, "open: %s\n", journal.error().message.c_str());
    return 1;
  }
  const Appended a = append_lives(cloud, **journal, jobs);
  for (int i = 0; i < 10'000; ++i) cloud.submit("live");
  while (!cloud.starting.empty()) cloud.start_next();
  if (!cloud.commit(**journal)) return 1;
  journal->reset();

  std::string digest_all, digest_snapshot;
  const double load_all_s = timed_load(options, digest_all);
  const auto folding = Steady::now();
  const auto snapshot = store::fold_snapshot(options);
  const double fold_s = seconds_since(folding);
  journal = store::open_journal(options);
  const auto keeping = Steady::now();
  if (!snapshot || !journal || !(*journal)->keep_snapshot(snapshot->sequence, snapshot->body))
    return 1;
  const double keep_ms = seconds_since(keeping) * 1e3;
  journal->reset();
  const double load_s = timed_load(options, digest_snapshot);
  const bool equal =
      digest_all == state_digest(cloud.world.state()) && digest_all == digest_snapshot;

  const auto at = [&](double q) {
    return a.commit_ms[static_cast<std::size_t>(q * static_cast<double>(a.commit_ms.size() - 1))];
  };
  std::printf(
      "{\"jobs_per_s\":%.0f,\"jobs\":%d,\"per_commit\":%d,\"cpu_us_per_job\":%.1f,"
      "\"core_and_project_us_per_job\":%.1f,\"commit_ms_p50\":%.2f,\"commit_ms_p99\":%.2f,"
      "\"commit_ms_max\":%.2f,\"db_mib\":%.0f,\"live_jobs\":10000,\"load_without_snapshot_s\":%.2f,"
      "\"fold_snapshot_s\":%.2f,\"keep_snapshot_ms\":%.1f,\"snapshot_mib\":%.1f,"
      "\"load_with_snapshot_s\":%.2f,\"digests_equal\":%s}\n",
      jobs / a.seconds, jobs, per_commit, a.cpu_s / jobs * 1e6, a.project_s / jobs * 1e6, at(0.5),
      at(0.99), a.commit_ms.back(),
      static_cast<double>(std::filesystem::file_size(options.file)) / 1048576.0, load_all_s, fold_s,
      keep_ms, static_cast<double>(snapshot->body.size()) / 1048576.0, load_s,
      equal ? "true" : "false");
  std::filesystem::remove_all(folder);
  return equal ? 0 : 1;
}
