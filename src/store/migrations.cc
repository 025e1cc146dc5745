#include "store/migrations.h"

#include <array>

#include "base/crypto.h"
#include "store/deliveries.h"
#include "store/migrations_postgres.h"
#include "store/postgres_values.h"

namespace ampacity::store {
namespace {

// Instants are microseconds UTC since 1970, money is ticks or cents by the account's ledger, ids
// are the 16 bytes of a UUIDv7, *_ix are the dense indices that `names` spells out.
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

// Usage that does not come from leases (store/meter_events.h). Instead of a hash of both, the
// unique index holds the source's number and the id as it was sent: ids that grow with time are
// written side by side, where hashes would touch a page each. Sequences are ours, not
// AUTOINCREMENT's: without gaps.
constexpr std::string_view meter_events = R"sql(
CREATE TABLE meter_sources (
  ix INTEGER NOT NULL PRIMARY KEY,
  sender BIGINT NOT NULL,
  source TEXT NOT NULL,
  UNIQUE (sender, source)
);
CREATE TABLE meter_events (
  sequence INTEGER NOT NULL PRIMARY KEY,
  received_at BIGINT NOT NULL,
  source_ix BIGINT NOT NULL,
  id TEXT NOT NULL,
  project_ix BIGINT NOT NULL,
  meter TEXT NOT NULL,
  quantity_micro BIGINT NOT NULL,
  time BIGINT NOT NULL,
  period_from BIGINT NOT NULL,
  period_until BIGINT NOT NULL,
  corrects_source_ix BIGINT,
  corrects_id TEXT,
  sku TEXT NOT NULL,
  site TEXT NOT NULL,
  resource TEXT NOT NULL,
  hash BLOB NOT NULL,
  UNIQUE (source_ix, id),
  CHECK (quantity_micro >= 0 AND period_until >= period_from),
  CHECK ((corrects_id IS NULL) = (corrects_source_ix IS NULL))
);
CREATE INDEX meter_events_of_project ON meter_events (project_ix, period_from);
CREATE UNIQUE INDEX meter_events_corrected ON meter_events (corrects_source_ix, corrects_id)
  WHERE corrects_id IS NOT NULL;
CREATE TABLE meter_commits (
  first_sequence INTEGER NOT NULL PRIMARY KEY,
  last_sequence BIGINT NOT NULL,
  received_at BIGINT NOT NULL,
  chain BLOB NOT NULL,
  CHECK (last_sequence >= first_sequence)
);
)sql";

constexpr std::string_view meter_guards = R"sql(
CREATE TRIGGER meter_events_no_update BEFORE UPDATE ON meter_events
  BEGIN SELECT RAISE(ABORT, 'metered events are never changed: corrections are new ones'); END;
CREATE TRIGGER meter_events_no_delete BEFORE DELETE ON meter_events
  BEGIN SELECT RAISE(ABORT, 'metered events are never deleted: corrections are new ones'); END;
CREATE TRIGGER meter_sources_no_update BEFORE UPDATE ON meter_sources
  BEGIN SELECT RAISE(ABORT, 'sources of metered events are never changed'); END;
CREATE TRIGGER meter_sources_no_delete BEFORE DELETE ON meter_sources
  BEGIN SELECT RAISE(ABORT, 'sources of metered events are never deleted'); END;
CREATE TRIGGER meter_commits_no_update BEFORE UPDATE ON meter_commits
  BEGIN SELECT RAISE(ABORT, 'commits of metered events are never changed'); END;
CREATE TRIGGER meter_commits_no_delete BEFORE DELETE ON meter_commits
  BEGIN SELECT RAISE(ABORT, 'commits of metered events are never deleted'); END;
)sql";

