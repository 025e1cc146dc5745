// Refusals as RFC 9457 problem documents.
#pragma once

#include <string>

#include "api/contract.h"
#include "base/result.h"
#include "net/http.h"

namespace ampacity::api {

int status_of(base::Code code);
Problem problem_of(const base::Refusal& refusal);
net::Response problem_response(const base::Refusal& refusal);
net::Response problem(base::Code code, std::string message);  // where no field is to blame
// What the HTTP parser itself refused.
net::Response parser_problem(int status, std::string_view reason);

}  // namespace ampacity::api
