// Signing in: cookies, where a change may come from, sessions over HTTP, the way to a provider and
// back.
#include "server/sign_in.h"

#include <fmt/core.h>

#include "oidc/test_keys.h"
#include "server/test_server.h"

namespace ampacity::server {
namespace {

const WebAddress plain, tls{"", true}, proxied{"https://cloud.example.org", false};

net::Request from_page(std::vector<net::Header> more, const char* method = "POST") {
  net::Request r{method, "/v1/jobs", {{"Host", "cloud.example:8443"}}, {}};
  r.headers.insert(r.headers.end(), more.begin(), more.end());
  return r;
}

// A browser that has cookies and follows nothing by itself.
struct Browser {
  TestServer& s;
  std::map<std::string, std::string> cookies;
  std::string host() const { return "127.0.0.1:" + std::to_string(s.http->port()); }
  net::Response call(const char* method, const std::string& target, std::string body = {},
                     bool from_our_page = true) {
    net::HttpClient client({"http://" + host(), {}, {}});
    std::vector<net::Header> headers = {{"Content-Type", "application/json"}};
    std::string all;
    for (const auto& [name, value] : cookies) all += (all.empty() ? "" : "; ") + name + "=" + value;
    if (!all.empty()) headers.push_back({"Cookie", all});
    if (from_our_page) {
      headers.push_back({"Origin", "http://" + host()});
      headers.push_back({console_header, "1"});
    }
    const auto r = client.call({method, target, std::move(headers), std::move(body)});
    REQUIRE_MESSAGE(r, r.error().message);
    for (const net::Header& h : r->headers) {
      if (h.name != "Set-Cookie") continue;
      const std::string pair = h.value.substr(0, h.value.find(';'));
      const std::size_t sign = pair.find('=');
      if (h.value.find("Max-Age=0") != std::string::npos)
        cookies.erase(pair.substr(0, sign));
      else
        cookies[pair.substr(0, sign)] = pair.substr(sign + 1);
    }
    return *r;
  }
  std::string me() {
    const auto r = call("GET", "/v1/whoami");
    if (r.status != 200) return std::to_string(r.status);
    const auto who = base::from_json<api::WhoAmI>(r.body);
    return who->sign_in.value_or("") + " " + std::string(base::enum_name(who->role)) + " " +
           who->project.value_or("") + " " + who->user.value_or("");
  }
};

std::string owner_key(TestServer& s) {
  const NewKey made = make_key(s.keys->pepper());
  core::CreateKey c;
  c.key.id = base::make_uuid7(s.clock.now(), s.prng);
  c.key.lookup = made.lookup;
  c.key.hash = made.hash;
  c.key.role = core::Role::owner;
  REQUIRE(s.loop->run(c, "test"));
  return made.secret;
}

// A provider that says of whoever comes what it was told to.
struct TestProvider {
  oidc::SigningKey key = oidc::SigningKey::ec("k");
  std::string claims = R"("email":"ann@x.org","email_verified":true,"groups":["ml"])";
  std::string nonce;
  base::Clock& clock;
  explicit TestProvider(base::Clock& c) : clock(c) {}

  class Line final : public net::Transport {
   public:
    explicit Line(TestProvider& of) : of_(of) {}
    base::Try<net::Response> call(const net::Request& q, const net::CallOptions&) override {
      return net::Response{200, "application/json", of_.answer(q), {}};
    }
    base::Try<net::Response> stream(const net::Request&,
                                    const std::function<bool(std::string_view)>&,
                                    const net::CallOptions&) override {
      return base::fault("no");
    }
    base::Try<net::Response> upload(const net::Request&, const std::function<std::string()>&,
                                    const net::CallOptions&) override {
      return base::fault("no");
    }

