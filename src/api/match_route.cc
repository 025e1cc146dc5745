#include "api/routes.h"

namespace ampacity::api {
namespace {

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

Match match_route(std::string_view method, std::string_view path) {
  Match m;
  if (!path.starts_with('/')) return m;
  const auto given = segments(path);
  for (const Route& r : routes()) {
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
