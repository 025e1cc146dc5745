#include "store/row_writer.h"

#include <algorithm>

#include "base/json.h"

namespace ampacity::store {
namespace {

Sql<void> write_job(Database& db, const JobRow& r) {
  return db.run(
      "INSERT INTO jobs (id, project_ix, user_ix, name, outcome, submitted_at, ended_at, body) "
      "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
      r.id, r.project, r.user, r.name, r.outcome, r.submitted_at, r.ended_at, r.body);
}

Sql<void> write_usage(Database& db, const UsageRow& r) {
  return db.run(
      "INSERT INTO usage (job, generation, project_ix, user_ix, sku_ix, job_class, started_at, "
      "ended_at, billed_s, waived_s, price_version, gpu_price, gpus, vcpu_price, cpu_milli, "
      "gib_price, memory_mib, gpu_amount, vcpu_amount, memory_amount, gpu_milli) "
      "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
      r.job, r.generation, r.project, r.user, r.sku, r.job_class, r.started_at, r.ended_at,
      r.billed_s, r.waived_s, r.rates.price_version, r.rates.gpu_price, r.rates.gpus,
      r.rates.vcpu_price, r.rates.cpu_milli, r.rates.gib_price, r.rates.memory_mib, r.amounts.gpu,
      r.amounts.vcpu, r.amounts.memory, r.rates.gpu_milli);
}

Sql<void> write_transfer(Database& db, const TransferRow& r) {
  const core::Transfer& t = r.transfer;
  return db.run(
      "INSERT INTO transfers (id, kind, reason, debit_ix, credit_ix, amount, pending_id, "
      "sequence, at, job, generation) "
      "VALUES (?, ?, ?, ?, ?, ?, nullif(?, 0), ?, ?, ?, nullif(?, 0))",
      t.id, base::enum_name(t.kind), base::enum_name(t.reason), t.debit, t.credit, t.amount,
      t.pending_id, r.sequence, r.at, r.job, r.generation);
}

Sql<void> write_name(Database& db, const NameRow& r) {
  return db.run(
      "INSERT INTO names (kind, ix, id, name) VALUES (?, ?, ?, ?) "
      "ON CONFLICT (kind, ix) DO UPDATE SET id = excluded.id, name = excluded.name",
      r.kind, r.ix, r.id, r.name);
}

Sql<void> write_account(Database& db, std::uint32_t ix, const core::Account& a) {
  return db.run(
      "INSERT INTO accounts (ix, ledger, code, name, debits_must_not_exceed_credits, "
      "debits_pending, debits_posted, credits_pending, credits_posted) "
      "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (ix) DO UPDATE SET "
      "debits_pending = excluded.debits_pending, debits_posted = excluded.debits_posted, "
      "credits_pending = excluded.credits_pending, credits_posted = excluded.credits_posted",
      ix, base::enum_name(a.ledger), a.code, a.name, a.debits_must_not_exceed_credits,
      a.debits_pending, a.debits_posted, a.credits_pending, a.credits_posted);
}

template <typename Row, typename F>
Sql<void> each(const std::vector<Row>& rows, F&& write) {
  for (const Row& row : rows)
    if (auto r = write(row); !r) return r;
  return {};
}

Sql<void> digest_table(Cursor rows, base::Digest& digest) {
  std::string record;
  while (rows.next()) {
    record.clear();
    for (int i = 0; i < rows.columns(); ++i) rows.append_to(record, i);
    digest = base::chain(digest, record);
  }
  if (rows.fault()) return std::unexpected(*rows.fault());
  digest = base::chain(digest, "table");
  return {};
}

}  // namespace

Sql<void> write_rows(Database& db, const Rows& rows, const core::State& after) {
  std::vector<std::uint32_t> touched = rows.accounts_touched;
  std::sort(touched.begin(), touched.end());
  touched.erase(std::unique(touched.begin(), touched.end()), touched.end());
  const auto account = [&](auto ix) { return write_account(db, ix, after.accounts[ix]); };
  if (auto r = each(touched, account); !r) return r;
  if (auto r = each(rows.names, [&](auto& row) { return write_name(db, row); }); !r) return r;
  if (auto r = each(rows.jobs, [&](auto& row) { return write_job(db, row); }); !r) return r;
  if (auto r = each(rows.usage, [&](auto& row) { return write_usage(db, row); }); !r) return r;
  return each(rows.transfers, [&](auto& row) { return write_transfer(db, row); });
}

Sql<std::string> digest_read_models(Database& db) {
  base::Digest d{};
  Sql<void> r = digest_table(db.query("SELECT * FROM accounts ORDER BY ix"), d);
  if (r) r = digest_table(db.query("SELECT * FROM names ORDER BY kind, ix"), d);
  if (r) r = digest_table(db.query("SELECT * FROM jobs ORDER BY id"), d);
  if (r) r = digest_table(db.query("SELECT * FROM usage ORDER BY job, generation"), d);
  if (r) r = digest_table(db.query("SELECT * FROM transfers ORDER BY id"), d);
  if (!r) return std::unexpected(std::move(r.error()));
  return base::to_hex(d);
}

Sql<void> clear_read_models(Database& db) {
  return db.exec(
      "DELETE FROM accounts; DELETE FROM names; DELETE FROM jobs; DELETE FROM usage; "
      "DELETE FROM transfers");
}

}  // namespace ampacity::store
