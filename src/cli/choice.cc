#include "cli/choice.h"

#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

namespace ampacity::cli {

// CLI11 hides fields of every bad word behind one message; ours adds where to look.
CLI::App* add(CLI::App& to, Choice& c, const std::string& name, const std::string& what,
              Verb verb) {
  auto* app = to.add_subcommand(name, what);
  app->add_flag("--json", c.json, "print the API's answer");
  app->callback([&c, verb = std::move(verb)] { c.verb = verb; });
  return app;
}

CLI::App* add_group(CLI::App& to, const std::string& name, const std::string& what) {
  auto* app = to.add_subcommand(name, what);
  app->require_subcommand(1);
  return app;
}

void take_each(CLI::Option* option) { option->allow_extra_args(false); }

// A group that does something by itself, too. CLI11 calls it after the word under it as well.
CLI::App* add_list(CLI::App& to, Choice& c, const std::string& name, const std::string& what,
                   Verb verb) {
  auto* group = to.add_subcommand(name, what);
  group->require_subcommand(0, 1);
  group->add_flag("--json", c.json, "print the API's answer");
  group->callback([&c, group, verb = std::move(verb)] {
    if (group->get_subcommands().empty()) c.verb = verb;
  });
  return group;
}

}  // namespace ampacity::cli