   private:
    TestProvider& of_;
  };
  std::string answer(const net::Request& q) const {
    if (q.target == "/keys") return oidc::jwks_of({key});
    if (q.method == "GET")
      return R"({"issuer":"https://id.example","authorization_endpoint":"https://id.example/a",)"
             R"("token_endpoint":"https://id.example/t","jwks_uri":"https://id.example/keys"})";
    const std::int64_t now = clock.now().us / 1'000'000;
    return "{\"id_token\":\"" +
           key.sign(
               fmt::format(R"({{"iss":"https://id.example","sub":"1","aud":"amp","nonce":"{}",)"
                           R"("exp":{},"iat":{},{}}})",
                           nonce, now + 60, now, claims)) +
           "\"}";
  }
};

struct WithProvider {
  store::ScratchFolder folder;
  HaltedClock clock;
  TestProvider provider{clock};
  TestServer s;
  std::string owner = owner_key(s);

  static OidcConfig config() {
    OidcConfig c;
    c.issuer = "https://id.example";
    c.client_id = "amp";
    c.name = "Example";
    c.groups = {"admins=owner", "ml=demo"};
    return c;
  }
  std::shared_ptr<SignInDesk> desk() {
    oidc::ProviderOptions o = provider_options(config(), "");
    o.connect = [this](const net::Peer&) { return std::make_unique<TestProvider::Line>(provider); };
    return std::make_shared<SignInDesk>(std::move(o), config(), std::string(32, 'k'), clock);
  }
  WithProvider() : s(folder.path, store::scratch_store(folder), {}, desk()) {
    REQUIRE(s.call(owner, "POST", "/v1/orgs", R"({"name":"acme"})").status == 201);
    REQUIRE(s.call(owner, "POST", "/v1/projects", R"({"name":"demo","org":"acme"})").status == 201);
  }
  // There and back; where that led, or why not.
  std::string come_back(Browser& b, std::string state = {}, const std::string& more = "&code=c") {
    const auto there = b.call("GET", "/v1/session/oidc?to=/console/jobs", {}, false);
    REQUIRE_MESSAGE(there.status == 303, there.body);
    const net::Target asked = net::parse_target(there.header("Location").substr(18));
    provider.nonce = asked.param("nonce");
    if (state.empty()) state = asked.param("state");
    return back(b, "/v1/session/oidc/back?state=" + state + more);
  }
  static std::string back(Browser& b, const std::string& address) {
    const auto r = b.call("GET", address, {}, false);
    if (r.status == 303) return std::string(r.header("Location"));
    CHECK(r.content_type.starts_with("text/html"));
    CHECK(r.header("Content-Security-Policy").find("default-src 'none'") != std::string::npos);
    return std::to_string(r.status) + r.body;
  }
};

bool says(const std::string& page, const char* what) {
  return page.find(what) != std::string::npos;
}

}  // namespace

TEST_CASE("the ring: a session is its key's, until it is over, closed, or the key is revoked") {
  KeyRing ring("pepper");
  const base::Instant now{1'000'000'000'000'000};
  core::Key key;
  key.id = {1, 1};
  key.project = 0;
  key.sign_in = "ann@x.org";
  const std::string id = make_session_id(), second = make_session_id();
  core::State state;
  state.keys = {key};
  state.sessions = {{hash_of_session(id), key.id, now + session_length}};
  ring.learn(state);
  CHECK(ring.session(id, now)->key == key.id);
  CHECK(ring.session(id, now)->sign_in == "ann@x.org");
  CHECK(ring.session(id, now + session_length - base::Duration{1}));
  CHECK_FALSE(ring.session(id, now + session_length));
  std::string other = id;
  other[0] = other[0] == 'a' ? 'b' : 'a';
  for (const std::string& wrong : {std::string(), other, id + "x", id.substr(1)})
    CHECK_FALSE(ring.session(wrong, now));
  ring.learn(std::vector<core::Fact>{
      {now, "", core::SessionOpened{{hash_of_session(second), key.id, now + session_length}}},
      {now, "", core::SessionClosed{hash_of_session(id)}}});
  CHECK_FALSE(ring.session(id, now));
  CHECK(ring.session(second, now));
  ring.learn(std::vector<core::Fact>{{now, "", core::KeyRevoked{key.id}}});
  CHECK_FALSE(ring.session(second, now));
}

TEST_CASE("the cookie alone changes nothing: only with our header, from our own page") {
  const net::Header ours{console_header, "1"};
  const auto may = [](const WebAddress& a, std::vector<net::Header> headers) {
    return check_own_page(from_page(std::move(headers)), a).has_value();
  };
  CHECK(may(tls, {{"Origin", "https://cloud.example:8443"}, ours}));
  CHECK(may(plain, {{"Origin", "http://cloud.example:8443"}, ours}));
  CHECK(may(proxied, {{"Origin", "https://cloud.example.org"}, ours}));
  CHECK(may(proxied, {{"Origin", "http://cloud.example:8443"}, ours}));
  CHECK_FALSE(may(tls, {ours}));
  CHECK_FALSE(may(tls, {{"Origin", "https://cloud.example:8443"}}));
  // The scheme is ours, not what the page says of itself.
  CHECK_FALSE(may(tls, {{"Origin", "http://cloud.example:8443"}, ours}));
  CHECK_FALSE(may(plain, {{"Origin", "https://cloud.example:8443"}, ours}));
  for (const char* foreign : {"https://evil.example", "null", "https://cloud.example",
                              "https://cloud.example:8443.evil.example"})
    for (const WebAddress& a : {plain, tls, proxied})
      CHECK_FALSE(may(a, {{"Origin", foreign}, ours}));
  // A WebSocket cannot have the header; its Origin cannot be made up.
  const net::Header upgrade{"Upgrade", "websocket"};
  CHECK(may(tls, {{"Origin", "https://cloud.example:8443"}, upgrade}));
  CHECK_FALSE(may(tls, {{"Origin", "http://evil.example"}, upgrade}));
}

TEST_CASE("cookies: HttpOnly; secure as browsers come, whatever the request says; told apart") {
  const net::Header https = set_cookie(Cookie::session, "abc", tls);
  for (const char* part : {"__Host-ampacity_session=abc", "HttpOnly", "SameSite=Strict", "Secure",
                           "Path=/", "Max-Age=43200"})
    CHECK_MESSAGE(https.value.find(part) != std::string::npos, part);
  CHECK(set_cookie(Cookie::session, "", tls).value.find("Max-Age=0") != std::string::npos);
  CHECK(set_cookie(Cookie::session, "a", plain).value.find("Secure") == std::string::npos);
  CHECK(set_cookie(Cookie::session, "a", proxied).value.find("Secure") != std::string::npos);
  CHECK(set_cookie(Cookie::flow, "a", tls).value.find("SameSite=Lax") != std::string::npos);
  const auto found = [](const char* cookies, const WebAddress& a) {
    return std::string(cookie_of(from_page({{"Cookie", cookies}}), Cookie::session, a));
  };
  CHECK(found("a=b; ampacity_session=xyz; c=d", plain) == "xyz");
  CHECK(found("__Host-ampacity_session=xyz", tls) == "xyz");
  CHECK(found("ampacity_session=xyz", tls) == "");  // which any page of http could have set
  CHECK(found("not_ampacity_session=xyz; ampacity_session", plain) == "");
}

TEST_CASE("signing in over HTTP: a key once, then the cookie; from our own page only") {
  store::ScratchFolder folder;
  const store::StoreAt at = store::scratch_store(folder);
  std::string session;
  {
    TestServer s(folder.path, at);
    Browser b{s, {}}, again{s, {}};
    const std::string body = R"({"key":")" + owner_key(s) + "\"}";
    CHECK(b.call("GET", "/v1/session").body == "{}");
    CHECK(b.call("POST", "/v1/session", body, false).status == 403);
    const auto wrong = b.call("POST", "/v1/session", R"({"key":"amp_x"})");
    CHECK(wrong.status == 401);
    CHECK(says(wrong.body, "\"field\":\"key\""));
    REQUIRE(b.call("POST", "/v1/session", body).status == 201);
    CHECK(b.me() == " owner  ");
    CHECK(b.call("POST", "/v1/orgs", R"({"name":"acme"})", false).status == 403);
    CHECK(b.call("POST", "/v1/orgs", R"({"name":"acme"})").status == 201);
    session = b.cookies.at("ampacity_session");
    CHECK(b.call("DELETE", "/v1/session").status == 204);
    CHECK(b.me() == "401");
    b.cookies["ampacity_session"] = session;  // the browser may forget; the server has
    CHECK(b.me() == "401");
    REQUIRE(again.call("POST", "/v1/session", body).status == 201);
    session = again.cookies.at("ampacity_session");
    CHECK(says(refused_page({base::Code::forbidden, "a <b>", {}, {}, {}}).body, "A &lt;b&gt;."));
    CHECK(b.call("GET", "/v1/session/oidc", {}, false).status == 404);
  }
  // Another life of the server: who was signed in still is, until the key is revoked.
  TestServer s(folder.path, at);
  Browser b{s, {{"ampacity_session", session}}};
  CHECK(b.me() == " owner  ");
  const auto keys = base::from_json<api::KeyList>(b.call("GET", "/v1/keys").body);
  REQUIRE(b.call("DELETE", "/v1/keys/" + keys->items[0].id).status == 204);
  CHECK(b.me() == "401");
}

TEST_CASE("what is open ends with the session it is by, or with the key") {
  store::ScratchFolder folder;
  TestServer s(folder.path, store::scratch_store(folder));
  const std::string key = owner_key(s);
  Browser b{s, {}};
  REQUIRE(b.call("POST", "/v1/session", R"({"key":")" + key + "\"}").status == 201);
  const std::string cookie = "ampacity_session=" + b.cookies.at("ampacity_session");
  // Ends when the server ends it; `begun` once the first bytes are there.
  const auto follow = [&](net::Header by, base::Handover<bool>& begun) {
    net::HttpClient client({"http://" + b.host(), {}, {}});
    net::CallOptions endless;
    endless.timeout = base::Duration{0};
    bool first = true;
    (void)client.stream(
        {"GET", "/v1/events", {std::move(by)}, ""},
        [&](std::string_view) {
          if (std::exchange(first, false)) begun.put(true);
          return true;
        },
        endless);
  };
  base::Handover<bool> by_session, by_key;
  base::Thread one([&] { follow({"Cookie", cookie}, by_session); });
  base::Thread two([&] { follow({"Authorization", "Bearer " + key}, by_key); });
  (void)by_session.take();
  (void)by_key.take();
  CHECK(b.call("DELETE", "/v1/session").status == 204);
  one.join();
  const auto keys = base::from_json<api::KeyList>(s.call(key, "GET", "/v1/keys").body);
  CHECK(s.call(key, "DELETE", "/v1/keys/" + keys->items[0].id).status == 204);
  two.join();
}

