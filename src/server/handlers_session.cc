#include "api/problem.h"
#include "base/log.h"
#include "server/app.h"

namespace ampacity::server {
namespace {

constexpr std::string_view way_back = "/v1/session/oidc/back";

net::Response led_to(std::string where) {
  return {303,
          "text/plain",
          "",
          {{"Location", std::move(where)},
           {"Cache-Control", "no-store"},
           {"Referrer-Policy", "no-referrer"}}};
}

// The console's first page, unless it is one of its own.
std::string page_to_come_back_to(std::string_view asked) {
  constexpr std::size_t longest = 2'000;
  const bool ours = asked.starts_with("/console/") && asked.size() <= longest;
  for (const char c : asked)
    if (!ours || static_cast<unsigned char>(c) <= ' ' || c == 127 || c == '\\') return "/console/";
  return asked.empty() ? "/console/" : std::string(asked);
}

bool same(std::string_view a, std::string_view b) {
  return base::equal_constant_time(base::sha256(a), base::sha256(b));
}

}  // namespace

void App::sign_in_ways(Call&, net::Reply& r) {
  api::SignInWays ways;
  if (options_.desk) ways.oidc = options_.desk->label();
  r.send(json_response(base::to_json(ways)));
}

// A browser's: the key is sent once, the cookie stands for it from then on.
void App::sign_in(Call& c, net::Reply& r) {
  if (const auto own = check_own_page(c.request, options_.address); !own)
    return r.send(api::problem_response(own.error()));
  const auto body = base::from_json<api::SessionRequest>(c.request.body);
  if (!body) return r.send(api::problem_response(body.error()));
  const auto caller = keys_.verify("Bearer " + body->key);
  if (!caller) {
    base::Refusal no = caller.error();
    no.wrong = {{"key", no.message}};
    return r.send(api::problem_response(no));
  }
  const std::string id = make_session_id();
  Work work = work_of(
      c, r, core::OpenSession{{hash_of_session(id), caller->key, clock_.now() + session_length}});
  work.actor = caller->actor;
  work.idempotency.reset();  // an answer with a secret in it
  work.respond = [set = set_cookie(Cookie::session, id, options_.address)](const core::World&,
                                                                           base::Instant) {
    net::Response answer = json_response("{}", 201);
    answer.headers = {set, {"Cache-Control", "no-store"}};
    return answer;
  };
  loop_.push(std::move(work));
}

void App::sign_out(Call& c, net::Reply& r) {
  const std::string_view id = cookie_of(c.request, Cookie::session, options_.address);
  Work work = work_of(c, r, core::CloseSession{hash_of_session(id)});
  work.respond = [set = set_cookie(Cookie::session, "", options_.address)](const core::World&,
                                                                           base::Instant) {
    return net::Response{204, "", "", {set}};
  };
  loop_.push(std::move(work));
}

void App::to_provider(Call& c, net::Reply& r) {
  if (!options_.desk)
    return r.send(refused_page({base::Code::not_found,
                                "No sign-in provider is configured here: use an API key",
                                {},
                                {},
                                {}}));
  SignInDesk& desk = *options_.desk;
  const oidc::Flow flow =
      oidc::begin_flow(options_.address.origin(c.request) + std::string(way_back),
                       page_to_come_back_to(c.target.param("to")), clock_.now());
  const auto reply = std::make_shared<net::Reply>(std::move(r));
  const bool posted = desk.post([this, &desk, flow, reply] {
    auto where = desk.provider().address_for(flow);
    if (!where) return reply->send(refused_page(where.error()));
    net::Response answer = led_to(std::move(*where));
    answer.headers.push_back(
        set_cookie(Cookie::flow, oidc::seal_flow(desk.flow_key(), flow), options_.address));
    reply->send(std::move(answer));
  });
  if (!posted) reply->send(refused_page({base::Code::too_many, busy, {}, {}, {}}));
}

// Whatever comes of it, the way there was for one try.
void App::from_provider(Call& c, net::Reply& r) {
  const auto refused = [this](const base::Refusal& why) {
    net::Response page = refused_page(why);
    page.headers.push_back(set_cookie(Cookie::flow, "", options_.address));
    return page;
  };
  const auto no = [&](const char* why) {
    r.send(refused({base::Code::forbidden, why, {}, {}, {}}));
  };
  if (!options_.desk) return no("No sign-in provider is configured here: use an API key");
  SignInDesk& desk = *options_.desk;
  const auto flow = oidc::open_flow(
      desk.flow_key(), cookie_of(c.request, Cookie::flow, options_.address), clock_.now());
  if (!flow)
    return no(
        "this sign-in was not begun in this browser, was used already, or was begun more "
        "than ten minutes ago: begin again");
  if (!same(c.target.param("state"), flow->state))
    return no("this answer belongs to another sign-in than the one begun last: begin again");
  if (!c.target.param("error").empty())
    return no(c.target.param("error") == "access_denied"
                  ? "the provider says that it was not allowed (access_denied): begin again, or "
                    "use an API key"
                  : "the provider refuses to sign you in: tell the operator of this cloud");
  if (c.target.param("code").empty()) return no("the provider's answer has no code in it");
  const auto reply = std::make_shared<net::Reply>(std::move(r));
  const bool posted = desk.post([this, &desk, flow = *flow, reply, refused,
                                 code = std::string(c.target.param("code")),
                                 issuer = std::string(c.target.param("iss"))] {
    auto who = desk.provider().redeem(code, issuer, flow);
    auto session = who ? open_session_of(desk, *who) : std::unexpected(who.error());
    if (!session) {
      base::log_warn("sign-in refused: {}", session.error().message);
      return reply->send(refused(session.error()));
    }
    net::Response answer = led_to(flow.to);
    answer.headers.push_back(set_cookie(Cookie::session, *session, options_.address));
    answer.headers.push_back(set_cookie(Cookie::flow, "", options_.address));
    reply->send(std::move(answer));
  });
  if (!posted) reply->send(refused({base::Code::too_many, busy, {}, {}, {}}));
}

// On a thread of the desk's: waits for the commit.
base::Result<std::string> App::open_session_of(SignInDesk& desk, const oidc::Identity& who) {
  const std::string id = make_session_id();
  core::SignIn command;
  command.name = who.name;
  command.grant = desk.grant_of(who);
  command.session = {hash_of_session(id), {}, clock_.now() + session_length};
  command.fresh.id = new_id();
  command.fresh.lookup = make_key(keys_.pepper()).lookup;
  command.user = new_id();
  if (auto done = loop_.run(std::move(command), "sign-in"); !done)
    return std::unexpected(done.error());
  const auto caller = keys_.session(id, clock_.now());
  if (!caller)
    return base::refuse(base::Code::forbidden,
                        "what " + who.name +
                            " had here was given by a group that you are no longer in, and was "
                            "taken back. Ask the operator of this cloud, if you should have it");
  base::log_info("signed in: {} with {}", who.name, caller->actor);
  return id;
}

// By its key, or by a session's cookie.
base::Result<Caller> App::caller_of(const net::Request& request) const {
  const std::string_view key = request.header("Authorization");
  const std::string_view session = cookie_of(request, Cookie::session, options_.address);
  if (!key.empty() || session.empty()) return keys_.verify(key);
  auto caller = keys_.session(session, clock_.now());
  if (!caller)
    return base::refuse(base::Code::unauthenticated, "this session is over: sign in again");
  if (const auto own = check_session_use(request); !own) return std::unexpected(own.error());
  return std::move(*caller);
}

base::Result<void> App::check_session_use(const net::Request& request) const {
  const bool only_reads = request.method == "GET" || request.method == "HEAD";
  if (only_reads && request.header("Upgrade").empty()) return {};
  return check_own_page(request, options_.address);
}

}  // namespace ampacity::server