// What an invoice is made from, and invoices as they were issued.
constexpr std::string_view billing = R"sql(
ALTER TABLE usage ADD COLUMN org_ix BIGINT NOT NULL DEFAULT 0;
ALTER TABLE usage ADD COLUMN site_ix BIGINT NOT NULL DEFAULT 0;
ALTER TABLE usage ADD COLUMN reservation BLOB;
ALTER TABLE usage ADD COLUMN started_sequence BIGINT NOT NULL DEFAULT 0;
ALTER TABLE usage ADD COLUMN sequence BIGINT NOT NULL DEFAULT 0;
CREATE INDEX usage_of_org ON usage (org_ix, started_at, job, generation);
CREATE TABLE invoices (
  id BLOB NOT NULL PRIMARY KEY,
  number TEXT NOT NULL UNIQUE,
  kind TEXT NOT NULL,
  org_ix BIGINT NOT NULL,
  currency TEXT NOT NULL,
  period_from BIGINT NOT NULL,
  period_until BIGINT NOT NULL,
  known_sequence BIGINT NOT NULL,
  inputs_hash TEXT NOT NULL,
  issued_at BIGINT NOT NULL,
  due_at BIGINT NOT NULL,
  lines_minor BIGINT NOT NULL,
  covered_minor BIGINT NOT NULL,
  net_minor BIGINT NOT NULL,
  tax_minor BIGINT NOT NULL,
  total_minor BIGINT NOT NULL,
  prepaid_minor BIGINT NOT NULL,
  payable_minor BIGINT NOT NULL,
  corrects BLOB,
  sequence BIGINT NOT NULL,
  body TEXT NOT NULL,
  CHECK (net_minor = lines_minor - covered_minor AND total_minor = net_minor + tax_minor AND
         payable_minor = total_minor - prepaid_minor)
) WITHOUT ROWID;
CREATE INDEX invoices_of_org ON invoices (org_ix, period_from);
CREATE TABLE invoice_lines (
  invoice BLOB NOT NULL,
  n BIGINT NOT NULL,
  org_ix BIGINT NOT NULL,
  kind TEXT NOT NULL,
  project_ix BIGINT NOT NULL,
  meter TEXT NOT NULL,
  sku_ix BIGINT NOT NULL,
  site_ix BIGINT NOT NULL,
  job_class TEXT NOT NULL,
  price_version BIGINT NOT NULL,
  contract BLOB,
  month BIGINT NOT NULL,
  period_from BIGINT NOT NULL,
  period_until BIGINT NOT NULL,
  quantity BIGINT NOT NULL,
  per BIGINT NOT NULL,
  price BIGINT NOT NULL,
  ticks BIGINT NOT NULL,
  minor BIGINT NOT NULL,
  covered_minor BIGINT NOT NULL,
  correction BIGINT NOT NULL,
  description TEXT NOT NULL,
  PRIMARY KEY (invoice, n)
) WITHOUT ROWID;
CREATE TABLE payments (
  id BLOB NOT NULL PRIMARY KEY,
  invoice BLOB NOT NULL,
  minor BIGINT NOT NULL,
  provider TEXT NOT NULL,
  reference TEXT NOT NULL,
  paid_at BIGINT NOT NULL,
  sequence BIGINT NOT NULL,
  CHECK (minor > 0)
) WITHOUT ROWID;
)sql";

constexpr std::string_view billing_guards = R"sql(
CREATE TRIGGER invoices_no_update BEFORE UPDATE ON invoices
  BEGIN SELECT RAISE(ABORT, 'invoices are never changed: a credit note takes one back'); END;
CREATE TRIGGER invoices_no_delete BEFORE DELETE ON invoices
  BEGIN SELECT RAISE(ABORT, 'invoices are never deleted: a credit note takes one back'); END;
CREATE TRIGGER invoice_lines_no_update BEFORE UPDATE ON invoice_lines
  BEGIN SELECT RAISE(ABORT, 'invoices are never changed: a credit note takes one back'); END;
CREATE TRIGGER invoice_lines_no_delete BEFORE DELETE ON invoice_lines
  BEGIN SELECT RAISE(ABORT, 'invoices are never deleted: a credit note takes one back'); END;
CREATE TRIGGER payments_no_update BEFORE UPDATE ON payments
  BEGIN SELECT RAISE(ABORT, 'payments are never changed'); END;
CREATE TRIGGER payments_no_delete BEFORE DELETE ON payments
  BEGIN SELECT RAISE(ABORT, 'payments are never deleted'); END;
)sql";

