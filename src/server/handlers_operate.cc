// What looks after work and a cloud asks for: a job's life, the queue, revenue.
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

std::size_t count_asked(std::string_view text, int otherwise, int most) {
  int n = otherwise;
  std::from_chars(text.data(), text.data() + text.size(), n);
  return static_cast<std::size_t>(std::clamp(n, 1, most));
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

void App::queue(Call& c, net::Reply& r) {
  const std::size_t limit = count_asked(c.target.param("limit"), 200, 1000);
  const auto starts = starts_.latest();
  r.send(json_response(base::to_json(loop_.ask(
      [&](const core::World& w) { return api::view_queue(w, limit, clock_.now(), *starts); }))));
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
