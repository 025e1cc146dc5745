#include "engines/slurm_token.h"

#include <fmt/core.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iterator>

#include "base/crypto.h"

namespace ampacity::engines {
namespace {

constexpr base::Duration kLife = base::Duration::seconds(900);
constexpr base::Duration kReadAgain = base::Duration::seconds(10);
constexpr std::size_t kMostTokenBytes = 64 << 10;

std::string base64url(std::string_view bytes) {
  std::string out = base::to_base64(bytes);
  out.erase(std::find(out.begin(), out.end(), '='), out.end());
  std::ranges::replace(out, '+', '-');
  std::ranges::replace(out, '/', '_');
  return out;
}

base::Try<std::string> read_secret(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return base::fault("cannot read " + path.string());
  std::string bytes((std::istreambuf_iterator<char>(in)), {});
  if (bytes.empty() || bytes.size() > kMostTokenBytes)
    return base::fault(path.string() + " is empty or too long");
  return bytes;
}

}  // namespace

std::string mint_slurm_token(std::string_view key, std::string_view user, base::Instant now,
                             base::Duration life) {
  const std::int64_t at = now.us / 1'000'000;
  const std::string head = base64url(R"({"alg":"HS256","typ":"JWT"})");
  const std::string claims = base64url(
      fmt::format(R"({{"exp":{},"iat":{},"sun":"{}"}})", at + life.whole_seconds(), at, user));
  const base::Digest mac = base::hmac_sha256(key, head + "." + claims);
  return head + "." + claims + "." +
         base64url({reinterpret_cast<const char*>(mac.data()), mac.size()});
}

base::Try<std::string> SlurmToken::obtain(base::Instant now) const {
  if (!from_.key_file.empty()) {
    auto key = read_secret(from_.key_file);
    if (!key) return std::unexpected(key.error());
    return mint_slurm_token(*key, from_.user, now, kLife);
  }
  std::string token;
  if (!from_.file.empty()) {
    auto read = read_secret(from_.file);
    if (!read) return std::unexpected(read.error());
    token = std::move(*read);
  } else if (const char* value = std::getenv(from_.env.c_str())) {
    token = value;
  }
  // As `scontrol token` prints it, too: SLURM_JWT=…
  if (token.starts_with("SLURM_JWT=")) token.erase(0, 10);
  while (!token.empty() && (token.back() == '\n' || token.back() == '\r' || token.back() == ' '))
    token.pop_back();
  if (token.empty() || token.find_first_of(" \r\n") != std::string::npos)
    return base::fault(from_.file.empty() ? "the variable " + from_.env + " holds no token"
                                          : from_.file.string() + " holds no token");
  return token;
}

base::Try<std::vector<net::Header>> SlurmToken::headers(base::Instant now) {
  std::vector<net::Header> headers;
  if (!from_.user.empty()) headers.push_back({"X-SLURM-USER-NAME", from_.user});
  if (from_.file.empty() && from_.env.empty() && from_.key_file.empty()) return headers;
  const base::Guard lock(mutex_);
  if (token_.empty() || now >= good_until_) {
    auto token = obtain(now);
    if (!token) return std::unexpected(token.error());
    token_ = std::move(*token);
    good_until_ = now + (from_.key_file.empty() ? kReadAgain : base::Duration{kLife.us / 2});
  }
  headers.push_back({"X-SLURM-USER-TOKEN", token_});
  return headers;
}

}  // namespace ampacity::engines
