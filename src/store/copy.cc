#include "store/copy.h"

#include "store/fold.h"
#include "store/moved.h"
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

base::Try<std::vector<CopiedTable>> digest_tables(Database& db) {
  std::vector<CopiedTable> out;
  for (const Table& t : tables) {
    base::Digest digest{};
    CopiedTable& table = out.emplace_back(CopiedTable{std::string(t.name), 0, ""});
    if (auto r = digest_rows(db.query(t.rows), digest, table.rows); !r)
      return fail(table.name, r.error());
    table.digest = base::to_hex(digest);
  }
  return out;
}

base::Try<void> compare(const std::vector<CopiedTable>& a, const std::vector<CopiedTable>& b) {
  for (std::size_t i = 0; i < a.size(); ++i)
    if (a[i].digest != b[i].digest)
      return base::fault("the copy is not equal: " + a[i].name + " has " +
                             std::to_string(a[i].rows) + " rows, digest " + a[i].digest +
                             "; copied, " + std::to_string(b[i].rows) + ", " + b[i].digest,
                         false);
  return {};
}

base::Try<CopiedStore> copy_equal(Database& from, Database& to) {
  if (auto r = copy_rows(from, to); !r) return std::unexpected(std::move(r.error()));
  auto before = digest_tables(from);
  if (!before) return std::unexpected(std::move(before.error()));
  auto after = digest_tables(to);
  if (!after) return std::unexpected(std::move(after.error()));
  if (auto r = compare(*before, *after); !r) return std::unexpected(std::move(r.error()));
  return CopiedStore{std::move(*after), 0, {}, {}};
}

}  // namespace

base::Try<void> copy_rows(Database& from, Database& to) {
  for (const Table& t : tables)
    if (auto r = copy_table(from, to, t); !r) return r;
  return {};
}

base::Try<void> copy_equal_rows(Database& from, Database& to) {
  if (auto r = copy_equal(from, to); !r) return std::unexpected(std::move(r.error()));
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
  auto copied = copy_equal(source->db, target->db);
  if (!copied) return copied;      // nothing stays in the target
  auto before = fold(source->db);  // verifies the chain of what it reads
  if (!before) return std::unexpected(std::move(before.error()));
  auto after = fold(target->db);
  if (!after) return std::unexpected(std::move(after.error()));
  copied->facts = after->end.sequence;
  copied->chain = base::to_hex(after->end.chain);
  copied->world = core::state_digest(after->world.state());
  if (before->end.sequence != after->end.sequence || before->end.chain != after->end.chain ||
      core::state_digest(before->world.state()) != copied->world)
    return base::fault("the copy is not equal: it folds to another world", false);
  if (auto r = transaction->commit(); !r) return fail(to.name(), r.error());
  if (auto r = mark_moved(source->db, to); !r)
    return fail(
        "the copy is whole, but " + from.name() + " could not be marked as moved: never start both",
        r.error());
  return copied;
}

}  // namespace ampacity::store
