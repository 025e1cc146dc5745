// `meter send`, `meter events`.
#include <fmt/core.h>

#include <fstream>
#include <ostream>

#include "cli/display.h"
#include "cli/verbs.h"

namespace ampacity::cli {
namespace {

constexpr std::size_t most_body_bytes = 900'000;  // of the server's 1 MiB

// Lines of one request, and where they came from.
struct Lines {
  std::string body;
  std::vector<std::size_t> numbers;
  bool has_room_for(const std::string& line) const {
    return numbers.empty() || (numbers.size() < api::most_events_in_batch &&
                               body.size() + line.size() < most_body_bytes);
  }
  void add(const std::string& line, std::size_t number) {
    body += (numbers.empty() ? "[" : ",") + line;
    numbers.push_back(number);
  }
};

// Each request stands alone, and sending a file again is harmless: what is there is known.
Answer<void> send_lines(Session& session, Lines& lines, api::MeterAnswer& sum) {
  if (lines.numbers.empty()) return {};
  const Lines sent = std::exchange(lines, {});
  auto answer =
      Session::read<api::MeterAnswer>(session.call("POST", "/v1/meter-events", sent.body + "]"));
  if (!answer) return std::unexpected(std::move(answer.error()));
  const auto line_of = [&](std::size_t index) {
    return index < sent.numbers.size() ? sent.numbers[index] : index;
  };
  sum.accepted += answer->accepted;
  sum.duplicates += answer->duplicates;
  sum.last_sequence = answer->last_sequence;
  for (auto& c : answer->conflicts) {
    c.index = line_of(c.index);
    sum.conflicts.push_back(std::move(c));
  }
  for (auto& r : answer->refused) {
    r.index = line_of(r.index);
    sum.refused.push_back(std::move(r));
  }
  return {};
}

Answer<api::MeterAnswer> send_all(Session& session, std::istream& in) {
  api::MeterAnswer sum;
  Lines lines;
  std::string line;
  for (std::size_t number = 1; std::getline(in, line); ++number) {
    if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
    if (const auto json = base::parse_json(line); !json) {
      sum.refused.push_back({number, "(event)", "is not JSON on one line"});
      continue;
    }
    if (!lines.has_room_for(line))
      if (auto sent = send_lines(session, lines, sum); !sent)
        return std::unexpected(std::move(sent.error()));
    lines.add(line, number);
  }
  if (auto sent = send_lines(session, lines, sum); !sent)
    return std::unexpected(std::move(sent.error()));
  return sum;
}

std::string_view sentence(api::ConflictReason why) {
  switch (why) {
    case api::ConflictReason::other_payload:
      return "was received before and said something else; that stands";
    case api::ConflictReason::already_corrected:
      return "corrects what another event corrects already: correct that one";
    case api::ConflictReason::circular:
      return "would in the end correct itself";
  }
  return "is in conflict";
}

std::string period(const api::MeterEventView& e) {
  if (e.until == e.from) return base::format_instant(e.from);
  return base::format_instant(e.from) + " +" + base::format_duration(e.until - e.from);
}

}  // namespace

int meter_send(Session& session, const std::string& file) {
  std::ifstream opened;
  if (file != "-") {
    opened.open(file);
    if (!opened) return session.report(fail(exit_refused, "cannot read " + file).error());
  }
  const auto sum = send_all(session, file == "-" ? session.terminal.in : opened);
  if (!sum) return session.report(sum.error());
  const int code = sum->conflicts.empty() && sum->refused.empty() ? 0 : exit_refused;
  if (session.print_json(base::to_json(*sum))) return code;
  auto& t = session.terminal;
  for (const auto& c : sum->conflicts)
    t.out << fmt::format("line {}: {} of {} {}\n", c.index, printable(c.id), printable(c.source),
                         sentence(c.why));
  for (const auto& r : sum->refused)
    t.out << fmt::format("line {}: {} {}\n", r.index, printable(r.field), printable(r.message));
  t.out << fmt::format("{} taken, {} known already, {} in conflict, {} refused\n", sum->accepted,
                       sum->duplicates, sum->conflicts.size(), sum->refused.size())
        << std::flush;
  return code;
}

int meter_events(Session& session, const MeterEventOptions& o) {
  int done = 0;
  const auto list = session.fetch<api::MeterEventList>(
      with_query("/v1/meter-events", {{"org", o.org},
                                      {"project", o.project},
                                      {"meter", o.meter},
                                      {"from", o.from},
                                      {"to", o.to},
                                      {"limit", std::to_string(o.limit)},
                                      {"cursor", o.cursor}}),
      done);
  if (!list) return done;
  Table table{{{"FROM", Align::left, 0, 1},
               {"PROJECT", Align::left, 8},
               {"METER", Align::left, 8},
               {"QUANTITY", Align::right},
               {"RESOURCE", Align::left, 0, 2},
               {"SOURCE", Align::left, 8},
               {"ID", Align::left, 8},
               {"RECEIVED", Align::right, 0, 3}},
              {}};
  for (const auto& e : list->items)
    table.rows.push_back({period(e), e.project, e.meter, e.quantity,
                          printable(e.resource.value_or("")), printable(e.source),
                          printable(e.id) + (e.corrects ? " (correction)" : ""),
                          std::to_string(e.sequence)});
  auto& t = session.terminal;
  t.out << render(table, t.width, t.colour_out);
  if (list->next_cursor)
    t.out << paint("more: --cursor " + *list->next_cursor, Tone::dim, t.colour_out) << "\n";
  t.out << std::flush;
  return 0;
}

}  // namespace ampacity::cli
