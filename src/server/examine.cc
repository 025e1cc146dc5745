#include "server/examine.h"

#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <iterator>

#include "api/price_file.h"
#include "server/identity.h"
#include "server/inventory.h"
#include "server/sign_in.h"
#include "store/backup.h"
#include "store/migrations.h"
#include "store/moved.h"

namespace ampacity::server {
namespace {

namespace fs = std::filesystem;

// The nearest folder that is there must let us make the rest.
bool can_be_made(fs::path path) {
  while (!path.empty() && !fs::exists(path) && path != path.parent_path())
    path = path.parent_path();
  return ::access(path.c_str(), W_OK | X_OK) == 0;
}

void examine_state(const Config& c, Examined& out) {
  if (!fs::exists(c.state)) {
    if (!can_be_made(c.state))
      out.wrong.push_back("--state: " + c.state.string() + " cannot be made");
    out.notes.push_back(c.state.string() +
                        " is not there: the first start makes it, and the operator's key");
    return;
  }
  struct stat st {};
  if (stat(c.state.c_str(), &st) != 0 || !S_ISDIR(st.st_mode)) {
    out.wrong.push_back("--state: " + c.state.string() + " is not a directory");
    return;
  }
  if (::access(c.state.c_str(), R_OK | W_OK | X_OK) != 0)
    out.wrong.push_back("--state: " + c.state.string() + " cannot be written by this user");
  if ((st.st_mode & 077) != 0)
    out.notes.push_back(c.state.string() +
                        " is open to others; the next start closes it (mode 0700)");
}

void examine_store(const Config& c, Examined& out) {
  if (c.store.on_postgres()) {
    if (c.secret_file.empty())
      out.notes.push_back(
          "without --secret-file each server makes a secret of its own: servers of one cloud need "
          "the same");
  } else if (!fs::exists(c.store.file)) {
    return;
  }
  store::StoreAt at = c.store;
  at.patience = base::Duration::seconds(1);
  const auto schema = store::schema_of(at);
  const int ours = store::migrations().back().version;
  if (!schema)
    out.wrong.push_back(c.store.name() + ": " + schema.error().message);
  else if (*schema > ours)
    out.wrong.push_back(
        fmt::format("the store is of a newer release (migration {}, this program's last is {}): "
                    "run that",
                    *schema, ours));
  else if (*schema > 0 && *schema < ours)
    out.notes.push_back(fmt::format(
        "the store will be upgraded from migration {} to {}: make a backup first", *schema, ours));
  if (!schema || *schema == 0) return;
  if (auto db = store::Database::open(at, store::Database::Mode::read))
    if (const auto here = store::check_not_moved(*db, at); !here)
      out.wrong.push_back(here.error().message);
}

// The provider's being away for the moment is no fault of the configuration's.
void examine_sign_in(const Config& c, Examined& out) {
  if (c.oidc.issuer.empty()) return;
  auto secret = client_secret(c.oidc);
  if (!secret) out.wrong.push_back(secret.error().message);
  struct stat st {};
  if (const auto& file = c.oidc.client_secret_file;
      !file.empty() && stat(file.c_str(), &st) == 0 && (st.st_mode & 077) != 0)
    out.notes.push_back("--oidc-client-secret-file: " + file.string() +
                        " is open to others: chmod 600");
  if (!secret) return;
  base::SystemClock clock;
  oidc::Provider provider(provider_options(c.oidc, ""), clock);
  if (const auto there = provider.look(); !there)
    out.notes.push_back("--oidc-issuer: " + there.error().message);
}

void examine_files(const Config& c, Examined& out) {
  const auto folder = [&](const char* option, const fs::path& path) {
    if (!path.empty() && !fs::is_directory(path))
      out.wrong.push_back(fmt::format("{}: {} is not a directory", option, path.string()));
  };
  folder("--images", c.images);
  folder("--payments", c.payments);
  for (const auto& [option, path] :
       {std::pair{"--owner-key-file", c.owner_key_file}, std::pair{"--port-file", c.port_file},
        std::pair{"--log-file", c.log_file}})
    if (!path.empty() && !can_be_made(fs::absolute(path).parent_path()))
      out.wrong.push_back(fmt::format("{}: {} cannot be written", option, path.string()));
  if (!c.secret_file.empty() && fs::exists(c.secret_file) && fs::file_size(c.secret_file) != 32)
    out.wrong.push_back("--secret-file: " + c.secret_file.string() + " is not 32 bytes");
  if (!c.prices.empty()) {
    std::ifstream in(c.prices);
    const std::string yaml((std::istreambuf_iterator<char>(in)), {});
    if (const auto book = api::parse_price_file(yaml); !book)
      out.wrong.push_back(fmt::format("--prices: {}: {}", c.prices.string(), book.error().message));
  }
  examine_sign_in(c, out);
  for (const std::string& text : c.emulate)
    if (const auto e = parse_emulation(text); !e) out.wrong.push_back(e.error().message);
  if (c.engine == EngineChoice::docker && !fs::exists(c.docker_socket))
    out.wrong.push_back("--docker-socket: " + c.docker_socket + " is not there");
}

}  // namespace

Examined examine_all(const Config& c, base::Clock& clock) {
  Examined out;
  examine_state(c, out);
  examine_store(c, out);
  examine_files(c, out);
  if (const auto tls = check_identity(c, clock); !tls)
    out.wrong.push_back("TLS: " + tls.error().message);
  return out;
}

int report_check(const Examined& examined) {
  for (const std::string& note : examined.notes) std::printf("note: %s\n", note.c_str());
  for (const std::string& why : examined.wrong) std::printf("wrong: %s\n", why.c_str());
  if (examined.wrong.empty()) std::printf("ok\n");
  return examined.wrong.empty() ? 0 : 2;
}

}  // namespace ampacity::server
