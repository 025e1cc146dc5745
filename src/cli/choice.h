// How verbs are declared: what CLI11 writes into while it parses, and the one chosen.
// Threads: the main one.
#pragma once

#include <CLI/App.hpp>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "cli/verbs.h"

namespace ampacity::cli {

using Verb = std::function<int(Session&)>;

// The verbs' options and which one was chosen; CLI11 writes into them while it parses.
struct Choice {
  bool json = false;
  Verb verb;
  RunOptions run;
  PsOptions ps;
  LogOptions log;
  ExecOptions exec;
  EventOptions events;
  UsageOptions usage;
  MeterEventOptions meter;
  api::CreditRequest credit;
  api::OrgRequest org;
  api::ProjectRequest project;
  api::UserRequest user;
  api::KeyRequest key;
  std::string role = "customer";
  api::ReservationRequest reservation;
  api::MaintenanceRequest maintenance;
  QuotaOptions quota;
  api::SiteRequest site;
  api::SiteChange site_change;
  api::BudgetRequest budget;
  std::string budget_window = "month";
  api::WebhookRequest webhook;
  std::int64_t delivery_limit = 50;
  api::PolicyChange policy;
  std::string order;
  std::optional<std::int64_t> weight;
  std::string name;   // the one name most verbs take
  std::string where;  // a project beside it
  int page_limit = 100;
  std::string page_cursor;
  std::vector<std::string> names;
  LoginOptions login;
  std::string shell;
  bool tty = false, no_tty = false;
  api::PartyChange party;
  api::BillingChange billing;
  api::LineRequest line;
  api::ContractRequest contract;
  api::IssueRequest issue;
  api::PaymentRequest payment;
  ExportOptions files;
  std::string amount, why;
};

CLI::App* add(CLI::App& to, Choice& c, const std::string& name, const std::string& what, Verb verb);
CLI::App* add_group(CLI::App& to, const std::string& name, const std::string& what);
// A group that does something by itself, too.
CLI::App* add_list(CLI::App& to, Choice& c, const std::string& name, const std::string& what,
                   Verb verb);
// One value each time it is given.
void take_each(CLI::Option* option);

// program_billing.cc
void add_billing_verbs(CLI::App& app, Choice& c);
// program_sites.cc
void add_site_verbs(CLI::App& fleet, Choice& c);
// program_hooks.cc
void add_hook_verbs(CLI::App& app, Choice& c);

}  // namespace ampacity::cli
