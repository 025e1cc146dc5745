#include "store/migrations_postgres.h"

namespace ampacity::store::postgres {

const std::string_view facts_view = R"sql(
CREATE VIEW facts AS
  SELECT j.first_sequence + e.n - 1 AS sequence,
         e.fact ->> 'kind' AS kind,
         e.fact ->> 'at' AS at,
         e.fact ->> 'actor' AS actor,
         e.fact ->> 'body' AS body
    FROM journal j, json_array_elements(j.facts::json) WITH ORDINALITY AS e (fact, n);
)sql";

// Guards; and the office of writer (store/postgres.h): its holder by number, and how many commits
// there were; who it is, and until when by the database's clock (store/lease.h; a lease of 0: as
// long as its session lives). Not part of what a cloud is: copies leave it out.
const std::string_view guards = R"sql(
CREATE FUNCTION refuse_change() RETURNS TRIGGER LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION '%', TG_ARGV[0] USING ERRCODE = 'integrity_constraint_violation'; END $$;
CREATE TRIGGER journal_no_change BEFORE UPDATE OR DELETE ON journal
  FOR EACH ROW EXECUTE FUNCTION refuse_change('journal rows are never changed or deleted');
CREATE TRIGGER journal_no_truncate BEFORE TRUNCATE ON journal
  EXECUTE FUNCTION refuse_change('journal rows are never deleted');
ALTER TABLE journal ALTER COLUMN facts SET STORAGE EXTERNAL;
CREATE TABLE writer (
  one BIGINT NOT NULL PRIMARY KEY CHECK (one = 1),
  epoch BIGINT NOT NULL,
  commits BIGINT NOT NULL,
  holder TEXT NOT NULL DEFAULT '',
  url TEXT NOT NULL DEFAULT '',
  lease BIGINT NOT NULL DEFAULT 0,
  expires BIGINT NOT NULL DEFAULT 0
) WITH (fillfactor = 10);
INSERT INTO writer (one, epoch, commits) VALUES (1, 0, 0);
CREATE FUNCTION now_us() RETURNS BIGINT LANGUAGE sql VOLATILE AS
  'SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint';
CREATE VIEW sessions_of_writer AS
  SELECT l.pid, a.application_name, a.client_addr
    FROM pg_locks l JOIN pg_stat_activity a USING (pid)
   WHERE l.locktype = 'advisory' AND l.granted
     AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
     AND (l.classid::bigint << 32 | l.objid::bigint) = 7020390957722465401;
CREATE FUNCTION still_writer(mine BIGINT, number BIGINT) RETURNS BIGINT LANGUAGE plpgsql AS $$
BEGIN
  UPDATE writer SET commits = number, expires = now_us() + lease WHERE one = 1 AND epoch = mine;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'another ampacityd has become the writer of this store'
      USING ERRCODE = 'AM001';
  END IF;
  RETURN number;
END $$;
)sql";

const std::string_view meter_guards = R"sql(
CREATE TRIGGER meter_events_no_change BEFORE UPDATE OR DELETE ON meter_events
  FOR EACH ROW EXECUTE FUNCTION
  refuse_change('metered events are never changed or deleted: corrections are new ones');
CREATE TRIGGER meter_sources_no_change BEFORE UPDATE OR DELETE ON meter_sources
  FOR EACH ROW EXECUTE FUNCTION
  refuse_change('sources of metered events are never changed or deleted');
CREATE TRIGGER meter_commits_no_change BEFORE UPDATE OR DELETE ON meter_commits
  FOR EACH ROW EXECUTE FUNCTION
  refuse_change('commits of metered events are never changed or deleted');
)sql";

const std::string_view billing_guards = R"sql(
CREATE TRIGGER invoices_no_change BEFORE UPDATE OR DELETE ON invoices
  FOR EACH ROW EXECUTE FUNCTION
  refuse_change('invoices are never changed or deleted: a credit note takes one back');
CREATE TRIGGER invoice_lines_no_change BEFORE UPDATE OR DELETE ON invoice_lines
  FOR EACH ROW EXECUTE FUNCTION
  refuse_change('invoices are never changed or deleted: a credit note takes one back');
CREATE TRIGGER payments_no_change BEFORE UPDATE OR DELETE ON payments
  FOR EACH ROW EXECUTE FUNCTION refuse_change('payments are never changed or deleted');
)sql";

