#include "server/leadership.h"

#include <doctest/doctest.h>

#include <memory>
#include <vector>

namespace ampacity::server {
namespace {

constexpr base::Duration lease = base::Duration::seconds(5);

// Time that a test moves; nobody waits in it.
class TestTime final : public base::Scheduler {
 public:
  TestTime() { base::scheduler = this; }
  ~TestTime() override { base::scheduler = nullptr; }
  int spawn(std::function<void()>) override { return 0; }
  void join(int) override {}
  bool park(const void*, std::optional<base::Duration>, bool) override { return true; }
  void wake(const void*) override {}
  bool ending() const override { return false; }
  void give_way() override {}
  base::Duration elapsed() override { return now; }

  base::Duration now = base::Duration::seconds(1'000);
};

// The database: its clock runs as true time does, whatever the servers' do.
struct Row {
  std::uint64_t epoch = 0;
  std::string holder, url;
  std::int64_t expires_us = 0;
  std::int64_t now_us = 0;
};

class OneRow final : public store::LeaseTable {
 public:
  explicit OneRow(Row& row) : row_(row) {}
  base::Try<store::Lease> look() override {
    if (down) return base::fault("no answer");
    return store::Lease{row_.epoch, row_.holder, row_.url, {row_.expires_us - row_.now_us}};
  }
  base::Try<bool> take(const store::Lease& seen, const std::string& holder, const std::string& url,
                       base::Duration length) override {
    if (down) return base::fault("no answer");
    if (row_.epoch != seen.epoch || row_.expires_us > row_.now_us) return false;
    row_ = {row_.epoch + 1, holder, url, row_.now_us + length.us, row_.now_us};
    return true;
  }
  base::Try<bool> renew(std::uint64_t epoch, base::Duration length) override {
    if (down) return base::fault("no answer");
    if (row_.epoch != epoch) return false;
    row_.expires_us = row_.now_us + length.us;
    return true;
  }
  base::Try<void> give_back(std::uint64_t epoch) override {
    if (row_.epoch == epoch) row_.expires_us = row_.now_us;
    return {};
  }
  bool down = false;

 private:
  Row& row_;
};

struct Server {
  Server(Row& row, const std::string& name)
      : table(row), contender(table, leadership, name, name) {}
  Leadership leadership{lease};
  OneRow table;
  Contender contender;
};

struct Pair {
  TestTime time;
  Row row;
  Server a{row, "a"}, b{row, "b"};
  void pass(base::Duration d) {
    time.now = time.now + d;
    row.now_us += d.us;
  }
};

using Seen = Contender::Seen;

}  // namespace

TEST_CASE("the first takes the row, the second follows and knows whom") {
  Pair p;
  CHECK(p.a.contender.step() == Seen::took);
  CHECK(p.a.leadership.may_act());
  CHECK(p.b.contender.step() == Seen::following);
  CHECK_FALSE(p.b.leadership.may_act());
  CHECK(p.b.leadership.leader().url == "a");
  CHECK(p.b.leadership.leader().epoch == 1);
}

TEST_CASE("who is renewed keeps it; who is not loses it here before it is lost there") {
  Pair p;
  REQUIRE(p.a.contender.step() == Seen::took);
  for (int i = 0; i < 100; ++i) {
    p.pass(p.a.contender.until_next());
    CHECK(p.a.contender.step() == Seen::leading);
    CHECK(p.b.contender.step() == Seen::following);
    CHECK(p.a.leadership.may_act());
  }
  for (int i = 0; i < 200; ++i) {  // 25 ms at a time: nobody renews
    p.pass(base::Duration::millis(25));
    if (p.b.contender.step() == Seen::took) break;
    CHECK_FALSE(p.b.leadership.may_act());
  }
  CHECK(p.b.leadership.may_act());
  CHECK_FALSE(p.a.leadership.may_act());
  CHECK(p.a.contender.step() == Seen::fenced);
  CHECK(p.a.leadership.is_fenced());
  CHECK_FALSE(p.a.leadership.leads());
  CHECK(p.a.contender.step() == Seen::fenced);  // for good
  CHECK(p.a.leadership.leader().url == "b");
}

TEST_CASE("a paused leader whom nobody replaced leads on") {
  Pair p;
  p.b.table.down = true;
  REQUIRE(p.a.contender.step() == Seen::took);
  p.pass(base::Duration::seconds(60));
  CHECK_FALSE(p.a.leadership.may_act());
  CHECK(p.a.contender.step() == Seen::leading);
  CHECK(p.a.leadership.may_act());
  CHECK(p.a.leadership.own_epoch() == 1);
}

TEST_CASE("a leader cut off from the database stops acting before another takes over") {
  Pair p;
  REQUIRE(p.a.contender.step() == Seen::took);
  p.a.table.down = true;
  while (p.b.contender.step() != Seen::took) {
    CHECK_FALSE(p.b.leadership.may_act());
    p.pass(base::Duration::millis(10));
    (void)p.a.contender.step();
  }
  CHECK_FALSE(p.a.leadership.may_act());
  p.a.table.down = false;
  CHECK(p.a.contender.step() == Seen::fenced);
}

TEST_CASE("at most one may act, whatever is paused and cut off when") {
  std::uint64_t draw = 1;
  const auto dice = [&](std::uint64_t n) {
    draw = draw * 6364136223846793005ULL + 1442695040888963407ULL;
    return (draw >> 33) % n;
  };
  int takings = 0;
  for (int round = 0; round < 200; ++round) {
    Pair p;
    std::int64_t paused_until[2] = {0, 0};
    std::unique_ptr<Server> again[2];
    Server* servers[2] = {&p.a, &p.b};
    for (int i = 0; i < 500; ++i) {
      p.pass(base::Duration::millis(static_cast<std::int64_t>(1 + dice(300))));
      const std::size_t who = dice(2);
      if (dice(60) == 0)
        paused_until[who] = p.row.now_us + static_cast<std::int64_t>(dice(20'000'000));
      if (dice(60) == 0) servers[who]->table.down = !servers[who]->table.down;
      if (paused_until[who] > p.row.now_us) continue;
      const Seen seen = servers[who]->contender.step();
      takings += seen == Seen::took;
      if (seen == Seen::fenced) {  // a new life of it
        again[who] = std::make_unique<Server>(p.row, who ? "b" : "a");
        servers[who] = again[who].get();
      }
      CHECK_FALSE((servers[0]->leadership.may_act() && servers[1]->leadership.may_act()));
    }
  }
  CHECK(takings > 400);
}

TEST_CASE("given back at a stop, the next need not wait") {
  Pair p;
  REQUIRE(p.a.contender.step() == Seen::took);
  p.a.contender.give_back();
  CHECK(p.b.contender.step() == Seen::took);
  CHECK(p.b.leadership.own_epoch() == 2);
}

}  // namespace ampacity::server
