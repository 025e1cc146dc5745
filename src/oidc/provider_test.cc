#include "oidc/provider.h"

#include <fmt/core.h>

#include <map>

#include "base/json.h"
#include "oidc/test_keys.h"

namespace ampacity::oidc {
namespace {

class SetClock final : public base::Clock {
 public:
  base::Instant now() override { return at; }
  base::Instant at = *base::parse_instant("2026-11-22T12:00:00Z");
};

// A provider that answers what it was told to, and counts what it was asked.
struct FakeProvider {
  std::map<std::string, net::Response> answers;  // by URL
  std::map<std::string, int> asked;
  net::Request last;
  bool away = false;

  class Line final : public net::Transport {
   public:
    Line(FakeProvider& of, std::string base) : of_(of), base_(std::move(base)) {}
    base::Try<net::Response> call(const net::Request& q, const net::CallOptions& o) override {
      CHECK(o.max_body_bytes == longest_answer);
      CHECK(o.timeout == call_limit);
      const std::string url = base_ + q.target;
      ++of_.asked[url];
      of_.last = q;
      if (of_.away) return base::fault("connection refused");
      const auto at = of_.answers.find(url);
      return at == of_.answers.end() ? net::Response{404, "text/plain", "", {}} : at->second;
    }
    base::Try<net::Response> stream(const net::Request&,
                                    const std::function<bool(std::string_view)>&,
                                    const net::CallOptions&) override {
      return base::fault("not asked for");
    }
    base::Try<net::Response> upload(const net::Request&, const std::function<std::string()>&,
                                    const net::CallOptions&) override {
      return base::fault("not asked for");
    }

   private:
    FakeProvider& of_;
    const std::string base_;
  };
};

const std::string well_known = "https://id.example/.well-known/openid-configuration";

struct ProviderTest {
  SetClock clock;
  FakeProvider fake;
  SigningKey key = SigningKey::ec("k1");
  Flow flow = begin_flow("https://cloud.example/back", "/console/", clock.now());
  ProviderOptions options;
  std::unique_ptr<Provider> provider;

  ProviderTest() {
    options.issuer = "https://id.example";
    options.client_id = "ampacity";
    options.client_secret = "s3 cret";
    options.groups_claim = "groups";
    options.connect = [this](const net::Peer& p) {
      return std::make_unique<FakeProvider::Line>(fake, p.base_url);
    };
    answer(well_known, discovery());
    answer("https://id.example/keys", jwks_of({key}));
    make();
  }
  void make() { provider = std::make_unique<Provider>(options, clock); }
  void answer(const std::string& url, std::string body, int status = 200) {
    fake.answers[url] = {status, "application/json", std::move(body), {}};
  }
  static std::string discovery(const std::string& more = {},
                               const std::string& issuer = "https://id.example") {
    return R"({"issuer":")" + issuer +
           R"(","authorization_endpoint":"https://id.example/auth?tenant=1",)"
           R"("token_endpoint":"https://tokens.example/token","jwks_uri":"https://id.example/keys",)"
           R"("userinfo_endpoint":"https://id.example/me","an_unknown":["thing"])" +
           more + "}";
  }
  std::string token(const std::string& more) const {
    const std::int64_t now = clock.at.us / 1'000'000;
    return key.sign(fmt::format(R"({{"iss":"https://id.example","sub":"u1","aud":"ampacity",)"
                                R"("nonce":"{}","exp":{},"iat":{}{}}})",
                                flow.nonce, now + 300, now, more));
  }
  void hand_out(const std::string& id_token) {
    answer("https://tokens.example/token",
           R"({"id_token":")" + id_token + R"(","access_token":"at-1","token_type":"Bearer"})");
  }
  std::string why(const std::string& issuer = {}) {
    const auto who = provider->redeem("code-1", issuer, flow);
    return who ? "" : who.error().message;
  }
};

constexpr const char* ann =
    R"(,"email":"Ann@Example.org","email_verified":true,"groups":["ml","ops"])";

}  // namespace

