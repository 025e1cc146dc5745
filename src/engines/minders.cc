#include "engines/minders.h"

#include <fmt/core.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <charconv>
#include <fstream>
#include <optional>
#include <sstream>

namespace ampacity::engines {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t most_descendants = 1'000;

std::string read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

std::vector<std::string> words_of(int pid) {
  std::istringstream line(read_file(fmt::format("/proc/{}/cmdline", pid)));
  std::vector<std::string> words;
  for (std::string word; std::getline(line, word, '\0');) words.push_back(word);
  return words;
}

std::string after(const std::vector<std::string>& words, std::string_view flag) {
  for (std::size_t i = 0; i + 1 < words.size(); ++i)
    if (words[i] == flag) return words[i + 1];
  return {};
}

// conmon -c ID -b STORE/overlay-containers/ID/userdata -n NAME …
std::optional<Minder> minder_at(int pid, const fs::path& store) {
  if (read_file(fmt::format("/proc/{}/comm", pid)) != "conmon\n") return std::nullopt;
  const auto words = words_of(pid);
  Minder minder{pid, after(words, "-c"), after(words, "-n")};
  if (minder.container_id.empty() || !after(words, "-b").starts_with(store.string() + "/"))
    return std::nullopt;
  return minder;
}

// Parents before their children.
std::vector<int> with_descendants(int pid) {
  std::vector<int> all{pid};
  for (std::size_t i = 0; i < all.size() && all.size() < most_descendants; ++i) {
    std::istringstream children(
        read_file(fmt::format("/proc/{}/task/{}/children", all[i], all[i])));
    for (int child = 0; children >> child;) all.push_back(child);
  }
  return all;
}

}  // namespace

std::vector<Minder> minders_in(const fs::path& store) {
  std::vector<Minder> all;
  std::error_code error;
  for (fs::directory_iterator it("/proc", error); !error && it != fs::directory_iterator();
       it.increment(error)) {
    const std::string name = it->path().filename().string();
    int pid = 0;
    const auto [end, bad] = std::from_chars(name.data(), name.data() + name.size(), pid);
    if (bad != std::errc() || end != name.data() + name.size()) continue;
    if (auto minder = minder_at(pid, store)) all.push_back(std::move(*minder));
  }
  return all;
}

void end_minder(const Minder& minder, const fs::path& store) {
  // Descriptors first: what is then found to be the minder and its own is what they stand for.
  std::vector<int> processes;
  for (const int pid : with_descendants(minder.pid)) {
    const int process = static_cast<int>(syscall(SYS_pidfd_open, pid, 0));
    if (process >= 0) processes.push_back(process);
  }
  const auto now = minder_at(minder.pid, store);
  const bool same = now && now->container_id == minder.container_id;
  for (const int process : processes) {
    if (same) syscall(SYS_pidfd_send_signal, process, SIGKILL, nullptr, 0);
    close(process);
  }
}

}  // namespace ampacity::engines
