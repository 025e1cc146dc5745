// API keys: no header but the one of a key that was made is let in, and what is stored of a key may
// be anything. The input: an Authorization header, a NUL, and a stored hash.
#include "base/fuzz_input.h"
#include "server/keys.h"

namespace base = ampacity::base;
namespace core = ampacity::core;
namespace server = ampacity::server;

namespace {

constexpr std::string_view pepper = "a pepper of the fuzz target's own";

// As make_key does, without the randomness.
std::string key_of(char lookup, char secret) {
  const std::string body = "amp_" + std::string(8, lookup) + std::string(24, secret);
  return body + "_" + base::checksum_base62(body);
}

core::Key stored(const std::string& key, std::uint64_t id, bool revoked) {
  core::Key k;
  k.id = {1, id};
  k.lookup = key.substr(4, 8);
  k.hash = base::to_hex(base::hmac_sha256(pepper, key));
  k.revoked = revoked;
  return k;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const std::string good = key_of('A', 'b'), revoked = key_of('R', 'c');
  base::FuzzInput input(data, size);
  const std::string header(input.until(std::string_view("\0", 1)));
  server::KeyRing ring{std::string(pepper)};
  core::Key odd = stored(good, 3, false);
  odd.lookup = "ZZZZZZZZ";
  odd.hash = input.rest();
  ring.put(odd);
  ring.put(stored(good, 1, false));
  ring.put(stored(revoked, 2, true));
  const auto caller = ring.verify(header);
  CHECK_THAT(caller.has_value() == (header == "Bearer " + good), "let in, or kept out, by mistake");
  if (!caller) {
    CHECK_THAT(caller.error().code == base::Code::unauthenticated, "refused as something else");
    CHECK_THAT(!caller.error().message.contains(good), "a refusal that tells the key");
  }
  return 0;
}
