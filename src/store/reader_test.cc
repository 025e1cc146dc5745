// A reader beside an open journal: pages of jobs, windows of usage, transfers, facts to resume
// from.
#include <doctest/doctest.h>

#include <algorithm>

#include "store/sample_cloud.h"
#include "store/scratch_store.h"

namespace ampacity::store {
namespace {

// Nine commits, a minute and a half second apart: 21 jobs ended, 3 running, 3 starting.
struct Read {
  ScratchFolder folder;
  StoreAt options = scratch_store(folder);
  std::unique_ptr<Journal> journal;
  std::unique_ptr<Reader> reader;
  std::vector<core::Fact> facts;
  std::uint64_t sequence = 0;

  Read() {
    auto opened = open_journal(options);
    REQUIRE(opened);
    journal = std::move(*opened);
    SampleCloud cloud(4);
    for (int i = 0; i < 9; ++i) {
      cloud.now.us += 60'000'500;
      while (!cloud.running.empty()) cloud.end_next();
      while (!cloud.starting.empty()) cloud.start_next();
      for (int k = 0; k < 3; ++k) cloud.submit(k ? "train" : "odd", 0, k ? 1000 : 250);
      facts.insert(facts.end(), cloud.facts.begin(), cloud.facts.end());
      REQUIRE(cloud.commit(*journal));
    }
    sequence = cloud.world.state().sequence;
    auto reading = open_reader(options);
    REQUIRE(reading);
    reader = std::move(*reading);
  }
  std::vector<UsageRow> ended(std::uint32_t project, Instant from, Instant to) const {
    std::vector<UsageRow> rows;
    const auto read =
        reader->each_ended(project, from, to, [&](const UsageRow& row) { rows.push_back(row); });
    REQUIRE_MESSAGE(read, read.error().message);
    return rows;
  }
};

TEST_CASE("jobs come in pages, newest first, each once") {
  Read r;
  std::vector<Id> seen;
  std::string cursor;
  for (int pages = 0; pages < 20; ++pages) {
    const auto page = r.reader->jobs(0, "", cursor, 4);
    for (const auto& job : page.jobs) seen.push_back(job.id);
    if (!page.next_cursor) break;
    cursor = *page.next_cursor;
  }
  CHECK(seen.size() == 21);
  CHECK(std::is_sorted(seen.rbegin(), seen.rend()));
  CHECK(std::adjacent_find(seen.begin(), seen.end()) == seen.end());
  CHECK(r.reader->jobs(core::nobody, "odd", "", 100).jobs.size() == 7);
  CHECK(r.reader->jobs(core::nobody, "", "", 100).jobs.size() == 21);
  CHECK_FALSE(r.reader->jobs(core::nobody, "", "", 21).next_cursor);
  CHECK(r.reader->jobs(1, "", "", 100).jobs.empty());
  CHECK(r.reader->jobs(0, "", "junk", 100).jobs.empty());
}

TEST_CASE("jobs by a part of their name, and where each page of them begins") {
  Read r;
  CHECK(r.reader->jobs_named(0, "RAI", "", 100).jobs.size() == 14);
  CHECK(r.reader->jobs_named(0, "", "", 100).jobs.size() == 21);
  for (const char* none : {"%", "_", "!", "x"})
    CHECK_MESSAGE(r.reader->jobs_named(0, none, "", 100).jobs.empty(), none);
  // Three others before it on the first page of five.
  const auto marks = r.reader->job_marks(core::nobody, "train", 3, 5);
  CHECK(marks.count == 14);
  REQUIRE(marks.last.size() == 3);
  const auto all = r.reader->jobs_named(core::nobody, "train", "", 100).jobs;
  for (std::size_t i = 0; i < marks.last.size(); ++i) {
    const auto page = r.reader->jobs_named(core::nobody, "train", marks.last[i], 5).jobs;
    const std::size_t at = 2 + 5 * i;
    REQUIRE(page.size() == std::min<std::size_t>(5, all.size() - at));
    if (!page.empty()) CHECK(page.front().id == all[at].id);
  }
  CHECK(r.reader->job_marks(1, "", 0, 5).count == 0);
}

TEST_CASE("a job, its transfers and its usage agree") {
  Read r;
  const Id newest = r.reader->jobs(0, "", "", 1).jobs.at(0).id;
  const auto job = r.reader->job(newest);
  REQUIRE(job);
  CHECK(job->outcome == core::Outcome::succeeded);
  REQUIRE(job->intervals.size() == 1);
  CHECK(job->intervals[0].billed_s == 61);
  CHECK_FALSE(r.reader->job({1, 2}));
  const auto transfers = r.reader->transfers(newest);
  REQUIRE(transfers.size() == 2);
  CHECK(core::kind_of(transfers[0].transfer) == core::TransferKind::pending);
  CHECK(core::kind_of(transfers[1].transfer) == core::TransferKind::post);
  CHECK(transfers[1].transfer.pending_id == transfers[0].transfer.id);
  CHECK(transfers[1].transfer.amount == job->intervals[0].amounts.total());
  CHECK(transfers[1].job == newest);
  CHECK(transfers[1].generation == 1);

  const auto usage = r.ended(0, {0}, {INT64_MAX});
  REQUIRE(usage.size() == 21);
  CHECK(usage[20].amounts == job->intervals[0].amounts);
  CHECK(usage[20].rates.gpu_price == 47'800);
  for (const UsageRow& u : usage) {
    const bool share = r.reader->job(u.job)->name == "odd";
    CHECK(u.rates.gpu_milli == (share ? 250 : 1000));
    CHECK(u.amounts.gpu == 47'800 * u.billed_s / (share ? 4 : 1));
  }
  const Instant middle = usage[10].ended_at;  // windows that follow each other share nothing
  const std::size_t before = r.ended(0, {0}, middle).size();
  CHECK(before > 0);
  CHECK(before + r.ended(0, middle, {INT64_MAX}).size() == 21);
  CHECK(r.ended(core::nobody, {0}, {INT64_MAX}).size() == 21);
  CHECK(r.ended(7, {0}, {INT64_MAX}).empty());
}

TEST_CASE("usage of many pages is shown whole, in order, each row once") {
  Read r;
  constexpr int hours = 5, each = 700;  // more that began at one instant than half a page
  core::World world = std::move(*r.journal->load());
  Rows rows;
  for (int i = 0; i < hours * each; ++i) {
    UsageRow row;
    row.job = {9, static_cast<std::uint64_t>(i * 7919 % (hours * each) + 1)};
    row.generation = 1;
    row.org = 4;
    row.project = 4;
    row.job_class = "on_demand";
    row.started_at = {(i % hours) * 3'600'000'000LL};
    row.ended_at = row.started_at + base::Duration::seconds(1'800);
    row.billed_s = 1'800;
    row.started_sequence = row.sequence = static_cast<std::uint64_t>(i % 100 + 1);
    rows.usage.push_back(row);
  }
  Batch batch;
  batch.first_sequence = r.sequence + 1;
  batch.rows = &rows;
  batch.after = &world.state();
  REQUIRE(r.journal->append(batch));

  const auto shown = [&](Instant from, Instant until, std::uint64_t known) {
    std::vector<UsageRow> out;
    REQUIRE(r.reader->each_usage(4, from, until, known, [&](const auto& u) { out.push_back(u); }));
    const auto place = [](const UsageRow& u) { return std::tie(u.started_at, u.job); };
    for (std::size_t i = 1; i < out.size(); ++i) CHECK(place(out[i - 1]) < place(out[i]));
    return out.size();
  };
  const auto hour = [](std::int64_t n) { return Instant{n * 3'600'000'000}; };
  CHECK(shown(hour(0), hour(9), 1'000) == hours * each);
  CHECK(shown(hour(2), hour(9), 1'000) == 3 * each);
  CHECK(shown(hour(2), hour(4), 1'000) == 2 * each);
  CHECK(shown(hour(4), hour(9), 0) == hours * each);  // what was not known then is shown, too
  CHECK(r.ended(4, hour(1), hour(9)).size() == 4 * each);
  CHECK(r.reader->earliest_since(4, 0).value() == hour(0));
  CHECK(r.reader->earliest_since(4, 100).value() == std::nullopt);
}

TEST_CASE("facts resume after any sequence, within and across commits") {
  Read r;
  CHECK(r.reader->last_sequence() == r.sequence);
  for (std::uint64_t after = 0; after <= r.sequence; ++after) {
    const auto facts = r.reader->facts_after(after, 25);
    REQUIRE(facts.size() == std::min<std::size_t>(25, r.facts.size() - after));
    for (std::size_t i = 0; i < facts.size(); ++i) {
      REQUIRE(facts[i].sequence == after + 1 + i);
      std::string a, b;
      core::write_fact(a, facts[i].fact);
      core::write_fact(b, r.facts[after + i]);
      REQUIRE(a == b);
    }
  }
}

TEST_CASE("the view shows one row per fact") {
  Read r;
  auto db = open_to_read(r.options);
  REQUIRE(db);
  auto row = db->query("SELECT count(*), max(sequence), min(kind) FROM facts");
  REQUIRE(row.next());
  CHECK(row.number(0) == r.facts.size());
  CHECK(row.number(1) == r.sequence);
  CHECK(row.bytes(2) == "account_opened");
}

}  // namespace
}  // namespace ampacity::store
