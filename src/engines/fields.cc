#include "engines/fields.h"

#include <fmt/core.h>

namespace ampacity::engines::fields {

namespace json = boost::json;

base::Try<json::value> parse(std::string_view body, std::string_view what) {
  boost::system::error_code error;
  json::value value = json::parse(json::string_view(body.data(), body.size()), error);
  if (error) return base::fault(fmt::format("{}: not JSON: {}", what, error.message()));
  return value;
}

const json::value& at(const json::value& object, std::string_view key) {
  static const json::value nothing;
  const auto* o = object.if_object();
  if (o == nullptr) return nothing;
  const auto* found = o->if_contains(json::string_view(key.data(), key.size()));
  return found == nullptr ? nothing : *found;
}

std::string text(const json::value& object, std::string_view key) {
  const auto* s = at(object, key).if_string();
  return s == nullptr ? std::string() : std::string(s->data(), s->size());
}

std::int64_t number(const json::value& object, std::string_view key, std::int64_t fallback) {
  const auto& v = at(object, key);
  if (const auto* i = v.if_int64()) return *i;
  if (const auto* u = v.if_uint64()) return static_cast<std::int64_t>(*u);
  return fallback;
}

int process(const json::value& object, std::string_view key) {
  constexpr std::int64_t most = 1 << 22;  // the kernel's own bound
  const std::int64_t pid = number(object, key);
  return pid > 0 && pid <= most ? static_cast<int>(pid) : 0;
}

bool truth(const json::value& object, std::string_view key) {
  const auto* b = at(object, key).if_bool();
  return b != nullptr && *b;
}

bool is_list(const json::value& value) { return value.is_array() || value.is_null(); }

const json::array& list(const json::value& value) {
  static const json::array nothing;
  const auto* a = value.if_array();
  return a == nullptr ? nothing : *a;
}

}  // namespace ampacity::engines::fields
