#include "api/problem.h"

namespace ampacity::api {
namespace {

struct Row {
  base::Code code;
  int status;
  std::string_view title;
};

constexpr Row rows[] = {
    {base::Code::invalid, 400, "The request is wrong"},
    {base::Code::unauthenticated, 401, "Not signed in"},
    {base::Code::forbidden, 403, "Not allowed"},
    {base::Code::not_found, 404, "Not found"},
    {base::Code::conflict, 409, "In conflict with what is there"},
    {base::Code::idempotency_mismatch, 422, "Idempotency-Key used with another request"},
    {base::Code::never_fits, 422, "Never fits here"},
    {base::Code::not_now, 409, "Not now"},
    {base::Code::insufficient_credit, 402, "Not enough credit"},
    {base::Code::queue_full, 429, "The queue is full"},
    {base::Code::over_quota, 403, "Over quota"},
    {base::Code::over_budget, 403, "Over budget"},
    {base::Code::too_large, 413, "Too large"},
    {base::Code::too_many, 503, "Too many at once"},
    {base::Code::store_full, 507, "The disk is full"},
    {base::Code::unavailable, 503, "Not available"},
};

const Row& row_of(base::Code code) {
  for (const Row& r : rows)
    if (r.code == code) return r;
  return rows[0];
}

base::Code code_of_status(int status) {
  switch (status) {
    case 413:
    case 431:
      return base::Code::too_large;
    case 503:
      return base::Code::too_many;
    case 500:
      return base::Code::unavailable;
    default:
      return base::Code::invalid;
  }
}

}  // namespace

int status_of(base::Code code) { return row_of(code).status; }

Problem problem_of(const base::Refusal& refusal) {
  const Row& row = row_of(refusal.code);
  return {"urn:ampacity:problem:" + std::string(base::enum_name(refusal.code)),
          std::string(row.title),
          row.status,
          refusal.message,
          refusal.code,
          refusal.wrong,
          refusal.missing,
          refusal.earliest};
}

net::Response problem_response(const base::Refusal& refusal) {
  const Problem problem = problem_of(refusal);
  net::Response r{problem.status, "application/problem+json", base::to_json(problem), {}};
  if (problem.status == 429 || problem.status == 503) r.headers.push_back({"Retry-After", "1"});
  if (problem.status == 401) r.headers.push_back({"WWW-Authenticate", "Bearer"});
  return r;
}

net::Response problem(base::Code code, std::string message) {
  return problem_response({code, std::move(message), {}, {}, {}});
}

net::Response parser_problem(int status, std::string_view reason) {
  net::Response r = problem_response({code_of_status(status), std::string(reason), {}, {}, {}});
  r.status = status;
  return r;
}

}  // namespace ampacity::api
