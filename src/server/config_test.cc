#include "server/config.h"

#include <doctest/doctest.h>

#include <fstream>
#include <iterator>

#include "store/scratch_folder.h"

namespace ampacity::server {
namespace {

std::filesystem::path put(const store::ScratchFolder& folder, const std::string& text) {
  const auto file = folder.path / "ampacityd.yaml";
  std::ofstream(file) << text;
  return file;
}

Told read(std::vector<std::string> words) {
  words.insert(words.begin(), "ampacityd");
  std::vector<const char*> argv;
  for (const std::string& word : words) argv.push_back(word.c_str());
  return read_config(static_cast<int>(argv.size()), argv.data());
}

bool says(const Told& told, const std::string& part) {
  for (const std::string& why : told.wrong)
    if (why.find(part) != std::string::npos) return true;
  return false;
}

TEST_CASE("a file's names are the flags', and flags go before it") {
  const store::ScratchFolder folder;
  const auto file = put(folder,
                        "# a cloud\n"
                        "state: /var/lib/x\n"
                        "cloud: from-file\n"
                        "site: hall-1\n"
                        "emulate:\n  - h100:8x4\n  - a100:8\n"
                        "quiet: true\n"
                        "volume-limit-gib: 20\n"
                        "listen: '[::1]:0'\n");
  const Told told = read({"--config", file, "--cloud", "from-flag"});
  REQUIRE(told.wrong.empty());
  const Config& c = told.config;
  CHECK(c.state == "/var/lib/x");
  CHECK(c.cloud == "from-flag");
  CHECK(c.site == "hall-1");
  CHECK(c.emulate == std::vector<std::string>{"h100:8x4", "a100:8"});
  CHECK(c.quiet);
  CHECK(c.volume_limit_gib == 20);
  CHECK((c.address == "::1" && c.port == 0));
}

TEST_CASE("what is wrong with a file is told by its line, all of it at once") {
  const store::ScratchFolder folder;
  const auto file = put(folder,
                        "state: /x\n"
                        "colud: a\n"
                        "volume-limit-gib: 0\n"
                        "engine: vmware\n"
                        "site: [a, b]\n"
                        "quiet: perhaps\n"
                        "cloud:\n"
                        "check: true\n"
                        "images: {a: b}\n"
                        "payments: postgres://me:hunter2@db/x\n");
  const Told told = read({"--config", file});
  const std::string at = file.string();
  CHECK(says(told, at + ":2: colud: there is no such option; is `cloud` meant?"));
  CHECK(says(told, at + ":3: volume-limit-gib: "));
  CHECK(says(told, at + ":4: engine: "));
  CHECK(says(told, at + ":5: site: takes one value, not a list"));
  CHECK(says(told, at + ":6: quiet: must be true or false"));
  CHECK(says(told, at + ":7: cloud: has no value"));
  CHECK(says(told, at + ":8: check: there is no such option"));
  CHECK(says(told, at + ":9: images: must be a value"));
  CHECK(says(told, at + ":10: payments: holds a secret"));
  CHECK(told.wrong.size() == 9);
  CHECK_FALSE(says(told, "hunter2"));

  for (const char* text : {"- a\n", "a: b: c\n", "state: /x\nstate: /y\n"})
    CHECK_FALSE(read({"--config", put(folder, text)}).wrong.empty());
  CHECK(says(read({"--config", "/nowhere/x.yaml"}), "/nowhere/x.yaml: cannot be read"));
  CHECK(says(read({"--config", put(folder, "")}), "--state is required"));
}

TEST_CASE("secrets on the command line are refused and not repeated") {
  for (const char* value :
       {"postgres://me:hunter2@db/x", "host=db password=hunter2", "amp_hunter2"}) {
    const Told told = read({"--state", "/x", "--payments", value});
    CHECK(says(told, "--payments: holds a secret"));
    CHECK_FALSE(says(told, "hunter2"));
  }
  CHECK(read({"--state", "/x", "--payments", "/a/postgres://me@db"}).wrong.empty());
}

TEST_CASE("TLS: what goes together; without it, loopback only") {
  const auto wrong = [](std::vector<std::string> words) {
    words.insert(words.begin(), {"--state", "/x"});
    return !read(words).wrong.empty();
  };
  CHECK(wrong({"--tls-cert", "c"}));
  CHECK(wrong({"--tls-key", "k"}));
  CHECK(wrong({"--tls", "generate", "--tls-cert", "c", "--tls-key", "k"}));
  CHECK(wrong({"--tls-client-ca", "ca"}));
  CHECK(wrong({"--tls-name", "n"}));
  CHECK_FALSE(wrong({"--tls-cert", "c", "--tls-key", "k", "--tls-client-ca", "ca"}));
  for (const char* open : {"0.0.0.0:7878", "[::]:7878", "10.1.2.3:1", "gpu1:7878"}) {
    CHECK(wrong({"--listen", open}));
    CHECK_FALSE(wrong({"--listen", open, "--tls", "generate"}));
  }
  for (const char* bad : {"127.0.0.1", "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:70000", ""})
    CHECK(wrong({"--listen", bad}));
  CHECK_FALSE(wrong({"--listen", "localhost:0"}));
}

TEST_CASE("the example file is the one in the tree, and holds nothing but what is known") {
  std::ifstream in(AMPACITY_SOURCE_DIR "/packaging/ampacityd.yaml");
  const std::string kept((std::istreambuf_iterator<char>(in)), {});
  CHECK_MESSAGE(example_config() == kept,
                "an option changed: build/default/bin/ampacityd --example-config "
                "> packaging/ampacityd.yaml");
  // With every # taken away each line is still known; only the … are no values.
  const store::ScratchFolder folder;
  std::string all;
  std::istringstream lines(kept);
  for (std::string line; std::getline(lines, line);)
    if (line.starts_with("#") && !line.starts_with("# ")) all += line.substr(1) + "\n";
  const Told told = read({"--state", "/x", "--config", put(folder, all)});
  CHECK_FALSE(says(told, "there is no such option"));
  CHECK_FALSE(says(told, "list"));
}

}  // namespace
}  // namespace ampacity::server
