// Who did what: the journal's facts from the newest back, as pages and as one file.
#include <algorithm>
#include <charconv>
#include <functional>

#include "api/contract_operate.h"
#include "api/problem.h"
#include "documents/sheet.h"
#include "server/app.h"
#include "server/paced_stream.h"
#include "server/paging.h"

namespace ampacity::server {
namespace {

// So many facts are looked at for one page, whatever the filter finds in them; and for one file.
constexpr std::uint64_t most_for_page = 20'000, most_for_file = 5'000'000, looked_at_once = 1'000;

struct EventFilter {
  std::string kind, actor, project, job, text;

  static EventFilter of(const net::Target& t) {
    const auto part = [&](std::string_view name) { return std::string(t.param(name)); };
    return {part("kind"), part("actor"), part("project"), part("job"), part("q")};
  }
  bool takes(const api::LoggedEvent& e) const {
    return e.kind.starts_with(kind) && e.actor.starts_with(actor) &&
           (project.empty() || e.project == project) && (job.empty() || e.job == job) &&
           (text.empty() || e.text.find(text) != std::string::npos);
  }
};

api::LoggedEvent logged(api::Event e, const std::string& actor) {
  return {e.sequence,       e.at, actor, std::move(e.kind), std::move(e.job), std::move(e.project),
          std::move(e.text)};
}

// Facts from `end` down to just above `stop`, those that the filter takes, until `visit` says
// false. Returns the sequence that it looked down to: everything above is seen.
using VisitEvent = std::function<bool(api::LoggedEvent)>;
std::uint64_t walk_back(Live& live, store::Reader& reader, std::uint64_t end, std::uint64_t stop,
                        const EventFilter& filter, const VisitEvent& visit) {
  while (end > stop) {
    const std::uint64_t begin = std::max(stop, end - std::min(end, looked_at_once));
    auto told = live.told_after(reader, begin, static_cast<int>(end - begin));
    std::reverse(told.begin(), told.end());
    for (auto& [event, actor] : told) {
      end = event.sequence - 1;
      if (auto e = logged(std::move(event), actor); filter.takes(e) && !visit(std::move(e)))
        return end;
    }
    end = begin;
  }
  return end;
}

// Where a page or file begins: the newest, or the sequence that the page before had looked until.
base::Result<std::uint64_t> end_asked(const net::Target& target, std::uint64_t newest) {
  const std::string_view text = target.param("cursor");
  if (text.empty()) return newest;
  std::uint64_t below = 0;
  const auto [at, error] = std::from_chars(text.data(), text.data() + text.size(), below);
  if (error != std::errc{} || at != text.data() + text.size() || below == 0)
    return base::refuse_field("cursor", cursor_form);
  return std::min(newest, below - 1);
}

struct OpenLog {
  std::unique_ptr<store::Reader> reader;
  std::uint64_t end = 0;
};
base::Result<OpenLog> open_log(const store::StoreAt& store, const net::Target& target) {
  auto reader = store::open_reader(store);
  if (!reader) return base::refuse(base::Code::unavailable, reader.error().message);
  const auto end = end_asked(target, (*reader)->last_sequence());
  if (!end) return std::unexpected(end.error());
  return OpenLog{std::move(*reader), *end};
}

// Text that a spreadsheet would take for a formula is text.
void told_cell(documents::Sheet& sheet, const std::string& text) {
  const bool formula = text.find_first_of("=+-@\t") == 0;
  sheet.text(formula ? "'" + text : text);
}

void told_row(documents::Sheet& sheet, const api::LoggedEvent& e) {
  sheet.number(static_cast<std::int64_t>(e.sequence));
  sheet.exact(e.at);
  told_cell(sheet, e.actor);
  sheet.text(e.kind);
  told_cell(sheet, e.project.value_or(""));
  sheet.text(e.job.value_or(""));
  told_cell(sheet, e.text);
  sheet.end_row();
}

}  // namespace

void App::event_log(Call& c, net::Reply& r) {
  int limit = 100;
  const std::string_view asked = c.target.param("limit");
  std::from_chars(asked.data(), asked.data() + asked.size(), limit);
  limit = std::clamp(limit, 1, 500);
  const auto log = open_log(options_.store, c.target);
  if (!log) return r.send(api::problem_response(log.error()));
  api::EventLog page;
  const std::uint64_t stop = log->end > most_for_page ? log->end - most_for_page : 0;
  const std::uint64_t until = walk_back(live_, *log->reader, log->end, stop,
                                        EventFilter::of(c.target), [&](api::LoggedEvent e) {
                                          page.items.push_back(std::move(e));
                                          return static_cast<int>(page.items.size()) < limit;
                                        });
  page.looked_until = until + 1;
  if (until > 0) page.next_cursor = std::to_string(until + 1);
  r.send(json_response(base::to_json(page)));
}

// All that matches, as CSV. A file that is not all of it says so in its last row, and how to get
// the rest.
void App::export_events(Call& c, net::Reply& r) {
  const auto log = open_log(options_.store, c.target);
  if (!log) return r.send(api::problem_response(log.error()));
  const std::uint64_t stop = log->end > most_for_file ? log->end - most_for_file : 0;
  PacedStream out(r.stream({200, "text/csv; charset=utf-8", "", {}}), clock_);
  documents::Sheet sheet([&out](std::string_view text) { out.write(text); });
  sheet.raw("sequence,at,actor,kind,project,job,text\r\n");
  const std::uint64_t until = walk_back(live_, *log->reader, log->end, stop,
                                        EventFilter::of(c.target), [&](const api::LoggedEvent& e) {
                                          told_row(sheet, e);
                                          return !out.gone();
                                        });
  if (until == 0 || out.gone()) return;
  sheet.null();
  sheet.null();
  sheet.null();
  sheet.text("cut_off");
  sheet.null();
  sheet.null();
  sheet.text("older events are not in this file: ask for the rest with cursor=" +
             std::to_string(until + 1));
  sheet.end_row();
}

}  // namespace ampacity::server
