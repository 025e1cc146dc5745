#include <boost/json/serialize.hpp>

#include "api/contract.h"
#include "api/routes.h"
#include "api/schema.h"

namespace ampacity::api {
namespace {

namespace json = boost::json;

void pretty(std::string& out, const json::value& v, std::size_t indent) {
  const std::string pad(indent + 2, ' '), end(indent, ' ');
  if (v.is_object() && !v.get_object().empty()) {
    out += "{\n";
    std::size_t left = v.get_object().size();
    for (const auto& [key, member] : v.get_object()) {
      out += pad + json::serialize(json::string(key)) + ": ";
      pretty(out, member, indent + 2);
      out += --left ? ",\n" : "\n";
    }
    out += end + "}";
  } else if (v.is_array() && !v.get_array().empty()) {
    out += "[\n";
    std::size_t left = v.get_array().size();
    for (const auto& member : v.get_array()) {
      out += pad;
      pretty(out, member, indent + 2);
      out += --left ? ",\n" : "\n";
    }
    out += end + "]";
  } else {
    out += json::serialize(v);
  }
}

json::array parameters_of(const Route& r) {
  json::array all;
  const std::string path(r.path);
  for (std::size_t open = path.find('{'); open != std::string::npos;
       open = path.find('{', open + 1))
    all.push_back({{"name", path.substr(open + 1, path.find('}', open) - open - 1)},
                   {"in", "path"},
                   {"required", true},
                   {"schema", {{"type", "string"}}}});
  for (const Parameter& p : r.query)
    all.push_back({{"name", p.name},
                   {"in", "query"},
                   {"description", p.description},
                   {"schema", {{"type", "string"}}}});
  if (r.method == "POST")
    all.push_back({{"name", "Idempotency-Key"},
                   {"in", "header"},
                   {"description", "Same key and body: same answer, once; kept 24 hours at least"},
                   {"schema", {{"type", "string"}, {"maxLength", 128}}}});
  return all;
}

json::object operation_of(const Route& r, json::object& schemas) {
  json::object o{{"operationId", r.operation}, {"summary", r.summary}};
  if (r.permission == Permission::anyone) o["security"] = json::array{};
  if (r.permission == Permission::owner) o["x-role"] = "owner";
  if (json::array parameters = parameters_of(r); !parameters.empty()) o["parameters"] = parameters;
  if (r.request)
    o["requestBody"] = {{"required", true},
                        {"content", {{"application/json", {{"schema", r.request(schemas)}}}}}};
  json::object success{{"description", r.summary}};
  if (r.response) success["content"] = {{r.response_type, {{"schema", r.response(schemas)}}}};
  json::object problem{
      {"description", "A problem document (RFC 9457)"},
      {"content", {{"application/problem+json", {{"schema", schema_of<Problem>(schemas)}}}}}};
  o["responses"] = {{std::to_string(r.status), success}, {"default", problem}};
  return o;
}

}  // namespace

std::string openapi_document() {
  json::object schemas, paths;
  for (const Route& r : routes()) {
    json::object& item =
        paths[r.path].is_null() ? paths[r.path].emplace_object() : paths[r.path].get_object();
    std::string method(r.method);
    for (char& c : method) c = static_cast<char>(c | 0x20);
    item[method] = operation_of(r, schemas);
  }
  const json::value document{
      {"openapi", "3.1.0"},
      {"info",
       {{"title", "Ampacity"},
        {"version", "1"},
        {"description", "Rent GPUs; own GPUs. Money is exact: `_ticks` are 1/36,000,000 USD."},
        {"license", {{"name", "Apache-2.0"}, {"identifier", "Apache-2.0"}}}}},
      {"security", {{{"key", json::array{}}}}},
      {"paths", paths},
      {"components",
       {{"securitySchemes", {{"key", {{"type", "http"}, {"scheme", "bearer"}}}}},
        {"schemas", schemas}}}};
  std::string out;
  pretty(out, document, 0);
  return out + "\n";
}

}  // namespace ampacity::api
