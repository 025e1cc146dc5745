// One field list per type (BOOST_DESCRIBE_STRUCT) gives JSON out, JSON in with path-exact errors,
// and the OpenAPI schema. A field is required unless it is optional<>, a vector or a map; unknown
// fields are errors; every wrong field is reported, not just the first.
#pragma once

#include <boost/describe.hpp>
#include <boost/json/value.hpp>
#include <boost/mp11.hpp>
#include <concepts>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "base/id.h"
#include "base/result.h"
#include "base/time.h"

namespace ampacity::base {

// Parses text (RFC 8259, valid UTF-8, at most 32 deep); the refusal names line and column.
Result<boost::json::value> parse_json(std::string_view text);

// Appends a JSON string literal.
void write_json_string(std::string& out, std::string_view text);
void write_json_int(std::string& out, std::int64_t value);
void write_json_uint(std::string& out, std::uint64_t value);

namespace detail {
template <typename T>
concept DescribedStruct = boost::describe::has_describe_members<T>::value && std::is_class_v<T>;
template <typename T>
concept DescribedEnum = std::is_enum_v<T> && boost::describe::has_describe_enumerators<T>::value;
template <typename T>
struct is_optional : std::false_type {};
template <typename T>
struct is_optional<std::optional<T>> : std::true_type {};
template <typename T>
struct is_vector : std::false_type {};
template <typename T>
struct is_vector<std::vector<T>> : std::true_type {};
template <typename T>
struct is_map : std::false_type {};
template <typename T>
struct is_map<std::map<std::string, T>> : std::true_type {};
template <typename T>
struct is_pair : std::false_type {};
template <typename A, typename B>
struct is_pair<std::pair<A, B>> : std::true_type {};
template <typename T>
using Members = boost::describe::describe_members<T, boost::describe::mod_any_access |
                                                         boost::describe::mod_inherited>;
}  // namespace detail

// The wire name of a described enumerator.
template <detail::DescribedEnum E>
constexpr std::string_view enum_name(E e) {
  std::string_view name = "?";
  boost::mp11::mp_for_each<boost::describe::describe_enumerators<E>>([&](auto d) {
    if (d.value == e) name = d.name;
  });
  return name;
}

template <detail::DescribedEnum E>
std::optional<E> parse_enum(std::string_view name) {
  std::optional<E> found;
  boost::mp11::mp_for_each<boost::describe::describe_enumerators<E>>([&](auto d) {
    if (name == d.name) found = d.value;
  });
  return found;
}

template <detail::DescribedEnum E>
std::string enum_names(std::string_view separator = ", ") {
  std::string all;
  boost::mp11::mp_for_each<boost::describe::describe_enumerators<E>>([&](auto d) {
    if (!all.empty()) all += separator;
    all += d.name;
  });
  return all;
}

// All: every field but an absent optional. Sparse: only what differs from a default-made struct,
// for what we keep ourselves (JsonReader::defaults_for_missing reads it back).
enum class JsonFields { all, sparse };

template <JsonFields F = JsonFields::all, typename T>
void write_json(std::string& out, const T& value);

namespace detail {
template <JsonFields F, typename T>
void write_list(std::string& out, const T& values) {
  out += '[';
  bool first = true;
  for (const auto& v : values) {
    if (!first) out += ',';
    first = false;
    write_json<F>(out, v);
  }
  out += ']';
}

template <JsonFields F, typename T>
void write_map(std::string& out, const T& values) {
  out += '{';
  bool first = true;
  for (const auto& [k, v] : values) {
    if (!first) out += ',';
    first = false;
    write_json_string(out, k);
    out += ':';
    write_json<F>(out, v);
  }
  out += '}';
}

template <JsonFields F, typename T>
void write_struct(std::string& out, const T& value) {
  static_assert(DescribedStruct<T>, "describe the type: BOOST_DESCRIBE_STRUCT");
  static const T defaults{};
  out += '{';
  const std::size_t start = out.size();
  boost::mp11::mp_for_each<Members<T>>([&](auto d) {
    const auto& member = value.*d.pointer;
    using M = std::remove_cvref_t<decltype(member)>;
    if constexpr (is_optional<M>::value) {
      if (!member) return;  // absent, not null
    } else if constexpr (F == JsonFields::sparse && (is_vector<M>::value || is_map<M>::value)) {
      if (member.empty()) return;
    } else if constexpr (F == JsonFields::sparse && std::equality_comparable<M>) {
      if (member == defaults.*d.pointer) return;
    }
    const std::size_t before = out.size();
    if (before != start) out += ',';
    out += '"';
    out += d.name;  // member names need no escapes
    out += "\":";
    const std::size_t written = out.size();
    write_json<F>(out, member);
    if (F == JsonFields::sparse && out.size() == written + 2 && out[written] == '{')
      out.resize(before);  // a struct of defaults
  });
  out += '}';
}
}  // namespace detail

template <JsonFields F, typename T>
void write_json(std::string& out, const T& value) {
  if constexpr (std::is_same_v<T, bool>) {
    out += value ? "true" : "false";
  } else if constexpr (std::is_unsigned_v<T>) {
    write_json_uint(out, value);
  } else if constexpr (std::is_integral_v<T>) {
    write_json_int(out, value);
  } else if constexpr (std::is_convertible_v<const T&, std::string_view>) {
    write_json_string(out, value);
  } else if constexpr (std::is_same_v<T, Instant>) {
    write_json_string(out, format_instant(value));
  } else if constexpr (std::is_same_v<T, Id>) {
    write_json_string(out, format_bare_id(value));
  } else if constexpr (detail::DescribedEnum<T>) {
    write_json_string(out, enum_name(value));
  } else if constexpr (detail::is_optional<T>::value) {
    if (value)
      write_json<F>(out, *value);
    else
      out += "null";
  } else if constexpr (detail::is_vector<T>::value) {
    detail::write_list<F>(out, value);
  } else if constexpr (detail::is_map<T>::value) {
    detail::write_map<F>(out, value);
  } else {
    detail::write_struct<F>(out, value);
  }
}

template <typename T>
std::string to_json(const T& value) {
  std::string out;
  write_json(out, value);
  return out;
}

// Where a reader is, as a chain on the stack: made into text only when something is wrong.
struct JsonPath {
  const JsonPath* up = nullptr;
  std::string_view name = {};  // empty: an index
  std::size_t index = 0;
  std::string text() const;  // "resources.gpus", "volumes[0]"
};

// Collects everything that is wrong while a value is read.
class JsonReader {
 public:
  std::vector<Wrong> wrong;
  bool allow_unknown = false;         // for other people's JSON
  bool defaults_for_missing = false;  // for what was written sparse
  bool numbers_as_text = false;       // YAML: `cpus: 2` where a string is wanted

