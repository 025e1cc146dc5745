#include "documents/payment_file.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>

#include "base/crypto.h"
#include "base/currency.h"
#include "base/utf8.h"

namespace ampacity::documents {
namespace {

constexpr std::size_t most_field_bytes = 200;

bool is_plain(std::string_view text) {
  return std::none_of(text.begin(), text.end(),
                      [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

void check_result(const PaymentResult& r, const std::string& where,
                  std::vector<base::Wrong>& wrong) {
  const auto check = [&](const char* field, const std::string& value) {
    if (value.empty() || value.size() > most_field_bytes || !is_plain(value))
      wrong.push_back({where + field, "must be 1 to 200 bytes without control characters"});
  };
  check("invoice", r.invoice);
  check("amount", r.amount);
  check("reference", r.reference);
  if (r.currency) check("currency", *r.currency);
}

base::Result<std::vector<PaymentResult>> checked(std::vector<PaymentResult> results,
                                                 std::vector<base::Wrong> wrong, bool one) {
  for (std::size_t i = 0; i < results.size(); ++i)
    check_result(results[i], one ? "" : fmt::format("[{}].", i), wrong);
  if (results.empty() && wrong.empty())
    wrong.push_back({"(body)", "must hold one payment at least"});
  if (!wrong.empty()) return std::unexpected(base::refusal_of(std::move(wrong)));
  return results;
}

base::Result<void> check_size(std::string_view text) {
  if (text.size() > most_message_bytes)
    return base::refuse(base::Code::too_large, "is longer than 1 MiB");
  return {};
}

// Rows of RFC 4180; nullopt: a quote is not closed, or stands inside a bare cell.
std::optional<std::vector<std::vector<std::string>>> csv_rows(std::string_view text) {
  std::vector<std::vector<std::string>> rows;
  std::size_t at = text.starts_with("\xef\xbb\xbf") ? 3 : 0;
  while (at < text.size()) {
    std::vector<std::string> row(1);
    bool ended = false;
    while (!ended) {
      std::string& cell = row.back();
      if (at < text.size() && text[at] == '"') {
        for (++at;; ++at) {
          if (at >= text.size()) return std::nullopt;
          if (text[at] != '"')
            cell += text[at];
          else if (at + 1 < text.size() && text[at + 1] == '"')
            cell += text[at++];
          else
            break;
        }
        ++at;
      } else {
        while (at < text.size() && text[at] != ',' && text[at] != '\n' && text[at] != '\r') {
          if (text[at] == '"') return std::nullopt;
          cell += text[at++];
        }
      }
      if (at < text.size() && text[at] == ',') {
        ++at;
        row.emplace_back();
        continue;
      }
      if (at < text.size() && text[at] == '\r') ++at;
      if (at < text.size() && text[at] != '\n') return std::nullopt;
      ++at;
      ended = true;
    }
    if (row.size() > 1 || !row.front().empty()) rows.push_back(std::move(row));
    if (rows.size() > most_results + 1) break;
  }
  return rows;
}

Judged refused(std::string words) {
  Judged j;
  j.words = std::move(words);
  return j;
}

}  // namespace

base::Result<PaymentRequest> payment_request(const core::Invoice& i,
                                             const core::BillingProfile& profile,
                                             std::string_view org) {
  const base::Currency* currency = base::find_currency(i.currency);
  if (!currency) return base::refuse_field("currency", "must be one of ISO 4217");
  std::int64_t open = 0;
  if (__builtin_sub_overflow(i.payable_minor, i.paid_minor, &open)) open = 0;
  if (i.kind != core::InvoiceKind::invoice || i.state != core::InvoiceState::issued || open <= 0)
    return base::refuse(base::Code::conflict, "nothing of " + i.number + " is to be paid");
  return PaymentRequest{i.number,
                        std::string(org),
                        profile.party.name,
                        profile.party.email,
                        i.currency,
                        base::format_minor(open, *currency),
                        i.issued_at,
                        i.due_at,
                        i.number};
}

base::Result<std::vector<PaymentResult>> parse_results_json(std::string_view text) {
  if (auto ok = check_size(text); !ok) return std::unexpected(std::move(ok.error()));
  auto value = base::parse_json(text);
  if (!value) return std::unexpected(std::move(value.error()));
  base::JsonReader reader;
  std::vector<PaymentResult> results;
  const bool one = value->is_object();
  if (one)
    reader.read(*value, results.emplace_back(), "");
  else if (value->is_array() && value->get_array().size() > most_results)
    return base::refuse(base::Code::too_large, "holds more than 10,000 payments");
  else
    reader.read(*value, results, "");
  if (!reader.wrong.empty()) return std::unexpected(base::refusal_of(std::move(reader.wrong)));
  return checked(std::move(results), {}, one);
}

base::Result<std::vector<PaymentResult>> parse_results_csv(std::string_view text) {
  if (auto ok = check_size(text); !ok) return std::unexpected(std::move(ok.error()));
  if (base::find_bad_utf8(text) != std::string_view::npos)
    return base::refuse(base::Code::invalid, "is not UTF-8 text");
  const auto rows = csv_rows(text);
  if (!rows)
    return base::refuse(base::Code::invalid, "has a quote that is not closed or misplaced");
  if (rows->empty()) return base::refuse(base::Code::invalid, "must hold one payment at least");
  if (rows->size() > most_results + 1)
    return base::refuse(base::Code::too_large, "holds more than 10,000 payments");
  constexpr std::array<std::string_view, 5> names = {"invoice", "amount", "currency", "reference",
                                                     "paid_at"};
  std::array<std::size_t, 5> column{};
  std::vector<base::Wrong> wrong;
  const std::vector<std::string>& head = rows->front();
  for (std::size_t n = 0; n < names.size(); ++n) {
    column[n] =
        static_cast<std::size_t>(std::find(head.begin(), head.end(), names[n]) - head.begin());
    if (column[n] == head.size() && names[n] != "currency")
      wrong.push_back({std::string(names[n]), "is not a column; the first row names them"});
  }
  if (!wrong.empty()) return std::unexpected(base::refusal_of(std::move(wrong)));
  std::vector<PaymentResult> results;
  for (std::size_t r = 1; r < rows->size(); ++r) {
    const std::vector<std::string>& row = (*rows)[r];
    const std::string where = fmt::format("[{}].", r - 1);
    if (row.size() != head.size()) {
      wrong.push_back(
          {fmt::format("[{}]", r - 1), "has another number of cells than the first row"});
      continue;
    }
    PaymentResult result{row[column[0]], row[column[1]], std::nullopt, row[column[3]], {}};
    if (column[2] < row.size() && !row[column[2]].empty()) result.currency = row[column[2]];
    if (const auto at = base::parse_instant(row[column[4]]))
      result.paid_at = *at;
    else
      wrong.push_back({where + "paid_at", "must be an RFC 3339 time such as 2026-11-22T12:00:00Z"});
    results.push_back(std::move(result));
  }
  return checked(std::move(results), std::move(wrong), false);
}

base::Id payment_id(std::string_view provider, std::string_view invoice,
                    std::string_view reference) {
  std::string all;  // each with its length: no two triples give the same text
  for (const std::string_view part : {provider, invoice, reference})
    all += fmt::format("{}:", part.size()).append(part);
  const base::Digest d = base::sha256(all);
  base::Id id;
  for (std::size_t i = 0; i < 8; ++i) {
    id.high = (id.high << 8) | d[i];
    id.low = (id.low << 8) | d[8 + i];
  }
  return id;
}

Judged judge(std::string_view provider, const PaymentResult& r, const core::Invoice* i,
             const std::function<bool(const base::Id&)>& recorded, base::Instant now) {
  if (!i || i->kind != core::InvoiceKind::invoice || i->number != r.invoice)
    return refused("there is no invoice " + r.invoice);
  const base::Currency* currency = base::find_currency(i->currency);
  if (!currency || (r.currency && *r.currency != i->currency))
    return refused("invoice " + i->number + " is in " + i->currency + ", not in " +
                   r.currency.value_or("that"));
  const auto amount = base::parse_minor(r.amount, *currency);
  if (!amount || *amount <= 0)
    return refused("the amount '" + r.amount + "' is not one of " + i->currency +
                   " above zero with at most " + std::to_string(currency->exponent) + " decimals");
  Judged j;
  const base::Id id = payment_id(provider, i->number, r.reference);
  if (__builtin_sub_overflow(i->payable_minor, i->paid_minor, &j.open_minor)) j.open_minor = 0;
  j.open_minor = std::max<std::int64_t>(j.open_minor, 0);
  if (recorded(id)) {
    j.judgement = Judgement::repeated;
    j.words = "payment " + r.reference + " of invoice " + i->number + " is recorded already";
    return j;
  }
  if (i->state == core::InvoiceState::voided)
    return refused("invoice " + i->number + " was voided: give the money back");
  if (j.open_minor == 0)
    return refused("nothing of invoice " + i->number + " is open: give it back");
  if (r.paid_at > now) return refused("paid_at is in the future");
  const std::int64_t taken = std::min(*amount, j.open_minor);
  j.payment = core::Payment{id, i->id, taken, std::string(provider), r.reference, r.paid_at};
  j.excess_minor = *amount - taken;
  j.open_minor -= taken;
  j.judgement = j.excess_minor > 0 ? Judgement::excess
                : j.open_minor > 0 ? Judgement::partial
                                   : Judgement::exact;
  if (j.judgement == Judgement::partial)
    j.words = "invoice " + i->number + ": paid in part, " +
              base::format_minor(j.open_minor, *currency) + " " + i->currency + " stay open";
  if (j.judgement == Judgement::excess)
    j.words = "invoice " + i->number + ": " + base::format_minor(j.excess_minor, *currency) + " " +
              i->currency + " too much was paid: give it back";
  return j;
}

}  // namespace ampacity::documents
