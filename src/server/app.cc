#include "server/app.h"

#include <charconv>

#include "api/problem.h"
#include "base/check.h"
#include "base/log.h"
#include "core/desire.h"

namespace ampacity::server {

net::Response json_response(std::string body, int status) {
  return {status, "application/json", std::move(body), {}};
}

void App::add_money_handlers(std::map<std::string_view, Entry>& all) {
  all = {
      {"issuer", {&App::issuer}},
      {"change_issuer", {&App::change_issuer}},
      {"org_billing", {&App::org_billing}},
      {"change_org_billing", {&App::change_org_billing}},
      {"set_credit_line", {&App::set_credit_line}},
      {"add_line", {&App::add_line}},
      {"sign_contract", {&App::sign_contract}},
      {"list_contracts", {&App::list_contracts}},
      {"end_contract", {&App::end_contract}},
      {"draft_invoice", {&App::draft_invoice}},
      {"issue_invoice", {&App::issue_invoice}},
      {"list_invoices", {&App::list_invoices}},
      {"show_invoice", {&App::show_invoice}},
      {"invoice_document", {&App::invoice_document}},
      {"void_invoice", {&App::void_invoice}},
      {"pay_invoice", {&App::pay_invoice}},
      {"statement", {&App::statement}},
      {"export_focus", {&App::export_focus}},
      {"focus_schema", {&App::focus_schema}},
      {"export_usage", {&App::export_usage}},
      {"export_journal", {&App::export_journal}},
      {"export_trial_balance", {&App::export_trial_balance}},
      {"audit_month", {&App::audit_month}},
      {"doctor", {&App::doctor}},
      {"close_month", {&App::close_month}},
      {"add_credit", {&App::add_credit}},
      {"check_ledger", {&App::check_ledger}},
      {"list_accounts", {&App::list_accounts}},
      {"post_transfers", {&App::post_transfers}},
      {"show_transfer", {&App::show_transfer}},
      {"ledger_heads", {&App::ledger_heads}},
      {"set_budget", {&App::set_budget}},
      {"list_prices", {&App::list_prices}},
      {"set_prices", {&App::set_prices}},
      {"quote", {&App::quote}},
      {"revenue", {&App::revenue}},
      {"job_receipt", {&App::job_receipt}},
      {"usage", {&App::usage}},
      {"take_meter_events", {&App::take_meter_events}},
      {"list_meter_events", {&App::list_meter_events}},
      {"list_budgets", {&App::list_budgets}},
      {"remove_budget", {&App::remove_budget}},
  };
}

std::map<std::string_view, App::Entry> App::handlers() {
  std::map<std::string_view, Entry> all;
  add_money_handlers(all);
  all.merge(std::map<std::string_view, Entry>{
      {"healthz", {&App::healthz, true}},
      {"openapi", {&App::openapi, true}},
      {"metrics", {&App::metrics}},
      {"whoami", {&App::whoami}},
      {"sign_in", {&App::sign_in, true}},
      {"sign_out", {&App::sign_out, true}},
      {"offers", {&App::offers}},
      {"submit_job", {&App::submit_job, true}},
      {"list_jobs", {&App::list_jobs}},
      {"job_pages", {&App::job_pages}},
      {"show_job", {&App::show_job}},
      {"why_job", {&App::why_job}},
      {"job_events", {&App::job_events}},
      {"event_log", {&App::event_log}},
      {"export_events", {&App::export_events}},
      {"queue", {&App::queue}},
      {"offer_waits", {&App::offer_waits}},
      {"stop_job", {&App::stop_job}},
      {"job_logs", {&App::job_logs}},
      {"job_exec", {&App::job_exec, false, true}},
      {"events", {&App::events}},
      {"list_volumes", {&App::list_volumes, false, true}},
      {"remove_volume", {&App::remove_volume}},
      {"list_sites", {&App::list_sites, false, true}},
      {"add_site", {&App::add_site}},
      {"show_site", {&App::show_site, false, true}},
      {"change_site", {&App::change_site}},
      {"remove_site", {&App::remove_site}},
      {"list_nodes", {&App::list_nodes}},
      {"show_node", {&App::show_node}},
      {"fleet", {&App::fleet}},
      {"fleet_live", {&App::fleet_live}},
      {"change_node", {&App::change_node}},
      {"create_org", {&App::create_org}},
      {"list_orgs", {&App::list_orgs}},
      {"create_project", {&App::create_project}},
      {"list_projects", {&App::list_projects}},
      {"create_user", {&App::create_user}},
      {"list_users", {&App::list_users}},
      {"create_key", {&App::create_key}},
      {"list_keys", {&App::list_keys}},
      {"revoke_key", {&App::revoke_key}},
      {"note_checkpoint", {&App::note_checkpoint}},
      {"reserve", {&App::reserve}},
      {"list_reservations", {&App::list_reservations}},
      {"free_to_reserve", {&App::free_to_reserve}},
      {"end_reservation", {&App::end_reservation}},
      {"maintain", {&App::maintain}},
      {"list_maintenance", {&App::list_maintenance}},
      {"end_maintenance", {&App::end_maintenance}},
      {"set_project_quota", {&App::set_project_quota}},
      {"project_quota", {&App::project_quota}},
      {"set_org_quota", {&App::set_org_quota}},
      {"org_quota", {&App::org_quota}},
      {"set_weight", {&App::set_weight}},
      {"add_webhook", {&App::add_webhook}},
      {"list_webhooks", {&App::list_webhooks}},
      {"remove_webhook", {&App::remove_webhook}},
      {"enable_webhook", {&App::enable_webhook}},
      {"test_webhook", {&App::test_webhook}},
      {"list_deliveries", {&App::list_deliveries}},
      {"policy", {&App::policy}},
      {"change_policy", {&App::change_policy}},
  });
  return all;
}

App::App(AppOptions options, Loop& loop, KeyRing& keys, engines::Engine& engine, Live& live,
         Webhooks& webhooks, base::Clock& clock, base::Prng& prng)
    : options_(std::move(options)),
      loop_(loop),
      keys_(keys),
      sessions_(keys),
      fleet_(loop, clock),
      starts_(loop, clock),
      engine_(engine),
      live_(live),
      webhooks_(webhooks),
      clock_(clock),
      prng_(prng),
      workers_(6, 2'000) {
  entries_ = handlers();
  for (const api::Route& r : api::routes())
    CHECK_THAT(entries_.contains(r.operation), "a route without a handler");
  CHECK_THAT(entries_.size() == api::routes().size(), "a handler without a route");
}

void App::stop() {
  fleet_.stop();
  workers_.stop();
}

// Authorisation is here and nowhere else (what is sent on is authorised by the leader): by the
// route's permission; handlers narrow what a customer sees to its project.
void App::handle(net::Request request, net::Reply reply) {
  if (!open_)
    return reply.send(api::problem_response(
        {base::Code::unavailable, "the server is starting; try again in a second", {}, {}, {}}));
  reply.finish_with([this](net::Response& r) { finish(r); });
  net::Target target = net::parse_target(request.target);
  if (console::Console::owns(target.path)) return reply.send(console_.answer(request, target.path));
  api::Match match = api::match_route(request.method, target.path);
  const auto refuse = [&reply](base::Code code, const char* why) {
    reply.send(api::problem_response({code, why, {}, {}, {}}));
  };
  if (!match.route && match.other_method) {
    net::Response r = api::problem_response(
        {base::Code::invalid, "this path does not take that method", {}, {}, {}});
    r.status = 405;
    return reply.send(std::move(r));
  }
  if (match.route && sent_on(*match.route, request, reply)) return;
  Caller caller;
  if (!match.route || match.route->permission != api::Permission::anyone) {
    auto verified = caller_of(request);
    if (!verified) return reply.send(api::problem_response(verified.error()));
    caller = std::move(*verified);
  }
  if (!match.route)
    return refuse(base::Code::not_found, "there is nothing at this path; see /openapi.json");
  if (match.route->permission == api::Permission::owner && !caller.is_owner())
    return refuse(base::Code::forbidden, "this needs an operator's key");
  if (request.header("Idempotency-Key").size() > 128)
    return refuse(base::Code::too_large, "Idempotency-Key must be at most 128 characters");

  const Entry entry = entries_.at(match.route->operation);
  Call call{std::move(request), std::move(target), std::move(match.arguments), std::move(caller),
            match.route};
  if (entry.quick) return (this->*entry.handler)(call, reply);
  auto shared = std::make_shared<net::Reply>(std::move(reply));
  const bool posted = workers_.post([this, entry, call = std::move(call), shared]() mutable {
    if (caught_up(call, *shared)) (this->*entry.handler)(call, *shared);
  });
  if (!posted) shared->send(api::problem_response({base::Code::too_many, busy, {}, {}, {}}));
}

bool App::sent_on(const api::Route& route, net::Request& request, net::Reply& reply) {
  if (loop_.leads() || !options_.forwarder) return false;
  if (route.method == "GET" && !entries_.at(route.operation).of_leader) return false;
  if (route.operation == "job_exec")
    options_.forwarder->terminal(std::move(request), std::move(reply));
  else
    options_.forwarder->call(std::move(request), std::move(reply));
  return true;
}

bool App::caught_up(const Call& c, net::Reply& r) {
  constexpr int most_waiting = 3;  // of six workers
  const std::string_view text = c.request.header(sequence_header);
  std::uint64_t wanted = 0;
  std::from_chars(text.data(), text.data() + text.size(), wanted);
  if (loop_.leads() || wanted <= loop_.sequence()) return true;
  const bool shown = ++waiting_to_catch_up_ <= most_waiting &&
                     loop_.wait_for_sequence(wanted, base::Duration::seconds(2));
  --waiting_to_catch_up_;
  if (!shown)
    r.send(api::problem_response({base::Code::unavailable,
                                  "this server is behind what you have seen (" +
                                      std::string(sequence_header) + "); try again in a second",
                                  {},
                                  {},
                                  {}}));
  return shown;
}

// On whatever thread answers. No answer leaves a leader whose lease may be over.
void App::finish(net::Response& response) const {
  if (!options_.leadership) return;
  if (loop_.leads() && !options_.leadership->may_act())
    response = api::problem_response(
        {base::Code::unavailable,
         "this server may no longer be the leader: what became of the request is not known; send "
         "it again with the same Idempotency-Key",
         {},
         {},
         {}});
  if (response.header(sequence_header).empty())  // the leader's own, sent on
    response.headers.push_back({sequence_header, std::to_string(loop_.sequence())});
}

Work App::work_of(Call& c, net::Reply& r, core::Command command) {
  Work work;
  work.command = std::move(command);
  work.actor = c.caller.actor;
  work.reply = std::move(r);
  if (const std::string_view key = c.request.header("Idempotency-Key"); !key.empty())
    work.idempotency = {
        c.caller.actor, std::string(key),
        base::sha256(c.request.method + " " + c.request.target + "\n" + c.request.body)};
  return work;
}

base::Id App::new_id() { return base::make_uuid7(clock_.now(), prng_); }

base::Result<core::ProjectIx> App::project_named(const Call& c, std::string_view name) {
  if (!c.caller.is_owner()) return c.caller.project;
  const auto ix =
      loop_.ask([name = std::string(name)](const core::World& w) { return w.project(name); });
  if (!ix) return base::refuse_field("project", "there is no project " + std::string(name));
  return *ix;
}

base::Result<core::ProjectIx> App::project_of(const Call& c) {
  if (!c.caller.is_owner()) return c.caller.project;
  const std::string_view name = c.target.param("project");
  if (name.empty()) return core::nobody;
  return project_named(c, name);
}

base::Result<App::FoundJob> App::find_job(const Call& c) {
  const std::string text = c.arguments.at(0);
  const auto id = base::parse_id("job", text);
  const core::ProjectIx only = c.caller.is_owner() ? core::nobody : c.caller.project;
  std::vector<core::Job> live = loop_.ask([&](const core::World& w) {
    std::vector<core::Job> found;
    if (id && w.job(*id)) found.push_back(*w.job(*id));
    if (id) return found;
    for (const core::Job& j : w.state().jobs)
      if (!j.id.is_nil() && j.name == text && (only == core::nobody || j.project == only) &&
          found.size() < 5)
        found.push_back(j);
    return found;
  });
  if (live.size() > 1) {
    std::string ids;
    for (const core::Job& j : live) ids += (ids.empty() ? "" : ", ") + core::job_name(j.id);
    return base::refuse(base::Code::conflict,
                        "several live jobs are named " + text + "; say which by its id: " + ids);
  }
  std::optional<core::Job> job;
  if (!live.empty()) job = std::move(live[0]);
  if (!job) {
    auto reader = store::open_reader(options_.store);
    if (!reader) return base::refuse(base::Code::unavailable, reader.error().message);
    if (id)
      job = (*reader)->job(*id);
    else if (auto page = (*reader)->jobs(only, text, "", 1); !page.jobs.empty())
      job = std::move(page.jobs[0]);
  }
  // Somebody else's is answered as if it did not exist.
  if (!job || (only != core::nobody && job->project != only))
    return base::refuse(base::Code::not_found,
                        "there is no job " + text + " (see `ampacity ps -a`)");
  return FoundJob{std::move(*job), !live.empty()};
}

}  // namespace ampacity::server