TEST_CASE("through a provider: there and back, with the rights of the group or the key") {
  WithProvider w;
  Browser ann{w.s, {}};
  CHECK(ann.call("GET", "/v1/session").body == R"({"oidc":"Example"})");
  CHECK(w.come_back(ann) == "/console/jobs");
  CHECK(ann.me() == "ann@x.org customer demo ann");
  CHECK(ann.cookies.size() == 1);
  CHECK(ann.call("GET", "/v1/orgs").status == 403);
  CHECK(ann.call("POST", "/v1/keys", R"({"project":"demo","user":"ann","sign_in":"b@x.org"})")
            .status == 400);

  // Out of the group: what it gave is taken back, here and in the other browser.
  w.provider.claims = R"("email":"ann@x.org","email_verified":true,"groups":[])";
  Browser later{w.s, {}};
  CHECK(says(w.come_back(later), "no longer in"));
  CHECK(ann.me() == "401");
  CHECK(says(w.come_back(later), "ampacity keys add --sign-in ann@x.org"));

  w.provider.claims = R"("email":"Ops@x.org","email_verified":true,"groups":["ml","admins"])";
  CHECK(w.come_back(later) == "/console/jobs");
  CHECK(later.me() == "ops@x.org owner  ");
  CHECK(later.call("DELETE", "/v1/session").status == 204);
  CHECK(later.me() == "401");

  // An operator's word.
  const auto made = w.s.call(w.owner, "POST", "/v1/keys",
                             R"({"project":"demo","user":"ann","sign_in":"Carol@x.org"})");
  REQUIRE_MESSAGE(made.status == 201, made.body);
  CHECK_FALSE(says(made.body, "secret"));
  w.provider.claims = R"("email":"carol@x.org","email_verified":true)";
  CHECK(w.come_back(later) == "/console/jobs");
  CHECK(later.me() == "carol@x.org customer demo ann");
  const auto key = base::from_json<api::KeyView>(made.body);
  CHECK(w.s.call(w.owner, "DELETE", "/v1/keys/" + key->id).status == 204);
  CHECK(later.me() == "401");
  CHECK(says(w.come_back(later), "was revoked here"));
}

