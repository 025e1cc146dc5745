#include "server/secrets.h"

#include <fcntl.h>
#include <unistd.h>

#include <fstream>
#include <map>
#include <sstream>

#include "base/crypto.h"
#include "base/json.h"

namespace ampacity::server {
// Written whole or not at all, whenever the machine stops: a new file, synced, then renamed.
base::Try<void> write_private(const std::filesystem::path& path, const std::string& bytes) {
  const std::string fresh = path.string() + ".new";
  const int fd = ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0) return base::fault("cannot make " + fresh);
  const bool whole = ::write(fd, bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size());
  const bool synced = ::fsync(fd) == 0;
  ::close(fd);
  if (!whole || !synced || ::rename(fresh.c_str(), path.c_str()) != 0)
    return base::fault("cannot write " + path.string());
  const auto directory = std::filesystem::absolute(path).parent_path();
  if (const int d = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); d >= 0) {
    ::fsync(d);
    ::close(d);
  }
  return {};
}

base::Try<Secrets> Secrets::open_file(const std::filesystem::path& path) {
  if (!std::filesystem::exists(path)) {
    auto made = write_private(path, base::random_bytes(32));
    if (!made) return std::unexpected(made.error());
  }
  std::ifstream in(path, std::ios::binary);
  std::stringstream text;
  text << in.rdbuf();
  std::string secret = text.str();
  if (secret.size() != 32) return base::fault(path.string() + " is not 32 bytes");
  return Secrets(std::move(secret));
}

std::string Secrets::key_for(const std::string& purpose) const {
  const base::Digest d = base::hmac_sha256(secret_, purpose);
  return {reinterpret_cast<const char*>(d.data()), d.size()};
}

std::string Secrets::pepper() const { return key_for("api-keys"); }

std::string Secrets::sign_in_key() const { return key_for("sign-in"); }

std::string Secrets::webhook_key(base::Id webhook) const {
  return key_for("webhook-" + base::format_bare_id(webhook));
}

std::string Secrets::seal(core::OrgIx org, const Env& env) const {
  return base::seal(key_for("env-of-org-" + std::to_string(org)),
                    base::to_json(std::map<std::string, std::string>(env.begin(), env.end())));
}

base::Try<Env> Secrets::unseal(core::OrgIx org, const std::string& box) const {
  const auto plain = base::unseal(key_for("env-of-org-" + std::to_string(org)), box);
  if (!plain)
    return base::fault("a sealed environment does not open with this state directory's secret");
  const auto env = base::from_json<std::map<std::string, std::string>>(*plain);
  if (!env) return base::fault("a sealed environment is not what was sealed");
  return Env(env->begin(), env->end());
}

}  // namespace ampacity::server
