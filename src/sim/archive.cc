#include "sim/archive.h"

#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <vector>

#include "sim/csv.h"

namespace ampacity::sim {
namespace {

namespace fs = std::filesystem;
constexpr std::size_t most_members = 10'000;

// What a program prints, run without a shell; an error if it fails or prints too much.
base::Try<std::string> output_of(std::vector<std::string> words) {
  int ends[2];
  if (pipe(ends) != 0) return base::fault("no pipe");
  const pid_t child = fork();
  if (child == 0) {
    std::vector<char*> argv;
    for (std::string& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    dup2(ends[1], STDOUT_FILENO);
    close(ends[0]);
    close(ends[1]);
    execvp(argv[0], argv.data());
    _exit(127);
  }
  close(ends[1]);
  std::string text;
  std::array<char, 1 << 16> chunk;
  bool too_much = false;
  for (ssize_t got; !too_much && (got = read(ends[0], chunk.data(), chunk.size())) > 0;) {
    text.append(chunk.data(), static_cast<std::size_t>(got));
    too_much = text.size() > most_csv_bytes;
  }
  close(ends[0]);
  int status = 0;
  if (child < 0 || waitpid(child, &status, 0) != child || too_much || status != 0)
    return base::fault(fmt::format("`{}` {}", fmt::join(words, " "),
                                   too_much ? "printed more than 1 GiB" : "failed"),
                       false);
  return text;
}

bool wanted(const fs::path& path, const std::string& only) {
  return path.extension() == ".csv" && (only.empty() || path.filename() == only);
}

base::Try<std::map<std::string, std::string>> read_folder(const std::string& from,
                                                          const std::string& only) {
  std::map<std::string, std::string> files;
  std::error_code error;
  std::size_t members = 0, bytes = 0;
  for (const auto& entry : fs::recursive_directory_iterator(from, error)) {
    if (++members > most_members) break;
    if (!entry.is_regular_file(error) || !wanted(entry.path(), only)) continue;
    auto text = read_whole(entry.path().string());
    if (!text) return std::unexpected(std::move(text.error()));
    if ((bytes += text->size()) > most_csv_bytes)
      return base::fault(from + ": more than 1 GiB of .csv files", false);
    files[entry.path().filename().string()] = std::move(*text);
  }
  if (error) return base::fault(from + ": " + error.message(), false);
  return files;
}

base::Try<std::map<std::string, std::string>> read_archive(const std::string& from,
                                                           const std::string& only) {
  auto list = output_of({"tar", "-tf", from});
  if (!list) return std::unexpected(std::move(list.error()));
  std::map<std::string, std::string> files;
  std::size_t bytes = 0;
  for (std::size_t begin = 0; begin < list->size();) {
    const std::size_t end = std::min(list->find('\n', begin), list->size());
    const std::string member = list->substr(begin, end - begin);
    begin = end + 1;
    if (!wanted(member, only)) continue;
    auto text = output_of({"tar", "-xOf", from, "--no-wildcards", "--", member});
    if (!text) return std::unexpected(std::move(text.error()));
    if ((bytes += text->size()) > most_csv_bytes)
      return base::fault(from + ": more than 1 GiB of .csv files", false);
    files[fs::path(member).filename().string()] = std::move(*text);
  }
  return files;
}

}  // namespace

base::Try<std::map<std::string, std::string>> read_csv_files(const std::string& from,
                                                             const std::string& only) {
  std::error_code error;
  auto files = fs::is_directory(from, error) ? read_folder(from, only) : read_archive(from, only);
  if (files && files->empty())
    return base::fault(from + ": there is no " + (only.empty() ? ".csv file" : only) + " in it",
                       false);
  return files;
}

base::Try<std::string> data_path(const std::string& file) {
  const char* folder = std::getenv("AMPACITY_DATA");
  const std::string path = std::string(folder ? folder : "../shared/data") + "/" + file;
  std::error_code error;
  if (!fs::exists(path, error))
    return base::fault(path + " is not there; set AMPACITY_DATA to the folder of the traces",
                       false);
  return path;
}

}  // namespace ampacity::sim
