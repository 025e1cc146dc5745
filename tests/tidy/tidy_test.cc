// The house rules, held: src/ keeps them, and each planted violation is caught at its line.

#include <doctest/doctest.h>
#include <stdlib.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "scan.h"
#include "tidy.h"

namespace ampacity::tidy {
namespace {

namespace fs = std::filesystem;

// A source tree of its own, gone at the end.
class Tree {
 public:
  Tree() {
    std::string pattern = (fs::temp_directory_path() / "tidy-XXXXXX").string();
    REQUIRE(mkdtemp(pattern.data()) != nullptr);
    root_ = pattern;
  }
  ~Tree() { fs::remove_all(root_); }
  Tree(const Tree&) = delete;
  Tree& operator=(const Tree&) = delete;

  void plant(const std::string& path, const std::string& text) const {
    fs::create_directories((root_ / path).parent_path());
    std::ofstream(root_ / path, std::ios::binary) << text;
  }
  std::vector<std::string> complaints() const {
    std::vector<std::string> lines;
    for (const auto& c : inspect(root_)) lines.push_back(format(c));
    return lines;
  }

 private:
  fs::path root_;
};

std::string lines(int count, const std::string& line) {
  std::string text;
  for (int i = 0; i < count; ++i) text += line + "\n";
  return text;
}

struct Plant {
  std::string path;
  std::string text;
  std::string expected;  // the one complaint, whole
};

const std::vector<Plant>& plants() {
  static const std::vector<Plant> all = {
      // arrows
      {"base/a.cc", "#include \"core/w.h\"\n", "base/a.cc:1: base may not include \"core/w.h\""},
      {"core/a.cc", "\n#include \"store/s.h\"\n",
       "core/a.cc:2: core may not include \"store/s.h\""},
      {"net/a.cc", "#include \"core/w.h\"\n", "net/a.cc:1: net may not include \"core/w.h\""},
      {"store/a.cc", "#include \"net/h.h\"\n", "store/a.cc:1: store may not include \"net/h.h\""},
      {"api/a.cc", "#include \"engines/e.h\"\n", "api/a.cc:1: api may not include \"engines/e.h\""},
      {"engines/a.cc", "#include \"api/e.h\"\n",
       "engines/a.cc:1: engines may not include \"api/e.h\""},
      {"audit/a.cc", "#include \"core/rate.h\"\n",
       "audit/a.cc:1: audit may not include \"core/rate.h\""},
      {"cli/a.cc", "# include \"server/s.h\"\n", "cli/a.cc:1: cli may not include \"server/s.h\""},
      {"agent/a.cc", "#include \"engines/containers.h\"\n",
       "agent/a.cc:1: agent may not include \"engines/containers.h\""},
      {"core/a_test.cc", "#include \"server/s.h\"\n",
       "core/a_test.cc:1: core may not include \"server/s.h\""},
      {"attic/a.cc", "int x;\n", "attic/a.cc:1: room 'attic' has no arrows in rules.h"},
      {"net/a.cc", "#include \"http.h\"\n", "net/a.cc:1: include \"room/file.h\", not \"http.h\""},
      {"net/a.cc", "#include \"../base/id.h\"\n",
       "net/a.cc:1: include \"room/file.h\", not \"../base/id.h\""},
      // doors
      {"server/a.cc", "#include <boost/asio/ip/tcp.hpp>\n",
       "server/a.cc:1: <boost/asio/ip/tcp.hpp> is not for room server"},
      {"api/a.h", "// A.\n#include <boost/beast.hpp>\n",
       "api/a.h:2: <boost/beast.hpp> is not for room api"},
      {"engines/a.cc", "#include <curl/curl.h>\n",
       "engines/a.cc:1: <curl/curl.h> is not for room engines"},
      {"base/a.cc", "#include <openssl/evp.h>\n",
       "base/a.cc:1: <openssl/evp.h> is not for room base"},
      {"api/a.cc", "#include <sodium.h>\n", "api/a.cc:1: <sodium.h> is not for room api"},
      {"server/a.cc", "#include <sqlite3.h>\n",
       "server/a.cc:1: <sqlite3.h> is not for room server"},
      {"cli/a.cc", "#include <yaml-cpp/yaml.h>\n",
       "cli/a.cc:1: <yaml-cpp/yaml.h> is not for room cli"},
      {"api/a.cc", "#include <CLI/CLI.hpp>\n", "api/a.cc:1: <CLI/CLI.hpp> is not for room api"},
      {"net/a.cc", "#include <spdlog/spdlog.h>\n",
       "net/a.cc:1: <spdlog/spdlog.h> is not for room net"},
      {"net/a.cc", "#include <doctest/doctest.h>\n",
       "net/a.cc:1: <doctest/doctest.h> is only for *_test.cc and test_*.h"},
      {"net/a_test.cc", "#include <benchmark/benchmark.h>\n",
       "net/a_test.cc:1: <benchmark/benchmark.h> is only for *_bench.cc"},
      // the pure core
      {"core/a.cc", "int f() {\n  double x = 1;\n}\n", "core/a.cc:2: banned in core: double"},
      {"core/a.cc", "auto t = std::chrono::days(1);\n", "core/a.cc:1: banned in core: chrono"},
      {"core/a.cc", "base::Clock& clock_of;\n", "core/a.cc:1: banned in core: Clock"},
      {"core/a.h", "// A.\n\nstd::unordered_map<int, int> m;\n",
       "core/a.h:3: banned in core: unordered_map"},
      {"core/a.cc", "int x = getenv(\"X\") != nullptr;\n", "core/a.cc:1: banned in core: getenv"},
      {"core/a.cc", "int x = rand();\n", "core/a.cc:1: banned in core: rand"},
      {"core/a.cc", "std::random_device d;\n", "core/a.cc:1: banned in core: random_device"},
      {"core/a.cc", "std::mutex m;\n", "core/a.cc:1: banned in core: mutex"},
      {"core/a.cc", "/* a\nb */ int s = socket(1);\n", "core/a.cc:2: banned in core: socket"},
      {"core/a.cc", "auto q = R\"(\n\")\"; auto f = fopen(p);\n",
       "core/a.cc:2: banned in core: fopen"},
      {"core/a.cc", "const int n = 1'000; float x = '\"';\n", "core/a.cc:1: banned in core: float"},
      {"core/a.cc", "#include <thread>\n", "core/a.cc:1: banned in core: thread"},
      {"billing/a.cc", "float x;\n", "billing/a.cc:1: banned in billing: float"},
      {"ledger/a.cc", "#include <mutex>\n", "ledger/a.cc:1: banned in ledger: mutex"},
      {"core/a.cc", "#include <sys/socket.h>\n", "core/a.cc:1: banned in core: sys/socket.h"},
      {"core/a.cc", "#include \"base/log.h\"\n", "core/a.cc:1: banned in core: base/log.h"},
      // names and openings
      {"net/utils.cc", "", "net/utils.cc:1: file name says nothing: 'utils'"},
      {"net/http_helper.cc", "", "net/http_helper.cc:1: file name says nothing: 'helper'"},
      {"core/job_manager.h", "// J.\n", "core/job_manager.h:1: file name says nothing: 'manager'"},
      {"base/common_test.cc", "", "base/common_test.cc:1: file name says nothing: 'common'"},
      {"net/HttpServer.cc", "", "net/HttpServer.cc:1: file names are snake_case"},
      {"net/a.h", "#pragma once\n", "net/a.h:1: a header's first line says what the file is for"},
      // budgets
      {"net/a.cc", lines(601, "int x();"), "net/a.cc:601: file of 601 lines"},
      {"net/a.cc", "\n// " + std::string(98, 'x') + "\n", "net/a.cc:2: line of 101 columns"},
      {"net/a.cc", "\nint f(int a) {\n" + lines(69, "  g();") + "}\n",
       "net/a.cc:2: function f of 71 lines"},
      {"net/a.cc", "TEST_CASE(\"{\") {\n" + lines(70, "  g();") + "}\n",
       "net/a.cc:1: function TEST_CASE of 72 lines"},
  };
  return all;
}

// More ways to begin a function; the body of 70 lines makes each one too long.
const std::vector<std::string> function_heads = {
    "A::A(int x) : a_{x}, b_(x), c_{} {",
    "A::A()\n    : a_{1},\n      b_{2} {",
    "template <class T = int, typename U>\nauto f(T t) -> std::vector<T> {",
    "template <class T>\n  requires(sizeof(T) > 2)\nvoid f(T t) {",
    "[[nodiscard]] static constexpr bool f(std::span<const int> x = {}) noexcept {",
    "bool operator==(const A& a, const A& b) {",
    "A& A::operator=(A&& a) noexcept {",
    "bool A::operator()(int x) const {",
    "namespace x {\nnamespace {\nvoid f() {",
    "struct B {\n  int x = 3;\n public:\n  void f() const override {",
    "class C final : public D<int> {\n public:\n  explicit C(int x) : D(x), y_{x} {",
    "enum class E { a, b };\nint f() {",
    "const int table[] = {1, 2};\nint f() {",
    "extern \"C\" {\nvoid f() {",
    "MACRO(A, (), (b))\nstruct B {\n  void f() {",
    "#define X {\nvoid f() {",
};

// Code that looks wrong to a careless reader and is right: no complaint.
void plant_clean_tree(const Tree& tree) {
  tree.plant("base/id.h", "// Ids.\n#pragma once\n#include <sodium.h>\nstruct Id {};\n");
  tree.plant("net/http.cc",
             "#include \"net/http.h\"\n#include <boost/asio.hpp>\n#include \"base/id.h\"\n"
             "#include <curl/curl.h>\n#include <thread>\nstd::mutex m; double d;\n");
  tree.plant("core/world.h",
             "// A double entry; no clock, no thread, no mutex: #include <thread>\n"
             "/* #include \"server/loop.h\"\n#include <chrono> */\n"
             "#include <cstdint>\n#include \"base/id.h\"\n#include \"core/words.h\"\n"
             "inline const char* s = \"double \\\" float\"; const char c = '\"'; int rand_seed;\n"
             "inline const char* r = R\"x(unordered_map )\" float)x\"; long n = 1'000'000;\n"
             "int floating, clock_skew_us, my_double, socketless;\n");
  tree.plant("core/place_test.cc", "#include <doctest/doctest.h>\n#include <chrono>\ndouble x;\n");
  tree.plant("core/place_bench.cc", "#include <benchmark/benchmark.h>\n#include <chrono>\n");
  tree.plant("net/test_peer.h", "// A peer for tests.\n#include <doctest/doctest.h>\n");
  tree.plant("server/loop.cc", "#include \"api/c.h\"\n#include \"audit/a.h\"\n");
  tree.plant("agent/main.cc", "#include \"engines/nvml.h\"\n#include <CLI/CLI.hpp>\n");
  tree.plant("sim/main.cc", "#include \"server/loop.h\"\n");
  tree.plant("cli/six_hundred.cc", lines(600, "int x();"));
  tree.plant(
      "cli/wide.cc", "// " + std::string(97, 'x') + "\n// " + [] {
        std::string wide;
        for (int i = 0; i < 97; ++i) wide += "é";
        return wide;
      }() + "\n");
  tree.plant("cli/functions.cc", "void f() {\n" + lines(68, "  if (x) { g(); }") +
                                     "}\n"  // 70 lines
                                     "const std::vector<int> table = {\n" +
                                     lines(100, "    f(1),") +
                                     "};\n"
                                     "struct Big {\n" +
                                     lines(100, "  int f(int x) { return x; }") +
                                     "};\n"
                                     "MACRO(Big, (), (x))\nstruct Bigger : Base<f(1)> {\n" +
                                     lines(100, "  int x{1};") + "};\nenum class E {\n" +
                                     lines(100, "  a,") + "};\nnamespace x {\n" +
                                     lines(100, "int f(std::vector<int> x = {});") + "}\n");
  tree.plant("store/migrations/0001.sql", "double float\n");
}

}  // namespace

TEST_CASE("src keeps the house rules") {
  const fs::path src = fs::path(AMPACITY_SOURCE_DIR) / "src";
  REQUIRE(fs::exists(src / "core"));
  for (const auto& complaint : inspect(src)) FAIL_CHECK("src/" << format(complaint));
}

TEST_CASE("each planted violation is caught, and nothing else") {
  for (const Plant& plant : plants()) {
    Tree tree;
    tree.plant(plant.path, plant.text);
    CAPTURE(plant.text.substr(0, 80));
    const auto found = tree.complaints();
    REQUIRE_MESSAGE(found.size() == 1, plant.expected);
    CHECK(found[0] == plant.expected);
  }
}

TEST_CASE("long functions are found however they begin") {
  for (const std::string& head : function_heads) {
    Tree tree;
    const auto closing = std::count(head.begin(), head.end(), '{');
    tree.plant("net/a.cc", head + "\n" + lines(70, "    if (x) { y = {1}; }") +
                               lines(static_cast<int>(closing), "}"));
    CAPTURE(head);
    const auto found = tree.complaints();
    REQUIRE(found.size() == 1);
    CHECK(found[0].find(": function ") != std::string::npos);
  }
}

TEST_CASE("clean code passes, though it looks wrong to a careless reader") {
  Tree tree;
  plant_clean_tree(tree);
  CHECK(tree.complaints() == std::vector<std::string>{});
}

TEST_CASE("blanking keeps every byte's place") {
  const std::string source = "int a; // x\nauto s = \"a\\\"b\"; /* y\n */ char c = '\\'';\n";
  const std::string blanked = blank_comments_and_literals(source);
  CHECK(blanked == "int a;     \nauto s = \"    \";     \n    char c = '  ';\n");
}

}  // namespace ampacity::tidy
