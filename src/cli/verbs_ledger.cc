// `ampacity ledger heads` and `ampacity ledger post`: the chain's daily heads, an operator's own
// transfers. The other verbs of the books are in verbs_money.cc.
#include <fstream>
#include <iterator>

#include "api/contract_ledger.h"
#include "cli/display.h"
#include "cli/verbs.h"

namespace ampacity::cli {

int ledger_heads(Session& session) {
  const auto body = session.call("GET", "/v1/ledger/heads");
  const auto heads = Session::read<api::LedgerHeads>(body);
  if (!heads) return session.report(heads.error());
  if (session.print_json(*body)) return 0;
  Table table{{{"DAY"}, {"TRANSFERS", Align::right}, {"HEAD", Align::left, 16}}, {}};
  for (const auto& h : heads->items)
    table.rows.push_back({h.day, std::to_string(h.transfers), h.head});
  auto& t = session.terminal;
  t.out << render(table, t.width, t.colour_out) << std::flush;
  return 0;
}

int ledger_post(Session& session, const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  if (!in.is_open()) return session.report({exit_refused, file + " cannot be read"});
  const auto body = session.call("POST", "/v1/ledger/transfers", text);
  const auto outcomes = Session::read<api::TransferOutcomes>(body);
  if (!outcomes) return session.report(outcomes.error());
  int code = 0;
  for (const auto& o : outcomes->items)
    if (!o.stands) code = exit_failed;
  if (session.print_json(*body)) return code;
  Table table{{{""}, {"TRANSFER"}, {"AMOUNT", Align::right}, {"OUTCOME", Align::left, 12}}, {}};
  for (const auto& o : outcomes->items)
    table.rows.push_back({o.stands ? Cell("✔", Tone::good) : Cell("✘", Tone::bad), o.id,
                          o.amount ? std::to_string(*o.amount) : "", o.outcome});
  auto& t = session.terminal;
  t.out << render(table, t.width, t.colour_out) << std::flush;
  return code;
}

}  // namespace ampacity::cli
