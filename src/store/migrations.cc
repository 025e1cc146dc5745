#include "store/migrations.h"

#include <array>

#include "base/crypto.h"

namespace ampacity::store {
namespace {

// Instants are microseconds UTC since 1970, money is ticks or cents by the account's ledger, ids
// are the 16 bytes of a UUIDv7, *_ix are the dense indices that `names` spells out. PostgreSQL will
// read INTEGER as BIGINT and BLOB as BYTEA, and do without WITHOUT ROWID.
constexpr std::string_view first = R"sql(
CREATE TABLE journal (
  first_sequence INTEGER NOT NULL PRIMARY KEY,
  last_sequence BIGINT NOT NULL,
  at BIGINT NOT NULL,
  facts TEXT NOT NULL,
  chain BLOB NOT NULL,
  CHECK (last_sequence >= first_sequence)
);
CREATE TABLE jobs (
  id BLOB NOT NULL PRIMARY KEY,
  project_ix BIGINT NOT NULL,
  user_ix BIGINT NOT NULL,
  name TEXT NOT NULL,
  outcome TEXT NOT NULL,
  submitted_at BIGINT NOT NULL,
  ended_at BIGINT NOT NULL,
  body TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX jobs_of_project ON jobs (project_ix, id, name);
CREATE TABLE usage (
  job BLOB NOT NULL,
  generation BIGINT NOT NULL,
  project_ix BIGINT NOT NULL,
  user_ix BIGINT NOT NULL,
  sku_ix BIGINT NOT NULL,
  job_class TEXT NOT NULL,
  started_at BIGINT NOT NULL,
  ended_at BIGINT NOT NULL,
  billed_s BIGINT NOT NULL,
  waived_s BIGINT NOT NULL,
  price_version BIGINT NOT NULL,
  gpu_price BIGINT NOT NULL,
  gpus BIGINT NOT NULL,
  vcpu_price BIGINT NOT NULL,
  cpu_milli BIGINT NOT NULL,
  gib_price BIGINT NOT NULL,
  memory_mib BIGINT NOT NULL,
  gpu_amount BIGINT NOT NULL,
  vcpu_amount BIGINT NOT NULL,
  memory_amount BIGINT NOT NULL,
  PRIMARY KEY (job, generation),
  CHECK (billed_s >= 0 AND waived_s >= 0 AND ended_at >= started_at)
) WITHOUT ROWID;
CREATE INDEX usage_by_end ON usage (ended_at, project_ix);
CREATE TABLE transfers (
  id INTEGER NOT NULL PRIMARY KEY,
  kind TEXT NOT NULL,
  reason TEXT NOT NULL,
  debit_ix BIGINT NOT NULL,
  credit_ix BIGINT NOT NULL,
  amount BIGINT NOT NULL,
  pending_id BIGINT,
  sequence BIGINT NOT NULL,
  at BIGINT NOT NULL,
  job BLOB,
  generation BIGINT,
  CHECK (amount > 0 AND debit_ix <> credit_ix)
);
CREATE INDEX transfers_of_job ON transfers (job) WHERE job IS NOT NULL;
CREATE TABLE accounts (
  ix INTEGER NOT NULL PRIMARY KEY,
  ledger TEXT NOT NULL,
  code BIGINT NOT NULL,
  name TEXT NOT NULL,
  debits_must_not_exceed_credits INTEGER NOT NULL,
  debits_pending BIGINT NOT NULL,
  debits_posted BIGINT NOT NULL,
  credits_pending BIGINT NOT NULL,
  credits_posted BIGINT NOT NULL,
  CHECK (debits_pending >= 0 AND debits_posted >= 0 AND credits_pending >= 0 AND
         credits_posted >= 0),
  CHECK (debits_must_not_exceed_credits = 0 OR debits_pending + debits_posted <= credits_posted)
);
CREATE TABLE names (
  kind TEXT NOT NULL,
  ix BIGINT NOT NULL,
  id TEXT NOT NULL,
  name TEXT NOT NULL,
  PRIMARY KEY (kind, ix)
) WITHOUT ROWID;
CREATE TABLE remembered (
  n INTEGER NOT NULL PRIMARY KEY,
  scope TEXT NOT NULL,
  idempotency_key TEXT NOT NULL,
  fingerprint BLOB NOT NULL,
  status INTEGER NOT NULL,
  body TEXT NOT NULL,
  at BIGINT NOT NULL,
  UNIQUE (scope, idempotency_key)
);
CREATE TABLE sealed_env (job BLOB NOT NULL PRIMARY KEY, box BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE snapshots (
  sequence INTEGER NOT NULL PRIMARY KEY,
  body TEXT NOT NULL,
  digest BLOB NOT NULL
);
CREATE TABLE meta (name TEXT NOT NULL PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
)sql";

// One row per fact, for people with a SQL prompt.
constexpr std::string_view facts_view = R"sql(
CREATE VIEW facts AS
  SELECT j.first_sequence + e.key AS sequence,
         json_extract(e.value, '$.kind') AS kind,
         json_extract(e.value, '$.at') AS at,
         json_extract(e.value, '$.actor') AS actor,
         json_extract(e.value, '$.body') AS body
    FROM journal j, json_each(j.facts) e;
)sql";

constexpr std::string_view guards = R"sql(
CREATE TRIGGER journal_no_update BEFORE UPDATE ON journal
  BEGIN SELECT RAISE(ABORT, 'journal rows are never changed'); END;
CREATE TRIGGER journal_no_delete BEFORE DELETE ON journal
  BEGIN SELECT RAISE(ABORT, 'journal rows are never deleted'); END;
CREATE TRIGGER usage_no_update BEFORE UPDATE ON usage
  BEGIN SELECT RAISE(ABORT, 'usage rows are never changed'); END;
CREATE TRIGGER usage_no_delete BEFORE DELETE ON usage
  BEGIN SELECT RAISE(ABORT, 'usage rows are never deleted'); END;
CREATE TRIGGER transfers_no_update BEFORE UPDATE ON transfers
  BEGIN SELECT RAISE(ABORT, 'transfers are never changed: corrections are new ones'); END;
CREATE TRIGGER transfers_no_delete BEFORE DELETE ON transfers
  BEGIN SELECT RAISE(ABORT, 'transfers are never deleted: corrections are new ones'); END;
)sql";

// A share of a GPU, or a slice, in thousandths of each of `gpus`.
constexpr std::string_view gpu_milli = R"sql(
ALTER TABLE usage ADD COLUMN gpu_milli BIGINT NOT NULL DEFAULT 1000;
)sql";

constexpr std::string_view lift = R"sql(
DROP TRIGGER journal_no_update; DROP TRIGGER journal_no_delete;
DROP TRIGGER usage_no_update; DROP TRIGGER usage_no_delete;
DROP TRIGGER transfers_no_update; DROP TRIGGER transfers_no_delete;
)sql";

