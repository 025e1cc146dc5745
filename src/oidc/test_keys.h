// For tests: keys made in the test, and ID tokens signed with them.
#pragma once

#include <cjose/header.h>
#include <cjose/jws.h>
#include <cjose/util.h>
#include <doctest/doctest.h>

#include <memory>
#include <string>

namespace ampacity::oidc {

class SigningKey {
 public:
  static SigningKey rsa(const std::string& id, std::size_t bits = 2048) {
    cjose_err error{};
    return {cjose_jwk_create_RSA_random(bits, nullptr, 0, &error), id, "RS256"};
  }
  static SigningKey ec(const std::string& id, cjose_jwk_ec_curve curve = CJOSE_JWK_EC_P_256) {
    cjose_err error{};
    return {cjose_jwk_create_EC_random(curve, &error), id, "ES256"};
  }
  // The public one, as in a JWKS.
  std::string jwk() const {
    cjose_err error{};
    char* json = cjose_jwk_to_json(key_.get(), false, &error);
    REQUIRE(json);
    std::string out(json);
    cjose_get_dealloc()(json);
    return out;
  }
  std::string sign(const std::string& claims) const { return sign_as(alg_, claims); }
  std::string sign_as(const std::string& alg, const std::string& claims,
                      const std::string& critical = {}) const {
    cjose_err error{};
    cjose_header_t* header = cjose_header_new(&error);
    REQUIRE(cjose_header_set(header, CJOSE_HDR_ALG, alg.c_str(), &error));
    if (!id_.empty()) REQUIRE(cjose_header_set(header, CJOSE_HDR_KID, id_.c_str(), &error));
    if (!critical.empty()) REQUIRE(cjose_header_set_raw(header, "crit", critical.c_str(), &error));
    cjose_jws_t* jws =
        cjose_jws_sign(key_.get(), header, reinterpret_cast<const std::uint8_t*>(claims.data()),
                       claims.size(), &error);
    REQUIRE_MESSAGE(jws, alg);
    const char* text = nullptr;
    REQUIRE(cjose_jws_export(jws, &text, &error));
    std::string out(text);
    cjose_jws_release(jws);
    cjose_header_release(header);
    return out;
  }

 private:
  SigningKey(cjose_jwk_t* key, std::string id, std::string alg)
      : key_(key, [](cjose_jwk_t* k) { (void)cjose_jwk_release(k); }),
        id_(std::move(id)),
        alg_(std::move(alg)) {
    REQUIRE(key);
    cjose_err error{};
    if (!id_.empty()) REQUIRE(cjose_jwk_set_kid(key, id_.c_str(), id_.size(), &error));
  }
  std::shared_ptr<cjose_jwk_t> key_;
  std::string id_, alg_;
};

inline std::string jwks_of(std::initializer_list<SigningKey> keys) {
  std::string out;
  for (const SigningKey& k : keys) out += (out.empty() ? "" : ",") + k.jwk();
  return "{\"keys\":[" + out + "]}";
}

}  // namespace ampacity::oidc
