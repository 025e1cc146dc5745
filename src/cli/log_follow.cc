#include "cli/log_follow.h"

#include <fmt/core.h>

#include <algorithm>
#include <ostream>

namespace ampacity::cli {
namespace {

constexpr int attempts_max = 10;  // in a row: about 20 s

base::Duration pause_before(int attempt) {
  return base::Duration::millis(std::min<std::int64_t>(100LL << attempt, 5000));
}

// What an `event: error` says: {"detail":"…"}.
std::string detail_of(const std::string& data) {
  const auto value = base::parse_json(data);
  const auto* detail =
      value && value->is_object() ? value->get_object().if_contains("detail") : nullptr;
  return detail && detail->is_string() ? std::string(detail->get_string()) : data;
}

}  // namespace

void LogPrinter::print(const api::LogEvent& event) {
  const bool goes_on = open_ && open_rank_ == event.rank && open_stderr_ == event.is_stderr;
  if (open_ && !goes_on) finish();
  std::ostream& to = event.is_stderr ? terminal_.err : terminal_.out;
  if (show_ranks_ && !goes_on) to << "[" << event.rank << "] ";
  to << event.text;
  if (!event.partial && !event.text.ends_with('\n')) to << '\n';
  to << std::flush;
  open_ = event.partial;
  open_rank_ = event.rank;
  open_stderr_ = event.is_stderr;
}

void LogPrinter::finish() {
  if (open_) (open_stderr_ ? terminal_.err : terminal_.out) << '\n' << std::flush;
  open_ = false;
}

Answer<std::optional<std::string>> follow_events(
    Session& session, const std::string& target, bool follow, std::string_view what,
    const std::function<bool(const SseEvent&)>& on_event, std::string since) {
  SseParser parser(std::move(since));
  std::optional<std::string> end, refused;
  bool stopped = false, progress = false, told = false;
  const auto take = [&](const SseEvent& event) {
    progress = true;
    if (std::exchange(told, false)) session.notice(fmt::format("… {} goes on", what));
    if (event.name == "end") end = event.data;
    if (event.name == "error") refused = event.data;
    stopped = end || refused || !on_event(event);
    return !stopped;
  };
  for (int attempt = 0;; ++attempt) {
    parser.restart();
    progress = false;
    const auto outcome = session.stream(
        target, parser.last_id(), [&](std::string_view bytes) { return parser.feed(bytes, take); });
    if (refused) return fail(exit_unreachable, fmt::format("{}: {}", what, detail_of(*refused)));
    if (stopped || session.terminal.interrupted) return end;
    if (!outcome) return std::unexpected(outcome.error());
    if (parser.overflowed())
      return fail(exit_failed, fmt::format("{}: an event is too long", what));
    if (!follow && !outcome->connection_lost) return end;
    if (progress) attempt = 0;
    if (attempt + 1 >= attempts_max)
      return fail(exit_unreachable,
                  fmt::format("{} was cut off and could not be resumed: {}", what,
                              outcome->why.empty() ? "the stream keeps ending" : outcome->why));
    if (!std::exchange(told, true))
      session.notice(fmt::format("… {} was cut off; resuming", what), Tone::warn);
    if (!session.terminal.pause(pause_before(attempt))) return end;
  }
}

Answer<std::optional<api::JobView>> follow_log(Session& session, const std::string& job,
                                               std::optional<std::uint32_t> rank, bool follow,
                                               bool show_ranks, bool* printed) {
  LogPrinter printer(session.terminal, show_ranks);
  const std::string target =
      with_query("/v1/jobs/" + escaped(job) + "/logs",
                 {{"rank", rank ? std::to_string(*rank) : ""}, {"follow", follow ? "1" : "0"}});
  std::optional<Failure> broken;
  auto end = follow_events(session, target, follow, "the log", [&](const SseEvent& event) {
    auto line = Session::parse<api::LogEvent>(event.data);
    if (!line) {
      broken = line.error();
      return false;
    }
    if (printed) *printed = true;
    printer.print(*line);
    return true;
  });
  printer.finish();
  if (broken) return std::unexpected(*broken);
  if (!end) return std::unexpected(end.error());
  if (!*end) return std::optional<api::JobView>();
  auto view = Session::parse<api::JobView>(**end);
  if (!view) return std::unexpected(view.error());
  return std::optional(std::move(*view));
}

}  // namespace ampacity::cli
