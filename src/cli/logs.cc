// `logs` and `events`: what the server streams.
#include <fmt/core.h>

#include <ostream>

#include "cli/display.h"
#include "cli/log_follow.h"
#include "cli/verbs.h"

namespace ampacity::cli {

int logs(Session& session, const LogOptions& options) {
  const auto job = session.get<api::JobView>("/v1/jobs/" + escaped(options.job));
  if (!job) return session.report(job.error());
  CatchInterrupt guard(session.terminal);
  if (session.json) {  // one LogEvent a line
    const std::string target =
        with_query("/v1/jobs/" + escaped(job->id) + "/logs",
                   {{"rank", options.rank ? std::to_string(*options.rank) : ""},
                    {"follow", options.follow ? "1" : "0"}});
    const auto end = follow_events(session, target, options.follow, "the log", [&](const auto& e) {
      session.terminal.out << e.data << "\n" << std::flush;
      return true;
    });
    return end ? 0 : session.report(end.error());
  }
  const bool show_ranks = job->nodes > 1 && !options.rank;
  const auto end = follow_log(session, job->id, options.rank, options.follow, show_ranks);
  if (!end) return session.report(end.error());
  if (session.terminal.interrupted) return exit_interrupted;
  if (options.follow && *end)
    session.notice(
        fmt::format("{} {} · {} USD", job_name(**end), state_cell(**end).text, (**end).cost_usd));
  return 0;
}

int events(Session& session, const EventOptions& options) {
  CatchInterrupt guard(session.terminal);
  auto& t = session.terminal;
  std::optional<Failure> broken;
  const auto print = [&](const SseEvent& e) {
    if (session.json) {
      t.out << e.data << "\n" << std::flush;
      return true;
    }
    const auto event = Session::parse<api::Event>(e.data);
    if (!event) {
      broken = event.error();
      return false;
    }
    t.out << paint(base::format_instant(event->at), Tone::dim, t.colour_out) << "  "
          << printable(event->text.empty() ? event->kind : event->text) << "\n"
          << std::flush;
    return true;
  };
  const std::string target = with_query("/v1/events", {{"follow", options.follow ? "1" : "0"}});
  const auto end = follow_events(session, target, options.follow, "the feed", print, options.since);
  if (broken) return session.report(*broken);
  return end ? 0 : session.report(end.error());
}

}  // namespace ampacity::cli