TEST_CASE("the way back: refused with a page, once, whatever was wrong") {
  WithProvider w;
  Browser b{w.s, {}}, other{w.s, {}};
  CHECK(says(w.come_back(b, "another"), "another sign-in"));
  CHECK(b.cookies.empty());  // the way there was for one try
  CHECK(says(w.back(b, "/v1/session/oidc/back?code=c&state=x"), "not begun in this browser"));
  CHECK(says(w.come_back(b, "", "&error=access_denied"), "access_denied"));
  CHECK(says(w.come_back(b, "", "&error=%3Cscript%3E"), "tell the operator"));
  CHECK(says(w.come_back(b, "", ""), "no code"));
  CHECK(says(w.come_back(b, "", "&code=c&iss=https://evil.example"), "not from the provider"));
  w.provider.claims = R"("email":"ann@x.org","email_verified":false)";
  CHECK(says(w.come_back(b), "not verified"));
  w.provider.key = oidc::SigningKey::ec("k");  // which is not the one that was fetched
  CHECK(says(w.come_back(b), "signature"));
  CHECK(b.cookies.empty());
  CHECK(b.me() == "401");
  // Somebody else's way there is none for this browser.
  const auto there = b.call("GET", "/v1/session/oidc?to=https://evil.example/", {}, false);
  const net::Target asked = net::parse_target(there.header("Location").substr(18));
  CHECK(
      says(w.back(other, "/v1/session/oidc/back?code=c&state=" + std::string(asked.param("state"))),
           "not begun in this browser"));
}

