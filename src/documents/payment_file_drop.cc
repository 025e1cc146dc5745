#include "documents/payment_file_drop.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace ampacity::documents {
namespace {

namespace fs = std::filesystem;

struct File {
  int fd = -1;
  ~File() {
    if (fd >= 0) ::close(fd);
  }
};

std::unexpected<base::Fault> failed(const char* what, const fs::path& path) {
  return base::fault(std::string(what) + " " + path.string() + ": " + std::strerror(errno));
}

base::Try<void> sync_folder(const fs::path& folder) {
  const File at{::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  if (at.fd < 0 || ::fsync(at.fd) != 0) return failed("cannot sync", folder);
  return {};
}

base::Try<void> write_whole(const fs::path& path, std::string_view text) {
  const fs::path draft = path.parent_path() / ("." + path.filename().string() + ".tmp");
  {
    const File to{
        ::open(draft.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0640)};
    if (to.fd < 0) return failed("cannot write", draft);
    while (!text.empty()) {
      const ssize_t n = ::write(to.fd, text.data(), text.size());
      if (n < 0 && errno == EINTR) continue;
      if (n <= 0) return failed("cannot write", draft);
      text.remove_prefix(static_cast<std::size_t>(n));
    }
    if (::fsync(to.fd) != 0) return failed("cannot sync", draft);
  }
  if (::rename(draft.c_str(), path.c_str()) != 0) return failed("cannot rename", draft);
  return sync_folder(path.parent_path());
}

// At most one byte more than a message may have. nullopt: not a plain file (any more).
base::Try<std::optional<std::string>> read_plain(const fs::path& path) {
  const File from{::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)};
  if (from.fd < 0) {
    if (errno == ENOENT || errno == ELOOP) return std::optional<std::string>();
    return failed("cannot read", path);
  }
  struct stat info {};
  if (::fstat(from.fd, &info) != 0) return failed("cannot read", path);
  if (!S_ISREG(info.st_mode)) return std::optional<std::string>();
  std::string text;
  std::string piece(64 * 1024, '\0');
  while (text.size() <= most_message_bytes) {
    const ssize_t n = ::read(from.fd, piece.data(), piece.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return failed("cannot read", path);
    if (n == 0) break;
    text.append(piece.data(), static_cast<std::size_t>(n));
  }
  return std::optional<std::string>(std::move(text));
}

bool is_report_name(const std::string& name) {
  return !name.empty() && name.front() != '.' && !name.ends_with(".tmp") &&
         !name.ends_with(".part");
}

base::Result<std::vector<PaymentResult>> parse_results(const std::string& name,
                                                       std::string_view text) {
  if (name.ends_with(".json")) return parse_results_json(text);
  if (name.ends_with(".csv")) return parse_results_csv(text);
  return base::refuse(base::Code::invalid, "the name must end in .json or .csv");
}

std::string words_of(const base::Refusal& refusal) {
  std::string words = refusal.message;
  for (std::size_t i = 0; i < refusal.wrong.size() && i < 100; ++i)
    words += "\n" + refusal.wrong[i].field + ": " + refusal.wrong[i].message;
  return words;
}

}  // namespace

std::string request_file_name(std::string_view invoice) {
  std::string name = "invoice-";
  for (const char c : invoice)
    name += (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ? c : '-';
  return name + ".json";
}

base::Try<FileDrop> FileDrop::open(const fs::path& outbox, const fs::path& inbox) {
  for (const fs::path& folder : {outbox, inbox / "done", inbox / "failed"}) {
    std::error_code error;
    fs::create_directories(folder, error);
    if (error) return base::fault("cannot make " + folder.string() + ": " + error.message());
  }
  return FileDrop(outbox, inbox);
}

base::Try<void> FileDrop::request(const PaymentRequest& request) {
  const fs::path path = outbox_ / request_file_name(request.invoice);
  const std::string text = base::to_json(request) + "\n";
  auto there = read_plain(path);
  if (!there) return std::unexpected(std::move(there.error()));
  if (*there && **there == text) return {};
  if (*there)
    return base::fault(path.string() + " is there already and says something else", false);
  return write_whole(path, text);
}

base::Try<std::vector<Delivery>> FileDrop::collect(std::size_t most) {
  std::vector<std::string> names;
  std::error_code error;
  fs::directory_iterator at(inbox_, error);
  for (; !error && at != fs::directory_iterator(); at.increment(error)) {
    std::error_code unseen;
    const fs::file_status status = at->symlink_status(unseen);
    std::string name = at->path().filename().string();
    if (!unseen && fs::is_regular_file(status) && is_report_name(name))
      names.push_back(std::move(name));
  }
  if (error) return base::fault("cannot list " + inbox_.string() + ": " + error.message());
  std::sort(names.begin(), names.end());
  std::vector<Delivery> deliveries;
  for (const std::string& name : names) {
    if (deliveries.size() == most) break;
    auto text = read_plain(inbox_ / name);
    if (!text) return std::unexpected(std::move(text.error()));
    if (!*text) continue;
    auto results = parse_results(name, **text);
    if (results) {
      deliveries.push_back({name, std::move(*results)});
      continue;
    }
    if (auto done = conclude(name, {false, words_of(results.error())}); !done)
      return std::unexpected(std::move(done.error()));
  }
  return deliveries;
}

base::Try<void> FileDrop::conclude(const std::string& handle, const Conclusion& conclusion) {
  if (!is_report_name(handle) || handle.find('/') != std::string::npos)
    return base::fault("'" + handle + "' is no file of the inbox", false);
  const fs::path from = inbox_ / handle;
  const fs::path folder = inbox_ / (conclusion.done ? "done" : "failed");
  constexpr int most_of_one_name = 10'000;
  for (int n = 1; n <= most_of_one_name; ++n) {
    const fs::path to = folder / (n == 1 ? handle : handle + "." + std::to_string(n));
    // A hard link, unlike a rename, never takes another file's place.
    if (::link(from.c_str(), to.c_str()) != 0) {
      if (errno == EEXIST) continue;
      return failed("cannot move", from);
    }
    if (!conclusion.report.empty()) {
      const fs::path beside = to.string() + (conclusion.done ? ".report.txt" : ".reason.txt");
      if (auto wrote = write_whole(beside, conclusion.report + "\n"); !wrote) {
        ::unlink(to.c_str());
        return wrote;
      }
    }
    if (::unlink(from.c_str()) != 0) return failed("cannot remove", from);
    if (auto synced = sync_folder(folder); !synced) return synced;
    return sync_folder(inbox_);
  }
  return base::fault(folder.string() + " holds too many of the name " + handle, false);
}

}  // namespace ampacity::documents
