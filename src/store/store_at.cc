#include "store/store_at.h"

#include <libpq-fe.h>

#include <memory>

namespace ampacity::store {
namespace {

struct FreeOptions {
  void operator()(PQconninfoOption* o) const { PQconninfoFree(o); }
};

}  // namespace

base::Result<StoreAt> parse_store(std::string_view text,
                                  const std::filesystem::path& password_file) {
  StoreAt at;
  at.password_file = password_file;
  const bool url = text.starts_with("postgres://") || text.starts_with("postgresql://");
  if (!url) {
    if (text.find("://") != std::string_view::npos)
      return base::refuse_field("--store", "must be postgres://… or a path, got " +
                                               std::string(text.substr(0, text.find(':'))) +
                                               "://…");
    if (!password_file.empty())
      return base::refuse_field("--store-password-file", "is for a store on postgres://…");
    at.file = std::filesystem::absolute(text).lexically_normal();
    return at;
  }
  at.postgres = text;
  char* error = nullptr;
  const std::unique_ptr<PQconninfoOption, FreeOptions> options(
      PQconninfoParse(at.postgres.c_str(), &error));
  const std::unique_ptr<char, void (*)(void*)> freed(error, PQfreemem);
  // Its message quotes the text, and a password may be in it.
  if (!options)
    return base::refuse_field(
        "--store",
        "is not a PostgreSQL URL; write postgres://user@host:5432/database, or "
        "postgres:///database?host=/var/run/postgresql for a socket");
  for (const PQconninfoOption* o = options.get(); o->keyword; ++o) {
    const std::string_view name = o->keyword;
    if (o->val && *o->val && (name == "password" || name == "sslpassword"))
      return base::refuse_field(
          "--store",
          "has a password in it, which everybody on this host can read; take it out and "
          "give it by --store-password-file, PGPASSFILE or PGPASSWORD");
  }
  return at;
}

}  // namespace ampacity::store
