// `receipt`, `usage`, `credit`, `ledger`.
#include <fmt/core.h>

#include <ostream>

#include "base/money.h"
#include "cli/display.h"
#include "cli/verbs.h"

namespace ampacity::cli {
namespace {

std::string interval_title(const api::ReceiptInterval& i) {
  std::string s = fmt::format(
      "generation {} · {} → {} · billed {} s", i.generation, base::format_instant(i.started_at),
      i.ended_at ? base::format_instant(*i.ended_at) : "still running", i.billed_s);
  if (i.observed_s != i.billed_s + i.waived_s) s += fmt::format(" of {} s", i.observed_s);
  if (i.waived_s > 0) s += fmt::format(", waived {} s", i.waived_s);
  return s + fmt::format(" · prices version {}", i.price_version);
}

Table interval_table(const api::ReceiptInterval& i, const std::string& currency) {
  Table table{{{"COMPONENT"},
               {"QUANTITY", Align::right},
               {"UNIT"},
               {currency + "/UNIT·H", Align::right},
               {"SECONDS", Align::right},
               {currency, Align::right},
               {"TICKS", Align::right, 0, 1}},
              {}};
  for (const auto& l : i.lines)
    table.rows.push_back({l.component, l.quantity, l.unit, l.unit_usd_per_hour,
                          std::to_string(l.seconds), l.amount_usd, std::to_string(l.amount_ticks)});
  table.rows.push_back({{"sum", Tone::bold},
                        "",
                        "",
                        "",
                        "",
                        {i.amount_usd, Tone::bold},
                        std::to_string(i.amount_ticks)});
  return table;
}

// Successive numbers in 32 hex digits: without the zeros in front.
std::string short_id(const std::string& id) {
  const auto first = id.find_first_not_of('0');
  return first == std::string::npos ? id : id.substr(first);
}

Table transfer_table(const std::vector<api::TransferView>& transfers, const std::string& currency) {
  Table table{{{"AT", Align::left, 0, 2},
               {"KIND"},
               {"REASON"},
               {"DEBIT", Align::left, 8},
               {"CREDIT", Align::left, 8},
               {currency, Align::right},
               {"TICKS", Align::right, 0, 1},
               {"TRANSFER", Align::right, 0, 3}},
              {}};
  for (const auto& x : transfers)
    table.rows.push_back({moment(x.at),
                          x.kind,
                          x.reason,
                          x.debit,
                          x.credit,
                          x.amount_usd,
                          std::to_string(x.amount_ticks),
                          {short_id(x.id), Tone::dim}});
  return table;
}

std::string hours(std::int64_t numerator, std::int64_t denominator) {
  return fmt::format("{:.4f}", static_cast<double>(numerator) / static_cast<double>(denominator));
}

std::vector<Cell> usage_row(const api::UsageRow& r, bool one_currency, Tone tone) {
  return {{r.key, tone},
          {std::to_string(r.jobs), tone},
          {hours(r.gpu_seconds, 3600), tone},
          {hours(r.vcpu_milliseconds_k, 3'600'000), tone},
          {hours(r.memory_mib_seconds, 3600 * 1024), tone},
          {one_currency ? r.amount_usd : money(r.amount_usd, r.currency), tone}};
}

}  // namespace

int receipt(Session& session, const std::string& job) {
  const auto body = session.call("GET", "/v1/jobs/" + escaped(job) + "/receipt");
  if (!body) return session.report(body.error());
  if (session.print_json(*body)) return 0;
  const auto r = Session::parse<api::Receipt>(*body);
  if (!r) return session.report(r.error());
  auto& t = session.terminal;
  const bool colour = t.colour_out;
  t.out << paint(fmt::format("receipt for {} ({})", printable(r->name), r->job), Tone::bold, colour)
        << fmt::format(" · project {} · {}{}\n", r->project, base::enum_name(r->state),
                       r->emulated ? " · emulated hardware" : "");
  const std::string currency = r->currency.value_or("USD");
  for (const auto& i : r->intervals)
    t.out << "\n"
          << paint(interval_title(i), Tone::dim, colour) << "\n"
          << render(interval_table(i, currency), t.width, colour);
  if (!r->transfers.empty())
    t.out << "\n" << render(transfer_table(r->transfers, currency), t.width, colour);
  const bool settled = r->posted_ticks == r->total_ticks;
  const bool ended = r->state == core::JobState::ended;
  Facts facts = {
      {"total", Cell(fmt::format("{} ({} ticks)", money(r->total_usd, currency), r->total_ticks),
                     Tone::bold)},
      {"posted",
       Cell(fmt::format("{} ({} ticks){}", money(base::format_usd(r->posted_ticks, 6), currency),
                        r->posted_ticks,
                        settled ? ""
                        : ended ? ": NOT the total"
                                : ", so far"),
            !ended || settled ? Tone::plain : Tone::bad)}};
  if (r->held_ticks != 0)
    facts.push_back({"held", money(base::format_usd(r->held_ticks, 6), currency)});
  t.out << "\n" << render_facts(facts, t.width, colour) << std::flush;
  return 0;
}

int usage(Session& session, const UsageOptions& o) {
  const auto body =
      session.call("GET", with_query("/v1/usage", {{"by", o.by}, {"from", o.from}, {"to", o.to}}));
  if (!body) return session.report(body.error());
  if (session.print_json(*body)) return 0;
  const auto usage = Session::parse<api::Usage>(*body);
  if (!usage) return session.report(usage.error());
  const std::string currency = currency_of(usage->totals);
  std::string title = usage->by;
  for (char& c : title) c = static_cast<char>(c >= 'a' && c <= 'z' ? c - 32 : c);
  Table table{{{title, Align::left, 10},
               {"JOBS", Align::right},
               {"GPU·H", Align::right},
               {"VCPU·H", Align::right, 0, 2},
               {"GIB·H", Align::right, 0, 1},
               {currency.empty() ? "COST" : currency, Align::right}},
              {}};
  const bool one = !currency.empty();
  for (const auto& row : usage->rows) table.rows.push_back(usage_row(row, one, Tone::plain));
  for (const auto& row : usage->totals) table.rows.push_back(usage_row(row, one, Tone::bold));
  auto& t = session.terminal;
  t.out << render(table, t.width, t.colour_out) << std::flush;
  return 0;
}

int credit_add(Session& session, const api::CreditRequest& request) {
  const auto body = session.call("POST", "/v1/credits", base::to_json(request));
  if (!body) return session.report(body.error());
  if (session.print_json(*body)) return 0;
  const auto project = Session::parse<api::ProjectView>(*body);
  if (!project) return session.report(project.error());
  session.terminal.out << fmt::format("{}: wallet {}\n", project->name,
                                      money(project->wallet_usd, project->currency))
                       << std::flush;
  return 0;
}

int ledger_check(Session& session) {
  const auto body = session.call("GET", "/v1/ledger/check");
  const auto check = Session::read<api::LedgerCheck>(body);
  if (!check) return session.report(check.error());
  const int code = check->holds ? 0 : exit_failed;
  if (session.print_json(*body)) return code;
  Table table{
      {{""}, {"CHECK", Align::left, 20}, {"EXAMINED", Align::right}, {"DETAIL", Align::left, 12}},
      {}};
  for (const auto& f : check->findings)
    table.rows.push_back({f.holds ? Cell("✔", Tone::good) : Cell("✘", Tone::bad), f.check,
                          std::to_string(f.examined), f.detail});
  auto& t = session.terminal;
  t.out << render(table, t.width, t.colour_out)
        << (check->holds ? paint("the books hold", Tone::good, t.colour_out)
                         : paint("the books do NOT hold", Tone::bad, t.colour_out))
        << "\n"
        << std::flush;
  return code;
}

int ledger_accounts(Session& session) {
  const auto body = session.call("GET", "/v1/ledger/accounts");
  if (!body) return session.report(body.error());
  if (session.print_json(*body)) return 0;
  const auto list = Session::parse<api::AccountList>(*body);
  if (!list) return session.report(list.error());
  Table table{{{"ACCOUNT", Align::right},
               {"CODE", Align::right, 0, 2},
               {"NAME", Align::left, 12},
               {"LEDGER", Align::left, 0, 1},
               {"DEBITS", Align::right},
               {"CREDITS", Align::right},
               {"DR PENDING", Align::right, 0, 3},
               {"CR PENDING", Align::right, 0, 3}},
              {}};
  for (const auto& a : list->items)
    table.rows.push_back({std::to_string(a.account), std::to_string(a.code), a.name, a.ledger,
                          std::to_string(a.debits_posted), std::to_string(a.credits_posted),
                          std::to_string(a.debits_pending), std::to_string(a.credits_pending)});
  auto& t = session.terminal;
  t.out << render(table, t.width, t.colour_out) << std::flush;
  return 0;
}

}  // namespace ampacity::cli