const std::string_view ledger = R"sql(
DROP TABLE transfers;
CREATE TABLE transfers (
  timestamp BIGINT NOT NULL PRIMARY KEY,
  id BYTEA NOT NULL,
  debit_ix BIGINT NOT NULL,
  credit_ix BIGINT NOT NULL,
  amount BIGINT NOT NULL,
  pending_id BYTEA,
  user_data BYTEA,
  timeout_s BIGINT NOT NULL,
  ledger BIGINT NOT NULL,
  code BIGINT NOT NULL,
  flags BIGINT NOT NULL,
  reason TEXT COLLATE "C" NOT NULL,
  sequence BIGINT NOT NULL,
  at BIGINT NOT NULL,
  job BYTEA,
  generation BIGINT NOT NULL,
  kind TEXT COLLATE "C" GENERATED ALWAYS AS (
    CASE WHEN flags & 2 <> 0 THEN 'pending' WHEN flags & 4 <> 0 THEN 'post'
         WHEN flags & 8 <> 0 THEN 'release' ELSE 'single' END) STORED,
  CHECK (amount >= 0 AND debit_ix <> credit_ix AND ledger > 0 AND code > 0)
);
CREATE UNIQUE INDEX transfers_by_id ON transfers (id);
CREATE INDEX transfers_of_job ON transfers (job) WHERE job IS NOT NULL;
CREATE UNIQUE INDEX transfers_resolved ON transfers (pending_id) WHERE pending_id IS NOT NULL;
DROP TABLE accounts;
CREATE TABLE accounts (
  ix BIGINT NOT NULL PRIMARY KEY,
  id BYTEA NOT NULL UNIQUE,
  ledger BIGINT NOT NULL,
  currency TEXT COLLATE "C" NOT NULL,
  scale TEXT COLLATE "C" NOT NULL,
  code BIGINT NOT NULL,
  flags BIGINT NOT NULL,
  name TEXT COLLATE "C" NOT NULL,
  user_data BYTEA,
  timestamp BIGINT NOT NULL,
  debits_pending BIGINT NOT NULL,
  debits_posted BIGINT NOT NULL,
  credits_pending BIGINT NOT NULL,
  credits_posted BIGINT NOT NULL,
  CHECK (debits_pending >= 0 AND debits_posted >= 0 AND credits_pending >= 0 AND
         credits_posted >= 0),
  CHECK (flags & 2 = 0 OR debits_pending + debits_posted <= credits_posted),
  CHECK (flags & 4 = 0 OR credits_pending + credits_posted <= debits_posted)
) WITH (fillfactor = 50);
CREATE TABLE burnt_transfers (
  id BYTEA NOT NULL PRIMARY KEY,
  outcome TEXT COLLATE "C" NOT NULL,
  sequence BIGINT NOT NULL,
  at BIGINT NOT NULL
);
CREATE TABLE ledger_heads (
  day BIGINT NOT NULL PRIMARY KEY,
  transfers BIGINT NOT NULL,
  last_timestamp BIGINT NOT NULL,
  head BYTEA NOT NULL
);
)sql";

const std::string_view transfer_guards = R"sql(
CREATE TRIGGER transfers_no_change BEFORE UPDATE OR DELETE ON transfers
  FOR EACH ROW EXECUTE FUNCTION
  refuse_change('transfers are never changed or deleted: corrections are new ones');
)sql";

const std::string_view ledger_guards = R"sql(
CREATE TRIGGER accounts_no_update BEFORE UPDATE ON accounts FOR EACH ROW
  WHEN (OLD.id <> NEW.id OR OLD.ledger <> NEW.ledger OR OLD.code <> NEW.code OR
        (OLD.flags | 32) <> (NEW.flags | 32) OR OLD.timestamp <> NEW.timestamp OR
        OLD.user_data IS DISTINCT FROM NEW.user_data)
  EXECUTE FUNCTION refuse_change('accounts are never changed');
CREATE TRIGGER accounts_no_delete BEFORE DELETE ON accounts
  FOR EACH ROW EXECUTE FUNCTION refuse_change('accounts are never deleted');
CREATE TRIGGER burnt_transfers_no_change BEFORE UPDATE OR DELETE ON burnt_transfers
  FOR EACH ROW EXECUTE FUNCTION refuse_change('burnt ids are never changed or freed');
)sql";

const std::string_view usage_guards = R"sql(
CREATE TRIGGER usage_no_change BEFORE UPDATE OR DELETE ON usage
  FOR EACH ROW EXECUTE FUNCTION refuse_change('usage rows are never changed or deleted');
)sql";

const std::string_view invoicing_reads = R"sql(
DROP INDEX usage_of_org;
CREATE INDEX usage_of_org
  ON usage (org_ix, started_at, job, generation, step, ended_at, sequence);
ALTER TABLE invoice_lines ADD COLUMN contract_minor BIGINT NOT NULL DEFAULT 0;
ALTER TABLE invoice_lines ADD COLUMN paid_ticks BIGINT NOT NULL DEFAULT 0;
ALTER TABLE invoice_lines DISABLE TRIGGER invoice_lines_no_change;
UPDATE invoice_lines SET
  contract_minor =
    coalesce((i.body::json #>> ARRAY['lines', n::text, 'contract_minor'])::bigint, 0),
  paid_ticks = coalesce((i.body::json #>> ARRAY['lines', n::text, 'paid_ticks'])::bigint, 0)
  FROM invoices i WHERE i.id = invoice;
ALTER TABLE invoice_lines ENABLE TRIGGER invoice_lines_no_change;
CREATE INDEX invoice_lines_of_org ON invoice_lines (org_ix, month);
)sql";

const std::string_view lift = R"sql(
ALTER TABLE usage DISABLE TRIGGER USER; ALTER TABLE transfers DISABLE TRIGGER USER;
ALTER TABLE accounts DISABLE TRIGGER USER; ALTER TABLE burnt_transfers DISABLE TRIGGER USER;
ALTER TABLE invoices DISABLE TRIGGER USER; ALTER TABLE invoice_lines DISABLE TRIGGER USER;
ALTER TABLE payments DISABLE TRIGGER USER;
)sql";
const std::string_view restore = R"sql(
ALTER TABLE usage ENABLE TRIGGER USER; ALTER TABLE transfers ENABLE TRIGGER USER;
ALTER TABLE accounts ENABLE TRIGGER USER; ALTER TABLE burnt_transfers ENABLE TRIGGER USER;
ALTER TABLE invoices ENABLE TRIGGER USER; ALTER TABLE invoice_lines ENABLE TRIGGER USER;
ALTER TABLE payments ENABLE TRIGGER USER;
)sql";

}  // namespace ampacity::store::postgres
