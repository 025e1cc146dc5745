// The store by what it promises: what was appended is read back, altered or missing parts are
// refused, a failed append changed nothing.
#include <doctest/doctest.h>
#include <signal.h>
#include <sys/resource.h>

#include <boost/mp11.hpp>
#include <fstream>
#include <thread>

#include "base/json.h"
#include "store/fold.h"
#include "store/migrations.h"
#include "store/row_writer.h"
#include "store/sample_cloud.h"
#include "store/scratch_store.h"
#include "store/tables.h"

namespace ampacity::store {
namespace {

namespace fs = std::filesystem;

struct Stored {
  ScratchFolder folder;
  StoreAt options = scratch_store(folder);
  std::unique_ptr<Journal> journal;

  Stored() { open(); }
  void open() {
    journal.reset();
    auto opened = open_journal(options);
    REQUIRE_MESSAGE(opened, opened.error().message);
    journal = std::move(*opened);
  }
  std::string loaded_digest() {
    auto world = journal->load();
    REQUIRE_MESSAGE(world, world.error().message);
    return state_digest(world->state());
  }
  // Behind the journal's back, as a person with a SQL prompt.
  Sql<void> sql(const std::string& text) {
    auto db = Database::open(options, Database::Mode::create);
    REQUIRE(db);
    return db->exec(text);
  }
};

void append(SampleCloud& cloud, Journal& journal) {
  const auto r = cloud.commit(journal);
  REQUIRE_MESSAGE(r, r.error().message);
}

// Some lives in several commits: running, ended, failed and live jobs.
void some_days(SampleCloud& cloud, Journal& journal, int commits) {
  for (int c = 0; c < commits; ++c) {
    cloud.now.us += 1'234'567 + static_cast<std::int64_t>(cloud.draw(400'000'000));
    while (cloud.running.size() > 1) cloud.end_next(cloud.draw(5) == 0 ? 1 : 0);
    while (!cloud.starting.empty()) cloud.start_next();
    for (int i = 0; i < 4; ++i) cloud.submit("job" + std::to_string(i), 1000 + 7 * i);
    cloud.run(core::Tick{});
    append(cloud, journal);
  }
}

TEST_CASE("every kind of fact is read back as it was written") {
  std::vector<core::Fact> facts;
  boost::mp11::mp_for_each<boost::mp11::mp_iota_c<std::variant_size_v<core::FactBody>>>(
      [&](auto i) {
        core::Fact f{{1'700'000'000'000'000 + static_cast<std::int64_t>(i)}, "key-\"\n\u00e9", {}};
        f.body.emplace<decltype(i)::value>();
        facts.push_back(f);
      });
  core::Job job;
  job.id = {~0ULL >> 1, ~0ULL};
  job.lease.emplace().places = {{3, ~0ULL}};  // all 64 GPUs: a mask above the signed range
  job.spec.command = {"sh", "-c", "echo \"\t\\\""};
  facts.push_back({{1}, "engine", core::JobSubmitted{job}});
  std::string text = "[";
  for (const auto& f : facts) {
    if (text.size() > 1) text += ',';
    core::write_fact(text, f);
  }
  text += ']';
  auto back = parse_facts(text);
  REQUIRE_MESSAGE(back, back.error().message);
  REQUIRE(back->size() == facts.size());
  for (std::size_t i = 0; i < facts.size(); ++i) {
    std::string a, b;
    core::write_fact(a, facts[i]);
    core::write_fact(b, (*back)[i]);
    CHECK(a == b);
    CHECK(facts[i].body.index() == (*back)[i].body.index());
  }
  CHECK_FALSE(parse_facts("[{\"kind\":\"job_submitted\""));
  CHECK_FALSE(parse_facts("{}"));
  CHECK_FALSE(
      parse_facts(R"([{"kind":"x","v":1,"at":"2026-01-01T00:00:00Z","actor":"a","body":{}}])"));
}

TEST_CASE("what was appended is loaded: from the start, and from a snapshot") {
  Stored s;
  SampleCloud cloud(2);
  append(cloud, *s.journal);
  some_days(cloud, *s.journal, 6);
  const auto snapshot = fold_snapshot(s.options);  // while the journal is open
  REQUIRE(snapshot);
  CHECK(snapshot->digest == state_digest(cloud.world.state()));
  CHECK(snapshot->sequence == cloud.world.state().sequence);
  REQUIRE(s.journal->keep_snapshot(snapshot->sequence, snapshot->body));
  CHECK_FALSE(s.journal->keep_snapshot(snapshot->sequence - 1, snapshot->body));  // mid commit
  some_days(cloud, *s.journal, 5);
  const std::string live = state_digest(cloud.world.state());
  CHECK(s.loaded_digest() == live);
  s.open();
  CHECK(s.loaded_digest() == live);

  SUBCASE("the snapshot is really used: what it says shows") {
    REQUIRE(s.sql("UPDATE snapshots SET body = replace(body, 'acme', 'acmf')"));
    CHECK(s.loaded_digest() == live);  // passed over: its digest differs
    auto db = Database::open(s.options, Database::Mode::create);
    REQUIRE(db);
    std::string body = snapshot->body;
    body.replace(body.find("acme"), 4, "acmf");
    REQUIRE(db->run("UPDATE snapshots SET body = ?, digest = ?", body, base::sha256(body)));
    CHECK(s.loaded_digest() != live);
  }
  SUBCASE("only the newest two are kept") {
    for (int i = 0; i < 3; ++i) {
      some_days(cloud, *s.journal, 1);
      const auto next = fold_snapshot(s.options);
      REQUIRE(next);
      REQUIRE(s.journal->keep_snapshot(next->sequence, next->body));
    }
    auto db = open_to_read(s.options);
    REQUIRE(db);
    auto count = db->query("SELECT count(*) FROM snapshots");
    REQUIRE(count.next());
    CHECK(count.integer(0) == 2);
    CHECK(s.loaded_digest() == state_digest(cloud.world.state()));
  }
}

TEST_CASE("answers, sealed values and small values outlive a restart") {
  Stored s;
  SampleCloud cloud(1);
  const Id job = cloud.submit();
  const std::vector<Remembered> answers = {
      {"key-1", "a", base::sha256("POST /v1/jobs {}"), 201, "{\"id\":\"job-1\"}", {1'000}},
      {"key-1", "b", base::sha256("x"), 409, "", {2'000}},
      {"key-2", "a", base::sha256("y"), 200, "other", {3'000}}};
  const std::string box("\0\x01sealed\xff", 9);
  const std::vector<SealedEnv> sealed = {{job, box}};
  Batch b = cloud.batch();
  b.remembered = answers;
  b.sealed = sealed;
  REQUIRE(s.journal->append(b));
  cloud.clear();
  REQUIRE(s.journal->set_meta("cloud", "one"));
  REQUIRE(s.journal->set_meta("cloud", "two"));
  s.open();
  const auto r = s.journal->recall("key-1", "a");
  REQUIRE(r);
  CHECK(r->status == 201);
  CHECK(r->body == "{\"id\":\"job-1\"}");
  CHECK(r->fingerprint == answers[0].fingerprint);
  CHECK(r->at.us == 1'000);
  CHECK(s.journal->recall("key-2", "a")->body == "other");
  CHECK_FALSE(s.journal->recall("key-2", "b"));
  CHECK(s.journal->meta("cloud") == "two");
  CHECK_FALSE(s.journal->meta("none"));
  REQUIRE(s.journal->sealed().size() == 1);
  CHECK(s.journal->sealed()[0].job == job);
  CHECK(s.journal->sealed()[0].box == box);
  s.journal->forget_before({2'000});
  CHECK_FALSE(s.journal->recall("key-1", "a"));
  CHECK(s.journal->recall("key-1", "b"));
  cloud.start_next();
  b = cloud.batch();
  const std::vector<SealedEnv> gone = {{job, ""}};
  b.sealed = gone;
  REQUIRE(s.journal->append(b));
  CHECK(s.journal->sealed().empty());
}

TEST_CASE("one key is answered once: a second answer fails the whole commit") {
  Stored s;
  SampleCloud cloud(1);
  const std::vector<Remembered> answer = {{"k", "a", {}, 200, "first", {1}}};
  Batch b = cloud.batch();
  b.remembered = answer;
  REQUIRE(s.journal->append(b));
  cloud.clear();
  const std::string before = state_digest(cloud.world.state());
  cloud.submit();
  b = cloud.batch();
  b.remembered = answer;
  const auto r = s.journal->append(b);
  REQUIRE_FALSE(r);
  CHECK_FALSE(r.error().disk_full());
  CHECK(s.loaded_digest() == before);
  b.remembered = {};
  CHECK_FALSE(s.journal->append(b));  // a fault stops the journal: start again from the store
  s.open();
  CHECK(s.journal->append(b));
}

TEST_CASE("journal, transfers and usage cannot be altered or deleted") {
  Stored s;
  SampleCloud cloud(1);
  some_days(cloud, *s.journal, 4);
  for (const char* text :
       {"UPDATE journal SET facts = '[]'", "DELETE FROM journal", "UPDATE usage SET billed_s = 0",
        "DELETE FROM usage", "UPDATE transfers SET amount = 1", "DELETE FROM transfers"}) {
    const auto r = s.sql(text);
    REQUIRE_FALSE_MESSAGE(r, text);
    CHECK(r.error().message.find("never") != std::string::npos);
  }
  const auto overdrawn = s.sql(
      "UPDATE accounts SET debits_posted = credits_posted + 1 "
      "WHERE flags & 2 <> 0");
  CHECK_FALSE(overdrawn);
}

TEST_CASE("a full disk refuses the append, changes nothing, and is got over") {
  if (on_postgres()) return;
  Stored s;
  SampleCloud cloud(4);
  some_days(cloud, *s.journal, 3);
  const std::string before = state_digest(cloud.world.state());
  const auto log_size = fs::file_size(s.options.file.string() + "-wal");
  signal(SIGXFSZ, SIG_IGN);
  rlimit was{};
  REQUIRE(getrlimit(RLIMIT_FSIZE, &was) == 0);
  rlimit tight{log_size + 20'000, was.rlim_max};
  REQUIRE(setrlimit(RLIMIT_FSIZE, &tight) == 0);
  for (int i = 0; i < 60; ++i) cloud.submit("job");
  const auto full = cloud.commit(*s.journal);
  const auto again = cloud.commit(*s.journal);
  REQUIRE(setrlimit(RLIMIT_FSIZE, &was) == 0);
  REQUIRE_FALSE(full);
  CHECK(full.error().disk_full());
  REQUIRE_FALSE(again);
  CHECK(again.error().disk_full());
  CHECK(s.loaded_digest() == before);
  append(cloud, *s.journal);  // room again: the very same batch
  s.open();
  CHECK(s.loaded_digest() == state_digest(cloud.world.state()));
}

TEST_CASE("killed at any byte of the log, the store opens at a commit") {
  if (on_postgres()) return;
  Stored s;
  SampleCloud cloud(4);
  std::vector<std::string> digests = {state_digest(core::World{}.state())};
  append(cloud, *s.journal);
  digests.push_back(state_digest(cloud.world.state()));
  for (int i = 0; i < 8; ++i) {
    some_days(cloud, *s.journal, 1);
    digests.push_back(state_digest(cloud.world.state()));
  }
  const std::string wal = s.options.file.string() + "-wal";
  const auto size = fs::file_size(wal);
  std::size_t furthest = 0, distinct = 0;
  for (std::uint64_t cut = 0; cut <= 40; ++cut) {
    const ScratchFolder copy;
    const StoreAt options{copy.path / "ampacity.db"};
    fs::copy_file(s.options.file, options.file);
    fs::copy_file(wal, options.file.string() + "-wal");
    fs::resize_file(options.file.string() + "-wal", size * cut / 40);
    auto journal = open_journal(options);
    REQUIRE_MESSAGE(journal, journal.error().message);
    auto world = (*journal)->load();
    REQUIRE_MESSAGE(world, world.error().message);
    const auto at = std::find(digests.begin(), digests.end(), state_digest(world->state()));
    REQUIRE(at != digests.end());
    const auto commit = static_cast<std::size_t>(at - digests.begin());
    REQUIRE(commit >= furthest);
    distinct += commit > furthest;
    furthest = commit;
    journal->reset();
    const auto rebuilt = rebuild_read_models(options);
    REQUIRE(rebuilt);
    CHECK(rebuilt->before == rebuilt->after);  // rows and facts stand or fall together
  }
  CHECK(furthest == digests.size() - 1);
  CHECK(distinct > 5);
}

TEST_CASE("a second opener is refused, until the first has gone") {
  Stored s;
  const auto second = open_journal(s.options);
  REQUIRE_FALSE(second);
  CHECK(second.error().message.find("in use by another ampacityd") != std::string::npos);
  CHECK_FALSE(rebuild_read_models(s.options));
  s.journal.reset();
  CHECK(open_journal(s.options));
}

TEST_CASE("a file that is being let go is waited for") {
  ScratchFolder folder;
  const auto file = folder.path / "ampacity.db";
  std::optional<base::Try<Lock>> dying = Lock::take(file);
  REQUIRE(*dying);
  std::thread gone([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(150));
    dying.reset();
  });
  CHECK(Lock::take(file));
  gone.join();
}

TEST_CASE("migrations: newer and altered stores are refused, a broken one leaves nothing behind") {
  Stored s;
  SampleCloud cloud(1);
  append(cloud, *s.journal);
  s.journal.reset();
  SUBCASE("newer") {
    REQUIRE(s.sql("INSERT INTO migrations VALUES (99, '0099_later', 'x')"));
    const auto r = open_journal(s.options);
    REQUIRE_FALSE(r);
    CHECK(r.error().message.find("newer than this program") != std::string::npos);
    CHECK_FALSE(open_reader(s.options));
  }
  SUBCASE("altered") {
    REQUIRE(s.sql("UPDATE migrations SET checksum = 'x' WHERE version = 1"));
    CHECK_FALSE(open_journal(s.options));
  }
  SUBCASE("half done") {
    auto db = Database::open(s.options, Database::Mode::create);
    REQUIRE(db);
    const auto known = migrations();
    std::vector<Migration> more(known.begin(), known.end());
    more.push_back(
        {static_cast<int>(more.size()) + 1, "next", "CREATE TABLE half (x INTEGER); NONSENSE"});
    CHECK_FALSE(migrate(*db, more));
    CHECK_FALSE(db->exec("SELECT * FROM half"));
    more.back().sql = "CREATE TABLE half (x INTEGER)";
    REQUIRE(migrate(*db, more));
    CHECK(db->exec("SELECT * FROM half"));
    REQUIRE(migrate(*db, more));  // nothing left to do
  }
  SUBCASE("not a store") {
    if (on_postgres()) return;
    std::ofstream(s.folder.path / "other.db") << "this is not a database, it is some other file";
    CHECK_FALSE(open_journal({s.folder.path / "other.db"}));
    CHECK_FALSE(open_reader({s.folder.path / "missing.db"}));
    CHECK_FALSE(fs::exists(s.folder.path / "missing.db"));
  }
}

TEST_CASE("rows from before GPUs were shared are of whole ones") {
  if (on_postgres()) return;  // younger than that
  const ScratchFolder folder;
  auto db = Database::open(folder.path / "ampacity.db", Database::Mode::create);
  REQUIRE(db);
  REQUIRE(migrate(*db, migrations().first(3)));
  REQUIRE(db->exec(
      "INSERT INTO usage VALUES (zeroblob(16), 1, 0, 0, 0, 'spot', 0, 0, 0, 0, 1, 1, 8, 1, 1, 1, "
      "1, 0, 0, 0)"));
  REQUIRE(migrate(*db, migrations()));
  auto row = db->query("SELECT gpu_milli FROM usage");
  REQUIRE(row.next());
  CHECK(row.integer(0) == 1000);
}

TEST_CASE("lines of invoices from before say what their bodies say") {
  const ScratchFolder folder;
  const StoreAt options{folder.path / "ampacity.db"};
  auto db = Database::open(options.file, Database::Mode::create);
  REQUIRE(db);
  REQUIRE(migrate(*db, migrations().first(14)));
  core::Invoice invoice;
  invoice.lines.resize(3);
  invoice.lines[0].month = invoice.lines[1].month = invoice.lines[2].month = Instant{5};
  invoice.lines[1].contract_minor = 17;
  invoice.lines[2].paid_ticks = 23;
  REQUIRE(
      db->run("INSERT INTO invoices VALUES (zeroblob(16), '1', 'invoice', 0, 'USD', 0, 1, 1, "
              "'', 0, 0, 0, 0, 0, 0, 0, 0, 0, NULL, 1, ?)",
              base::to_sparse_json(invoice)));
  for (int n = 0; n < 3; ++n)
    REQUIRE(
        db->run("INSERT INTO invoice_lines VALUES (zeroblob(16), ?, 0, 'usage', 0, 'gpu', 0, "
                "0, 'spot', 1, NULL, 5, 0, 1, 2, 3, 4, 5, 6, 7, 0, '')",
                n));
  REQUIRE(migrate(*db, migrations()));
  CHECK_FALSE(db->exec("UPDATE invoice_lines SET minor = 1"));
  auto reader = open_reader(options);
  REQUIRE(reader);
  const auto lines = (*reader)->lines_since(0, {5}, {});
  REQUIRE(lines);
  REQUIRE(lines->size() == 3);
  CHECK(lines->at(1).contract_minor == 17);
  CHECK(lines->at(1).paid_ticks == 0);
  CHECK(lines->at(2).paid_ticks == 23);
  CHECK(lines->at(2).job_class == core::JobClass::spot);
  CHECK(lines->at(2).covered_minor == 7);
  CHECK((*reader)->lines_since(0, {6}, {})->empty());
}

TEST_CASE("rebuild makes the read models anew, and they come out equal") {
  Stored s;
  SampleCloud cloud(2);
  append(cloud, *s.journal);
  some_days(cloud, *s.journal, 10);
  s.journal.reset();
  const auto equal = rebuild_read_models(s.options);
  REQUIRE_MESSAGE(equal, equal.error().message);
  CHECK(equal->before == equal->after);
  CHECK(equal->facts == cloud.world.state().sequence);
  REQUIRE(s.sql(
      "UPDATE jobs SET outcome = 'lost' WHERE id = (SELECT id FROM jobs ORDER BY id LIMIT 1)"));
  const auto mended = rebuild_read_models(s.options);
  REQUIRE(mended);
  CHECK(mended->before != equal->before);
  CHECK(mended->after == equal->after);
  CHECK_FALSE(s.sql("DELETE FROM usage"));  // the guards are back
}

TEST_CASE("every table is in the list that digests and copies go through") {
  const Stored s;
  auto db = open_to_read(s.options);
  REQUIRE(db);
  auto there = tables_in(*db);
  REQUIRE(there);
  std::vector<std::string> listed;
  for (const Table& t : tables) listed.emplace_back(t.name);
  std::ranges::sort(listed);
  CHECK(*there == listed);
}

TEST_CASE("an altered journal is not loaded") {
  const std::string alterations[] = {
      "UPDATE journal SET facts = replace(facts, 'acme', 'acmf') WHERE first_sequence = 1",
      "DELETE FROM journal WHERE first_sequence = (SELECT last_sequence + 1 FROM journal "
      "ORDER BY first_sequence LIMIT 1)",
      "UPDATE journal SET chain = (SELECT chain FROM journal ORDER BY first_sequence LIMIT 1)"};
  for (const std::string& text : alterations) {
    Stored s;
    SampleCloud cloud(1);
    some_days(cloud, *s.journal, 3);
    s.journal.reset();
    REQUIRE(alter_without_guards(s.options, text));
    auto journal = open_journal(s.options);
    REQUIRE(journal);
    CHECK_MESSAGE(!(*journal)->load(), text);
  }
}

}  // namespace
}  // namespace ampacity::store