TEST_CASE("what is configured of a provider is refused where it cannot work") {
  const auto wrong = [](auto change) {
    Config c;
    c.address = "127.0.0.1";
    c.oidc.issuer = "https://id.example";
    c.oidc.client_id = "amp";
    change(c);
    std::string all;
    for (const std::string& why : wrong_with_sign_in(c)) all += why + "\n";
    return all;
  };
  CHECK(wrong([](Config&) {}) == "");
  CHECK(says(wrong([](Config& c) { c.oidc.client_id = ""; }), "--oidc-client-id"));
  CHECK(says(wrong([](Config& c) { c.oidc.issuer = "http://id.example"; }), "--oidc-issuer"));
  CHECK(says(wrong([](Config& c) { c.oidc.issuer = ""; }), "without --oidc-issuer"));
  CHECK(says(wrong([](Config& c) { c.address = "0.0.0.0"; }), "needs --public-url"));
  CHECK(wrong([](Config& c) {
          c.address = "0.0.0.0";
          c.public_url = "https://cloud.example.org:8443";
        }) == "");
  for (const char* url : {"cloud.example.org", "https://cloud.example.org/console", "http://x.org"})
    CHECK(says(wrong([&](Config& c) { c.public_url = url; }), "--public-url: must be"));
  CHECK(says(wrong([](Config& c) { c.oidc.scopes = "email"; }), "openid"));
  for (const char* group : {"ml", "=owner", "ml=", "ml=No Such"})
    CHECK(says(wrong([&](Config& c) { c.oidc.groups = {group}; }), "--oidc-group"));
  CHECK(parse_rule("cn=a,ou=b=owner")->group == "cn=a,ou=b");
  CHECK(says(wrong([](Config& c) { c.oidc.default_project = "A B"; }), "--oidc-default-project"));
}

}  // namespace ampacity::server
