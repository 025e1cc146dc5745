#include <algorithm>
#include <charconv>

#include "api/problem.h"
#include "api/views.h"
#include "core/desire.h"
#include "server/app.h"
#include "server/paging.h"

namespace ampacity::server {
namespace {

int whole_param(std::string_view text, int otherwise, int most) {
  int n = otherwise;
  std::from_chars(text.data(), text.data() + text.size(), n);
  return std::clamp(n, 1, most);
}

}  // namespace

void App::submit_job(Call& c, net::Reply& r) {
  auto request = base::from_json<api::JobRequest>(c.request.body);
  if (!request) return r.send(api::problem_response(request.error()));
  auto bound = api::bind_job(*request, clock_.now());
  if (!bound) return r.send(api::problem_response(bound.error()));
  if (!c.caller.is_owner() && request->project)  // said plainly rather than ignored
    return r.send(
        api::problem_response({base::Code::forbidden,
                               "a customer's key has its own project: leave `project` out",
                               {},
                               {},
                               {}}));
  if (c.caller.is_owner() && !request->project)
    return r.send(api::problem_response(
        base::refusal_of({{"project", "is required with an operator's key"}})));
  if (!c.caller.is_owner() && bound->reservation.empty())
    return submit_bound(c, r, std::move(*bound), c.caller.project);
  // Naming a project or a reservation needs the world: not on this thread.
  auto shared = std::make_shared<net::Reply>(std::move(r));
  const bool posted = workers_.post([this, c = std::move(c), shared, bound = std::move(*bound),
                                     name = request->project.value_or("")]() mutable {
    const auto project = project_named(c, name);
    if (!project) return shared->send(api::problem_response(project.error()));
    if (const auto named = name_reservation(bound, *project); !named)
      return shared->send(api::problem_response(named.error()));
    submit_bound(c, *shared, std::move(bound), *project);
  });
  if (!posted) shared->send(api::problem_response({base::Code::too_many, busy, {}, {}, {}}));
}

base::Result<void> App::name_reservation(api::BoundJob& bound, core::ProjectIx project) {
  if (bound.reservation.empty()) return {};
  const auto id = reservation_named(project, bound.reservation);
  if (!id) return base::refuse_field("reservation", id.error().message);
  bound.submit.reservation = *id;
  return {};
}

void App::submit_bound(Call& c, net::Reply& r, api::BoundJob bound, core::ProjectIx project) {
  core::Job& job = bound.submit.job;
  job.id = new_id();
  job.project = project;
  job.user = c.caller.user;
  job.key = c.caller.key;
  bound.submit.by_owner = c.caller.is_owner();
  if (job.name.empty()) job.name = "job-" + base::format_bare_id(job.id).substr(20);
  const base::Id id = job.id;
  Work work = work_of(c, r, std::move(bound.submit));
  work.env = std::move(bound.env);
  work.respond = [id](const core::World& w, base::Instant now) {
    return json_response(base::to_json(api::view_job(w, *w.job(id), now)), 201);
  };
  loop_.push(std::move(work));
}

void App::quote(Call& c, net::Reply& r) {
  auto request = base::from_json<api::JobRequest>(c.request.body);
  if (!request) return r.send(api::problem_response(request.error()));
  auto bound = api::bind_job(*request, clock_.now());
  if (!bound) return r.send(api::problem_response(bound.error()));
  if (c.caller.is_owner() && !request->project)
    return r.send(api::problem_response(
        base::refusal_of({{"project", "is required with an operator's key"}})));
  const auto project = project_named(c, request->project.value_or(""));
  if (!project) return r.send(api::problem_response(project.error()));
  if (const auto named = name_reservation(*bound, *project); !named)
    return r.send(api::problem_response(named.error()));
  bound->submit.job.project = *project;
  bound->submit.by_owner = c.caller.is_owner();
  const auto quote = loop_.ask(
      [&](const core::World& w) { return api::view_quote(w, bound->submit, clock_.now()); });
  if (!quote) return r.send(api::problem_response(quote.error()));
  r.send(json_response(base::to_json(*quote)));
}

// Live jobs come from the world, newest first; with ?all=1 the ended follow, page by page.
void App::list_jobs(Call& c, net::Reply& r) {
  const auto project = project_of(c);
  if (!project) return r.send(api::problem_response(project.error()));
  const int limit = whole_param(c.target.param("limit"), 100, 500);
  const auto cursor = parse_job_cursor(c.target.param("cursor"));
  if (!cursor) return r.send(api::problem_response(base::refusal_of({{"cursor", cursor_form}})));
  const bool all = c.target.param("all") == "1";
  const std::string_view state_text = c.target.param("state");
  const auto state = base::parse_enum<core::JobState>(state_text);
  if (!state_text.empty() && !state)
    return r.send(api::problem_response(
        base::refusal_of({{"state", "must be one of " + base::enum_names<core::JobState>()}})));

  api::JobList list;
  if (!cursor->ended && state != core::JobState::ended) {
    list = loop_.ask([&](const core::World& w) {
      std::vector<const core::Job*> jobs;
      for (const core::Job& j : w.state().jobs) {
        if (j.id.is_nil() || j.queue_order >= cursor->below || (state && j.state != *state))
          continue;
        if (*project == core::nobody || j.project == *project) jobs.push_back(&j);
      }
      const std::size_t count = std::min(jobs.size(), static_cast<std::size_t>(limit));
      std::partial_sort(
          jobs.begin(), jobs.begin() + static_cast<std::ptrdiff_t>(count), jobs.end(),
          [](const auto* a, const auto* b) { return a->queue_order > b->queue_order; });
      api::JobList page;
      for (std::size_t i = 0; i < count; ++i)
        page.items.push_back(api::view_job(w, *jobs[i], clock_.now()));
      if (count < jobs.size())
        page.next_cursor = format_cursor(JobCursor{false, jobs[count - 1]->queue_order, {}});
      return page;
    });
  }
  const bool ended = state ? *state == core::JobState::ended : all;
  const bool room = static_cast<int>(list.items.size()) < limit && !list.next_cursor;
  if (ended && !room && !list.next_cursor) list.next_cursor = format_cursor(JobCursor{true});
  if (ended && room) {
    auto reader = store::open_reader(options_.store);
    if (!reader)
      return r.send(
          api::problem_response({base::Code::unavailable, reader.error().message, {}, {}, {}}));
    auto page =
        (*reader)->jobs(*project, "", cursor->after, limit - static_cast<int>(list.items.size()));
    auto views = loop_.ask([&](const core::World& w) {
      std::vector<api::JobView> v;
      for (const core::Job& j : page.jobs) v.push_back(api::view_job(w, j, clock_.now()));
      return v;
    });
    std::move(views.begin(), views.end(), std::back_inserter(list.items));
    if (page.next_cursor) list.next_cursor = format_cursor(JobCursor{true, 0, *page.next_cursor});
  }
  r.send(json_response(base::to_json(list)));
}

void App::show_job(Call& c, net::Reply& r) {
  const auto found = find_job(c);
  if (!found) return r.send(api::problem_response(found.error()));
  const auto view =
      loop_.ask([&](const core::World& w) { return api::view_job(w, found->job, clock_.now()); });
  r.send(json_response(base::to_json(view)));
}

void App::why_job(Call& c, net::Reply& r) {
  const auto found = find_job(c);
  if (!found) return r.send(api::problem_response(found.error()));
  const core::ProjectIx only = c.caller.is_owner() ? core::nobody : c.caller.project;
  const auto view = loop_.ask([&](const core::World& w) {
    const core::Job* live = w.job(found->job.id);  // it may have ended meanwhile
    return api::view_why(w, live ? *live : found->job, only, clock_.now());
  });
  r.send(json_response(base::to_json(view)));
}

void App::stop_job(Call& c, net::Reply& r) {
  const auto found = find_job(c);
  if (!found) return r.send(api::problem_response(found.error()));
  const std::string who = loop_.ask([&](const core::World& w) {
    return c.caller.user == core::nobody ? std::string("the operator")
                                         : w.state().users[c.caller.user].name;
  });
  core::Job before = found->job;
  Work work = work_of(c, r, core::StopJob{before.id, core::StopReason::asked, "stopped by " + who});
  work.respond = [before](const core::World& w, base::Instant now) {
    if (const core::Job* job = w.job(before.id))
      return json_response(base::to_json(api::view_job(w, *job, now)));
    core::Job ended = before;  // it was still queued
    core::end_job(ended, {before.id, core::Outcome::cancelled, "stopped while it waited"}, now);
    return json_response(base::to_json(api::view_job(w, ended, now)));
  };
  loop_.push(std::move(work));
}

void App::note_checkpoint(Call& c, net::Reply& r) {
  const auto found = find_job(c);
  if (!found) return r.send(api::problem_response(found.error()));
  Work work = work_of(c, r, core::NoteCheckpoint{found->job.id});
  work.respond = [id = found->job.id](const core::World& w, base::Instant now) {
    return json_response(base::to_json(api::view_job(w, *w.job(id), now)));
  };
  loop_.push(std::move(work));
}

}  // namespace ampacity::server
