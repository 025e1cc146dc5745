#include "documents/statement.h"

#include <algorithm>
#include <tuple>

#include "base/currency.h"

namespace ampacity::documents {
namespace {

using base::Wide;

constexpr std::int64_t day_us = 86'400'000'000;

bool fits(Wide value) { return value >= INT64_MIN && value <= INT64_MAX; }

struct Item {  // one invoice and what is open of it at the end
  const core::Invoice* invoice = nullptr;
  Wide open = 0;
};

struct Items {
  std::vector<Item> by_id;
  explicit Items(std::vector<Item> items) : by_id(std::move(items)) {
    std::sort(by_id.begin(), by_id.end(),
              [](const Item& a, const Item& b) { return a.invoice->id < b.invoice->id; });
  }
  Item* find(const base::Id& id) {
    const auto at =
        std::lower_bound(by_id.begin(), by_id.end(), id,
                         [](const Item& a, const base::Id& b) { return a.invoice->id < b; });
    return at != by_id.end() && at->invoice->id == id ? &*at : nullptr;
  }
};

// A credit note takes from what is open of its invoice; in favour of the customer is what is left.
base::Result<Ageing> age(Items& items, base::Instant until) {
  for (Item& item : items.by_id) {
    if (item.invoice->kind != core::InvoiceKind::credit_note) continue;
    Item* corrected = items.find(item.invoice->corrects);
    if (!corrected || corrected->invoice->kind != core::InvoiceKind::invoice) continue;
    corrected->open += item.open;
    item.open = 0;
  }
  Wide sums[6] = {};
  for (const Item& item : items.by_id) {
    const std::int64_t late = until.us - item.invoice->due_at.us;
    const std::size_t bin = item.open < 0         ? 5
                            : late <= 0           ? 0
                            : late <= 30 * day_us ? 1
                            : late <= 60 * day_us ? 2
                            : late <= 90 * day_us ? 3
                                                  : 4;
    sums[bin] += item.open;
  }
  std::int64_t bins[6] = {};
  for (std::size_t i = 0; i < 6; ++i) {
    if (!fits(sums[i])) return base::refuse(base::Code::too_large, "sums are beyond 64 bits");
    bins[i] = static_cast<std::int64_t>(sums[i]);
  }
  return Ageing{bins[0], bins[1], bins[2], bins[3], bins[4], bins[5]};
}

// Runs through the rows: what was before `from` is the opening balance.
base::Result<void> balance(Statement& s, std::vector<StatementRow> all) {
  std::sort(all.begin(), all.end(), [](const StatementRow& a, const StatementRow& b) {
    return std::tie(a.at, a.kind, a.number, a.reference, a.minor) <
           std::tie(b.at, b.kind, b.number, b.reference, b.minor);
  });
  Wide now = 0, sums[3] = {};
  for (StatementRow& row : all) {
    now += row.minor;
    if (!fits(now)) return base::refuse(base::Code::too_large, "sums are beyond 64 bits");
    row.balance_minor = static_cast<std::int64_t>(now);
    if (row.at < s.from) {
      s.opening_minor = row.balance_minor;
      continue;
    }
    Wide& sum = sums[static_cast<std::size_t>(row.kind)];
    sum += row.minor;
    if (!fits(sum)) return base::refuse(base::Code::too_large, "sums are beyond 64 bits");
    s.rows.push_back(std::move(row));
  }
  s.invoiced_minor = static_cast<std::int64_t>(sums[0]);
  s.credited_minor = static_cast<std::int64_t>(sums[1]);
  s.paid_minor = static_cast<std::int64_t>(sums[2]);
  s.closing_minor = static_cast<std::int64_t>(now);
  return {};
}

}  // namespace

base::Result<Statement> make_statement(std::uint32_t org, std::string_view currency,
                                       base::Instant from, base::Instant until,
                                       std::span<const core::Invoice> invoices,
                                       std::span<const core::Payment> payments) {
  if (!base::find_currency(currency))
    return base::refuse_field("currency", "must be one of ISO 4217");
  if (until < from) return base::refuse_field("until", "must not be before from");
  Statement s;
  s.org = org;
  s.currency = currency;
  s.from = from;
  s.until = until;
  std::vector<Item> open;
  std::vector<StatementRow> all;
  for (const core::Invoice& i : invoices) {
    if (i.org != org || i.currency != currency) continue;
    const bool seen = i.issued_at < until;
    open.push_back({&i, seen ? i.payable_minor : 0});
    if (!seen) continue;
    const auto kind =
        i.kind == core::InvoiceKind::invoice ? EntryKind::invoice : EntryKind::credit_note;
    all.push_back({i.issued_at, kind, i.number, "", i.due_at, i.payable_minor, 0});
  }
  Items items(std::move(open));
  for (const core::Payment& p : payments) {
    Item* item = items.find(p.invoice);
    if (!item) {
      const bool elsewhere = std::any_of(invoices.begin(), invoices.end(),
                                         [&](const core::Invoice& i) { return i.id == p.invoice; });
      if (elsewhere) continue;  // of another org or currency
      return base::refuse(base::Code::not_found,
                          "payment " + p.reference + " is of no invoice here");
    }
    if (p.paid_at >= until) continue;
    if (p.minor == INT64_MIN) return base::refuse(base::Code::too_large, "sums are beyond 64 bits");
    item->open -= p.minor;
    all.push_back(
        {p.paid_at, EntryKind::payment, item->invoice->number, p.reference, {}, -p.minor, 0});
  }
  if (auto done = balance(s, std::move(all)); !done)
    return std::unexpected(std::move(done.error()));
  auto ageing = age(items, until);
  if (!ageing) return std::unexpected(std::move(ageing.error()));
  s.ageing = *ageing;
  return s;
}

base::Result<void> statement_csv(const Statement& s, const TextSink& sink) {
  const base::Currency* currency = base::find_currency(s.currency);
  if (!currency) return base::refuse_field("currency", "must be one of ISO 4217");
  Sheet out(sink);
  for (const char* name :
       {"date", "kind", "number", "reference", "due", "currency", "amount", "balance"})
    out.plain(name);
  out.end_row();
  const auto plain = [&](base::Instant at, std::string_view kind, std::int64_t balance_minor) {
    out.exact(at);
    out.plain(kind);
    for (int i = 0; i < 3; ++i) out.null();
    out.plain(s.currency);
    out.null();
    out.plain(base::format_minor(balance_minor, *currency));
    out.end_row();
  };
  plain(s.from, "opening_balance", s.opening_minor);
  for (const StatementRow& row : s.rows) {
    out.exact(row.at);
    out.plain(base::enum_name(row.kind));
    out.text(row.number);
    out.text(row.reference);
    if (row.kind == EntryKind::invoice)
      out.exact(row.due_at);
    else
      out.null();
    out.plain(s.currency);
    out.plain(base::format_minor(row.minor, *currency));
    out.plain(base::format_minor(row.balance_minor, *currency));
    out.end_row();
  }
  plain(s.until, "closing_balance", s.closing_minor);
  return {};
}

}  // namespace ampacity::documents