  template <typename T>
  void read(const boost::json::value& from, T& to, const std::string& field) {
    const JsonPath root{nullptr, field};
    read_at(from, to, root);
  }

 private:
  template <typename T>
  void read_at(const boost::json::value& from, T& to, const JsonPath& path) {
    if constexpr (std::is_same_v<T, bool>) {
      if (from.is_bool())
        to = from.get_bool();
      else
        say(path, "must be true or false", from);
    } else if constexpr (std::is_integral_v<T>) {
      read_integer(from, to, path);
    } else if constexpr (std::is_same_v<T, std::string>) {
      if (from.is_string())
        to.assign(from.get_string().data(), from.get_string().size());
      else if (numbers_as_text && from.is_number())
        to = text_of(from);
      else
        say(path, "must be a string", from);
    } else if constexpr (std::is_same_v<T, Instant>) {
      const auto t = from.is_string() ? parse_instant(from.get_string()) : std::nullopt;
      if (t)
        to = *t;
      else
        say(path, "must be an RFC 3339 time such as 2026-11-22T12:00:00Z", from);
    } else if constexpr (std::is_same_v<T, Id>) {
      const auto id = from.is_string() ? parse_bare_id(from.get_string()) : std::nullopt;
      if (id)
        to = *id;
      else
        say(path, "must be an id of 26 base32 digits", from);
    } else if constexpr (detail::DescribedEnum<T>) {
      const auto e = from.is_string() ? parse_enum<T>(from.get_string()) : std::nullopt;
      if (e)
        to = *e;
      else
        say(path, "must be one of " + enum_names<T>(), from);
    } else if constexpr (detail::is_optional<T>::value) {
      if (from.is_null())
        to.reset();
      else
        read_at(from, to.emplace(), path);
    } else if constexpr (detail::is_vector<T>::value) {
      if (!from.is_array()) return say(path, "must be a list", from);
      to.clear();
      to.reserve(from.get_array().size());
      for (const auto& v : from.get_array()) {
        const JsonPath at{&path, {}, to.size()};
        read_at(v, to.emplace_back(), at);
      }
    } else if constexpr (detail::is_map<T>::value) {
      if (!from.is_object()) return say(path, "must be an object", from);
      to.clear();
      for (const auto& [k, v] : from.get_object())
        read_at(v, to[std::string(k)], {&path, std::string_view(k.data(), k.size())});
    } else {
      read_struct(from, to, path);
    }
  }

