// Every verb of `ampacity`: what it is given and what it does. Each returns the exit code.
// Threads: the main one.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "api/contract_billing.h"
#include "api/contract_capacity.h"
#include "api/contract_hooks.h"
#include "api/meter_events.h"
#include "cli/session.h"

namespace ampacity::cli {

inline constexpr const char* version = "0.1.0";

// ---- run.cc
struct RunOptions {
  std::string file;  // -f, "-" for standard input
  std::optional<std::string> image, gpus, cpus, memory, time, grace, name, job_class, project;
  std::optional<std::string> share, mig, together, apart, max_price, start_by, expected,
      reservation, if_site_lost;
  std::vector<std::string> sites;
  std::vector<std::string> env, volumes, command;
  std::optional<std::int64_t> retries;
  bool read_only = false;
  bool detach = false;
};
Answer<api::JobRequest> request_of(const RunOptions& options, Terminal& terminal);
int run(Session& session, const RunOptions& options);

// ---- verbs_jobs.cc
struct PsOptions {
  bool all = false;
  std::int64_t limit = 50;
  std::string project, state;
};
int ps(Session& session, const PsOptions& options);
int show(Session& session, const std::string& job);
int stop(Session& session, const std::vector<std::string>& jobs);
int offers(Session& session);

// ---- why.cc
int why(Session& session, const std::string& job);

// ---- quote.cc
int quote(Session& session, const RunOptions& options);

// ---- logs.cc
struct LogOptions {
  std::string job;
  std::optional<std::uint32_t> rank;
  bool follow = false;
};
int logs(Session& session, const LogOptions& options);
struct EventOptions {
  bool follow = false;
  std::string since;  // the sequence number after which to begin; empty: now
};
int events(Session& session, const EventOptions& options);

// ---- exec.cc
struct ExecOptions {
  std::string job;
  std::uint32_t rank = 0;
  std::optional<bool> tty;  // absent: when both ends are terminals
  std::vector<std::string> command;
};
int exec(Session& session, const ExecOptions& options);

// ---- verbs_money.cc
struct UsageOptions {
  std::string by = "project", from, to;
};
int receipt(Session& session, const std::string& job);
int usage(Session& session, const UsageOptions& options);
int credit_add(Session& session, const api::CreditRequest& request);
int ledger_check(Session& session);
int ledger_accounts(Session& session);

// ---- verbs_ledger.cc
int ledger_heads(Session& session);
// verbs_doctor.cc
int doctor(Session& session);
int ledger_post(Session& session, const std::string& file);

// ---- verbs_meter.cc
int meter_send(Session& session, const std::string& file);  // "-": standard input
struct MeterEventOptions {
  std::string org, project, meter, from, to, cursor;
  std::int64_t limit = 100;
};
int meter_events(Session& session, const MeterEventOptions& options);

// ---- verbs_hooks.cc
int budgets_set(Session& session, const api::BudgetRequest& request);
int budgets_list(Session& session, const std::string& project);
int budgets_remove(Session& session, const std::string& name);
int webhooks_add(Session& session, const api::WebhookRequest& request);
int webhooks_list(Session& session, const std::string& project);
int webhooks_remove(Session& session, const std::string& id);
int webhooks_enable(Session& session, const std::string& id);
int webhooks_test(Session& session, const std::string& id);
int webhooks_deliveries(Session& session, const std::string& id, std::int64_t limit);

// ---- verbs_prices.cc
int prices_show(Session& session, const std::string& org);
int prices_history(Session& session, const std::string& org);
// Versions, or files.
int prices_diff(Session& session, const std::string& before, const std::string& after);
int prices_validate(Session& session, const std::string& file);
int prices_set(Session& session, const std::string& file, const std::string& from);

// ---- verbs_fleet.cc
int fleet_nodes(Session& session);
int fleet_change(Session& session, const std::string& node, core::NodeState state);
int volumes_list(Session& session);
int volumes_remove(Session& session, const std::string& name, const std::string& project);

// ---- verbs_sites.cc
int fleet_sites(Session& session);
int site_show(Session& session, const std::string& name);
int site_add(Session& session, const api::SiteRequest& request);
int site_set(Session& session, const std::string& name, const api::SiteChange& change);
int site_remove(Session& session, const std::string& name);

// ---- verbs_capacity.cc
int reserve(Session& session, const api::ReservationRequest& request);
int reservations_list(Session& session, const std::string& project);
// `asked`: the kind as `gpus`, the stretch, where.
int reservations_free(Session& session, const api::ReservationRequest& asked);
int reservations_remove(Session& session, const std::string& name, const std::string& project);
int fleet_drain(Session& session, const api::MaintenanceRequest& request);
int fleet_maintain(Session& session, const api::MaintenanceRequest& request);
int fleet_windows(Session& session);
int fleet_undrain(Session& session, const std::vector<std::string>& nodes);
struct QuotaOptions {
  std::string name;  // of a project, or of an org
  bool of_org = false;
  bool clear = false;
  std::vector<std::string> gpus;  // "16", "h100=8"
  std::optional<std::string> gpu_hours, spend, window;
};
int quotas_show(Session& session, std::string name, bool of_org);
int quotas_set(Session& session, const QuotaOptions& options);
int weight(Session& session, const std::string& project, std::optional<std::int64_t> value);
int policy(Session& session, const std::optional<api::PolicyChange>& change);
int checkpoint(Session& session, const std::string& job);

// ---- verbs_billing.cc
int billing_issuer(Session& session, const api::PartyChange& change);
int billing_org(Session& session, const std::string& org, const api::BillingChange& change);
int billing_line(Session& session, const std::string& org, const api::LineRequest& line);
int credit_line(Session& session, const std::string& project, const std::string& amount);
int contracts_list(Session& session, const std::string& org);
int contracts_sign(Session& session, const api::ContractRequest& request);
int contracts_show(Session& session, const std::string& name);
int contracts_end(Session& session, const std::string& name);
int invoices_list(Session& session, const std::string& org, int limit, const std::string& cursor);
int invoices_show(Session& session, const std::string& number);
int invoices_get(Session& session, const std::string& number, const std::string& format,
                 const std::string& file);
int invoices_draft(Session& session, const api::IssueRequest& request);
int invoices_issue(Session& session, const api::IssueRequest& request);
int invoices_void(Session& session, const std::string& number, const std::string& why);
int invoices_pay(Session& session, const std::string& number, const api::PaymentRequest& payment);
struct ExportOptions {
  std::string what;  // "exports/focus", "statement": the path after /v1/
  std::string month, org, from, until, format, file;
  std::string kind, actor, project, job, text, cursor;  // of the log of events
};
int export_file(Session& session, const ExportOptions& options);
int audit(Session& session, const std::string& month);
int close_month(Session& session, const std::string& month);

// ---- login.cc
struct LoginOptions {
  std::string url, key, pin, ca_file, client_cert, client_key;
};
int login(Session& session, LoginOptions options);

// ---- verbs_admin.cc
std::string identity(const api::WhoAmI& me);
int welcome(Session& session);  // no arguments
int whoami(Session& session);
int print_version(Session& session);
int orgs_list(Session& session);
int orgs_add(Session& session, const api::OrgRequest& request);
int projects_list(Session& session);
int projects_add(Session& session, const api::ProjectRequest& request);
int users_list(Session& session);
int users_add(Session& session, const api::UserRequest& request);
int keys_list(Session& session);
int keys_add(Session& session, const api::KeyRequest& request);
int keys_remove(Session& session, const std::string& id);

}  // namespace ampacity::cli
