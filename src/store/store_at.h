// Where a store is: a file of SQLite's, or a database of PostgreSQL's. Never holds a password.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"

namespace ampacity::store {

struct StoreAt {
  StoreAt() = default;
  // A path alone is a file of the operating system's.
  StoreAt(std::filesystem::path path, std::string on = {})
      : file(std::move(path)), vfs(std::move(on)) {}

  std::filesystem::path file;           // state/ampacity.db
  std::string vfs;                      // a registered sqlite3_vfs; empty: the system's
  int pages_before_checkpoint = 1'000;  // 8 MiB of SQLite's log

  std::string postgres;                // postgres://user@host/database; empty: SQLite
  std::filesystem::path password_file; // its first line; empty: PGPASSFILE, PGPASSWORD, or none
  // How long a lost connection is sought anew before the writer gives up.
  base::Duration patience = base::Duration::seconds(30);

  // The office of writer as it was won (store/lease.h); 0: it is taken, where nobody has it.
  std::uint64_t epoch = 0;

  bool on_postgres() const { return !postgres.empty(); }
  std::string name() const { return on_postgres() ? postgres : file.string(); }  // for people
};

// What --store says: postgres://… or a path. A password in it is refused: arguments can be seen.
base::Result<StoreAt> parse_store(std::string_view text,
                                  const std::filesystem::path& password_file = {});

}  // namespace ampacity::store
