#include "api/routes.h"

#include "api/contract_capacity.h"
#include "api/schema.h"

namespace ampacity::api {
namespace {

template <typename T>
constexpr SchemaMaker of = &schema_of<T>;

constexpr auto anyone = Permission::anyone;
constexpr auto customer = Permission::customer;
constexpr auto owner = Permission::owner;
constexpr std::string_view json = "application/json", events = "text/event-stream";

const std::vector<Route> table = {
    {"healthz", "GET", "/healthz", anyone, "Is the server up and its store writable?"},
    {"openapi", "GET", "/openapi.json", anyone, "This document"},
    {"metrics", "GET", "/metrics", owner, "Prometheus metrics", nullptr, nullptr, "text/plain"},
    {"whoami", "GET", "/v1/whoami", customer, "Whose key this is", nullptr, of<WhoAmI>},

    {"offers", "GET", "/v1/offers", customer, "What can be had now, at what price", nullptr,
     of<OfferList>},
    {"quote", "POST", "/v1/quotes", customer, "What a job would cost, and whether it starts now",
     of<JobRequest>, of<Quote>},

    {"submit_job", "POST", "/v1/jobs", customer, "Rent: submit a job", of<JobRequest>, of<JobView>,
     json, 201},
    {"list_jobs",
     "GET",
     "/v1/jobs",
     customer,
     "Live jobs, or all of them, newest first",
     nullptr,
     of<JobList>,
     json,
     200,
     {{"all", "1: ended ones too"},
      {"limit", "1 to 500, default 100"},
      {"cursor", "next_cursor of the page before"},
      {"project", "only this project's"},
      {"state", "only in this state"}}},
    {"show_job", "GET", "/v1/jobs/{job}", customer, "One job, by id or by name", nullptr,
     of<JobView>},
    {"why_job", "GET", "/v1/jobs/{job}/why", customer,
     "What a waiting job waits for, its place in the queue, and when it should start", nullptr,
     of<WhyView>},
    {"stop_job", "POST", "/v1/jobs/{job}/stop", customer, "Stop a job, with its grace", nullptr,
     of<JobView>},
    {"job_logs",
     "GET",
     "/v1/jobs/{job}/logs",
     customer,
     "The job's log as server-sent events; resumes after Last-Event-ID",
     nullptr,
     of<LogEvent>,
     events,
     200,
     {{"rank", "only this rank"}, {"follow", "1: until the job ends"}}},
    {"job_exec",
     "GET",
     "/v1/jobs/{job}/exec",
     customer,
     "A command in a running rank, over a WebSocket",
     nullptr,
     nullptr,
     "application/octet-stream",
     101,
     {{"rank", "default 0"},
      {"arg", "repeated: the command"},
      {"tty", "1: a terminal"},
      {"columns", "of the terminal"},
      {"rows", "of the terminal"}}},
    {"job_receipt", "GET", "/v1/jobs/{job}/receipt", customer,
     "Each interval, quantity, price and amount, and the transfers behind them", nullptr,
     of<Receipt>},

    {"usage",
     "GET",
     "/v1/usage",
     customer,
     "Usage summed",
     nullptr,
     of<Usage>,
     json,
     200,
     {{"by", "project, user, sku or day"}, {"from", "RFC 3339"}, {"to", "RFC 3339"}}},
    {"events",
     "GET",
     "/v1/events",
     customer,
     "What happens, as server-sent events; resumes after Last-Event-ID",
     nullptr,
     of<Event>,
     events,
     200,
     {{"follow", "0: what has happened, then end"}}},

    {"list_volumes",
     "GET",
     "/v1/volumes",
     customer,
     "The project's volumes",
     nullptr,
     of<VolumeList>,
     json,
     200,
     {{"project", "for owners"}}},
    {"remove_volume",
     "DELETE",
     "/v1/volumes/{volume}",
     customer,
     "Remove a volume and its data",
     nullptr,
     nullptr,
     json,
     204,
     {{"project", "for owners"}}},

    {"list_sites", "GET", "/v1/sites", owner, "Sites", nullptr, of<SiteList>},
    {"list_nodes",
     "GET",
     "/v1/nodes",
     owner,
     "Nodes",
     nullptr,
     of<NodeList>,
     json,
     200,
     {{"limit", "1 to 5000, default 1000"}, {"cursor", "next_cursor of the page before"}}},
    {"change_node", "PATCH", "/v1/nodes/{node}", owner, "Cordon a node, or return it",
     of<NodeChange>, of<NodeView>},

    {"create_org", "POST", "/v1/orgs", owner, "A customer", of<OrgRequest>, of<OrgView>, json, 201},
    {"list_orgs", "GET", "/v1/orgs", owner, "Customers", nullptr, of<OrgList>},
    {"create_project", "POST", "/v1/projects", owner, "What is budgeted", of<ProjectRequest>,
     of<ProjectView>, json, 201},
    {"list_projects", "GET", "/v1/projects", customer, "Projects, with their wallets", nullptr,
     of<ProjectList>},
    {"create_user", "POST", "/v1/users", owner, "A person", of<UserRequest>, of<UserView>, json,
     201},
    {"list_users", "GET", "/v1/users", owner, "People", nullptr, of<UserList>},
    {"create_key", "POST", "/v1/keys", owner,
     "A key; its secret is in this answer and nowhere else", of<KeyRequest>, of<KeyView>, json,
     201},
    {"list_keys", "GET", "/v1/keys", owner, "Keys, without secrets", nullptr, of<KeyList>},
    {"revoke_key", "DELETE", "/v1/keys/{key}", owner, "Revoke a key", nullptr, nullptr, json, 204},
    {"add_credit", "POST", "/v1/credits", owner, "Prepaid credit for a project", of<CreditRequest>,
     of<ProjectView>, json, 201},

    {"check_ledger", "GET", "/v1/ledger/check", owner, "Prove the books", nullptr, of<LedgerCheck>},
    {"list_accounts", "GET", "/v1/ledger/accounts", owner, "Accounts and their counters", nullptr,
     of<AccountList>},

    {"note_checkpoint", "POST", "/v1/jobs/{job}/checkpoint", customer,
     "Its work until now is saved: being preempted would lose only what comes after", nullptr,
     of<JobView>},
    {"reserve", "POST", "/v1/reservations", customer,
     "Keep GPUs for a time; refused, with the earliest start, where it cannot be honoured",
     of<ReservationRequest>, of<ReservationView>, json, 201},
    {"list_reservations",
     "GET",
     "/v1/reservations",
     customer,
     "Reservations, upcoming and current",
     nullptr,
     of<ReservationList>,
     json,
     200,
     {{"project", "only this project's (owners)"}}},
    {"end_reservation",
     "DELETE",
     "/v1/reservations/{reservation}",
     customer,
     "Give a reservation up, by id or by name; what runs in it is stopped",
     nullptr,
     nullptr,
     json,
     204,
     {{"project", "for owners, with a name"}}},
    {"maintain", "POST", "/v1/maintenance", owner,
     "Keep nodes free of work for a time, or, without an end, from then on: a drain",
     of<MaintenanceRequest>, of<MaintenanceView>, json, 201},
    {"list_maintenance", "GET", "/v1/maintenance", owner, "Maintenance windows and drains", nullptr,
     of<MaintenanceList>},
    {"end_maintenance", "DELETE", "/v1/maintenance/{window}", owner, "Take work again", nullptr,
     nullptr, json, 204},

    {"set_project_quota", "PUT", "/v1/projects/{project}/quota", owner,
     "What a project may use: all of it, what is left out is unlimited", of<QuotaRequest>,
     of<QuotaView>},
    {"project_quota", "GET", "/v1/projects/{project}/quota", customer,
     "What a project may use, and what it does", nullptr, of<QuotaView>},
    {"set_org_quota", "PUT", "/v1/orgs/{org}/quota", owner, "What an org's projects may use in all",
     of<QuotaRequest>, of<QuotaView>},
    {"org_quota", "GET", "/v1/orgs/{org}/quota", owner, "What an org may use, and what it does",
     nullptr, of<QuotaView>},
    {"set_weight", "PUT", "/v1/projects/{project}/weight", owner,
     "A project's weight in the queue: 200 may use twice what 100 may", of<WeightRequest>,
     of<ProjectView>},
    {"policy", "GET", "/v1/policy", owner, "How the queue is ordered", nullptr, of<PolicyView>},
    {"change_policy", "PATCH", "/v1/policy", owner, "Change it; what is left out stays",
     of<PolicyChange>, of<PolicyView>},
};

std::vector<std::string_view> segments(std::string_view path) {
  std::vector<std::string_view> out;
  while (!path.empty()) {
    path.remove_prefix(1);  // '/'
    const std::size_t slash = path.find('/');
    out.push_back(path.substr(0, slash));
    path = slash == std::string_view::npos ? std::string_view{} : path.substr(slash);
  }
  return out;
}

bool same_path(std::string_view pattern, const std::vector<std::string_view>& given,
               std::vector<std::string>& arguments) {
  const auto wanted = segments(pattern);
  if (wanted.size() != given.size()) return false;
  arguments.clear();
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    if (wanted[i].starts_with('{') && !given[i].empty())
      arguments.emplace_back(given[i]);
    else if (wanted[i] != given[i])
      return false;
  }
  return true;
}

}  // namespace

std::span<const Route> routes() { return table; }

Match match_route(std::string_view method, std::string_view path) {
  Match m;
  if (!path.starts_with('/')) return m;
  const auto given = segments(path);
  for (const Route& r : table) {
    std::vector<std::string> arguments;
    if (!same_path(r.path, given, arguments)) continue;
    if (r.method == method || (method == "HEAD" && r.method == "GET")) {
      m.route = &r;
      m.arguments = std::move(arguments);
      return m;
    }
    m.other_method = true;
  }
  return m;
}

}  // namespace ampacity::api
