#include "base/log_file.h"

#include <doctest/doctest.h>
#include <stdlib.h>

#include <fstream>
#include <iterator>
#include <string>

#include "base/log.h"

namespace ampacity::base {
namespace {

namespace fs = std::filesystem;

struct LoggedFolder {
  LoggedFolder() {
    char name[] = "/tmp/ampacity-log-XXXXXX";
    path = mkdtemp(name);
  }
  ~LoggedFolder() {
    (void)log_to_file({});
    fs::remove_all(path);
  }
  std::string text(const char* name) const {
    std::ifstream in(path / name);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  fs::path path;
};

TEST_CASE("a log file is bounded: the oldest lines go, the newest stay") {
  const LoggedFolder folder;
  constexpr std::size_t most = 4096;
  REQUIRE(log_to_file({folder.path / "a.log", most, 2}));
  for (int i = 0; i < 1'000; ++i) log_info("line {}", i);
  std::size_t files = 0;
  for (const auto& entry : fs::directory_iterator(folder.path)) {
    ++files;
    CHECK(entry.file_size() <= most);
  }
  CHECK(files == 3);
  CHECK(folder.text("a.log").find("info line 999\n") != std::string::npos);
  for (const char* name : {"a.log", "a.1.log", "a.2.log"})
    CHECK(folder.text(name).find(" line 0\n") == std::string::npos);
}

TEST_CASE("opened again, it is where its name says; one that cannot be opened is told") {
  const LoggedFolder folder;
  const LogFile file{folder.path / "a.log", 1 << 20, 2};
  REQUIRE(log_to_file(file));
  log_info("before");
  fs::rename(file.path, folder.path / "moved.log");
  log_info("between");
  REQUIRE(log_to_file(file));
  log_info("after");
  CHECK(folder.text("moved.log").find("between") != std::string::npos);
  CHECK(folder.text("a.log").find("after") != std::string::npos);
  CHECK(folder.text("a.log").find("before") == std::string::npos);
  CHECK_FALSE(log_to_file({folder.path / "a.log" / "b", 1 << 20, 2}));
  log_info("still");
  CHECK(folder.text("a.log").find("still") != std::string::npos);
}

}  // namespace
}  // namespace ampacity::base
