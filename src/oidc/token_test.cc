#include "oidc/token.h"

#include <fmt/core.h>

#include "base/crypto.h"
#include "oidc/test_keys.h"

namespace ampacity::oidc {
namespace {

const base::Instant noon = *base::parse_instant("2026-11-22T12:00:00Z");
constexpr std::int64_t noon_s = 1'795'348'800;

struct TokenTest {
  SigningKey rsa = SigningKey::rsa("r1"), ec = SigningKey::ec("e1");
  std::vector<Key> keys = *read_keys(jwks_of({rsa, ec}));
  Expected expected{"https://id.example", "ampacity", "n-0S6", noon};

  std::string why(const std::string& token) const {
    const auto claims = check_token(token, keys, expected);
    return claims ? "" : claims.error().why;
  }
};

// The claims of a right token, one of them replaced by `text` (or, empty, left out).
std::string claims_with(std::string_view name = {}, std::string_view text = {}) {
  std::string out;
  const auto add = [&](std::string_view n, std::string_view value) {
    if (n == name) value = text;
    if (!value.empty()) out += fmt::format("{}\"{}\":{}", out.empty() ? "" : ",", n, value);
  };
  add("iss", "\"https://id.example\"");
  add("sub", "\"u-1\"");
  add("aud", "\"ampacity\"");
  add("nonce", "\"n-0S6\"");
  add("exp", std::to_string(noon_s + 300));
  add("iat", std::to_string(noon_s - 5));
  for (const char* more : {"azp", "nbf"})
    if (name == more) add(more, "");
  return "{" + out + "}";
}

}  // namespace

TEST_CASE("an ID token of either kind is believed, and says what it says") {
  const TokenTest t;
  REQUIRE(t.keys.size() == 2);
  for (const SigningKey* key : {&t.rsa, &t.ec}) {
    const auto claims = check_token(key->sign(claims_with()), t.keys, t.expected);
    REQUIRE_MESSAGE(claims, claims.error().why);
    CHECK(text_of(*claims, "sub") == "u-1");
  }
}

TEST_CASE("claims: what makes a token wrong, and what just does not") {
  const TokenTest t;
  const auto s = [](std::int64_t after) { return std::to_string(noon_s + after); };
  struct Row {
    const char* claim;
    std::string value;
    const char* why;  // empty: it is right
  };
  const std::vector<Row> table = {
      {"iss", "\"https://id.example/\"", "another issuer"},
      {"iss", "", "another issuer"},
      {"iss", "[\"https://id.example\"]", "another issuer"},
      {"aud", "\"another\"", "another client"},
      {"aud", "\"ampacity-2\"", "another client"},
      {"aud", "", "another client"},
      {"aud", "[]", "another client"},
      {"aud", "[\"ampacity\"]", ""},
      {"aud", "[\"ampacity\",\"another\"]", "made for another client"},
      {"azp", "\"ampacity\"", ""},
      {"azp", "\"another\"", "made for another client"},
      {"azp", "7", "made for another client"},
      {"exp", s(-59), ""},
      {"exp", s(-60), "has expired"},
      {"exp", s(-3'600), "has expired"},
      {"exp", "", "when it ends"},
      {"exp", "\"" + s(300) + "\"", "when it ends"},
      {"exp", s(300) + ".5", ""},
      {"exp", "1e300", "when it ends"},
      {"exp", "-1", "when it ends"},
      {"iat", s(60), ""},
      {"iat", s(61), "of the future"},
      {"iat", s(-660), ""},
      {"iat", s(-661), "too long ago"},
      {"iat", "", "when it was made"},
      {"nbf", s(0), ""},
      {"nbf", s(61), "does not count yet"},
      {"nbf", "\"now\"", "does not count yet"},
      {"nonce", "\"n-0S7\"", "not made for this sign-in"},
      {"nonce", "", "not made for this sign-in"},
      {"sub", "", "whom it is of"},
      {"sub", "\"" + std::string(256, 'x') + "\"", "whom it is of"},
  };
  for (const Row& row : table) {
    CAPTURE(row.claim);
    CAPTURE(row.value);
    const std::string why = t.why(t.ec.sign(claims_with(row.claim, row.value)));
    if (*row.why)
      CHECK(why.find(row.why) != std::string::npos);
    else
      CHECK(why == "");
  }
}

TEST_CASE("signatures: another's key, a changed word, an algorithm that is not ours") {
  TokenTest t;
  const std::string good = t.rsa.sign(claims_with());
  const auto parts = [](const std::string& token) {
    const std::size_t a = token.find('.'), b = token.rfind('.');
    return std::array{token.substr(0, a), token.substr(a + 1, b - a - 1), token.substr(b + 1)};
  };
  const auto [head, body, signature] = parts(good);
  const auto joined = [](const std::string& a, const std::string& b, const std::string& c) {
    return a + "." + b + "." + c;
  };
  const std::string other_body = base::to_base64url(claims_with("sub", "\"u-2\""));
  const std::string none = base::to_base64url(R"({"alg":"none"})");
  const std::string hs = base::to_base64url(R"({"alg":"HS256","kid":"r1"})");
  const SigningKey stranger = SigningKey::rsa("r1"), unknown = SigningKey::ec("e2");
  CHECK(t.why(joined(head, other_body, signature)).find("signature") != std::string::npos);
  CHECK(t.why(joined(head, body, parts(t.rsa.sign(claims_with("sub", "\"u-2\"")))[2]))
            .find("signature") != std::string::npos);
  CHECK(t.why(stranger.sign(claims_with())).find("signature") != std::string::npos);
  for (const std::string& token :
       {joined(none, body, ""), joined(none, body, signature), joined(hs, body, signature),
        joined(head, body, ""), std::string(), std::string("a.b.c"), good + ".x",
        std::string(longest_token + 1, 'a')})
    CHECK(t.why(token) != "");
  for (const char* alg : {"RS384", "RS512", "PS256"})
    CHECK(t.why(t.rsa.sign_as(alg, claims_with())).find("RS256, ES256") != std::string::npos);
  CHECK(t.why(t.rsa.sign_as("RS256", claims_with(), R"(["exp"])")).find("not known here") !=
        std::string::npos);
  // A key that is not known yet is told apart: the provider may have made a new one.
  const auto fresh = check_token(unknown.sign(claims_with()), t.keys, t.expected);
  REQUIRE_FALSE(fresh);
  CHECK(fresh.error().unknown_key);
  t.keys = *read_keys(jwks_of({t.rsa, t.ec, unknown}));
  CHECK(t.why(unknown.sign(claims_with())) == "");
}

TEST_CASE("a token without a key's name is tried with every key of its kind") {
  TokenTest t;
  const SigningKey nameless = SigningKey::ec("");
  CHECK(t.why(nameless.sign(claims_with())).find("signature") != std::string::npos);
  t.keys = *read_keys(jwks_of({t.rsa, t.ec, nameless}));
  CHECK(t.why(nameless.sign(claims_with())) == "");
}

TEST_CASE("keys: only those that sign what is accepted are taken") {
  const auto count = [](const std::string& jwks) { return read_keys(jwks)->size(); };
  CHECK(count(jwks_of({SigningKey::rsa("small", 1024)})) == 0);
  CHECK(count(jwks_of({SigningKey::ec("p384", CJOSE_JWK_EC_P_384)})) == 0);
  std::string encrypts = SigningKey::ec("e").jwk();
  encrypts.insert(encrypts.size() - 1, R"(,"use":"enc")");
  CHECK(count("{\"keys\":[" + encrypts + "]}") == 0);
  CHECK(count(R"({"keys":[{"kty":"oct","k":"c2VjcmV0"},{"kty":"RSA"},7,{}]})") == 0);
  for (const char* odd : {"", "[]", "{}", R"({"keys":{}})", "not json"})
    CHECK_FALSE(read_keys(odd));
}

}  // namespace ampacity::oidc
