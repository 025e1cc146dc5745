#include "store/backup.h"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <atomic>
#include <fstream>
#include <thread>

#include "store/migrations.h"
#include "store/sample_cloud.h"
#include "store/scratch_store.h"

namespace ampacity::store {
namespace {

const Instant noon{1'700'000'000'000'000};

// A store with a little history, open for writing.
struct Written {
  Written() {
    auto opened = open_journal(options);
    REQUIRE(opened);
    journal = std::move(*opened);
    REQUIRE(work(20));
  }
  bool work(int jobs) {
    for (int i = 0; i < jobs; ++i) {
      cloud.submit();
      cloud.start_next();
      cloud.now.us += 60'000'000;
      cloud.end_next();
      if (!cloud.commit(*journal)) return false;
    }
    return true;
  }
  std::filesystem::path at(const char* name) const { return folder.path / name; }

  ScratchFolder folder;
  StoreAt options = scratch_store(folder);
  SampleCloud cloud{2};
  std::unique_ptr<Journal> journal;
};

void damage(const std::filesystem::path& file, std::size_t at) {
  std::fstream f(file, std::ios::in | std::ios::out | std::ios::binary);
  f.seekg(static_cast<std::streamoff>(at));
  const char changed = static_cast<char>(f.get() ^ 1);
  f.seekp(static_cast<std::streamoff>(at));
  f.put(changed);
}

TEST_CASE("a copy taken between two commits is proven to be the world of then") {
  Written w;
  const std::uint64_t then = w.cloud.world.state().sequence;
  const std::string world = core::state_digest(w.cloud.world.state());
  const auto note = back_up_store(w.options, w.at("copy.db"), noon);
  REQUIRE(note);
  CHECK(w.work(5));  // goes on; the copy does not
  CHECK(note->sequence == then);
  CHECK(note->world == world);
  CHECK(note->schema == migrations().back().version);
  struct stat st {};
  REQUIRE(stat(w.at("copy.db").c_str(), &st) == 0);
  CHECK((st.st_mode & 0777) == 0600);
  REQUIRE(check_bytes(w.at("copy.db"), *note));
  const auto proof = prove_copy(w.at("copy.db"), *note);
  REQUIRE(proof);
  CHECK(proof->facts == then);
  CHECK(proof->world == world);
  CHECK(proof->read_models == note->read_models);
  CHECK(proof->same_release);
  CHECK_FALSE(back_up_store(w.options, w.at("copy.db"), noon));  // is there
  // And it is a store to go on from.
  const auto journal = open_journal(w.at("copy.db"));
  REQUIRE(journal);
  CHECK((*journal)->load()->state().sequence == then);
}

TEST_CASE("copies taken while another thread commits are each of one instant") {
  Written w;
  std::atomic<bool> done = false, worked = false;
  std::thread writer([&] {
    worked = w.work(60);
    done = true;
  });
  int n = 0;
  for (bool last = false; !last; ++n) {
    last = done;
    const auto copy = w.at(("copy-" + std::to_string(n)).c_str());
    const auto note = back_up_store(w.options, copy, noon);
    if (!note) break;
    CHECK(prove_copy(copy, *note).has_value());
  }
  writer.join();
  CHECK(worked);
  CHECK(n >= 2);
}

TEST_CASE("a damaged, cut, foreign or newer copy is refused") {
  Written w;
  const auto copy = w.at("copy.db");
  const auto made = back_up_store(w.options, copy, noon);
  REQUIRE(made);
  CopyNote note = *made;
  const auto refusal = [&](const char* part) {
    const auto r = check_bytes(copy, note);
    return !r && r.error().message.find(part) != std::string::npos;
  };
  SUBCASE("one bit") {
    damage(copy, note.bytes / 2);
    CHECK(refusal("SHA-256"));
  }
  SUBCASE("cut") {
    std::filesystem::resize_file(copy, note.bytes - 1);
    CHECK(refusal("noted were"));
  }
  SUBCASE("empty") {
    std::filesystem::resize_file(copy, 0);
    CHECK(refusal("is empty"));
  }
  SUBCASE("newer") {
    note.schema = migrations().back().version + 1;
    CHECK(refusal("newer release"));
  }
  SUBCASE("another format") {
    note.format = 2;
    CHECK(refusal("format 2"));
  }
  SUBCASE("another world") {
    note.world = std::string(64, '0');
    CHECK_FALSE(prove_copy(copy, note));
  }
  SUBCASE("another journal") {
    note.chain = std::string(64, '0');
    CHECK_FALSE(prove_copy(copy, note));
  }
  SUBCASE("other rows") {
    note.read_models = std::string(64, '0');
    CHECK_FALSE(prove_copy(copy, note));
  }
}

TEST_CASE("a copy goes into either kind of store; of one that was moved, none is made") {
  Written w;
  const auto note = back_up_store(w.options, w.at("copy.db"), noon);
  REQUIRE_MESSAGE(note, note.error().message);
  CHECK_FALSE(std::filesystem::exists(w.at("copy.db.lock")));
  const StoreAt there = on_postgres() ? scratch_store_on_postgres() : StoreAt(w.at("there.db"));
  const auto moved = copy_store(w.at("copy.db"), there);
  REQUIRE_MESSAGE(moved, moved.error().message);
  CHECK(moved->world == note->world);
  CHECK(moved->chain == note->chain);
  CHECK(open_journal(there));
  const auto refused = back_up_store(w.at("copy.db"), w.at("second.db"), noon);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().message.find("was moved") != std::string::npos);
}

TEST_CASE("rows altered behind the journal's back are found by the proof, whatever was noted") {
  Written w;
  w.journal.reset();
  REQUIRE(alter_without_guards(w.options,
                               "UPDATE usage SET ended_at = ended_at + 1000000 WHERE sequence = "
                               "(SELECT max(sequence) FROM usage)"));
  const auto note = back_up_store(w.options, w.at("copy.db"), noon);
  REQUIRE(note);
  REQUIRE(check_bytes(w.at("copy.db"), *note));
  CHECK_FALSE(prove_copy(w.at("copy.db"), *note));
}

}  // namespace
}  // namespace ampacity::store
