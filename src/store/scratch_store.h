// A store of a test's own, of the kind under test: SQLite's, or with AMPACITY_STORE=postgres a
// PostgreSQL's. ctest runs every test that uses this with both. Not part of any program.
#pragma once

#include <cstdio>
#include <cstdlib>

#include "store/copy.h"
#include "store/journal.h"
#include "store/scratch_folder.h"
#include "store/scratch_postgres.h"
#include "store/store_file.h"

namespace ampacity::store {

inline bool on_postgres() {
  const char* kind = std::getenv("AMPACITY_STORE");
  return kind && std::string_view(kind) == "postgres";
}

// Before any test: a kind that is not there is said, not passed over.
inline const bool can_be_made = [] {
  if (!on_postgres() || ScratchPostgres::is_installed()) return true;
  std::puts("skipped: PostgreSQL is not installed: ./dev setup");
  std::exit(77);
}();

inline StoreAt scratch_store_on_postgres() {
  ScratchPostgres& server = ScratchPostgres::get();
  static const std::string whole = [&] {  // with every migration: quicker to copy than to make
    const std::string name = server.make_database();
    StoreAt at;
    at.postgres = server.url(name);
    const auto made = open_to_write(at);
    CHECK_THAT(made, made.error().message.c_str());
    return name;
  }();
  StoreAt at;
  at.postgres = server.url(server.make_database(whole));
  return at;
}

// In the folder, where it is a file.
inline StoreAt scratch_store(const ScratchFolder& folder) {
  return on_postgres() ? scratch_store_on_postgres() : StoreAt(folder.path / "ampacity.db");
}

// As a person would who owns the database: with the guards off, and for good in SQLite.
inline Sql<void> alter_without_guards(const StoreAt& at, const std::string& sql) {
  auto db = Database::open(at, Database::Mode::create);
  if (!db) return std::unexpected(db.error());
  std::string drop = "SET session_replication_role = replica; ";
  if (!at.on_postgres()) {
    drop.clear();
    auto names = db->query("SELECT name FROM sqlite_schema WHERE type = 'trigger'");
    while (names.next()) drop += "DROP TRIGGER " + names.text(0) + "; ";
  }
  return db->exec(drop + sql);
}

// What a test has made in a file, as the kind under test has it: itself, or all its rows in a
// PostgreSQL that takes any of them.
inline StoreAt as_under_test(const std::filesystem::path& file) {
  if (!on_postgres()) return file;
  ScratchPostgres& server = ScratchPostgres::get();
  static const std::string loose = [&] {
    const StoreAt at = scratch_store_on_postgres();
    const std::string name = at.postgres.substr(12, at.postgres.find('?') - 12);
    server.sql(
        "DO $$ DECLARE c RECORD; BEGIN FOR c IN SELECT conname, conrelid::regclass AS t FROM "
        "pg_constraint WHERE contype = 'c' AND conrelid <> 0 AND connamespace = "
        "'public'::regnamespace LOOP EXECUTE format('ALTER TABLE %s DROP "
        "CONSTRAINT %I', c.t, c.conname); END LOOP; END $$; DROP INDEX transfers_resolved",
        name);
    return name;
  }();
  StoreAt at;
  at.postgres = server.url(server.make_database(loose));
  auto from = Database::open(file, Database::Mode::read),
       to = Database::open(at, Database::Mode::create);
  CHECK_THAT(from && to, "a store cannot be opened");
  auto t = Transaction::begin(*to);
  const auto copied = copy_rows(*from, *to);
  CHECK_THAT(t && copied && t->commit(), "a store's rows cannot be copied");
  return at;
}

}  // namespace ampacity::store
