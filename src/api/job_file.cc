#include "api/job_file.h"

#include <fmt/core.h>

#include <boost/json/value.hpp>
#include <charconv>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "api/yaml_tree.h"
#include "base/json.h"

namespace ampacity::api {
namespace {

using base::Wrong;
using boost::json::object;
using boost::json::value;

std::string text_of(const value& v) {
  return v.is_string() ? std::string(v.get_string()) : std::string();
}

std::optional<std::int64_t> whole_number(const value& v) {
  const std::string s = text_of(v);
  std::int64_t n = 0;
  const auto [end, error] = std::from_chars(s.data(), s.data() + s.size(), n);
  if (s.empty() || error != std::errc{} || end != s.data() + s.size()) return std::nullopt;
  return n;
}

std::optional<bool> truth(const value& v) {
  const std::string s = text_of(v);
  if (s == "true" || s == "True" || s == "TRUE") return true;
  if (s == "false" || s == "False" || s == "FALSE") return false;
  return std::nullopt;
}

std::string lower(std::string s) {
  for (char& c : s)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  return s;
}

// Rewrites other people's spellings into JobRequest's, remembering where each field came from.
class Translation {
 public:
  explicit Translation(YamlTree tree) : tree_(std::move(tree)) {}

  std::vector<Wrong> wrong;

  base::Result<JobRequest> finish() {
    translate();
    JobRequest request;
    base::JsonReader reader;
    reader.read(tree_.root, request, "");
    for (auto& w : reader.wrong) wrong.push_back(std::move(w));
    if (wrong.empty()) return request;
    for (auto& w : wrong) {
      w.field = written(w.field);
      w.message += hint(w) + line(w.field);
    }
    return std::unexpected(base::refusal_of(std::move(wrong)));
  }

 private:
  object& root() { return tree_.root.get_object(); }

  void translate() {
    if (const auto type = take("type"); type && *type != "task")
      wrong.push_back({"type", "only `task` is known here"});
    move("class", "job_class");
    move("envs", "env");
    move("max_duration", "time");
    translate_command();
    translate_resources();
    translate_nodes();
    translate_env();
    if (auto* v = root().if_contains("job_class"); v && v->is_string())
      for (char& c : v->get_string())
        if (c == '-') c = '_';
    if (auto* v = root().if_contains("retries"))
      if (const auto n = whole_number(*v)) *v = *n;
    if (auto* v = root().if_contains("read_only_root"))
      if (const auto t = truth(*v)) *v = *t;
  }

  std::optional<value> take(std::string_view key) { return take(root(), key); }
  static std::optional<value> take(object& from, std::string_view key) {
    auto* v = from.if_contains(key);
    if (!v) return std::nullopt;
    value taken = std::move(*v);
    from.erase(key);
    return taken;
  }

  // `from` means `to`; both at once would hide one of them.
  void move(const std::string& from, const std::string& to) {
    auto v = take(from);
    if (v) set(root(), "", from, to, std::move(*v));
  }

  void set(object& in, const std::string& prefix, const std::string& from, const std::string& to,
           value v) {
    if (in.contains(to)) {
      wrong.push_back(
          {prefix + from, fmt::format("says the same as `{}`; give one", written(prefix + to))});
      return;
    }
    in[to] = std::move(v);
    source_.insert_or_assign(prefix + to, prefix + from);
  }

  // Our path as it was written: `job_class` -> `class`, `env.A` -> `envs.A`.
  std::string written(const std::string& path) const {
    for (const auto& [ours, theirs] : source_)
      if (path == ours || path.starts_with(ours + ".") || path.starts_with(ours + "["))
        return theirs + path.substr(ours.size());
    return path;
  }

  void translate_command() {
    if (auto run = take("run")) {
      if (run->is_string())
        set(root(), "", "run", "command", {"sh", "-c", run->get_string()});
      else
        wrong.push_back({"run", "must be text: what a shell runs"});
    }
    auto commands = take("commands");
    if (!commands) return;
    std::string joined;
    bool texts = commands->is_array() && !commands->get_array().empty();
    if (texts)
      for (const auto& c : commands->get_array()) {
        texts = texts && c.is_string();
        joined += (joined.empty() ? "" : " && ") + text_of(c);
      }
    if (texts)
      set(root(), "", "commands", "command", {"sh", "-c", joined});
    else
      wrong.push_back({"commands", "must be a list of texts: what a shell runs, one by one"});
  }

  void translate_resources() {
    auto* v = root().if_contains("resources");
    if (!v || !v->is_object()) return;
    object& resources = v->get_object();
    const std::string prefix = "resources.";
    if (auto spot = take(resources, "use_spot")) {
      const auto yes = truth(*spot);
      if (!yes) wrong.push_back({prefix + "use_spot", "must be true or false"});
      if (yes && *yes) {
        if (!root().contains("job_class"))
          root()["job_class"] = "spot";
        else if (text_of(root()["job_class"]) != "spot")
          wrong.push_back({prefix + "use_spot", "is not what `class` says; give one"});
      }
    }
    // `root()` may have grown: take the address again.
    object& again = root()["resources"].get_object();
    if (auto gpu = take(again, "gpu")) {
      if (gpu->is_string()) gpu = value(lower(text_of(*gpu)));
      set(again, prefix, "gpu", "gpus", std::move(*gpu));
    }
    if (auto accelerators = take(again, "accelerators"))
      if (auto gpus = gpus_of(*accelerators))
        set(again, prefix, "accelerators", "gpus", value(*gpus));
  }

