#include "store/tables.h"

namespace ampacity::store {

Sql<void> digest_rows(Cursor rows, base::Digest& digest, std::uint64_t& count) {
  std::string record;
  while (rows.next()) {
    record.clear();
    for (int i = 0; i < rows.columns(); ++i) rows.append_to(record, i);
    digest = base::chain(digest, record);
    ++count;
  }
  if (rows.fault()) return std::unexpected(*rows.fault());
  return {};
}

Sql<std::vector<std::string>> tables_in(Database& db) {
  std::vector<std::string> out;
  auto rows = db.connection().is_postgres()
                  ? db.query(
                        "SELECT tablename::text FROM pg_tables WHERE schemaname = current_schema() "
                        "AND tablename NOT IN ('migrations', 'writer') ORDER BY 1")
                  : db.query(
                        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE "
                        "'sqlite_%' AND name <> 'migrations' ORDER BY 1");
  while (rows.next()) out.push_back(rows.text(0));
  if (rows.fault()) return std::unexpected(*rows.fault());
  return out;
}

}  // namespace ampacity::store
