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
  bool printed = false;
  const auto end = follow_log(session, job->id, options.rank, options.follow, show_ranks, &printed);
  if (!end) return session.report(end.error());
  if (session.terminal.interrupted) return exit_interrupted;
  if (!printed && !options.follow) {
    const bool over = job->state == core::JobState::ended;
    std::string line = fmt::format("no output{}: {} {}{}", over ? "" : " yet", job_name(*job),
                                   over ? "" : "is ", state_cell(*job).text);
    if (job->why && !job->why->empty()) line += ": " + *job->why;
    session.notice(line);
  }
  if (options.follow && *end)
    session.notice(fmt::format("{} {} · {}", job_name(**end), state_cell(**end).text,
                               money((**end).cost_usd, (**end).currency)));
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
    t.out << paint(moment(event->at), Tone::dim, t.colour_out) << "  "
          << (event->job ? printable(*event->job) + "  " : "")
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
