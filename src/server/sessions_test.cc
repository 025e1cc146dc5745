#include "server/sessions.h"

#include "server/test_server.h"

namespace ampacity::server {
namespace {

struct SignedIn {
  KeyRing ring{"pepper"};
  Sessions sessions{ring};
  base::Instant now{1'000'000'000'000'000};

  Caller caller(std::uint64_t n) {
    const NewKey made = make_key("pepper");
    core::Key key;
    key.id = {1, n};
    key.lookup = made.lookup;
    key.hash = made.hash;
    key.project = 0;
    ring.put(key);
    return *ring.verify("Bearer " + made.secret);
  }
};

net::Request from_page(std::vector<net::Header> more, const char* method = "POST") {
  net::Request r{method, "/v1/jobs", {{"Host", "cloud.example:8443"}}, {}};
  r.headers.insert(r.headers.end(), more.begin(), more.end());
  return r;
}

}  // namespace

TEST_CASE("a session lives twelve hours, until it is closed, until its key is revoked") {
  SignedIn s;
  const Caller ann = s.caller(1);
  const std::string id = *s.sessions.open(ann, s.now);
  CHECK(s.sessions.find(id, s.now)->key == ann.key);
  CHECK(s.sessions.find(id, s.now + session_length - base::Duration{1}));
  CHECK_FALSE(s.sessions.find(id, s.now + session_length));
  std::string other = id;
  other[0] = other[0] == 'a' ? 'b' : 'a';
  for (const std::string& wrong : {std::string(), other, id + "x", id.substr(1)})
    CHECK_FALSE(s.sessions.find(wrong, s.now));
  const std::string second = *s.sessions.open(ann, s.now);
  s.sessions.close(id);
  CHECK_FALSE(s.sessions.find(id, s.now));
  CHECK(s.sessions.find(second, s.now));
  s.ring.revoke(ann.key);
  CHECK_FALSE(s.sessions.find(second, s.now));
}

TEST_CASE("sessions are bounded: a key's oldest makes room, everybody's are refused") {
  SignedIn s;
  const Caller ann = s.caller(1);
  std::vector<std::string> ids;
  for (std::size_t i = 0; i <= most_sessions_of_key; ++i)
    ids.push_back(*s.sessions.open(ann, s.now + base::Duration{static_cast<std::int64_t>(i)}));
  CHECK_FALSE(s.sessions.find(ids[0], s.now));
  CHECK(s.sessions.find(ids[1], s.now));
  CHECK(s.sessions.find(ids.back(), s.now));
}

TEST_CASE("the cookie alone changes nothing: only with our header, from our own page") {
  const net::Header ours{console_header, "1"};
  CHECK(check_own_page(from_page({{"Origin", "https://cloud.example:8443"}, ours})));
  CHECK_FALSE(check_own_page(from_page({ours})));
  CHECK_FALSE(check_own_page(from_page({{"Origin", "https://cloud.example:8443"}})));
  for (const char* foreign : {"https://evil.example", "null", "https://cloud.example",
                              "https://cloud.example:8443.evil.example"})
    CHECK_FALSE(check_own_page(from_page({{"Origin", foreign}, ours})));
  // A WebSocket cannot have the header; its Origin cannot be made up.
  const net::Header upgrade{"Upgrade", "websocket"};
  CHECK(check_own_page(from_page({{"Origin", "http://cloud.example:8443"}, upgrade}, "GET")));
  CHECK_FALSE(check_own_page(from_page({{"Origin", "http://evil.example"}, upgrade}, "GET")));
}

TEST_CASE("cookies: HttpOnly, strict, over https secure; found among others") {
  const auto https = from_page({{"Origin", "https://cloud.example:8443"}});
  const std::string set = session_cookie(https, "abc");
  for (const char* part : {"__Host-ampacity_session=abc", "HttpOnly", "SameSite=Strict", "Secure",
                           "Path=/", "Max-Age=43200"})
    CHECK_MESSAGE(set.find(part) != std::string::npos, part);
  CHECK(session_cookie(https, "").find("Max-Age=0") != std::string::npos);
  CHECK(session_cookie(from_page({}), "abc").find("Secure") == std::string::npos);
  CHECK(session_of(from_page({{"Cookie", "a=b; ampacity_session=xyz; c=d"}})) == "xyz");
  CHECK(session_of(from_page({{"Cookie", "__Host-ampacity_session=xyz"}})) == "xyz");
  CHECK(session_of(from_page({{"Cookie", "not_ampacity_session=xyz"}})).empty());
}

TEST_CASE("signing in over HTTP: a key once, then the cookie; from our own page only") {
  store::ScratchFolder folder;
  TestServer s(folder.path, store::scratch_store(folder));
  const std::string key = s.add_key(core::Role::owner, core::nobody);
  const std::string host = "127.0.0.1:" + std::to_string(s.http->port());
  const auto call = [&](const char* method, const char* target, std::string body,
                        std::vector<net::Header> headers) {
    net::HttpClient client({"http://" + host, {}, {}});
    headers.push_back({"Content-Type", "application/json"});
    const auto r = client.call({method, target, std::move(headers), std::move(body)});
    REQUIRE_MESSAGE(r, r.error().message);
    return *r;
  };
  const net::Header origin{"Origin", "http://" + host}, ours{console_header, "1"};
  const std::string body = R"({"key":")" + key + "\"}";
  CHECK(call("POST", "/v1/session", body, {ours}).status == 403);
  const auto wrong = call("POST", "/v1/session", R"({"key":"amp_x"})", {origin, ours});
  CHECK(wrong.status == 401);
  CHECK(wrong.body.find("\"field\":\"key\"") != std::string::npos);
  const auto in = call("POST", "/v1/session", body, {origin, ours});
  REQUIRE(in.status == 201);
  const std::string set(in.header("Set-Cookie"));
  const net::Header cookie{"Cookie", set.substr(0, set.find(';'))};
  CHECK(call("GET", "/v1/whoami", "", {cookie}).status == 200);
  CHECK(call("POST", "/v1/orgs", R"({"name":"acme"})", {cookie}).status == 403);
  CHECK(call("POST", "/v1/orgs", R"({"name":"acme"})", {cookie, origin, ours}).status == 201);
  CHECK(call("DELETE", "/v1/session", "", {cookie, origin, ours}).status == 204);
  CHECK(call("GET", "/v1/whoami", "", {cookie}).status == 401);
}

}  // namespace ampacity::server
