// The house rules of src/ as data: which room may include what, which words and names are banned.
// ARCHITECTURE.md and STYLE.md say why; tidy_test.cc says, by planted examples, what each catches.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

namespace ampacity::tidy {

inline constexpr std::size_t most_lines_per_file = 600;
inline constexpr std::size_t most_lines_per_function = 70;
inline constexpr std::size_t most_columns = 100;

// The arrows: a room may include itself and whatever begins with one of these.
struct Arrow {
  std::string_view room;
  std::vector<std::string_view> may_include;
};
inline const std::vector<Arrow> arrows = {
    {"base", {}},
    {"ledger", {"base/"}},
    {"core", {"base/", "ledger/"}},
    {"net", {"base/"}},
    {"console", {"base/", "net/"}},
    {"oidc", {"base/", "net/"}},
    {"store", {"base/", "ledger/", "core/"}},
    {"billing", {"base/", "ledger/", "core/"}},
    {"documents", {"base/", "ledger/", "core/", "billing/", "store/"}},
    {"engines", {"base/", "core/", "net/"}},
    {"api", {"base/", "ledger/", "core/", "net/", "billing/"}},
    {"audit", {"base/", "store/"}},
    {"server",
     {"base/", "ledger/", "core/", "net/", "store/", "engines/", "api/", "audit/", "billing/",
      "documents/", "console/", "oidc/"}},
    {"gateway", {"base/", "net/", "api/"}},
    {"agent", {"base/", "net/", "api/", "engines/nvml"}},
    {"cli", {"base/", "net/", "api/"}},
    {"sim",
     {"base/", "ledger/", "core/", "net/", "store/", "engines/", "api/", "audit/", "billing/",
      "documents/", "console/", "oidc/", "server/", "gateway/", "agent/", "cli/"}},
};

// Libraries that stay behind one door: who may include headers that begin so.
struct Door {
  std::string_view header;
  std::vector<std::string_view> rooms;
};
inline const std::vector<Door> doors = {
    {"boost/asio", {"net"}},
    {"boost/beast", {"net"}},
    {"boost/context", {"sim"}},
    {"cjose/", {"oidc"}},
    {"curl/", {"net"}},
    {"openssl/", {"net"}},
    {"sodium", {"base"}},
    {"spdlog/", {"base"}},
    {"sqlite3", {"store", "audit", "sim"}},
    {"libpq", {"store"}},
    {"yaml-cpp/", {"api"}},
    {"cairo/", {"documents"}},
    {"ft2build", {"documents"}},
    {"pugixml", {"documents"}},
    {"CLI/", {"cli", "server", "gateway", "agent", "sim"}},
    {"prometheus/", {"server", "gateway", "agent"}},
};

// These rooms are pure (DESIGN §6): none of these as a word in their code. Tests and benches may.
inline const std::vector<std::string_view> pure_rooms = {"ledger", "core", "billing"};
inline const std::vector<std::string_view> banned_in_core = {
    "float",
    "double",
    "unordered_map",
    "unordered_set",
    "unordered_multimap",
    "unordered_multiset",
    "thread",
    "jthread",
    "mutex",
    "shared_mutex",
    "recursive_mutex",
    "condition_variable",
    "atomic",
    "thread_local",
    "chrono",
    "clock",
    "Clock",
    "SystemClock",
    "system_clock",
    "steady_clock",
    "high_resolution_clock",
    "gettimeofday",
    "clock_gettime",
    "localtime",
    "gmtime",
    "Prng",
    "SystemPrng",
    "SeededPrng",
    "rand",
    "srand",
    "random_device",
    "mt19937",
    "mt19937_64",
    "random_shuffle",
    "socket",
    "getenv",
    "setenv",
    "environ",
    "fopen",
    "FILE",
    "ifstream",
    "ofstream",
    "fstream",
    "filesystem",
    "cout",
    "cerr",
    "clog",
    "cin",
    "printf",
    "fprintf",
    "popen",
    "fork",
    "sleep_for",
    "usleep",
    "nanosleep",
};
inline const std::vector<std::string_view> banned_headers_in_core = {
    "thread",        "mutex",    "shared_mutex", "condition_variable",
    "atomic",        "future",   "chrono",       "ctime",
    "time.h",        "random",   "iostream",     "fstream",
    "cstdio",        "stdio.h",  "filesystem",   "unordered_map",
    "unordered_set", "unistd.h", "sys/",         "netinet/",
    "arpa/",         "fcntl.h",  "base/log.h",   "base/prng.h",
};

// A file called after nothing in particular collects everything.
inline const std::vector<std::string_view> banned_names = {
    "util", "utils", "utility", "utilities", "common", "manager", "helper", "helpers", "misc",
};

}  // namespace ampacity::tidy
