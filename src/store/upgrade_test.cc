// Stores of earlier releases, kept in tests/golden/stores as SQL, open in this program and fold to
// the world they were. NNNN.sql is `sqlite3 state/ampacity.db .dump` of a store whose last
// migration is NNNN; NNNN.json is what that release folded it to: a test run with
// AMPACITY_GOLDEN_WORLD=FILE writes this program's there, for the newest NNNN.
#include <doctest/doctest.h>

#include <algorithm>
#include <boost/json/value.hpp>
#include <cstdlib>
#include <fstream>
#include <iterator>

#include "base/json.h"
#include "store/backup.h"
#include "store/fold.h"
#include "store/journal.h"
#include "store/migrations.h"
#include "store/scratch_folder.h"

namespace ampacity::store {
namespace {

namespace fs = std::filesystem;

std::string read_text(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::vector<fs::path> golden_stores() {
  std::vector<fs::path> all;
  for (const auto& entry : fs::directory_iterator(AMPACITY_SOURCE_DIR "/tests/golden/stores"))
    if (entry.path().extension() == ".sql") all.push_back(entry.path());
  std::ranges::sort(all);
  return all;
}

// Every field that the old world had is there, and equal; what was added since is let be. Says
// where it is not so.
std::string missing_from(const boost::json::value& now, const boost::json::value& then,
                         const std::string& path) {
  if (then.is_object() && now.is_object()) {
    for (const auto& [key, value] : then.get_object()) {
      const auto* found = now.get_object().if_contains(key);
      const std::string at = path + "." + std::string(key);
      if (found == nullptr) return at;
      if (std::string where = missing_from(*found, value, at); !where.empty()) return where;
    }
    return {};
  }
  if (then.is_array() && now.is_array() && then.get_array().size() == now.get_array().size()) {
    for (std::size_t i = 0; i < then.get_array().size(); ++i)
      if (std::string where = missing_from(now.get_array()[i], then.get_array()[i],
                                           path + "[" + std::to_string(i) + "]");
          !where.empty())
        return where;
    return {};
  }
  return now == then ? std::string() : path;
}

StoreAt opened_from(const fs::path& golden, const fs::path& file) {
  auto db = Database::open(file, Database::Mode::create);
  REQUIRE(db);
  REQUIRE(db->exec(read_text(golden)));
  return file;
}

TEST_CASE("a store of an earlier release opens, and folds to the world it was") {
  const auto all = golden_stores();
  REQUIRE_FALSE(all.empty());
  for (const fs::path& golden : all) {
    CAPTURE(golden.string());
    const ScratchFolder folder;
    const StoreAt store = opened_from(golden, folder.path / "ampacity.db");
    CHECK(schema_of(store).value_or(0) == std::stoi(golden.stem()));
    auto journal = open_journal(store);
    REQUIRE_MESSAGE(journal, journal.error().message);
    CHECK(schema_of(store).value_or(0) == migrations().back().version);
    const auto world = (*journal)->load();
    REQUIRE_MESSAGE(world, world.error().message);
    const std::string now = base::to_sparse_json(world->state());
    if (const char* to = std::getenv("AMPACITY_GOLDEN_WORLD"); to && golden == all.back())
      std::ofstream(to) << now << "\n";
    const auto then = base::parse_json(read_text(fs::path(golden).replace_extension(".json")));
    REQUIRE(then);
    CHECK(missing_from(*base::parse_json(now), *then, "world") == "");
    journal->reset();
    const auto rebuilt = rebuild_read_models(store);
    REQUIRE_MESSAGE(rebuilt, rebuilt.error().message);
    CHECK(rebuilt->before == rebuilt->after);
  }
}

TEST_CASE("an upgrade that was cut off after any of its migrations goes on at the next start") {
  const fs::path golden = golden_stores().front();
  const auto known = migrations();
  const auto from = static_cast<std::size_t>(std::stoi(golden.stem()));
  for (std::size_t done = from; done <= known.size(); ++done) {
    const ScratchFolder folder;
    const StoreAt store = opened_from(golden, folder.path / "ampacity.db");
    {
      auto db = Database::open(store, Database::Mode::create);
      REQUIRE(db);
      REQUIRE(migrate(*db, known.first(done)));
    }
    auto journal = open_journal(store);
    REQUIRE_MESSAGE(journal, journal.error().message);
    CHECK((*journal)->load().has_value());
    CHECK(schema_of(store).value_or(0) == known.back().version);
  }
}

TEST_CASE("what an upgrade lost would be noticed") {
  const auto then = *base::parse_json(R"({"a":[{"b":1},{"b":2}],"c":"x"})");
  CHECK(missing_from(*base::parse_json(R"({"a":[{"b":1,"n":0},{"b":2}],"c":"x","d":[]})"), then,
                     "world") == "");
  CHECK(missing_from(*base::parse_json(R"({"a":[{"b":1},{"b":3}],"c":"x"})"), then, "world") ==
        "world.a[1].b");
  CHECK(missing_from(*base::parse_json(R"({"a":[{"b":1}],"c":"x"})"), then, "world") == "world.a");
  CHECK(missing_from(*base::parse_json(R"({"a":[{"b":1},{"b":2}]})"), then, "world") == "world.c");
}

}  // namespace
}  // namespace ampacity::store
