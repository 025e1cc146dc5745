// The server's parts, joined: requests come in, are authorised by the route table, and go to a
// handler; what blocks runs on worker threads, what changes the world goes through the loop.
#pragma once

#include <atomic>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "api/bind_hooks.h"
#include "api/bind_job.h"
#include "api/routes.h"
#include "console/serve.h"
#include "engines/engine.h"
#include "engines/log_spool.h"
#include "net/http_server.h"
#include "server/fleet_feed.h"
#include "server/forward.h"
#include "server/invoicing.h"
#include "server/keys.h"
#include "server/live.h"
#include "server/loop.h"
#include "server/metrics.h"
#include "server/queue_starts.h"
#include "server/sessions.h"
#include "server/workers.h"

namespace ampacity::server {

struct AppOptions {
  std::string cloud;
  store::StoreAt store;
  std::int64_t volume_limit_bytes = 0;
  // Both null: nobody else can lead.
  const Leadership* leadership = nullptr;
  Forwarder* forwarder = nullptr;
};

// One request on its way.
struct Call {
  net::Request request;
  net::Target target;
  std::vector<std::string> arguments;  // of the path
  Caller caller;
  const api::Route* route = nullptr;
};

class Webhooks;

class App {
 public:
  App(AppOptions options, Loop& loop, KeyRing& keys, engines::Engine& engine, Live& live,
      Webhooks& webhooks, base::Clock& clock, base::Prng& prng);
  // On the I/O thread.
  void handle(net::Request request, net::Reply reply);
  // Before open(): why something is not offered.
  void show_notes(std::vector<std::string> notes) { notes_ = std::move(notes); }
  // The same of sites with engines of their own.
  using SiteNotes = std::function<std::vector<std::string>(const std::string& site)>;
  void show_site_notes(SiteNotes notes) { site_notes_ = std::move(notes); }
  void open() { open_ = true; }  // until then: 503, the cloud is being made ready
  // After each commit, on the loop's thread.
  void committed(const core::World& after, const std::vector<core::Fact>& facts) {
    fleet_.committed(after, facts);
  }
  void stop();

 private:
  // Quick handlers run on the I/O thread and never block; slow ones on a worker.
  using Handler = void (App::*)(Call&, net::Reply&);
  struct Entry {
    Handler handler = nullptr;
    bool quick = false;
    bool of_leader = false;  // a GET that only the leader can answer
  };
  // By operation (api/routes.h).
  static std::map<std::string_view, Entry> handlers();
  static void add_money_handlers(std::map<std::string_view, Entry>& all);

