// The parts of PostgreSQL's driver that need no server, and copies from one kind of store to the
// other and back.
#include <doctest/doctest.h>

#include "store/copy.h"
#include "store/moved.h"
#include "store/postgres_values.h"
#include "store/sample_cloud.h"
#include "store/scratch_store.h"

namespace ampacity::store {
namespace {

TEST_CASE("parameters are numbered, text in quotes is left alone") {
  int n = 0;
  CHECK(postgres::with_dollars("SELECT ? WHERE a = ? AND b = '?'", n) ==
        "SELECT $1 WHERE a = $2 AND b = '?'");
  CHECK(n == 2);
  CHECK(postgres::with_dollars("?2 = ?1 OR ?2 = ?12", n) == "$2 = $1 OR $2 = $12");
  CHECK(n == 12);
  CHECK(postgres::with_dollars("SELECT 1", n) == "SELECT 1");
  CHECK(n == 0);
}

TEST_CASE("our tables in PostgreSQL's words") {
  CHECK(
      postgres::as_postgres("CREATE TABLE a (n INTEGER NOT NULL, t TEXT, b BLOB) WITHOUT ROWID;") ==
      "CREATE TABLE a (n BIGINT NOT NULL, t TEXT COLLATE \"C\", b BYTEA);");
  CHECK(postgres::as_postgres(" TEXTUAL INTEGERS") == " TEXTUAL INTEGERS");
}

TEST_CASE("whole numbers of every type") {
  const auto bytes = [](std::initializer_list<int> fields) {
    std::string out;
    for (const int f : fields) postgres::put_big_endian(out, static_cast<std::uint64_t>(f), 2);
    return out;
  };
  CHECK(postgres::integer_of(postgres::int2, bytes({-5})) == -5);
  CHECK(postgres::integer_of(postgres::int4, bytes({-1, -7})) == -7);
  CHECK(postgres::integer_of(postgres::int8, bytes({-1, -1, -1, -9})) == -9);
  CHECK(postgres::integer_of(postgres::boolean, std::string(1, '\1')) == 1);
  // digits, weight, sign, scale, then digits of 10,000
  CHECK(postgres::integer_of(postgres::numeric, bytes({0, 0, 0, 0})) == 0);
  CHECK(postgres::integer_of(postgres::numeric, bytes({2, 1, 0x4000, 0, 12, 3456})) == -123'456);
  CHECK(postgres::integer_of(postgres::numeric, bytes({1, 2, 0, 0, 7})) == 700'000'000);
  CHECK(postgres::integer_of(postgres::numeric, bytes({5, 4, 0, 0, 922, 3372, 368, 5477, 5807})) ==
        INT64_MAX);
}

TEST_CASE("--store: paths and URLs; a password in it is refused and not repeated") {
  const auto file = parse_store("state/ampacity.db");
  REQUIRE(file);
  CHECK_FALSE(file->on_postgres());
  CHECK(file->file.is_absolute());
  const auto url = parse_store("postgres://ann@db.example:5433/cloud?sslmode=verify-full");
  REQUIRE(url);
  CHECK(url->on_postgres());
  CHECK(parse_store("postgresql:///cloud?host=/run/postgresql"));
  for (const char* text :
       {"postgres://ann:secret@db/cloud", "postgres://db/cloud?password=secret",
        "postgres://db/cloud?sslpassword=secret", "postgres://ann:secret@db:notaport:1/%zz",
        "mysql://ann:secret@db/cloud"}) {
    const auto refused = parse_store(text);
    REQUIRE_FALSE_MESSAGE(refused, text);
    CHECK_MESSAGE(refused.error().message.find("secret") == std::string::npos, text);
  }
  CHECK_FALSE(parse_store("a.db", "/etc/hostname"));
}

struct Lived {
  ScratchFolder folder;
  StoreAt at{folder.path / "ampacity.db"};
  SampleCloud cloud{3};

  Lived() {
    auto journal = open_journal(at);
    REQUIRE(journal);
    REQUIRE(cloud.commit(**journal));
    for (int i = 0; i < 6; ++i) {
      cloud.now.us += 61'000'000;
      while (cloud.running.size() > 1) cloud.end_next();
      while (!cloud.starting.empty()) cloud.start_next();
      for (int k = 0; k < 3; ++k)
        cloud.submit(
            "j\xc3\xb6"
            "b");
      const std::vector<Remembered> answers = {
          {"key", std::to_string(i), base::sha256("x"), 201, "{}", cloud.now}};
      const std::vector<SealedEnv> sealed = {{cloud.starting.front(), std::string("\0\xff z", 4)}};
      MeterEvent e;
      e.key = {core::nobody, "/meter", std::to_string(i)};
      e.project = 0;
      e.meter = "storage_gb_hours";
      if (i % 2) e.corrects = {core::nobody, "/meter", std::to_string(i - 1)};
      e.hash = payload_hash(e);
      MeterBatch meter{cloud.now, {e}, {}, 0};
      MeterBatch* const pointer = &meter;
      Batch batch = cloud.batch();
      batch.remembered = answers;
      batch.sealed = sealed;
      batch.meter = {&pointer, 1};
      REQUIRE((*journal)->append(batch));
      cloud.clear();
      if (i == 3) {
        const auto snapshot = fold_snapshot(at);
        REQUIRE(snapshot);
        REQUIRE((*journal)->keep_snapshot(snapshot->sequence, snapshot->body));
      }
    }
    REQUIRE((*journal)->set_meta("alive_us", "1"));
  }
};

TEST_CASE("a store is copied to PostgreSQL and back, proved equal, and goes on") {
  if (!on_postgres()) return;
  Lived lived;
  const StoreAt database = scratch_store_on_postgres();
  const StoreAt back{lived.folder.path / "back.db"};
  const auto there = copy_store(lived.at, database);
  REQUIRE_MESSAGE(there, there.error().message);
  CHECK(there->facts == lived.cloud.world.state().sequence);
  CHECK(there->world == state_digest(lived.cloud.world.state()));
  CHECK(verify_meter_events(database) == 6);
  const auto again = copy_store(database, back);
  REQUIRE_MESSAGE(again, again.error().message);
  for (std::size_t i = 0; i < there->tables.size(); ++i) {
    CHECK(there->tables[i].digest == again->tables[i].digest);
    CHECK(there->tables[i].rows == again->tables[i].rows);
  }
  CHECK(there->chain == again->chain);
  for (const auto& [from, to] : {std::pair{lived.at, database}, std::pair{database, back}}) {
    const auto refused = open_journal(from);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().message.find("lives in " + to.name()) != std::string::npos);
    CHECK_FALSE(copy_store(from, to));
    const auto reopened = reopen_store(from);
    REQUIRE_MESSAGE(reopened, reopened.error().message);
    CHECK(*reopened == to.name());
    CHECK_FALSE(reopen_store(from));
  }
  for (const StoreAt& at : {database, back}) {
    auto journal = open_journal(at);
    REQUIRE(journal);
    SampleCloud cloud = lived.cloud;
    cloud.submit();
    REQUIRE(cloud.commit(**journal));
    journal->reset();
    const auto rebuilt = rebuild_read_models(at);
    REQUIRE(rebuilt);
    CHECK(rebuilt->before == rebuilt->after);
  }
  for (const auto& [from, to] : {std::pair{lived.at, database}, std::pair{database, back}}) {
    const auto refused = copy_store(from, to);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().message.find("is not empty") != std::string::npos);
  }
  CHECK_FALSE(copy_store({lived.folder.path / "none.db"}, scratch_store_on_postgres()));
}

TEST_CASE("a copy that is not equal is refused, and nothing of it stays") {
  if (!on_postgres()) return;
  Lived lived;
  const StoreAt database = scratch_store_on_postgres();
  {
    auto db = Database::open(database, Database::Mode::create);
    REQUIRE(db);
    REQUIRE(
        db->exec("CREATE FUNCTION spoil() RETURNS TRIGGER LANGUAGE plpgsql AS $$ BEGIN "
                 "NEW.name := NEW.name || '!'; RETURN NEW; END $$; CREATE TRIGGER spoil "
                 "BEFORE INSERT ON jobs FOR EACH ROW EXECUTE FUNCTION spoil()"));
  }
  const auto spoiled = copy_store(lived.at, database);
  REQUIRE_FALSE(spoiled);
  CHECK(spoiled.error().message.find("not equal: jobs") != std::string::npos);
  auto db = open_to_read(database);
  REQUIRE(db);
  auto rows = db->query("SELECT count(*) FROM journal");
  REQUIRE(rows.next());
  CHECK(rows.integer(0) == 0);
}

}  // namespace
}  // namespace ampacity::store
