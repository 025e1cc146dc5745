#include "store/ledger_store.h"

#include <algorithm>
#include <set>
#include <tuple>

#include "base/check.h"
#include "ledger/post.h"

namespace ampacity::store {
namespace {

constexpr int pages_before_checkpoint = 4'000;  // 32 MiB

Sql<void> write_transfer(Database& db, const TransferRow& r) {
  const ledger::Transfer& t = r.transfer;
  return db.run(
      "INSERT INTO transfers (timestamp, id, debit_ix, credit_ix, amount, pending_id, user_data, "
      "timeout_s, ledger, code, flags, reason, sequence, at, job, generation) "
      "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
      t.timestamp, t.id, ledger::position_of(t.debit), ledger::position_of(t.credit), t.amount,
      t.pending_id, t.user_data, t.timeout_s, t.ledger, t.code, t.flags, r.reason, r.sequence, r.at,
      r.job, r.generation);
}

Sql<void> write_head(Database& db, const ledger::Head& h) {
  return db.run(
      "INSERT INTO ledger_heads (day, transfers, last_timestamp, head) VALUES (?, ?, ?, ?) "
      "ON CONFLICT (day) DO UPDATE SET transfers = excluded.transfers, "
      "last_timestamp = excluded.last_timestamp, head = excluded.head",
      h.day, h.transfers, h.last, h.head);
}

base::Try<void> to_try(Sql<void> r) {
  if (!r) return std::unexpected(to_fault(r.error()));
  return {};
}

}  // namespace

Sql<ledger::Chain> latest_chain(Database& db) {
  auto row = db.query(
      "SELECT day, transfers, last_timestamp, head FROM ledger_heads ORDER BY day DESC LIMIT 1");
  ledger::Head head;
  if (row.next())
    head = {row.instant(0), row.number(1), row.instant(2), row.digest(3).value_or(base::Digest{})};
  if (row.fault()) return std::unexpected(*row.fault());
  return ledger::Chain(head);
}

Sql<void> write_transfers(Database& db, std::span<const TransferRow> rows, ledger::Chain chain) {
  std::vector<ledger::Head> heads;
  for (const TransferRow& row : rows) {
    if (auto r = write_transfer(db, row); !r) return r;
    chain.add(row.transfer, heads);
  }
  for (const ledger::Head& head : heads)
    if (auto r = write_head(db, head); !r) return r;
  return {};
}

Sql<void> write_account(Database& db, std::uint32_t ix, const ledger::Account& a) {
  const base::Currency* currency = ledger::currency_of(a.ledger);
  return db.run(
      "INSERT INTO accounts (ix, id, ledger, currency, scale, code, flags, name, user_data, "
      "timestamp, debits_pending, debits_posted, credits_pending, credits_posted) "
      "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (ix) DO UPDATE SET "
      "flags = excluded.flags, "
      "debits_pending = excluded.debits_pending, debits_posted = excluded.debits_posted, "
      "credits_pending = excluded.credits_pending, credits_posted = excluded.credits_posted",
      ix, a.id, a.ledger, currency ? currency->code : std::string_view(),
      base::enum_name(ledger::scale_of(a.ledger)), a.code, a.flags, a.name, a.user_data,
      a.timestamp, a.debits_pending, a.debits_posted, a.credits_pending, a.credits_posted);
}

Sql<void> write_burnt(Database& db, const BurntRow& r) {
  return db.run("INSERT INTO burnt_transfers (id, outcome, sequence, at) VALUES (?, ?, ?, ?)", r.id,
                r.outcome, r.sequence, r.at);
}

ledger::Transfer read_transfer(const Cursor& row) {
  return {row.id(0),
          ledger::account_at(row.index(1)),
          ledger::account_at(row.index(2)),
          row.integer(3),
          row.id(4),
          row.id(5),
          row.index(6),
          row.index(7),
          static_cast<std::uint16_t>(row.integer(8)),
          static_cast<std::uint16_t>(row.integer(9)),
          row.instant(10)};
}

TransferRow read_transfer_row(const Cursor& row) {
  constexpr int k = transfer_columns;
  return {read_transfer(row), row.text(k),   row.number(k + 1),
          row.instant(k + 2), row.id(k + 3), row.index(k + 4)};
}

// In three journeys, whatever the batch: those named, those they resolve, what became of these.
Sql<void> find_past(Database& db, std::span<const ledger::Transfer> batch, core::Past& past) {
  past = {};
  const auto one = [](Id id) { return std::make_tuple(id); };
  const auto look_up = [&](const std::set<Id>& ids) {
    return db.query_each("SELECT " AMPACITY_TRANSFER_COLUMNS " FROM transfers WHERE id = ?", ids,
                         one, [&](Id id, const Cursor& row) {
                           past.known.emplace(id, core::Past::Known{read_transfer(row)});
                         });
  };
  std::set<Id> ids, named, resolved;
  for (const ledger::Transfer& t : batch) {
    ids.insert(t.id);
    named.insert(t.id);
    if (!t.pending_id.is_nil()) named.insert(t.pending_id);
    if (!t.pending_id.is_nil()) resolved.insert(t.pending_id);
  }
  if (auto r = look_up(named); !r) return r;
  std::set<Id> more;
  for (const Id id : ids)
    if (const auto at = past.known.find(id); at != past.known.end())
      if (const Id pending = at->second.transfer.pending_id; !pending.is_nil()) {
        resolved.insert(pending);
        if (!past.known.contains(pending)) more.insert(pending);
      }
  if (auto r = look_up(more); !r) return r;
  std::erase_if(resolved, [&](Id id) { return !past.known.contains(id); });
  auto r = db.query_each("SELECT " AMPACITY_TRANSFER_COLUMNS " FROM transfers WHERE pending_id = ?",
                         resolved, one, [&](Id id, const Cursor& row) {
                           past.known.at(id).fate = ledger::fate_by(read_transfer(row));
                         });
  if (!r) return r;
  return db.query_each("SELECT 1 FROM burnt_transfers WHERE id = ?", ids, one,
                       [&](Id id, const Cursor&) { past.burnt.insert(id); });
}

Sql<std::vector<ledger::Head>> read_heads(Database& db) {
  std::vector<ledger::Head> out;
  auto rows =
      db.query("SELECT day, transfers, last_timestamp, head FROM ledger_heads ORDER BY day");
  while (rows.next())
    out.push_back({rows.instant(0), rows.number(1), rows.instant(2),
                   rows.digest(3).value_or(base::Digest{})});
  if (rows.fault()) return std::unexpected(*rows.fault());
  return out;
}

// ---- a ledger of its own ------------------------------------------------------------------------

base::Try<LedgerStore> LedgerStore::open(const StoreAt& options) {
  auto store = open_to_write(options);
  if (!store) return std::unexpected(std::move(store.error()));
  return LedgerStore(std::move(*store));
}

base::Try<void> LedgerStore::append_accounts(const ledger::MemoryBooks& books) {
  auto t = Transaction::begin(store_.db);
  if (!t) return std::unexpected(to_fault(t.error()));
  for (std::uint32_t ix = 0; ix < books.accounts().size(); ++ix) {
    const ledger::Account& a = books.accounts()[ix];
    CHECK_THAT(a.id == ledger::account_at(ix), "a stored ledger keeps its accounts by position");
    if (auto r = write_account(store_.db, ix, a); !r) return to_try(std::move(r));
  }
  return to_try(t->commit());
}

base::Try<void> LedgerStore::append(std::span<const ledger::Transfer> made,
                                    ledger::MemoryBooks& books) {
  std::vector<TransferRow> rows;
  rows.reserve(made.size());
  std::vector<std::uint32_t> touched;
  touched.reserve(2 * made.size());
  for (const ledger::Transfer& t : made) {
    rows.push_back({t, "", 0, t.timestamp, {}, 0});
    touched.push_back(ledger::position_of(t.debit));
    touched.push_back(ledger::position_of(t.credit));
  }
  std::sort(touched.begin(), touched.end());
  touched.erase(std::unique(touched.begin(), touched.end()), touched.end());
  auto t = Transaction::begin(store_.db);
  if (!t) return std::unexpected(to_fault(t.error()));
  auto chain = latest_chain(store_.db);
  if (!chain) return std::unexpected(to_fault(chain.error()));
  if (auto r = write_transfers(store_.db, rows, *chain); !r) return to_try(std::move(r));
  for (const std::uint32_t ix : touched)
    if (auto r = write_account(store_.db, ix, books.accounts()[ix]); !r)
      return to_try(std::move(r));
  return to_try(t->commit());
}

base::Try<ledger::MemoryBooks> LedgerStore::load() {
  ledger::MemoryBooks books;
  std::vector<ledger::Account> stored;
  auto accounts = store_.db.query(
      "SELECT id, ledger, code, flags, name, user_data, timestamp, debits_pending, debits_posted, "
      "credits_pending, credits_posted FROM accounts ORDER BY ix");
  while (accounts.next()) {
    ledger::Account a{accounts.id(0),
                      accounts.index(1),
                      static_cast<std::uint16_t>(accounts.integer(2)),
                      static_cast<std::uint16_t>(accounts.integer(3)),
                      accounts.text(4),
                      accounts.id(5),
                      accounts.integer(7),
                      accounts.integer(8),
                      accounts.integer(9),
                      accounts.integer(10),
                      accounts.instant(6)};
    stored.push_back(a);
    a.debits_pending = a.debits_posted = a.credits_pending = a.credits_posted = 0;
    a.flags &= static_cast<std::uint16_t>(~ledger::account_flag::closed);
    books.restore(a);
  }
  if (accounts.fault()) return std::unexpected(to_fault(*accounts.fault()));
  auto rows =
      store_.db.query("SELECT " AMPACITY_TRANSFER_COLUMNS " FROM transfers ORDER BY timestamp");
  while (rows.next()) {
    ledger::Transfer t = read_transfer(rows);
    const base::Instant at = t.timestamp;
    if (!t.has(ledger::transfer_flag::imported)) t.timestamp = {};
    // An import lies before the time it is made at.
    const base::Instant now = t.timestamp.us ? base::Instant{at.us + 1} : at;
    const auto outcome = ledger::apply(books, t, now, ledger::Maker::ledger);
    if (outcome != ledger::Outcome::created || t.timestamp != at)
      return base::fault("transfer " + base::format_bare_id(t.id) +
                             " of the store cannot be: " + std::string(ledger::name_of(outcome)),
                         false);
  }
  if (rows.fault()) return std::unexpected(to_fault(*rows.fault()));
  auto burnt = store_.db.query("SELECT id FROM burnt_transfers");
  while (burnt.next()) books.restore_burnt(burnt.id(0));
  if (burnt.fault()) return std::unexpected(to_fault(*burnt.fault()));
  for (std::size_t i = 0; i < stored.size(); ++i)
    if (stored[i] != books.accounts()[i])
      return base::fault(
          "account " + stored[i].name + " of the store is not what its transfers say", false);
  return books;
}

base::Try<std::vector<ledger::Head>> LedgerStore::heads() {
  auto heads = read_heads(store_.db);
  if (!heads) return std::unexpected(to_fault(heads.error()));
  return std::move(*heads);
}

void LedgerStore::settle() {
  if (store_.db.log_pages() >= pages_before_checkpoint) (void)store_.db.checkpoint();
}

}  // namespace ampacity::store
