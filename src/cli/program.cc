#include "cli/program.h"

#include <fmt/core.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>
#include <functional>
#include <memory>
#include <ostream>

#include "cli/beside.h"
#include "cli/choice.h"
#include "cli/completion.h"
#include "cli/verbs.h"

namespace ampacity::cli {
namespace {

void add_request_flags(CLI::App& app, RunOptions& o) {
  app.add_option("-f,--file", o.file, "job file (YAML); - for standard input");
  app.add_option("--image", o.image, "container image");
  app.add_option("--gpus", o.gpus, "h100:8, h100:8x4 (4 nodes), a100-80|h100:8, any>=40GB:2");
  app.add_option("--cpus", o.cpus, "vCPUs per node");
  app.add_option("--memory", o.memory, "per node: 4GiB");
  take_each(app.add_option("-e,--env", o.env, "NAME=VALUE; may be repeated"));
  take_each(app.add_option("-v,--volume", o.volumes, "NAME:/path; may be repeated"));
  app.add_option("--time", o.time, "limit: 90s, 10m, 2h30m");
  app.add_option("--grace", o.grace, "between SIGTERM and SIGKILL");
  app.add_option("--name", o.name, "a name of your own");
  app.add_option("--class", o.job_class, "reserved, on_demand, spot, house");
  app.add_option("--retries", o.retries, "start again this often when lost or failed");
  app.add_flag("--read-only", o.read_only, "root file system read-only");
  app.add_option("--project", o.project, "whose wallet (owner keys)");
  app.add_option("--share", o.share, "a part of one GPU: 0.25");
  app.add_option("--mig", o.mig, "a hard slice of one GPU: 1g.10gb, 3g.40gb, or eighths: 2/8");
  take_each(app.add_option("--site", o.sites, "a site or region; may be repeated: any of them"));
  app.add_option("--if-site-lost", o.if_site_lost,
                 "when its site is not heard of for long: wait for it, or move: start elsewhere")
      ->check(CLI::IsMember({"wait", "move"}));
  app.add_option("--together", o.together, "what its nodes must share: nvlink, rack, leaf");
  app.add_option("--apart", o.apart, "a label: no two jobs with it share a node");
  app.add_option("--max-price", o.max_price, "money per GPU-hour, at most");
  app.add_option("--start-by", o.start_by, "+2h or an RFC 3339 time; not started by then: expired");
  app.add_option("--expected", o.expected, "how long it should run: 3h (an estimate, no limit)");
  app.add_option("--reservation", o.reservation, "run inside it: its name or id");
  app.footer("The command comes after --:  ampacity run --image debian -- sh -c 'echo hello'");
}

void add_job_verbs(CLI::App& app, Choice& c) {
  add(app, c, "offers", "what can be had now, at what price", offers);
  auto* quote_app = add(app, c, "quote", "what a run would cost, when it would start, what else",
                        [&c](Session& s) { return quote(s, c.run); });
  quote_app->add_option("GPUS", c.run.gpus, "as --gpus");
  add_request_flags(*quote_app, c.run);
  auto* run_app = add(app, c, "run", "rent, run, follow the log, pay by the second",
                      [&c](Session& s) { return run(s, c.run); });
  add_request_flags(*run_app, c.run);
  run_app->add_flag("-d,--detach", c.run.detach, "print the id and return");
  auto* ps_app = add(app, c, "ps", "jobs", [&c](Session& s) { return ps(s, c.ps); });
  ps_app->add_flag("-a,--all", c.ps.all, "ended ones too");
  ps_app->add_option("--limit", c.ps.limit, "at most")->check(CLI::Range(1, 100'000));
  ps_app->add_option("--project", c.ps.project, "of one project");
  ps_app->add_option("--state", c.ps.state, "queued, starting, running, stopping, ended");
  const auto of_job = [&](CLI::App* a) { a->add_option("JOB", c.name, "name or id")->required(); };
  of_job(add(app, c, "show", "one job, everything", [&c](Session& s) { return show(s, c.name); }));
  of_job(add(app, c, "why", "why it waits, and when it should start",
             [&c](Session& s) { return why(s, c.name); }));
  auto* log_app =
      add(app, c, "logs", "a job's output", [&c](Session& s) { return logs(s, c.log); });
  log_app->add_option("JOB", c.log.job, "name or id")->required();
  log_app->add_flag("-f,--follow", c.log.follow, "until the job ends");
  log_app->add_option("--rank", c.log.rank, "one rank's only");
  auto* exec_app = add(app, c, "exec", "a command inside a running job", [&c](Session& s) {
    if (c.tty || c.no_tty) c.exec.tty = c.tty;
    return exec(s, c.exec);
  });
  exec_app->add_option("JOB", c.exec.job, "name or id")->required();
  exec_app->add_option("--rank", c.exec.rank, "in which rank");
  auto* tty = exec_app->add_flag("-t,--tty", c.tty, "with a terminal");
  exec_app->add_flag("-T,--no-tty", c.no_tty, "without one")->excludes(tty);
  exec_app->footer("The command comes after --:  ampacity exec train -- nvidia-smi");
  auto* stop_app = add(app, c, "stop", "end jobs: SIGTERM, grace, SIGKILL",
                       [&c](Session& s) { return stop(s, c.names); });
  stop_app->add_option("JOB", c.names, "names or ids")->required();
}

void add_money_verbs(CLI::App& app, Choice& c) {
  add(app, c, "receipt", "each interval, quantity, price and transfer of a job",
      [&c](Session& s) { return receipt(s, c.name); })
      ->add_option("JOB", c.name, "name or id")
      ->required();
  auto* use = add(app, c, "usage", "what was used, and what it cost",
                  [&c](Session& s) { return usage(s, c.usage); });
  use->add_option("--by", c.usage.by, "project, user, sku or day")
      ->check(CLI::IsMember({"project", "user", "sku", "day"}));
  use->add_option("--from", c.usage.from, "2026-11-01 or an RFC 3339 time");
  use->add_option("--to", c.usage.to, "its end, exclusive");
  auto* credit = add_group(app, "credit", "prepaid credit (operators)");
  auto* more = add(*credit, c, "add", "add to a project's wallet",
                   [&c](Session& s) { return credit_add(s, c.credit); });
  more->add_option("PROJECT", c.credit.project, "its name")->required();
  more->add_option("USD", c.credit.amount, "25.00")->required();
  more->add_option("--note", c.credit.note, "for the books");
  add(app, c, "doctor", "is this cloud sound, and what to do if not (operators)", doctor);
  auto* ledger = add_group(app, "ledger", "the books (operators)");
  add(*ledger, c, "check", "prove them", ledger_check);
  add(*ledger, c, "accounts", "every account's counters", ledger_accounts);
  add(*ledger, c, "heads", "the hash chain at the end of each day", ledger_heads);
  add(*ledger, c, "post", "post transfers from a file of JSON; docs/billing.md",
      [&c](Session& s) { return ledger_post(s, c.name); })
      ->add_option("FILE", c.name, "{\"transfers\": […]}")
      ->required();
}

void add_meter_verbs(CLI::App& app, Choice& c) {
  auto* meter = add_group(app, "meter", "metered usage beside jobs: storage, addresses, tokens");
  add(*meter, c, "send", "send events: one CloudEvent in JSON on each line",
      [&c](Session& s) { return meter_send(s, c.name); })
      ->add_option("FILE", c.name, "of lines; - for standard input")
      ->required();
  auto* events = add(*meter, c, "events", "what was received and counts",
                     [&c](Session& s) { return meter_events(s, c.meter); });
  events->add_option("--org", c.meter.org, "only this org's (operators)");
  events->add_option("--project", c.meter.project, "only this project's");
  events->add_option("--meter", c.meter.meter, "only of this meter");
  events->add_option("--from", c.meter.from, "whose period begins then or later: 2026-11-01");
  events->add_option("--to", c.meter.to, "and before then");
  events->add_option("--limit", c.meter.limit, "how many")->check(CLI::Range(1, 1000));
  events->add_option("--cursor", c.meter.cursor, "where the page before ended");
}

void add_price_verbs(CLI::App& app, Choice& c) {
  auto* prices = add_list(app, c, "prices", "what a GPU-hour costs: on demand, spot, by the term",
                          [&c](Session& s) { return prices_show(s, c.where); });
  prices->add_option("--org", c.where, "with this org's own (operators)");
  auto* history = add(*prices, c, "history", "every book there was, and those to come",
                      [&c](Session& s) { return prices_history(s, c.where); });
  history->add_option("--org", c.where, "with this org's own (operators)");
  auto* diff = add(*prices, c, "diff", "what changes from one book to another",
                   [&c](Session& s) { return prices_diff(s, c.name, c.where); });
  diff->add_option("BEFORE", c.name, "a version, or a file")->required();
  diff->add_option("AFTER", c.where, "a version, or a file")->required();
  add(*prices, c, "validate", "a file's mistakes, gaps and inexact prices; sets nothing",
      [&c](Session& s) { return prices_validate(s, c.name); })
      ->add_option("FILE", c.name, "a price book in YAML")
      ->required();
  auto* set = add(*prices, c, "set", "make a file the price book (operators)",
                  [&c](Session& s) { return prices_set(s, c.name, c.where); });
  set->add_option("FILE", c.name, "a price book in YAML")->required();
  set->add_option("--from", c.where, "2026-12-01T00:00:00Z; default: the file's, else now");
}

void add_fleet_verbs(CLI::App& app, Choice& c) {
  auto* fleet = add_list(app, c, "fleet", "sites and nodes (operators)", fleet_sites);
  add_site_verbs(*fleet, c);
  add(*fleet, c, "nodes", "machines", fleet_nodes);
  add(*fleet, c, "cordon", "no new jobs on a node",
      [&c](Session& s) { return fleet_change(s, c.name, core::NodeState::cordoned); })
      ->add_option("NODE", c.name)
      ->required();
  add(*fleet, c, "return", "jobs on it again",
      [&c](Session& s) { return fleet_change(s, c.name, core::NodeState::active); })
      ->add_option("NODE", c.name)
      ->required();
  auto* volumes = add_group(app, "volumes", "a project's named volumes");
  add(*volumes, c, "ls", "all of them", volumes_list);
  auto* rm = add(*volumes, c, "rm", "remove one and what is in it",
                 [&c](Session& s) { return volumes_remove(s, c.name, c.where); });
  rm->add_option("NAME", c.name)->required();
  rm->add_option("--project", c.where, "whose (owner keys)");
  auto* feed = add(app, c, "events", "what happens, as it happens",
                   [&c](Session& s) { return events(s, c.events); });
  feed->add_flag("-f,--follow", c.events.follow, "go on through cuts");
  feed->add_option("--since", c.events.since, "begin after this sequence number; 0: everything")
      ->check(CLI::TypeValidator<std::uint64_t>("UINT"));
}

void add_admin_verbs(CLI::App& app, Choice& c) {
  auto* orgs = add_group(app, "orgs", "who pays (operators)");
  add(*orgs, c, "ls", "all of them", orgs_list);
  add(*orgs, c, "add", "make an org: who pays", [&c](Session& s) { return orgs_add(s, c.org); })
      ->add_option("NAME", c.org.name, "a-z, 0-9 and -")
      ->required();
  auto* projects = add_group(app, "projects", "what is budgeted");
  add(*projects, c, "ls", "all, with their wallets", projects_list);
  auto* project = add(*projects, c, "add", "make a project: a wallet",
                      [&c](Session& s) { return projects_add(s, c.project); });
  project->add_option("NAME", c.project.name, "a-z, 0-9 and -")->required();
  project->add_option("--org", c.project.org, "whose; `ampacity orgs ls`")->required();
  auto* users = add_group(app, "users", "people (operators)");
  add(*users, c, "ls", "all of them", users_list);
  auto* user =
      add(*users, c, "add", "make a user", [&c](Session& s) { return users_add(s, c.user); });
  user->add_option("NAME", c.user.name, "a-z, 0-9 and -")->required();
  user->add_option("--org", c.user.org, "whose; `ampacity orgs ls`")->required();
  auto* keys = add_group(app, "keys", "what calls (operators)");
  add(*keys, c, "ls", "all, without their secrets", keys_list);
  auto* key = add(*keys, c, "add", "make one; its secret is shown once", [&c](Session& s) {
    c.key.role = base::parse_enum<core::Role>(c.role);
    return keys_add(s, c.key);
  });
  key->add_option("--role", c.role, "default: customer")
      ->check(CLI::IsMember({"customer", "owner"}));
  key->add_option("--project", c.key.project, "whose wallet (customers)");
  key->add_option("--user", c.key.user, "who uses it (customers)");
  key->add_option("--label", c.key.label, "a note, such as laptop");
  add(*keys, c, "rm", "revoke one", [&c](Session& s) { return keys_remove(s, c.name); })
      ->add_option("KEY", c.name, "its id")
      ->required();
}

void add_stretch(CLI::App& app, std::optional<std::string>& from, std::optional<std::string>& until,
                 std::optional<std::string>& duration) {
  app.add_option("--from", from, "now, +2h, or an RFC 3339 time; default: now");
  auto* end = app.add_option("--until", until, "+6h, or an RFC 3339 time");
  app.add_option("--for", duration, "how long: 4h, 7d")->excludes(end);
}

void add_where_kept(CLI::App& app, Choice& c) {
  take_each(app.add_option_function<std::vector<std::string>>(
      "--site", [&c](const auto& names) { c.reservation.sites = names; },
      "a site or region; may be repeated: at one of them"));
  app.add_flag_callback(
      "--across-sites", [&c] { c.reservation.across_sites = true; },
      "it may lie at several sites at once");
}

void add_window_verbs(CLI::App& app, Choice& c) {
  auto* keep = add(app, c, "reserve", "keep GPUs for a time",
                   [&c](Session& s) { return reserve(s, c.reservation); });
  keep->add_option("GPUS", c.reservation.gpus, "one kind and how many in all: h100:64")->required();
  add_stretch(*keep, c.reservation.from, c.reservation.until, c.reservation.duration);
  add_where_kept(*keep, c);
  keep->add_option("--name", c.reservation.name, "a name of your own");
  keep->add_flag_callback(
      "--release-unused", [&c] { c.reservation.release_unused = true; },
      "give back, at each full hour, what no job of it uses");
  keep->add_option("--project", c.reservation.project, "whose (owner keys)");
  auto* kept = add_list(app, c, "reservations", "what is reserved, and from when",
                        [&c](Session& s) { return reservations_list(s, c.where); });
  kept->add_option("--project", c.where, "of one project (owner keys)");
  add(*kept, c, "ls", "all of them", [&c](Session& s) { return reservations_list(s, c.where); });
  auto* rm = add(*kept, c, "rm", "give one up; what runs in it is stopped",
                 [&c](Session& s) { return reservations_remove(s, c.name, c.where); });
  rm->add_option("RESERVATION", c.name, "name or id")->required();
  rm->add_option("--project", c.where, "whose (owner keys)");
  auto* free = add(*kept, c, "free", "what could be reserved, over time",
                   [&c](Session& s) { return reservations_free(s, c.reservation); });
  free->add_option("KIND", c.reservation.gpus, "of one kind: h100");
  add_stretch(*free, c.reservation.from, c.reservation.until, c.reservation.duration);
  add_where_kept(*free, c);
  add(app, c, "checkpoint", "say that a running job's work is saved",
      [&c](Session& s) { return checkpoint(s, c.name); })
      ->add_option("JOB", c.name, "name or id")
      ->required();

  auto* fleet = app.get_subcommand("fleet");
  const auto of_nodes = [&c](CLI::App* verb) {
    verb->add_option("NODE", c.maintenance.nodes, "one or more")->required();
    verb->add_option("--name", c.maintenance.name, "a name of your own");
    return verb;
  };
  auto* drain = of_nodes(add(*fleet, c, "drain", "no work on nodes until further notice",
                             [&c](Session& s) { return fleet_drain(s, c.maintenance); }));
  drain->add_option("--from", c.maintenance.from, "now, +2h, or an RFC 3339 time; default: now");
  auto* mend = of_nodes(add(*fleet, c, "maintain", "no work on nodes for a time",
                            [&c](Session& s) { return fleet_maintain(s, c.maintenance); }));
  add_stretch(*mend, c.maintenance.from, c.maintenance.until, c.maintenance.duration);
  add(*fleet, c, "windows", "drains and maintenance", fleet_windows);
  add(*fleet, c, "undrain", "end drains and maintenance of nodes",
      [&c](Session& s) { return fleet_undrain(s, c.names); })
      ->add_option("NODE", c.names, "a node, or a window's id")
      ->required();
}

void add_policy_verbs(CLI::App& app, Choice& c) {
  auto* quotas = add_group(app, "quotas", "what a project or org may use");
  auto* show = add(*quotas, c, "show", "limits, and what is used of them",
                   [&c](Session& s) { return quotas_show(s, c.quota.name, c.quota.of_org); });
  show->add_option("PROJECT", c.quota.name, "default: your own");
  show->add_flag("--org", c.quota.of_org, "the name is an org's (operators)");
  auto* set = add(*quotas, c, "set", "set all limits; what is left out is unlimited (operators)",
                  [&c](Session& s) { return quotas_set(s, c.quota); });
  set->add_option("PROJECT", c.quota.name, "its name")->required();
  set->add_flag("--org", c.quota.of_org, "the name is an org's");
  take_each(set->add_option("--gpus", c.quota.gpus, "at once: 16, or h100=8; may be repeated"));
  set->add_option("--gpu-hours", c.quota.gpu_hours, "in one window");
  set->add_option("--spend", c.quota.spend, "money in one window");
  set->add_option("--window", c.quota.window, "of hours and dollars: 30d");
  auto* clear = add(*quotas, c, "clear", "no limits (operators)", [&c](Session& s) {
    c.quota.clear = true;
    return quotas_set(s, c.quota);
  });
  clear->add_option("PROJECT", c.quota.name, "its name")->required();
  clear->add_flag("--org", c.quota.of_org, "the name is an org's");

  auto* share = add(app, c, "weight", "a project's weight in the queue (operators)",
                    [&c](Session& s) { return weight(s, c.name, c.weight); });
  share->add_option("PROJECT", c.name, "its name")->required();
  share->add_option("WEIGHT", c.weight, "100 is usual; 200 may use twice what 100 may");

  const auto as_it_is = [](Session& s) { return policy(s, std::nullopt); };
  auto* rules = add_list(app, c, "policy", "how the queue is ordered (operators)", as_it_is);
  add(*rules, c, "show", "as it is", as_it_is);
  auto* edit = add(*rules, c, "set", "change it; what is left out stays", [&c](Session& s) {
    c.policy.order = base::parse_enum<core::Order>(c.order);
    return policy(s, c.policy);
  });
  edit->add_option("--order", c.order, "fair or fifo")->check(CLI::IsMember({"fair", "fifo"}));
  edit->add_option("--promises", c.policy.promises_per_class, "binding starts in each class");
  edit->add_option("--spot-promises", c.policy.spot_promises, "the same, of spot and of house");
  edit->add_option("--half-life", c.policy.half_life, "of a project's past use: 7d");
  edit->add_option("--quantum", c.policy.quantum, "of credit held ahead: 10m");
  edit->add_option("--spot-grace", c.policy.spot_grace, "notice before spot is killed: 30s");
  edit->add_option("--house-grace", c.policy.house_grace, "notice before house is killed: 5s");
  edit->add_option("--restart-cost", c.policy.restart_cost, "what a preemption costs its victim");
  edit->add_option("--site-unknown", c.policy.site_unknown, "not heard of for so long: 30s");
  edit->add_option("--site-lease", c.policy.site_lease,
                   "so long after a site was last seen its work may have ended: 2m");
  edit->add_option("--site-grace", c.policy.site_grace,
                   "and so long after that what may move is given up there: 1m");
}

void list_verbs(const CLI::App& app, const std::string& path, std::vector<VerbWords>& out) {
  VerbWords verb{path, app.get_description(), {}};
  for (const auto* option : app.get_options()) {
    for (const auto& name : option->get_lnames()) verb.flags.push_back("--" + name);
    for (const auto& name : option->get_snames()) verb.flags.push_back("-" + name);
  }
  out.push_back(std::move(verb));
  for (const auto* sub : app.get_subcommands([](const CLI::App*) { return true; }))
    list_verbs(*sub, path.empty() ? sub->get_name() : path + " " + sub->get_name(), out);
}

void add_own_verbs(CLI::App& app, Choice& c) {
  auto* login_app =
      add(app, c, "login", "sign in with a key", [&c](Session& s) { return login(s, c.login); });
  login_app->add_option("--url", c.login.url,
                        fmt::format("the server, or several of one cloud: https://a:7878,https://b:"
                                    "7878; default {}",
                                    default_url));
  login_app->add_option("--key", c.login.key, "amp_…, or - to read it from standard input");
  login_app->add_option("--pin", c.login.pin,
                        "the server's public key, as its operator told it: sha256//…");
  login_app->add_option("--ca-file", c.login.ca_file, "who may vouch for the server (PEM)");
  login_app->add_option("--client-cert", c.login.client_cert,
                        "shown to a server that asks for one (mutual TLS, PEM)");
  login_app->add_option("--client-key", c.login.client_key, "its private key (PEM)");
  add(app, c, "whoami", "which key, project and cloud", whoami);
  auto* completion = app.add_subcommand("completion", "completion for a shell");
  completion->add_option("SHELL", c.shell, "bash, zsh or fish")
      ->required()
      ->check(CLI::IsMember({"bash", "zsh", "fish"}));
  completion->callback([&] {
    c.verb = [&](Session& s) {
      std::vector<VerbWords> verbs;
      list_verbs(app, "", verbs);
      s.terminal.out << completion_script(c.shell, verbs).value_or("") << std::flush;
      return 0;
    };
  });
  // Only for --help and completion: run_program() hands its words over unread.
  for (const Beside& other : all_beside())
    app.add_subcommand(std::string(other.verb), std::string(other.what));
  add(app, c, "version", "of this program", print_version);
}

// What stands after `--` is the job's, whatever it looks like: CLI11 never sees it.
std::vector<std::string> cut_command(std::vector<std::string>& args) {
  const auto dashes = std::find(args.begin(), args.end(), "--");
  if (dashes == args.end()) return {};
  std::vector<std::string> command(dashes + 1, args.end());
  args.erase(dashes, args.end());
  return command;
}

// CLI11's messages end in advice about --help; the exit code and the tone are ours.
int report_usage(const CLI::App& app, const CLI::ParseError& e, Terminal& terminal) {
  if (e.get_exit_code() == 0) {  // --help
    terminal.out << app.help() << std::flush;
    return 0;
  }
  std::string verb;
  const CLI::App* deepest = &app;
  for (auto chosen = app.get_subcommands(); !chosen.empty(); chosen = deepest->get_subcommands()) {
    deepest = chosen.front();
    verb += " " + deepest->get_name();
  }
  std::string choices;  // of a group such as `orgs`
  if (deepest != &app)
    for (const auto* sub : deepest->get_subcommands([](const CLI::App*) { return true; }))
      choices += (choices.empty() ? " " : " | ") + sub->get_name();
  terminal.err << paint("error:", Tone::bad, terminal.colour_err) << " " << printable(e.what())
               << "\n  hint: ampacity" << verb << (choices.empty() ? " --help" : choices);
  if (verb == " run" || verb == " quote" || verb == " exec")
    terminal.err << "; the command comes after --";
  terminal.err << "\n" << std::flush;
  return exit_refused;
}

}  // namespace

int run_program(std::vector<std::string> args, Terminal& terminal) {
  if (const Beside* other = args.empty() ? nullptr : beside(args.front()))
    return become(path_beside(other->program), *other, {args.begin() + 1, args.end()}, terminal);
  Choice choice;
  CLI::App app("Rent GPUs by the second.", "ampacity");
  app.require_subcommand(0, 1);
  app.add_flag("--json", choice.json, "print the API's answer");
  add_job_verbs(app, choice);
  add_money_verbs(app, choice);
  add_meter_verbs(app, choice);
  add_price_verbs(app, choice);
  add_fleet_verbs(app, choice);
  add_admin_verbs(app, choice);
  add_window_verbs(app, choice);
  add_policy_verbs(app, choice);
  add_billing_verbs(app, choice);
  add_hook_verbs(app, choice);
  add_own_verbs(app, choice);
  choice.run.command = choice.exec.command = cut_command(args);
  const bool has_command = !choice.run.command.empty();
  try {
    std::reverse(args.begin(), args.end());  // as CLI11 wants a vector
    app.parse(std::move(args));
  } catch (const CLI::ParseError& e) {
    return report_usage(app, e, terminal);
  }
  const auto verbs = app.get_subcommands();
  const std::string verb = verbs.empty() ? "" : verbs.front()->get_name();
  Failure misuse{exit_refused, ""};
  if (has_command && verb != "run" && verb != "exec" && verb != "quote")
    misuse.text = fmt::format("`{}` takes no command after --", verb);
  if (!has_command && verb == "exec")
    misuse.text = "a command is needed: ampacity exec " + choice.exec.job + " -- sh";
  auto config = load_config(terminal);
  Session session(terminal, config ? *config : Config{}, choice.json);
  if (!misuse.text.empty()) return session.report(misuse);
  const bool local = verb == "completion" || verb == "version" || verb == "login";
  if (!config && !local) return session.report(config.error());
  if (session.config.key.empty() && !local && !verb.empty())
    return session.report({exit_not_allowed,
                           "you are not signed in\n  hint: ampacity login --url "
                           "URL --key KEY"});
  return choice.verb ? choice.verb(session) : welcome(session);
}

}  // namespace ampacity::cli
