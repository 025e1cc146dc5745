// The one route table: what there is, who may call it, and what goes in and out. The server refuses
// to start with a route that has no handler; the OpenAPI document is generated from this.
#pragma once

#include <boost/json/object.hpp>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ampacity::api {

enum class Permission {
  anyone,    // no key: liveness and the document itself
  customer,  // any key; a customer's sees its own project and nothing else
  owner,     // operators
};

// Adds a type's schema to components/schemas and returns a reference to it.
using SchemaMaker = boost::json::object (*)(boost::json::object& schemas);

struct Parameter {
  std::string_view name;
  std::string_view description;
};

struct Route {
  std::string_view operation;  // the handler's name and the operationId
  std::string_view method;
  std::string_view path;  // "/v1/jobs/{job}/stop"
  Permission permission;
  std::string_view summary;
  SchemaMaker request = nullptr;
  SchemaMaker response = nullptr;
  std::string_view response_type = "application/json";  // or text/event-stream, …
  int status = 200;
  std::vector<Parameter> query = {};
};

std::span<const Route> routes();

// The route a request takes, with its path parameters; null if there is none. `other_method` is set
// when the path exists with another method.
struct Match {
  const Route* route = nullptr;
  std::vector<std::string> arguments;
  bool other_method = false;
};
Match match_route(std::string_view method, std::string_view path);

// OpenAPI 3.1, pretty-printed; the same for the same table (a golden file is kept).
std::string openapi_document();

}  // namespace ampacity::api
