#include "audit/audit.h"

#include "audit/checks.h"
#include "store/store_file.h"

namespace ampacity::audit {

std::vector<Finding> check_ledger(const std::filesystem::path& file) {
  auto db = store::open_to_read(file);
  if (!db) return {{"store_readable", false, 0, db.error().message}};
  // One transaction: every check sees the same instant, whatever a server writes meanwhile.
  if (auto begun = db->exec("BEGIN"); !begun)
    return {{"store_readable", false, 0, begun.error().message}};
  std::vector<Finding> findings;
  check_transfers(*db, findings);
  check_usage(*db, findings);
  check_journal(*db, findings);
  (void)db->exec("COMMIT");  // nothing was written: ends the read
  return findings;
}

}  // namespace ampacity::audit