// Double entry after reference/billing.md §1: 16-byte ids, timestamps that only grow, flags; the
// hash chain's head of each day. No store with facts of the first form was ever released, so the
// old rows go: `rebuild` makes them.
constexpr std::string_view ledger = R"sql(
DROP TABLE transfers;
CREATE TABLE transfers (
  timestamp INTEGER NOT NULL PRIMARY KEY,
  id BLOB NOT NULL,
  debit_ix BIGINT NOT NULL,
  credit_ix BIGINT NOT NULL,
  amount BIGINT NOT NULL,
  pending_id BLOB,
  user_data BLOB,
  timeout_s BIGINT NOT NULL,
  ledger BIGINT NOT NULL,
  code BIGINT NOT NULL,
  flags BIGINT NOT NULL,
  reason TEXT NOT NULL,
  sequence BIGINT NOT NULL,
  at BIGINT NOT NULL,
  job BLOB,
  generation BIGINT NOT NULL,
  kind TEXT GENERATED ALWAYS AS (CASE WHEN flags & 2 THEN 'pending' WHEN flags & 4 THEN 'post'
                                      WHEN flags & 8 THEN 'release' ELSE 'single' END) VIRTUAL,
  CHECK (amount >= 0 AND debit_ix <> credit_ix AND ledger > 0 AND code > 0)
);
CREATE UNIQUE INDEX transfers_by_id ON transfers (id);
CREATE INDEX transfers_of_job ON transfers (job) WHERE job IS NOT NULL;
CREATE UNIQUE INDEX transfers_resolved ON transfers (pending_id) WHERE pending_id IS NOT NULL;
DROP TABLE accounts;
CREATE TABLE accounts (
  ix INTEGER NOT NULL PRIMARY KEY,
  id BLOB NOT NULL UNIQUE,
  ledger BIGINT NOT NULL,
  currency TEXT NOT NULL,
  scale TEXT NOT NULL,
  code BIGINT NOT NULL,
  flags BIGINT NOT NULL,
  name TEXT NOT NULL,
  user_data BLOB,
  timestamp BIGINT NOT NULL,
  debits_pending BIGINT NOT NULL,
  debits_posted BIGINT NOT NULL,
  credits_pending BIGINT NOT NULL,
  credits_posted BIGINT NOT NULL,
  CHECK (debits_pending >= 0 AND debits_posted >= 0 AND credits_pending >= 0 AND
         credits_posted >= 0),
  CHECK (flags & 2 = 0 OR debits_pending + debits_posted <= credits_posted),
  CHECK (flags & 4 = 0 OR credits_pending + credits_posted <= debits_posted)
);
CREATE TABLE burnt_transfers (
  id BLOB NOT NULL PRIMARY KEY,
  outcome TEXT NOT NULL,
  sequence BIGINT NOT NULL,
  at BIGINT NOT NULL
) WITHOUT ROWID;
CREATE TABLE ledger_heads (
  day INTEGER NOT NULL PRIMARY KEY,
  transfers BIGINT NOT NULL,
  last_timestamp BIGINT NOT NULL,
  head BLOB NOT NULL
);
)sql";

constexpr std::string_view transfer_guards = R"sql(
CREATE TRIGGER transfers_no_update BEFORE UPDATE ON transfers
  BEGIN SELECT RAISE(ABORT, 'transfers are never changed: corrections are new ones'); END;
CREATE TRIGGER transfers_no_delete BEFORE DELETE ON transfers
  BEGIN SELECT RAISE(ABORT, 'transfers are never deleted: corrections are new ones'); END;
)sql";

// Of an account only its counters move, and whether it is closed.
constexpr std::string_view ledger_guards = R"sql(
CREATE TRIGGER accounts_no_update BEFORE UPDATE ON accounts
  WHEN OLD.id <> NEW.id OR OLD.ledger <> NEW.ledger OR OLD.code <> NEW.code OR
       (OLD.flags | 32) <> (NEW.flags | 32) OR OLD.timestamp <> NEW.timestamp OR
       OLD.user_data IS NOT NEW.user_data
  BEGIN SELECT RAISE(ABORT, 'accounts are never changed'); END;
CREATE TRIGGER accounts_no_delete BEFORE DELETE ON accounts
  BEGIN SELECT RAISE(ABORT, 'accounts are never deleted'); END;
CREATE TRIGGER burnt_transfers_no_update BEFORE UPDATE ON burnt_transfers
  BEGIN SELECT RAISE(ABORT, 'burnt ids are never changed'); END;
