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

namespace {

// What a list of jobs is asked for.
struct JobsWanted {
  core::ProjectIx project = core::nobody;
  std::optional<core::JobState> state;
  std::string part;  // of the name, in lower case; empty: any
  bool live = true, ended = false;

  bool takes(const core::Job& j) const {
    if (j.id.is_nil() || (state && j.state != *state)) return false;
    return (project == core::nobody || j.project == project) &&
           (part.empty() || lower(j.name).find(part) != std::string::npos);
  }
  static std::string lower(std::string_view text) {
    std::string out(text);
    for (char& c : out)
      if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    return out;
  }
};

base::Result<JobsWanted> jobs_wanted(const net::Target& target, core::ProjectIx project) {
  JobsWanted wanted;
  wanted.project = project;
  const std::string_view state_text = target.param("state");
  wanted.state = base::parse_enum<core::JobState>(state_text);
  if (!state_text.empty() && !wanted.state)
    return base::refuse_field("state", "must be one of " + base::enum_names<core::JobState>());
  if (target.param("q").size() > 200) return base::refuse_field("q", "at most 200 characters");
  wanted.part = JobsWanted::lower(target.param("q"));
  wanted.live = wanted.state != core::JobState::ended;
  wanted.ended = wanted.state ? !wanted.live : target.param("all") == "1";
  return wanted;
}

// Newest first; all of them where `most` is none.
std::vector<const core::Job*> live_jobs(const core::World& w, const JobsWanted& wanted,
                                        std::uint64_t below, std::size_t most, bool& more) {
  std::vector<const core::Job*> jobs;
  for (const core::Job& j : w.state().jobs)
    if (j.queue_order < below && wanted.takes(j)) jobs.push_back(&j);
  const std::size_t count = std::min(jobs.size(), most);
  std::partial_sort(jobs.begin(), jobs.begin() + static_cast<std::ptrdiff_t>(count), jobs.end(),
                    [](const auto* a, const auto* b) { return a->queue_order > b->queue_order; });
  more = count < jobs.size();
  jobs.resize(count);
  return jobs;
}

}  // namespace

// Live jobs come from the world, newest first; with ?all=1 the ended follow, page by page.
void App::list_jobs(Call& c, net::Reply& r) {
  const auto project = project_of(c);
  if (!project) return r.send(api::problem_response(project.error()));
  const int limit = whole_param(c.target.param("limit"), 100, 500);
  const auto cursor = parse_job_cursor(c.target.param("cursor"));
  if (!cursor) return r.send(api::problem_response(base::refusal_of({{"cursor", cursor_form}})));
  const auto wanted = jobs_wanted(c.target, *project);
  if (!wanted) return r.send(api::problem_response(wanted.error()));

  api::JobList list;
  if (!cursor->ended && wanted->live) {
    list = loop_.ask([&](const core::World& w) {
      api::JobList page;
      bool more = false;
      const auto jobs = live_jobs(w, *wanted, cursor->below, static_cast<std::size_t>(limit), more);
      for (const core::Job* j : jobs) page.items.push_back(api::view_job(w, *j, clock_.now()));
      if (more) page.next_cursor = format_cursor(JobCursor{false, jobs.back()->queue_order, {}});
      return page;
    });
  }
  const bool room = static_cast<int>(list.items.size()) < limit && !list.next_cursor;
  if (wanted->ended && !room && !list.next_cursor)
    list.next_cursor = format_cursor(JobCursor{true});
  if (wanted->ended && room) {
    auto reader = store::open_reader(options_.store);
    if (!reader)
      return r.send(
          api::problem_response({base::Code::unavailable, reader.error().message, {}, {}, {}}));
    auto page = (*reader)->jobs_named(*project, wanted->part, cursor->after,
                                      limit - static_cast<int>(list.items.size()));
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

// The pages of list_jobs with limit `every`, as they are now.
void App::job_pages(Call& c, net::Reply& r) {
  const auto project = project_of(c);
  if (!project) return r.send(api::problem_response(project.error()));
  const auto wanted = jobs_wanted(c.target, *project);
  if (!wanted) return r.send(api::problem_response(wanted.error()));
  api::JobPages pages;
  pages.every = std::max(20, whole_param(c.target.param("every"), 100, 500));
  pages.cursors.push_back("");
  const auto each = static_cast<std::size_t>(pages.every);
  if (wanted->live)
    loop_.ask([&](const core::World& w) {
      bool more = false;
      const auto jobs = live_jobs(w, *wanted, UINT64_MAX, SIZE_MAX, more);
      pages.total = static_cast<std::int64_t>(jobs.size());
      for (std::size_t i = each; i <= jobs.size(); i += each)
        pages.cursors.push_back(format_cursor(JobCursor{false, jobs[i - 1]->queue_order, {}}));
      return 0;
    });
  if (wanted->ended) {
    auto reader = store::open_reader(options_.store);
    if (!reader)
      return r.send(
          api::problem_response({base::Code::unavailable, reader.error().message, {}, {}, {}}));
    const auto marks =
        (*reader)->job_marks(*project, wanted->part, pages.total % pages.every, pages.every);
    pages.total += marks.count;
    for (const std::string& last : marks.last)
      pages.cursors.push_back(format_cursor(JobCursor{true, 0, last}));
  }
  // The last one begins a page only if something is on it.
  if (pages.total > 0 && pages.total % pages.every == 0) pages.cursors.pop_back();
  r.send(json_response(base::to_json(pages)));
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
