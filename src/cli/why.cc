// `why`: what holds a job, its place in the queue, and when it should start.
#include <fmt/core.h>

#include <ostream>

#include "cli/display.h"
#include "cli/verbs.h"

namespace ampacity::cli {
namespace {

// "14:05 UTC (in 35m)"
std::string soon(base::Instant t, base::Instant now) {
  if (t <= now) return "now";
  return fmt::format("{} (in {})", api::clock_text(t, now), age(now, t));
}

Facts facts_of(const api::WhyView& v, base::Instant now) {
  Facts facts;
  if (v.place) {
    std::string text = fmt::format("number {} of {}", *v.place, base::enum_name(v.job_class));
    const auto ahead = v.ahead.value_or(0);
    text += ahead == 0 ? "; nobody ahead wants the same"
                       : fmt::format("; {}{} {} ahead {} the same", ahead,
                                     v.ahead_or_more ? " or more" : "", ahead == 1 ? "job" : "jobs",
                                     ahead == 1 ? "wants" : "want");
    facts.push_back({"place", text});
  }
  if (v.expected) {
    std::string text = "expected " + soon(*v.expected, now);
    if (v.likely_by && *v.likely_by > *v.expected)
      text += ", by " + api::clock_text(*v.likely_by, now) + " in 8 of 10";
    facts.push_back({"starts", text});
  } else if (v.constraint != core::Constraint::none) {
    facts.push_back({"starts", "nobody can say: not within 60 days as things are"});
  }
  if (v.promised_by) {
    const bool certain = v.promise_certain.value_or(false);
    facts.push_back(
        {"promise", Cell(fmt::format("starts by {} {}", api::clock_text(*v.promised_by, now),
                                     certain ? "at the latest (certain: all it waits for has a "
                                               "time limit)"
                                             : "(likely: 9 of 10)"),
                         Tone::good)});
  }
  if (v.waiting_since)
    facts.push_back({"waits", fmt::format("{}, since {}", age(*v.waiting_since, now),
                                          api::clock_text(*v.waiting_since, now))});
  if (v.preemptions)
    facts.push_back(
        {"preempted", fmt::format("{} {}", v.preemptions, v.preemptions == 1 ? "time" : "times")});
  if (!v.usd_per_hour.empty())
    facts.push_back({"price", money(v.usd_per_hour, v.currency) + " per hour"});
  return facts;
}

}  // namespace

int why(Session& session, const std::string& name) {
  int done = 0;
  const auto v = session.fetch<api::WhyView>("/v1/jobs/" + escaped(name) + "/why", done);
  if (!v) return done;
  auto& t = session.terminal;
  api::JobView job;
  job.state = v->state;
  job.outcome = v->outcome;
  const Cell state = state_cell(job);
  t.out << printable(v->name.empty() ? v->job : v->name)
        << (v->state == core::JobState::ended ? " " : " is ")
        << paint(state.text, state.tone, t.colour_out);
  if (!v->why.empty()) t.out << ": " << printable(v->why);
  t.out << "\n";
  if (v->state != core::JobState::ended)
    t.out << render_facts(facts_of(*v, t.clock.now()), t.width, t.colour_out);
  t.out << std::flush;
  return 0;
}

}  // namespace ampacity::cli
