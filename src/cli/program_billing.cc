// The words of the verbs about billing.
#include "cli/choice.h"

namespace ampacity::cli {
namespace {

void add_party(CLI::App& app, api::PartyChange& p) {
  app.add_option("--name", p.name, "legal name");
  app.add_option("--street", p.street);
  app.add_option("--city", p.city);
  app.add_option("--postal-code", p.postal_code);
  app.add_option("--country", p.country, "two letters: US, DE, TW");
  app.add_option("--tax-id", p.tax_id, "VAT or tax number");
  app.add_option("--email", p.email);
}

void add_parties(CLI::App& app, Choice& c) {
  auto* billing = add_group(app, "billing", "who bills, who is billed");
  auto* issuer = add(*billing, c, "issuer", "show or change who issues invoices (operators)",
                     [&c](Session& s) { return billing_issuer(s, c.party); });
  add_party(*issuer, c.party);
  issuer->add_option("--bank", c.party.bank, "where to pay: IBAN, BIC, bank");
  auto* org = add(*billing, c, "org", "show or change how an org is billed", [&c](Session& s) {
    if (base::to_json(c.party) != base::to_json(api::PartyChange{})) c.billing.party = c.party;
    return billing_org(s, c.name, c.billing);
  });
  org->add_option("ORG", c.name, "its name")->required();
  add_party(*org, c.party);
  org->add_option("--currency", c.billing.currency, "ISO 4217; before it has projects");
  org->add_option("--tax", c.billing.tax_percent, "percent: 19");
  org->add_option("--tax-category", c.billing.tax_category,
                  "S standard, Z zero, E exempt, AE reverse charge, O none");
  org->add_option("--tax-note", c.billing.tax_note, "why nothing is taxed");
  org->add_option("--net-days", c.billing.net_days, "to pay in");
  auto* line = add(*billing, c, "line", "a fee or a credit on an org's next invoice (operators)",
                   [&c](Session& s) { return billing_line(s, c.name, c.line); });
  line->add_option("ORG", c.name, "its name")->required();
  line->add_option("AMOUNT", c.line.amount, "250.00; a credit is negative")->required();
  line->add_option("WHAT", c.line.description, "what it is for")->required();
  line->add_option("--project", c.line.project, "whose it is");
  auto* credit = app.get_subcommand("credit");
  auto* more = add(*credit, c, "line", "what a project may use before it is paid (operators)",
                   [&c](Session& s) { return credit_line(s, c.name, c.amount); });
  more->add_option("PROJECT", c.name, "its name")->required();
  more->add_option("AMOUNT", c.amount, "10000.00; 0 takes it back")->required();
}

// "6=50000" in two.
std::vector<std::pair<std::string, std::string>> pairs_of(const char* option,
                                                          const std::vector<std::string>& steps) {
  std::vector<std::pair<std::string, std::string>> pairs;
  for (const std::string& step : steps) {
    const auto equals = step.find('=');
    if (equals == std::string::npos)
      throw CLI::ValidationError(option, "'" + step + "' has no '=' in it");
    pairs.emplace_back(step.substr(0, equals), step.substr(equals + 1));
  }
  return pairs;
}

std::string is_step(const std::string& step) {
  const auto digits = step.find_first_not_of("0123456789");
  const bool good = digits != 0 && digits != std::string::npos && digits < 4 && step[digits] == '=';
  return good ? "" : "'" + step + "' is no MONTH=AMOUNT such as 6=50000";
}

void add_contracts(CLI::App& app, Choice& c) {
  const auto all = [&c](Session& s) { return contracts_list(s, c.where); };
  auto* contracts = add_list(app, c, "contracts", "commitments, and how far they are used up", all);
  contracts->add_option("--org", c.where, "of one org (operators)");
  add(*contracts, c, "ls", "all of them", all);
  auto* sign = add(*contracts, c, "sign", "a new one (operators)",
                   [&c](Session& s) { return contracts_sign(s, c.contract); });
  sign->add_option("ORG", c.contract.org, "whose")->required();
  sign->add_option("NAME", c.contract.name, "a name of its own")->required();
  sign->add_option("--from", c.contract.from, "its first month: 2026-12")->required();
  sign->add_option("--months", c.contract.months, "its term; default 12");
  sign->add_option("--spend", c.contract.spend, "committed a month: 50000");
  sign->add_option("--gpu-hours", c.contract.gpu_hours, "committed a month, of --sku: 5840");
  sign->add_option_function<std::vector<std::string>>(
          "--ramp",
          [&c](const std::vector<std::string>& steps) {
            c.contract.ramp.emplace();
            for (const auto& [month, amount] : pairs_of("--ramp", steps))
              c.contract.ramp->push_back({static_cast<std::uint32_t>(std::stoul(month)), amount});
          },
          "instead, where it changes: 0=20000 6=50000 (from the contract's month 0, and 6, on)")
      ->check(CLI::Validator(is_step, "MONTH=AMOUNT"));
  sign->add_option("--sku", c.contract.sku, "of the GPU-hours");
  sign->add_option("--price", c.contract.price, "of a committed GPU-hour: 4.20");
  sign->add_option("--overage-price", c.contract.overage_price, "of one beyond; default: list");
  sign->add_option("--prepaid", c.contract.prepaid, "paid at signing, drawn down");
  sign->add_flag_callback(
      "--at-term", [&c] { c.contract.take_or_pay = false; },
      "a shortfall is billed at the end of the term, not each month");
  sign->add_flag_callback(
      "--renews", [&c] { c.contract.renews = true; }, "for another term, until it is ended");
  sign->add_option_function<std::vector<std::string>>(
      "--reservation", [&c](const std::vector<std::string>& ids) { c.contract.reservations = ids; },
      "a reservation's id that serves it; may be repeated");
  sign->add_option_function<std::vector<std::string>>(
      "--sla",
      [&c](const std::vector<std::string>& steps) {
        c.contract.sla.emplace();
        for (const auto& [below, credit] : pairs_of("--sla", steps))
          c.contract.sla->push_back({below, credit});
      },
      "uptime below, credit, in percent: 99.9=10 99=25 95=50; default: 99=10 95=25 90=50");
  add(*contracts, c, "show", "one: its ramp, its SLA, how far it is used up",
      [&c](Session& s) { return contracts_show(s, c.name); })
      ->add_option("CONTRACT", c.name, "name or id")
      ->required();
  add(*contracts, c, "end", "do not renew; after its term, end it with this month (operators)",
      [&c](Session& s) { return contracts_end(s, c.name); })
      ->add_option("CONTRACT", c.name, "name or id")
      ->required();
}

void add_period(CLI::App* app, Choice& c, bool required) {
  auto* org = app->add_option("ORG", c.issue.org, "whose");
  if (required) org->required();
  app->add_option("--month", c.issue.month, "2026-11; default: the one before this");
  app->add_option("--until", c.issue.until, "an interim one: now, or an RFC 3339 time");
}

void add_invoices(CLI::App& app, Choice& c) {
  const auto all = [&c](Session& s) {
    return invoices_list(s, c.where, c.page_limit, c.page_cursor);
  };
  auto* invoices = add_list(app, c, "invoices", "invoices and credit notes", all);
  for (auto* list : {invoices, add(*invoices, c, "ls", "the newest first", all)}) {
    list->add_option("--org", c.where, "of one org (operators)");
    list->add_option("--limit", c.page_limit, "how many")->check(CLI::Range(1, 1000));
    list->add_option("--cursor", c.page_cursor, "where the page before ended");
  }
  add_period(add(*invoices, c, "draft", "what an invoice would ask for now",
                 [&c](Session& s) { return invoices_draft(s, c.issue); }),
             c, false);
  add_period(add(*invoices, c, "issue", "issue an org's invoice (operators)",
                 [&c](Session& s) { return invoices_issue(s, c.issue); }),
             c, true);
  const auto number = [&c](CLI::App* verb) {
    verb->add_option("NUMBER", c.name, "2026-000001")->required();
    return verb;
  };
  number(add(*invoices, c, "show", "one, with its lines",
             [&c](Session& s) { return invoices_show(s, c.name); }));
  auto* get = number(add(*invoices, c, "get", "one as a file", [&c](Session& s) {
    return invoices_get(s, c.name, c.files.format, c.files.file);
  }));
  get->add_option("--format", c.files.format, "pdf, ubl or csv")
      ->check(CLI::IsMember({"pdf", "ubl", "csv"}));
  get->add_option("-o,--output", c.files.file, "where to; default: standard output");
  auto* undo = number(add(*invoices, c, "void", "take one back: a credit note (operators)",
                          [&c](Session& s) { return invoices_void(s, c.name, c.why); }));
  undo->add_option("--why", c.why, "for the books")->required();
  auto* pay = number(add(*invoices, c, "pay", "record a payment (operators)",
                         [&c](Session& s) { return invoices_pay(s, c.name, c.payment); }));
  pay->add_option("AMOUNT", c.payment.amount, "default: all that is open");
  pay->add_option("--reference", c.payment.reference, "the bank's");
}

CLI::App* add_export(CLI::App& app, Choice& c, const std::string& name, const std::string& what,
                     const std::string& path) {
  auto* verb = add(app, c, name, what, [&c, path](Session& s) {
    c.files.what = path;
    return export_file(s, c.files);
  });
  verb->add_option("-o,--output", c.files.file, "where to; default: standard output");
  return verb;
}

void add_exports(CLI::App& app, Choice& c) {
  auto* focus = add_export(app, c, "focus", "a month's costs as FOCUS 1.2", "exports/focus");
  focus->add_option("--month", c.files.month, "2026-11")->required();
  focus->add_option("--org", c.files.org, "only this org's (operators)");
  auto* rows = add_export(app, c, "usage-csv", "a month's usage, a row for each part of a lease",
                          "exports/usage");
  rows->add_option("--month", c.files.month, "2026-11")->required();
  rows->add_option("--org", c.files.org, "only this org's (operators)");
  add_export(app, c, "journal", "the ledger as an hledger journal (operators)", "exports/journal");
  add_export(app, c, "trial-balance", "every account's sums (operators)", "exports/trial-balance")
      ->add_option("--format", c.files.format, "table or csv")
      ->check(CLI::IsMember({"table", "csv"}));
  auto* log = add_export(app, c, "event-log", "who did what, all of it, as CSV (operators)",
                         "exports/events");
  log->add_option("--kind", c.files.kind, "only kinds that begin with this: job, lease_granted");
  log->add_option("--actor", c.files.actor, "only whose actor begins with this: key-, engine");
  log->add_option("--project", c.files.project, "only of this project's jobs");
  log->add_option("--job", c.files.job, "only of this job, by id");
  log->add_option("--text", c.files.text, "only whose text contains this");
  log->add_option("--cursor", c.files.cursor, "where a file that was cut off goes on");
  auto* statement = add_export(app, c, "statement", "an org's statement of account", "statement");
  statement->add_option("ORG", c.files.org, "whose (operators)");
  statement->add_option("--from", c.files.from, "a day");
  statement->add_option("--until", c.files.until, "a day, not in it");
  statement->add_option("--format", c.files.format, "csv or pdf")
      ->check(CLI::IsMember({"csv", "pdf"}));
}

}  // namespace

void add_billing_verbs(CLI::App& app, Choice& c) {
  add_parties(app, c);
  add_contracts(app, c);
  add_invoices(app, c);
  add_exports(app, c);
  add(app, c, "audit", "work a month out again from the facts, and compare (operators)",
      [&c](Session& s) { return audit(s, c.name); })
      ->add_option("--month", c.name, "2026-11")
      ->required();
  add(app, c, "close", "invoice a month, prove it, close it (operators)",
      [&c](Session& s) { return close_month(s, c.name); })
      ->add_option("--month", c.name, "2026-11")
      ->required();
}

}  // namespace ampacity::cli
