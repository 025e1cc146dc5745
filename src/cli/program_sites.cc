// How `fleet site …` is declared.
#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include "cli/choice.h"

namespace ampacity::cli {

void add_site_verbs(CLI::App& fleet, Choice& c) {
  add(fleet, c, "sites", "data centres, and whether they can be reached", fleet_sites);
  auto* site = add_list(fleet, c, "site", "a data centre with an engine of its own", fleet_sites);
  add(*site, c, "ls", "all of them", fleet_sites);
  add(*site, c, "show", "one, everything", [&c](Session& s) { return site_show(s, c.name); })
      ->add_option("SITE", c.name, "its name")
      ->required();
  auto* more = add(*site, c, "add", "add one", [&c](Session& s) { return site_add(s, c.site); });
  more->add_option("SITE", c.site.name, "a name for it: iad-1")->required();
  more->add_option("--engine", c.site.engine, "slurm, emulated")->required();
  more->add_option("--url", c.site.url,
                   "where it answers: unix:/run/slurmrestd.socket, https://…, emulated:h100:8x4")
      ->required();
  more->add_option("--region", c.site.region, "default: its name");
  more->add_option("--power", c.site.power_usd_per_kwh, "USD for a kWh: 0.07");
  more->add_option("--pue", c.site.pue, "kWh bought for each that machines use: 1.25");
  more->add_option("--token-file", c.site.token_file, "on ampacityd's machine; read there");
  more->add_option("--token-env", c.site.token_env, "or the variable of ampacityd that holds it");
  take_each(more->add_option("-o,--option", c.site.options,
                             "NAME=VALUE, of its engine (docs/sites.md); may be repeated"));
  auto* set = add(*site, c, "set", "change one; what is left out stays", [&c](Session& s) {
    if (!c.order.empty()) c.site_change.state = base::parse_enum<core::SiteState>(c.order);
    return site_set(s, c.name, c.site_change);
  });
  set->add_option("SITE", c.name, "its name")->required();
  set->add_option("--url", c.site_change.url, "where its engine answers");
  set->add_option("--region", c.site_change.region, "its region");
  set->add_option("--power", c.site_change.power_usd_per_kwh, "USD for a kWh: 0.07");
  set->add_option("--pue", c.site_change.pue, "1.25");
  set->add_option("--token-file", c.site_change.token_file, "on ampacityd's machine; '' for none");
  set->add_option("--token-env", c.site_change.token_env, "or a variable of ampacityd");
  take_each(set->add_option("-o,--option", c.site_change.options, "all of them anew: NAME=VALUE"));
  set->add_option("--state", c.order, "active, draining (nothing new), closed (empty, let go)")
      ->check(CLI::IsMember({"active", "draining", "closed"}));
  add(*site, c, "rm", "remove one that is empty",
      [&c](Session& s) { return site_remove(s, c.name); })
      ->add_option("SITE", c.name, "its name")
      ->required();
}

}  // namespace ampacity::cli