CREATE TRIGGER burnt_transfers_no_delete BEFORE DELETE ON burnt_transfers
  BEGIN SELECT RAISE(ABORT, 'burnt ids are never freed'); END;
)sql";

// A row for each price of a lease: spot prices change while it runs. With a ceiling's flats, a
// price's version beside the GPU's, the contract's term (core/model.h, Rates).
constexpr std::string_view usage_steps = R"sql(
CREATE TABLE usage_of_steps (
  job BLOB NOT NULL,
  generation BIGINT NOT NULL,
  step BIGINT NOT NULL,
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
  gpu_milli BIGINT NOT NULL,
  org_ix BIGINT NOT NULL,
  site_ix BIGINT NOT NULL,
  reservation BLOB,
  started_sequence BIGINT NOT NULL,
  sequence BIGINT NOT NULL,
  gpu_flat BIGINT NOT NULL,
  vcpu_flat BIGINT NOT NULL,
  gib_flat BIGINT NOT NULL,
  host_version BIGINT NOT NULL,
  term_months BIGINT NOT NULL,
  PRIMARY KEY (job, generation, step),
  CHECK (billed_s >= 0 AND waived_s >= 0 AND ended_at >= started_at)
) WITHOUT ROWID;
INSERT INTO usage_of_steps SELECT job, generation, 0, project_ix, user_ix, sku_ix, job_class,
  started_at, ended_at, billed_s, waived_s, price_version, gpu_price, gpus, vcpu_price, cpu_milli,
  gib_price, memory_mib, gpu_amount, vcpu_amount, memory_amount, gpu_milli, org_ix, site_ix,
  reservation, started_sequence, sequence, 0, 0, 0, 0, 0 FROM usage;
DROP TRIGGER usage_no_delete;
DROP TABLE usage;
ALTER TABLE usage_of_steps RENAME TO usage;
CREATE INDEX usage_by_end ON usage (ended_at, project_ix);
CREATE INDEX usage_of_org ON usage (org_ix, started_at, job, generation, step);
)sql";

constexpr std::string_view usage_guards = R"sql(
CREATE TRIGGER usage_no_update BEFORE UPDATE ON usage
  BEGIN SELECT RAISE(ABORT, 'usage rows are never changed'); END;
CREATE TRIGGER usage_no_delete BEFORE DELETE ON usage
  BEGIN SELECT RAISE(ABORT, 'usage rows are never deleted'); END;
)sql";

// What a rating reads: an org's usage by when it began, with what says at once whether it touches a
// period; what earlier invoices billed, without their bodies.
constexpr std::string_view invoicing_reads = R"sql(
DROP INDEX usage_of_org;
CREATE INDEX usage_of_org
  ON usage (org_ix, started_at, job, generation, step, ended_at, sequence);
DROP TRIGGER invoice_lines_no_update;
ALTER TABLE invoice_lines ADD COLUMN contract_minor BIGINT NOT NULL DEFAULT 0;
ALTER TABLE invoice_lines ADD COLUMN paid_ticks BIGINT NOT NULL DEFAULT 0;
UPDATE invoice_lines SET (contract_minor, paid_ticks) =
  (SELECT coalesce(json_extract(i.body, '$.lines[' || n || '].contract_minor'), 0),
          coalesce(json_extract(i.body, '$.lines[' || n || '].paid_ticks'), 0)
   FROM invoices i WHERE i.id = invoice);
CREATE INDEX invoice_lines_of_org ON invoice_lines (org_ix, month);
CREATE TRIGGER invoice_lines_no_update BEFORE UPDATE ON invoice_lines
  BEGIN SELECT RAISE(ABORT, 'invoices are never changed: a credit note takes one back'); END;
)sql";

constexpr std::string_view lift = R"sql(
DROP TRIGGER journal_no_update; DROP TRIGGER journal_no_delete;
DROP TRIGGER usage_no_update; DROP TRIGGER usage_no_delete;
DROP TRIGGER transfers_no_update; DROP TRIGGER transfers_no_delete;
DROP TRIGGER accounts_no_update; DROP TRIGGER accounts_no_delete;
DROP TRIGGER burnt_transfers_no_update; DROP TRIGGER burnt_transfers_no_delete;
DROP TRIGGER invoices_no_update; DROP TRIGGER invoices_no_delete;
DROP TRIGGER invoice_lines_no_update; DROP TRIGGER invoice_lines_no_delete;
DROP TRIGGER payments_no_update; DROP TRIGGER payments_no_delete;
)sql";