constexpr std::array<Migration, 4> all = {{
    {1, "0001_first", first},
    {2, "0002_facts_view_sqlite", facts_view},
    {3, "0003_guards_sqlite", guards},
    {4, "0004_gpu_milli", gpu_milli},
}};

base::Try<void> to_try(Sql<void> r) {
  if (!r) return std::unexpected(to_fault(r.error()));
  return {};
}

std::string checksum(const Migration& m) { return base::to_hex(base::sha256(m.sql)); }

base::Try<void> check_applied(Database& db, std::span<const Migration> known, std::size_t& count) {
  auto rows = db.query("SELECT version, name, checksum FROM migrations ORDER BY version");
  while (rows.next()) {
    if (count == known.size())
      return base::fault("the store has migration " + rows.text(1) +
                             ", newer than this program's last, " + std::string(known.back().name) +
                             ": run the newer program",
                         false);
    const Migration& m = known[count++];
    if (rows.integer(0) != m.version || rows.bytes(2) != checksum(m))
      return base::fault("the store's migration " + rows.text(1) +
                             " is not the one this program knows as " + std::string(m.name),
                         false);
  }
  if (rows.fault()) return std::unexpected(to_fault(*rows.fault()));
  return {};
}

}  // namespace

std::span<const Migration> migrations() { return all; }

base::Try<void> migrate(Database& db, std::span<const Migration> known) {
  auto made =
      to_try(db.exec("CREATE TABLE IF NOT EXISTS migrations (version INTEGER NOT NULL PRIMARY KEY, "
                     "name TEXT NOT NULL, checksum TEXT NOT NULL)"));
  if (!made) return made;
  std::size_t count = 0;
  if (auto r = check_applied(db, known, count); !r) return r;
  for (const Migration& m : known.subspan(count)) {
    auto t = Transaction::begin(db);
    if (!t) return std::unexpected(to_fault(t.error()));
    if (auto r = db.exec(std::string(m.sql)); !r)
      return base::fault("migration " + std::string(m.name) + ": " + r.error().message, false);
    auto noted = db.run("INSERT INTO migrations (version, name, checksum) VALUES (?, ?, ?)",
                        m.version, m.name, checksum(m));
    if (!noted) return std::unexpected(to_fault(noted.error()));
    if (auto r = to_try(t->commit()); !r) return r;
  }
  return {};
}

base::Try<void> lift_guards(Database& db) { return to_try(db.exec(std::string(lift))); }
base::Try<void> restore_guards(Database& db) { return to_try(db.exec(std::string(guards))); }

}  // namespace ampacity::store
