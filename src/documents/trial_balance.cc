#include "documents/trial_balance.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

namespace ampacity::documents {
namespace {

bool before(const BookAccount& a, const BookAccount& b) {
  return std::tuple(std::string_view(a.currency), !a.ticks, a.code, std::string_view(a.name)) <
         std::tuple(std::string_view(b.currency), !b.ticks, b.code, std::string_view(b.name));
}

std::vector<const BookAccount*> sorted(const std::vector<BookAccount>& accounts) {
  std::vector<const BookAccount*> in_order;
  for (const BookAccount& a : accounts) in_order.push_back(&a);
  std::sort(in_order.begin(), in_order.end(), [](const auto* a, const auto* b) {
    return before(*a, *b) || (!before(*b, *a) && a < b);
  });
  return in_order;
}

int decimals_of(const std::string& currency, bool ticks) {
  const base::Currency* c = ticks ? nullptr : base::find_currency(currency);
  return c ? c->exponent : 0;
}

std::string shown(Wide amount, const std::string& currency, bool ticks) {
  return to_string({amount, decimals_of(currency, ticks)});
}

std::string_view unit_of(bool ticks) { return ticks ? "tick" : "minor"; }

}  // namespace

std::vector<LedgerTotal> ledger_totals(const std::vector<BookAccount>& accounts) {
  std::vector<LedgerTotal> totals;
  for (const BookAccount* a : sorted(accounts)) {
    if (totals.empty() || totals.back().currency != a->currency || totals.back().ticks != a->ticks)
      totals.push_back({a->currency, a->ticks});
    LedgerTotal& t = totals.back();
    t.debits += a->debits_posted;
    t.credits += a->credits_posted;
    t.debits_pending += a->debits_pending;
    t.credits_pending += a->credits_pending;
  }
  return totals;
}

void trial_balance_csv(const std::vector<BookAccount>& accounts, const TextSink& sink) {
  Sheet out(sink);
  out.raw(
      "ledger,code,account,hledger_account,debits_posted,credits_posted,balance,"
      "debits_pending,credits_pending\r\n");
  const std::vector<std::string> names = journal_names(accounts);
  for (const BookAccount* a : sorted(accounts)) {
    const auto cell = [&](Wide amount) { out.plain(shown(amount, a->currency, a->ticks)); };
    out.plain(fmt::format("{}·{}", a->currency, unit_of(a->ticks)));
    out.number(a->code);
    out.text(a->name);
    out.text(names[static_cast<std::size_t>(a - accounts.data())]);
    cell(a->debits_posted);
    cell(a->credits_posted);
    cell(static_cast<Wide>(a->debits_posted) - a->credits_posted);
    cell(a->debits_pending);
    cell(a->credits_pending);
    out.end_row();
  }
}

void trial_balance_table(const std::vector<BookAccount>& accounts, const TextSink& sink) {
  Sheet out(sink);
  const auto totals = ledger_totals(accounts);
  const auto in_order = sorted(accounts);
  std::size_t wide = 20;
  for (const BookAccount* a : in_order) wide = std::clamp(a->name.size(), wide, std::size_t{40});
  std::size_t next = 0;
  for (const LedgerTotal& t : totals) {
    out.raw(fmt::format("{}, {}\n", t.currency,
                        t.ticks ? "ticks of 1/36,000,000" : "in its minor unit's decimals"));
    const auto row = [&](std::string_view code, std::string_view name, Wide debits, Wide credits) {
      const Wide balance = debits - credits;
      out.raw(fmt::format("  {:>4}  {:<{}.{}}  {:>22}  {:>22}  {:>22} {}\n", code, name, wide, wide,
                          shown(debits, t.currency, t.ticks), shown(credits, t.currency, t.ticks),
                          shown(balance < 0 ? -balance : balance, t.currency, t.ticks),
                          balance == 0  ? ""
                          : balance > 0 ? "Dr"
                                        : "Cr"));
    };
    out.raw(fmt::format("  {:>4}  {:<{}}  {:>22}  {:>22}  {:>22}\n", "code", "account", wide,
                        "debits", "credits", "balance"));
    for (; next < in_order.size() && in_order[next]->currency == t.currency &&
           in_order[next]->ticks == t.ticks;
         ++next) {
      const BookAccount& a = *in_order[next];
      row(fmt::format("{}", a.code), a.name, a.debits_posted, a.credits_posted);
      out.flush();
    }
    row("", t.balanced() ? "total" : "total, NOT BALANCED", t.debits, t.credits);
    if (t.debits_pending != 0 || t.credits_pending != 0)
      row("", "reserved", t.debits_pending, t.credits_pending);
    out.end_line();
  }
}

}  // namespace ampacity::documents
