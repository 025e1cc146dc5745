// `prices`: the books in force, their history, what would change, and setting one.
#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <iterator>
#include <ostream>

#include "api/price_file.h"
#include "api/view_prices.h"
#include "cli/price_sheet.h"
#include "cli/verbs.h"

namespace ampacity::cli {
namespace {

constexpr const char* inexact_note =
    "* a second of it is no finite decimal: the books stay exact, but a cost export has to round "
    "its price per second (multiples of 0.0009 an hour need not)";

std::string whose(const api::PriceBookView& b) { return b.org ? *b.org : "everybody"; }

Answer<std::string> text_of(const std::string& file) {
  std::ifstream in(file);
  std::string text((std::istreambuf_iterator<char>(in)), {});
  if (!in) return fail(exit_refused, file + " cannot be read");
  return text;
}

struct FileBook {
  std::string text;
  core::SetPrices set;
  std::vector<api::PriceRuleView> rules;
};
Answer<FileBook> book_of(const std::string& file) {
  auto text = text_of(file);
  if (!text) return std::unexpected(std::move(text.error()));
  auto set = api::parse_price_file(*text);
  if (!set) return std::unexpected(failure_of(set.error()));
  FileBook book{std::move(*text), std::move(*set), {}};
  for (const core::PriceRule& r : book.set.book.rules) book.rules.push_back(api::view_rule(r));
  return book;
}

// A version's, or a file's.
Answer<std::vector<api::PriceRuleView>> rules_of(Session& session, const std::string& which) {
  const bool number = !which.empty() && std::ranges::all_of(which, [](unsigned char ch) {
    return ch >= '0' && ch <= '9';
  });
  if (!number) {
    auto book = book_of(which);
    if (!book) return std::unexpected(std::move(book.error()));
    return std::move(book->rules);
  }
  auto list = session.get<api::PriceBookList>(with_query("/v1/prices", {{"version", which}}));
  if (!list) return std::unexpected(std::move(list.error()));
  return std::move(list->items.at(0).rules);
}

// The rules of the same series that are in force.
Answer<std::vector<api::PriceRuleView>> in_force(Session& session, const core::SetPrices& set) {
  auto list = session.get<api::PriceBookList>(with_query("/v1/prices", {{"org", set.org}}));
  if (!list) return std::unexpected(std::move(list.error()));
  for (api::PriceBookView& b : list->items)
    if (b.currency == set.book.currency && b.org.value_or("") == set.org) return std::move(b.rules);
  return std::vector<api::PriceRuleView>{};
}

void print_changes(Session& session, const std::vector<api::PriceRuleView>& before,
                   const std::vector<api::PriceRuleView>& after) {
  const Table changes = price_changes(before, after);
  if (changes.rows.empty())
    session.notice("nothing changes");
  else
    print_table(session, changes);
}

// Kinds of GPUs that the cloud has and that a public list without them would not rent.
std::vector<std::string> without_price(Session& session, const FileBook& book, bool& compared) {
  std::vector<std::string> gaps;
  const auto offers = session.get<api::OfferList>("/v1/offers");
  compared = offers.has_value();
  if (!offers || !book.set.org.empty()) return gaps;
  for (const auto& o : offers->items)
    if (!api::has_price(book.set.book, o.sku)) gaps.push_back(o.sku + " is here and has no price");
  return gaps;
}

}  // namespace

int prices_show(Session& session, const std::string& org) {
  int done = 0;
  const auto list =
      session.fetch<api::PriceBookList>(with_query("/v1/prices", {{"org", org}}), done);
  if (!list) return done;
  bool inexact = false;
  for (const api::PriceBookView& b : list->items) {
    session.terminal.out << fmt::format("{} (version {}, {}, for {}, since {})\n", b.name,
                                        b.version, b.currency, whose(b),
                                        base::format_instant(b.effective_from));
    const PriceSheet sheet = price_sheet(b.rules);
    print_table(session, sheet.table);
    inexact |= sheet.inexact;
  }
  if (inexact) session.notice(inexact_note);
  return 0;
}

int prices_history(Session& session, const std::string& org) {
  int done = 0;
  const auto list = session.fetch<api::PriceBookList>(
      with_query("/v1/prices", {{"history", "1"}, {"org", org}}), done);
  if (!list) return done;
  Table table{{{"VERSION", Align::right},
               {"NAME", Align::left, 12},
               {"FOR", Align::left, 0, 1},
               {"CURRENCY", Align::left, 0, 3},
               {"FROM"},
               {"STATE"},
               {"RULES", Align::right, 0, 2}},
              {}};
  for (const api::PriceBookView& b : list->items) {
    const bool now = b.state == api::BookState::in_force;
    table.rows.push_back({std::to_string(b.version), b.name, whose(b), b.currency,
                          base::format_instant(b.effective_from),
                          Cell(now ? "in force" : std::string(base::enum_name(b.state)),
                               now ? Tone::good : Tone::dim),
                          std::to_string(b.rule_count)});
  }
  print_table(session, table);
  return 0;
}

int prices_diff(Session& session, const std::string& before, const std::string& after) {
  const auto a = rules_of(session, before);
  if (!a) return session.report(a.error());
  const auto b = rules_of(session, after);
  if (!b) return session.report(b.error());
  print_changes(session, *a, *b);
  return 0;
}

int prices_validate(Session& session, const std::string& file) {
  const auto book = book_of(file);
  if (!book) return session.report(book.error());
  for (const std::string& price : inexact_prices(book->rules))
    session.notice("not exact per second: " + price, Tone::warn);
  bool compared = false;
  const auto gaps = without_price(session, *book, compared);
  for (const std::string& gap : gaps) session.notice(gap, Tone::bad);
  if (!compared) session.notice("no server was asked which SKUs have nodes");
  session.terminal.out << fmt::format("{}: {} prices, {}\n", book->set.book.name,
                                      book->rules.size(),
                                      gaps.empty() ? "valid" : "valid, with gaps")
                       << std::flush;
  return gaps.empty() ? 0 : exit_failed;
}

int prices_set(Session& session, const std::string& file, const std::string& from) {
  const auto book = book_of(file);
  if (!book) return session.report(book.error());
  api::PriceBookRequest request{book->text, {}};
  if (!from.empty()) {
    request.effective_from = base::parse_instant(from);
    if (!request.effective_from)
      return session.report({exit_refused,
                             "--from must be an RFC 3339 time such as "
                             "2026-12-01T00:00:00Z"});
  }
  const auto before = in_force(session, book->set);
  if (!before) return session.report(before.error());
  const auto body = session.call("POST", "/v1/prices", base::to_json(request));
  if (!body) return session.report(body.error());
  if (session.print_json(*body)) return 0;
  const auto set = Session::parse<api::PriceBookView>(*body);
  if (!set) return session.report(set.error());
  print_changes(session, *before, set->rules);
  session.notice(fmt::format("version {} holds for {} from {}", set->version, whose(*set),
                             base::format_instant(set->effective_from)),
                 Tone::good);
  return 0;
}

}  // namespace ampacity::cli
