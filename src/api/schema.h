// JSON Schema of a described type, for the OpenAPI document. Named types go to components/schemas.
#pragma once

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/type_index.hpp>
#include <string>

#include "base/json.h"

namespace ampacity::api {

template <typename T>
std::string type_name() {
  std::string name = boost::typeindex::type_id<T>().pretty_name();
  return name.substr(name.rfind(':') + 1);
}

template <typename T>
boost::json::object schema_of(boost::json::object& schemas) {
  namespace d = base::detail;
  if constexpr (std::is_same_v<T, bool>) {
    return {{"type", "boolean"}};
  } else if constexpr (std::is_integral_v<T>) {
    boost::json::object o{{"type", "integer"}};
    if constexpr (std::is_unsigned_v<T>)
      o["minimum"] = 0;
    else
      o["format"] = sizeof(T) == 8 ? "int64" : "int32";
    return o;
  } else if constexpr (std::is_same_v<T, std::string>) {
    return {{"type", "string"}};
  } else if constexpr (std::is_same_v<T, base::Instant>) {
    return {{"type", "string"}, {"format", "date-time"}};
  } else if constexpr (d::is_optional<T>::value) {
    return schema_of<typename T::value_type>(schemas);
  } else if constexpr (d::is_vector<T>::value) {
    return {{"type", "array"}, {"items", schema_of<typename T::value_type>(schemas)}};
  } else if constexpr (d::is_map<T>::value) {
    return {{"type", "object"},
            {"additionalProperties", schema_of<typename T::mapped_type>(schemas)}};
  } else {
    const std::string name = type_name<T>();
    if (!schemas.contains(name)) {
      schemas[name] = nullptr;  // breaks cycles
      boost::json::object o;
      if constexpr (d::DescribedEnum<T>) {
        boost::json::array names;
        boost::mp11::mp_for_each<boost::describe::describe_enumerators<T>>(
            [&](auto e) { names.emplace_back(e.name); });
        o = {{"type", "string"}, {"enum", names}};
      } else {
        boost::json::object properties;
        boost::json::array required;
        boost::mp11::mp_for_each<d::Members<T>>([&](auto m) {
          using M = std::remove_cvref_t<decltype(std::declval<T>().*m.pointer)>;
          properties[m.name] = schema_of<M>(schemas);
          if constexpr (!d::is_optional<M>::value && !d::is_vector<M>::value &&
                        !d::is_map<M>::value)
            required.emplace_back(m.name);
        });
        o = {{"type", "object"}, {"properties", properties}, {"additionalProperties", false}};
        if (!required.empty()) o["required"] = required;
      }
      schemas[name] = o;
    }
    return {{"$ref", "#/components/schemas/" + name}};
  }
}

}  // namespace ampacity::api
