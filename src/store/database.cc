#include "store/database.h"

#include <algorithm>

#include "store/postgres.h"
#include "store/sqlite.h"

namespace ampacity::store {
namespace {

std::uint64_t big_endian_at(const unsigned char* p) {
  std::uint64_t n = 0;
  for (int i = 0; i < 8; ++i) n = (n << 8) | p[i];
  return n;
}

}  // namespace

base::Fault to_fault(const SqlFault& f) {
  const bool again = f.kind == SqlFault::Kind::full || f.kind == SqlFault::Kind::again ||
                     f.kind == SqlFault::Kind::lost;
  return {f.message + " (" + f.code + ")", again, 0};
}

bool Cursor::next() {
  if (!statement_ || fault_) return false;
  auto row = statement_->next();
  if (row && *row) return true;
  if (!row) fault_ = std::move(row.error());
  statement_ = nullptr;  // the end: the statement has ended itself
  return false;
}

base::Id Cursor::id(int column) const {
  const std::string_view b = bytes(column);
  if (b.size() != 16) return {};
  const auto* p = reinterpret_cast<const unsigned char*>(b.data());
  return {big_endian_at(p), big_endian_at(p + 8)};
}

std::optional<base::Digest> Cursor::digest(int column) const {
  const std::string_view b = bytes(column);
  base::Digest d;
  if (b.size() != d.size()) return std::nullopt;
  std::copy(b.begin(), b.end(), d.begin());
  return d;
}

void Cursor::append_to(std::string& out, int column) const {
  const Statement::Type kind = type(column);
  out += static_cast<char>('0' + static_cast<int>(kind));
  if (kind == Statement::Type::null) return;
  const bool whole = kind == Statement::Type::integer;
  const std::string number = whole ? std::to_string(integer(column)) : "";
  const std::string_view value = whole ? std::string_view(number) : bytes(column);
  out += std::to_string(value.size());
  out += ':';
  out += value;
}

Sql<Database> Database::open(const StoreAt& at, Mode mode) {
  auto connection = at.on_postgres() ? connect_postgres(at, PostgresUse::plain)
                                     : connect_sqlite(at, mode == Mode::create);
  if (!connection) return std::unexpected(std::move(connection.error()));
  return Database(std::move(*connection));
}

Sql<Statement*> Database::prepared(Literal sql) {
  auto& s = parts_->statements[sql.sql];
  if (s) return s.get();
  auto made = connection().prepare({sql.sql, sql.size});
  if (!made) return std::unexpected(std::move(made.error()));
  s = std::move(*made);
  return s.get();
}

Sql<Transaction> Transaction::begin(Database& db) {
  if (auto r = db.connection().begin(); !r) return std::unexpected(std::move(r.error()));
  return Transaction(db.connection());
}

Sql<void> Transaction::commit() {
  auto r = db_->commit();
  if (r) db_ = nullptr;
  return r;
}

}  // namespace ampacity::store
