// What a real PostgreSQL does to a writer: lines cut at COMMIT and elsewhere, sessions ended,
// deadlocks, refusals, no room, another writer. F38–F42 of reference/reliability.md.
#include <doctest/doctest.h>

#include <thread>

#include "store/cutting_proxy.h"
#include "store/sample_cloud.h"
#include "store/scratch_store.h"

namespace ampacity::store {
namespace {

using Cut = CuttingProxy::Cut;
using Kind = AppendFault::Kind;

struct Proxied {
  ScratchPostgres& server = ScratchPostgres::get();
  StoreAt direct = scratch_store_on_postgres();
  std::string database = direct.postgres.substr(12, direct.postgres.find('?') - 12);
  CuttingProxy proxy{server.folder()};
  StoreAt options;
  std::unique_ptr<Journal> journal;
  SampleCloud cloud{2};

  Proxied() {
    options.postgres = proxy.url(database);
    options.patience = base::Duration::seconds(60);
    auto opened = open_journal(options);
    REQUIRE_MESSAGE(opened, opened.error().message);
    journal = std::move(*opened);
    REQUIRE(cloud.commit(*journal));
  }
  std::string sql(const std::string& text) { return server.sql(text, database); }
  std::expected<void, AppendFault> work() {
    cloud.now.us += 1'000'000;
    while (!cloud.starting.empty()) cloud.start_next();
    for (int i = 0; i < 3; ++i) cloud.submit();
    return cloud.commit(*journal);
  }
  // What is there is what was made, once.
  void is_whole() {
    const auto world = journal->load();
    REQUIRE_MESSAGE(world, world.error().message);
    CHECK(state_digest(world->state()) == state_digest(cloud.world.state()));
    journal.reset();
    const auto rebuilt = rebuild_read_models(direct);
    REQUIRE_MESSAGE(rebuilt, rebuilt.error().message);
    CHECK(rebuilt->before == rebuilt->after);
  }
};

TEST_CASE("a connection lost in a transaction or at COMMIT: it happens once, and is known to") {
  if (!on_postgres()) return;
  for (const Cut cut : {Cut::first_insert, Cut::before_commit, Cut::after_commit, Cut::at_commit}) {
    CAPTURE(static_cast<int>(cut));
    Proxied p;
    REQUIRE(p.work());
    for (int round = 1; round <= 3; ++round) {
      p.proxy.arm(cut);
      const auto done = p.work();
      REQUIRE_MESSAGE(done, done.error().message);
      CHECK(p.proxy.cuts() == 2 * round - 1);
      p.proxy.arm(cut);
      REQUIRE(p.journal->set_meta("alive_us", std::to_string(round)));  // without facts, too
      p.proxy.arm(Cut::none);
      CHECK(p.journal->meta("alive_us") == std::to_string(round));
    }
    p.is_whole();
  }
}

TEST_CASE("a commit whose outcome cannot be learnt stops the writer, and is never guessed") {
  if (!on_postgres()) return;
  Proxied p;
  p.journal.reset();
  p.options.patience = base::Duration::millis(300);
  p.journal = std::move(*open_journal(p.options));
  p.proxy.arm(Cut::after_commit, true);
  const auto unknown = p.work();
  REQUIRE_FALSE(unknown);
  CHECK(unknown.error().kind == Kind::broken);
  CHECK(unknown.error().message.find("could not be learnt") != std::string::npos);
  CHECK_FALSE(p.journal->set_meta("x", "y"));
  p.proxy.refuse(false);
  CHECK_FALSE(p.journal->set_meta("x", "y"));  // for good: the process starts again
  p.cloud.clear();
  p.journal.reset();
  p.journal = std::move(*open_journal(p.options));
  p.is_whole();  // it had taken place
}

TEST_CASE("a database that stays away refuses what did not happen, and comes back") {
  if (!on_postgres()) return;
  Proxied p;
  p.journal.reset();
  p.options.patience = base::Duration::millis(300);
  p.journal = std::move(*open_journal(p.options));
  p.proxy.arm(Cut::before_commit, true);
  const auto unknown = p.work();
  REQUIRE_FALSE(unknown);
  CHECK(unknown.error().kind == Kind::broken);  // COMMIT had left: nobody knows
  p.journal.reset();
  p.proxy.refuse(false);
  p.journal = std::move(*open_journal(p.options));
  p.proxy.refuse(true);
  p.sql("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = '" +
        p.database + "' AND pid <> pg_backend_pid()");
  const auto lost = p.cloud.commit(*p.journal);
  REQUIRE_FALSE(lost);
  CHECK(lost.error().kind == Kind::lost);
  CHECK_FALSE(p.cloud.commit(*p.journal));
  p.proxy.refuse(false);
  REQUIRE(p.cloud.commit(*p.journal));  // the very same batch
  p.is_whole();
}

TEST_CASE("sessions ended by the server: writer and readers connect again") {
  if (!on_postgres()) return;
  Proxied p;
  const std::string end =
      "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE "
      "datname = '" +
      p.database + "' AND pid <> pg_backend_pid()";
  for (int i = 0; i < 3; ++i) {
    auto reader = open_reader(p.direct);
    REQUIRE(reader);
    CHECK((*reader)->last_sequence() == p.cloud.world.state().sequence);
    p.sql(end);
    const auto done = p.work();
    REQUIRE_MESSAGE(done, done.error().message);
    CHECK((*reader)->last_sequence() == p.cloud.world.state().sequence);
  }
  p.sql(end);
  CHECK_FALSE(p.journal->recall("nobody", "asked"));
  CHECK(p.journal->past_of({}).known.empty());
  p.server.stop(SIGQUIT);  // as if it had crashed
  std::expected<void, AppendFault> done;
  std::thread worker([&] { done = p.work(); });
  p.server.start();
  worker.join();
  REQUIRE_MESSAGE(done, done.error().message);
  p.is_whole();
}

TEST_CASE("a deadlock and a serialization failure are tried again") {
  if (!on_postgres()) return;
  Proxied p;
  PGconn* other = PQconnectdb(p.direct.postgres.c_str());
  const auto say = [&](const char* text) { PQclear(PQexec(other, text)); };
  say("BEGIN; SET LOCAL deadlock_timeout = '60s'; SELECT * FROM meta FOR UPDATE; "
      "LOCK TABLE meta IN EXCLUSIVE MODE");
  std::thread rival([&] {
    while (p.sql("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'") == "0")
      base::sleep_for(base::Duration::millis(10));
    say("UPDATE writer SET commits = commits");  // waits for the journal, which waits for `meta`
    say("ROLLBACK");
  });
  const auto done = p.journal->set_meta("a", "b");
  rival.join();
  PQfinish(other);
  REQUIRE_MESSAGE(done, done.error().message);
  CHECK(p.journal->meta("a") == "b");

  p.sql(
      "CREATE SEQUENCE tries; CREATE FUNCTION fail() RETURNS TRIGGER LANGUAGE plpgsql AS $$ BEGIN "
      "IF nextval('tries') <= 2 THEN RAISE EXCEPTION 'try again' USING ERRCODE = '40001'; END IF; "
      "RETURN NEW; END $$; CREATE TRIGGER fail BEFORE INSERT ON journal FOR EACH ROW "
      "EXECUTE FUNCTION fail()");
  REQUIRE(p.work());
  CHECK(p.sql("SELECT last_value FROM tries") == "3");
  p.is_whole();
}

TEST_CASE("no room on the database's disk refuses the append, changes nothing, and is got over") {
  if (!on_postgres()) return;
  Proxied p;
  const std::string before = state_digest(p.journal->load()->state());
  p.sql(
      "CREATE FUNCTION full_disk() RETURNS TRIGGER LANGUAGE plpgsql AS $$ BEGIN "
      "RAISE EXCEPTION 'could not extend file: No space left on device' "
      "USING ERRCODE = 'disk_full'; END $$; CREATE TRIGGER full_disk BEFORE INSERT ON journal "
      "FOR EACH ROW EXECUTE FUNCTION full_disk()");
  const auto full = p.work();
  REQUIRE_FALSE(full);
  CHECK(full.error().disk_full());
  CHECK(state_digest(p.journal->load()->state()) == before);
  p.sql("DROP TRIGGER full_disk ON journal");
  REQUIRE(p.cloud.commit(*p.journal));
  p.is_whole();
}

TEST_CASE("a writer that was succeeded cannot commit") {
  if (!on_postgres()) return;
  Proxied p;
  const std::string before = state_digest(p.journal->load()->state());
  p.sql("UPDATE writer SET epoch = epoch + 1");
  for (int i = 0; i < 2; ++i) {
    const auto fenced = p.work();
    REQUIRE_FALSE(fenced);
    CHECK(fenced.error().kind == Kind::fenced);
  }
  CHECK(state_digest(p.journal->load()->state()) == before);
}

TEST_CASE("when the server has no connections left, a reader waits, then says so") {
  if (!on_postgres()) return;
  const StoreAt store = scratch_store_on_postgres();
  ScratchPostgres::get().sql(
      "CREATE ROLE few LOGIN CONNECTION LIMIT 2; GRANT pg_read_all_data TO few");
  StoreAt few = store;
  few.postgres.replace(few.postgres.find("user=ampacity"), std::string::npos, "user=few");
  few.patience = base::Duration::millis(400);
  std::optional<base::Try<Database>> first = open_to_read(few);
  auto second = open_to_read(few);
  REQUIRE(*first);
  REQUIRE(second);
  const auto third = open_to_read(few);
  REQUIRE_FALSE(third);
  CHECK(third.error().retryable);
  CHECK(third.error().message.find("max_connections") != std::string::npos);
  first.reset();
  CHECK(open_to_read(few));
}

}  // namespace
}  // namespace ampacity::store
