#include "audit/audit.h"

#include "audit/checks.h"
#include "store/journal.h"
#include "store/meter_events.h"
#include "store/store_file.h"

namespace ampacity::audit {

namespace {

// One transaction: every check sees the same instant, whatever a server writes meanwhile.
template <typename Checks>
std::vector<Finding> in_one_read(const store::StoreAt& file, const Checks& checks) {
  auto db = store::open_to_read(file);
  if (!db) return {{"store_readable", false, 0, db.error().message}};
  if (auto begun = db->connection().begin_read(); !begun)
    return {{"store_readable", false, 0, begun.error().message}};
  std::vector<Finding> findings;
  check_transfers(*db, findings);
  check_usage(*db, findings);
  check_journal(*db, findings);
  checks(*db, findings);
  db->connection().end_read();
  return findings;
}

void check_metered(const store::StoreAt& file, std::vector<Finding>& findings) {
  const auto events = store::verify_meter_events(file);
  findings.push_back(
      events ? Finding{"metered_events_chain_unbroken", true, static_cast<std::int64_t>(*events),
                       fmt::format("{} events", *events)}
             : Finding{"metered_events_chain_unbroken", false, 0, events.error().message});
}

}  // namespace

std::vector<Finding> check_ledger(const store::StoreAt& file) {
  return in_one_read(file, [](store::Database&, std::vector<Finding>&) {});
}

std::vector<Finding> check_month(const store::StoreAt& file, base::Instant month) {
  auto findings = in_one_read(file, [&](store::Database& db, std::vector<Finding>& out) {
    check_invoices(db, base::month_begin(month), out);
    check_receivables(db, out);
  });
  if (findings.size() == 1 && findings[0].check == "store_readable") return findings;
  check_metered(file, findings);
  // Not a check: said so that nobody takes it for one.
  findings.push_back({"not_checked", true, 0,
                      "B9, B10: no assets and no borrowing yet; what credit covers, manual lines, "
                      "credit bought: as given"});
  return findings;
}

}  // namespace ampacity::audit
