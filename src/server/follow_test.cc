// Two loops on one store, as two servers: one leads, the other folds what it commits, then leads.
#include <doctest/doctest.h>

#include "core/price_book.h"
#include "engines/stub.h"
#include "server/engine_seat.h"
#include "server/follower.h"
#include "server/life.h"
#include "store/scratch_folder.h"

namespace ampacity::server {
namespace {

struct Two {
  store::ScratchFolder folder;
  base::SystemClock clock;
  store::StoreAt store{folder.path / "ampacity.db"};
  std::unique_ptr<store::Journal> journal = std::move(*store::open_journal(store));
  Secrets secrets{std::string(32, 's')};
  std::unique_ptr<engines::Engine> engine =
      engines::make_stub_engine(base::Duration::millis(1), clock);
  EngineSeat empty_seat;
  Leadership leadership{base::Duration::seconds(5)};
  std::string ended;
  std::uint64_t ids = 1;

  std::unique_ptr<Loop> leader = make(journal.get(), std::move(*journal->load()), *engine);
  store::Tail tail = std::move(*store::Tail::open(store));
  std::unique_ptr<Loop> second = make(nullptr, tail.take_world(), empty_seat);
  Follower follower{std::move(tail), *second, leadership,
                    [this](const std::string& w) { ended = w; }};
  std::vector<core::Fact> published;

  Two() {
    second->on_publish([this](const Published& p) {
      published.insert(published.end(), p.facts.begin(), p.facts.end());
    });
    leader->start();
    second->start();
    follower.start();
  }
  ~Two() {
    follower.stop();
    second->stop();
    leader->stop();
  }
  std::unique_ptr<Loop> make(store::Journal* at, core::World world, engines::Engine& with) {
    LoopOptions options;
    options.store = store;
    return std::make_unique<Loop>(options, at, std::move(world), with, secrets, clock);
  }
  void org(Loop& loop, const std::string& name) {
    const auto done = loop.run(core::CreateOrg{{9, ids++}, name}, "test");
    REQUIRE_MESSAGE(done, done.error().message);
  }
  bool caught_up() {
    follower.poke();
    return second->wait_for_sequence(leader->sequence(), base::Duration::seconds(20));
  }
};

std::string digest(Loop& loop) {
  return loop.ask([](const core::World& w) { return core::state_digest(w.state()); });
}

}  // namespace

TEST_CASE("a follower shows what the leader committed, and refuses to change anything") {
  Two two;
  REQUIRE(two.leader->run(core::Found{core::plain_book("test", {}, {}, 1, 1, 1, 1)}, "test"));
  for (const char* name : {"acme", "birch", "cedar"}) two.org(*two.leader, name);
  REQUIRE(two.caught_up());
  CHECK(digest(*two.second) == digest(*two.leader));
  CHECK_FALSE(two.second->leads());
  const auto refused = two.second->run(core::CreateOrg{{9, 99}, "dogwood"}, "test");
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == base::Code::unavailable);
  CHECK(two.second->sequence() == two.leader->sequence());
  two.follower.stop();
  CHECK(two.published.size() == two.leader->sequence());
  CHECK(two.ended.empty());
}

TEST_CASE("a follower that takes over goes on where the leader ended") {
  Two two;
  REQUIRE(two.leader->run(core::Found{core::plain_book("test", {}, {}, 1, 1, 1, 1)}, "test"));
  two.org(*two.leader, "acme");
  REQUIRE(two.caught_up());
  two.follower.stop();
  two.org(*two.leader, "birch");  // not seen by the follower
  two.leader->stop();
  two.journal.reset();
  two.journal = std::move(*store::open_journal(two.store));
  store::ChainEnd end = two.follower.end();
  REQUIRE(two.journal->read_on(
      end, [&](std::uint64_t first, std::vector<core::Fact> facts) -> base::Try<void> {
        two.second->fold(first, std::move(facts));
        return {};
      }));
  two.second->lead(*two.journal);
  CHECK(two.second->leads());
  two.org(*two.second, "cedar");
  const auto durable = two.journal->load();
  REQUIRE(durable);
  CHECK(durable->state().orgs.size() == 3);
  CHECK(core::state_digest(durable->state()) == digest(*two.second));
}

TEST_CASE("a process that begins anew keeps its port") {
  using Words = std::vector<std::string>;
  CHECK(with_listen({"d", "--state", "s"}, "a:1") == Words{"d", "--listen=a:1", "--state", "s"});
  CHECK(with_listen({"d", "--listen", "x:0"}, "a:1") == Words{"d", "--listen", "a:1"});
  CHECK(with_listen({"d", "--listen=x:0", "-q"}, "a:1") == Words{"d", "--listen=a:1", "-q"});
}

}  // namespace ampacity::server
