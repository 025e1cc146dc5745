// The configuration file: YAML whose keys are the options' names.
#include <fmt/core.h>

#include <CLI/Error.hpp>
#include <boost/json/value.hpp>
#include <fstream>
#include <iterator>

#include "api/yaml_tree.h"
#include "server/options.h"

namespace ampacity::server {
namespace {

constexpr api::YamlBounds bounds{256 << 10, 10'000, 4};

struct Place {
  const std::filesystem::path& file;
  int line = 0;
  std::string say(const std::string& what) const {
    return line > 0 ? fmt::format("{}:{}: {}", file.string(), line, what)
                    : fmt::format("{}: {}", file.string(), what);
  }
};

// Few changed letters: a slip of the fingers.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j < row.size(); ++j) row[j] = j;
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i + 1);
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t change = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({change, row[j] + 1, row[j + 1] + 1});
    }
  }
  return row.back();
}

std::string unknown(const CLI::App& app, std::string key) {
  std::string nearest;
  std::size_t least = 4;
  for (char& c : key)
    if (c == '_') c = '-';
  for (const CLI::Option* o : app.get_options())
    if (!o->get_lnames().empty() && o->get_configurable())
      if (const auto d = distance(key, o->get_lnames()[0]); d < least) {
        least = d;
        nearest = o->get_lnames()[0];
      }
  return "there is no such option" + (nearest.empty() ? "" : "; is `" + nearest + "` meant?");
}

// The written values of one key; nullopt: not a value or a list of values.
std::optional<std::vector<std::string>> values_of(const boost::json::value& v) {
  if (v.is_string()) return std::vector{std::string(v.get_string())};
  if (!v.is_array()) return std::nullopt;
  std::vector<std::string> out;
  for (const auto& item : v.get_array()) {
    if (!item.is_string()) return std::nullopt;
    out.emplace_back(item.get_string());
  }
  return out;
}

// What is wrong with it, or nothing.
std::string take(CLI::App& app, const std::string& key, const boost::json::value& v) {
  CLI::Option* option = app.get_option_no_throw("--" + key);
  if (option == nullptr || !option->get_configurable() || key == "help") return unknown(app, key);
  const auto values = values_of(v);
  if (v.is_null()) return "has no value; leave the line out, or put # before it";
  if (!values) return "must be a value or a list of values";
  const bool flag = option->get_expected_max() == 0;
  const bool many = option->get_expected_max() > 1;
  if (v.is_array() && !many) return "takes one value, not a list";
  if (flag && values->at(0) != "true" && values->at(0) != "false")
    return "must be true or false, not " + values->at(0);
  for (const std::string& value : *values)
    if (holds_secret(value)) return "holds a secret; secrets come from files or the environment";
  if (option->count() > 0 || values->empty()) return {};  // the command line goes before
  try {
    for (const std::string& value : *values) option->add_result(value);
    option->run_callback();
  } catch (const CLI::ParseError& e) {
    std::string why = e.what();
    if (const auto at = why.find("--" + key + ": "); at == 0) why.erase(0, key.size() + 4);
    option->clear();
    return why;
  }
  return {};
}

}  // namespace

std::vector<std::string> take_file(CLI::App& app, const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  const std::string text((std::istreambuf_iterator<char>(in)), {});
  if (!in) return {Place{file}.say("cannot be read")};
  auto tree = api::parse_yaml(text, bounds);
  if (!tree) return {Place{file}.say(tree.error().message)};
  if (tree->root.is_null()) return {};
  if (!tree->root.is_object()) return {Place{file}.say("must be lines of `name: value`")};
  std::vector<std::string> wrong;
  for (const auto& [key, value] : tree->root.get_object()) {
    const auto line = tree->lines.find(std::string(key));
    const Place place{file, line == tree->lines.end() ? 0 : line->second};
    if (const std::string why = take(app, std::string(key), value); !why.empty())
      wrong.push_back(place.say(fmt::format("{}: {}", std::string_view(key), why)));
  }
  return wrong;
}

}  // namespace ampacity::server
