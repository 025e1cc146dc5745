#include "store/row_writer.h"

#include <algorithm>

#include "base/json.h"
#include "store/ledger_store.h"
#include "store/tables.h"

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
      "gib_price, memory_mib, gpu_amount, vcpu_amount, memory_amount, gpu_milli, org_ix, site_ix, "
      "reservation, started_sequence, sequence, step, gpu_flat, vcpu_flat, gib_flat, host_version, "
      "term_months) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, "
      "?, "
      "?, ?, ?, ?, ?, ?, ?, ?)",
      r.job, r.generation, r.project, r.user, r.sku, r.job_class, r.started_at, r.ended_at,
      r.billed_s, r.waived_s, r.rates.price_version, r.rates.gpu_price, r.rates.gpus,
      r.rates.vcpu_price, r.rates.cpu_milli, r.rates.gib_price, r.rates.memory_mib, r.amounts.gpu,
      r.amounts.vcpu, r.amounts.memory, r.rates.gpu_milli, r.org, r.site, r.reservation,
      r.started_sequence, r.sequence, r.step, r.rates.gpu_flat, r.rates.vcpu_flat, r.rates.gib_flat,
      r.rates.host_version, r.rates.term_months);
}

Sql<void> write_name(Database& db, const NameRow& r) {
  return db.run(
      "INSERT INTO names (kind, ix, id, name) VALUES (?, ?, ?, ?) "
      "ON CONFLICT (kind, ix) DO UPDATE SET id = excluded.id, name = excluded.name",
      r.kind, r.ix, r.id, r.name);
}

Sql<void> write_line(Database& db, const core::Invoice& i, std::size_t n) {
  const core::InvoiceLine& l = i.lines[n];
  return db.run(
      "INSERT INTO invoice_lines (invoice, n, org_ix, kind, project_ix, meter, sku_ix, site_ix, "
      "job_class, price_version, contract, month, period_from, period_until, quantity, per, "
      "price, ticks, minor, covered_minor, correction, description, contract_minor, paid_ticks) "
      "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
      i.id, n, i.org, base::enum_name(l.kind), l.project, l.meter, l.sku, l.site,
      base::enum_name(l.job_class), l.price_version, l.contract, l.month, l.from, l.until,
      l.quantity, l.per, l.price, l.ticks, l.minor, l.covered_minor, l.correction, l.description,
      l.contract_minor, l.paid_ticks);
}

Sql<void> write_invoice(Database& db, const InvoiceRow& r) {
  const core::Invoice& i = r.invoice;
  auto wrote = db.run(
      "INSERT INTO invoices (id, number, kind, org_ix, currency, period_from, period_until, "
      "known_sequence, inputs_hash, issued_at, due_at, lines_minor, covered_minor, net_minor, "
      "tax_minor, total_minor, prepaid_minor, payable_minor, corrects, sequence, body) "
      "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
      i.id, i.number, base::enum_name(i.kind), i.org, i.currency, i.from, i.until, i.sequence,
      i.inputs_hash, i.issued_at, i.due_at, i.lines_minor, i.covered_minor, i.net_minor,
      i.tax_minor, i.total_minor, i.prepaid_minor, i.payable_minor, i.corrects, r.sequence,
      base::to_sparse_json(i));
  for (std::size_t n = 0; wrote && n < i.lines.size(); ++n) wrote = write_line(db, i, n);
  return wrote;
}

Sql<void> write_payment(Database& db, const PaymentRow& r) {
  const core::Payment& p = r.payment;
  return db.run(
      "INSERT INTO payments (id, invoice, minor, provider, reference, paid_at, sequence) "
      "VALUES (?, ?, ?, ?, ?, ?, ?)",
      p.id, p.invoice, p.minor, p.provider, p.reference, p.paid_at, r.sequence);
}

template <typename Row, typename F>
Sql<void> each(const std::vector<Row>& rows, F&& write) {
  for (const Row& row : rows)
    if (auto r = write(row); !r) return r;
  return {};
}

}  // namespace

Sql<void> write_rows(Database& db, const Rows& rows, const core::State& after) {
  auto chain = rows.transfers.empty() ? Sql<ledger::Chain>() : latest_chain(db);
  if (!chain) return std::unexpected(std::move(chain.error()));
  std::vector<std::uint32_t> touched = rows.accounts_touched;
  std::sort(touched.begin(), touched.end());
  touched.erase(std::unique(touched.begin(), touched.end()), touched.end());
  const auto account = [&](auto ix) { return write_account(db, ix, after.accounts[ix]); };
  if (auto r = each(touched, account); !r) return r;
  if (auto r = each(rows.names, [&](auto& row) { return write_name(db, row); }); !r) return r;
  if (auto r = each(rows.jobs, [&](auto& row) { return write_job(db, row); }); !r) return r;
  if (auto r = each(rows.invoices, [&](auto& row) { return write_invoice(db, row); }); !r) return r;
  if (auto r = each(rows.payments, [&](auto& row) { return write_payment(db, row); }); !r) return r;
  if (auto r = each(rows.usage, [&](auto& row) { return write_usage(db, row); }); !r) return r;
  if (auto r = each(rows.burnt, [&](auto& row) { return write_burnt(db, row); }); !r) return r;
  return write_transfers(db, rows.transfers, std::move(*chain));
}

Sql<std::string> digest_read_models(Database& db) {
  base::Digest d{};
  for (const Table& t : tables) {
    if (!t.read_model) continue;
    std::uint64_t rows = 0;
    if (auto r = digest_rows(db.query(t.rows), d, rows); !r)
      return std::unexpected(std::move(r.error()));
    d = base::chain(d, "table");
  }
  return base::to_hex(d);
}

Sql<void> clear_read_models(Database& db) {
  std::string sql;
  for (const Table& t : tables)
    if (t.read_model) sql += "DELETE FROM " + std::string(t.name) + "; ";
  return db.exec(sql);
}

}  // namespace ampacity::store
