// YAML text to a JSON value whose leaves are the written text (or null), with the line of each
// path. Threads: pure functions. Bounds: text 1 MiB, depth 32, size after aliases; see job_file.h.
#pragma once

#include <boost/json/value.hpp>
#include <cstddef>
#include <map>
#include <string>
#include <string_view>

#include "base/result.h"

namespace ampacity::api {

struct YamlTree {
  boost::json::value root;
  std::map<std::string, int> lines;  // "resources.gpus", "volumes[0]" -> its line, from 1
};

struct YamlBounds {
  std::size_t max_bytes = 1 << 20;  // of the text, and of what aliases expand it to
  std::size_t max_nodes = 100'000;  // after the expansion of aliases
  int max_depth = 32;
};

base::Result<YamlTree> parse_yaml(std::string_view text, const YamlBounds& bounds);

}  // namespace ampacity::api