  // handlers_session.cc
  void sign_in(Call& c, net::Reply& r);
  void sign_out(Call& c, net::Reply& r);
  base::Result<Caller> caller_of(const net::Request& request) const;
  // handlers_jobs.cc
  void submit_job(Call& c, net::Reply& r);
  void quote(Call& c, net::Reply& r);
  void list_jobs(Call& c, net::Reply& r);
  void job_pages(Call& c, net::Reply& r);
  void show_job(Call& c, net::Reply& r);
  void why_job(Call& c, net::Reply& r);
  void stop_job(Call& c, net::Reply& r);
  void note_checkpoint(Call& c, net::Reply& r);
  // handlers_operate.cc
  void job_events(Call& c, net::Reply& r);
  void queue(Call& c, net::Reply& r);
  void revenue(Call& c, net::Reply& r);
  void offer_waits(Call& c, net::Reply& r);
  // handlers_event_log.cc
  void event_log(Call& c, net::Reply& r);
  void export_events(Call& c, net::Reply& r);
  // handlers_live.cc
  void job_logs(Call& c, net::Reply& r);
  void job_exec(Call& c, net::Reply& r);
  void events(Call& c, net::Reply& r);
  // handlers_money.cc
  void job_receipt(Call& c, net::Reply& r);
  void usage(Call& c, net::Reply& r);
  void check_ledger(Call& c, net::Reply& r);
  void list_accounts(Call& c, net::Reply& r);
  void post_transfers(Call& c, net::Reply& r);
  void show_transfer(Call& c, net::Reply& r);
  void ledger_heads(Call& c, net::Reply& r);
  void add_credit(Call& c, net::Reply& r);
  // handlers_doctor.cc
  void doctor(Call& c, net::Reply& r);
  // handlers_meter.cc
  void take_meter_events(Call& c, net::Reply& r);
  void list_meter_events(Call& c, net::Reply& r);
  // handlers_prices.cc
  void list_prices(Call& c, net::Reply& r);
  void set_prices(Call& c, net::Reply& r);
  // handlers_fleet.cc
  void healthz(Call& c, net::Reply& r);
  void openapi(Call& c, net::Reply& r);
  void metrics(Call& c, net::Reply& r);
  void whoami(Call& c, net::Reply& r);
  void offers(Call& c, net::Reply& r);
  void list_nodes(Call& c, net::Reply& r);
  void show_node(Call& c, net::Reply& r);
  void fleet(Call& c, net::Reply& r);
  void fleet_live(Call& c, net::Reply& r);
  void change_node(Call& c, net::Reply& r);
  void list_volumes(Call& c, net::Reply& r);
  void remove_volume(Call& c, net::Reply& r);
  // handlers_sites.cc
  void list_sites(Call& c, net::Reply& r);
  void add_site(Call& c, net::Reply& r);
  void show_site(Call& c, net::Reply& r);
  void change_site(Call& c, net::Reply& r);
  void remove_site(Call& c, net::Reply& r);
  api::SiteView site_view(const core::World& world, core::SiteIx site) const;
  // handlers_customers.cc
  struct OwnNames {
    std::string org, project, user;
  };
  OwnNames own_names(const Caller& caller);  // a customer's
  void create_org(Call& c, net::Reply& r);
  void list_orgs(Call& c, net::Reply& r);
  void create_project(Call& c, net::Reply& r);
  void list_projects(Call& c, net::Reply& r);
  void create_user(Call& c, net::Reply& r);
  void list_users(Call& c, net::Reply& r);
  void create_key(Call& c, net::Reply& r);
  void list_keys(Call& c, net::Reply& r);
  void revoke_key(Call& c, net::Reply& r);
  // handlers_billing.cc
  void issuer(Call& c, net::Reply& r);
  void change_issuer(Call& c, net::Reply& r);
  void org_billing(Call& c, net::Reply& r);
  void change_org_billing(Call& c, net::Reply& r);
  void set_credit_line(Call& c, net::Reply& r);
  void add_line(Call& c, net::Reply& r);
  void sign_contract(Call& c, net::Reply& r);
  void list_contracts(Call& c, net::Reply& r);
  void end_contract(Call& c, net::Reply& r);
  void draft_invoice(Call& c, net::Reply& r);
  void issue_invoice(Call& c, net::Reply& r);
  void list_invoices(Call& c, net::Reply& r);
  void show_invoice(Call& c, net::Reply& r);
  void void_invoice(Call& c, net::Reply& r);
  void pay_invoice(Call& c, net::Reply& r);
  // handlers_exports.cc
  void invoice_document(Call& c, net::Reply& r);
  void statement(Call& c, net::Reply& r);
  void export_focus(Call& c, net::Reply& r);
  void focus_schema(Call& c, net::Reply& r);
  void export_usage(Call& c, net::Reply& r);
  void export_journal(Call& c, net::Reply& r);
  void export_trial_balance(Call& c, net::Reply& r);
  void audit_month(Call& c, net::Reply& r);
  void close_month(Call& c, net::Reply& r);
  // handlers_capacity.cc
  void reserve(Call& c, net::Reply& r);
  void list_reservations(Call& c, net::Reply& r);
  void free_to_reserve(Call& c, net::Reply& r);
  void end_reservation(Call& c, net::Reply& r);
  void maintain(Call& c, net::Reply& r);
  void list_maintenance(Call& c, net::Reply& r);
  void end_maintenance(Call& c, net::Reply& r);
  void set_project_quota(Call& c, net::Reply& r);
  void project_quota(Call& c, net::Reply& r);
  void set_org_quota(Call& c, net::Reply& r);
  void org_quota(Call& c, net::Reply& r);
  void set_weight(Call& c, net::Reply& r);
  void policy(Call& c, net::Reply& r);
  void change_policy(Call& c, net::Reply& r);
  void set_quota(Call& c, net::Reply& r, bool of_org);
  // handlers_hooks.cc
  void set_budget(Call& c, net::Reply& r);
  void list_budgets(Call& c, net::Reply& r);
  void remove_budget(Call& c, net::Reply& r);
  void add_webhook(Call& c, net::Reply& r);
  void list_webhooks(Call& c, net::Reply& r);
  void remove_webhook(Call& c, net::Reply& r);
  void enable_webhook(Call& c, net::Reply& r);
  void test_webhook(Call& c, net::Reply& r);
  void list_deliveries(Call& c, net::Reply& r);
  base::Result<void> scope_budget(const Call& c, const api::BudgetRequest& body, core::Budget& b);
  base::Result<core::Webhook> webhook_in_path(const Call& c, std::string_view text);

