// Metered events: taken once for ever, corrected at most once, the same whatever the order.
#include "store/meter_events.h"

#include <doctest/doctest.h>
#include <signal.h>
#include <sys/resource.h>

#include <algorithm>
#include <map>

#include "base/prng.h"
#include "store/database.h"
#include "store/journal.h"
#include "store/scratch_store.h"

namespace ampacity::store {
namespace {

using Outcomes = std::vector<MeterOutcome>;
constexpr auto accepted = MeterOutcome::accepted, duplicate = MeterOutcome::duplicate;

constexpr std::int64_t hour_us = 3'600'000'000, begin_us = 1'790'000'000'000'000;

MeterEvent event(const std::string& id, std::int64_t quantity = 1, core::ProjectIx project = 0,
                 std::int64_t hour = 0) {
  MeterEvent e;
  e.key = {core::nobody, "/meter", id};
  e.project = project;
  e.meter = "storage_gb_hours";
  e.quantity_micro = quantity;
  e.time = e.from = {begin_us + hour * hour_us};
  e.until = {e.from.us + hour_us};
  e.hash = payload_hash(e);
  return e;
}

MeterEvent correction(const std::string& id, const std::string& of, std::int64_t quantity = 1) {
  MeterEvent e = event(id, quantity);
  e.corrects = {core::nobody, "/meter", of};
  e.hash = payload_hash(e);
  return e;
}

struct Metered {
  ScratchFolder folder;
  StoreAt options = scratch_store(folder);
  std::unique_ptr<Journal> journal;
  std::int64_t now_us = begin_us;