const std::array<Migration, 15> all = {{
    {1, "0001_first", first},
    {2, "0002_facts_view_sqlite", facts_view, postgres::facts_view},
    {3, "0003_guards_sqlite", guards, postgres::guards},
    {4, "0004_gpu_milli", gpu_milli},
    {5, "0005_meter_events", meter_events},
    {6, "0006_meter_guards_sqlite", meter_guards, postgres::meter_guards},
    {7, "0007_billing", billing},
    {8, "0008_billing_guards_sqlite", billing_guards, postgres::billing_guards},
    {9, "0009_ledger_sqlite", ledger, postgres::ledger},
    {10, "0010_transfer_guards_sqlite", transfer_guards, postgres::transfer_guards},
    {11, "0011_ledger_guards_sqlite", ledger_guards, postgres::ledger_guards},
    {12, "0012_webhook_deliveries", deliveries_migration},
    {13, "0013_usage_steps", usage_steps},
    {14, "0014_usage_guards_sqlite", usage_guards, postgres::usage_guards},
    {15, "0015_invoicing_reads_sqlite", invoicing_reads, postgres::invoicing_reads},
}};

base::Try<void> plain_try(Sql<void> r) {
  if (!r) return std::unexpected(to_fault(r.error()));
  return {};
}

// As it is applied to this store: its name and its text.
struct Applied {
  std::string name;
  std::string sql;
  std::string checksum;
};
Applied applied_to(Database& db, const Migration& m) {
  Applied a{std::string(m.name), std::string(m.sql), ""};
  if (db.connection().is_postgres() && !m.postgres.empty()) {
    a.name.replace(a.name.rfind("_sqlite"), std::string::npos, "_postgres");
    a.sql = m.postgres;
  }
  a.checksum = base::to_hex(base::sha256(a.sql));
  if (db.connection().is_postgres() && m.postgres.empty()) a.sql = postgres::as_postgres(a.sql);
  return a;
}

base::Try<void> check_applied(Database& db, std::span<const Migration> known, std::size_t& count) {
  auto rows = db.query("SELECT version, name, checksum FROM migrations ORDER BY version");
  while (rows.next()) {
    if (count == known.size())
      return base::fault("the store has migration " + rows.text(1) +
                             ", newer than this program's last, " + std::string(known.back().name) +
                             ": run the newer program",
                         false);
    const Migration& m = known[count++];
    if (rows.integer(0) != m.version || rows.bytes(2) != applied_to(db, m).checksum)
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
  const std::string table =
      "CREATE TABLE IF NOT EXISTS migrations (version INTEGER NOT NULL PRIMARY KEY, "
      "name TEXT NOT NULL, checksum TEXT NOT NULL)";
  auto made =
      plain_try(db.exec(db.connection().is_postgres() ? postgres::as_postgres(table) : table));
  if (!made) return made;
  std::size_t count = 0;
  if (auto r = check_applied(db, known, count); !r) return r;
  for (const Migration& m : known.subspan(count)) {
    auto t = Transaction::begin(db);
    if (!t) return std::unexpected(to_fault(t.error()));
    const Applied a = applied_to(db, m);
    if (auto r = db.exec(a.sql); !r)
      return base::fault("migration " + a.name + ": " + r.error().message, false);
    auto noted = db.run("INSERT INTO migrations (version, name, checksum) VALUES (?, ?, ?)",
                        m.version, a.name, a.checksum);
    if (!noted) return std::unexpected(to_fault(noted.error()));
    if (auto r = plain_try(t->commit()); !r) return r;
  }
  return {};
}

base::Try<void> lift_guards(Database& db) {
  return plain_try(db.exec(std::string(db.connection().is_postgres() ? postgres::lift : lift)));
}
base::Try<void> restore_guards(Database& db) {
  if (db.connection().is_postgres()) return plain_try(db.exec(std::string(postgres::restore)));
  return plain_try(
      db.exec(std::string(guards) + std::string(billing_guards) + std::string(ledger_guards)));
}

}  // namespace ampacity::store
