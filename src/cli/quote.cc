// `quote`: what it would cost, when it would start, and what else would start sooner or cost less.
#include <fmt/core.h>

#include <algorithm>
#include <ostream>

#include "cli/display.h"
#include "cli/verbs.h"

namespace ampacity::cli {
namespace {

std::string what_of(const api::QuoteOption& o) {
  if (o.what == "smaller") return "half of it";
  if (o.what == "other_gpu") return "another GPU";
  if (o.what == "other_site") return o.site ? "at " + *o.site : "at any site";
  std::string text = o.what;
  std::replace(text.begin(), text.end(), '_', ' ');
  return text;
}

Cell starts_of(const api::QuoteOption& o, base::Instant now) {
  if (o.starts_now) return {"now", Tone::good};
  if (!o.expected) return {"nobody can say", Tone::warn};
  return {fmt::format("{} {} (in {})", o.makes_room ? "by" : "about",
                      api::clock_text(*o.expected, now), age(now, *o.expected)),
          Tone::warn};
}

std::string sure_of(const api::QuoteOption& o, base::Instant now) {
  std::string text;
  if (o.makes_room)
    text = "others make room";
  else if (o.likely_by && o.expected && *o.likely_by > *o.expected)
    text = fmt::format("by {}, 8 of 10", api::clock_text(*o.likely_by, now));
  if (o.notice_s)
    text += fmt::format("{}{} s notice if preempted", text.empty() ? "" : "; ", *o.notice_s);
  return text;
}

Table option_table(const api::Quote& quote, base::Instant now) {
  const std::string hourly = quote.currency.value_or("USD") + "/H";
  Table table{{{"WHAT"}, {"GPUS"}, {hourly, Align::right}, {"STARTS"}, {"SURE", Align::left, 8}},
              {}};
  for (const auto& o : quote.options)
    table.rows.push_back({what_of(o), o.gpus, o.usd_per_hour, starts_of(o, now), sure_of(o, now)});
  return table;
}

Table line_table(const api::Quote& quote) {
  const std::string code = quote.currency.value_or("USD");
  Table table{{{"COMPONENT"},
               {"QUANTITY", Align::right},
               {"UNIT"},
               {code + "/UNIT·H", Align::right},
               {code + "/H", Align::right}},
              {}};
  for (const auto& l : quote.lines)
    table.rows.push_back({l.component, l.quantity, l.unit, l.unit_usd_per_hour, l.usd_per_hour});
  table.rows.push_back({{"total", Tone::bold}, "", "", "", {quote.usd_per_hour, Tone::bold}});
  return table;
}

}  // namespace

int quote(Session& session, const RunOptions& options) {
  RunOptions asked = options;
  if (!asked.image && asked.file.empty()) asked.image = "any";  // it has no price
  const auto request = request_of(asked, session.terminal);
  if (!request) return session.report(request.error());
  const auto body = session.call("POST", "/v1/quotes", base::to_json(*request));
  if (!body) return session.report(body.error());
  if (session.print_json(*body)) return 0;
  const auto quote = Session::parse<api::Quote>(*body);
  if (!quote) return session.report(quote.error());
  auto& t = session.terminal;
  const base::Instant now = t.clock.now();
  if (!quote->options.empty())
    t.out << render(option_table(*quote, now), t.width, t.colour_out) << "\n";
  t.out << render(line_table(*quote), t.width, t.colour_out) << "\n";
  Facts facts = {{"hardware", quote->sku + (quote->emulated ? " (emulated)" : "")},
                 {"class", std::string(base::enum_name(quote->job_class))},
                 {"starts", quote->starts_now ? Cell("now", Tone::good)
                                              : Cell("not now: " + quote->why, Tone::warn)},
                 {"held at the start", money(quote->hold_usd, quote->currency)},
                 {"wallet", money(quote->wallet_usd, quote->currency)},
                 {"prices", fmt::format("version {}", quote->price_version)}};
  t.out << render_facts(facts, t.width, t.colour_out) << std::flush;
  return 0;
}

}  // namespace ampacity::cli
