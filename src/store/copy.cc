#include "store/copy.h"

#include "store/fold.h"
#include "store/store_file.h"
#include "store/tables.h"

namespace ampacity::store {
namespace {

std::unexpected<base::Fault> fail(const std::string& what, const SqlFault& f) {
  base::Fault fault = to_fault(f);
  fault.message = what + ": " + fault.message;
  return std::unexpected(std::move(fault));
}

base::Try<void> check_empty(Database& db, const StoreAt& at) {
  for (const Table& t : tables) {
    auto row = db.query(t.rows);
    if (row.next())
      return base::fault(at.name() + " is not empty (" + std::string(t.name) +
                             " has rows): a store is copied into a new one only",
                         false);
    if (row.fault()) return fail(at.name(), *row.fault());
  }
  return {};
}

base::Try<void> copy_table(Database& from, Database& to, const Table& t) {
  std::vector<std::string> columns;
  {
    auto names = to.query(to.connection().columns_of_table(), t.name);
    while (names.next()) columns.push_back(names.text(0));
    if (names.fault()) return fail(std::string(t.name), *names.fault());
  }
  std::string sql = "SELECT ";
  for (const std::string& c : columns) sql += (&c == columns.data() ? "" : ", ") + c;
  sql += " FROM " + std::string(t.name);
  auto reading = from.connection().prepare(sql);
  if (!reading) return fail(std::string(t.name), reading.error());
  if (auto started = (*reading)->start(); !started)
    return fail(std::string(t.name), started.error());
  Cursor rows(reading->get(), std::nullopt);
  if (auto r = to.connection().insert_all(std::string(t.name), columns, rows); !r)
    return fail(std::string(t.name), r.error());
  return {};
}

struct Digested {
  std::vector<CopiedTable> tables;
  ChainEnd end;
  std::string world;
};

base::Try<Digested> digest_all(Database& db) {
  Digested out;
  for (const Table& t : tables) {
    base::Digest digest{};
    CopiedTable& table = out.tables.emplace_back(CopiedTable{std::string(t.name), 0, ""});
    if (auto r = digest_rows(db.query(t.rows), digest, table.rows); !r)
      return fail(table.name, r.error());
    table.digest = base::to_hex(digest);
  }
  auto folded = fold(db);  // verifies the chain of what it reads
  if (!folded) return std::unexpected(std::move(folded.error()));
  out.end = folded->end;
  out.world = core::state_digest(folded->world.state());
  return out;
}

base::Try<CopiedStore> compare(const Digested& a, const Digested& b) {
  for (std::size_t i = 0; i < a.tables.size(); ++i)
    if (a.tables[i].digest != b.tables[i].digest)
      return base::fault("the copy is not equal: " + a.tables[i].name + " has " +
                             std::to_string(a.tables[i].rows) + " rows, digest " +
                             a.tables[i].digest + "; copied, " + std::to_string(b.tables[i].rows) +
                             ", " + b.tables[i].digest,
                         false);
  if (a.end.sequence != b.end.sequence || a.end.chain != b.end.chain || a.world != b.world)
    return base::fault("the copy is not equal: it folds to another world", false);
  return CopiedStore{a.tables, a.end.sequence, base::to_hex(a.end.chain), a.world};
}

}  // namespace

base::Try<void> copy_rows(Database& from, Database& to) {
  for (const Table& t : tables)
    if (auto r = copy_table(from, to, t); !r) return r;
  return {};
}

base::Try<CopiedStore> copy_store(const StoreAt& from, const StoreAt& to) {
  if (!from.on_postgres() && !std::filesystem::exists(from.file))
    return base::fault(from.name() + " is not there", false);
  auto source = open_to_write(from);
  if (!source) return std::unexpected(std::move(source.error()));
  auto target = open_to_write(to);
  if (!target) return std::unexpected(std::move(target.error()));
  if (auto r = check_empty(target->db, to); !r) return std::unexpected(std::move(r.error()));

  auto transaction = Transaction::begin(target->db);
  if (!transaction) return fail(to.name(), transaction.error());
  if (auto r = copy_rows(source->db, target->db); !r) return std::unexpected(std::move(r.error()));
  auto before = digest_all(source->db);
  if (!before) return std::unexpected(std::move(before.error()));
  auto after = digest_all(target->db);
  if (!after) return std::unexpected(std::move(after.error()));
  auto equal = compare(*before, *after);
  if (!equal) return equal;  // nothing stays in the target
  if (auto r = transaction->commit(); !r) return fail(to.name(), r.error());
  return equal;
}

}  // namespace ampacity::store
