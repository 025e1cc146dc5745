#include "oidc/token.h"

#include <cjose/header.h>
#include <cjose/jws.h>
#include <cjose/util.h>

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <cmath>
#include <cstdlib>
#include <memory>

#include "base/crypto.h"
#include "base/json.h"

namespace ampacity::oidc {
namespace {

constexpr std::size_t fewest_rsa_bits = 2048;

struct FreeJws {
  void operator()(cjose_jws_t* jws) const { cjose_jws_release(jws); }
};
struct FreeJwk {
  void operator()(cjose_jwk_t* jwk) const { (void)cjose_jwk_release(jwk); }
};
using Jws = std::unique_ptr<cjose_jws_t, FreeJws>;
using Jwk = std::unique_ptr<cjose_jwk_t, FreeJwk>;

std::unexpected<Untrusted> no(std::string why, bool unknown_key = false) {
  return std::unexpected(Untrusted{std::move(why), unknown_key});
}

Jwk import_key(const std::string& json) {
  cjose_err error{};
  return Jwk(cjose_jwk_import(json.data(), json.size(), &error));
}

// What a key of this kind signs with, if it is one we take.
std::string_view alg_of(const boost::json::object& key, const std::string& json) {
  const std::string_view kty = text_of(key, "kty");
  const Jwk jwk = kty == "RSA" || kty == "EC" ? import_key(json) : nullptr;
  if (!jwk) return {};
  cjose_err error{};
  if (kty == "RSA")
    return cjose_jwk_get_keysize(jwk.get(), &error) >= fewest_rsa_bits ? "RS256" : "";
  return text_of(key, "crv") == "P-256" ? "ES256" : "";
}

// Seconds since 1970, as JSON's numbers may be written.
std::optional<base::Instant> instant_of(const boost::json::object& claims, std::string_view name) {
  constexpr double farthest = 1e11;
  const auto* value = claims.if_contains(name);
  double s = -1;
  if (value && value->is_double()) s = value->get_double();
  if (value && value->is_int64()) s = static_cast<double>(value->get_int64());
  if (value && value->is_uint64()) s = static_cast<double>(value->get_uint64());
  if (!std::isfinite(s) || s < 0 || s > farthest) return std::nullopt;
  return base::Instant{} + base::Duration::seconds(static_cast<std::int64_t>(s));
}

// How many it is for; nullopt: not for us.
std::optional<std::size_t> audience(const boost::json::object& claims, std::string_view us) {
  const auto* aud = claims.if_contains("aud");
  if (!aud) return std::nullopt;
  if (aud->is_string() && aud->get_string() == us) return 1;
  if (!aud->is_array()) return std::nullopt;
  for (const auto& one : aud->get_array())
    if (one.is_string() && one.get_string() == us) return aud->get_array().size();
  return std::nullopt;
}

// The first thing that is wrong with it, or nothing.
std::string wrong_with(const boost::json::object& claims, const Expected& e) {
  if (text_of(claims, "iss") != e.issuer) return "is of another issuer";
  const auto readers = audience(claims, e.client_id);
  if (!readers) return "is for another client";
  const bool named = claims.contains("azp");
  if ((*readers > 1 || named) && text_of(claims, "azp") != e.client_id)
    return "was made for another client";
  const auto expires = instant_of(claims, "exp"), made = instant_of(claims, "iat");
  if (!expires) return "does not say when it ends";
  if (*expires + clock_skew <= e.now) return "has expired";
  if (!made) return "does not say when it was made";
  if (*made > e.now + clock_skew) return "is of the future: a clock is wrong, there or here";
  if (*made + oldest_token + clock_skew < e.now) return "was made too long ago";
  if (claims.contains("nbf")) {
    const auto begins = instant_of(claims, "nbf");
    if (!begins || *begins > e.now + clock_skew) return "does not count yet";
  }
  const std::string_view nonce = text_of(claims, "nonce");
  if (e.nonce.empty() || !base::equal_constant_time(base::sha256(nonce), base::sha256(e.nonce)))
    return "was not made for this sign-in";
  const std::string_view sub = text_of(claims, "sub");
  if (sub.empty() || sub.size() > 255) return "does not say whom it is of";
  return {};
}

std::string header_text(cjose_header_t* header, const char* name) {
  cjose_err error{};
  const char* text = header ? cjose_header_get(header, name, &error) : nullptr;
  return text ? text : "";
}

bool has_critical(cjose_header_t* header) {
  cjose_err error{};
  char* raw = cjose_header_get_raw(header, "crit", &error);
  const bool there = raw != nullptr;
  if (there) cjose_get_dealloc()(raw);
  return there;
}

}  // namespace

std::string_view text_of(const boost::json::object& object, std::string_view name) {
  const auto* value = object.if_contains(name);
  return value && value->is_string() ? std::string_view(value->get_string()) : std::string_view{};
}

base::Try<std::vector<Key>> read_keys(std::string_view jwks) {
  const auto document = base::parse_json(jwks);
  const auto* list =
      document && document->is_object() ? document->get_object().if_contains("keys") : nullptr;
  if (!list || !list->is_array()) return base::fault("its keys are not a JWKS document", false);
  std::vector<Key> keys;
  for (const auto& item : list->get_array()) {
    if (!item.is_object() || keys.size() >= most_keys) continue;
    const auto& key = item.get_object();
    const std::string_view use = text_of(key, "use"), alg = text_of(key, "alg");
    if (!use.empty() && use != "sig") continue;
    std::string json = boost::json::serialize(key);
    const std::string_view signs = alg_of(key, json);
    if (signs.empty() || (!alg.empty() && alg != signs)) continue;
    keys.push_back({std::string(text_of(key, "kid")), std::string(signs), std::move(json)});
  }
  return keys;
}

std::expected<boost::json::object, Untrusted> check_token(std::string_view token,
                                                          const std::vector<Key>& keys,
                                                          const Expected& expected) {
  if (token.size() > longest_token) return no("is too long");
  cjose_err error{};
  const Jws jws(cjose_jws_import(token.data(), token.size(), &error));
  if (!jws) return no("is not a signed token");
  cjose_header_t* header = cjose_jws_get_protected(jws.get());
  const std::string alg = header_text(header, CJOSE_HDR_ALG);
  const std::string id = header_text(header, CJOSE_HDR_KID);
  if (alg != "RS256" && alg != "ES256")
    return no("is not signed in a way that is accepted here (RS256, ES256)");
  if (has_critical(header)) return no("asks for something that is not known here");
  bool known = false, right = false;
  for (const Key& key : keys) {
    if (key.alg != alg || (!id.empty() && key.id != id)) continue;
    known = true;
    const Jwk jwk = import_key(key.jwk);
    right = jwk && cjose_jws_verify(jws.get(), jwk.get(), &error);
    if (right) break;
  }
  if (!known) return no("is signed with a key that is not the provider's", true);
  if (!right) return no("has a signature that is not the provider's");
  std::uint8_t* bytes = nullptr;
  std::size_t size = 0;
  if (!cjose_jws_get_plaintext(jws.get(), &bytes, &size, &error)) return no("says nothing");
  auto said = base::parse_json({reinterpret_cast<const char*>(bytes), size});
  if (!said || !said->is_object()) return no("is not JSON");
  if (std::string why = wrong_with(said->get_object(), expected); !why.empty())
    return no(std::move(why));
  return std::move(said->get_object());
}

}  // namespace ampacity::oidc