  void say(const JsonPath& path, std::string_view expected, const boost::json::value& got);
  static std::string text_of(const boost::json::value& number);

  template <typename T>
  void read_integer(const boost::json::value& from, T& to, const JsonPath& path) {
    if (from.is_int64() && std::in_range<T>(from.get_int64()))
      to = static_cast<T>(from.get_int64());
    else if (from.is_uint64() && std::in_range<T>(from.get_uint64()))
      to = static_cast<T>(from.get_uint64());
    else
      say(path,
          std::is_unsigned_v<T> ? "must be a whole number, 0 or more" : "must be a whole number",
          from);
  }

  // Fields come in their described order nearly always: look at the next one first.
  template <typename T>
  void read_struct(const boost::json::value& from, T& to, const JsonPath& path) {
    static_assert(detail::DescribedStruct<T>, "describe the type: BOOST_DESCRIBE_STRUCT");
    if (!from.is_object()) return say(path, "must be an object", from);
    const auto& object = from.get_object();
    std::size_t known = 0;
    auto next = object.begin();
    boost::mp11::mp_for_each<detail::Members<T>>([&](auto d) {
      auto& member = to.*d.pointer;
      using M = std::remove_cvref_t<decltype(member)>;
      const boost::json::value* v = nullptr;
      if (next != object.end() && next->key() == d.name)
        v = &(next++)->value();
      else
        v = object.if_contains(d.name);
      const JsonPath at{&path, d.name};
      if (v) {
        ++known;
        read_at(*v, member, at);
      } else if constexpr (!detail::is_optional<M>::value && !detail::is_vector<M>::value &&
                           !detail::is_map<M>::value) {
        if (!defaults_for_missing) wrong.push_back({at.text(), "is required"});
      }
    });
    if (known != object.size() && !allow_unknown) name_unknown<T>(object, path);
  }

  template <typename T>
  void name_unknown(const boost::json::object& object, const JsonPath& path) {
    std::string fields;
    boost::mp11::mp_for_each<detail::Members<T>>([&](auto d) {
      if (!fields.empty()) fields += ", ";
      fields += d.name;
    });
    for (const auto& [key, value] : object) {
      bool found = false;
      boost::mp11::mp_for_each<detail::Members<T>>([&](auto d) { found |= key == d.name; });
      if (found) continue;
      const JsonPath at{&path, std::string_view(key.data(), key.size())};
      wrong.push_back({at.text(), "is not a field here; the fields are " + fields});
    }
  }
};

Refusal refusal_of(std::vector<Wrong> wrong);

template <typename T>
std::string to_sparse_json(const T& value) {
  std::string out;
  write_json<JsonFields::sparse>(out, value);
  return out;
}

// Text -> T, or a refusal that names every wrong field.
template <typename T>
Result<T> from_json(std::string_view text, JsonReader reader = {}) {
  auto value = parse_json(text);
  if (!value) return std::unexpected(std::move(value.error()));
  T out{};
  reader.read(*value, out, "");
  if (!reader.wrong.empty()) return std::unexpected(refusal_of(std::move(reader.wrong)));
  return out;
}

template <typename T>
Result<T> from_sparse_json(std::string_view text) {
  JsonReader reader;
  reader.defaults_for_missing = true;
  return from_json<T>(text, std::move(reader));
}

BOOST_DESCRIBE_ENUM(Code, invalid, unauthenticated, forbidden, not_found, conflict,
                    idempotency_mismatch, never_fits, not_now, insufficient_credit, queue_full,
                    over_quota, over_budget, too_large, too_many, store_full, unavailable)
BOOST_DESCRIBE_STRUCT(Wrong, (), (field, message))
BOOST_DESCRIBE_STRUCT(Missing, (), (what, wanted, available))

}  // namespace ampacity::base