  // SkyPilot's `H100:8`, `{A100-80GB: 8, H100: 8}` or `[A100-80GB:8, H100:8]`: any of them.
  std::optional<std::string> gpus_of(const value& accelerators) {
    std::vector<std::string> each;
    if (accelerators.is_string()) each.push_back(text_of(accelerators));
    if (accelerators.is_array())
      for (const auto& v : accelerators.get_array()) each.push_back(text_of(v));
    if (accelerators.is_object())
      for (const auto& [key, count] : accelerators.get_object())
        each.push_back(std::string(key) + (count.is_null() ? "" : ":" + text_of(count)));
    std::string names, count;
    for (const auto& one : each) {
      const auto colon = one.find(':');
      const std::string n = colon == std::string::npos ? "1" : one.substr(colon + 1);
      if (one.empty() || (!count.empty() && n != count)) {
        names.clear();
        break;
      }
      count = n;
      std::string name = lower(one.substr(0, colon));
      if (name == "a100-80gb") name = "a100-80";  // SkyPilot's name
      names += (names.empty() ? "" : "|") + name;
    }
    if (!names.empty()) return names + ":" + count;
    wrong.push_back({"resources.accelerators",
                     "must be NAME:COUNT such as H100:8, or several with the same count"});
    return std::nullopt;
  }

  void translate_nodes() {
    for (const char* key : {"num_nodes", "nodes"}) {
      auto v = take(key);
      if (!v) continue;
      const auto n = whole_number(*v);
      if (!n || *n < 1) {
        wrong.push_back({key, "must be a whole number, 1 or more"});
        continue;
      }
      if (*n > 1) spread(key, *n);
    }
  }

  void spread(const std::string& key, std::int64_t nodes) {
    auto* resources = root().if_contains("resources");
    auto* gpus =
        resources && resources->is_object() ? resources->get_object().if_contains("gpus") : nullptr;
    if (!gpus || !gpus->is_string()) {
      wrong.push_back({key, "several nodes need `resources.gpus`, such as h100:8"});
      return;
    }
    std::string text = text_of(*gpus);
    const auto colon = text.rfind(':');
    if (colon != std::string::npos && text.find('x', colon) != std::string::npos) {
      if (text.substr(text.find('x', colon) + 1) != std::to_string(nodes))
        wrong.push_back({key, fmt::format("is not what `resources.gpus: {}` says", text)});
      return;
    }
    if (colon == std::string::npos) text += ":1";
    *gpus = value(fmt::format("{}x{}", text, nodes));
  }

  // dstack's list of K=V.
  void translate_env() {
    auto* env = root().if_contains("env");
    if (!env || !env->is_array()) return;
    object map;
    for (std::size_t i = 0; i < env->get_array().size(); ++i) {
      const std::string pair = text_of(env->get_array()[i]);
      const auto equals = pair.find('=');
      if (equals == std::string::npos || equals == 0)
        wrong.push_back({fmt::format("env[{}]", i), "must be NAME=VALUE"});
      else
        map[pair.substr(0, equals)] = pair.substr(equals + 1);
    }
    *env = std::move(map);
  }

  static std::string hint(const Wrong& w) {
    if (w.field == "command" && w.message.starts_with("must be a list"))
      return "; a list such as [python3, train.py], or `run:` with a shell line";
    if (w.field == "setup") return "; put it into the image, or at the beginning of `run`";
    return "";
  }

  // The line of a path, or of the nearest thing around it.
  std::string line(std::string path) const {
    while (!path.empty()) {
      const auto found = tree_.lines.find(path);
      if (found != tree_.lines.end()) return fmt::format(" (line {})", found->second);
      const auto cut = path.find_last_of(".[");
      path.resize(cut == std::string::npos ? 0 : cut);
    }
    return {};
  }

  YamlTree tree_;
  std::map<std::string, std::string> source_;  // our path -> the path written
};

}  // namespace

base::Result<JobRequest> parse_job_file(std::string_view yaml) {
  auto tree = parse_yaml(yaml, {max_job_file_bytes, 100'000, max_job_file_depth});
  if (!tree) return std::unexpected(std::move(tree.error()));
  if (tree->root.is_null())
    return base::refuse(base::Code::invalid, "the job file is empty; it needs at least `image:`");
  if (!tree->root.is_object())
    return base::refuse(base::Code::invalid,
                        "line 1: a job file is fields such as `image: …`, not a list or a text");
  return Translation(std::move(*tree)).finish();
}

}  // namespace ampacity::api
