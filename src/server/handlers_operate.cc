// What looks after work and a cloud asks for: a job's life, the log of events, the queue, revenue.
#include <algorithm>
#include <charconv>

#include "api/problem.h"
#include "api/view_operate.h"
#include "api/views.h"
#include "core/desire.h"
#include "server/app.h"
#include "server/paging.h"

namespace ampacity::server {
namespace {

// So many facts are looked at for one page of the log, whatever the filter finds in them.
constexpr std::uint64_t most_looked_at = 20'000, looked_at_once = 1'000;

std::size_t count_asked(std::string_view text, int otherwise, int most) {
  int n = otherwise;
  std::from_chars(text.data(), text.data() + text.size(), n);
  return static_cast<std::size_t>(std::clamp(n, 1, most));
}

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

}  // namespace

void App::job_events(Call& c, net::Reply& r) {
  const auto found = find_job(c);
  if (!found) return r.send(api::problem_response(found.error()));
  r.send(json_response(base::to_json(loop_.ask([&](const core::World& w) {
    const core::Job* live = w.job(found->job.id);
    return api::view_moments(w, live ? *live : found->job);
  }))));
}

// Backwards from the newest, or from a cursor: the sequence that the page before had looked until.
void App::event_log(Call& c, net::Reply& r) {
  const std::size_t limit = count_asked(c.target.param("limit"), 100, 500);
  auto reader = store::open_reader(options_.store);
  if (!reader)
    return r.send(
        api::problem_response({base::Code::unavailable, reader.error().message, {}, {}, {}}));
  std::uint64_t end = (*reader)->last_sequence();
  if (const std::string_view text = c.target.param("cursor"); !text.empty()) {
    std::uint64_t below = 0;
    const auto [at, error] = std::from_chars(text.data(), text.data() + text.size(), below);
    if (error != std::errc{} || at != text.data() + text.size() || below == 0)
      return r.send(api::problem_response(base::refusal_of({{"cursor", cursor_form}})));
    end = std::min(end, below - 1);
  }
  const EventFilter filter = EventFilter::of(c.target);
  api::EventLog page;
  const std::uint64_t stop = end > most_looked_at ? end - most_looked_at : 0;
  while (end > stop && page.items.size() < limit) {
    const std::uint64_t begin = end > looked_at_once ? end - looked_at_once : 0;
    auto told = live_.told_after(**reader, begin, static_cast<int>(end - begin));
    std::reverse(told.begin(), told.end());
    for (auto& [event, actor] : told) {
      end = event.sequence - 1;
      if (auto e = logged(std::move(event), actor); filter.takes(e))
        page.items.push_back(std::move(e));
      if (page.items.size() == limit) break;
    }
    if (page.items.size() < limit) end = begin;
  }
  page.looked_until = end + 1;
  if (end > 0) page.next_cursor = std::to_string(end + 1);
  r.send(json_response(base::to_json(page)));
}

void App::queue(Call& c, net::Reply& r) {
  const std::size_t limit = count_asked(c.target.param("limit"), 200, 1000);
  r.send(json_response(base::to_json(
      loop_.ask([&](const core::World& w) { return api::view_queue(w, limit, clock_.now()); }))));
}

void App::revenue(Call&, net::Reply& r) {
  r.send(json_response(base::to_json(
      loop_.ask([&](const core::World& w) { return api::view_revenue(w, clock_.now()); }))));
}

void App::offer_waits(Call& c, net::Reply& r) {
  const std::string_view text = c.target.param("class");
  const auto job_class =
      text.empty() ? core::JobClass::on_demand : base::parse_enum<core::JobClass>(text);
  if (!job_class)
    return r.send(api::problem_response(
        base::refusal_of({{"class", "must be one of " + base::enum_names<core::JobClass>()}})));
  const auto project = project_of(c);
  if (!project) return r.send(api::problem_response(project.error()));
  const std::string name = c.arguments.at(0);
  const auto waits = loop_.ask([&](const core::World& w) -> std::optional<api::OfferWaits> {
    const auto sku = w.sku(name);
    if (!sku || w.state().projects.empty()) return std::nullopt;
    return api::view_waits(w, *project == core::nobody ? 0 : *project, *sku, *job_class,
                           clock_.now());
  });
  if (!waits)
    return r.send(api::problem_response(
        {base::Code::not_found, "there is no SKU " + name + "; see /v1/offers", {}, {}, {}}));
  r.send(json_response(base::to_json(*waits)));
}

}  // namespace ampacity::server
