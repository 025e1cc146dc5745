#include "api/problem.h"
#include "server/app.h"

namespace ampacity::server {

// A browser's: the key is sent once, the cookie stands for it from then on.
void App::sign_in(Call& c, net::Reply& r) {
  if (const auto own = check_own_page(c.request); !own)
    return r.send(api::problem_response(own.error()));
  const auto body = base::from_json<api::SessionRequest>(c.request.body);
  if (!body) return r.send(api::problem_response(body.error()));
  const auto caller = keys_.verify("Bearer " + body->key);
  if (!caller) {
    base::Refusal no = caller.error();
    no.wrong = {{"key", no.message}};
    return r.send(api::problem_response(no));
  }
  const auto id = sessions_.open(*caller, clock_.now());
  if (!id) return r.send(api::problem_response(id.error()));
  net::Response answer = json_response("{}", 201);
  answer.headers.push_back({"Set-Cookie", session_cookie(c.request, *id)});
  answer.headers.push_back({"Cache-Control", "no-store"});
  r.send(std::move(answer));
}

void App::sign_out(Call& c, net::Reply& r) {
  sessions_.close(session_of(c.request));
  net::Response answer{204, "", "", {}};
  answer.headers.push_back({"Set-Cookie", session_cookie(c.request, "")});
  r.send(std::move(answer));
}

// By its key, or by a session's cookie.
base::Result<Caller> App::caller_of(const net::Request& request) const {
  const std::string_view key = request.header("Authorization");
  const std::string_view session = session_of(request);
  if (!key.empty() || session.empty()) return keys_.verify(key);
  auto caller = sessions_.find(session, clock_.now());
  if (!caller)
    return base::refuse(base::Code::unauthenticated, "this session is over: sign in again");
  const bool only_reads = request.method == "GET" || request.method == "HEAD";
  if (only_reads && request.header("Upgrade").empty()) return std::move(*caller);
  if (const auto own = check_own_page(request); !own) return std::unexpected(own.error());
  return std::move(*caller);
}

}  // namespace ampacity::server
