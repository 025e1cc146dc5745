#include "core/billing.h"

#include <algorithm>
#include <map>

namespace ampacity::core {

std::string invoice_number(const State& state, Instant issued_at) {
  const std::size_t series = series_of(issued_at);
  const std::uint32_t last = series < state.numbers.size() ? state.numbers[series] : 0;
  std::string digits = std::to_string(last + 1);
  if (digits.size() < 6) digits.insert(0, 6 - digits.size(), '0');
  return std::to_string(base::year_of(issued_at)) + "-" + digits;
}

bool is_overdue(const Invoice& i, Instant now) {
  return i.kind == InvoiceKind::invoice && i.state == InvoiceState::issued && i.due_at < now;
}

std::vector<ProjectBill> bills_of(const Invoice& invoice) {
  std::map<ProjectIx, ProjectBill> bills;
  for (const InvoiceLine& line : invoice.lines) {
    if (line.kind == LineKind::prepaid) continue;  // was paid, and booked, when it was bought
    ProjectBill& bill = bills[line.project];
    bill.project = line.project;
    (line.kind == LineKind::usage ? bill.usage : bill.other) += line.ticks;
    bill.minor += line.minor;
    const bool usage = line.kind == LineKind::usage && line.project != nobody;
    (usage ? bill.usage_prepaid_minor : bill.other_prepaid_minor) += line.contract_minor;
    bill.covered_minor += line.covered_minor - line.contract_minor;
  }
  std::vector<ProjectBill> out;
  for (const auto& [project, bill] : bills) out.push_back(bill);
  return out;
}

bool contract_runs(const Contract& c, Instant at) {
  if (at < c.from || (c.ends.us && at >= c.ends)) return false;
  return c.renews || at < base::month_plus(c.from, static_cast<int>(c.months));
}

Contract as_known(Contract c, std::uint64_t sequence) {
  for (const ContractEnd& e : c.ended)
    if (e.sequence <= sequence) c.ends = e.ends;
  return c;
}

}  // namespace ampacity::core
