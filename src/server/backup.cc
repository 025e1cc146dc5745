#include "server/backup.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <unistd.h>

#include <fstream>
#include <iterator>

#include "base/json.h"
#include "server/secrets.h"
#include "store/backup.h"
#include "store/copy.h"

namespace ampacity::server {
namespace {

namespace fs = std::filesystem;

constexpr const char* store_name = "ampacity.db";
constexpr const char* note_name = "backup.json";
constexpr std::size_t note_bytes_max = 64 << 10;

constexpr std::size_t private_bytes_max = 64 << 10;
constexpr const char* secret_name = "secret";

fs::path secret_of(const Config& c) {
  return c.secret_file.empty() ? c.state / secret_name : c.secret_file;
}

// What is private beside the store, in a backup and here: without the first no key opens, without
// the second clients that pinned the server's key refuse it.
std::vector<std::pair<const char*, fs::path>> private_files(const Config& c) {
  return {{secret_name, secret_of(c)}, {"tls/key.pem", c.state / "tls" / "key.pem"}};
}

std::string read_whole(const fs::path& file, std::size_t most) {
  std::ifstream in(file, std::ios::binary);
  std::string bytes(most + 1, '\0');
  in.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  bytes.resize(static_cast<std::size_t>(in.gcount()));
  return bytes.size() > most ? std::string() : bytes;
}

// What a first file of two may be without is not left behind.
class Removed {
 public:
  explicit Removed(fs::path path) : path_(std::move(path)) {}
  ~Removed() {
    std::error_code ignored;
    if (!kept_) fs::remove_all(path_, ignored);
  }
  Removed(const Removed&) = delete;
  Removed& operator=(const Removed&) = delete;
  void keep() { kept_ = true; }

 private:
  fs::path path_;
  bool kept_ = false;
};

base::Try<void> moved(const fs::path& from, const fs::path& to) {
  std::error_code error;
  fs::rename(from, to, error);
  if (error) return base::fault(to.string() + ": " + error.message(), false);
  if (const int d = ::open(to.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); d >= 0) {
    ::fsync(d);
    ::close(d);
  }
  return {};
}

base::Try<store::CopyNote> read_note(const fs::path& folder) {
  const fs::path file = folder / note_name;
  if (!fs::exists(file))
    return base::fault(folder.string() + " is no backup: it has no " + note_name, false);
  auto note = base::from_json<store::CopyNote>(read_whole(file, note_bytes_max));
  if (!note) return base::fault(file.string() + ": " + note.error().message, false);
  return std::move(*note);
}

base::Try<void> copied(const fs::path& from, const fs::path& to) {
  std::error_code error;
  fs::copy_file(from, to, error);
  if (error) return base::fault(to.string() + ": " + error.message(), false);
  fs::permissions(to, fs::perms::owner_read | fs::perms::owner_write, error);
  return {};
}

base::Try<void> copy_private(const fs::path& from, const fs::path& to) {
  const std::string bytes = read_whole(from, private_bytes_max);
  if (bytes.empty()) return base::fault(from.string() + " is empty or too long", false);
  std::error_code error;
  if (fs::create_directories(to.parent_path(), error))
    fs::permissions(to.parent_path(), fs::perms::owner_all, error);
  if (error) return base::fault(to.parent_path().string() + ": " + error.message(), false);
  return write_private(to, bytes);
}

base::Try<void> check_private(const Config& c) {
  for (const auto& [name, to] : private_files(c)) {
    const fs::path from = c.backup / name;
    if (fs::exists(from) && fs::exists(to) &&
        read_whole(from, private_bytes_max) != read_whole(to, private_bytes_max))
      return base::fault(to.string() + " is another cloud's: move it away first", false);
  }
  return {};
}

// Into a database, which must be empty, its rows are copied, and compared once more.
base::Try<void> put_into_place(const fs::path& proven, const store::StoreAt& at) {
  if (!at.on_postgres()) return moved(proven, at.file);
  if (auto copied = store::copy_store(proven, at); !copied) return std::unexpected(copied.error());
  return {};
}

std::string about_secret(const Config& c) {
  if (fs::exists(c.backup / secret_name)) return "the secret was restored too";
  if (fs::exists(secret_of(c))) return "the secret that is there was left as it is";
  return "NO SECRET: the backup has none. Put the old one to " + secret_of(c).string() +
         " (mode 0600) before the first start: without it no API key opens";
}

}  // namespace

base::Try<void> back_up(const Config& c, base::Clock& clock) {
  if (!c.store.on_postgres() && !fs::exists(c.store.file))
    return base::fault(c.store.name() + " is not there: nothing to back up", false);
  if (fs::exists(c.backup))
    return base::fault(c.backup.string() + " is there already: name a new folder", false);
  const fs::path fresh = c.backup.string() + ".unfinished";
  std::error_code error;
  fs::remove_all(fresh, error);
  fs::create_directories(fresh, error);
  if (error) return base::fault(fresh.string() + ": " + error.message(), false);
  Removed removed(fresh);
  fs::permissions(fresh, fs::perms::owner_all, error);
  auto note = store::back_up_store(c.store, fresh / store_name, clock.now());
  if (!note) return std::unexpected(note.error());
  for (const auto& [name, from] : private_files(c))
    if (c.with_secret && fs::exists(from))
      if (auto r = copy_private(from, fresh / name); !r) return r;
  if (auto r = write_private(fresh / note_name, base::to_json(*note) + "\n"); !r) return r;
  if (auto r = moved(fresh, c.backup); !r) return r;
  removed.keep();
  fmt::print("backup of {} in {}: {} facts, {} bytes\nworld {}\nread models {}\nchain {}\n",
             c.store.name(), c.backup.string(), note->sequence, note->bytes, note->world,
             note->read_models, note->chain);
  if (!c.with_secret)
    fmt::print("without the secret: keep a copy of {} elsewhere, or say --with-secret\n",
               secret_of(c).string());
  return {};
}

base::Try<void> restore(const Config& c) {
  if (!c.store.on_postgres() && fs::exists(c.store.file))
    return base::fault(
        c.store.name() + " is there: a restore goes into a state directory without a store", false);
  auto note = read_note(c.backup);
  if (!note) return std::unexpected(note.error());
  if (auto r = store::check_bytes(c.backup / store_name, *note); !r) return r;
  if (auto r = check_private(c); !r) return r;
  std::error_code error;
  fs::create_directories(c.state, error);
  if (error) return base::fault(c.state.string() + ": " + error.message(), false);
  fs::permissions(c.state, fs::perms::owner_all, error);
  const fs::path home = c.store.on_postgres() ? c.state / store_name : c.store.file;
  const fs::path trying = home.string() + ".restoring";
  fs::remove_all(trying, error);
  fs::create_directories(trying, error);
  const Removed removed(trying);
  if (auto r = copied(c.backup / store_name, trying / store_name); !r) return r;
  auto proof = store::prove_copy(trying / store_name, *note);
  if (!proof) return std::unexpected(proof.error());
  for (const auto& [name, to] : private_files(c))
    if (fs::exists(c.backup / name))
      if (auto r = copy_private(c.backup / name, to); !r) return r;
  if (auto r = put_into_place(trying / store_name, c.store); !r) return r;
  fmt::print(
      "restored {} facts of {} into {}\nworld {}: {}\nread models {}: equal\nchain {}: equal\n{}\n",
      proof->facts, base::format_instant(note->made_at), c.store.name(), proof->world,
      proof->same_release ? "equal" : "folded anew (the backup is of an older release)",
      proof->read_models, note->chain, about_secret(c));
  return {};
}

}  // namespace ampacity::server