  Metered() { open(); }
  void open() {
    journal.reset();
    auto opened = open_journal(options);
    REQUIRE_MESSAGE(opened, opened.error().message);
    journal = std::move(*opened);
  }
  // One commit of several requests.
  std::vector<Outcomes> take(std::vector<std::vector<MeterEvent>> requests) {
    std::vector<MeterBatch> batches;
    std::vector<MeterBatch*> pointers;
    now_us += 1'000'000;
    for (auto& r : requests) batches.push_back({{now_us}, std::move(r), {}, 0});
    for (auto& b : batches) pointers.push_back(&b);
    Batch write;
    write.first_sequence = 1;
    write.meter = pointers;
    const auto done = journal->append(write);
    REQUIRE_MESSAGE(done, done.error().message);
    std::vector<Outcomes> out;
    for (auto& b : batches) out.push_back(b.outcomes);
    return out;
  }
  Outcomes take(std::vector<MeterEvent> events) {
    std::vector<std::vector<MeterEvent>> one;
    one.push_back(std::move(events));
    return take(std::move(one))[0];
  }
  std::unique_ptr<MeterReader> reader() {
    auto r = open_meter_reader(options);
    REQUIRE_MESSAGE(r, r.error().message);
    return std::move(*r);
  }
  std::vector<MeterEvent> events(const MeterQuery& q = {}) {
    std::vector<MeterEvent> out;
    const auto done = reader()->each(q, [&](const MeterEvent& e) {
      out.push_back(e);
      return true;
    });
    REQUIRE_MESSAGE(done, done.error().message);
    return out;
  }
  std::string ids(const MeterQuery& q = {}) {
    std::string all;
    for (const MeterEvent& e : events(q)) all += (all.empty() ? "" : " ") + e.key.id;
    return all;
  }
  Sql<void> sql(const std::string& text) {
    auto db = Database::open(options, Database::Mode::create);
    REQUIRE(db);
    return db->exec(text);
  }
};

}  // namespace

TEST_CASE("an event is taken once; another with its name is a conflict and changes nothing") {
  Metered m;
  CHECK(m.take({event("a"), event("b"), event("a"), event("a", 2)}) ==
        Outcomes{accepted, accepted, duplicate, MeterOutcome::other_payload});
  // In one commit, and in the next, and after a restart.
  CHECK(m.take({std::vector{event("c")}, std::vector{event("c")}, std::vector{event("c", 2)}}) ==
        std::vector<Outcomes>{{accepted}, {duplicate}, {MeterOutcome::other_payload}});
  m.open();
  CHECK(m.take({event("a"), event("b", 3), event("d")}) ==
        Outcomes{duplicate, MeterOutcome::other_payload, accepted});
  // The same words for another project are not the same event.
  CHECK(m.take({event("a", 1, 1)}) == Outcomes{MeterOutcome::other_payload});
  const auto all = m.events();
  REQUIRE(all.size() == 4);
  for (std::size_t i = 0; i < all.size(); ++i) {
    CHECK(all[i].sequence == i + 1);
    CHECK(all[i].quantity_micro == 1);
    CHECK(all[i].hash == payload_hash(all[i]));
  }
  CHECK(all[0].received_at < all[3].received_at);
  CHECK(m.reader()->last_sequence() == 4);
  CHECK(verify_meter_events(m.options) == 4);
}

TEST_CASE("senders do not share names, and each field is part of what an event says") {
  Metered m;
  MeterEvent customers = event("a", 9);
  customers.key.sender = 0;
  CHECK(m.take({event("a"), customers, customers}) == Outcomes{accepted, accepted, duplicate});
  std::vector<MeterEvent> others(9, event("a"));
  others[0].meter = "m";
  others[1].quantity_micro = 7;
  others[2].time.us += 1;
  others[3].from.us -= 1;
  others[4].until.us += 1;
  others[5].sku = "x";
  others[6].site = "x";
  others[7].resource = "x";
  others[8].corrects = {core::nobody, "/meter", "z"};
  for (MeterEvent& e : others) {
    e.hash = payload_hash(e);
    CHECK(m.take({e}) == Outcomes{MeterOutcome::other_payload});
  }
  CHECK(m.events().size() == 2);
}

TEST_CASE("a correction replaces, as of when it came; it may come first, and be corrected") {
  Metered m;
  m.take({event("a", 10), event("b", 20)});
  CHECK(m.take({correction("a2", "a", 11)}) == Outcomes{accepted});
  CHECK(m.ids() == "b a2");
  CHECK(m.ids({.as_of = 2}) == "a b");
  CHECK(m.take({correction("a2", "a", 11)}) == Outcomes{duplicate});
  CHECK(m.take({correction("a3", "a", 12)}) == Outcomes{MeterOutcome::already_corrected});
  CHECK(m.take({correction("a3", "a2", 12)}) == Outcomes{accepted});
  CHECK(m.ids() == "b a3");
  CHECK(m.take({correction("c2", "c", 5), correction("c3", "c2", 6)}) ==
        Outcomes{accepted, accepted});
  CHECK(m.ids() == "b a3 c3");
  CHECK(m.take({event("c", 4)}) == Outcomes{accepted});
  CHECK(m.ids() == "b a3 c3");
  CHECK(m.ids({.as_of = 5}) == "b a3 c2");
  CHECK(verify_meter_events(m.options) == 7);
}

TEST_CASE("news of projects: the earliest period that events, or what they replace, speak of") {
  Metered m;
  const auto earliest = [&](std::vector<core::ProjectIx> projects, std::uint64_t after,
                            std::uint64_t through) -> std::int64_t {
    const auto first = m.reader()->earliest_change(projects, after, through);
    REQUIRE_MESSAGE(first, first.error().message);
    return *first ? ((*first)->us - begin_us) / hour_us : -1;
  };
  m.take({event("a", 1, 0, 5), event("b", 1, 1, 3), event("c", 1, 0, 7)});
  CHECK(earliest({0}, 0, 3) == 5);
  CHECK(earliest({0, 1}, 0, 3) == 3);
  CHECK(earliest({0, 1}, 2, 3) == 7);
  CHECK(earliest({1}, 2, 3) == -1);
  CHECK(earliest({2}, 0, 3) == -1);
  CHECK(earliest({}, 0, 3) == -1);
  // Moved to another project and a later hour: both have to be rated again, each from its own.
  MeterEvent moved = event("a2", 1, 1, 9);
  moved.corrects = {core::nobody, "/meter", "a"};
  moved.hash = payload_hash(moved);
  m.take({moved});
  CHECK(earliest({0}, 3, 4) == 5);
  CHECK(earliest({1}, 3, 4) == 9);
  CHECK(earliest({0, 1}, 4, 4) == -1);
}

TEST_CASE("corrections in a circle are refused, whichever end closes it") {
  Metered m;
  CHECK(m.take({correction("a", "b"), correction("b", "c")}) == Outcomes{accepted, accepted});
  CHECK(m.take({correction("c", "a")}) == Outcomes{MeterOutcome::circular});
  CHECK(m.take({event("c")}) == Outcomes{accepted});
  CHECK(m.ids() == "a");
  std::vector<MeterEvent> row = {event("0")};
  for (int i = 1; i <= most_corrections_in_a_row + 1; ++i)
    row.push_back(correction(std::to_string(i), std::to_string(i - 1)));
  const Outcomes outcomes = m.take(row);
  CHECK(std::count(outcomes.begin(), outcomes.end(), accepted) == most_corrections_in_a_row + 1);
  CHECK(outcomes.back() == MeterOutcome::circular);
}

TEST_CASE("reads: by project, meter and period, in pages") {
  Metered m;
  std::vector<MeterEvent> events;
  for (int i = 0; i < 2'500; ++i) {
    MeterEvent e = event("e" + std::to_string(i), i, i % 2 ? 1 : 0, (i * 7919) % 1000);
    if (i % 5 == 0) e.meter = "tokens";
    e.hash = payload_hash(e);
    events.push_back(e);
  }
  m.take(events);
  CHECK(m.events().size() == 2'500);
  const auto of_one = m.events({.project = 1});
  CHECK(of_one.size() == 1'250);
  CHECK(std::is_sorted(of_one.begin(), of_one.end(), [](const auto& a, const auto& b) {
    return std::pair(a.from, a.sequence) < std::pair(b.from, b.sequence);
  }));
  CHECK(m.events({.meter = "tokens"}).size() == 500);
  // Periods that follow each other share nothing and miss nothing.
  std::size_t parts = 0, parts_of_all = 0;
  for (std::int64_t h = 0; h < 1000; h += 250) {
    MeterQuery q{.project = 1};
    q.from = {begin_us + h * hour_us};
    q.to = {begin_us + (h + 250) * hour_us};
    parts += m.events(q).size();
    q.project = core::nobody;
    parts_of_all += m.events(q).size();
  }
  CHECK(parts == 1'250);
  CHECK(parts_of_all == 2'500);
  MeterQuery rest{.project = 1};
  rest.after = {of_one[1'100].from, of_one[1'100].sequence};
  CHECK(m.events(rest).size() == 149);
  CHECK(m.events({.as_of = 100}).size() == 100);
}

TEST_CASE("a sender's sources are bounded") {
  Metered m;
  std::vector<MeterEvent> events;
  for (std::uint32_t i = 0; i <= most_sources_per_sender; ++i) {
    events.push_back(event("x"));
    events.back().key.source = std::to_string(i);
    events.back().hash = payload_hash(events.back());
  }
  const Outcomes outcomes = m.take(events);
  CHECK(std::count(outcomes.begin(), outcomes.end(), accepted) == most_sources_per_sender);
  CHECK(outcomes.back() == MeterOutcome::too_many_sources);
  MeterEvent other = event("x");
  other.key.sender = 4;
  CHECK(m.take({other}) == Outcomes{accepted});
  CHECK(verify_meter_events(m.options) == most_sources_per_sender + 1);
}

TEST_CASE("a full disk refuses the events, keeps none, and takes the same ones later") {
  if (on_postgres()) return;  // a limit on the size of files: of this process
  Metered m;
  m.take({event("a")});
  std::vector<MeterEvent> events;
  for (int i = 0; i < 2'000; ++i) {
    events.push_back(event(std::to_string(i)));
    events.back().key.source = "/new";
    events.back().hash = payload_hash(events.back());
  }
  MeterBatch batch{{begin_us}, events, {}, 0};
  MeterBatch* const pointer = &batch;
  Batch write;
  write.first_sequence = 1;
  write.meter = {&pointer, 1};
  signal(SIGXFSZ, SIG_IGN);
  rlimit was{};
  REQUIRE(getrlimit(RLIMIT_FSIZE, &was) == 0);
  const auto log_size = std::filesystem::file_size(m.options.file.string() + "-wal");
  rlimit tight{log_size + 20'000, was.rlim_max};
  REQUIRE(setrlimit(RLIMIT_FSIZE, &tight) == 0);
  const auto full = m.journal->append(write);
  REQUIRE(setrlimit(RLIMIT_FSIZE, &was) == 0);
  REQUIRE_FALSE(full);
  CHECK(full.error().disk_full());
  CHECK(m.ids() == "a");
  const Outcomes outcomes = m.take(events);
  CHECK(std::count(outcomes.begin(), outcomes.end(), accepted) == 2'000);
  CHECK(verify_meter_events(m.options) == 2'001);
}

TEST_CASE("rows are never changed: the database refuses, and the chain shows what went round it") {
  Metered m;
  m.take({event("a", 10), event("b", 20)});
  m.take({event("c", 30)});
  for (const char* sql : {"UPDATE meter_events SET quantity_micro = 1", "DELETE FROM meter_events",
                          "UPDATE meter_sources SET source = 'x'", "DELETE FROM meter_sources",
                          "UPDATE meter_commits SET received_at = 1", "DELETE FROM meter_commits"})
    CHECK_FALSE(m.sql(sql));
  const auto altered = [](const std::string& sql) {
    Metered n;
    n.take({event("a", 10), event("b", 20)});
    n.take({event("c", 30)});
    n.take({event("d", 40)});
    CHECK(verify_meter_events(n.options));
    REQUIRE(alter_without_guards(n.options, sql));
    return !verify_meter_events(n.options).has_value();
  };
  CHECK(altered("UPDATE meter_events SET quantity_micro = 11 WHERE sequence = 1"));
  CHECK(altered("UPDATE meter_events SET project_ix = 1 WHERE sequence = 2"));
  CHECK(altered("UPDATE meter_sources SET source = 'x'"));
  CHECK(altered("DELETE FROM meter_events WHERE sequence = 2"));
  CHECK(altered("DELETE FROM meter_events WHERE sequence = 4"));
  CHECK(altered("DELETE FROM meter_commits WHERE last_sequence = 3"));
  CHECK(altered("DELETE FROM meter_commits WHERE last_sequence = 4"));
}

// A history without conflicts: some events, some corrected, some of those again.
std::vector<MeterEvent> random_history(base::SeededPrng& prng) {
  std::vector<MeterEvent> all;
  std::vector<std::string> uncorrected;
  const std::uint64_t size = 5 + prng.next() % 60;
  for (std::uint64_t i = 0; i < size; ++i) {
    const std::string id = "e" + std::to_string(i);
    MeterEvent e = event(id, static_cast<std::int64_t>(prng.next() % 100),
                         static_cast<core::ProjectIx>(prng.next() % 3),
                         static_cast<std::int64_t>(prng.next() % 50));
    if (!uncorrected.empty() && prng.next() % 3 == 0) {
      const std::size_t at = prng.next() % uncorrected.size();
      e.corrects = {core::nobody, "/meter", uncorrected[at]};
      uncorrected.erase(uncorrected.begin() + static_cast<std::ptrdiff_t>(at));
    }
    e.hash = payload_hash(e);
    uncorrected.push_back(id);
    all.push_back(e);
  }
  return all;
}

TEST_CASE("property: replays, duplicates and any order leave the same rows") {
  base::SeededPrng prng(20261122);
  const int rounds = on_postgres() ? 8 : 40;
  for (int round = 0; round < rounds; ++round) {
    CAPTURE(round);
    const auto history = random_history(prng);
    const auto said = [](const std::vector<MeterEvent>& events) {
      std::map<std::string, std::string> out;
      for (const MeterEvent& e : events)
        out[e.key.id] = std::to_string(e.project) + ":" + base::to_hex(e.hash) + e.corrects.id;
      CHECK(out.size() == events.size());
      return out;
    };
    std::map<std::string, std::string> expected = said(history);
    for (const MeterEvent& e : history)
      if (e.is_correction()) expected.erase(e.corrects.id);

    std::vector<MeterEvent> sent = history;
    const std::uint64_t again = prng.next() % (2 * history.size());
    for (std::uint64_t i = 0; i < again; ++i) sent.push_back(history[prng.next() % history.size()]);
    for (std::size_t i = sent.size(); i > 1; --i) std::swap(sent[i - 1], sent[prng.next() % i]);
    Metered m;
    std::size_t taken = 0;
    for (std::size_t at = 0; at < sent.size();) {
      std::vector<std::vector<MeterEvent>> commit;
      for (std::uint64_t requests = 1 + prng.next() % 3; requests > 0; --requests) {
        const std::size_t n = std::min<std::size_t>(prng.next() % 9, sent.size() - at);
        commit.emplace_back(sent.begin() + static_cast<std::ptrdiff_t>(at),
                            sent.begin() + static_cast<std::ptrdiff_t>(at + n));
        at += n;
      }
      for (const Outcomes& outcomes : m.take(std::move(commit)))
        for (const MeterOutcome o : outcomes) {
          CHECK((o == accepted || o == duplicate));
          taken += o == accepted;
        }
      if (prng.next() % 8 == 0) m.open();
    }
    CHECK(taken == history.size());
    CHECK(said(m.events()) == expected);
    CHECK(verify_meter_events(m.options) == history.size());
  }
}

}  // namespace ampacity::store