TEST_CASE("the way to the provider: code flow, PKCE, state and nonce") {
  ProviderTest t;
  const auto url = t.provider->address_for(t.flow);
  REQUIRE(url);
  CHECK(
      url->starts_with("https://id.example/auth?tenant=1&response_type=code&client_id=ampacity"
                       "&redirect_uri=https%3A%2F%2Fcloud.example%2Fback&scope=openid%20email"));
  for (const std::string& part :
       {"&state=" + t.flow.state, "&nonce=" + t.flow.nonce,
        "&code_challenge=" + challenge_of(t.flow), std::string("&code_challenge_method=S256")})
    CHECK(url->find(part) != std::string::npos);
  CHECK(url->find(t.flow.verifier) == std::string::npos);
  // RFC 7636, appendix B.
  Flow known;
  known.verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
  CHECK(challenge_of(known) == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
}

TEST_CASE("a code for an identity: what is sent, what is believed") {
  ProviderTest t;
  t.hand_out(t.token(ann));
  const auto who = t.provider->redeem("c/1", "", t.flow);
  REQUIRE_MESSAGE(who, who.error().message);
  CHECK(who->name == "ann@example.org");
  CHECK(who->groups == std::vector<std::string>{"ml", "ops"});
  CHECK(t.fake.last.method == "POST");
  CHECK(t.fake.last.body ==
        "grant_type=authorization_code&code=c%2F1&redirect_uri=https%3A%2F%2F"
        "cloud.example%2Fback&code_verifier=" +
            t.flow.verifier);
  CHECK(t.fake.last.header("Authorization") == "Basic YW1wYWNpdHk6czMlMjBjcmV0");
  CHECK(t.fake.asked["https://id.example/me"] == 0);
  CHECK(t.why("https://id.example") == "");
  CHECK(t.why("https://evil.example").find("not from the provider") != std::string::npos);
}

TEST_CASE("what the ID token does not say is asked, and must be about the same person") {
  ProviderTest t;
  t.hand_out(t.token(""));
  t.answer("https://id.example/me",
           R"({"sub":"u1","email":"bob@example.org","email_verified":true})");
  const auto who = t.provider->redeem("code-1", "", t.flow);
  REQUIRE_MESSAGE(who, who.error().message);
  CHECK(who->name == "bob@example.org");
  CHECK(t.fake.last.header("Authorization") == "Bearer at-1");
  t.answer("https://id.example/me",
           R"({"sub":"u2","email":"bob@example.org","email_verified":true})");
  CHECK(t.why().find("two people") != std::string::npos);
  t.answer("https://id.example/me", R"({"sub":"u1"})");
  CHECK(t.why().find("does not say your email") != std::string::npos);
}

TEST_CASE("an address that is not verified, or is none, names nobody") {
  ProviderTest t;
  t.answer("https://id.example/me", R"({"sub":"u1"})");
  for (const auto& [claims, why] : std::vector<std::pair<std::string, std::string>>{
           {R"(,"email":"a@b.c","groups":[])", "not verified"},
           {R"(,"email":"a@b.c","email_verified":false,"groups":[])", "not verified"},
           {R"(,"email":"a@b.c","email_verified":"true","groups":[])", ""},
           {R"(,"email":"a b@c.d","email_verified":true,"groups":[])", "cannot be one"},
           {R"(,"email":"nobody","email_verified":true,"groups":[])", "cannot be one"},
           {R"(,"email":["a@b.c"],"email_verified":true,"groups":[])", "does not say"}}) {
    CAPTURE(claims);
    t.hand_out(t.token(claims));
    if (why.empty())
      CHECK(t.why() == "");
    else
      CHECK(t.why().find(why) != std::string::npos);
  }
}

TEST_CASE("discovery: kept, tried again after a while, refused where it is wrong") {
  ProviderTest t;
  CHECK(t.provider->look());
  CHECK(t.provider->look());
  CHECK(t.fake.asked[well_known] == 1);
  t.clock.at = t.clock.at + kept_for;
  CHECK(t.provider->look());
  CHECK(t.fake.asked[well_known] == 2);

  for (const auto& [document, why] : std::vector<std::pair<std::string, std::string>>{
           {ProviderTest::discovery("", "https://evil.example"), "another issuer"},
           {ProviderTest::discovery(R"(,"code_challenge_methods_supported":["plain"])"), "S256"},
           {R"({"issuer":"https://id.example"})", "lacks"},
           {R"({"issuer":"https://id.example","authorization_endpoint":"https://id.example/a",)"
            R"("token_endpoint":"http://id.example/t","jwks_uri":"https://id.example/k"})",
            "lacks"},
           {"<html>", "not JSON"}}) {
    CAPTURE(document);
    t.make();
    t.answer(well_known, document);
    const auto looked = t.provider->look();
    REQUIRE_FALSE(looked);
    CHECK(looked.error().code == base::Code::unavailable);
    CHECK(looked.error().message.find(why) != std::string::npos);
  }
  t.make();
  t.answer(well_known, "", 302);
  CHECK(t.provider->look().error().message.find("redirect") != std::string::npos);
}

TEST_CASE("a provider that is away is tried twice, and then left in peace for a while") {
  ProviderTest t;
  t.fake.away = true;
  CHECK_FALSE(t.provider->look());
  CHECK(t.fake.asked[well_known] == 2);
  CHECK_FALSE(t.provider->look());
  CHECK(t.fake.asked[well_known] == 2);
  t.fake.away = false;
  t.clock.at = t.clock.at + failed_for;
  CHECK(t.provider->look());
  t.hand_out(t.token(ann));
  t.fake.away = true;  // a code is sent once, whatever becomes of it
  CHECK(t.why().find("try again later") != std::string::npos);
  CHECK(t.fake.asked["https://tokens.example/token"] == 1);
}

TEST_CASE("keys: fetched again for one that is not known, at most so often") {
  ProviderTest t;
  t.hand_out(t.token(ann));
  CHECK(t.why() == "");
  const std::string url = "https://id.example/keys";
  CHECK(t.fake.asked[url] == 1);
  t.key = SigningKey::ec("k2");
  t.hand_out(t.token(ann));
  CHECK(t.why().find("not the provider's") != std::string::npos);
  CHECK(t.fake.asked[url] == 1);
  t.clock.at = t.clock.at + keys_every;
  t.hand_out(t.token(ann));
  CHECK(t.why().find("not the provider's") != std::string::npos);
  CHECK(t.fake.asked[url] == 2);
  t.answer(url, jwks_of({t.key}));
  t.clock.at = t.clock.at + keys_every;
  t.hand_out(t.token(ann));
  CHECK(t.why() == "");
  CHECK(t.fake.asked[url] == 3);
}

TEST_CASE("a client's secret goes where the provider takes it; its refusals are told apart") {
  ProviderTest t;
  t.answer(well_known, ProviderTest::discovery(
                           R"(,"token_endpoint_auth_methods_supported":["client_secret_post"])"));
  t.hand_out(t.token(ann));
  CHECK(t.why() == "");
  CHECK(t.fake.last.header("Authorization").empty());
  CHECK(t.fake.last.body.ends_with("&client_id=ampacity&client_secret=s3%20cret"));
  t.options.client_secret.clear();
  t.make();
  CHECK(t.why() == "");
  CHECK(t.fake.last.body.ends_with("&client_id=ampacity"));

  const std::string url = "https://tokens.example/token";
  t.answer(url, R"({"error":"invalid_grant"})", 400);
  CHECK(t.why().find("was used before") != std::string::npos);
  t.answer(url, R"({"error":"<b>invalid_client</b>"})", 401);
  CHECK(t.why().find("401: binvalid_clientb") != std::string::npos);
  t.answer(url, "{}");
  CHECK(t.why().find("not believed") != std::string::npos);
}

TEST_CASE("addresses of a provider: https, or this machine") {
  for (const char* good : {"https://id.example", "https://id.example:8443/realms/a",
                           "http://127.0.0.1:4000", "http://localhost", "http://[::1]:4000/x"})
    CHECK_MESSAGE(is_provider_url(good), good);
  for (const char* bad :
       {"", "id.example", "http://id.example", "http://localhost.evil.example", "ftp://id.example",
        "https://", "https://a@id.example", "https://id.example?x", "https://id.example/#x",
        "https://id.example/a b", "http://127.0.0.1.evil.example:1"})
    CHECK_MESSAGE(!is_provider_url(bad), bad);
}

TEST_CASE("a sign-in under way opens with the cloud's key alone, for ten minutes") {
  const SetClock clock;
  const std::string key(32, 'k'), other(32, 'o');
  const Flow flow = begin_flow("https://cloud.example/back", "/console/jobs", clock.at);
  const std::string box = seal_flow(key, flow);
  CHECK(box.find(flow.verifier) == std::string::npos);
  const auto open = open_flow(key, box, clock.at);
  REQUIRE(open);
  CHECK(base::to_json(*open) == base::to_json(flow));
  CHECK_FALSE(open_flow(key, box, clock.at + flow_length));
  CHECK_FALSE(open_flow(other, box, clock.at));
  for (const std::string& odd : {std::string(), std::string("!"), box.substr(1), box + "A"})
    CHECK_FALSE(open_flow(key, odd, clock.at));
}

}  // namespace ampacity::oidc