  // A command of this call, answered after its commit.
  Work work_of(Call& c, net::Reply& r, core::Command command);
  // Following: sent on to the leader. False: this server answers.
  bool sent_on(const api::Route& route, net::Request& request, net::Reply& reply);
  // Following: waits, a bounded time, for what the caller has seen elsewhere; false: refused.
  bool caught_up(const Call& c, net::Reply& r);
  void finish(net::Response& response) const;
  LeadMeasure measure_lead() const;
  void submit_bound(Call& c, net::Reply& r, api::BoundJob bound, core::ProjectIx project);
  base::Result<void> name_reservation(api::BoundJob& bound, core::ProjectIx project);
  // A job by id or by name that the caller may see, live or ended.
  struct FoundJob {
    core::Job job;
    bool live = false;
  };
  base::Result<FoundJob> find_job(const Call& c);
  // The project a call is about: the key's own, or ?project= for owners (nobody: all).
  base::Result<core::ProjectIx> project_of(const Call& c);
  base::Result<core::ProjectIx> project_named(const Call& c, std::string_view name);
  // Of the path; 404 where the caller may not see it.
  base::Result<core::ProjectIx> project_in_path(const Call& c);
  base::Result<core::OrgIx> org_in_path(const Call& c);
  // ?org= for operators (nobody: all), a customer's own.
  base::Result<core::OrgIx> org_of(const Call& c, std::string_view name);
  // As issued, with its lines and what was paid since.
  base::Result<core::Invoice> invoice_named(const Call& c, const std::string& text);
  base::Result<std::optional<core::Invoice>> issue(core::OrgIx org, Period period,
                                                   const std::string& actor);
  void stream_parts(Call& c, net::Reply& r, bool focus);
  // A reservation by id or by name; nobody: of any project.
  base::Result<base::Id> reservation_named(core::ProjectIx project, const std::string& text);
  base::Id new_id();

  const AppOptions options_;
  Loop& loop_;
  KeyRing& keys_;
  Sessions sessions_;
  FleetFeed fleet_;
  QueueStarts starts_;
  const console::Console console_;
  engines::Engine& engine_;
  Live& live_;
  Webhooks& webhooks_;
  base::Clock& clock_;
  base::Prng& prng_;
  std::map<std::string_view, Entry> entries_;
  std::vector<std::string> notes_;
  SiteNotes site_notes_;
  std::atomic<bool> open_{false};
  std::atomic<int> waiting_to_catch_up_{0};
  Workers workers_;
};

inline constexpr const char* busy = "too many requests wait; try again in a second";

net::Response json_response(std::string body, int status = 200);

}  // namespace ampacity::server
